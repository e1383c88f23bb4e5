"""What a claim states in machine form and its sentence does not say, though it gives figures of that sort.

A sentence's figures must all be stated; the other way round a slip would hide behind a figure that the claim states
in another place: "seven names, two of them odd" still has only stated figures where the claim says 8 and 2 and 7.
"""

from fractions import Fraction

from affidavit.check.base import Figures
from affidavit.check.compile import CompiledClaim
from affidavit.check.figures import NUMBERS, Figure
from affidavit.check.stated import Stated
from affidavit.times import Span

_DATES = frozenset(("iso", "dmy", "mdy", "my", "instant"))
_COUNTS = NUMBERS | {"ordinal"}


def unsaid(claim: CompiledClaim, text: str, figures: list[Figure]) -> list[str]:
    """The numbers and times of a claim's assertions that its sentence, with those figures in it, does not say.

    A one need not be said: "the certificate" is one.
    """
    found: list[str] = []
    said = {figure.value for figure in figures if figure.kind in _COUNTS}
    if said:
        numbers = {Fraction(n) for check in claim.checks for n in check.figures.numbers}
        found += [f"{int(n):,}" for n in sorted(numbers - said - {Fraction(1)})]
    dates = [figure for figure in figures if figure.kind in _DATES]
    if dates:
        spans: dict[Span, None] = {}
        for check in claim.checks:
            ends = [end for one in check.figures.ranges for end in one.named]
            spans |= dict.fromkeys([*check.figures.spans, *ends])
        for span in spans:
            alone = Stated.of(Figures(spans=(span,)), claim.zone)
            if not any(alone.covers(figure, text) for figure in dates):
                found.append(span.text)
    return found
