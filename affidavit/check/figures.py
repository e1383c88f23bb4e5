"""Figures in prose: numbers, days, times, weekdays, serial numbers and fingerprints, with their places."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from affidavit.check.base import Figures
from affidavit.serials import clean_hex, parse_serial
from affidavit.times import MONTHS, WEEKDAYS, Span, parse_duration, parse_time, to_zone

_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty"
).split()
_MONTH = "|".join(f"{m}|{m[:3]}" for m in MONTHS)
_UNITS = r"certificates?|precertificates?|serials?|SCTs?|logs?|keys?|issuers?|names?|entr(?:y|ies)|files?|rows?"

#: In order; the first that matches at a place wins. Each name is a kind of figure; ``skip`` is none.
_PATTERNS = re.compile(
    r"(?P<code>`[^`]*`)"
    r"|(?P<url>https?://\S+)"
    r"|(?P<instant>\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2})?(?:\.\d+)?\s*(?:Z|UTC|[+-]\d{2}:?\d{2}))"
    r"|(?P<iso>\b\d{4}-\d{2}-\d{2}\b)"
    rf"|(?P<dmy>\b(?P<d1>\d{{1,2}})(?:st|nd|rd|th)?\s+(?P<m1>{_MONTH})\b\.?(?:,?\s+(?P<y1>\d{{4}})\b)?)"
    rf"|(?P<mdy>\b(?P<m2>{_MONTH})\b\.?\s+(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\b(?!:)(?:,?\s+(?P<y2>\d{{4}})\b)?)"
    rf"|(?P<my>\b(?P<m3>{'|'.join(MONTHS)})\s+(?P<y3>\d{{4}})\b)"
    rf"|(?P<weekday>\b(?:{'|'.join(WEEKDAYS)})\b)"
    r"|(?P<octets>(?<![\w:])(?:[0-9A-Fa-f]{2}:){7,}[0-9A-Fa-f]{2}(?![\w:]))"
    r"|(?P<clock>\b\d{2}:\d{2}(?::\d{2})?\b)"
    r"|(?P<hex>\b(?:0x)?(?=[0-9A-Fa-f]*[A-Fa-f])(?=[0-9A-Fa-f]*\d)[0-9A-Fa-f]{8,}\b)"
    # Labels, with a capital: to "issue 500 certificates" or "part 900" is none.
    r"|(?P<skip>(?-i:\b(?:RFC|BR|CSBR|Sections?|§|Issue|Questions?|Category|Bug|Table|Step|Part|Chapter|"
    r"Appendix|Figure)\s+\d[\d.]{0,20}))"
    r"|(?P<ordinal>\b\d{1,2}(?:st|nd|rd|th)\b)"
    r"|(?P<joined>(?<![A-Za-z.])[A-Za-z][A-Za-z.]{0,80}[-.+/#]?\d(?:[\w.-]*\w)?|\b\d+[A-Za-z][A-Za-z\d]*\b)"
    r"|(?P<dotted>\b\d+(?:\.\d+){2,20}\b)"
    r"|(?P<number>(?<![\w.,])\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\w])|(?<![\w.])\d+(?:\.\d+)?(?!\w))"
    rf"|(?P<one>\b[Oo]ne(?=\s+(?:{_UNITS})\b))"
    rf"|(?P<word>\b(?:{'|'.join(_WORDS[2:])})\b)",
    re.IGNORECASE,
)
#: What follows a number that counts things, and one that counts the digits of a serial number.
_COUNTED = re.compile(rf"\s+(?:\w+\s+){{0,2}}(?:{_UNITS})\b", re.IGNORECASE)
_DIGITS = re.compile(r"[\s-]*(?:hex(?:adecimal)?[\s-]+)?digits?\b|\s*\Z|[.,;]", re.IGNORECASE)
_FIGURES = {"instant", "iso", "dmy", "mdy", "my", "weekday", "clock", "hex", "number", "one", "word", "ordinal"}


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure in a text: its kind, its own text, where it stands, and its value in comparable form."""

    kind: str
    text: str
    start: int
    value: object

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.start + len(self.text)


def find_figures(text: str, names: Iterable[str] = ()) -> list[Figure]:
    """The figures of a text. Digits inside ``names`` (a CA's, a file's) are no figures."""
    masked = text
    words = {n for n in names if re.search(r"\d", n) and re.search(r"[^\W\d]", n) and not _is_measure(n)}
    for name in sorted(words, key=len, reverse=True):
        if not _is_figure(name):
            # Whole words only: the "1 s" in "21 s" is no name.
            place = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
            masked = place.sub(lambda match: "\x00" * len(match[0]), masked)
    return list(_scan(masked))


def _is_measure(text: str) -> bool:
    """Whether a text is a duration: its digits are figures."""
    try:
        parse_duration(text)
    except ValueError:
        return False
    return True


def _is_figure(text: str) -> bool:
    found = list(_scan(text))
    return len(found) == 1 and found[0].text == text.strip()


def _scan(text: str) -> Iterator[Figure]:
    for match in _PATTERNS.finditer(text):
        kind = match.lastgroup or ""
        for name in ("dmy", "mdy", "my"):
            if match[name]:
                kind = name
        if kind == "octets":
            kind = "hex"
        if kind not in _FIGURES:
            continue
        value = _value(kind, match)
        if value is not None:
            yield Figure(kind, match[0], match.start(), value)


