import hashlib
import io
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pikepdf
import pytest

from affidavit.incident.load import load
from affidavit.render import pdf
from affidavit.render.pdf import Attached, Pdf, RenderError, render_pdf
from affidavit.types import InputError

DATE = datetime(2026, 11, 23, tzinfo=UTC)
STYLE = "@page { size: A4; @bottom-right { content: counter(page) ' / ' counter(pages) } }"


def page(body: str, head: str = '<link rel="stylesheet" href="print.css">') -> str:
    return f'<!doctype html><html lang="en"><head><title>t</title>{head}</head><body>{body}</body></html>'


BODY = '<h1 id="a">One</h1><p>Text <a href="#b">to</a>.</p><h2 id="b">Two</h2><p>証明書 证书</p>'


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "print.css").write_text(STYLE, encoding="utf-8")
    return folder


def render(html: str, base: Path, *files: Attached) -> Pdf:
    return render_pdf(html, base=base, name="x/report.pdf", title="Some title", date=DATE, attachments=files)


def opened(made: Pdf) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(made.data))


FILES = (
    Attached("verdicts.json", b'{"a": 1}\n', "Claims and their verdicts", "application/json", "Data"),
    Attached("incident.yaml", "title: 证书\n".encode(), "Its source", "application/yaml", "Source"),
)

TWICE = """
import sys, hashlib
from pathlib import Path
from tests.render.test_pdf import BODY, FILES, page, render
sys.stdout.write(hashlib.sha256(render(page(BODY), Path(sys.argv[1]), *FILES).data).hexdigest())
"""


def test_same_bytes_in_another_process_under_another_hash_seed_zone_and_clock(templates: Path):
    here = hashlib.sha256(render(page(BODY), templates, *FILES).data).hexdigest()
    root = Path(__file__).parents[2]
    env = os.environ | {"PYTHONHASHSEED": "7", "TZ": "Asia/Shanghai", "PYTHONPATH": str(root)}
    call = [sys.executable, "-c", TWICE, str(templates)]
    done = subprocess.run(call, capture_output=True, text=True, env=env, check=True, cwd=root)
    assert done.stdout == here


def test_title_language_dates_tags_and_bookmarks(templates: Path):
    with opened(render(page(BODY), templates)) as document:
        info = document.trailer.Info
        assert str(info.Title) == "Some title"
        assert str(info.CreationDate) == str(info.ModDate) == "D:20261123000000Z"
        assert str(document.Root.Lang) == "en"
        assert bool(document.Root.MarkInfo.Marked)
        assert "/StructTreeRoot" in document.Root
        with document.open_outline() as outline:
            top = list(outline.root)
        assert [(item.title, [child.title for child in item.children]) for item in top] == [("One", ["Two"])]
        assert len(document.trailer.ID) == 2


def test_attachments_are_there_and_equal(templates: Path):
    with opened(render(page(BODY), templates, *FILES)) as document:
        assert sorted(document.attachments) == ["incident.yaml", "verdicts.json"]
        for file in FILES:
            found = document.attachments[file.name]
            assert found.get_file().read_bytes() == file.data
            assert found.description == file.description
            assert found.get_file().mime_type == file.media_type
            assert str(found.obj.AFRelationship) == f"/{file.relationship}"
            assert str(found.get_file().obj.Params.CreationDate) == "D:20261123000000Z"
        assert [str(one.UF) for one in document.Root.AF] == ["incident.yaml", "verdicts.json"]


def test_the_identifier_follows_the_content(templates: Path):
    with opened(render(page(BODY), templates)) as one, opened(render(page(BODY + "x"), templates)) as other:
        assert bytes(one.trailer.ID[0]) != bytes(other.trailer.ID[0])
    own = b"0123456789abcdef"
    made = render_pdf(page(BODY), base=templates, name="x", title="t", date=DATE, identifier=own)
    with opened(made) as document:
        assert bytes(document.trailer.ID[0]) == own


@pytest.mark.parametrize(
    "reference",
    [
        "http://127.0.0.1:9/x.css",
        "https://example.org/x.css",
        "ftp://example.org/x.css",
        "file:///etc/passwd",
        "file:///etc/passwd.css",
        "data:text/css,p{}",
        "../secret.css",
        "%2e%2e/secret.css",
        "/../secret.css",
        "..%5csecret.css",
        "link.css",
        "print.css.txt",
        "missing.css",
        "//example.org/x.css",
    ],
)
@pytest.mark.parametrize("way", ["link", "import", "image", "attachment"])
def test_nothing_is_fetched_but_the_templates_own_style_sheets(templates: Path, reference: str, way: str):
    (templates.parent / "secret.css").write_text("p { color: red }", encoding="utf-8")
    (templates / "print.css.txt").write_text("p { color: red }", encoding="utf-8")
    (templates / "link.css").symlink_to(templates.parent / "secret.css")
    html = {
        "link": page("x", f'<link rel="stylesheet" href="{reference}">'),
        "import": page("x", f'<style>@import url("{reference}");</style>'),
        "image": page(f'<img alt="" src="{reference}">'),
        "attachment": page("x", f'<link rel="attachment" href="{reference}">'),
    }[way]
    with pytest.raises(RenderError) as caught:
        render(html, templates)
    assert caught.value.diagnostics[0].code == "fetch-refused"
    assert caught.value.diagnostics[0].pos.file == "x/report.pdf"


