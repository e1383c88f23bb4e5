"""``share``."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from affidavit.check.base import Check, Context, Figures
from affidavit.check.bounds import Bound
from affidavit.check.conditions import ValueProblem
from affidavit.incident.fields import AmountField
from affidavit.types import Finding, Outcome

_PERCENT = re.compile(r"(\d{1,3})(?:\.(\d{1,6}))?\s*(?:%|per ?cent)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Percent:
    """A stated percentage: its value, and half of its last place, within which it is rounded."""

    value: Fraction
    half: Fraction
    text: str

    @classmethod
    def parse(cls, stated: str) -> "Percent":
        """From ``40 %`` or ``2.6 %``; ValueProblem for anything else."""
        match = _PERCENT.fullmatch(stated.strip())
        if match is None:
            raise ValueProblem(f"{stated!r} is no percentage", "write it as 40 % or 2.6 %")
        places = len(match[2] or "")
        value = Fraction(f"{match[1]}.{match[2] or 0}")
        if value > 100:
            raise ValueProblem(f"{stated!r} is more than the whole")
        return cls(value, Fraction(1, 2 * 10**places), f"{value.numerator / value.denominator:.{places}f} %")

    def holds(self, share: Fraction) -> bool:
        """Whether a share rounds to it; half of the last place rounds up. All is all, and none is none."""
        if self.value in (0, 100) or share in (0, 100):
            return share == self.value
        return self.value - self.half <= share < self.value + self.half

    def like(self, share: Fraction) -> str:
        """Another percentage, rounded to as many places as this one, or to more where it would be all or none."""
        places = len(str(1 / (2 * self.half))) - 1
        while 0 < share < 100 and int(share * 10**places + Fraction(1, 2)) in (0, 100 * 10**places) and places < 6:
            places += 1
        rounded = int(share * 10**places + Fraction(1, 2))
        whole, part = divmod(rounded, 10**places)
        return f"{whole}.{part:0{places}d} %" if places else f"{whole} %"


def _shown(share: Fraction) -> str:
    """A share for people, to as many places as tell it from all and from none."""
    texts = (f"{float(share):.{digits}g}" for digits in range(4, 18))
    return next((text for text in texts if share in (0, 100) or float(text) not in (0, 100)), str(float(share)))


@dataclass(frozen=True)
class Share(Check):
    """Which share the claim's rows are of all rows looked at before `where`: of the same collections and kind.

    A percentage holds if the share rounds to it at the place to which it is stated: 41.7 % is `42 %`, not `41 %`.
    `100 %` is all of them and `0 %` none: one of a thousand makes it 99.9 %.
    """

    as_named = True
    key = "share"
    model = AmountField
    example = "share: 2.6 %"
    about_size = True
    exact: Percent | None
    low: Percent | None
    high: Percent | None

    @classmethod
    def compile(cls, stated: Any, context: Context) -> "Share":
        if isinstance(stated, str):
            exact = Percent.parse(stated)
            return cls(exact, None, None, stated=exact.text, figures=Figures(texts=(exact.text,)))
        ends: dict[str, Percent | None] = {}
        for key in ("at_least", "at_most"):
            text = getattr(stated, key, None)
            try:
                ends[key] = Percent.parse(text) if text is not None else None
            except ValueProblem as problem:
                raise problem.below(key) from None
        low, high = ends["at_least"], ends["at_most"]
        if low is None and high is None:
            raise ValueProblem("write a percentage, or at_least / at_most")
        if low is not None and high is not None and low.value > high.value:
            raise ValueProblem(f"at_least {low.text} is more than at_most {high.text}")
        words = " and ".join(
            f"{name} {end.text}" for name, end in (("at least", low), ("at most", high)) if end is not None
        )
        bound = Bound(low.value if low else None, high.value if high else None, whole=False)
        return cls(None, low, high, stated=words, figures=Figures(shares=(bound,)))

    def judge(self, measured: Mapping[str, Any]) -> Finding:
        part, whole = int(measured["n"]), int(measured["considered"])
        if not whole:
            return self.found(Outcome.UNPROVEN, "0 of 0", "there is no whole to be a share of", "no-evidence")
        share = Fraction(100 * part, whole)
        observed = f"{part:,} of {whole:,}: {_shown(share)} %"
        if self.exact is not None:
            holds = self.exact.holds(share)
        else:
            holds = (self.low is None or share >= self.low.value) and (self.high is None or share <= self.high.value)
        if holds:
            return self.found(Outcome.VERIFIED, observed)
        named = self.exact or self.low or self.high
        assert named is not None
        off = float(share - named.value)
        hint = f"{abs(off):.4g} percentage points {'more' if off > 0 else 'less'} than stated"
        if part and part != whole and self.exact is not None:
            other = Fraction(100 * part, whole - part)
            if self.exact.holds(other):
                hint += f"; {self.exact.text} is their number over that of the others"
        would = [((), self.exact.like(share))] if self.exact is not None else []
        return self.found(Outcome.REFUTED, observed, hint, "share", would)
