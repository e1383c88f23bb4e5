"""Text of unknown origin made safe and visible, and the few forms in which values are written.

Certificate fields and the words of an incident file come from strangers. They are escaped, isolated from
the direction of the text around them, and characters that cannot be seen are written as ``<U+202E>``: never
dropped, since two values would then look alike.
"""

import re
from collections.abc import Mapping

from markupsafe import Markup, escape

from affidavit.shown import UNSAFE, visible

FIELD_LIMIT = 2000
"""Characters shown of a certificate's field on its own page."""

CELL_LIMIT = 160
"""Characters shown of a value in a table's cell."""

WORDS_LIMIT = 20_000
"""Characters shown of one text of the incident file."""

DATE = re.compile(r"(?<![\w-])\d{4}-\d{2}-\d{2}(?![\d-])")
"""A day, which no line should break."""


def code_point(char: str) -> str:
    """A character in visible form, such as ``<U+202E>``."""
    return f"<U+{ord(char):04X}>"


def foreign(text: str, limit: int = FIELD_LIMIT) -> Markup:
    """Text from outside as safe HTML: cut, escaped, its hidden characters visible, in a ``<bdi>``; empty for none."""
    if not text:
        return Markup("")
    left = len(text) - limit
    body, done = Markup(""), 0
    shown = text[:limit]
    for match in UNSAFE.finditer(shown):
        body += escape(shown[done : match.start()])
        body += Markup('<span class="codepoint">{}</span>').format(code_point(match[0]))
        done = match.end()
    body += escape(shown[done:])
    body = Markup(DATE.sub(r'<span class="nb">\g<0></span>', str(body)))  # noqa: S704 - digits and hyphens within escaped text
    more = Markup('<span class="more">... ({} more characters)</span>').format(f"{left:,}") if left > 0 else Markup("")
    return Markup("<bdi>{}</bdi>{}").format(body, more)


def words(text: str | None, limit: int = WORDS_LIMIT) -> Markup:
    """A text of the incident file that is one line: as ``foreign``, line breaks as blanks."""
    return foreign(" ".join((text or "").splitlines()).strip(), limit)


def title_text(text: str, limit: int = 300) -> str:
    """A text for places that hold no markup, such as ``<title>`` or a feed."""
    return visible(" ".join(text.split()), limit)


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
