"""Messages set aside: with a reason, for a while, in sight; never a claim's verdict."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from affidavit.check.suppress import suppress
from affidavit.cli import cli
from affidavit.project import Project
from tests.test_settings import WRONG, project

DISORDER = """\
  one: {says: There are 3., over: affected, count: 3}
timeline:
- {at: 2026-11-02, text: The CA answered.}
- {at: 2026-11-01, text: The CA was asked.}
"""
"""A timeline out of order."""

TODAY = datetime.now(UTC).date()


def aside(code: str, until: date = TODAY, more: str = "") -> str:
    return f"suppress:\n- {{code: {code}, reason: The CA is being asked., until: {until.isoformat()}{more}}}\n"


def run(root: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--root", str(root), *arguments])


def test_it_is_set_aside_up_to_its_last_day(tmp_path: Path) -> None:
    today = project(tmp_path / "a", DISORDER + aside("timeline-order"))
    done = run(today, "check")
    assert done.exit_code == 0
    assert "suppressed:" in done.stdout
    assert "The CA is being asked." in done.stdout
    late = project(tmp_path / "b", DISORDER + aside("timeline-order", TODAY - timedelta(days=1)))
    done = run(late, "check")
    assert done.exit_code == 1
    assert "[timeline-order]" in done.stdout
    assert "[suppression-expired]" in done.stdout


def test_the_day_is_taken_from_the_outside_alone(tmp_path: Path) -> None:
    root = project(tmp_path, DISORDER + aside("timeline-order", date(2026, 12, 31)))
    report = Project(root).check(root / "reports/one/incident.yaml").report
    assert suppress(report, [], date(2026, 12, 31))[0][0].code == "unused-suppression"
    assert suppress(report, [], date(2027, 1, 1))[0][0].code == "suppression-expired"
    assert suppress(report, [], date(2025, 12, 29))[0][0].code == "suppression-too-long"
    assert suppress(report, [], date(2025, 12, 30))[0][0].code == "unused-suppression"


@pytest.mark.parametrize("wrong", ["refuted", "unproven"])
@pytest.mark.parametrize("code", ["count", "refuted", "unproven", "empty-scope", "every"])
def test_a_claim_s_verdict_is_never_set_aside(tmp_path: Path, wrong: str, code: str) -> None:
    done = run(project(tmp_path, WRONG[wrong] + aside(code)), "check")
    assert done.exit_code == 1
    assert f"[{'not-suppressible' if code in ('refuted', 'unproven') else 'unused-suppression'}]" in done.stdout


@pytest.mark.parametrize(
    ("more", "status"),
    [("", 0), (", claim: one", 1), (', text: "order: 2026-11-01"', 0), (', text: "order: 2026-11-03"', 1)],
)
def test_it_may_be_about_one_claim_or_some_words(tmp_path: Path, more: str, status: int) -> None:
    root = project(tmp_path, DISORDER + aside("timeline-order", more=more))
    assert run(root, "check").exit_code == status


@pytest.mark.parametrize("code", ["figure-not-stated", "quote-differs", "unknown-claim"])
def test_words_that_a_verdict_stands_beside_are_never_set_aside(tmp_path: Path, code: str) -> None:
    done = run(project(tmp_path, WRONG["rules"] + aside(code)), "check")
    assert done.exit_code == 1
    assert "[figure-not-stated]" in done.stdout
    assert "[not-suppressible]" in done.stdout


@pytest.mark.parametrize("missing", ["reason: x", "until: 2026-12-01"])
def test_reason_and_day_are_needed(tmp_path: Path, missing: str) -> None:
    root = project(tmp_path, DISORDER + f"suppress:\n- {{code: timeline-order, {missing}}}\n")
    assert run(root, "check").exit_code == 2


def test_the_report_shows_it(tmp_path: Path) -> None:
    root = project(tmp_path, DISORDER + aside("timeline-order"))
    assert run(root, "build", "--no-pdf").exit_code == 0
    page = (root / "site/one/index.html").read_text()
    assert 'id="suppressed"' in page
    assert "The CA is being asked." in page
    assert TODAY.isoformat() in page
    (one,) = json.loads((root / "site/one/verdicts.json").read_text())["suppressed"]
    assert (one["reason"], one["until"]) == ("The CA is being asked.", TODAY.isoformat())
    assert one["message"]["code"] == "timeline-order"


def test_no_suppression_holds_another_up(tmp_path: Path) -> None:
    late = aside("timeline-order", TODAY - timedelta(days=1))
    for code in ("suppression-expired", "suppression-too-long", "not-suppressible", "unused-suppression"):
        done = run(project(tmp_path / code, DISORDER + late + aside(code).partition("\n")[2]), "check")
        assert done.exit_code == 1
        assert "[suppression-expired]" in done.stdout
        assert "[not-suppressible]" in done.stdout


def test_a_reason_is_more_than_blanks_and_a_code_may_be_misspelt(tmp_path: Path) -> None:
    blank = aside("timeline-order").replace("The CA is being asked.", "'  '")
    done = run(project(tmp_path / "blank", DISORDER + blank), "check")
    assert done.exit_code == 2
    assert "it says nothing" in done.output
    done = run(project(tmp_path / "misspelt", DISORDER + aside("timeline-oder")), "check")
    assert "did you mean 'timeline-order'?" in done.stdout
