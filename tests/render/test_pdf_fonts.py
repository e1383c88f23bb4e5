import io
from datetime import UTC, datetime
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pikepdf
import pytest
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

from affidavit.render import fonts
from affidavit.render.fonts import Coverage
from affidavit.render.pdf import Pdf, render_pdf

DATE = datetime(2026, 11, 23, tzinfo=UTC)
CHINESE = "沃通第三类证书\uff1a序列号重复\uff0c签发日期倒填。"


def made(body: str, base: Path) -> Pdf:
    html = f'<!doctype html><html lang="en"><head><title>t</title></head><body>{body}</body></html>'
    return render_pdf(html, base=base, name="x/report.pdf", title="t", date=DATE)


def glyphs_and_text(document: pikepdf.Pdf) -> tuple[list[int], str]:
    """Every glyph number shown on the pages, and the text that the fonts' ToUnicode maps give for them."""
    glyphs: list[int] = []
    text = ""
    for page in document.pages:
        maps = {}
        for name, font in page.Resources.Font.items():
            assert str(font.Encoding) == "/Identity-H", "a font lacks a glyph that the text needs"
            maps[name] = to_unicode(font.ToUnicode.read_bytes().decode("ascii"))
        current = {}
        for instruction in pikepdf.parse_content_stream(page):
            if not isinstance(instruction, pikepdf.ContentStreamInstruction):
                continue
            operands, operator = list(instruction.operands), str(instruction.operator)
            if operator == "Tf":
                current = maps[str(operands[0])]
            shown = list(operands[0].as_list()) if operator == "TJ" else operands if operator == "Tj" else []
            for piece in shown:
                if isinstance(piece, pikepdf.String):
                    raw = bytes(piece)
                    numbers = [int.from_bytes(raw[i : i + 2], "big") for i in range(0, len(raw), 2)]
                    glyphs += numbers
                    text += "".join(current.get(number, "") for number in numbers)
    return glyphs, text


def to_unicode(cmap: str) -> dict[int, str]:
    found = {}
    for line in cmap.splitlines():
        words = line.split()
        if len(words) == 2 and all(word.startswith("<") and word.endswith(">") for word in words):
            code, value = (word.strip("<>") for word in words)
            if len(code) == 4 and value:
                found[int(code, 16)] = bytes.fromhex(value).decode("utf-16-be", "ignore")
    return found


def test_chinese_comes_out_as_text_and_no_glyph_is_notdef(tmp_path: Path):
    document = made(f"<p>{CHINESE}</p><p><b>{CHINESE}</b> <code>{CHINESE}</code> plain</p>", tmp_path)
    assert document.warnings == ()
    with pikepdf.open(io.BytesIO(document.data)) as opened:
        glyphs, text = glyphs_and_text(opened)
        assert text.replace(" ", "").count(CHINESE) == 3
        assert len(glyphs) > 3 * len(CHINESE)
        assert 0 not in glyphs
        # The glyphs are in the embedded font files, with outlines.
        for font in opened.pages[0].Resources.Font.values():
            descriptor = font.DescendantFonts[0].FontDescriptor
            stream = descriptor.FontFile3 if "/FontFile3" in descriptor else descriptor.FontFile2
            inner = TTFont(io.BytesIO(stream.read_bytes()))
            assert inner["maxp"].numGlyphs > 1


@pytest.mark.parametrize("point", [0xE123, 0xE0F00, 0x0378, 0xEFFFF])
def test_a_character_without_a_glyph_is_shown_and_reported(tmp_path: Path, point: int):
    document = made(f"<p>before {chr(point)} after</p><p>{chr(point)}</p>", tmp_path)
    warning = document.warnings[0]
    assert warning.severity == "warning"
    assert warning.pos.file == "x/report.pdf"
    assert f"U+{point:04X}" in warning.message
    assert f"before <U+{point:04X}> after" in warning.message
    assert "2 times" in warning.message
    assert warning.hint
    with pikepdf.open(io.BytesIO(document.data)) as opened:
        glyphs, text = glyphs_and_text(opened)
    assert text.count(f"<U+{point:04X}>") == 2
    assert 0 not in glyphs


def test_a_glyph_that_a_font_only_claims_to_have_is_found_while_drawing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    everything = Coverage([(0, 0x10FFFF)])
    monkeypatch.setattr("affidavit.render.pdf.installed_coverage", lambda: everything)
    document = made("<p>a \ue123 b</p>", tmp_path)
    assert [w.code for w in document.warnings] == ["no-glyph"]
    with pikepdf.open(io.BytesIO(document.data)) as opened:
        glyphs, text = glyphs_and_text(opened)
    assert "<U+E123>" in text
    assert 0 not in glyphs


def test_ranges_as_fontconfig_prints_them():
    ranges = list(fonts.parse_ranges("20-7e a0 1f600-1f64f"))
    assert ranges == [(0x20, 0x7E), (0xA0, 0xA0), (0x1F600, 0x1F64F)]
    coverage = Coverage([(0x20, 0x7E), (0x70, 0x80), (0x81, 0x90), (0xA0, 0xA0)])
    for point in (0x20, 0x7F, 0x85, 0x90, 0xA0):
        assert point in coverage
    for point in (0x1F, 0x91, 0x9F, 0xA1, 0x10FFFF):
        assert point not in coverage


def test_the_installed_fonts_cover_latin_and_chinese_and_no_private_use():
    coverage = fonts.installed_coverage()
    assert fonts.uncovered("A certificate, 沃通 \u2013 “signed”…", coverage) == set()
    assert fonts.uncovered("a\u200bb\u00adc\td\n", coverage) == set()
    assert fonts.uncovered("\ue123\x07", coverage) == {0xE123, 7}


def test_scripts_styles_and_the_title_are_left_alone():
    root = fromstring("<html><title>\ue123</title><style>\ue123</style><p>\ue123<b>x</b>\ue123</p></html>")
    missing = fonts.show_missing(root, Coverage([(0x20, 0x7E)]))
    assert [(one.point, one.times) for one in missing] == [(0xE123, 2)]
    title, style, paragraph = root
    assert title.text == style.text == "\ue123"
    assert paragraph.text == paragraph[0].tail == "<U+E123>"


def test_only_so_many_are_named():
    root = fromstring("<p>" + "".join(chr(0xE000 + i) for i in range(50)) + "</p>")
    missing = fonts.show_missing(root, Coverage([(0x20, 0x7E)]))
    told = fonts.missing_diagnostics(missing, "x")
    assert len(told) == fonts.MAX_NAMED + 1
    assert told[-1].message == "30 more characters have no glyph"


@pytest.mark.parametrize(
    ("char", "words"),
    [
        ("\ue123", "private-use"),
        ("\u0378", "not assigned"),
        ("证", "fonts-noto-cjk"),
        ("ก", "fonts-noto-core"),
        ("\U0001f600", "fonts-noto-color-emoji"),
        ("\u202e", "control or format"),
    ],
)
def test_advice(char: str, words: str):
    assert words in fonts.advice(ord(char))
