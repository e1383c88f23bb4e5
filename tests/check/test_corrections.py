"""Corrections: what changed since an earlier edition, and whether the report explains it."""

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from affidavit.cli import cli
from affidavit.project import Project
from affidavit.render.pages import render_report
from testpki.build import Authority, bundle
from tests.test_settings import project as small

ROOT = Authority.root("Test Root")
INCIDENT = """\
title: A small incident
kind: analysis
date: 2026-01-10
trust: none
evidence:
  affected: {files: "*.pem"}
claims:
  how-many: {says: 3 certificates are affected., over: affected, count: 3}
  keys: {says: All have EC keys., over: affected, every: {key_type: EC}}
"""
CORRECTION = """\
corrections:
  - {claim: how-many, date: 2026-01-20, was: 3 certificates, because: One more was found in a backup.}
"""


def project(folder: Path, incident: str = INCIDENT) -> Path:
    evidence, report = folder / "evidence/small", folder / "reports/small"
    evidence.mkdir(parents=True)
    report.mkdir(parents=True)
    (evidence / "leaves.pem").write_text(bundle([ROOT.issue(f"{n}.example") for n in "abc"]))
    (report / "incident.yaml").write_text(incident)
    return folder


def run(root: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--root", str(root), "check", *arguments])


def later(root: Path, incident: str, *, certificates: int = 4) -> None:
    """The next edition: another date, and as many certificates."""
    names = "abcdefgh"[:certificates]
    (root / "evidence/small/leaves.pem").write_text(bundle([ROOT.issue(f"{n}.example") for n in names]))
    (root / "reports/small/incident.yaml").write_text(incident.replace("date: 2026-01-10", "date: 2026-01-21"))


FOUR = INCIDENT.replace("says: 3 cert", "says: 4 cert").replace("count: 3", "count: 4")


@pytest.fixture
def published(tmp_path: Path) -> tuple[Path, str]:
    """A project, and the JSON of its first edition."""
    root = project(tmp_path / "project")
    file = tmp_path / "verdicts.json"
    file.write_text(run(root, "--format", "json").output)
    return root, str(file)


def test_nothing_changed(published: tuple[Path, str]) -> None:
    root, file = published
    result = run(root, "--since", file)
    assert result.exit_code == 0, result.output
    assert "changed" not in result.output


def test_a_change_that_nothing_explains_is_an_error(published: tuple[Path, str]) -> None:
    root, file = published
    later(root, FOUR)
    assert run(root).exit_code == 0
    result = run(root, "--since", file)
    assert result.exit_code == 1
    assert "[unexplained-change]" in result.output
    assert "changed: claim 'how-many': count: 3 became 4" in result.output
    assert "of 2026-01-10" in result.output


@pytest.mark.parametrize(
    ("correction", "code"),
    [
        (CORRECTION, None),
        (CORRECTION.replace("how-many", "keys"), "unexplained-change"),  # of another claim
        (CORRECTION.replace("2026-01-20", "2026-01-09"), "unexplained-change"),  # from before that edition
    ],
)
def test_a_correction_explains_its_own_claim_and_time(
    published: tuple[Path, str], correction: str, code: str | None
) -> None:
    root, file = published
    later(root, FOUR + correction)
    result = run(root, "--since", file)
    assert result.exit_code == (1 if code else 0), result.output
    assert code is None or f"[{code}]" in result.output
    if "claim: keys" in correction:
        assert "[needless-correction]" in result.output


def test_words_may_change_and_figures_in_them_may_not(published: tuple[Path, str]) -> None:
    root, file = published
    later(root, INCIDENT.replace("3 certificates are affected", "It concerns 3 certificates"), certificates=3)
    assert run(root, "--since", file).exit_code == 0
    later(root, INCIDENT.replace("All have EC keys", "All have EC keys of 256 bits").replace("key_type: EC", "key_type: EC, key_bits: 256"), certificates=3)  # fmt: skip # noqa: E501
    result = run(root, "--since", file)
    assert "claim 'keys': every:" in result.output
    assert result.exit_code == 1


def test_a_claim_that_is_gone_needs_a_correction_and_a_new_one_none(published: tuple[Path, str]) -> None:
    root, file = published
    new = INCIDENT.replace("  keys:", "  bits:").replace("All have EC keys.", "All have keys.")
    later(root, new, certificates=3)
    result = run(root, "--since", file)
    assert result.exit_code == 1
    assert "claim 'keys' was stated (All have EC keys.), and is no longer there" in result.output
    later(root, new + CORRECTION.replace("how-many", "keys"), certificates=3)
    assert run(root, "--since", file).exit_code == 0


def test_a_disputed_claim_is_a_change(published: tuple[Path, str]) -> None:
    root, file = published
    later(root, INCIDENT.replace("count: 3}", "count: 3, stands: false}"))
    result = run(root, "--since", file)
    assert "stands: true became false" in result.output
    assert result.exit_code == 1


def test_the_page_tells_the_corrections(tmp_path: Path) -> None:
    from affidavit.render.pages import render_report
    from affidavit.run import check_report

    root = project(tmp_path, INCIDENT.replace("2026-01-10", "2026-01-21") + CORRECTION.replace("One more", "<b>One"))
    html = render_report(check_report(root / "reports/small/incident.yaml", root / "evidence", root))
    assert 'id="corrections"' in html
    assert "3 certificates are affected." in html.split('id="corrections"')[1]
    assert 'href="#claim-how-many">how-many</a>' in html
    assert "<b>One" not in html


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"5", b'{"report": 5}', b'{"reports": [5]}', b"[" * 100_000, b"\xff", b'{"reports": 7}']
)
def test_an_earlier_edition_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "x.json"
    file.write_bytes(content)
    result = run(project(tmp_path / "p"), "--since", str(file))
    assert result.exit_code == 2
    assert "[bad-edition]" in result.output


