"""The program as a library: what the tutorial of the API shows, over the reports that ship."""

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest

from affidavit import api
from tests.report.test_formats import INCIDENT, project

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


def test_the_page_about_it_does_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    names: dict[str, Any] = {}
    printed, shown = "", 0
    text = (ROOT / "docs/api.md").read_text("utf-8")
    for kind, content in re.findall(r"^```(python|text)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        if kind == "python":
            with contextlib.redirect_stdout(io.StringIO()) as output:
                exec(content, names)
            printed = output.getvalue()
        else:
            assert content in printed
            shown += 1
    assert shown == 5


def test_what_a_notebook_shows_is_short_and_no_markup_of_the_report(tmp_path: Path) -> None:
    root = project(tmp_path, INCIDENT.replace("says: 3 certificates", "says: 3 <b>certificates</b>"))
    run = api.check(root / "reports/small")
    assert repr(run) == "<Run small: does not pass: 1 verified, 2 refuted, 1 unproven, 1 unchecked>"
    assert repr(run.report) == "<Report small: 'A small incident', 5 claims>"
    assert len(repr(run.verdicts["right"])) < 2000
    table = run._repr_html_()
    assert table.count("<tr>") == 1 + 5
    assert "&lt;b&gt;certificates" in table
    assert "<td>refuted, and the report holds otherwise</td><td>3</td>" in table


def test_a_page_is_made_of_all_that_it_shows_or_not_at_all(tmp_path: Path) -> None:
    run = api.check(project(tmp_path, INCIDENT) / "reports/small")
    for render in (api.html, api.pdf):
        with pytest.raises(ValueError, match="pages=True"):
            render(run)


def test_names_and_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = project(tmp_path, INCIDENT)
    monkeypatch.chdir(root)
    run = api.check("small")
    assert [row["kind"] for row in api.rows(run, "right", 2)] == ["certificate"] * 2
    assert api.rows(run, "told") == []
    with pytest.raises(KeyError):
        api.rows(run, "nothing-of-that-name")
    with pytest.raises(api.InputError) as caught:
        api.check("smal")
    assert str(caught.value) == "smal: there is no such report (did you mean 'small'?)"
