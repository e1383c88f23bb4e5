"""Quoted words found in a text, however it is wrapped, quoted or set.

Folded are: white space and line breaks, quotation marks, dashes, mail quoting (``> ``), emphasis marks, composed
and decomposed letters, and characters that nobody sees. Not folded are capitals, digits and signs. Words are
compared whole: "13 certificates" does not stand in "313 certificates", nor "5" in "1.5", "-5" or "5%".
"""

import re
import unicodedata
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise

from affidavit.scripts import UNSPACED

MAX_LEFT_OUT = 120
"""Words that one ellipsis may stand for."""

_MARKS = str.maketrans(
    dict.fromkeys("\"'\u00ab\u00bb\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2039\u203a\u2032\u2033\u00b4\u0060"
                  "\u300c\u300d\u300e\u300f\uff02\uff07", "'")
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d", "-")
    | dict.fromkeys("\u2014\u2015\u2e3a\u2e3b", "\u2014")
)  # fmt: skip
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_MAIL_QUOTING = re.compile(r"[ \t]*(?:>[ \t]?)+")
_TOKEN = re.compile(
    rf"\.{{2,}}|\u2026|--+|'+|[{UNSPACED}]|[^\W_{UNSPACED}]+(?:_+[^\W_{UNSPACED}]+)*|[*_](?=\S)|\S",
)
#: No-break and thin blanks that set thousands apart part no words.
_CHUNK = re.compile(r"(?:\S|(?<=\d)(?<!\d{4})[\u00a0\u2009\u202f](?=\d{3}(?!\d)))+")
_APART = re.compile(rf"[{UNSPACED}\u3001\u3002\uff01\uff08\uff09\uff0c\uff1a\uff1b\uff1f]|\u2014|\u2026")
#: What may stand before the first quoted word, or behind the last, in one run of characters with it.
_OPENING, _CLOSING = frozenset("'([{\u00bf\u00a1"), frozenset("')]}.,;:!?")
_ELLIPSIS = re.compile(r"\[\s*(?:\.{3,}|\u2026)\s*\]|\(\s*(?:\.{3,}|\u2026)\s*\)|\.{3,}|\u2026|\.(?: \.){2,}")
_EDGE = frozenset("'.,;:")
_DENIAL = re.compile(r"\b(?:not|no|never|none|neither|nor|without|except|unless)\b|n['\u2019]t\b", re.IGNORECASE)
MAX_SHOWN = 600
MAX_DIFFERENCES = 3


@dataclass(frozen=True, slots=True)
class Passage:
    """Where quoted words stand: first and last line (from 1), the text there, and the words that were left out."""

    line: int
    last_line: int
    text: str
    left_out: tuple[str, ...] = ()

    @property
    def denial_left_out(self) -> bool:
        """Whether the words that an ellipsis leaves out hold a "not" or the like."""
        return any(_DENIAL.search(words) for words in self.left_out)


@dataclass(frozen=True, slots=True)
class NearMiss:
    """The place that comes nearest to words that were not found, and how they differ from it."""

    line: int
    text: str
    differences: tuple[str, ...]


