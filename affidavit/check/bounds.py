"""Bounds that a claim states (at most 500; from one day until another), and the words that carry them.

Words must not say more than the claim: where it states `at_most: 500`, "500 certificates" says too much, and "at
most 500", "up to 500" or "fewer than 501" are right.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Flag, auto
from fractions import Fraction
from functools import cache
from operator import attrgetter

from affidavit.check.seen import Seen
from affidavit.times import Span, show_duration


@dataclass(frozen=True, slots=True)
class Bound:
    """A range of numbers, either end open to infinity; ``above`` and ``below`` say that an end itself is not in it.

    ``unit``: seconds that one is worth where it measures time, else 0. ``whole``: only whole numbers occur.
    """

    low: int | Fraction | None
    high: int | Fraction | None
    above: bool = False
    below: bool = False
    unit: int = 0
    whole: bool = True

    @property
    def words(self) -> str:
        """As people say it."""
        parts = []
        if self.low is not None:
            parts.append(f"{'more than' if self.above else 'at least'} {self.low:,}")
        if self.high is not None:
            parts.append(f"{'less than' if self.below else 'at most'} {self.high:,}")
        return " and ".join(parts)

    @property
    def percent(self) -> str:
        """The same of percentages."""
        ends = (("at least", self.low), ("at most", self.high))
        return " and ".join(f"{words} {float(end):g} %" for words, end in ends if end is not None)

    @property
    def shown(self) -> str:
        """The same where it measures time."""
        ends = [show_duration(float(end * self.unit)) if end is not None else "" for end in (self.low, self.high)]
        parts = [f"{'more than' if self.above else 'at least'} {ends[0]}"] if ends[0] else []
        parts += [f"{'less than' if self.below else 'at most'} {ends[1]}"] if ends[1] else []
        return " and ".join(parts)

    @property
    def ends(self) -> tuple[int | Fraction, ...]:
        """The numbers that end it."""
        return tuple(end for end in (self.low, self.high) if end is not None)


@dataclass(frozen=True, slots=True)
class TimeRange:
    """A range of time, from ``start`` up to, not including, ``end`` (naive UTC).

    ``named``: the times as they were stated.
    """

    start: datetime | None
    end: datetime | None
    named: tuple[Span, ...]

    @property
    def shown(self) -> str:
        """As it was stated."""
        return " to ".join(span.text for span in self.named)

    @property
    def last(self) -> datetime | None:
        """The last moment in it."""
        return None if self.end is None else self.end - timedelta(microseconds=1)


def number_bound(limits: Mapping[str, int], unit: int = 0, *, whole: bool = True) -> Bound:
    """The bound that some of from, until, after, before, at_least and at_most set."""
    low = next(((limits[k], k == "after") for k in ("from", "at_least", "after") if k in limits), (None, False))
    high = next(((limits[k], k == "before") for k in ("until", "at_most", "before") if k in limits), (None, False))
    return Bound(low[0], high[0], low[1], high[1], unit, whole)


def time_range(limits: Mapping[str, Span]) -> TimeRange:
    """The range of time that some of from, until, after and before set, read as conditions.py does."""
    start = end = None
    if "from" in limits:
        start = limits["from"].start
    elif "after" in limits:
        start = limits["after"].end if limits["after"].is_day else limits["after"].start
    if "until" in limits:
        end = limits["until"].end
    elif "before" in limits:
        end = limits["before"].start
    return TimeRange(start, end, tuple(limits.values()))


class Says(Flag):
    """What the words around a figure make of it: an end of a range, included or not."""

    NOTHING = 0
    FROM = auto()
    ABOVE = auto()
    UNTIL = auto()
    BELOW = auto()
    ON = auto()
    """It is put on that day itself."""


_FILLER = (
    r"(?:(?:the|all|an?|total|of|days?|each|day|end|monday|tuesday|wednesday|thursday|friday|saturday|sunday)[\s,]+"
    r"|[*_\"'(\[\u201c\u2018])*\Z"
)
_BEFORE = {
    Says.FROM: r"at least|no fewer than|not fewer than|no less than|not less than|a? ?minimum of|from|since|starting|"
    r"(?:begins?|starts?|began|started)(?: at| on)?|"
    r"beginning|on or after|not before|as of",
    Says.ABOVE: r"more than|greater than|in excess of|exceed(?:s|ed|ing)?|longer than|(?<!on or )(?<!not )after|"
    r"later than(?<!no later than)(?<!not later than)|over|above",
    Says.UNTIL: r"at most|up to|no more than|not more than|no longer than|not longer than|no later than|"
    r"not later than|not after|a? ?maximum of|within|until|till|through|to|by|on or before|as many as|"
    r"before midnight of|before the end of|(?:ends?|ended|expires?|expired) (?:at|on)",
    Says.BELOW: r"fewer than(?<!no fewer than)(?<!not fewer than)|less than(?<!no less than)(?<!not less than)|"
    r"shorter than|(?<!on or )(?<!not )before|earlier than|prior to|under|below|nearly|almost|not quite|close to",
    Says.ON: r"(?<!or )on|dated",
}
_NEGATED = {
    Says.ABOVE: r"(?:no|not) (?:more|greater|longer|later) than|(?:not|on or) after",
    Says.BELOW: r"(?:no|not) (?:fewer|less|shorter|earlier) than|(?:not|on or) before|before midnight of|"
    r"before the end of",
}
_AFTER = {
    Says.FROM: r"(?:or|and) (?:more|later|longer)|onwards?|on\b(?! (?:the|a)\b)|at (?:the (?:very )?)?least|minimum|"
    r"upwards",
    Says.UNTIL: r"or (?:fewer|less|earlier|shorter|sooner)|at (?:the (?:very )?)?most|maximum",
}
_UNIT_BETWEEN = (
    r"[\s,)\]*_]*(?:%|(?:days?|hours?|h|months?|years?|weeks?|minutes?|s|utc|certificates?|octets|bits?|bytes"
    r"|per ?cent)\b)?[\s,)\]*_]*"
)
#: "Three certificates under one serial number" bounds nothing.
_SHARED = r"[\s*_]*(?:\w+ )?(?:serial|key|name|issuer|root|intermediate|ca)s?\b"
_JOINS = r"(?P<how>to|through|until|till|\u2013|-|and|or)"
AROUND = 80
"""Characters looked at before and after a figure."""


def said_of(before: str, after: str) -> Says:
    """What the words before and after a figure say of it; remembered, for a figure is held against every claim."""
    left, right = before[-AROUND:], after[:AROUND]
    return SAID(f"{len(left)}:{left}{right}")


@cache
def _pattern(text: str) -> re.Pattern[str]:
    """A pattern, compiled when it is first needed: where every figure's surroundings are known, none is."""
    return re.compile(text, re.IGNORECASE)


