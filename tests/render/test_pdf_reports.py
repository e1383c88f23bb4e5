"""The founding case in print: 450 certificates stay a report that people read."""

import io
from pathlib import Path

import pikepdf

from affidavit.render.data import certificates_csv, verdicts_json
from affidavit.render.pages import render_report
from affidavit.render.pdf import report_pdf
from tests.render.test_pdf_fonts import glyphs_and_text
from tests.render.test_pdf_style import extents
from tests.shipped import shipped

ROOT = Path(__file__).parents[2]


def test_the_founding_case():
    run = shipped("wosign-2016")
    made = report_pdf(run, render_report(run, "print"), ROOT / "templates", {})
    assert made.warnings == ()
    assert made.pages <= 32
    with pikepdf.open(io.BytesIO(made.data)) as document:
        assert sorted(document.attachments) == ["certificates.csv", "incident.yaml", "verdicts.json"]
        assert document.attachments["certificates.csv"].get_file().read_bytes() == certificates_csv(run)
        assert document.attachments["verdicts.json"].get_file().read_bytes() == verdicts_json(run)
        assert document.attachments["incident.yaml"].get_file().read_bytes() == run.report.path.read_bytes()
        assert str(document.docinfo.Title) == run.report.incident.title
        glyphs, text = glyphs_and_text(document)
        assert 0 not in glyphs
        assert "沃通第三类" in text
        for page in document.pages:
            # A4, margins of 21 mm (59.5 points).
            assert all(left >= 59 and right <= 595.28 - 59 for left, right in extents(page))
