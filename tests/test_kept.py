"""What is known of a claim is taken over only while nothing that its verdict rests on has changed."""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from affidavit import kept
from affidavit.check import run as checking
from affidavit.check.compile import compile_claims
from affidavit.check.engine import DuckDb
from affidavit.check.run import Checker
from affidavit.incident.load import load
from affidavit.kept import Kept
from affidavit.run import How, Run, check_report
from affidavit.types import LimitReached, Outcome, Pos, Verdict
from testpki.build import Authority

TRUSTED = Authority.root("Test Root")
OTHER = Authority.root("Other Root")
INCIDENT = """\
title: A small incident
kind: analysis
date: 2026-11-23
timezone: Asia/Shanghai
trust: trust.pem
documents:
  mail: {file: mail.txt, title: A mail, sha256: 0af2b5b5dba2ea17b4cc96c8b10d9aac9be51e6ef6be4a47f3ea1aa36d3ab4ea}
evidence:
  affected: {files: "a*.pem"}
  others: {files: "b*.pem"}
claims:
  right: {says: 2 certificates are affected., over: affected, count: 2}
  wrong: {says: 9 certificates are affected., over: affected, count: 9}
  more: {says: 1 other., over: others, count: 1}
  all: {says: 3 in all., total: [right, more], count: 3}
  told: {says: They said 2., over: affected, count: 2, quote: {document: mail, text: there are 2}}
"""
MAIL = "We know that there are 2 of them.\n"
KEPT = ["right", "wrong", "more", "all", "told"]


@pytest.fixture
def small(tmp_path: Path) -> Path:
    evidence = tmp_path / "evidence/small"
    evidence.mkdir(parents=True)
    (evidence / "trust.pem").write_text(TRUSTED.certificate.pem())
    for name in ("a1", "a2", "b1"):
        (evidence / f"{name}.pem").write_text(TRUSTED.issue(f"{name}.example").pem())
    (evidence / "mail.txt").write_text(MAIL)
    write(tmp_path, INCIDENT.replace(INCIDENT.split("sha256: ")[1][:64], hashlib.sha256(MAIL.encode()).hexdigest()))
    return tmp_path


def write(root: Path, text: str) -> None:
    path = root / "reports/small/incident.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def edit(root: Path, was: str, now: str) -> None:
    path = root / "reports/small/incident.yaml"
    text = path.read_text()
    assert was in text
    path.write_text(text.replace(was, now))


def check(root: Path, *, cache: Path | None = None, fresh: bool = False) -> Run:
    path = root / "reports/small/incident.yaml"
    return check_report(path, root / "evidence", root, How(pages=False, cache=cache or root / "cache", fresh=fresh))


def stores(root: Path) -> list[Path]:
    return sorted((root / "cache").glob("*/claims/*.json"))


def taken_over(root: Path, *, fresh: bool = False) -> list[str]:
    """The claims whose verdicts the next check takes over: each that is kept is marked first."""
    for path in stores(root):
        content = json.loads(path.read_text())
        for one in content["claims"].values():
            if "verdict" in one:
                one["verdict"][0][2] = ["Outcome", "unchecked"]
        path.write_text(json.dumps(content))
    found = check(root, fresh=fresh).verdicts.items()
    return [name for name, verdict in found if verdict.outcome is Outcome.UNCHECKED]


def test_with_nothing_changed_every_verdict_is_taken_over_as_it_was(small: Path) -> None:
    first = check(small)
    assert [v.outcome for v in first.verdicts.values()] == ["verified", "refuted", *["verified"] * 3]
    assert dict(check(small).verdicts) == dict(first.verdicts)
    assert taken_over(small) == KEPT


def test_fresh_takes_nothing_over(small: Path) -> None:
    check(small)
    assert taken_over(small, fresh=True) == []


def more_evidence(root: Path) -> None:
    (root / "evidence/small/a3.pem").write_text(TRUSTED.issue("a3.example").pem())


def other_evidence(root: Path) -> None:
    (root / "evidence/small/b1.pem").write_text(TRUSTED.issue("b2.example").pem())


