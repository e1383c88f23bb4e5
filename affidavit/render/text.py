"""Text of unknown origin made safe and visible, and the few forms in which values are written.

Certificate fields and the words of an incident file come from strangers. They are escaped, isolated from
the direction of the text around them, and characters that cannot be seen are written as ``<U+202E>``: never
dropped, since two values would then look alike.
"""

import re
import unicodedata
from collections.abc import Mapping

from markupsafe import Markup, escape

FIELD_LIMIT = 2000
"""Characters shown of a certificate's field on its own page."""

CELL_LIMIT = 160
"""Characters shown of a value in a table's cell."""

WORDS_LIMIT = 20_000
"""Characters shown of one text of the incident file."""

# Drawn as blank though they are letters by category: Hangul fillers, the braille blank.
_FILLERS = "\u115f\u1160\u2800\u3164\uffa0"
# All that str.isprintable refuses, and what it accepts but cannot be seen; then sorted out by category.
_SUSPECT = re.compile(rf"[^\x20-\x7e\u00a1-\u00ac\u00ae-\u0377]|[{_FILLERS}]")
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_VARIATION = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef\u180b-\u180d\u034f]")


def is_hidden(char: str) -> bool:
    """Whether a character is seen nowhere: a control, a direction override, zero width, a lone surrogate."""
    return unicodedata.category(char) in _HIDDEN or char in _FILLERS or bool(_VARIATION.match(char))


def code_point(char: str) -> str:
    """A character in visible form, such as ``<U+202E>``."""
    return f"<U+{ord(char):04X}>"


def visible(text: str, keep: str = "") -> str:
    """The text with each character that cannot be seen written as ``<U+XXXX>``, those of ``keep`` aside."""
    if text.isascii() and text.isprintable():
        return text
    return _SUSPECT.sub(lambda m: code_point(m[0]) if m[0] not in keep and is_hidden(m[0]) else m[0], text)


def clip(text: str, limit: int) -> str:
    """The text, cut to ``limit`` characters with the number of those left out."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]}... ({len(text) - limit:,} more characters)"


def foreign(text: str, limit: int = FIELD_LIMIT) -> Markup:
    """Text from outside as safe HTML: cut, escaped, its hidden characters visible, in a ``<bdi>``."""
    shown, rest = text[:limit], len(text) - limit
    if shown.isascii() and shown.isprintable():
        body = escape(shown)
    else:
        body = Markup("").join(
            Markup('<span class="codepoint">{}</span>').format(code_point(c)) if is_hidden(c) else c for c in shown
        )
    more = Markup('<span class="more">... ({} more characters)</span>').format(f"{rest:,}") if rest > 0 else ""
    return Markup("<bdi>{}</bdi>{}").format(body, more)


def words(text: str | None, limit: int = WORDS_LIMIT) -> Markup:
    """A text of the incident file that is one line: as ``foreign``, line breaks as blanks."""
    return foreign(" ".join((text or "").split(" ")).replace("\r\n", "\n").replace("\n", " ").strip(), limit)


def title_text(text: str, limit: int = 300) -> str:
    """A text for places that hold no markup, such as ``<title>`` or a feed."""
    return clip(visible(text.replace("\n", " ").strip()), limit)


def plural(number: int, one: str, many: str = "") -> str:
    """``1 certificate``, ``2,458 certificates``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def short_hash(digest: str) -> str:
    """The beginning of a hash; what tells certificates apart in a list."""
    return f"{digest[:12]}\u2026"


def tag(name: str, content: object, attributes: Mapping[str, str] | None = None) -> Markup:
    """An element around escaped content."""
    extra = Markup("").join(Markup(' {}="{}"').format(key, value) for key, value in (attributes or {}).items())
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), extra, content)  # noqa: S704 - name is the caller's


def link(href: str, content: object, kind: str = "") -> Markup:
    """A link to a place of this site."""
    return tag("a", content, {"href": href} | ({"class": kind} if kind else {}))


def code(content: object) -> Markup:
    """A value set in the type of code, such as a hash."""
    return tag("code", content)
