"""The style sheet that ships, over a page with everything that it knows."""

import io
from datetime import UTC, datetime
from pathlib import Path

import pikepdf
import pytest

from affidavit.render.pdf import Pdf, render_pdf
from tests.render.test_pdf_fonts import glyphs_and_text

TEMPLATES = Path(__file__).parents[2] / "templates"
NOTE = "Reconstructed, not the original certificates."
HASH = "0123456789abcdef" * 4


def claim(number: int) -> str:
    return (
        f'<article class="entry refuted" id="claim-{number}"><h3>Claim number {number}</h3>'
        '<p class="meta"><span class="verdict refuted">\u2717 refuted</span></p><div class="fold">'
        '<table class="findings"><colgroup><col class="w-stated"><col></colgroup><thead>'
        '<tr><th scope="col">Stated</th><th scope="col">Observed</th></tr></thead><tbody>'
        f'<tr><td><code class="hash">{HASH}</code></td><td>{HASH}{HASH}</td></tr></tbody></table>'
        f'<p class="basis">given</p><pre><code>SELECT\n  {HASH}{HASH}</code></pre></div></article>'
    )


@pytest.fixture(scope="module")
def made() -> Pdf:
    claims = "".join(claim(number) for number in range(20))
    contents = "".join(f'<li><a href="#claim-{number}">To {number}</a></li>' for number in range(20))
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>t</title>'
        f'<link rel="stylesheet" href="print.css"></head><body><p class="running-note">{NOTE}</p>'
        '<section class="cover"><p class="kind">Analysis</p><h1>Title of it</h1><dl><div><dt>Date</dt>'
        '<dd>2026-11-23</dd></div></dl><aside class="evidence-note"><p>A note.</p></aside><h2>Verdicts</h2>'
        '<ul class="tally"><li class="verified"><span class="number">29</span> verified</li></ul></section>'
        f'<nav class="contents"><h2>Contents</h2><ol><li><a href="#claims">Claims</a><ol>{contents}</ol></li></ol>'
        f'</nav><main><section><h2 id="claims">Claims of it</h2>{claims}</section>'
        "<section><h2>Last</h2><p>沃通</p></section></main></body></html>"
    )
    return render_pdf(html, base=TEMPLATES, name="x/report.pdf", title="t", date=datetime(2026, 11, 23, tzinfo=UTC))


def texts(made: Pdf) -> list[str]:
    """The text of each page."""
    found = []
    with pikepdf.open(io.BytesIO(made.data)) as document:
        for page in document.pages:
            one = pikepdf.new()
            one.pages.append(page)
            found.append(glyphs_and_text(one)[1])
    return found


def test_no_message_and_several_pages(made: Pdf):
    assert made.warnings == ()
    assert made.pages > 4


def test_running_heads_note_and_page_numbers(made: Pdf):
    pages = texts(made)
    assert len(pages) == made.pages
    assert all(NOTE in text for text in pages)
    assert f"1 / {made.pages}" not in pages[0]
    for number, text in enumerate(pages[1:], 2):
        assert f"{number} / {made.pages}" in text
        assert "Title of it" in text
    assert pages[3].count("Claims of it") == 1


def test_the_contents_name_the_pages(made: Pdf):
    pages = texts(made)
    for number in (0, 9, 19):
        heading = f"Claim number {number}\u2717"
        (page,) = [n for n, text in enumerate(pages, 1) if heading in text.replace(" \u2717", "\u2717")]
        entry = pages[1].split(f"To {number}", 1)[1]
        assert entry.lstrip(". ").startswith(str(page))


def test_headings_are_bookmarks(made: Pdf):
    with pikepdf.open(io.BytesIO(made.data)) as document, document.open_outline() as outline:
        tops = [item.title for item in outline.root]
        assert tops == ["Contents", "Claims of it", "Last"]
        assert [child.title for child in outline.root[1].children] == [f"Claim number {n}" for n in range(20)]


def test_nothing_is_drawn_beyond_the_margins(made: Pdf):
    # A4 is 595.28 points wide; the margins of all pages are 21 mm, 59.5 points, or more.
    with pikepdf.open(io.BytesIO(made.data)) as document:
        for page in document.pages:
            assert [round(float(side)) for side in page.mediabox] == [0, 0, 595, 842]
            for left, right in extents(page):
                assert left >= 59
                assert right <= 595.28 - 59


def extents(page: pikepdf.Page) -> list[tuple[float, float]]:
    """Left and right end of every piece of text, in points."""
    found = []
    matrix, stack = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0), []
    widths: dict[int, float] = {}
    size, scale, start = 0.0, 1.0, 0.0
    for instruction in pikepdf.parse_content_stream(page):
        if not isinstance(instruction, pikepdf.ContentStreamInstruction):
            continue
        operands, operator = list(instruction.operands), str(instruction.operator)
        if operator == "q":
            stack.append(matrix)
        elif operator == "Q":
            matrix = stack.pop()
        elif operator == "cm":
            a, b, c, d, e, f = (float(x) for x in operands)
            p, q, r, s, t, u = matrix
            matrix = (a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u)
        elif operator == "Tf":
            widths, size = font_widths(page.Resources.Font[str(operands[0])]), float(operands[1])
        elif operator == "Tm":
            scale, start = float(operands[0]), float(operands[4])
        elif operator == "TJ":
            advance = 0.0
            for piece in operands[0].as_list():
                if isinstance(piece, pikepdf.String):
                    raw = bytes(piece)
                    numbers = (int.from_bytes(raw[i : i + 2], "big") for i in range(0, len(raw), 2))
                    advance += sum(widths.get(number, 1000) for number in numbers)
                else:
                    advance -= float(piece)
            end = start + advance / 1000 * size * scale
            found.append((start * matrix[0] + matrix[4], end * matrix[0] + matrix[4]))
    assert found
    return found


def font_widths(font: pikepdf.Object) -> dict[int, float]:
    """Widths by glyph number, from the array W of a CID font (ISO 32000-2, 9.7.4.3)."""
    found: dict[int, float] = {}
    array = font.DescendantFonts[0].W.as_list()
    for first, values in zip(array[::2], array[1::2], strict=True):
        found.update({int(first) + k: float(value) for k, value in enumerate(values.as_list())})
    return found
