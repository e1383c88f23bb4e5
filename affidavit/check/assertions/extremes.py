"""``earliest`` and ``latest``."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from sqlglot import exp

from affidavit.check.base import Check, Context, Figures, count_where, is_null
from affidavit.check.conditions import Condition, ValueProblem, condition, find_column
from affidavit.check.hints import other_zone
from affidavit.incident.fields import ColumnValues
from affidavit.tables import Kind
from affidavit.times import rfc3339, show_duration, show_time, to_zone
from affidavit.types import Finding, Outcome


@dataclass(frozen=True)
class _Extreme(Check):
    """Base of the assertions about the least or greatest value of a column."""

    as_named = True
    model = ColumnValues
    aggregate: ClassVar[type[exp.AggFunc]]
    parts: tuple[Condition, ...]
    zone: str
    zones: tuple[str, ...]

    @classmethod
    def compile(cls, stated: Any, context: Context) -> "_Extreme":
        parts = []
        for name, value in stated.items():
            try:
                column = find_column(context.table, name)
                if column.kind not in (Kind.TIME, Kind.INTEGER, Kind.SECONDS):
                    raise ValueProblem(f"{name} is a {column.kind}: it has no {cls.key} value")
                parts.append(condition(column, value, context.zone))
            except ValueProblem as problem:
                raise problem.below(name) from None
        if not parts:
            raise ValueProblem("an empty mapping states nothing")
        words = ", ".join(f"{cls.key} {part.column.name} {part.words}" for part in parts)
        return cls(tuple(parts), context.zone, context.other_zones, stated=words, figures=Figures.of(parts))

    def measures(self) -> dict[str, exp.Expr]:
        found: dict[str, exp.Expr] = {}
        for part in self.parts:
            node = exp.column(part.column.name)
            found[f"{self.key}_{part.column.name}"] = self.aggregate(this=node)
            found[f"holds_{part.column.name}"] = part.test(self.aggregate(this=node.copy()))
            found[f"null_{part.column.name}"] = count_where(is_null(node))
        return found

    def _show(self, value: object) -> str:
        return show_time(value, self.zone) if isinstance(value, datetime) else f"{value:,}"

    def judge(self, measured: Mapping[str, Any]) -> Finding:
        values = {p.column.name: measured[f"{self.key}_{p.column.name}"] for p in self.parts}
        observed = ", ".join(
            f"{self.key} {name} {self._show(value) if value is not None else 'none'}" for name, value in values.items()
        )
        nulls = [p.column.name for p in self.parts if measured[f"null_{p.column.name}"]]
        if nulls or any(value is None for value in values.values()):
            names = ", ".join(nulls) or "it"
            return self.found(Outcome.UNPROVEN, observed, f"not every row has a value of {names}", "null-values")
        failing = [p for p in self.parts if not measured[f"holds_{p.column.name}"]]
        if failing:
            hints = "; ".join(self._hint(p, values[p.column.name]) for p in failing)
            would = [
                ((part.column.name,), text)
                for part in failing
                if (text := _right(part, values[part.column.name], self.zone))
            ]
            return self.found(Outcome.REFUTED, observed, hints, self.key, would)
        return self.found(Outcome.VERIFIED, observed)

    def _hint(self, part: Condition, value: object) -> str:
        if isinstance(value, datetime) and part.operator == "=":
            span = part.values[0].span
            shifted = other_zone(span, value, self.zones)
            if shifted:
                return shifted
            away = (span.start - value) if value < span.start else (value - span.end)
            side = "before" if value < span.start else "after"
            return f"{show_duration(away.total_seconds())} {side} the time stated"
        return f"the {self.key} value is {self._show(value)}"

    def contrary(self) -> exp.Expr | None:
        """Rows whose own value lies outside what is stated, or is missing."""
        tests = [exp.Not(this=exp.Paren(this=exp.func("coalesce", p.expression(), exp.false()))) for p in self.parts]
        return exp.and_(*tests)


def _right(part: Condition, value: object, zone: str) -> str:
    """What should have been stated, as precisely as it was: a day, an instant, a number; empty for a range."""
    if part.operator != "=" or len(part.values) != 1:
        return ""
    if not isinstance(value, datetime):
        return str(value)
    return to_zone(value, zone).date().isoformat() if part.values[0].span.is_day else rfc3339(value)


@dataclass(frozen=True)
class Earliest(_Extreme):
    """The least value of a column over the claim's rows, to the precision stated.

    `2016-01-04` is that day in the claim's zone; `2016-01-04T03:12Z` that minute.
    """

    key = "earliest"
    example = "earliest: {not_before: 2015-12-19T16:00:00Z}"
    aggregate = exp.Min


@dataclass(frozen=True)
class Latest(_Extreme):
    """The greatest value of a column over the claim's rows, to the precision stated."""

    key = "latest"
    example = "latest: {not_before: {before: 2016-09-01}}"
    aggregate = exp.Max