def lines_of(text: str) -> list[str]:
    """The lines of a text as editors count them."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


class Words:
    """A text taken apart into words and signs, each with its line; build it once for many searches."""

    def __init__(self, text: str) -> None:
        self.texts: list[str] = []
        self._lines: list[str] = []
        self._line, self._start, self._end = array("L"), array("L"), array("L")
        self._opens, self._closes = bytearray(), bytearray()
        for line in lines_of(text):
            clean = _UNSEEN.sub("", line)
            if not clean.isascii():
                clean = unicodedata.normalize("NFC", clean)
            quoting = _MAIL_QUOTING.match(clean)
            clean = clean[quoting.end() :] if quoting else clean
            self._lines.append(clean)
            self._take(clean, len(self._lines) - 1)

    def __len__(self) -> int:
        return len(self.texts)

    def _take(self, line: str, number: int) -> None:
        folded = line.translate(_MARKS)
        for chunk in _CHUNK.finditer(folded):
            tokens: list[tuple[str, int, int]] = []
            for match in _TOKEN.finditer(folded, chunk.start(), chunk.end()):
                word = match[0]
                if word in ("*", "_"):
                    continue  # emphasis
                if word[0] == "'":
                    word = "'"
                elif word[:2] == "--" or (word == "-" and match.span() == chunk.span()):
                    word = "\u2014"  # a dash between words, not the hyphen or minus of one
                elif word[:2] == "..":
                    word = "\u2026"
                tokens.append((word, match.start(), match.end()))
            self._bounds([word for word, _, _ in tokens])
            for word, start, end in tokens:
                self.texts.append(word)
                self._line.append(number)
                self._start.append(start)
                self._end.append(end)

    def _bounds(self, words: Sequence[str]) -> None:
        """At which tokens of a run without blanks a quote may begin, and after which it may end."""
        free = True
        for word in words:
            apart = bool(_APART.fullmatch(word))
            self._opens.append(free or apart)
            free = apart or (free and word in _OPENING)
        free = True
        closes = bytearray()
        for word in reversed(words):
            apart = bool(_APART.fullmatch(word))
            closes.append(free or apart)
            free = apart or (free and word in _CLOSING)
        self._closes += closes[::-1]

    def between(self, first: int, last: int) -> str:
        """The text from one token to another, both included, line breaks as blanks."""
        if first > last:
            return ""
        a, b = self._line[first], self._line[last]
        if a == b:
            return self._lines[a][self._start[first] : self._end[last]]
        parts = [self._lines[a][self._start[first] :], *self._lines[a + 1 : b], self._lines[b][: self._end[last]]]
        return " ".join(" ".join(parts).split())

    def line(self, token: int) -> int:
        """The line of a token, from 1."""
        return self._line[token] + 1

    def _occurrences(self, part: Sequence[str], *, whole: bool = True) -> list[int]:
        """Where a part begins; ``whole``: with no word or number cut off at its ends."""
        found: list[int] = []
        size, texts = len(part), self.texts
        first, wanted, at = part[0], list(part), -1
        while True:
            try:
                at = texts.index(first, at + 1)
            except ValueError:
                return found
            if texts[at : at + size] == wanted and (not whole or (self._opens[at] and self._closes[at + size - 1])):
                found.append(at)

    def find(self, quote: str) -> Passage | None:
        """The first place where a quote stands, its parts in order; None if it stands nowhere."""
        parts = quote_parts(quote)
        if not parts:
            return None
        # For each place where a part ends a chain of parts: the place of the part before it.
        chains: list[dict[int, int]] = [dict.fromkeys(self._occurrences(parts[0]), -1)]
        words_before = self._words_before() if len(parts) > 1 else array("L")
        for before, part in pairwise(parts):
            ends = sorted(start + len(before) for start in chains[-1])
            reached: dict[int, int] = {}
            for start in self._occurrences(part):
                at = bisect_right(ends, start) - 1
                if at >= 0 and words_before[start] - words_before[ends[at]] <= MAX_LEFT_OUT:
                    reached[start] = ends[at] - len(before)
            chains.append(reached)
        if not chains[-1]:
            return None
        place = min(chains[-1])
        last = place + len(parts[-1]) - 1
        starts = [place]
        for chain in reversed(chains[1:]):
            starts.insert(0, chain[starts[0]])
        left_out = tuple(
            self.between(start + len(part), following - 1)
            for start, part, following in zip(starts, parts, starts[1:], strict=False)
        )
        return Passage(self.line(starts[0]), self.line(last), _cut(self.between(starts[0], last)), left_out)

    def _words_before(self) -> "array[int]":
        """How many words, signs not counted, stand before each token and before the end."""
        counts, total = array("L", [0]), 0
        for text in self.texts:
            total += text[0].isalnum()
            counts.append(total)
        return counts

    def nearest(self, quote: str) -> NearMiss | None:
        """The place that comes nearest to a quote that was not found; None where nothing is near it."""
        parts = quote_parts(quote)
        for part in parts:
            if not self._occurrences(part):
                return self._near(part)
        if not parts:
            return None
        place = self._occurrences(parts[0])[0]
        shown = _cut(self.between(place, place + len(parts[0]) - 1))
        how = f"its parts stand in it, but not in this order with at most {MAX_LEFT_OUT} words between two of them"
        return NearMiss(self.line(place), shown, (how,))

    def _near(self, part: Sequence[str]) -> NearMiss | None:
        if inside := self._occurrences(part, whole=False):
            first, last = inside[0], inside[0] + len(part) - 1
            while not self._opens[first]:
                first -= 1
            while not self._closes[last]:
                last += 1
            whole = self.between(first, last)
            return NearMiss(self.line(first), _cut(whole), ("it stands there only as part of a longer word or number",))
        need = Counter(text for text in part if text[0].isalnum())
        size, texts = len(part), self.texts
        have: Counter[str] = Counter()
        score = best = 0
        where = -1
        for at, text in enumerate(texts):
            if text in need:
                have[text] += 1
                score += have[text] <= need[text]
            gone = texts[at - size] if at >= size else ""
            if gone in need:
                score -= have[gone] <= need[gone]
                have[gone] -= 1
            if score > best:
                best, where = score, max(0, at - size + 1)
        if where < 0 or best * 2 < need.total():
            return None
        first, last = max(0, where - 8), min(len(texts), where + size + 8)
        return self._differences(part, first, last)

    def _differences(self, part: Sequence[str], first: int, last: int) -> NearMiss | None:
        matcher = SequenceMatcher(None, list(part), self.texts[first:last], autojunk=False)
        blocks = [block for block in matcher.get_matching_blocks() if block.size]
        if not blocks:
            return None
        begin = max(first, first + blocks[0].b - blocks[0].a)
        end = min(last, first + blocks[-1].b + len(part) - blocks[-1].a)
        told = []
        for tag, a, b, c, d in SequenceMatcher(None, list(part), self.texts[begin:end], autojunk=False).get_opcodes():
            quoted, there = " ".join(part[a:b]), self.between(begin + c, begin + d - 1)
            if tag == "replace":
                told.append(f"the document has {there!r}, the quote {quoted!r}")
            elif tag == "delete":
                told.append(f"the document does not have {quoted!r}")
            elif tag == "insert":
                told.append(f"the quote leaves out {there!r}")
        more = len(told) - MAX_DIFFERENCES
        told = told[:MAX_DIFFERENCES] + ([f"{more} more differences" if more > 1 else "1 more difference"] * (more > 0))
        return NearMiss(self.line(begin), _cut(self.between(begin, end - 1)), tuple(told))


def quote_parts(quote: str) -> list[list[str]]:
    """A quote's words and signs, in the parts between its ellipses; signs at an end of a part are left out."""
    parts = []
    for text in _ELLIPSIS.split(" ".join(quote.split())):
        tokens = Words(text).texts
        while tokens and tokens[-1] in _EDGE:
            tokens.pop()
        while tokens and tokens[0] in _EDGE:
            tokens.pop(0)
        if any(token[0].isalnum() for token in tokens):
            parts.append(tokens)
    return parts


def _cut(text: str) -> str:
    if len(text) <= MAX_SHOWN:
        return text
    half = MAX_SHOWN // 2
    return f"{text[:half].rstrip()} (...) {text[-half:].lstrip()}"


__all__ = ["MAX_LEFT_OUT", "NearMiss", "Passage", "Words", "lines_of", "quote_parts"]
