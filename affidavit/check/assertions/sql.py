"""``sql``."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlglot import exp

from affidavit.check.base import Check, Context, Figures, count_where, is_null
from affidavit.check.conditions import ValueProblem
from affidavit.check.expressions import query_expression
from affidavit.check.nulls import of_outer_joins, unasked
from affidavit.incident.fields import Prose
from affidavit.serials import clean_hex, parse_serial
from affidavit.tables import TABLES, Column, Kind
from affidavit.times import Span, parse_duration, parse_time, rfc3339, show_time
from affidavit.types import Finding, Outcome


@dataclass(frozen=True, slots=True)
class Stated:
    """A query of one value, and the value that it is said to return: the keys `sql` and `returns`."""

    query: str
    returns: str


@dataclass(frozen=True)
class Sql(Check):
    """What the other assertions cannot say: one SELECT that returns one value, and that value.

    The tables are those of docs/tables.md, already held to the claim's collections, kind and
    authentic rows. A null or no row at all leaves the claim unproven, and so does a row that lacks a value of a column
    which the query names: `IS NULL`, `IS NOT NULL` or `coalesce` says what is meant of it.
    """

    key = "sql"
    model = Prose
    example = "sql: SELECT max(sct_count) FROM certificates\nreturns: 3"
    about_size = True
    tree: exp.Query
    returns: str
    zone: str
    tables: tuple[str, ...]

    @classmethod
    def compile(cls, stated: Any, context: Context) -> "Sql":
        tree = query_expression(stated.query, TABLES, context.zone)
        if missing := of_outer_joins(tree):
            message = f"where nothing is joined, {missing[0]} is missing, and such rows are passed over"
            raise ValueProblem(message, "say IS NULL, IS NOT NULL or coalesce of it; or JOIN")
        tables = sorted({node.name.lower() for node in tree.find_all(exp.Table)} & set(TABLES))
        numbers = frozenset({int(stated.returns.replace(",", ""))}) if _is_whole(stated.returns) else frozenset()
        words = tuple(str(node.this) for node in tree.find_all(exp.Literal) if node.is_string)
        figures = Figures(numbers, (stated.returns,), names=words, unitless=numbers)
        made = cls(
            tree, stated.returns, context.zone, tuple(tables), stated=f"the query returns {stated.returns}",
            figures=figures,
        )  # fmt: skip
        return replace(made, figures=figures | Figures(events=made._events()))

    def query(self) -> exp.Query:
        columns = [exp.alias_(exp.Subquery(this=self.tree.copy()), "value")]
        columns += [
            exp.alias_(exp.select(exp.Count(this=exp.Star())).from_(name).subquery(), f"rows_{name}")
            for name in self.tables
        ]
        named = unasked(self.tree)
        for name in self.tables:
            missing = [is_null(exp.column(c.name)) for c in TABLES[name].columns if c.name in named]
            if missing:
                count = exp.select(count_where(exp.or_(*missing))).from_(name)
                columns.append(exp.alias_(count.subquery(), f"nulls_{name}"))
        return exp.select(*columns)

    def _columns(self) -> list[Column]:
        """The columns of which the query returns a value, by its name in each table; none where it returns another."""
        node = self.tree.selects[0].unalias() if self.tree.selects else None
        if isinstance(node, (exp.Min, exp.Max)):
            node = node.this
        return [
            c
            for name in self.tables
            for c in TABLES[name].columns
            if isinstance(node, exp.Column) and c.name == node.name.lower()
        ]

    def _kind(self) -> Kind | None:
        """What the query returns, where that is a value of a column; None else."""
        kinds = {column.kind for column in self._columns()}
        return kinds.pop() if len(kinds) == 1 else None

    def _events(self) -> tuple[Span, ...]:
        """The time that it is said to return, where that is of an event."""
        if not any(column.event for column in self._columns()):
            return ()
        try:
            return (parse_time(self.returns, self.zone),)
        except ValueError:
            return ()

    def asks_for_null(self) -> bool:
        """Aggregates and conditions of a query pass nulls over, so a missing value may decide it."""
        return True

    def judge(self, measured: Mapping[str, Any]) -> Finding:
        value = measured["value"]
        empty = [name for name in self.tables if not measured[f"rows_{name}"]]
        shown = show_time(value, self.zone) if isinstance(value, datetime) else str(value)
        shown = shown.lower() if isinstance(value, bool) else shown
        if empty:
            return self.found(Outcome.UNPROVEN, shown, "no row of " + ", ".join(empty) + " was looked at", "no-rows")
        if value is None:
            return self.found(Outcome.UNPROVEN, "null", "the query returns no value", "null-values")
        missing = [
            f"{measured[key]:,} row(s) of {key[6:]}"
            for key in sorted(measured)
            if key[:6] == "nulls_" and measured[key]
        ]
        if missing:
            hint = ", ".join(missing) + " lack a value that the query names; say `IS NOT NULL` if they are not meant"
            return self.found(Outcome.UNPROVEN, shown, hint, "null-values")
        equal = _equal(value, self.returns, self.zone, self._kind())
        if equal is None:
            hint = f"{self.returns!r} cannot be compared with a value of that type"
            return self.found(Outcome.UNPROVEN, shown, hint, "not-comparable")
        if equal:
            return self.found(Outcome.VERIFIED, shown)
        right = rfc3339(value) if isinstance(value, datetime) else shown
        hint = f"the query returns {shown}"
        return replace(self.found(Outcome.REFUTED, shown, hint, "sql"), would=((("returns",), right),))


_NUMBER = re.compile(r"-?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?", re.ASCII)


def _is_whole(text: str) -> bool:
    return re.fullmatch(r"\d{1,18}|\d{1,3}(?:,\d{3}){1,5}", text, re.ASCII) is not None


def _equal(value: object, stated: str, zone: str, kind: Kind | None = None) -> bool | None:
    """Whether a value is the stated one; None where the two cannot be compared."""
    if isinstance(value, bool):
        return stated.lower() == str(value).lower() if stated.lower() in ("true", "false") else None
    if isinstance(value, int | float | Decimal):
        return Decimal(str(value)) == Decimal(stated.replace(",", "")) if _NUMBER.fullmatch(stated) else None
    try:
        if isinstance(value, datetime):
            span = parse_time(stated, zone)
            return span.start <= value < span.end
        if isinstance(value, timedelta):
            return value == timedelta(seconds=parse_duration(stated))
        if kind is Kind.SERIAL and isinstance(value, str):
            return parse_serial(value) == parse_serial(stated)
    except ValueError:
        return None
    if kind is Kind.HEX and isinstance(value, str):
        return value == clean_hex(stated).lower()
    return str(value) == stated if isinstance(value, str | date) else None