# --- revisions --------------------------------------------------------------------------------------------------------


def git(root: Path, *arguments: str) -> str:
    names = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", "-C", str(root), *names, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = project(tmp_path / "repo" / "sub")
    other = root / "reports/other"
    other.mkdir()
    (other / "incident.yaml").write_text(INCIDENT)
    (root / "evidence/other").mkdir()
    (root / "evidence/other/l.pem").write_text((root / "evidence/small/leaves.pem").read_text())
    git(tmp_path / "repo", "init", "-q", "-b", "main")
    git(tmp_path / "repo", "add", "-A")
    git(tmp_path / "repo", "commit", "-qm", "first")
    return root


def test_since_a_revision_only_what_differs_is_checked(repository: Path) -> None:
    assert run(repository, "--since", "main").output == "no report differs from main\n"
    later(repository, FOUR)
    result = run(repository, "--since", "HEAD")
    assert result.exit_code == 1
    assert "count: 3 became 4" in result.output
    assert "other" not in result.output
    (repository / "evidence/other/new.pem").write_text(ROOT.issue("z.example").pem())
    assert "other: does not pass" in run(repository, "--since", "HEAD").output


def test_a_report_that_is_new_changed_nothing(repository: Path) -> None:
    new = repository / "reports/new"
    new.mkdir()
    (new / "incident.yaml").write_text(INCIDENT)
    (repository / "evidence/new").mkdir()
    (repository / "evidence/new/l.pem").write_text((repository / "evidence/small/leaves.pem").read_text())
    result = run(repository, "--since", "HEAD")
    assert (result.exit_code, "changed" in result.output) == (0, False), result.output
    assert "new: passes" in result.output


@pytest.mark.parametrize(
    "name", ["--upload-pack=touch x", "-O x", "no-such", "a b", "$(touch x)", "main; touch x", "main:sub", "", "@{99}"]
)
def test_a_hostile_revision_is_refused(repository: Path, name: str) -> None:
    result = run(repository, f"--since={name}")
    assert result.exit_code == 2
    assert "[bad-edition]" in result.output
    assert not list(repository.rglob("x"))


