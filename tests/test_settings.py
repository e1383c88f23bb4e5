"""A project's settings: what they change, what the command line changes back, and what is wrong with them."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from affidavit.cli import cli
from affidavit.project import Project, check_all
from affidavit.report.items import said
from affidavit.report.sarif import sarif
from affidavit.settings import FAIL_ON, USUAL, Policy, read_settings
from affidavit.types import InputError
from testpki.build import Authority, bundle

HEAD = """\
title: An incident
kind: analysis
date: 2026-11-23
trust: none
evidence:
  affected: {files: "*.pem"}
claims:
"""
WRONG = {
    "refuted": "  one: {says: There are 4., over: affected, count: 4}\n",
    "unproven": "  one: {says: Each is., over: affected, where: {subject_cn: none}, every: {sct_count: 1}}\n",
    "rules": "  one: {says: There are 17., over: affected, count: 3}\n",
    "loose": "  one: {says: There are 3., over: affected, count: 3}\nsummary: |\n  And 17.\n",
}


def project(folder: Path, claims: str, settings: str = "", name: str = "affidavit.toml") -> Path:
    (folder / "evidence/one").mkdir(parents=True)
    (folder / "reports/one").mkdir(parents=True)
    root = Authority.root("Test Root")
    (folder / "evidence/one/leaves.pem").write_text(bundle([root.issue(f"{n}.example") for n in range(3)]))
    (folder / "reports/one/incident.yaml").write_text(HEAD + claims)
    if settings:
        (folder / name).write_text(settings)
    return folder


def run(root: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--root", str(root), "check", *arguments])


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("fails_on", FAIL_ON)
def test_a_check_fails_on_what_it_is_told_to(tmp_path: Path, wrong: str, fails_on: str) -> None:
    root = project(tmp_path, WRONG[wrong])
    done = run(root, "--fail-on", fails_on)
    assert done.exit_code == (1 if wrong == fails_on else 0)
    # To let it through makes nothing of it pass.
    assert ("does not pass" in done.stdout) is (wrong != "loose" or fails_on == "loose")
    assert ("let through" in done.stdout) is (done.exit_code == 0 and wrong != "loose")


def test_what_is_usual(tmp_path: Path) -> None:
    found = {wrong: run(project(tmp_path / wrong, claims)).exit_code for wrong, claims in WRONG.items()}
    assert {wrong for wrong, status in found.items() if status} == USUAL


def test_a_check_that_did_not_end_is_never_let_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = project(tmp_path, WRONG["loose"])

    def broken(*_: object) -> object:
        raise ZeroDivisionError("no")

    monkeypatch.setattr("affidavit.check.assertions.count.Count.judge", broken)
    assert run(root, "--fresh", "--fail-on", "loose").exit_code == 1


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ("strict = true\n", "affidavit.toml"),
        ('fail-on = ["loose"]\n', "affidavit.toml"),
        ("[reports.one]\nstrict = true\n", "affidavit.toml"),
        ("strict = false\n[reports.one]\nstrict = true\n", "affidavit.toml"),
        ("[tool.affidavit]\nstrict = true\n", "pyproject.toml"),
        ("[tool.affidavit.reports.one]\nstrict = true\n", "pyproject.toml"),
    ],
)
def test_settings_hold_for_all_or_for_one(tmp_path: Path, settings: str, name: str) -> None:
    assert run(project(tmp_path / "with", WRONG["loose"], settings, name)).exit_code == 1
    others = project(tmp_path / "without", WRONG["loose"], "[tool.other]\nstrict = true\n", "pyproject.toml")
    assert run(others).exit_code == 0


def test_the_command_line_goes_first(tmp_path: Path) -> None:
    root = project(tmp_path, WRONG["refuted"], 'fail-on = ["loose"]\n')
    assert run(root).exit_code == 0
    assert run(root, "--fail-on", "refuted").exit_code == 1


def test_changed_settings_are_seen(tmp_path: Path) -> None:
    root = project(tmp_path, WRONG["loose"])
    assert [run(root).exit_code, run(root).exit_code] == [0, 0]
    (root / "affidavit.toml").write_text("strict = true\n")
    assert run(root).exit_code == 1


def test_a_baseline_of_the_settings_lets_old_words_be(tmp_path: Path) -> None:
    root = project(tmp_path, WRONG["rules"])
    assert run(root, "--write-baseline", str(root / "old.json")).exit_code == 0
    assert run(root).exit_code == 1
    (root / "affidavit.toml").write_text('[reports.one]\nbaseline = "old.json"\n')
    assert run(root).exit_code == 0
    (root / "old.json").write_text("{}")
    done = run(root)
    assert (done.exit_code, "old.json: error: " in done.output) == (2, True)


@pytest.mark.parametrize(
    ("settings", "place", "words"),
    [
        ("\nstrickt = true\n", "affidavit.toml:2:1", "did you mean 'strict'?"),
        ('strict = "yes"\n', "affidavit.toml:1:1", "neither true nor false"),
        ('fail-on = ["refuted", "losse"]\n', "affidavit.toml:1:1", "did you mean 'loose'?"),
        ("fail-on = []\n", "affidavit.toml:1:1", "a list of words"),
        ("[reports.onn]\nstrict = true\n", "affidavit.toml:1:10", "did you mean 'one'?"),
        ("reports = 1\n", "affidavit.toml:1:1", "a table for each report"),
        ("strict = \n", "affidavit.toml:1:10", "cannot be read"),
        ("baseline = 3\n", "affidavit.toml:1:1", "no file's name"),
        ('site-url = "javascript:alert(1)"\n', "affidavit.toml:1:1", "no address"),
        ('baseline = "a\\u0000b"\n', "affidavit.toml:1:1", "no file's name"),
        ("\x00", "affidavit.toml:1:1", "cannot be read"),
    ],
)
def test_what_is_wrong_with_them(tmp_path: Path, settings: str, place: str, words: str) -> None:
    done = run(project(tmp_path, WRONG["loose"], settings))
    assert done.exit_code == 2
    assert place in done.output
    assert words in done.output
    with pytest.raises(InputError):
        read_settings(tmp_path)


def test_a_table_is_wanted_and_windows_editors_may_mark_it(tmp_path: Path) -> None:
    done = run(project(tmp_path / "a", WRONG["loose"], '[tool]\naffidavit = "x"\n', "pyproject.toml"))
    assert done.exit_code == 2
    assert "pyproject.toml:2:1: error: a table is wanted" in done.output
    assert run(project(tmp_path / "b", WRONG["loose"], "\ufeffstrict = true\n")).exit_code == 1


def test_policies_lie_over_each_other() -> None:
    assert Policy().fails_on == USUAL
    assert Policy(strict=True).fails_on == USUAL | {"loose"}
    assert Policy(strict=False).over(Policy(True, frozenset(("refuted",)))).fails_on == {"refuted"}


def test_a_site_s_address_leads_from_each_rule_to_its_page(tmp_path: Path) -> None:
    root = project(tmp_path, WRONG["refuted"], 'site-url = "https://ca.example/incidents/"\n')
    done = run(root, "--format", "sarif")
    (rule,) = json.loads(done.stdout)["runs"][0]["tool"]["driver"]["rules"]
    assert rule["helpUri"] == "https://ca.example/incidents/codes/index.html#count"
    without = json.loads(sarif(said(check_all(Project(root), []), root)))
    assert "helpUri" not in without["runs"][0]["tool"]["driver"]["rules"][0]