def _around(text: str) -> Says:
    """What is said by what stands around a figure: the length of what is before it, a colon, and both texts."""
    length, _, both = text.partition(":")
    before, after = (re.sub(r"\s+", " ", part) for part in (both[: int(length)], both[int(length) :]))

    def comes_before(words: str) -> bool:
        return _pattern(rf"\b(?:{words})\s+{_FILLER}").search(before) is not None

    found = Says.NOTHING
    for says, words in _BEFORE.items():
        if comes_before(words) and not (says in _NEGATED and comes_before(_NEGATED[says])):
            found |= says
    if comes_before("under") and _pattern(_SHARED).match(after):
        found &= ~Says.BELOW
    for says, words in _AFTER.items():
        if _pattern(rf"{_UNIT_BETWEEN}(?:{words})").match(after):
            found |= says
    between = _pattern(r"\bbetween\b[^.;]{0,60}\Z").search(before)
    joins = _pattern(rf"{_UNIT_BETWEEN}{_JOINS}(?![\w])\s*").match(after)
    follows = joins and re.match(r"\d|[A-Za-z]{3,9} \d|\[", after[joins.end() :])
    if joins and follows and (joins["how"].lower() not in ("and", "or") or between):
        found |= Says.FROM
    joined = _pattern(rf"\d(?:[\d,.:TZ-]*\d)?Z?{_UNIT_BETWEEN}{_JOINS}\s*{_FILLER}").search(before)
    if joined and (joined["how"].lower() not in ("and", "or") or between):
        found |= Says.UNTIL
    return found


SAID: Seen[Says] = Seen(_around, attrgetter("value"), Says)
"""What is said around the figures that have been met."""


def bound_said(bound: Bound, value: Fraction, says: Says) -> bool:
    """Whether a number said in such words is an end of the range; ``value`` in the bound's own unit."""
    step = 1 if bound.whole else None
    if bound.low is not None:
        if Says.ABOVE in says and (value == bound.low if bound.above else step and value == bound.low - step):
            return True
        if Says.FROM in says and (value == bound.low if not bound.above else step and value == bound.low + step):
            return True
    if bound.high is not None:
        if Says.BELOW in says and (value == bound.high if bound.below else step and value == bound.high + step):
            return True
        if Says.UNTIL in says and (value == bound.high if not bound.below else step and value == bound.high - step):
            return True
    return False


def range_said(span: TimeRange, start: datetime, end: datetime, says: Says) -> bool | None:
    """Whether a day, month or year [start, end) said in such words is an end of the range; None if they say nothing."""
    ends = {
        Says.FROM: (span.start, start), Says.ABOVE: (span.start, end),
        Says.UNTIL: (span.end, end), Says.BELOW: (span.end, start),
    }  # fmt: skip
    asked = [pair for way, pair in ends.items() if way in says]
    if not asked:
        return None
    return any(mine is not None and mine == theirs for mine, theirs in asked)
