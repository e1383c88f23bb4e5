"""Wrong input as users give it: a clear message with file and line, exit status 2 or 1, never a traceback."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from affidavit.cli import cli
from testpki.build import Authority, bundle

REPO = Path(__file__).resolve().parents[1]

INCIDENT = """\
title: A small incident
kind: analysis
date: 2026-11-23
timezone: Asia/Shanghai
trust: [trust/*.pem]
evidence:
  affected: {files: affected/*}
claims:
  how-many:
    says: 3 certificates are affected.
    over: affected
    count: 3
  same-serial:
    says: The first has the serial number 0D3BBDC3A0175E38.
    over: affected
    where: {subject_cn: first.example}
    every: {serial: 0D3BBDC3A0175E38}
  on-the-day:
    says: All begin on 2015-12-20.
    over: affected
    every: {not_before: 2015-12-20}
summary: |
  [3 certificates](claim:how-many) are affected.
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of one report that passes: three certificates of 2015-12-20 in China, 2015-12-19 in UTC."""
    root = Authority.root("Test Root")
    evidence = tmp_path / "evidence" / "small"
    for folder in ("trust", "affected"):
        (evidence / folder).mkdir(parents=True)
    (evidence / "trust" / "root.pem").write_bytes(_bytes(root.certificate.pem()))
    at = "2015-12-19T16:30:00Z"
    leaves = [root.issue("first.example", serial=0x0D3BBDC3A0175E38, not_before=at)]
    leaves += [root.issue(f"{name}.example", not_before=at) for name in ("second", "third")]
    (evidence / "affected" / "leaves.pem").write_bytes(_bytes(bundle(leaves)))
    report = tmp_path / "reports" / "small"
    report.mkdir(parents=True)
    (report / "incident.yaml").write_text(INCIDENT, "utf-8")
    return tmp_path


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content


def run(project: Path, *arguments: str) -> Result:
    result = CliRunner().invoke(cli, ["--root", str(project), *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    assert "\x1b" not in result.output
    return result


def edit(project: Path, old: str, new: str) -> int:
    """Change the incident file; the line on which the change stands."""
    path = project / "reports/small/incident.yaml"
    text = path.read_text("utf-8")
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new, 1), "utf-8")
    return text[: text.index(old)].count("\n") + 1


def test_the_report_passes_as_it_stands(project: Path):
    result = run(project, "check")
    assert result.exit_code == 0, result.output
    assert "small: passes: 3 verified" in result.output


@pytest.mark.parametrize(
    ("old", "new", "status", "words"),
    [
        ("count: 3", "count: 4", 1, ["how-many", "1 fewer"]),
        ("says: 3 cert", "says: 4 cert", 1, ["how-many", "'4'"]),
        ("[3 certificates]", "[4 certificates]", 1, ["how-many", "'4'"]),
        ("every: {serial: 0D3BBDC3A0175E38}", "every: {serial: 0D3BBDC3A0175E39}", 1, ["same-serial", "0 of 1"]),
        ("timezone: Asia/Shanghai", "timezone: UTC", 1, ["on-the-day", "2015-12-20"]),
        ("every: {not_before: 2015-12-20}", "every: {not_before: 2015-12-19}", 1, ["right in UTC, not in"]),
        ("every: {not_before", "every: {not_befor", 2, ["not_befor", "did you mean 'not_before'"]),
        ("count: 3", "cuont: 3", 2, ["cuont", "did you mean 'count'"]),
        ("over: affected\n    count", "over: afected\n    count", 2, ["afected", "did you mean 'affected'"]),
        ("(claim:how-many)", "(claim:how-mny)", 1, ["how-mny", "did you mean 'how-many'"]),
        ("where: {subject_cn: first.example}", "where: subject_cn = = 'x'", 2, ["cannot be parsed"]),
        ("where: {subject_cn: first.example}", "where: read_csv('/etc/x') IS NULL", 2, ["read_csv", "not allowed"]),
        ("where: {subject_cn: first.example}", "where: getenv('HOME') = 'x'", 2, ["getenv", "not allowed"]),
        ("where: {subject_cn: first.example}", "where: COPY certificates TO 'x'", 2, ["condition is wanted"]),
        ("where: {subject_cn: first.example}", "where: ATTACH 'x.db'", 2, ["ATTACH", "not allowed"]),
        ("where: {subject_cn: first.example}", "where: PRAGMA database_list", 2, ["PRAGMA", "not allowed"]),
        ("where: {subject_cn: first.example}", "where: serial_bits = issuer", 2, ["same-serial", "cannot be run"]),
        ("files: affected/*", "files: ../../reports/small/*", 2, ["leads out of"]),
        ("files: affected/*", "files: /etc/passwd", 2, ["leads out of"]),
        ("files: affected/*", "files: nothing/*.pem", 2, ["names no file", "affected/leaves.pem"]),
        ("trust: [trust/*.pem]\n", "", 2, ["whose signature", "trust: none"]),
        ("trust: [trust/*.pem]", "trust: [affected/*.crt]", 2, ["names no file"]),
        ("timezone: Asia/Shanghai", "timezone: Asia/Shanghia", 2, ["Asia/Shanghai"]),
        ("2015-12-20}", "2015-02-30}", 2, ["no day 2015-02-30"]),
        ("title: A small incident\n", "title: A\ntitle: B\n", 2, ["second time"]),
    ],
)  # fmt: skip
def test_a_slip_is_named_with_its_place(project: Path, old: str, new: str, status: int, words: list[str]):
    line = edit(project, old, new)
    result = run(project, "check")
    assert result.exit_code == status, result.output
    for word in words:
        assert word in result.output
    places = [
        int(part.split(":")[1])
        for part in result.output.splitlines()
        if part.startswith("reports/small/incident.yaml:")
    ]
    # The place is that of the slip, or of the claim that does not hold because of it.
    assert places
    if "timezone" not in old and "trust" not in old:
        assert any(abs(place - line) <= 1 for place in places), result.output


@pytest.mark.parametrize(
    ("says", "states", "figure"),
    [
        ("The CA did issue 500 certificates.", "count: 3", "500"),
        ("`500` certificates are affected.", "count: 3", "500"),
        ("All have 1024-bit keys.", "every: {key_bits: {not: 1024}}", "1024"),
        ("2015 certificates are affected.", "every: {not_before: {from: 2015-12-01, until: 2015-12-31}}", "2015"),
        ("All were issued on 2016-09-20.", "made: 2016-09-20\n    count: 3", "2016-09-20"),
        ("All begin at 00:30 UTC.", "every: {not_before: 2015-12-19T16:30:00Z}", "00:30"),
        ("8 certificates share it.", "every: {serial: {not: 0D3BBDC3}}", "8"),
        ("500 are affected.", "sql: SELECT count(*) + 500 - 500 FROM certificates\n    returns: 3", "500"),
        (f"{'7' * 5000} are affected.", "count: 3", "7777"),
    ],
)
def test_words_that_the_machine_form_does_not_state(project: Path, says: str, states: str, figure: str):
    edit(project, "says: 3 certificates are affected.", f'says: "{says}"')
    edit(project, "count: 3", states)
    result = run(project, "check", "-v")
    assert result.exit_code == 1, result.output
    assert "+ how-many" in result.output
    assert "figure-not-stated" in result.output
    assert figure in result.output


@pytest.mark.parametrize("text", ["a" * 100_000, "`" + "a" * 100_000, "\n" * 100_000, "](" * 50_000, "1." * 50_000])
def test_no_prose_takes_the_check_long(project: Path, text: str):
    (project / "reports/small/part.md").write_text(text, "utf-8")
    edit(project, "summary: |", "sections: [{title: Part, file: part.md}]\nsummary: |")
    command = [sys.executable, str(REPO / "build.py"), "--root", str(project), "check"]
    # The limit is that of a hang: a check of this report takes about a second.
    assert subprocess.run(command, check=False, capture_output=True, timeout=60).returncode == 0


def test_completeness_is_not_declared_over_days_to_come(project: Path):
    complete = "{scope: x, from: 2016-01-01, until: 2099-06-28, basis: y}"
    edit(project, "{files: affected/*}", f"{{files: affected/*, complete: {complete}}}")
    result = run(project, "check")
    assert result.exit_code == 2
    assert "had not come" in result.output


def test_what_matches_and_is_no_file_is_named(project: Path):
    (project / "evidence/small/affected/gone.pem").symlink_to("nowhere.pem")
    result = run(project, "check")
    assert result.exit_code == 2
    assert "affected/gone.pem is no file" in result.output


@pytest.mark.parametrize("name", ["a" * 5000, '"a\\0b"'])
def test_names_that_can_be_no_file(project: Path, name: str):
    edit(project, "summary: |", f"sections: [{{title: Part, file: {name}}}]\nsummary: |")
    assert run(project, "check").exit_code == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- just\n- a list\n", ["is a mapping"]),
        ("", ["is empty"]),
        ("title: [\n", ["not valid YAML"]),
        (
            "a: &a0 [x, x]\n" + "".join(f"b{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 100)),
            ["aliases repeat"],
        ),
        ("title: !!python/object/apply:os.system [id]\n", ["tag"]),
        ("\x00", ["U+0000"]),
        ("[" * 500, ["deeper than", "levels"]),
    ],
)
def test_yaml_that_is_no_incident(project: Path, text: str, words: list[str]):
    (project / "reports/small/incident.yaml").write_text(text, "utf-8")
    result = run(project, "check")
    assert result.exit_code == 2
    assert all(word in result.output for word in words), result.output
    assert "reports/small/incident.yaml:" in result.output


def _truncate(evidence: Path) -> None:
    der = Authority.root("Test Root").issue("cut.example").der
    (evidence / "affected" / "cut.der").write_bytes(der[: len(der) // 2])


def _empty_file(evidence: Path) -> None:
    (evidence / "affected" / "empty.pem").write_bytes(b"")


def _one_bad_of_fifty(evidence: Path) -> None:
    root = Authority.root("Test Root")
    text = _bytes(bundle([root.issue(f"n{i}.example") for i in range(50)])).decode()
    blocks = text.split("-----BEGIN CERTIFICATE-----")
    blocks[17] = blocks[17][:60] + "*" + blocks[17][61:]
    (evidence / "affected" / "fifty.pem").write_text("-----BEGIN CERTIFICATE-----".join(blocks))


@pytest.mark.parametrize("spoil", [_truncate, _empty_file, _one_bad_of_fifty])
def test_unreadable_evidence_leaves_claims_unproven(project: Path, spoil: Callable[[Path], None]):
    spoil(project / "evidence/small")
    result = run(project, "check", "--verbose")
    assert result.exit_code == 1
    assert "how-many: unproven" in result.output
    assert "+ " not in result.output
    assert "could not be read" in result.output


def test_unreadable_evidence_may_be_excused_with_a_reason(project: Path):
    _truncate(project / "evidence/small")
    edit(project, "files: affected/*}", "files: affected/*, unreadable: {affected/cut.der: arrived cut short}}")
    result = run(project, "check")
    assert result.exit_code == 0, result.output


def test_a_private_key_among_the_evidence_is_refused(project: Path):
    key = subprocess.run(
        ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
        check=True,
        capture_output=True,
    ).stdout
    (project / "evidence/small/affected/key.pem").write_bytes(key)
    for command in ("check", "build"):
        result = run(project, command)
        assert result.exit_code == 2
        assert "private key" in result.output
        assert "affected/key.pem" in result.output
    assert not (project / "site").exists()


def test_a_link_out_of_the_evidence_folder_is_refused(project: Path, tmp_path: Path):
    outside = tmp_path / "outside.pem"
    shutil.copy(project / "evidence/small/trust/root.pem", outside)
    (project / "evidence/small/affected/link.pem").symlink_to(outside)
    result = run(project, "check")
    assert result.exit_code == 2
    assert "link out of the evidence folder" in result.output


def test_a_hostile_subject_reaches_no_terminal(project: Path):
    root = Authority.root("Test Root")
    hostile = root.issue("x.example", subject=[("CN", "\x1b[2J\u202e<script>alert(1)</script>")])
    (project / "evidence/small/affected/hostile.pem").write_bytes(_bytes(hostile.pem()))
    result = run(project, "check")
    assert result.exit_code == 1
    shown = run(project, "inspect", str(project / "evidence/small/affected/hostile.pem"))
    assert shown.exit_code == 0
    assert "\u202e" not in shown.output
    assert "<U+202E>" in shown.output


def test_unknown_report_claim_and_command_offer_the_nearest(project: Path):
    assert "small" in run(project, "check", "smal").output
    result = run(project, "explain", "small", "how-mny")
    assert result.exit_code == 2
    assert "did you mean 'how-many'?" in result.output
    result = run(project, "chekc")
    assert result.exit_code == 2
    assert "did you mean 'check'?" in result.output


def test_explain_shows_query_rows_and_verdict(project: Path):
    result = run(project, "explain", "small", "how-many")
    assert result.exit_code == 0
    for words in ("verdict: verified", "FROM certificates", "first.example", "in the evidence given: affected"):
        assert words in result.output


def test_inspect_gives_one_object_even_where_nothing_can_be_read(project: Path):
    import json

    junk = project / "junk.bin"
    junk.write_bytes(b"\x01\x02junk")
    result = run(project, "inspect", "--format", "json", str(junk))
    tables = json.loads(result.output)
    assert result.exit_code == 2
    assert tables["certificates"] == []
    assert len(tables["problems"]) == 1


def test_a_faulty_report_does_not_keep_others_from_being_checked(project: Path):
    other = project / "reports/other"
    other.mkdir()
    (other / "incident.yaml").write_text("title: x\n", "utf-8")
    result = run(project, "check")
    assert result.exit_code == 2
    assert "small: passes" in result.output
    assert "reports/other/incident.yaml:1:1" in result.output


def test_the_front_door_is_the_same_program():
    done = subprocess.run(
        [sys.executable, str(REPO / "build.py"), "--help"], check=True, capture_output=True, text=True, cwd="/"
    )
    for command in ("build", "check", "explain", "inspect"):
        assert f"\n  {command}" in done.stdout


@pytest.mark.parametrize(
    ("was", "now", "line", "words"),
    [
        ("kind: analysis", "kind: analisys", "| kind: analisys", "did you mean 'analysis'?"),
        ("timezone: Asia/Shanghai", "timezone: CST", "| timezone: CST", "several places share"),
        ("date: 2026-11-23", "date: 23.11.2026", "| date: 23.11.2026", "write 2026-11-23"),
        (
            "trust: [trust/*.pem]",
            "trust: [trust/rot.pem]",
            "| trust: [trust/rot.pem]",
            "did you mean 'trust/root.pem'?",
        ),
        ("    over: affected\n    count: 3", "    count: 3", "| ", "add `over: affected`"),
        ("{subject_cn: first.example}", "{SAN: first.example}", "where: {SAN: ", "did you mean 'dns_names'?"),
        ("{not_before: 2015-12-20}", "{expires: 2015-12-20}", "every: {expires: ", "did you mean 'not_after'?"),
        ("claims:", "claims", "| claims", "a key, a colon and a space"),
    ],
)
def test_a_fault_shows_its_line_and_the_right_word(project: Path, was: str, now: str, line: str, words: str) -> None:
    assert was in INCIDENT
    (project / "reports/small/incident.yaml").write_text(INCIDENT.replace(was, now, 1), "utf-8")
    for arguments in (["check"], ["explain", "small", "how-many"]):
        found = CliRunner().invoke(cli, ["--root", str(project), *arguments])
        assert found.exit_code == 2
        assert line in found.output
        assert "^" in found.output
        assert words in found.output
