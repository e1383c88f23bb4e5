"""Stated times and durations: parsed from text, never from the clock.

An instant carries ``Z`` or an offset; a bare day is a day in a named zone. Every time is kept as a
half-open span ``[start, end)`` of naive UTC datetimes, as wide as it was stated: a day, a minute, a second.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_DAY_FIRST = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})")
_DAY = re.compile(r"(?:(?P<weekday>[A-Za-z]{3,9}),?\s+)?(?P<day>\d{4}-\d{2}-\d{2})")
_INSTANT = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})[T ](?P<hm>\d{2}:\d{2})(?P<s>:\d{2})?(?P<f>\.\d{1,6})?"
    r"\s*(?P<zone>Z|UTC|[+-]\d{2}:?\d{2})?"
)
_DURATION_PART = re.compile(r"(\d{1,3}(?:,\d{3})+|\d+)\s*(seconds?|s|minutes?|min|hours?|h|days?|d|weeks?)\b")
_END = datetime(9999, 12, 31, 23, 59, 59, 999_999)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


@dataclass(frozen=True, slots=True)
class Span:
    """A stated time: from ``start`` up to, not including, ``end`` (naive UTC), as precise as it was written."""

    start: datetime
    end: datetime
    text: str
    precision: str
    zone: str
    weekday: str = ""

    @property
    def is_day(self) -> bool:
        """Whether a whole day was stated."""
        return self.precision == "day"

    @property
    def local_day(self) -> date:
        """The day on which it begins, in the zone in which it was stated."""
        return to_zone(self.start, self.zone).date()


@cache
def _usual_names() -> frozenset[str]:
    """The names that the library `tzdata` lists: to read them is quicker than to look for all that the system has."""
    from importlib.resources import files

    try:
        return frozenset((files("tzdata") / "zones").read_text("ascii").split())
    except (ModuleNotFoundError, OSError, ValueError):
        return frozenset()


@cache
def _zone_names() -> frozenset[str]:
    return frozenset(available_timezones())


@cache
def zone(name: str) -> tzinfo:
    """The time zone of an IANA name; ValueError names the nearest where there is none."""
    from affidavit.types import did_you_mean

    if name == "UTC":
        return UTC
    if name not in _usual_names() and name not in _zone_names():
        hint = did_you_mean(name, _zone_names())
        if re.fullmatch("[A-Z]{2,5}", name):  # CST, IST, BST: there is more than one of each
            hint = "several places share such letters: name a place, as Asia/Shanghai does"
        raise ValueError(f"no time zone is called {name!r}" + (f"; {hint}" if hint else ""))
    return ZoneInfo(name)


def to_zone(moment: datetime, name: str) -> datetime:
    """A naive UTC time as an aware one in a zone; at the calendar's ends the UTC time itself."""
    aware = moment.replace(tzinfo=UTC)
    try:
        return aware.astimezone(zone(name))
    except OverflowError:
        return aware


def _utc(local: datetime, tz: tzinfo) -> datetime:
    return local.replace(tzinfo=tz).astimezone(UTC).replace(tzinfo=None)


def _later(start: datetime, width: timedelta) -> datetime:
    """A span's end, at most the calendar's: 9999-12-31T23:59:59Z has to be stated (RFC 5280 4.1.2.5)."""
    return _END if start > _END - width else start + width


def _real_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"there is no day {text} in the calendar") from None


def day_span(day: date, zone_name: str, text: str = "", weekday: str = "") -> Span:
    """The span of a calendar day in a zone."""
    tz = zone(zone_name)
    try:
        start = _utc(datetime(day.year, day.month, day.day), tz)
    except OverflowError:
        raise ValueError(f"the day {day} lies at the end of the calendar") from None
    try:
        following = day + timedelta(days=1)
        end = _utc(datetime(following.year, following.month, following.day), tz)
    except OverflowError:
        end = _later(start, timedelta(days=1))
    if end <= start:
        raise ValueError(f"there was no day {day} in {zone_name}: its clocks passed over it")
    return Span(start, end, text or day.isoformat(), "day", zone_name, weekday)