def other_trust(root: Path) -> None:
    (root / "evidence/small/trust.pem").write_text(TRUSTED.certificate.pem() + OTHER.certificate.pem())


@pytest.mark.parametrize("change", [more_evidence, other_evidence, other_trust])
def test_no_verdict_survives_other_evidence(small: Path, change: Callable[[Path], None]) -> None:
    check(small)
    change(small)
    assert taken_over(small) == []


@pytest.mark.parametrize(
    ("was", "now", "left"),
    [
        ("count: 9", "count: 8", ["right", "more", "all", "told"]),
        ("count: 9", "count: 9, stands: false", ["right", "more", "all", "told"]),
        ("count: 9", "count: 9, made: 2026-01-01", ["right", "more", "all", "told"]),
        ("count: 9", "count: 9, timezone: UTC", ["right", "more", "all", "told"]),
        ("over: others, count: 1", "over: others, where: {is_ca: false}, count: 1", ["right", "wrong", "told"]),
        ("text: there are 2}", "text: there are}", ["right", "wrong", "more", "all"]),
        ("timezone: Asia/Shanghai", "timezone: UTC", []),
        ("date: 2026-11-23", "date: 2026-11-22", []),
        ("trust: trust.pem", "trust: none", []),
        ('files: "b*.pem"', 'files: "*1.pem"', []),
        ("title: A mail", "title: Another mail", []),
    ],
)
def test_no_verdict_survives_a_change_of_what_it_rests_on(small: Path, was: str, now: str, left: list[str]) -> None:
    check(small)
    edit(small, was, now)
    assert taken_over(small) == left


def test_no_verdict_survives_another_program(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check(small)
    monkeypatch.setattr(kept, "program_digest", lambda: "another program")
    assert taken_over(small) == []


def test_other_words_are_held_against_what_stays_verified(small: Path) -> None:
    check(small)
    edit(small, "says: 2 certificates", "says: 4 certificates")
    edit(small, "title: A small", "title: Another small")
    assert taken_over(small) == KEPT
    (found,) = [d for d in check(small).diagnostics if d.code == "figure-not-stated"]
    assert "'4'" in found.message


def test_what_is_taken_over_stands_where_its_claim_now_does(small: Path) -> None:
    def place() -> Pos:
        run = check(small)
        (found,) = [d.pos for d in run.diagnostics if d.claim == "wrong" and d.code == "count"]
        assert run.report.lines[found.line - 1][found.column - 1 :].startswith("9}")
        return found

    before = place()
    edit(small, "claims:\n", "# a remark\n\nclaims:\n")
    edit(small, "wrong: {says", "wrong: {  says")
    after = place()
    assert (after.line, after.column) == (before.line + 2, before.column + 2)


def test_what_was_stopped_is_asked_again(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:

        def stop(*_: object) -> None:
            raise LimitReached("too long")

        patch.setattr(Checker, "_checked", stop)
        assert {v.code for v in check(small).verdicts.values()} == {"limit-reached"}
    assert {v.code for v in check(small).verdicts.values()} == {"", "count"}


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"claims": 1, "samples": {}, "rows": []}', b"\xff"])
def test_a_spoilt_memory_is_passed_over(small: Path, content: bytes) -> None:
    first = check(small)
    (path,) = stores(small)
    path.write_bytes(content)
    assert dict(check(small).verdicts) == dict(first.verdicts)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda verdict: verdict.clear(),
        lambda verdict: verdict.__setitem__(0, ["Verdict"]),
        lambda verdict: verdict.__setitem__(0, ["Pos", "f", 1, 1]),
        lambda verdict: verdict.__setitem__(1, 99),
        lambda verdict: verdict.__setitem__(2, ["nowhere"]),
    ],
)
def test_a_spoilt_verdict_is_judged_anew(small: Path, spoil: Callable[[list[Any]], None]) -> None:
    first = check(small)
    (path,) = stores(small)
    content = json.loads(path.read_text())
    for one in content["claims"].values():
        spoil(one["verdict"])
    path.write_text(json.dumps(content))
    assert dict(check(small).verdicts) == dict(first.verdicts)