def test_a_base_element_does_not_move_the_templates(templates: Path):
    head = '<base href="http://127.0.0.1:9/"><link rel="stylesheet" href="print.css">'
    with pytest.raises(RenderError, match="refused to fetch http://127"):
        render(page(BODY, head), templates)


def test_style_sheets_of_an_earlier_folder_win(templates: Path, tmp_path: Path):
    own = tmp_path / "own"
    own.mkdir()
    (own / "print.css").write_text("@page { size: A5 }", encoding="utf-8")
    made = render_pdf(page(BODY), base=[own, templates], name="x", title="t", date=DATE)
    with opened(made) as document:
        # A5 is 148 mm wide: 419.5 points.
        assert round(float(document.pages[0].mediabox[2])) == 420


@pytest.mark.parametrize(
    ("html", "message"),
    [
        (page('<p style="colour: red">x</p>'), "colour"),
        (page('<a href="#nowhere">x</a>'), "nowhere"),
        (page('<p id="a">x</p><p id="a">y</p><a href="#a">z</a>'), "defined twice"),
        (page("x").replace(' lang="en"', ""), "lang"),
    ],
)
def test_what_the_renderer_would_pass_over_fails_and_names_the_page(templates: Path, html: str, message: str):
    with pytest.raises(RenderError) as caught:
        render(html, templates)
    assert any(message in d.message for d in caught.value.diagnostics)
    assert {d.pos.file for d in caught.value.diagnostics} == {"x/report.pdf"}


def test_a_message_of_another_thread_or_an_earlier_document_does_not_count(templates: Path):
    with pytest.raises(RenderError):
        render(page('<p style="colour: red">x</p>'), templates)
    assert render(page(BODY), templates).warnings == ()


def test_links_that_lead_nowhere_from_a_pdf_are_taken_away(templates: Path):
    body = (
        '<a href="https://example.org/x">a</a> <a href="mailto:a@example.org">b</a> '
        '<a href="javascript:x()">c</a> '
        '<a href="certificates/x/">d</a> <a href="file:///etc/passwd">e</a> <a href="//example.org/">f</a>'
    )
    with opened(render(page(body), templates)) as document:
        uris = [str(annotation.A.URI) for annotation in document.pages[0].Annots]
    assert uris == ["https://example.org/x", "mailto:a@example.org"]


def test_no_path_of_this_machine_in_the_document(templates: Path):
    made = render(page(BODY), templates, *FILES)
    with opened(made) as document:
        buffer = io.BytesIO()
        document.save(
            buffer,
            stream_decode_level=pikepdf.StreamDecodeLevel.all,
            object_stream_mode=pikepdf.ObjectStreamMode.disable,
        )
    assert str(templates.parent).encode() not in buffer.getvalue()


def report(tmp_path: Path, date: str):
    path = tmp_path / "reports" / "small" / "incident.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(
        f"title: t\nkind: analysis\ndate: {date}\ntimezone: Asia/Shanghai\ntrust: none\n"
        "evidence: {a: {files: a.pem}}\nclaims: {c: {says: Some., unchecked: why}}\n",
        encoding="utf-8",
    )
    return load(path, tmp_path, tmp_path)


@pytest.mark.parametrize(
    ("date", "epoch", "expected"),
    [
        ("2026-11-23", None, datetime(2026, 11, 23, tzinfo=UTC)),
        ("2026-11-23T01:00+08:00", None, datetime(2026, 11, 22, 17, tzinfo=UTC)),
        # 1,451,606,400 s is 2016-01-01T00:00:00Z.
        ("2026-11-23", "1451606400", datetime(2016, 1, 1, tzinfo=UTC)),
        ("2015-11-23", "1451606400", datetime(2015, 11, 23, tzinfo=UTC)),
    ],
)
def test_the_date_is_the_reports_own_bounded_by_source_date_epoch(
    tmp_path: Path, date: str, epoch: str | None, expected: datetime
):
    environ = {} if epoch is None else {"SOURCE_DATE_EPOCH": epoch}
    assert pdf.document_date(report(tmp_path, date), environ) == expected


@pytest.mark.parametrize("epoch", ["", "now", "-1", "1e9", " 1", "\uff11", "9" * 12, "9" * 5000])
def test_a_malformed_source_date_epoch_is_an_error(tmp_path: Path, epoch: str):
    with pytest.raises(InputError, match="SOURCE_DATE_EPOCH"):
        pdf.document_date(report(tmp_path, "2026-11-23"), {"SOURCE_DATE_EPOCH": epoch})
