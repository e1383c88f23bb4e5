"""The program as a library: what the tutorial of the API shows, over the reports that ship."""

from pathlib import Path

import pytest

from affidavit import api

ROOT = Path(__file__).resolve().parents[1]


def test_load_check_render() -> None:
    report = api.load(ROOT / "reports/wosign-2016")
    assert report.incident.ca_owner == "WoSign"
    run = api.check(ROOT / "reports/wosign-2016/incident.yaml", pages=True)
    assert run.passes
    assert run.verdicts["both-serials"].outcome is api.Outcome.VERIFIED
    assert run.facts.tables["certificates"].num_rows > 340
    page = api.html(run)
    assert page.startswith("<!doctype html>") or page.startswith("<!DOCTYPE html>")
    assert "verified" in page


def test_strict_and_wrong_input(tmp_path: Path) -> None:
    folder = tmp_path / "reports/x"
    folder.mkdir(parents=True)
    (folder / "incident.yaml").write_text("title: x\n")
    with pytest.raises(api.InputError) as caught:
        api.check(folder)
    assert {d.code for d in caught.value.diagnostics} == {"missing-key"}
    with pytest.raises(api.InputError):
        api.load(tmp_path / "nowhere")


def test_a_notebook_may_make_the_pdf() -> None:
    assert api.pdf(api.check(str(ROOT / "reports/real-faults"), pages=True)).startswith(b"%PDF-1.7")
