"""Authors' Markdown to safe HTML.

No HTML of an author survives: it is shown as the text that it is. What Markdown itself yields passes an
allow-list (nh3). A ``claim:`` link is marked with its claim's verdict, by shape and word, not by colour alone;
only links whose words were held against the claim (check/prose.py) are marked.
"""

import re
import xml.etree.ElementTree as ET  # builds elements; parses nothing
from collections.abc import Callable, Collection
from dataclasses import dataclass

import nh3
from markdown import Markdown
from markdown.extensions import Extension
from markdown.treeprocessors import Treeprocessor
from markdown.util import AMP_SUBSTITUTE
from markupsafe import Markup, escape

from affidavit.check.prose import claim_links
from affidavit.render.text import DATE, code_point
from affidavit.shown import UNSAFE

MAX_CHARACTERS = 300_000
MAX_HEADINGS = 500
MAX_DEPTH = 50
"""Beyond these a text is shown as it was written: its characters, headings, and brackets open at once."""

_ENTITY = re.compile(r"&(?=(?:#[0-9]+|#x[0-9a-f]+|[0-9a-z]+);)", re.IGNORECASE)
_HEADING = re.compile(r"h([1-6])")
_HEADING_LINE = re.compile(r"^ {0,3}(?:#|=+ *$|-+ *$)", re.MULTILINE)
_EXTERNAL = re.compile(r"(?:https?://|mailto:)[^\s]+", re.IGNORECASE)
_HIDDEN = re.compile(rf"(?![\n\t]){UNSAFE.pattern}")
_TAGS = {
    "a", "abbr", "blockquote", "br", "code", "dd", "del", "div", "dl", "dt", "em", "h2", "h3", "h4", "h5", "h6",
    "hr", "li", "ol", "p", "pre", "span", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_ATTRIBUTES = {
    "a": {"href", "class"},
    "span": {"class", "aria-hidden"},
    "div": {"class", "role", "tabindex", "aria-label"},
    "ol": {"start"},
    "td": {"class"},
    "th": {"class", "scope"},
}


@dataclass(frozen=True, slots=True)
class Mark:
    """How a link to a claim is shown: classes, the shape that stands after the words, and words for a reader aloud."""

    href: str
    classes: str
    shape: str
    spoken: str


@dataclass(frozen=True)
class Links:
    """What links may lead to: claims by name, and the page's own anchors."""

    mark: Callable[[str], Mark | None] = lambda _: None
    anchors: Collection[str] = ()


def _plain(text: str) -> str:
    return "".join(c for c in text if c.isalnum())


class _Tidy(Treeprocessor):
    """Links checked and marked, headings moved below the heading that they stand under, tables made to scroll."""

    def __init__(self, md: Markdown, links: Links, under: int, source: str) -> None:
        super().__init__(md)
        self.links, self.under = links, under
        self.held = {(one.claim, _plain(one.words)) for one in claim_links(source)}

    def run(self, root: ET.Element) -> None:
        level = self.under
        offset = 0
        for element in root.iter():
            if match := _HEADING.fullmatch(element.tag):
                stated = int(match[1])
                if level == self.under:
                    offset = self.under + 1 - stated
                # One step down at most, and never above the first heading of the text.
                level = max(self.under + 1, min(stated + offset, level + 1, 6))
                element.tag = f"h{min(level, 6)}"
            elif element.tag == "a":
                self._link(element)
            elif element.tag in ("th", "td"):
                self._cell(element)
            if element.tag != "code":  # there it is done
                element.text = _without_entities(element.text)
            element.tail = _without_entities(element.tail)
        self._wrap_tables(root)
        self._keep_dates(root)

    def _keep_dates(self, parent: ET.Element) -> None:
        """Days in spans that no line breaks; code aside, which breaks where it must."""
        for child in list(parent):
            if child.tag not in ("code", "pre"):
                self._keep_dates(child)
            if child.tail and (spans := _dates(child.tail)):
                child.tail, at = spans[0], list(parent).index(child) + 1
                parent[at:at] = spans[1]
        if parent.text and (spans := _dates(parent.text)):
            parent.text = spans[0]
            parent[0:0] = spans[1]

    def _cell(self, element: ET.Element) -> None:
        if (style := element.attrib.pop("style", "")) and (match := re.search(r"text-align: (right|center)", style)):
            element.set("class", match[1])
        if element.tag == "th":
            element.set("scope", "col")

    def _wrap_tables(self, parent: ET.Element) -> None:
        for index, child in enumerate(list(parent)):
            if child.tag == "table":
                box = ET.Element("div", {"class": "scroll", "role": "region", "tabindex": "0", "aria-label": "Table"})
                box.tail, child.tail = child.tail, None
                box.append(child)
                parent[index] = box
            else:
                self._wrap_tables(child)

    def _link(self, element: ET.Element) -> None:
        href = element.get("href", "").strip()
        element.attrib.clear()
        if href.startswith("claim:"):
            name = href.removeprefix("claim:")
            mark = self.links.mark(name)
            if mark is None or (name, _plain(self._words(element))) not in self.held:
                element.tag = "span"
                return
            element.set("href", mark.href)
            element.set("class", mark.classes)
            shape = ET.SubElement(element, "span", {"class": "mark", "aria-hidden": "true"})
            shape.text = mark.shape
            spoken = ET.SubElement(element, "span", {"class": "visually-hidden"})
            spoken.text = f" ({mark.spoken})"
        elif _EXTERNAL.fullmatch(href) or (href.startswith("#") and href[1:] in self.links.anchors):
            element.set("href", href)
        else:
            element.tag = "span"

    def _words(self, element: ET.Element) -> str:
        """The link's words as Markdown wrote them; placeholders of code and escapes resolved."""
        text = "".join(element.itertext())
        text = re.sub("\x02(\\d+)\x03", lambda m: chr(int(m[1])), text)
        return re.sub("\x02(?:wzxhzdk|klzzwxh):\\d+\x03", "", text)


def _without_entities(text: str | None) -> str | None:
    """The text as it was written: ``&#51;`` would else be shown as a figure that nobody has checked."""
    return _ENTITY.sub(f"{AMP_SUBSTITUTE}amp;", text) if text else text


def _dates(text: str) -> tuple[str, list[ET.Element]] | None:
    """The text before the first day, and a span for each day with the text that follows it; None without days."""
    found = list(DATE.finditer(text))
    if not found:
        return None
    spans = []
    for match, following in zip(found, [*found[1:], None], strict=True):
        span = ET.Element("span", {"class": "nb"})
        span.text = match[0]
        span.tail = text[match.end() : following.start() if following else len(text)]
        spans.append(span)
    return text[: found[0].start()], spans


class _Plain(Extension):
    """Markdown without raw HTML, images and entities, and with our links."""

    def __init__(self, links: Links, under: int, source: str) -> None:
        super().__init__()
        self.links, self.under, self.source = links, under, source

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - the library's name
        md.preprocessors.deregister("html_block")
        # `automail` writes addresses as entities, which would hide them from the check of links.
        for name in ("html", "entity", "automail", "image_link", "image_reference", "short_image_ref"):
            md.inlinePatterns.deregister(name)
        # Below the inline patterns (20), which make the links, and above `prettify` (10).
        md.treeprocessors.register(_Tidy(md, self.links, self.under, self.source), "affidavit", 15)


def markdown(text: str | None, links: Links | None = None, under: int = 2) -> Markup:
    """Markdown as safe HTML; empty for empty text.

    ``under``: level of the heading that the text stands below. A text too long or nested too deeply to be read
    as Markdown in good time is shown as it was written.
    """
    if not text or not text.strip():
        return Markup("")
    if _too_odd(text):
        return _as_written(text)
    # Markdown keeps its own places with control characters and would drop an author's silently.
    source = "".join(code_point(c) if c < " " and c not in "\t\n\r" else c for c in text)
    reader = Markdown(
        extensions=["tables", "sane_lists", "fenced_code", _Plain(links or Links(), under, source)],
        output_format="html",
    )
    try:
        html = reader.convert(source.encode("utf-8", "replace").decode())
    except RecursionError:
        return _as_written(text)
    clean = nh3.clean(
        html, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes={"http", "https", "mailto"}, link_rel="noreferrer"
    )
    return Markup(_show_hidden(clean))  # noqa: S704 - sanitised above


def _as_written(text: str) -> Markup:
    return Markup("<pre>{}</pre>").format(_HIDDEN.sub(lambda match: code_point(match[0]), text))


def _too_odd(text: str) -> bool:
    """Whether the library would take time that grows with the square of what is repeated here, or worse."""
    if len(text) > MAX_CHARACTERS or len(_HEADING_LINE.findall(text)) > MAX_HEADINGS:
        return True
    for opening, closing in ("[]", "()"):
        depth = 0
        for char in re.findall(rf"[\{opening}\{closing}]", text):
            depth = depth + 1 if char == opening else max(0, depth - 1)
            if depth > MAX_DEPTH:
                return True
    return False


def _show_hidden(html: str) -> str:
    """Hidden characters of sanitised HTML made visible."""
    return _HIDDEN.sub(lambda match: str(escape(code_point(match[0]))), html)


def one_line(text: str | None, links: Links | None = None, under: int = 2) -> Markup:
    """Markdown of a single paragraph without its ``<p>``; longer text as it is."""
    html = markdown(text, links, under).strip()
    if html.startswith("<p>") and html.endswith("</p>") and html.count("<p>") == 1:
        return Markup(html[3:-4])  # noqa: S704 - sanitised above
    return Markup(html)  # noqa: S704 - sanitised above
