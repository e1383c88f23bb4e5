"""Numbers and durations as people write them: in digits, in words, scaled, with thousands set apart."""

import re
from fractions import Fraction
from functools import cache

_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
_TENS = {
    name: 10 * value for value, name in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
}
_VALUES = {name: value for value, name in enumerate(_UNITS)} | _TENS
_SCALES = {"dozen": 12, "hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "k": 1000, "m": 10**6}
_ORDINALS = {
    "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10, "eleventh": 11,
    "twelfth": 12, "thirteenth": 13, "fourteenth": 14, "fifteenth": 15, "sixteenth": 16, "seventeenth": 17,
    "eighteenth": 18, "nineteenth": 19, "twentieth": 20, "thirtieth": 30,
} | {f"{tens}-{one}": 10 * k + n for k, tens in ((2, "twenty"), (3, "thirty"))
     for n, one in enumerate("first second third fourth fifth sixth seventh eighth ninth".split(), 1)}  # fmt: skip

#: Blanks that set thousands apart: no-break, thin and narrow no-break ones. A plain blank parts two numbers.
_THIN = "\u00a0\u2009\u202f"
DIGITS = rf"(?:\d{{1,3}}(?:,\d{{2,3}})*,\d{{3}}(?:\.\d+)?|\d{{1,3}}(?:[{_THIN}'\u2019]\d{{3}})+(?:[.,]\d+)?"
DIGITS += r"|\d{1,3}(?:\.\d{3}){2,}|\d+(?:\.\d+)?)"
"""A number in digits, thousands set apart or not."""

#: The words of `_VALUES`, written so that the patterns that hold them many times over compile quickly.
_SIMPLE = (
    "(?:thir|four|fif|six|seven|eigh|nine)teen|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|"
    "zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
)
_BIG = "dozen|hundred|thousand|million|billion"
_MORE = rf"(?:-|\s+)(?:{_SIMPLE}|{_BIG})\b|(?:(?<=hundred)|(?<=thousand))\s+and\s+(?:{_SIMPLE})\b"
WORDS = rf"(?:half\s+a\s+dozen\b|a\s+(?:{_BIG})\b|(?:{_SIMPLE})\b(?:{_MORE})*)"
"""A number in words. ``one`` and ``zero`` alone are words like others: the caller decides."""

SCALED = rf"(?:{DIGITS}(?:\s+|-)(?:{_BIG})\b|{DIGITS}(?-i:[kKM])\b)"
"""A number in digits with its scale: ``12 thousand``, ``1.8 million``, ``12k``."""

ORDINALS = "|".join(sorted(_ORDINALS, key=len, reverse=True))
"""Ordinals in words, from the fourth on: "first" and "second" say other things as often."""

_LENGTHS = {"s": 1, "min": 60, "h": 3600, "d": 86400, "w": 604800}
_UNIT_WORDS = {
    "second": "s", "sec": "s", "s": "s", "minute": "min", "min": "min", "hour": "h", "hr": "h", "h": "h",
    "day": "d", "d": "d", "week": "w", "month": "month", "year": "year",
}  # fmt: skip
_UNIT = r"(?:seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|weeks?|months?|years?)"
_KIND = r"(?:(?:calendar|full|whole|more|further|consecutive)\s+)?"
_PIECE = rf"(?:(?:{DIGITS}|{WORDS})(?:\s+|-){_KIND}{_UNIT}\b|{DIGITS}\s+[hs]\b)"
DURATION = rf"{_PIECE}(?:(?:,?\s+and\s+|,?\s+|\s*\+\s*){_PIECE})*"
"""A length of time: ``24 hours``, ``13 days``, ``90-day``, ``fifteen days``, ``2 years and 3 months``."""
JOINED_LENGTH = rf"{DIGITS}(?:{_UNIT}|[hd])\b"
"""The same without a blank: ``24h``, ``90d``, ``15min``. ``30s`` may be years, ``5m`` anything."""
_ONE_DAY = re.compile(r"one\s+day", re.IGNORECASE)


@cache
def _parts() -> re.Pattern[str]:
    """One number with its unit."""
    return re.compile(rf"(?P<number>{DIGITS}|{WORDS})(?:\s+|-){_KIND}(?P<unit>{_UNIT}|[hsd])\b", re.IGNORECASE)


def parse_digits(text: str) -> Fraction:
    """The number that digits stand for."""
    bare = re.sub(rf"[{_THIN}'\u2019]", "", text)
    bare = bare.replace(",", "") if "," in bare and not re.search(r",\d{1,2}\Z", bare) else bare.replace(",", ".")
    if bare.count(".") > 1:
        bare = bare.replace(".", "")
    return Fraction(bare)


def parse_words(text: str) -> Fraction | None:
    """The number that words stand for; None if they are none, or no number together (``two three``)."""
    words = [word for word in re.split(r"[\s-]+", text.lower()) if word not in ("a", "and")]
    if not words or words[0] == "half":
        return Fraction(6) if words[1:] == ["dozen"] else None
    total = current = 0
    last = 0
    for word in words:
        if word in _SCALES:
            scale = _SCALES[word]
            current = max(current, 1) * scale
            if scale >= 1000:
                total, current = total + current, 0
            last = scale
        elif word not in _VALUES:
            return None
        else:
            value = _VALUES[word]
            if last and not (last >= 100 or (20 <= last <= 90 and 1 <= value <= 9)):
                return None
            current += value
            last = value or 1
    return Fraction(total + current)


def parse_number(text: str) -> Fraction | None:
    """The number that digits, words, or digits with a scale stand for; None if it is none."""
    if not text[:1].isdigit():
        return parse_words(text)
    match = re.fullmatch(rf"({DIGITS})[\s-]*({_BIG}|k|m)?", text, re.IGNORECASE)
    if match is None:
        return None
    return parse_digits(match[1]) * _SCALES.get((match[2] or "").lower(), 1)


def parse_ordinal(text: str) -> int:
    """The number of an ordinal in digits or words."""
    return int(text[:-2]) if text[0].isdigit() else _ORDINALS[text.lower()]


def lengths(text: str) -> list[tuple[int, int]]:
    """Where each length of time in a text that `DURATION` matches begins and ends.

    "2 days and 3 hours" is one; "2 hours and 24 hours" are two, for one has its units from the large to the small.
    """
    found: list[tuple[int, int]] = []
    last = 0.0
    for part in _parts().finditer(text):
        word = part["unit"].lower()
        unit = _UNIT_WORDS.get(word) or _UNIT_WORDS[word.removesuffix("s")]
        size = _LENGTHS.get(unit, 2_629_746 if unit == "month" else 31_556_952)
        if found and size < last:
            found[-1] = (found[-1][0], part.end())
        else:
            found.append((part.start(), part.end()))
        last = size
    return found


def parse_length(text: str) -> tuple[Fraction, Fraction] | None:
    """A length of time as seconds, and months by the calendar; None for what is no figure, as in "one day"."""
    if _ONE_DAY.fullmatch(text):
        return None
    seconds = months = Fraction(0)
    for part in _parts().finditer(text):
        number = parse_number(part["number"])
        if number is None:
            return None
        word = part["unit"].lower()
        unit = _UNIT_WORDS.get(word) or _UNIT_WORDS[word.removesuffix("s")]
        if unit in _LENGTHS:
            seconds += number * _LENGTHS[unit]
        else:
            months += number * (12 if unit == "year" else 1)
    return seconds, months


def half_unit(text: str) -> Fraction:
    """Half of the last place of a scaled number: how far off what it rounds may be. Zero for any other."""
    match = re.fullmatch(rf"(\d+)(?:\.(\d+))?[\s-]*({_BIG}|k|m)", text, re.IGNORECASE)
    if match is None:
        return Fraction(0)
    return Fraction(_SCALES[match[3].lower()], 2 * 10 ** len(match[2] or ""))
