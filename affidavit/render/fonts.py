"""Which characters the machine's fonts can draw, and what to do about those that none can.

A character without a glyph would be an empty box in the PDF: a value that nobody can read and two values
that look alike. Such a character is written as ``<U+XXXX>`` instead, and the build says so.
"""

import shutil
import subprocess
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from affidavit.types import Diagnostic, InputError, Pos, Severity

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_NAMED = 20
"""How many missing characters are named one by one; the rest is counted."""

_CONTEXT = 20
_UNSEEN = frozenset({"script", "style", "title", "template"})

# Drawn as nothing, by intent and by every renderer: breaking and joining, not content. Other invisible
# characters (tags of plane 14, bidirectional overrides without a glyph) are no content either, but whoever
# finds one in a certificate has to see it.
_BLANK = frozenset("\t\n\r\f \u00a0\u00ad\u200b\u200c\u200d\u2060\u2066\u2067\u2068\u2069\ufe0e\ufe0f")

# Packages of Debian and Ubuntu; ranges are blocks of the Unicode Standard.
_CJK = (
    (0x2E80, 0x303F), (0x3040, 0x31FF), (0x3200, 0x9FFF), (0xAC00, 0xD7AF), (0xF900, 0xFAFF),
    (0xFE30, 0xFE4F), (0xFF00, 0xFFEF), (0x20000, 0x3FFFF),
)  # fmt: skip
_EMOJI = ((0x1F000, 0x1FAFF),)


class Coverage:
    """A set of code points kept as ranges: all that some fonts have a glyph for."""

    def __init__(self, ranges: Iterable[tuple[int, int]]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for first, last in sorted(ranges):
            if self._ends and first <= self._ends[-1] + 1:
                self._ends[-1] = max(self._ends[-1], last)
            else:
                self._starts.append(first)
                self._ends.append(last)

    def __contains__(self, point: object) -> bool:
        if not isinstance(point, int):
            return False
        index = bisect_right(self._starts, point) - 1
        return index >= 0 and point <= self._ends[index]


@dataclass(frozen=True, slots=True)
class Missing:
    """A character that no font covers: code point, the text round its first place, how often it occurs."""

    point: int
    context: str
    times: int

    @property
    def shown(self) -> str:
        """The form that stands in its place."""
        return shown(self.point)


def shown(point: int) -> str:
    """A code point in visible form, such as ``<U+E123>``."""
    return f"<U+{point:04X}>"


def parse_ranges(text: str) -> Iterator[tuple[int, int]]:
    """Code point ranges as fontconfig prints a character set: ``20-7e a0 1f600-1f64f`` (hexadecimal)."""
    for word in text.split():
        first, _, last = word.partition("-")
        yield int(first, 16), int(last or first, 16)


@cache
def installed_coverage() -> Coverage:
    """What the installed fonts cover: read once a process, from fontconfig, as Pango does.

    Only scalable TrueType and CFF fonts count, since Pango draws with no others.
    Raises InputError where ``fc-list`` is missing or fails.
    """
    tool = shutil.which("fc-list")
    if tool is None:
        words = "fontconfig's fc-list is not installed"
        raise InputError(Diagnostic(Pos("fc-list"), "no-fontconfig", words, "install fontconfig"))
    call = [tool, "--format", "%{fontformat}|%{scalable}|%{charset}\n"]
    try:
        done = subprocess.run(call, capture_output=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise InputError(Diagnostic(Pos("fc-list"), "no-fontconfig", f"fc-list failed: {error}")) from None
    ranges: set[tuple[int, int]] = set()
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        kind, _, rest = line.partition("|")
        scalable, _, charset = rest.partition("|")
        if kind in ("TrueType", "CFF") and scalable == "True":
            ranges.update(parse_ranges(charset))
    return Coverage(ranges)


def uncovered(text: str, coverage: Coverage, also: frozenset[int] = frozenset()) -> set[int]:
    """Code points of a text that no font covers; ``also``: points known to have no glyph all the same."""
    points = {ord(char) for char in set(text) if char not in _BLANK}
    return {point for point in points if point in also or point not in coverage}


def show_missing(root: "Element", coverage: Coverage, also: frozenset[int] = frozenset()) -> tuple[Missing, ...]:
    """Write each character without a glyph as ``<U+XXXX>`` in a parsed document; say which there were.

    ``root`` is changed in place: text of its elements, scripts, styles and the title aside.
    """
    contexts: dict[int, str] = {}
    times: dict[int, int] = {}

    def visible(text: str) -> str:
        points = uncovered(text, coverage, also)
        if not points:
            return text
        for point in points:
            times[point] = times.get(point, 0) + text.count(chr(point))
            if point not in contexts:
                place = text.index(chr(point))
                around = " ".join(text[max(0, place - _CONTEXT) : place + 1 + _CONTEXT].split())
                contexts[point] = "".join(
                    c if c.isprintable() and ord(c) not in points else shown(ord(c)) for c in around
                )
        return "".join(shown(ord(c)) if ord(c) in points else c for c in text)

    for element in root.iter():
        if element.text and element.tag not in _UNSEEN:
            element.text = visible(element.text)
        if element.tail:
            element.tail = visible(element.tail)
    return tuple(Missing(point, contexts[point], times[point]) for point in sorted(contexts))


def _within(point: int, ranges: Iterable[tuple[int, int]]) -> bool:
    return any(first <= point <= last for first, last in ranges)


def advice(point: int) -> str:
    """What to do about a character that no font covers."""
    category = unicodedata.category(chr(point))
    if category == "Co":
        return "a private-use character: no font can be expected to have it"
    if category == "Cn":
        return f"not assigned in Unicode {unicodedata.unidata_version}: no font has it"
    if category in ("Cc", "Cf", "Cs"):
        return "a control or format character: it has no glyph"
    if _within(point, _CJK):
        package = "fonts-noto-cjk"
    elif _within(point, _EMOJI):
        package = "fonts-noto-color-emoji"
    else:
        package = "fonts-noto-core"
    return f"install a font that has it; on Debian or Ubuntu: apt-get install {package}"


def missing_diagnostics(missing: Iterable[Missing], name: str) -> list[Diagnostic]:
    """Warnings about characters without a glyph in the document ``name``: at most MAX_NAMED, and a count."""
    found = []
    every = list(missing)
    for one in every[:MAX_NAMED]:
        title = unicodedata.name(chr(one.point), "")
        often = f", {one.times} times" if one.times > 1 else ""
        words = f"no installed font has U+{one.point:04X}{' ' + title if title else ''}{often}; " + (
            f"it is printed as {one.shown}: '{one.context}'"
        )
        found.append(Diagnostic(Pos(name), "no-glyph", words, advice(one.point), Severity.WARNING))
    if len(every) > MAX_NAMED:
        words = f"{len(every) - MAX_NAMED} more characters have no glyph"
        found.append(Diagnostic(Pos(name), "no-glyph", words, "", Severity.WARNING))
    return found