def parse_time(text: str, zone_name: str) -> Span:
    """A stated day or instant; ValueError tells people what is wrong with it.

    Days: ``2015-12-20`` or ``Sunday 2015-12-20``, in the zone given. Instants:
    ``2016-01-04T12:00Z``, ``2016-01-04 12:00:30 UTC``, ``2016-01-04T20:00+08:00``.
    """
    text = text.strip()
    if match := _DAY.fullmatch(text):
        weekday = ""
        if match["weekday"]:
            weekday = next((w for w in WEEKDAYS if w.lower().startswith(match["weekday"].lower())), "")
            if not weekday:
                raise ValueError(f"{match['weekday']!r} is no day of the week")
        return day_span(_real_day(match["day"]), zone_name, text, weekday)
    if match := _INSTANT.fullmatch(text):
        _real_day(match["day"])
        if not match["zone"]:
            raise ValueError(f"{text!r} has a time of day but no zone; write Z or an offset such as +08:00")
        if match["zone"] in ("Z", "UTC"):
            offset: tzinfo = UTC
        else:
            digits = match["zone"].replace(":", "")
            delta = timedelta(hours=int(digits[1:3]), minutes=int(digits[3:5]))
            if delta >= timedelta(hours=24) or int(digits[3:5]) > 59:
                raise ValueError(f"{match['zone']} is no offset from UTC")
            offset = timezone(-delta if digits[0] == "-" else delta)
        try:
            local = datetime.fromisoformat(f"{match['day']}T{match['hm']}{match['s'] or ':00'}")
        except ValueError:
            raise ValueError(f"{text!r} is no time of day; hours run from 00 to 23") from None
        if match["f"]:
            local += timedelta(microseconds=int(match["f"][1:].ljust(6, "0")))
            precision, width = "instant", timedelta(microseconds=10 ** (7 - len(match["f"])))
        elif match["s"]:
            precision, width = "second", timedelta(seconds=1)
        else:
            precision, width = "minute", timedelta(minutes=1)
        try:
            start = _utc(local, offset)
            return Span(start, _later(start, width), text, precision, zone_name)
        except OverflowError:
            raise ValueError(f"{text!r} lies at the end of the calendar") from None
    message = f"{text!r} is neither a day (2015-12-20) nor an instant with a zone (2015-12-20T16:00:00Z)"
    if match := _DAY_FIRST.fullmatch(text):
        message += f"; if the day stands first in it, write {match[3]}-{int(match[2]):02}-{int(match[1]):02}"
    raise ValueError(message)


def parse_duration(text: str) -> int:
    """A stated duration in seconds: ``90 days``, ``15 days 4 hours``, ``7,776,001 s``; ValueError else."""
    rest = text.strip()
    seconds = 0
    parts = list(_DURATION_PART.finditer(rest))
    for part in parts:
        seconds += int(part[1].replace(",", "")) * _UNITS[part[2][0]]
    left = re.sub(r"\band\b|\bplus\b|\+|,|\s", "", _DURATION_PART.sub("", rest))
    if parts and not left:
        return seconds
    raise ValueError(f"{text!r} is no duration; write '90 days', '24 hours' or '7776001 s'")


def show_duration(seconds: float) -> str:
    """A duration for people, exact to the microsecond: ``15 days 4 h 12 min``, ``1.0005 s``."""
    left, part = divmod(round(abs(seconds) * 1_000_000), 1_000_000)
    sign = "-" if seconds < 0 and (left or part) else ""
    words = []
    for size, name in ((86400, "day"), (3600, "h"), (60, "min"), (1, "s")):
        number, left = divmod(left, size)
        if name == "s" and part:
            words.append(f"{number}.{part:06d}".rstrip("0") + " s")
        elif number:
            words.append(f"{number} {name}" + ("s" if name == "day" and number != 1 else ""))
    return sign + (" ".join(words) or "0 s")


def show_time(moment: datetime, zone_name: str = "UTC") -> str:
    """A UTC time for people; with the local time beside it where the zone is another."""
    fraction = f".{moment.microsecond // 1000:03d}" if moment.microsecond else ""
    utc = f"{moment.year:04d}-{moment:%m-%d %H:%M:%S}{fraction}Z"
    if zone_name == "UTC":
        return utc
    local = to_zone(moment, zone_name)
    if local.utcoffset() == timedelta(0):
        return utc
    return f"{utc} ({local.year:04d}-{local:%m-%d %H:%M:%S} {zone_name})"


def rfc3339(moment: datetime) -> str:
    """A naive UTC time in RFC 3339 form, to the second, or as fine as it is."""
    fraction = f".{moment.microsecond:06d}".rstrip("0") if moment.microsecond else ""
    return f"{moment.year:04d}-{moment:%m-%dT%H:%M:%S}{fraction}Z"


def show_day(day: date) -> str:
    """A day for people, with its weekday."""
    return f"{WEEKDAYS[day.weekday()]} {day.isoformat()}"
