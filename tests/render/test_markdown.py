import re
import time

import pytest

from affidavit.render.markdown import Links, Mark, markdown, one_line
from tests.render.small import Page

LINKS = Links(
    lambda name: Mark(f"#claim-{name}", "claim verified", "✓", "verified") if name == "known" else None, ("section-1",)
)


def page(text: str, under: int = 2) -> Page:
    return Page(f"<html>{markdown(text, LINKS, under)}</html>")


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "a <b onclick=alert(1)>b</b>",
        "<div>\n\n# x\n\n</div>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](java\tscript:alert(1))",
        "[x](&#106;avascript:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        "[x](vbscript:x)",
        "[x](//evil.example/)",
        "[x](/etc/passwd)",
        "[x](../../other/index.html)",
        "[x](#not-there)",
        "[x](file:///etc/passwd)",
        "<javascript:alert(1)>",
        "![x](https://evil.example/pixel.png)",
        "![x][ref]\n\n[ref]: https://evil.example/pixel.png",
        "[x][ref]\n\n[ref]: javascript:alert(1)",
        '[x](https://example.org/ "onmouseover=alert(1)")',
        '[x](https://example.org/" onmouseover="alert(1))',
        "`<script>alert(1)</script>`",
        "```\n<script>alert(1)</script>\n```",
        "```html onload=x\n<p>\n```",
        "| <script>x</script> | b |\n|---|---|\n| <img src=x> | `</td><script>` |",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "<style>body { display: none }</style>",
        "<a href='#' id='claim-known' class='claim verified'>x</a>",
        "* {: onclick=alert(1) }",
        "\x02klzzwxh:0\x03 \x02amp\x03",
    ],
)
def test_no_html_of_an_author_survives(text):
    found = page(text)
    allowed = {"html", "p", "a", "span", "code", "pre", "div", "table", "thead", "tbody", "tr", "th", "td", "ul", "li"}
    assert {e.tag for e in found.elements} <= allowed | {"h3"}
    for element in found.elements:
        assert set(element.attributes) <= {"href", "class", "rel", "role", "tabindex", "aria-label", "scope"}
        assert "claim" not in element.classes
        if href := element.attributes.get("href"):
            assert re.match(r"https://(example\.org|evil\.example/pixel\.png)", href)


def test_what_was_written_is_still_seen():
    assert page("<script>alert(1)</script>").text == "<script>alert(1)</script>"
    assert page("a <b>b</b> c").text == "a <b>b</b> c"
    assert page("[words](javascript:x)").text == "words"


def test_links_that_are_allowed():
    found = page("[a](https://example.org/?a=1&b=2) [b](mailto:a@example.org) [c](#section-1) <https://example.net/>")
    hrefs = [e.attributes["href"] for e in found.all("a")]
    assert hrefs == ["https://example.org/?a=1&b=2", "mailto:a@example.org", "#section-1", "https://example.net/"]


def test_hidden_characters_are_seen():
    found = page("a\u202eb `c\u200bd` &#x202e;e [f\u2066](https://example.org/)\x1b")
    assert found.text == "a<U+202E>b c<U+200B>d &#x202e;e f<U+2066><U+001B>"
    assert not re.search("[\u202e\u200b\u2066\x1b]", found.html)


def test_a_claim_link_is_marked_by_shape_and_word():
    link = page("Some [313 *good* `x` certificates](claim:known).").one("a", "claim")
    assert link.attributes["href"] == "#claim-known"
    assert link.text == "313 good x certificates✓ (verified)"


@pytest.mark.parametrize(
    "text",
    [
        # The words of these are not held against the claim, so no mark may say that they are.
        "[7][ref]\n\n[ref]: claim:known",
        "[7 [8] 9](claim:known)",
        "[7](claim:unknown)",
    ],
)
def test_words_that_were_not_checked_bear_no_mark(text):
    found = page(text)
    assert not list(found.all("a"))
    assert "7" in found.text
    assert "✓" not in found.text


def test_headings_stand_below_the_one_above():
    levels = [
        e.tag
        for e in page("# a\n\n#### b\n\n## c\n\n###### d", under=3).elements
        if e.tag[0] == "h" and e.tag != "html"
    ]
    assert levels == ["h4", "h5", "h5", "h6"]
    assert [e.tag for e in page("###### a\n\n# b").elements if re.fullmatch("h[1-6]", e.tag)] == ["h3", "h3"]


def test_days_are_not_broken_and_tables_scroll():
    found = page("On 2016-01-04 and [2016-01-05](claim:known), not 12016-01-04x or `2016-01-06`.")
    assert [e.text for e in found.all("span", "nb")] == ["2016-01-04", "2016-01-05"]
    assert found.text.startswith("On 2016-01-04 and 2016-01-05✓ (verified), not 12016-01-04x or 2016-01-06.")
    table = page("| a | b |\n|---|--:|\n| 1 | 2 |").one("table")
    assert table.ancestors[-1].classes == ["scroll"]


def test_one_paragraph_and_none():
    assert one_line("just *this*") == "just <em>this</em>"
    assert one_line("one\n\ntwo").count("<p>") == 2
    assert markdown(None) == ""
    assert markdown("  \n") == ""


@pytest.mark.parametrize(
    "text",
    [
        "> " * 3000,
        "[" * 50_000,
        "[a](" * 20_000,
        "[a][" * 20_000,
        "*" * 20_000,
        "- " * 2000,
        "# \n" * 50_000,
        "a\n=\n" * 50_000,
        "x " * 200_000,
    ],
)
def test_odd_texts_end_soon_and_are_shown(text):
    start = time.process_time()
    assert "last words" in Page(f"<html>{markdown(text + 'last words')}</html>").text
    # Read as Markdown, some of these take minutes; the bound leaves room for a busy machine.
    assert time.process_time() - start < 5


def test_brackets_of_ordinary_prose_are_no_matter():
    assert markdown("See [a](https://example.org/) (or [b](https://example.org/)).\n\n" * 200).count("<a ") == 400


@pytest.mark.parametrize("entity", ["&#51;", "&#x33;", "&frac12;", "&amp;"])
@pytest.mark.parametrize("around", ["{}", "**{}**", "`{}`", "# {}", "    {}", "[{}](https://example.com/)"])
def test_entities_are_shown_as_they_were_written(entity: str, around: str) -> None:
    """A figure written as entities would stand on the page and have been checked by nobody."""
    shown = re.sub(r"<[^>]*>", "", str(markdown(around.format(entity))))
    assert shown.strip() == entity.replace("&", "&amp;")
    assert "R&amp;D" in str(markdown("R&D"))