def _after(figure: Figure, text: str) -> str:
    """What follows a figure in its text; empty if it stands elsewhere."""
    return text[figure.end : figure.end + 80] if text[figure.start : figure.end] == figure.text else ""


def _value(kind: str, match: re.Match[str]) -> object:
    text = match[0]
    match kind:
        case "number":
            if len(text) > 40:
                return text
            return float(text.replace(",", "")) if "." in text else int(text.replace(",", ""))
        case "one":
            return 1
        case "word":
            return _WORDS.index(text.lower())
        case "hex":
            return clean_hex(text)
        case "weekday":
            return text.capitalize()
        case "clock" | "instant":
            return text
        case "ordinal":
            return int(text[:-2])
        case "iso":
            try:
                return date.fromisoformat(text)
            except ValueError:
                return text
        case "dmy":
            return (match["y1"], _month(match["m1"]), int(match["d1"]))
        case "mdy":
            return (match["y2"], _month(match["m2"]), int(match["d2"]))
        case _:
            return (match["y3"], _month(match["m3"]), None)


def _month(word: str) -> int:
    return next(i for i, m in enumerate(MONTHS, 1) if m.lower().startswith(word.lower().rstrip(".")))


@dataclass(frozen=True)
class Stated:
    """The figures that a claim states in machine form, ready to be compared with those of a text."""

    numbers: frozenset[float]
    days: frozenset[date]
    utc_days: frozenset[date]
    hexes: frozenset[str]
    serials: frozenset[int]
    instants: tuple[Span, ...]
    weekdays: frozenset[str]
    digits: frozenset[int]
    zone: str

    @classmethod
    def of(cls, figures: Figures, zone: str) -> "Stated":
        """From a claim's figures; ``zone`` is the claim's."""
        numbers: set[float] = set(figures.numbers)
        days: set[date] = set()
        utc_days: set[date] = set()
        weekdays: set[str] = set()
        hexes: set[str] = set()
        serials: set[int] = set()
        digits: set[int] = set()
        for span in figures.spans:
            days.add(to_zone(span.start, zone).date())
            utc_days.add(span.start.date())
            if span.is_day:
                weekdays.add(WEEKDAYS[span.local_day.weekday()])
        for text in figures.texts:
            bare = clean_hex(text)
            if re.fullmatch(r"[0-9A-F]{8,}", bare):
                hexes.add(bare)
                serials.add(parse_serial(bare))
                digits.add(len(bare))
            for figure in _scan(text):
                if figure.kind in ("number", "word", "one") and isinstance(figure.value, int | float):
                    numbers.add(figure.value)
                elif figure.kind == "iso" and isinstance(figure.value, date):
                    days.add(figure.value)
                elif figure.kind == "hex":
                    hexes.add(str(figure.value))
                    serials.add(int(str(figure.value), 16))
        weekdays |= {WEEKDAYS[day.weekday()] for day in days}
        return cls(
            frozenset(numbers), frozenset(days), frozenset(utc_days), frozenset(hexes), frozenset(serials),
            figures.spans, frozenset(weekdays), frozenset(digits), zone,
        )  # fmt: skip

    def covers(self, figure: Figure, text: str) -> bool:
        """Whether the claim states a figure of a text. Days in UTC count where the text says UTC."""
        days = self.days | (self.utc_days if "UTC" in text else frozenset())
        value = figure.value
        match figure.kind:
            case "number" | "one" | "word":
                rest = _after(figure, text)
                year = isinstance(value, int) and 1950 <= value <= 2100 and any(d.year == value for d in days)
                # "2015 certificates" is no year; and the digits of a serial number are digits, not octets.
                year = year and not _COUNTED.match(rest)
                if value in self.digits and _DIGITS.match(rest):
                    return True
                digits = figure.text.isdigit() and len(figure.text) >= 8 and int(figure.text, 16) in self.serials
                return value in self.numbers or year or digits
            case "hex":
                return str(value) in self.hexes or int(str(value), 16) in self.serials
            case "weekday":
                return value in self.weekdays
            case "ordinal":
                return any(d.day == value for d in days) or value in self.numbers
            case "iso":
                return value in days
            case "dmy" | "mdy" | "my":
                assert isinstance(value, tuple)
                year_text, month, day = value
                return any(
                    d.month == month and (day is None or d.day == day) and (not year_text or d.year == int(year_text))
                    for d in days
                ) or (day is None and self._month_within(int(year_text), month))
            case "instant":
                return self._instant(str(value))
            case "clock":
                return any(
                    str(value) in (f"{moment:%H:%M}", f"{moment:%H:%M:%S}")
                    for span in self.instants
                    if not span.is_day
                    for moment in self._clocks(span, _after(figure, text))
                )
            case _:
                return False

    def _clocks(self, span: Span, rest: str) -> tuple[datetime, ...]:
        """The times of day that a stated instant may be given by: where UTC follows, that of UTC alone."""
        if rest.lstrip().startswith(("UTC", "Z")):
            return (span.start,)
        return (span.start, to_zone(span.start, self.zone))

    def _month_within(self, year: int, month: int) -> bool:
        """Whether one of the claim's stated days lies in that month."""
        return any((d.year, d.month) == (year, month) for d in self.days)

    def _instant(self, text: str) -> bool:
        try:
            span = parse_time(text.replace("  ", " "), self.zone)
        except ValueError:
            return False
        return any(s.start <= span.start < s.end or span.start <= s.start < span.end for s in self.instants)
