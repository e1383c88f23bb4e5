"""``gap``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from affidavit.check.base import Check, Context, Figures, count_where, is_null
from affidavit.check.bounds import Bound
from affidavit.check.conditions import ValueProblem, find_column
from affidavit.incident.fields import KeywordModel, Text
from affidavit.tables import Kind
from affidavit.times import parse_duration, show_duration
from affidavit.types import Finding, Outcome


class GapModel(KeywordModel):
    """From one time column to another, and how long that is."""

    from_: Text
    """Column of the earlier time, for instance `not_before`."""
    to: Text
    """Column of the later time, for instance `earliest_sct`."""
    at_least: Text | None = None
    """A duration: `15 days`, `24 hours`, `15 days 4 hours`; a negative gap is less than any."""
    at_most: Text | None = None
    """A duration."""


@dataclass(frozen=True)
class Gap(Check):
    """The time from one column to another, row by row: computed, shown, and held against bounds.

    Where the second time comes before the first, `at_most` alone leaves the claim unproven: "within a day
    after" is not said of what came earlier.
    """

    key = "gap"
    model = GapModel
    example = "gap: {from: not_before, to: earliest_sct, at_least: 15 days}"
    first: str
    second: str
    low: int | None
    high: int | None

    @classmethod
    def compile(cls, stated: Any, context: Context) -> "Gap":
        for key, name in (("from", stated.from_), ("to", stated.to)):
            try:
                if find_column(context.table, name).kind is not Kind.TIME:
                    raise ValueProblem(f"{name} is not a time")
            except ValueProblem as problem:
                raise problem.below(key) from None
        bounds = {}
        for key in ("at_least", "at_most"):
            text = getattr(stated, key)
            try:
                bounds[key] = parse_duration(text) if text is not None else None
            except ValueError as error:
                raise ValueProblem(str(error), path=(key,)) from None
        low, high = bounds["at_least"], bounds["at_most"]
        if low is None and high is None:
            raise ValueProblem("state at_least, at_most or both")
        if low is not None and high is not None and low > high:
            raise ValueProblem("at_least is more than at_most")
        parts = [f"{key.replace('_', ' ')} {getattr(stated, key)}" for key in bounds if getattr(stated, key)]
        exact = low is not None and low == high
        ends = () if exact else (Bound(low, high, unit=1, whole=False),)
        figures = Figures(bounds=ends, lengths=frozenset({low} if exact and low is not None else ()))
        return cls(
            stated.from_, stated.to, low, high,
            stated=f"{stated.from_} to {stated.to} {' and '.join(parts)}", figures=figures,
        )  # fmt: skip

    def _microseconds(self) -> exp.Expr:
        return exp.DateDiff(
            this=exp.column(self.second), expression=exp.column(self.first), unit=exp.Var(this="MICROSECOND")
        )

    def _outside(self) -> exp.Expr:
        tests: list[exp.Expr] = []
        if self.low is not None:
            tests.append(exp.LT(this=self._microseconds(), expression=exp.Literal.number(self.low * 1_000_000)))
        if self.high is not None:
            tests.append(exp.GT(this=self._microseconds(), expression=exp.Literal.number(self.high * 1_000_000)))
        return exp.or_(*tests)

    def measures(self) -> dict[str, exp.Expr]:
        return {
            "outside": count_where(self._outside()),
            "nulls": count_where(is_null(self._microseconds())),
            "backward": count_where(exp.LT(this=self._microseconds(), expression=exp.Literal.number(0))),
            "least": exp.Min(this=self._microseconds()),
            "most": exp.Max(this=self._microseconds()),
        }

    def contrary(self) -> exp.Expr | None:
        return exp.func("coalesce", exp.Paren(this=self._outside()), exp.true())

    def judge(self, measured: Mapping[str, Any]) -> Finding:
        least, most = measured["least"], measured["most"]
        if least is None or most is None or measured["nulls"]:
            hint = f"{int(measured['nulls']):,} row(s) lack one of the two times"
            return self.found(Outcome.UNPROVEN, "not computable for every row", hint, "null-values")
        shortest, longest = show_duration(least / 1_000_000), show_duration(most / 1_000_000)
        observed = shortest if shortest == longest else f"{shortest} to {longest}"
        if measured["outside"]:
            hint = f"{int(measured['outside']):,} row(s) lie outside"
            if self.low is not None and least < self.low * 1_000_000:
                hint += f"; the shortest is {show_duration(self.low - least / 1_000_000)} less than stated"
            if self.high is not None and most > self.high * 1_000_000:
                hint += f"; the longest is {show_duration(most / 1_000_000 - self.high)} more than stated"
            return self.found(Outcome.REFUTED, observed, hint, "gap")
        if measured["backward"]:
            hint = (
                f"in {int(measured['backward']):,} row(s) {self.second} comes before {self.first}; state which comes "
                "first by the order of `from` and `to`"
            )
            return self.found(Outcome.UNPROVEN, observed, hint, "backward-gap")
        return self.found(Outcome.VERIFIED, observed)
