"""``every``, ``none``, ``some`` and ``between``: what holds of each row, of no row, of one at least.

``every`` counts the rows for which the condition is true and those for which it is null, so a null can
never pass for a match (SQL's ``<>`` would skip it).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar

from sqlglot import exp

from affidavit.check.base import Check, Context, Statement, count_where, is_null, statement
from affidavit.check.conditions import Typed, ValueProblem, find_column
from affidavit.check.hints import zone_shift_measures, zone_shift_words
from affidavit.incident.fields import ColumnValues, Conditions
from affidavit.tables import Kind
from affidavit.times import rfc3339, to_zone
from affidavit.types import Finding, Outcome


@dataclass(frozen=True)
class _Rows(Check):
    """Base of the assertions that hold a condition against each row."""

    as_named = True
    model: ClassVar[Any]
    what: Statement
    zones: tuple[str, ...] = ()

    @classmethod
    def compile(cls, stated: Any, context: Context) -> "_Rows":
        what = statement(stated, context.table, context.zone)
        return cls(what, context.other_zones, stated=what.words, figures=what.figures, notes=what.notes)

    def measures(self) -> dict[str, exp.Expr]:
        test = self.what.expression
        return {
            "hits": count_where(test.copy()),
            "nulls": count_where(is_null(test)),
            **zone_shift_measures(self.what, self.zones),
        }

    def contrary(self) -> exp.Expr | None:
        """Rows for which the condition is not true."""
        return exp.Not(this=exp.Paren(this=exp.func("coalesce", self.what.expression.copy(), exp.false())))

    def asks_for_null(self) -> bool:
        """Whether the condition itself speaks of missing values."""
        return self.what.asks_for_null

    def undecided(self, measured: Mapping[str, Any], observed: str) -> Finding:
        """The finding where rows could not be compared."""
        return self.found(
            Outcome.UNPROVEN,
            observed,
            f"{int(measured['nulls']):,} row(s) have no value to compare",
            "null-values",
        )


@dataclass(frozen=True)
class Every(_Rows):
    """Each of the claim's rows fulfils the condition."""

    key = "every"
    model: ClassVar[Any] = Conditions
    example = "every: {signature_hash: sha1}"

    def judge(self, measured: Mapping[str, Any]) -> Finding:
        n, hits, nulls = (int(measured[name]) for name in ("n", "hits", "nulls"))
        observed = f"{hits:,} of {n:,}"
        if n - hits - nulls > 0:
            hint = f"{n - hits - nulls:,} row(s) say otherwise" + zone_shift_words(self.what, measured, self.zones)
            return self.found(Outcome.REFUTED, observed, hint, self.key)
        if nulls:
            return self.undecided(measured, observed)
        return self.found(Outcome.VERIFIED, observed)


@dataclass(frozen=True)
class Between(Every):
    """Each of the claim's rows has a value within a range, both ends included.

    A bare day as the end means the whole of that day.
    """

    zone: str = "UTC"

    key = "between"
    model: ClassVar[Any] = ColumnValues
    example = "between: {not_before: {from: 2016-01-01, until: 2016-06-28}}"

    @classmethod
    def compile(cls, stated: Any, context: Context) -> "Between":
        for name, value in stated.items():
            column = find_column(context.table, name)
            ends = {"from", "until"} if column.kind is Kind.TIME else {"at_least", "at_most", "from", "until"}
            if not isinstance(value, Mapping) or not set(value) <= ends or len(value) != 2:
                wanted = "from and until" if column.kind is Kind.TIME else "at_least and at_most"
                raise ValueProblem(f"between wants {wanted}", f"{name}: {{...}}", (name,))
        made = super().compile(stated, context)
        assert isinstance(made, Between)
        return replace(made, zone=context.zone)

    def measures(self) -> dict[str, exp.Expr]:
        ends: dict[str, exp.Expr] = {}
        for part in self.what.parts:
            column = exp.column(part.column.name)
            ends |= {
                f"least_{part.column.name}": exp.Min(this=column),
                f"most_{part.column.name}": exp.Max(this=column),
            }
        return super().measures() | ends

    def judge(self, measured: Mapping[str, Any]) -> Finding:
        finding = super().judge(measured)
        if finding.outcome is not Outcome.REFUTED or int(measured["nulls"]):
            return finding
        would: list[tuple[tuple[str, ...], str]] = []
        for part in self.what.parts:
            name = part.column.name
            for key, stated in part.limits:
                low = key in ("from", "at_least")
                value = measured[f"{'least' if low else 'most'}_{name}"]
                if text := _end(stated, value, low=low, zone=self.zone):
                    would.append(((name, key), text))
        return self.found(Outcome.REFUTED, finding.observed, finding.hint, self.key, would)


def _end(stated: Typed, value: object, *, low: bool, zone: str) -> str:
    """What an end of a range should have been, as precisely as it was; empty where nothing lies beyond it."""
    if isinstance(value, datetime):
        span = stated.span
        if span.start <= value if low else value < span.end:
            return ""
        return to_zone(value, zone).date().isoformat() if span.is_day else rfc3339(value)
    if isinstance(value, int) and isinstance(stated.value, int):
        return "" if (value >= stated.value if low else value <= stated.value) else str(value)
    return ""


@dataclass(frozen=True)
class NoRow(_Rows):
    """None of the claim's rows fulfils the condition."""

    key = "none"
    model: ClassVar[Any] = Conditions
    example = "none: {is_ca: true}"

    def contrary(self) -> exp.Expr | None:
        return exp.func("coalesce", self.what.expression.copy(), exp.true())

    def judge(self, measured: Mapping[str, Any]) -> Finding:
        n, hits, nulls = (int(measured[name]) for name in ("n", "hits", "nulls"))
        observed = f"{hits:,} of {n:,}"
        if hits:
            return self.found(Outcome.REFUTED, observed, f"{hits:,} row(s) do", "none")
        if nulls:
            return self.undecided(measured, observed)
        return self.found(Outcome.VERIFIED, observed)


@dataclass(frozen=True)
class Some(_Rows):
    """At least one of the claim's rows fulfils the condition."""

    key = "some"
    model: ClassVar[Any] = Conditions
    example = "some: {key_bits: {at_most: 1024}}"

    def judge(self, measured: Mapping[str, Any]) -> Finding:
        n, hits = int(measured["n"]), int(measured["hits"])
        observed = f"{hits:,} of {n:,}"
        if hits:
            return self.found(Outcome.VERIFIED, observed)
        if int(measured["nulls"]):
            return self.undecided(measured, observed)
        hint = "no row does" + zone_shift_words(self.what, measured, self.zones)
        return self.found(Outcome.REFUTED, observed, hint, "some")