def test_a_verdict_kept_for_another_claim_is_not_taken_over(small: Path) -> None:
    check(small)
    (path,) = stores(small)
    content = json.loads(path.read_text())
    one, other = (one for one in content["claims"].values() if one["verdict"][0][1] in ("right", "wrong"))
    one["verdict"], other["verdict"] = other["verdict"], one["verdict"]
    path.write_text(json.dumps(content))
    assert check(small).verdicts["wrong"].outcome is Outcome.REFUTED


def test_reports_of_one_name_in_two_projects_do_not_share(
    small: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    check(small)
    other = tmp_path_factory.mktemp("other")
    for name in ("reports", "evidence"):
        shutil.copytree(small / name, other / name)
    check(other, cache=small / "cache")
    assert len(stores(small)) == 2


def test_the_rows_of_a_claim_at_work_are_kept(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    run = DuckDb.run

    def counted(self: DuckDb, query: Any, *args: Any) -> Any:
        asked.append(query.sql())
        return run(self, query, *args)

    monkeypatch.setattr(DuckDb, "run", counted)
    check(small)
    for number in (8, 7, 6):
        asked.clear()
        edit(small, f"count: {number + 1}", f"count: {number}")
        found = check(small).verdicts["wrong"]
        assert found.findings[0].observed == "2"
        # The first edit asks what was measured together with other claims; the next ones have it all.
        assert bool(asked) is (number == 8)
    more_evidence(small)
    assert check(small).verdicts["wrong"].findings[0].observed == "3"


def test_other_words_need_no_engine(small: Path) -> None:
    code = (
        "import sys; from affidavit.program import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "print(sorted({'duckdb', 'pyarrow', 'numpy', 'cryptography'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, "--root", str(small), "check", "--quiet"]
    env = {"XDG_CACHE_HOME": str(small / "cache"), "PATH": "/usr/bin:/bin"}
    subprocess.run(command, check=False, capture_output=True, env=env)
    edit(small, "A small incident", "A rather small incident")
    again = subprocess.run(command, check=False, capture_output=True, text=True, env=env)
    assert again.stdout.splitlines()[-1] == "[]"


def test_what_was_not_explained_is_asked_again(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edit(small, "  more:", "  worse: {says: 9 are affected., over: affected, count: 9}\n  more:")
    copies = TRUSTED.issue("a2.example").pem() * 8  # with these and the first one, 9 would be right
    (small / "evidence/small/a2.pem").write_text(copies)
    with monkeypatch.context() as patch:
        patch.setattr(checking, "MOST_EXPLAINED", 1)
        first = check(small).verdicts
        assert checking.NOT_EXPLAINED in first["worse"].notes
        assert checking.NOT_EXPLAINED not in first["wrong"].notes
        assert "every copy" not in str(first["worse"].findings)
    second = check(small).verdicts
    assert "every copy" in str(second["worse"].findings)
    assert second["worse"].notes == ()


def test_a_table_that_was_not_loaded_at_first_is_loaded_when_it_is_read(small: Path) -> None:
    path = small / "reports/small/incident.yaml"
    check(small)
    more = "  odd: {says: 2 files., over: affected, sql: 'SELECT count(*) FROM sources', returns: 2}\n"
    path.write_text(path.read_text() + more)
    assert check(small).verdicts["odd"].outcome is Outcome.VERIFIED


def test_a_finding_at_an_unknown_place_keeps_its_verdict_out(small: Path) -> None:
    run = check(small)
    report = load(small / "reports/small/incident.yaml", small / "evidence", small)
    claims = compile_claims(report)
    memory = Kept(small / "elsewhere", report, claims.values())
    verdict: Verdict = run.verdicts["wrong"]
    memory.keep_verdict("facts", {"": Pos("elsewhere")}, verdict)
    memory.save()
    assert not (small / "elsewhere").exists()
