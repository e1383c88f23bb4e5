"""Figures in prose, with their places: numbers, lengths of time, days, times, weekdays, serial numbers, algorithms."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from typing import Any

from affidavit.check import numerals
from affidavit.check.seen import Seen
from affidavit.packed import pack, unpack
from affidavit.scripts import UNSPACED
from affidavit.serials import clean_hex
from affidavit.times import MONTHS, WEEKDAYS, parse_duration

_MONTH = "|".join(f"{m}|{m[:3]}" for m in MONTHS) + "|Sept"
MOST_KEPT = 4_096
"""Of so many texts the figures are kept while the program runs."""
COUNTED_THINGS = r"certificates?|precertificates?|serials?|SCTs?|logs?|keys?|issuers?|names?|entr(?:y|ies)|files?|rows?"
_SHAS = r"SHA-?(?:1|224|256|384|512)"

#: What a figure can begin with: no letter behind another one, but for an address. Without it, each place of a text is
#: held against each of the kinds in turn.
_BEGIN = r"(?=[\d`+\u00a7]|(?<![A-Za-z])[A-Za-z]|https?:)"
#: In order; the first that matches at a place wins. Each name is a kind of figure; ``skip`` is none.
_KINDS = (
    r"(?P<code>`[^`]*`)"
    r"|(?P<url>https?://\S+)"
    r"|(?P<instant>\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2})?(?:\.\d+)?\s*(?:Z|UTC|[+-]\d{2}:?\d{2}))"
    r"|(?P<iso>\b\d{4}-\d{2}-\d{2}\b)"
    rf"|(?P<dmy>\b(?P<d1>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<m1>{_MONTH})\b\.?(?:,?\s+(?P<y1>\d{{4}})\b)?)"
    rf"|(?P<mdy>\b(?P<m2>{_MONTH})\b\.?\s+(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\b(?!:)(?:,?\s+(?P<y2>\d{{4}})\b)?)"
    rf"|(?P<my>\b(?P<m3>{_MONTH})\b\.?\s+(?P<y3>\d{{4}})\b)"
    r"|(?P<points>(?<![\w.])(?:\d{1,2}\.\d{1,2}\.(?:19|20)\d{2}|(?:19|20)\d{2}(?:\.\d{2}\.\d{2}|/\d{1,2}/\d{1,2}))(?![\w/]|\.\d))"
    rf"|(?P<month>(?-i:\b(?:[Ii]n|[Dd]uring|[Ss]ince|[Uu]ntil|[Oo]f|[Ff]rom|[Tt]hrough(?:out)?|[Ll]ate|[Ee]arly)"
    rf"\s+(?P<m4>{'|'.join(MONTHS)})\b(?!\s+\d)))"
    rf"|(?P<weekday>\b(?:{'|'.join(WEEKDAYS)})\b)"
    r"|(?P<octets>(?<![\w:])(?:[0-9A-Fa-f]{2}:){7,}[0-9A-Fa-f]{2}(?![\w:]))"
    r"|(?P<offset>\+\d{2}:\d{2}\b|(?<=\d\d:\d\d )\+\d{4}\b)"
    r"|(?P<clock>\b\d{2}:\d{2}(?::\d{2})?(?=Z?\b)(?!\s?[ap]\.?m\b))"
    r"|(?P<half_day>(?<![\w.,:])\d{1,2}(?::\d{2})?\s?[ap]\.?m\b)"
    r"|(?P<hex>\b(?:0x)?(?=[0-9A-Fa-f]*[A-Fa-f])(?=[0-9A-Fa-f]*\d)[0-9A-Fa-f]{8,}\b)"
    # Labels, with a capital: to "issue 500 certificates" or "part 900" is none.
    r"|(?P<skip>(?-i:\b(?:RFC|BR|CSBR|Sections?|§|Issue|Questions?|Category|Bug|Table|Step|Part|Chapter|"
    r"Appendix|Figure)\s+\d[\d.]{0,20}+)"
    rf"(?!\s+(?:{COUNTED_THINGS})\b))"
    rf"|(?P<algorithm>\b(?:{_SHAS}|MD[245]|RSA-?\d{{3,5}}|P-(?:192|224|256|384|521))\b(?!-))"
    rf"|(?P<percent>(?<![\w.,]){numerals.DIGITS}\s?(?:%|per\s?cent\b)|\b{numerals.WORDS}\s+per\s?cent\b)"
    rf"|(?P<length>(?<![\w.,-]){numerals.DURATION})"
    rf"|(?P<joined_length>(?<![\w.,-]){numerals.JOINED_LENGTH})"
    rf"|(?P<joined_number>(?<![\w.,]){numerals.DIGITS}(?=(?:certs?|{COUNTED_THINGS})\b)|(?<=\bca\.|\bno\.|\bnr\.){numerals.DIGITS}(?!\w)"
    rf"|(?<=\bapprox\.){numerals.DIGITS}(?!\w))"
    rf"|(?P<scaled>(?<![\w.,]){numerals.SCALED})"
    r"|(?P<ordinal>\b\d+(?:st|nd|rd|th)\b)"
    rf"|(?P<ordinal_word>\b(?:{numerals.ORDINALS})\b)"
    r"|(?P<joined>(?<![A-Za-z.])(?!(?:ca|no|nr|approx)\.\d)[A-Za-z][A-Za-z.]{0,80}[-.+/#]?\d(?:[\w.-]*\w)?|\b\d+[A-Za-z][A-Za-z\d]*\b)"
    rf"|(?P<thousands>(?<![\w.,])\d{{1,3}}(?:\.\d{{3}}){{2,}}(?![\w.]))"
    r"|(?P<dotted>\b\d+(?:\.\d+){2,20}\b)"
    rf"|(?P<number>(?<![\w.,]){numerals.DIGITS}(?!\w)|(?<![\w.])\d+(?:\.\d+)?(?!\w))"
    rf"|(?P<one>\b(?:one|zero)(?=\s+(?:{COUNTED_THINGS})\b))"
    rf"|(?P<word>\b{numerals.WORDS})"
)
_EASTERN_DAY = re.compile(r"(?:(?P<y>\d{4})\s?年\s?)?(?P<m>\d{1,2})\s?月\s?(?P<d>\d{1,2})\s?日")
_FIGURES = {
    "instant", "iso", "dmy", "mdy", "my", "weekday", "clock", "hex", "number", "one", "word", "ordinal", "length",
    "percent", "algorithm",
}  # fmt: skip
_SAME = {
    "octets": "hex", "scaled": "number", "thousands": "number", "ordinal_word": "ordinal", "points": "iso",
    "joined_length": "length", "joined_number": "number",
}  # fmt: skip
NUMBERS = frozenset(("number", "one", "word"))
"""Kinds of figures that are plain numbers."""
#: After the name of a hash: it names a certificate's own hash, not the algorithm of its signature.
_FINGERPRINT = re.compile(r"[\s-]*(?:fingerprint|thumbprint|checksum|digest)|[\s:=]*(?:[0-9A-Fa-f]{2}:?){8}")


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
    words = {n for n in names if _holds_digits(n)}
    for name in sorted(words, key=len, reverse=True):
        if not is_figure(name):
            # Whole words only: the "1 s" in "21 s" is no name.
            place = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
            masked = place.sub(lambda match: "\x00" * len(match[0]), masked)
    return list(scan(masked))


@lru_cache(MOST_KEPT)
def _holds_digits(name: str) -> bool:
    """Whether a name is words with digits in them, and no measure of time."""
    return bool(re.search(r"\d", name) and re.search(r"[^\W\d]", name)) and not _is_measure(name)


def _is_measure(text: str) -> bool:
    """Whether a text is a duration: its digits are figures."""
    try:
        parse_duration(text)
    except ValueError:
        return False
    return True


def is_figure(text: str) -> bool:
    """Whether a text is one figure and nothing else."""
    found = scan(text)
    return len(found) == 1 and found[0].text == text.strip()


def scan(text: str) -> tuple[Figure, ...]:
    """All figures of a text, in order."""
    return FOUND(text)


def _pack(found: tuple[Figure, ...]) -> Any:
    return [pack((one.kind, one.text, one.start, one.value)) for one in found]


def _unpack(packed: Any) -> tuple[Figure, ...]:
    return tuple(Figure(*unpack(one)) for one in packed)


def _scan(text: str) -> Iterator[Figure]:
    if text.isascii():
        yield from _spaced(text)
        return
    # Scripts without blanks set figures right beside words.
    days = [
        Figure("iso" if match["y"] else "mdy", match[0], match.start(), _eastern(match))
        for match in _EASTERN_DAY.finditer(text)
    ]
    text = _EASTERN_DAY.sub(lambda match: "\0" * len(match[0]), text)
    yield from sorted([*days, *_spaced(_unspaced().sub("|", text))], key=lambda figure: figure.start)


def _eastern(match: re.Match[str]) -> object:
    month, day = int(match["m"]), int(match["d"])
    if not match["y"]:
        return (None, month, day)
    try:
        return date(int(match["y"]), month, day)
    except ValueError:
        return match[0]


@cache
def _unspaced() -> re.Pattern[str]:
    """Characters of scripts that set no blanks."""
    return re.compile(f"[{UNSPACED}\uac00-\ud7af]")


@cache
def _patterns() -> re.Pattern[str]:
    """All kinds in one pattern. It takes long to compile, and is not needed where every text has been seen before."""
    return re.compile(f"{_BEGIN}(?:{_KINDS})", re.IGNORECASE)


def _spaced(text: str) -> Iterator[Figure]:
    for match in _patterns().finditer(text):
        kind = match.lastgroup or ""
        if match["m4"]:
            yield Figure("month", match["m4"], match.start("m4"), (None, _month(match["m4"]), None))
            continue
        for name in ("dmy", "mdy", "my"):
            if match[name]:
                kind = name
        form, kind = kind, _SAME.get(kind, kind)
        if kind == "half_day":
            yield Figure("clock", match[0], match.start(), _of_24_hours(match[0]))
        if kind not in _FIGURES:
            continue
        if form == "joined_length":
            if (length := numerals.parse_length(re.sub(r"(?<=\d)(?=[A-Za-z])", " ", match[0]))) is not None:
                yield Figure(kind, match[0], match.start(), length)
        elif kind == "word":
            yield from _words(match)
        elif kind == "length":
            for start, end in numerals.lengths(match[0]):
                if (length := numerals.parse_length(match[0][start:end])) is not None:
                    yield Figure(kind, match[0][start:end], match.start() + start, length)
        elif kind == "algorithm" and _FINGERPRINT.match(text, match.end()):
            continue
        elif (value := _value(kind, match)) is not None:
            yield Figure(kind, match[0], match.start(), value)


def _words(match: re.Match[str]) -> Iterator[Figure]:
    """A number in words; where they are no number together, each by itself."""
    whole = numerals.parse_words(match[0])
    if whole is not None:
        if match[0].lower() not in ("one", "zero"):
            yield Figure("word", match[0], match.start(), whole)
        return
    for word in re.finditer(r"[A-Za-z]+", match[0]):
        value = numerals.parse_words(word[0]) if word[0].lower() not in ("a", "and", "one", "zero") else None
        if value is not None:
            yield Figure("word", word[0], match.start() + word.start(), value)


def _value(kind: str, match: re.Match[str]) -> object:
    text = match[0]
    match kind:
        case "number" | "one":
            return text if len(text) > 40 else numerals.parse_number(text)
        case "percent":
            return numerals.parse_number(re.sub(r"\s*(?:%|per\s?cent)\Z", "", text, flags=re.IGNORECASE))
        case "algorithm":
            return text.upper()
        case "hex":
            return clean_hex(text)
        case "weekday":
            return text.capitalize()
        case "clock" | "instant":
            return text
        case "ordinal":
            return numerals.parse_ordinal(text)
        case "iso":
            parts = [int(part) for part in re.split(r"[-./]", text)]
            try:
                return date(*(parts if parts[0] > 99 else reversed(parts)))
            except ValueError:
                return text
        case "dmy":
            return (match["y1"], _month(match["m1"]), int(match["d1"]))
        case "mdy":
            return (match["y2"], _month(match["m2"]), int(match["d2"]))
        case _:
            return (match["y3"], _month(match["m3"]), None)


def _of_24_hours(text: str) -> str:
    """A time of day of the clock with twelve hours in the form of the one with 24: ``3 pm`` is 15:00."""
    hour, minute = (int(part) for part in re.findall(r"\d+", f"{text}:00")[:2])
    return f"{hour % 12 + 12 * ('p' in text.lower()):02d}:{minute:02d}" if 0 < hour < 13 else text


def _month(word: str) -> int:
    return next(i for i, m in enumerate(MONTHS, 1) if m.lower().startswith(word.lower().rstrip(".")))


FOUND = Seen(lambda text: tuple(_scan(text)), _pack, _unpack)
"""The figures of the texts that have been looked through."""
