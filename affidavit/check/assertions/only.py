"""``only``."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from affidavit.check.base import Check, Context, Figures
from affidavit.check.conditions import ValueProblem, real_weekday
from affidavit.incident.fields import KeywordModel, Text
from affidavit.times import Span, parse_time, to_zone
from affidavit.types import Declaration, Finding, Outcome


class Window(KeywordModel):
    """A window of days or instants, both ends included."""

    from_: Text
    """First day (or instant) of the window."""
    until: Text
    """Last day (or instant) of the window."""


def window_spans(window: Window, zone: str) -> tuple[Span, Span]:
    """Both ends of a window; ValueProblem leads to the end that does not fit."""
    ends = []
    for key, text in (("from", window.from_), ("until", window.until)):
        try:
            ends.append(real_weekday(parse_time(text, zone)))
        except ValueProblem as problem:
            raise problem.below(key) from None
        except ValueError as error:
            raise ValueProblem(str(error), path=(key,)) from None
    if ends[0].start >= ends[1].end:
        raise ValueProblem(f"the window ends ({window.until}) before it begins ({window.from_})", path=("until",))
    return ends[0], ends[1]


def uncovered(
    start: datetime, end: datetime, declared: list[tuple[datetime, datetime]]
) -> list[tuple[datetime, datetime]]:
    """The parts of ``[start, end)`` outside every declared window."""
    gaps, at = [], start
    for low, high in sorted(declared):
        if low > at:
            gaps.append((at, min(low, end)))
        at = max(at, high)
        if at >= end:
            break
    if at < end:
        gaps.append((at, end))
    return [(a, b) for a, b in gaps if a < b]


def days_words(start: datetime, end: datetime, zone: str) -> str:
    """A span of time as days of a zone, both ends included."""
    first = to_zone(start, zone).date()
    last = to_zone(end - timedelta(microseconds=1), zone).date()
    return first.isoformat() if first == last else f"{first.isoformat()} to {last.isoformat()}"


@dataclass(frozen=True)
class Only(Check):
    """Nothing else exists in a window: these are all.

    Certificates at hand cannot show that. It needs every collection of the claim to be declared
    `complete` over the whole window; the report shows whose word that is. Where the window reaches
    past the declaration the claim is unproven, and the days that nobody looked at are named.
    """

    key = "only"
    model = Window
    example = "only: {from: 2016-01-01, until: 2016-06-28}"
    about_size = True
    start: Span
    end: Span
    over: tuple[str, ...]
    declarations: tuple[tuple[Declaration, datetime, datetime], ...]
    zone: str

    @classmethod
    def compile(cls, stated: Any, context: Context) -> "Only":
        start, end = window_spans(stated, context.zone)
        declared = []
        for name in context.over:
            if one := context.declarations.get(name):
                first, last = (parse_time(text, context.report_zone) for text in (one.start, one.end))
                declared.append((one, first.start, last.end))
        figures = Figures(texts=(start.text, end.text), spans=(start, end), events=(start, end))
        words = f"nothing else exists from {start.text} until {end.text}"
        return cls(start, end, context.over, tuple(declared), context.zone, stated=words, figures=figures)

    def judge(self, measured: Mapping[str, Any]) -> Finding:
        missing = [name for name in self.over if name not in {d.collection for d, _, _ in self.declarations}]
        if missing:
            return self.found(
                Outcome.UNPROVEN,
                "not declared complete: " + ", ".join(missing),
                "certificates at hand cannot show that no others exist; declare `complete` if there are grounds",
                "not-complete",
            )
        gaps: list[tuple[datetime, datetime]] = []
        for _, first, last in self.declarations:
            gaps += uncovered(self.start.start, self.end.end, [(first, last)])
        windows = ", ".join(sorted({f"{d.start} until {d.end}" for d, _, _ in self.declarations}))
        observed = f"declared complete from {windows}"
        if gaps:
            days = ", ".join(sorted({days_words(a, b, self.zone) for a, b in gaps}))
            return self.found(Outcome.UNPROVEN, observed, f"nobody looked at {days}", "window-not-covered")
        return self.found(Outcome.VERIFIED, observed)