def test_nothing_of_the_repositorys_own_settings_runs(repository: Path, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    script = tmp_path / "run"
    script.write_text(f"#!/bin/sh\ntouch {trap}\ncat\n")
    script.chmod(0o755)
    filters = ("filter.x.smudge", "filter.x.clean", "filter.Y.Z=.process")
    for name in ("diff.external", "core.fsmonitor", "diff.x.textconv", "core.pager", *filters):
        git(repository, "config", name, str(script))
    (repository / ".gitattributes").write_text("* diff=x filter=x\n*.pem filter=Y.Z=\n")
    git(repository, "config", "filter.x.required", "true")
    later(repository, FOUR)
    assert "count: 3 became 4" in run(repository, "--since", "HEAD").output
    assert not trap.exists()


def test_without_a_repository_it_says_so(tmp_path: Path) -> None:
    result = run(project(tmp_path), "--since", "main")
    assert result.exit_code == 2
    assert "neither such a file nor such a revision" in result.output


def test_an_earlier_edition_may_be_the_sites_own_file(tmp_path: Path) -> None:
    from affidavit.render.data import verdicts_json
    from affidavit.run import check_report

    root = project(tmp_path / "p")
    made = verdicts_json(check_report(root / "reports/small/incident.yaml", root / "evidence", root))
    file = tmp_path / "verdicts.json"
    file.write_bytes(made)
    assert json.loads(made)["report"]["slug"] == "small"
    later(root, FOUR)
    assert "count: 3 became 4" in run(root, "--since", str(file)).output


def test_the_words_of_a_correction_carry_no_verdict(tmp_path: Path) -> None:
    # What had been stated is held against nothing: a tick beside it would be a lie.
    claims = "  one: {says: There are 3., over: affected, count: 3}\n"
    told = (
        "corrections:\n- {claim: one, date: 2026-11-20, was: '[4](claim:one) of them.', because: '[5](claim:one).'}\n"
    )
    root = small(tmp_path, claims + told)
    run_ = Project(root).check(root / "reports/one/incident.yaml")
    page = render_report(run_)
    section = page[page.index('id="corrections"') :]
    section = section[: section.index("</section>")]
    assert "4</span> of them" in section
    assert 'class="mark"' not in section
    assert 'class="claim' not in section


def test_notes_about_the_evidence_are_held_like_all_prose(tmp_path: Path) -> None:
    claims = "  one: {says: There are 3., over: affected, count: 3}\nevidence_note: '[4](claim:one) were found.'\n"
    root = small(tmp_path, claims)
    found = Project(root).check(root / "reports/one/incident.yaml").diagnostics
    assert [d.code for d in found] == ["figure-not-stated"]


def test_what_is_new_is_told_and_needs_no_correction(repository: Path) -> None:
    file = repository / "reports/small/incident.yaml"
    lines = file.read_text().splitlines(keepends=True)
    at = lines.index("claims:\n") + 1
    name = lines[at].strip().split(":")[0]
    lines[at] = lines[at].replace("over: affected", "over: affected, where: {kind: certificate}")
    lines.insert(at, "  again: {says: There are 3., over: affected, count: 3}\n")
    file.write_text("".join(lines))
    done = run(repository, "--since", "HEAD")
    assert done.exit_code == 0, done.output
    assert "changed: claim 'again' is new: There are 3." in done.output
    assert f"changed: claim '{name}' now has where: " in done.output
    told = json.loads(run(repository, "--since", "HEAD", "--format", "json").stdout)["reports"][0]["changes"]
    assert [(one["claim"], one["key"]) for one in told] == [(name, "where"), ("again", "added")]


def test_where_nothing_differs_every_format_says_so(repository: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.sarif"
    done = run(repository, "--since", "HEAD", "--format", "json", "--format", f"sarif={out}")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["reports"] == []
    assert "no report differs from HEAD" in done.stderr
    assert json.loads(out.read_text())["runs"][0]["results"] == []


def test_evidence_moved_away_is_missed_where_it_was(repository: Path) -> None:
    git(repository, "mv", "evidence/small/leaves.pem", "evidence/other/more.pem")
    done = run(repository, "--since", "HEAD")
    assert done.exit_code == 2
    assert "names no file in evidence/small" in done.output


def test_a_report_that_is_gone_is_told_and_a_renamed_one_compared(repository: Path) -> None:
    git(repository, "rm", "-rq", "reports/other", "evidence/other")
    git(repository, "commit", "-qm", "one alone")
    for folder in ("reports", "evidence"):
        git(repository, "mv", f"{folder}/small", f"{folder}/other")
    assert run(repository, "--since", "HEAD").exit_code == 0
    file = repository / "reports/other/incident.yaml"
    file.write_text(
        file.read_text().replace("says: 3 ", "says: At least 2 ").replace("count: 3", "count: {at_least: 2}")
    )
    done = run(repository, "--since", "HEAD")
    assert done.exit_code == 1, done.output
    assert "count: 3 became at least 2; no correction explains it" in done.output
    git(repository, "rm", "-rqf", "reports/other")
    done = run(repository, "--since", "HEAD")
    assert done.exit_code == 0
    assert "the report 'small' of HEAD is no longer there" in done.output
    assert "no report differs" not in done.output


def test_what_git_cannot_read_has_not_stayed_as_it_was(repository: Path) -> None:
    file = repository / "reports/small/incident.yaml"
    file.write_text(file.read_text() + "# more\n")
    blob = git(repository, "rev-parse", "HEAD:./reports/small/incident.yaml")
    (repository.parent / ".git/objects" / blob[:2] / blob[2:]).unlink()  # as a clone with a filter lacks it
    done = run(repository, "--since", "HEAD")
    assert done.exit_code == 2
    assert "git cannot read what has to be compared with it" in done.output


def test_a_shallow_checkout_is_told_what_it_lacks(repository: Path, tmp_path: Path) -> None:
    git(repository, "commit", "-q", "--allow-empty", "-m", "more")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{repository.parent}", "shallow")
    done = run(tmp_path / "shallow/sub", "--since", "HEAD~1")
    assert done.exit_code == 2
    assert "this checkout is shallow" in done.output


def test_an_edition_of_a_report_that_is_gone_is_told(tmp_path: Path, repository: Path) -> None:
    file = tmp_path / "verdicts.json"
    file.write_text(json.dumps({"report": {"slug": "away", "date": "2026-01-01", "timezone": "UTC"}, "claims": []}))
    assert "the report 'away' of" in run(repository, "--since", str(file)).output
