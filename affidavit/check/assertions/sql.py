"""``sql``."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlglot import exp

from affidavit.check.base import Check, Context, Figures
from affidavit.check.expressions import query_expression
from affidavit.incident.fields import Prose
from affidavit.tables import TABLES
from affidavit.times import parse_time, show_time
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
    authentic rows. A null or no row at all leaves the claim unproven.
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
        tables = sorted({node.name.lower() for node in tree.find_all(exp.Table)} & set(TABLES))
        numbers = frozenset({int(stated.returns.replace(",", ""))}) if _is_whole(stated.returns) else frozenset()
        words = tuple(str(node.this) for node in tree.find_all(exp.Literal) if node.is_string)
        figures = Figures(numbers, (stated.returns,), names=words, unitless=numbers)
        return cls(
            tree, stated.returns, context.zone, tuple(tables), stated=f"the query returns {stated.returns}",
            figures=figures,
        )  # fmt: skip

    def query(self) -> exp.Query:
        columns = [exp.alias_(exp.Subquery(this=self.tree.copy()), "value")]
        columns += [
            exp.alias_(exp.select(exp.Count(this=exp.Star())).from_(name).subquery(), f"rows_{name}")
            for name in self.tables
        ]
        return exp.select(*columns)

    def asks_for_null(self) -> bool:
        """Aggregates and conditions of a query pass nulls over, so a missing value may decide it."""
        return True

    def judge(self, measured: Mapping[str, Any]) -> Finding:
        value = measured["value"]
        empty = [name for name in self.tables if not measured[f"rows_{name}"]]
        shown = show_time(value, self.zone) if isinstance(value, datetime) else str(value)
        if empty:
            return self.found(Outcome.UNPROVEN, shown, "no row of " + ", ".join(empty) + " was looked at", "no-rows")
        if value is None:
            return self.found(Outcome.UNPROVEN, "null", "the query returns no value", "null-values")
        if _equal(value, self.returns, self.zone):
            return self.found(Outcome.VERIFIED, shown)
        return self.found(Outcome.REFUTED, shown, f"the query returns {shown}", "sql")


def _is_whole(text: str) -> bool:
    return re.fullmatch(r"\d{1,18}|\d{1,3}(?:,\d{3}){1,5}", text, re.ASCII) is not None


def _equal(value: object, stated: str, zone: str) -> bool:
    if isinstance(value, bool):
        return stated.lower() == str(value).lower()
    if isinstance(value, int | float | Decimal):
        try:
            return Decimal(str(value)) == Decimal(stated.replace(",", ""))
        except InvalidOperation:
            return False
    if isinstance(value, datetime):
        try:
            span = parse_time(stated, zone)
        except ValueError:
            return False
        return span.start <= value < span.end
    return str(value) == stated
