"""What a claim states in machine form, held against figures in words."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from affidavit.check import numerals
from affidavit.check.base import Figures
from affidavit.check.bounds import AROUND, Bound, Says, TimeRange, bound_said, range_said, said_of
from affidavit.check.figures import COUNTED_THINGS, NUMBERS, Figure, is_figure, scan
from affidavit.check.hosts import host_fits, hosts_in
from affidavit.serials import clean_hex, parse_serial
from affidavit.times import WEEKDAYS, Span, day_span, parse_time, to_zone

#: What follows a number that counts things, and one that counts the digits of a serial number.
_COUNTED = re.compile(rf"[\s*_)\]]+(?:\w+\s+){{0,2}}(?:{COUNTED_THINGS})\b", re.IGNORECASE)
_DIGITS = re.compile(r"[\s-]*(?:hex(?:adecimal)?[\s-]+)?digits?\b", re.IGNORECASE)
_DIGITS_BEFORE = re.compile(r"\bdigits?\b", re.IGNORECASE)
_ENDS = re.compile(r"\s*\Z|[.,;]")
#: The unit of time that follows a number, at once or behind the other end of a range.
_TIME_UNIT = re.compile(
    rf"[\s\])*_]*(?:(?:to|and|or|through|\u2013|-)\s*(?:{numerals.DIGITS}|{numerals.WORDS}))?(?:[\s\])*_]+|-)"
    r"(?P<unit>(?:second|minute|hour|day|week|month|year)s?|[hs])\b",
    re.IGNORECASE,
)
#: The zone that follows a time of day.
_CLOCK_ZONE = re.compile(
    r"[\s(]*(?:(?:UTC|GMT)?\s?(?P<offset>[+-]\d{1,2})(?::?(?P<minutes>\d{2}))?(?!\w)|(?P<utc>UTC|GMT|Z)\b"
    r"|(?P<short>CES?T|BST|WES?T|EES?T|MSK|[ECMP][SD]T|JST|KST|HKT|SGT|IST|A[CEW][SD]T|NZ[SD]T|PKT|SAST)\b"
    r"|(?P<place>(?:[A-Z]\w+ )?(?:local )time|[A-Z]\w+ (?:standard |summer )?time)\b)"
)
#: A date right behind a weekday: it is that date's.
_BESIDE = re.compile(r",?\s+(?:the\s+)?(?P<rest>.*)", re.DOTALL)
_OPEN = re.compile(r"[*_`]")

Fits = Callable[[date], bool]
Length = tuple[Fraction, Fraction]
"""A length of time: seconds, and months by the calendar."""


class _Read(NamedTuple):
    """A number in words as it may be read, whatever claim it is held against.

    ``digits``: it may count the digits of a serial number; ``serial``: it may be one itself; ``half``: how far off a
    rounded one may be; ``year``: it may be a year.
    """

    values: tuple[Fraction, ...]
    digits: bool
    serial: int | None
    length: Length | None
    half: Fraction
    year: bool


@lru_cache(maxsize=4096)
def _read(text: str, value: Fraction, right: str) -> _Read:
    """Read a number by its own text and what stands behind it."""
    values = [value]
    if re.fullmatch(r"\d{1,3}\.\d{3}", text):  # a point may set thousands apart
        values.append(Fraction(text.replace(".", "")))
    unit = _TIME_UNIT.match(right)
    length = numerals.parse_length(f"{value.numerator} {unit['unit']}") if unit else None
    serial = int(text, 16) if text.isdigit() and len(text) >= 8 else None
    # "2015 certificates" is no year; "in 2015" is.
    year = text.isdigit() and 1950 <= value <= 2100 and not _COUNTED.match(right)
    return _Read(tuple(values), bool(_DIGITS.match(right)), serial, length or None, numerals.half_unit(text), year)


def plain_values(figure: Figure, text: str) -> tuple[Fraction, ...]:
    """The values of a number that counts no time: a claim with `numbers_alone` states it as one of them or not at all.

    Nothing for any other figure.
    """
    if figure.kind not in NUMBERS or not isinstance(figure.value, Fraction):
        return ()
    read = _read(figure.text, figure.value, text[figure.end : figure.end + AROUND])
    return read.values if read.length is None else ()


@dataclass(frozen=True)
class Stated:
    """The figures that a claim states in machine form, ready to be compared with those of a text."""

    numbers: frozenset[Fraction]
    bounds: tuple[Bound, ...]
    lengths: frozenset[Length]
    percents: frozenset[Fraction]
    unitless: frozenset[Fraction]
    days: frozenset[date]
    utc_days: frozenset[date]
    ranges: tuple[TimeRange, ...]
    instants: tuple[Span, ...]
    hexes: frozenset[str]
    serials: frozenset[int]
    digits: frozenset[int]
    words: frozenset[str]
    hosts: frozenset[str]
    zone: str
    shares: tuple[Bound, ...] = ()

    @classmethod
    def of(cls, figures: Figures, zone: str) -> "Stated":
        """From a claim's figures; ``zone`` is the claim's."""
        numbers = {Fraction(n) for n in figures.numbers}
        lengths = {(Fraction(n), Fraction(0)) for n in figures.lengths}
        percents: set[Fraction] = set()
        days: set[date] = set()
        utc_days: set[date] = set()
        hexes: set[str] = set()
        for span in figures.spans:
            days.add(to_zone(span.start, zone).date())
            utc_days.add(span.start.date())
        names = set(figures.names)
        for text in figures.texts:
            bare = clean_hex(text)
            if re.fullmatch(r"[0-9A-F]{8,}", bare):
                hexes.add(bare)
            if text in names and not is_figure(text):
                # A name in which digits are no figures; but a whole key or serial number in it is stated.
                hexes.update(str(f.value) for f in scan(text) if f.kind == "hex" and len(str(f.value)) >= 12)
                continue
            for figure in scan(text):
                match figure.value:
                    case Fraction() if figure.kind in NUMBERS:
                        numbers.add(figure.value)
                    case Fraction() if figure.kind == "percent":
                        percents.add(figure.value)
                    case (Fraction() as seconds, Fraction() as months):
                        lengths.add((seconds, months))
                    case date():
                        days.add(figure.value)
                    case (str() as year, int() as month, int() as day):
                        days.update(_real(int(year), month, day))
                if figure.kind == "hex":
                    hexes.add(str(figure.value))
        for one in figures.ranges:
            if (whole := _one_day(one, zone)) is not None:
                days.add(whole)
            if (whole := _one_day(one, "UTC")) is not None:
                utc_days.add(whole)
        named = tuple(span for one in figures.ranges for span in one.named)
        return cls(
            frozenset(numbers), figures.bounds, frozenset(lengths), frozenset(percents),
            frozenset(Fraction(n) for n in figures.unitless), frozenset(days), frozenset(utc_days), figures.ranges,
            (*figures.spans, *named), frozenset(hexes), frozenset(parse_serial(text) for text in hexes),
            frozenset(len(text) for text in hexes),
            frozenset(word.lower().replace("-", "") for text in figures.texts for word in text.split()),
            frozenset(host for text in figures.texts for host in hosts_in(text, patterns=True)), zone,
            figures.shares,
        )  # fmt: skip

    @property
    def numbers_alone(self) -> bool:
        """Whether it states numbers and nothing else that a number may stand for, such as a bound or a year."""
        others = self.bounds, self.days, self.utc_days, self.ranges, self.instants, self.serials, self.digits
        return not any(others)

    def covers(self, figure: Figure, text: str, before: str = "", after: str = "") -> bool:
        """Whether the claim states a figure of a text that stands between two others.

        Days in UTC count where the text says UTC. The end of a range is covered where the words carry the bound.
        """
        left = _OPEN.sub("", text[max(0, figure.start - AROUND) : figure.start])
        if figure.start < AROUND:
            left = _OPEN.sub("", before[-AROUND:]) + left
        right = text[figure.end : figure.end + AROUND]
        if len(text) - figure.end < AROUND:
            right += after[: AROUND - len(right)]
        near = text if len(text) < 4 * AROUND else left + figure.text + right
        zones = (self.zone, "UTC") if "UTC" in near else (self.zone,)
        says = said_of(left, right)
        value = figure.value
        match figure.kind:
            case "number" | "one" | "word":
                if value in self.digits and _ENDS.match(right) and _DIGITS_BEFORE.search(left):
                    return True
                return self._number(figure, says, right, zones)
            case "percent":
                assert isinstance(value, Fraction)
                if not _strict(says) and value in self.percents | self.unitless:
                    return True
                return any(bound_said(bound, value, says) for bound in self.shares)
            case "length":
                assert isinstance(value, tuple)
                return self._length(value, says)
            case "algorithm":
                return self._algorithm(str(value))
            case "host":
                return any(host_fits(str(value), one) for one in self.hosts)
            case "hex":
                return str(value) in self.hexes or int(str(value), 16) in self.serials
            case "weekday":
                beside = _BESIDE.match(right)
                date_ = next(iter(scan(beside["rest"])), None) if beside else None
                if date_ is not None and date_.start == 0 and (day := _whole_day(date_)) is not None:
                    return WEEKDAYS[day.weekday()] == value and self._weekday(str(value), near, zones)
                return self._weekday(str(value), near, zones)
            case "ordinal":
                assert isinstance(value, int)
                return Fraction(value) in self.numbers or self._day(lambda d: d.day == value, says, zones)
            case "iso":
                return self._day(lambda d: d == value, says, zones)
            case "dmy" | "mdy":
                assert isinstance(value, tuple)
                return self._day(_like(*value), says, zones)
            case "my" | "month":
                assert isinstance(value, tuple)
                return any(self._month(year, value[1], says, zones) for year in self._years(value[0]))
            case "instant":
                return self._instant(str(value), says)
            case "clock":
                return any(
                    str(value) in (f"{moment:%H:%M}", f"{moment:%H:%M:%S}")
                    for span in self.instants
                    if not span.is_day
                    for moment in self._clocks(span, right)
                )
            case _:
                return False

    def _number(self, figure: Figure, says: Says, right: str, zones: tuple[str, ...]) -> bool:
        value = figure.value
        if not isinstance(value, Fraction):  # too long to be one
            return False
        read = _read(figure.text, value, right)
        if read.digits and value in self.digits:
            return True
        if read.serial is not None and read.serial in self.serials:
            return True
        if read.length is not None:
            return value.denominator == 1 and self._length(read.length, says)
        if not _strict(says) and any(one in self.numbers or one in self.unitless for one in read.values):
            return True
        if any(bound_said(bound, one, says) for bound in self.bounds if not bound.unit for one in read.values):
            return True
        if read.half and self.bounds and self._rounded(value, read.half):
            return True
        return read.year and self._month(int(value), None, says, zones)

    def _rounded(self, value: Fraction, half: Fraction) -> bool:
        """Whether all that the claim allows rounds to a number in scaled form."""
        return any(
            bound.low is not None and bound.high is not None and not bound.unit
            and value - half <= bound.low and bound.high < value + half
            for bound in self.bounds
        )  # fmt: skip

    def _length(self, value: Length, says: Says) -> bool:
        seconds, months = value
        if value in self.lengths:
            return True
        if months:
            return False
        if any(seconds == number * unit for number in self.unitless for unit in (1, 60, 3600, 86400)):
            return True
        return any(bound_said(bound, seconds / bound.unit, says) for bound in self.bounds if bound.unit)

    def _algorithm(self, name: str) -> bool:
        if name.startswith("RSA"):
            bits = re.sub(r"\D", "", name)
            return "rsa" in self.words and (Fraction(bits) in self.numbers or bits in self.words)
        if name.startswith("P-"):
            bits = name[2:]
            return f"p{bits}" in self.words or ("ec" in self.words and Fraction(bits) in self.numbers)
        hashed = name.lower().replace("-", "")
        ends = (f"with{hashed}", f"with_{hashed}")
        return any(w == hashed or w.startswith(f"{hashed}with") or w.endswith(ends) for w in self.words)

    def _day(self, fits: Fits, says: Says, zones: tuple[str, ...]) -> bool:
        """Whether a day is stated: exactly; or as the end of a range, in words that do not put it on that day."""
        if any(fits(d) for d in (self.days | self.utc_days if "UTC" in zones else self.days)):
            return True
        for zone in zones:
            for one in self.ranges:
                for span in one.named:
                    local = to_zone(span.start, zone).date()
                    if fits(local) and says in (Says.NOTHING, Says.FROM | Says.UNTIL):
                        return True
                    for day in _around(local):
                        if fits(day) and self._end(one, day, says, zone):
                            return True
        return False

    def _end(self, one: TimeRange, day: date, says: Says, zone: str) -> bool:
        """Whether words such as "from" and a day name an end of a range."""
        try:
            whole = day_span(day, zone)
        except ValueError:
            return False
        if range_said(one, whole.start, whole.end, says):
            return True
        # An end that is an instant lies within the day that the words name.
        first = Says.FROM in says and one.start is not None and whole.start < one.start < whole.end
        last = Says.UNTIL in says and one.last is not None and whole.start <= one.last < whole.end - timedelta(0, 0, 1)
        return first or last

    def _years(self, stated: str | None) -> set[int]:
        """The year of a month; where none is written, those of all that is stated."""
        if stated is not None:
            return {int(stated)}
        ends = [span.local_day for one in self.ranges for span in one.named]
        return {day.year for day in (*self.days, *self.utc_days, *ends)}

    def _month(self, year: int, month: int | None, says: Says, zones: tuple[str, ...]) -> bool:
        """Whether a month (or with None a year) is stated: all that is stated lies in it, or it ends a range there."""
        days = self.days | self.utc_days if "UTC" in zones else self.days
        if any(d.year == year and month in (None, d.month) for d in days):
            return True
        first = date(year, month or 1, 1)
        following = date(year + (month in (None, 12)), 1 if month in (None, 12) else (month or 0) + 1, 1)
        for zone in zones:
            try:
                start, end = day_span(first, zone).start, day_span(following, zone).start
            except ValueError:
                continue
            for one in self.ranges:
                said = range_said(one, start, end, says)
                inside = one.start is not None and one.end is not None and start <= one.start and one.end <= end
                if said or (said is None and inside):
                    return True
        return False

    def _weekday(self, name: str, near: str, zones: tuple[str, ...]) -> bool:
        """Whether a weekday is that of a stated day; of a range's end only beside that end's own date."""
        exact = {WEEKDAYS[day.weekday()] for day in (self.days | self.utc_days if "UTC" in zones else self.days)}
        if name in exact:
            return True
        dates = [figure for figure in scan(near) if figure.kind in ("iso", "dmy", "mdy")]
        for zone in zones:
            for one in self.ranges:
                for span in one.named:
                    for day in _around(to_zone(span.start, zone).date()):
                        if WEEKDAYS[day.weekday()] == name and any(_is_day(figure, day) for figure in dates):
                            return True
        return False

    def _clocks(self, span: Span, rest: str) -> tuple[datetime, ...]:
        """The times of day that a stated instant may be given by: where a zone follows, that of the zone alone."""
        local = to_zone(span.start, self.zone)
        match = _CLOCK_ZONE.match(rest)
        if match is None:
            return (span.start, local)
        if offset := match["offset"]:
            ahead = timedelta(hours=int(offset[1:3].rstrip(":")), minutes=int(match["minutes"] or 0))
            return (span.start - ahead if offset[0] == "-" else span.start + ahead,)
        if match["utc"]:
            return (span.start,)
        name = local.tzname() or ""
        ours = self.zone != "UTC" and (match["place"] or not name.isalpha() or name == match["short"])
        return (local,) if ours else ()

    def _instant(self, text: str, says: Says) -> bool:
        """Whether an instant is stated: exactly; or as the end of a range, in words that make it no other end."""
        try:
            span = parse_time(text.replace("  ", " "), self.zone)
        except ValueError:
            return False
        ends = {end for one in self.ranges for end in one.named}
        if any(_meet(span, other) for other in self.instants if other not in ends):
            return True
        if not any(_meet(span, end) for end in ends):
            return False
        begins, ended = Says.FROM | Says.ABOVE, Says.UNTIL | Says.BELOW
        if not says & (begins | ended):
            return True
        return any(
            (says & begins and one.start is not None and span.start <= one.start <= span.end)
            or (says & ended and one.end is not None and span.start <= one.end <= span.end)
            for one in self.ranges
        )

    def at(self, span: Span) -> bool:
        """Whether something is stated of a time: exactly, or as the end of a range."""
        if span.is_day:
            ends = {to_zone(end.start, self.zone).date() for one in self.ranges for end in one.named}
            return span.local_day in self.days | ends
        # A day that is stated bears out no time of day.
        return any(_meet(span, other) for other in self.instants if not other.is_day)


def _strict(says: Says) -> bool:
    """Whether words say that a figure itself is not meant: more than it, fewer than it."""
    return bool(says & (Says.ABOVE | Says.BELOW)) and not says & (Says.FROM | Says.UNTIL)


def _meet(one: Span, other: Span) -> bool:
    return other.start <= one.start < other.end or one.start <= other.start < one.end


def _around(day: date) -> list[date]:
    middle = day.toordinal()
    return [date.fromordinal(n) for n in range(middle - 1, middle + 2) if 0 < n <= date.max.toordinal()]


def _one_day(span: TimeRange, zone: str) -> date | None:
    """The day of a zone that a range lies within, if it lies within one."""
    if span.start is None or span.last is None:
        return None
    day = to_zone(span.start, zone).date()
    return day if to_zone(span.last, zone).date() == day else None


def _real(year: int, month: int, day: int) -> list[date]:
    try:
        return [date(year, month, day)]
    except ValueError:
        return []


def _like(year: str | None, month: int, day: int) -> Fits:
    return lambda d: (d.month, d.day) == (month, day) and (not year or d.year == int(year))


def _whole_day(figure: Figure) -> date | None:
    """The day of a date with its year."""
    if isinstance(figure.value, tuple) and figure.kind in ("dmy", "mdy") and figure.value[0]:
        return next(iter(_real(int(figure.value[0]), figure.value[1], figure.value[2])), None)
    return figure.value if isinstance(figure.value, date) else None


def _is_day(figure: Figure, day: date) -> bool:
    if isinstance(figure.value, tuple):
        return _like(*figure.value)(day)
    return figure.value == day
