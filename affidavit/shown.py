"""Foreign text made safe to look at: nothing in it can move the cursor, turn the text round or hide.

Control characters, bidirectional controls and invisible characters are shown as ``<U+202E>``, never
stripped: stripping would make two values look equal.
"""

import re

#: C0 and C1 controls, bidirectional marks, embeddings and isolates (CVE-2021-42574), zero-width and other
#: invisible characters, line and paragraph separators, surrogates, non-characters of the basic plane.
UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\ufffe\uffff"
    "\U000e0000-\U000e007f]"
)


def visible(text: str, limit: int = 0) -> str:
    """The text with unsafe characters shown by their code point; cut, and said so, past ``limit`` characters."""
    left = len(text) - limit
    if limit and left > 0:
        return visible(text[:limit]) + f"... ({left:,} more characters)"
    return UNSAFE.sub(lambda match: f"<U+{ord(match[0]):04X}>", text)


_COUNTED = re.compile(r"(?<![\d,])(\d[\d,]*) ([a-z]+)\(s\)( (?:say|have|lack|lie|do|are|stand)\b)?")
_SINGULAR = {"have": "has", "do": "does", "are": "is"}


def agree(text: str) -> str:
    """The text with each ``3 row(s) say`` as ``3 rows say``, and ``1 row(s) say`` as ``1 row says``."""

    def one_or_many(match: re.Match[str]) -> str:
        number, noun, verb = match[1], match[2], (match[3] or "").strip()
        if number != "1":
            return f"{number} {noun}s" + (f" {verb}" if verb else "")
        return f"1 {noun}" + (f" {_SINGULAR.get(verb, verb + 's')}" if verb else "")

    return _COUNTED.sub(one_or_many, text)
