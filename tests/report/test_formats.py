"""The formats for machines: what stands in them, their standards' form, and what evidence cannot do to them."""

import json
import re
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result

from affidavit.cli import cli
from affidavit.project import Checked, Project, check_all
from affidavit.report import hosts, items
from affidavit.report.codes import codes
from affidavit.report.formats import FORMATS
from affidavit.report.items import Said, said
from affidavit.report.sarif import sarif
from affidavit.types import Diagnostic, Pos, Severity
from testpki.build import Authority, bundle

ROOT = Authority.root("Test Root")
INCIDENT = """\
title: A small incident
kind: analysis
date: 2026-11-23
trust: none
evidence:
  affected: {files: "*.pem"}
claims:
  right: {says: 3 certificates are affected., over: affected, count: 3}
  wrong: {says: 4 certificates are affected., over: affected, count: 4}
  disputed: {says: 5 certificates are affected., over: affected, count: 5, stands: false}
  nothing: {says: Each has it., over: affected, where: {issuer_cn: Nobody}, every: {sct_count: 1}}
  told: {says: Nobody knew., unchecked: no certificate says so}
summary: |
  There are 17 of them, [3](claim:right) or [6](claim:right).
"""
#: What SARIF 2.1.0 wants of the parts that we write (sections 3.13 to 3.52), and GitHub besides; closed.
SARIF: dict[str, Any] = {
    "$defs": {
        "text": {"type": "object", "required": ["text"], "additionalProperties": False,
                 "properties": {"text": {"type": "string", "minLength": 1}, "markdown": {"type": "string"}}},
        "place": {"type": "integer", "minimum": 1},
    },
    "type": "object", "required": ["$schema", "version", "runs"], "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "format": "uri"}, "version": {"const": "2.1.0"},
        "runs": {"type": "array", "maxItems": 20, "items": {
            "type": "object", "required": ["tool", "results"], "additionalProperties": False,
            "properties": {
                "tool": {"type": "object", "required": ["driver"], "additionalProperties": False, "properties": {
                    "driver": {"type": "object", "required": ["name"], "additionalProperties": False, "properties": {
                        "name": {"type": "string", "minLength": 1}, "version": {"type": "string", "minLength": 1},
                        "rules": {"type": "array", "uniqueItems": True, "items": {
                            "type": "object",
                            "required": ["id", "shortDescription", "fullDescription", "help"],
                            "additionalProperties": False,
                            "properties": {
                                "id": {"type": "string", "minLength": 1, "maxLength": 255},
                                "shortDescription": {"$ref": "#/$defs/text"},
                                "fullDescription": {"$ref": "#/$defs/text"},
                                "help": {"$ref": "#/$defs/text"}, "properties": {"type": "object"},
                                "helpUri": {"type": "string", "format": "uri"},
                                "defaultConfiguration": {
                                    "type": "object", "required": ["level"], "additionalProperties": False,
                                    "properties": {"level": {"enum": ["none", "note", "warning", "error"]}}},
                            }}}}}}},
                "automationDetails": {"type": "object", "properties": {"id": {"type": "string", "minLength": 1}}},
                "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                "invocations": {"type": "array", "items": {
                    "type": "object", "required": ["executionSuccessful"], "additionalProperties": False,
                    "properties": {"executionSuccessful": {"type": "boolean"}, "exitCode": {"type": "integer"},
                                   "toolExecutionNotifications": {"type": "array", "items": {
                                       "type": "object", "required": ["message"],
                                       "properties": {"message": {"$ref": "#/$defs/text"}}}}}}},
                "results": {"type": "array", "maxItems": 5000, "items": {
                    "type": "object", "required": ["ruleId", "message", "locations", "partialFingerprints"],
                    "additionalProperties": False,
                    "properties": {
                        "ruleId": {"type": "string"}, "ruleIndex": {"type": "integer", "minimum": 0},
                        "level": {"enum": ["none", "note", "warning", "error"]}, "message": {"$ref": "#/$defs/text"},
                        "locations": {"type": "array", "minItems": 1, "items": {
                            "type": "object", "required": ["physicalLocation"], "additionalProperties": False,
                            "properties": {"physicalLocation": {
                                "type": "object", "required": ["artifactLocation", "region"],
                                "additionalProperties": False,
                                "properties": {
                                    "artifactLocation": {"type": "object", "required": ["uri"],
                                                         "properties": {"uri": {"type": "string", "minLength": 1,
                                                                                "pattern": "^[^/\\s]"}}},
                                    "region": {
                                        "type": "object", "additionalProperties": False,
                                        "required": ["startLine", "startColumn", "endLine", "endColumn"],
                                        "properties": {n: {"$ref": "#/$defs/place"} for n in (
                                            "startLine", "startColumn", "endLine", "endColumn")}}}}}}},
                        "partialFingerprints": {"type": "object", "required": ["primaryLocationLineHash"],
                                                "additionalProperties": {"type": "string", "minLength": 1}},
                        "fixes": {"type": "array", "minItems": 1, "items": {
                            "type": "object", "required": ["artifactChanges"], "additionalProperties": False,
                            "properties": {"description": {"$ref": "#/$defs/text"}, "artifactChanges": {
                                "type": "array", "minItems": 1, "items": {
                                    "type": "object", "required": ["artifactLocation", "replacements"],
                                    "properties": {"replacements": {"type": "array", "minItems": 1, "items": {
                                        "type": "object", "required": ["deletedRegion"],
                                        "additionalProperties": False,
                                        "properties": {
                                            "deletedRegion": {"type": "object"},
                                            "insertedContent": {"$ref": "#/$defs/text"}}}}}}}}}},
                        "properties": {"type": "object"},
                    }}},
            }}},
    },
}  # fmt: skip


def project(folder: Path, incident: str = INCIDENT, **subjects: str) -> Path:
    evidence, report = folder / "evidence/small", folder / "reports/small"
    evidence.mkdir(parents=True)
    report.mkdir(parents=True)
    leaves = [ROOT.issue(f"{n}.example", subject=[("CN", subjects.get(n, n))]) for n in ("a", "b", "c")]
    (evidence / "leaves.pem").write_text(bundle(leaves))
    (report / "incident.yaml").write_text(incident)
    return folder


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Said:
    root = project(tmp_path_factory.mktemp("formats"))
    return said(check_all(Project(root), []), root)


def run(root: Path, *arguments: str, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(cli, ["--root", str(root), "check", *arguments], env=env)


def test_sarif_is_of_its_form(small: Said) -> None:
    log = json.loads(sarif(small))
    jsonschema.Draft202012Validator(SARIF).validate(log)
    (one,) = log["runs"]
    rules = [rule["id"] for rule in one["tool"]["driver"]["rules"]]
    assert [rules[result["ruleIndex"]] for result in one["results"]] == [r["ruleId"] for r in one["results"]]
    assert one["invocations"] == [{"executionSuccessful": True, "exitCode": 1}]
    found = {(r["ruleId"], r["level"], r["locations"][0]["physicalLocation"]["region"]["startLine"])
             for r in one["results"]}  # fmt: skip
    assert found == {
        ("count", "error", 9), ("empty-scope", "error", 11), ("figure-not-stated", "error", 14),
        ("loose-fact", "warning", 14),
    }  # fmt: skip
    region = next(r for r in one["results"] if r["ruleId"] == "figure-not-stated")
    place = region["locations"][0]["physicalLocation"]["region"]
    assert INCIDENT.splitlines()[13][place["startColumn"] - 1] == "6"


def test_sarif_fingerprints_stay_where_lines_move(tmp_path: Path, small: Said) -> None:
    moved = project(tmp_path, INCIDENT.replace("claims:\n", "# a remark\n\nclaims:\n"))
    again = said(check_all(Project(moved), []), moved)
    assert {one.fingerprint for one in again.items} == {one.fingerprint for one in small.items}
    assert len({one.fingerprint for one in small.items}) == len(small.items)
    other = project(tmp_path / "other", INCIDENT.replace("count: 4", "count: 7").replace("4 certif", "7 certif"))
    differing = said(check_all(Project(other), []), other)
    assert {one.fingerprint for one in differing.items} != {one.fingerprint for one in small.items}


def many(number: int) -> Said:
    faults = [Diagnostic(Pos("a.yaml", n + 1), "loose-fact", f"message {n}", "", Severity.WARNING)
              for n in range(number)]  # fmt: skip
    return said(Checked((), (*faults, Diagnostic(Pos("z.yaml"), "bad-value", "the worst"))))


def test_sarif_keeps_to_githubs_limits_and_says_so() -> None:
    log = json.loads(sarif(many(5003)))
    jsonschema.Draft202012Validator(SARIF).validate(log)
    (one,) = log["runs"]
    assert len(one["results"]) == 5000
    assert one["results"][0]["message"]["text"] == "the worst"
    (note,) = one["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"].startswith("4 further results")
    assert "toolExecutionNotifications" not in json.loads(sarif(many(4999)))["runs"][0]["invocations"][0]


def test_junit_has_a_case_for_each_claim(small: Said) -> None:
    root = ET.fromstring(FORMATS["junit"](small))
    (suite,) = root
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped"), suite.get("errors")) == (
        "6",
        "3",
        "1",
        "0",
    )
    cases = {case.get("name"): [child.tag for child in case] for case in suite}
    assert cases == {"right": ["failure"], "wrong": ["failure"], "disputed": [], "nothing": ["failure"],
                     "told": ["skipped"], "the report's words": []}  # fmt: skip
    failure = suite.find("testcase[@name='wrong']/failure")
    assert failure is not None
    assert failure.get("type") == "refuted"
    assert failure.text is not None
    assert failure.text.startswith("reports/small/incident.yaml:9:")


def test_faults_of_the_input_are_errors(tmp_path: Path) -> None:
    root = project(tmp_path, INCIDENT + "nonsense: 1\n")
    spoken = said(check_all(Project(root), []), root)
    (suite,) = ET.fromstring(FORMATS["junit"](spoken))
    assert (suite.get("name"), suite.get("errors")) == ("input", "1")
    assert json.loads(sarif(spoken))["runs"][0]["invocations"][0]["executionSuccessful"] is False
    whole = json.loads(FORMATS["json"](spoken))
    assert (whole["exit_status"], whole["passes"], whole["faults"][0]["code"]) == (2, False, "unknown-key")
    assert "at fault" in hosts.summary(spoken).decode()


def test_gitlab_issues_differ_by_their_fingerprints(small: Said) -> None:
    issues = json.loads(FORMATS["gitlab"](small))
    assert len({one["fingerprint"] for one in issues}) == len(issues) == 4
    for one in issues:
        assert set(one) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert one["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert one["location"]["path"] == "reports/small/incident.yaml"
    assert not FORMATS["gitlab"](small).startswith(b"\xef\xbb\xbf")


def test_github_shows_the_worst_first_and_counts_the_rest() -> None:
    lines = hosts.github(many(13)).decode().splitlines()
    assert lines[0].startswith("::error file=z.yaml,line=1,col=1,title=input%3A bad-value::the worst")
    assert sum(line.startswith("::warning ") for line in lines) == 10
    assert any("3 further warnings" in line for line in lines)


def test_evidence_starts_no_workflow_command_and_no_markup(tmp_path: Path) -> None:
    hostile = "x\n::set-output name=a::b\r\n::error::c%0A`|<script>\x1b[31m"
    quoted = json.dumps(f"{hostile} 4")
    root = project(tmp_path, INCIDENT.replace("says: 4 certificates are affected.", f"says: {quoted}"), a=hostile)
    spoken = said(check_all(Project(root), []), root)
    text = hosts.github(spoken).decode()
    for line in text.splitlines():
        assert re.match(r"::(error|warning|notice) |affidavit: small ", line), line
    assert "\x1b" not in text + hosts.summary(spoken).decode()
    assert "<script>" not in hosts.summary(spoken).decode()
    ET.fromstring(FORMATS["junit"](spoken))
    message = Diagnostic(Pos("a,b:c.yaml"), "x", "100 %\n::error::no")
    line = hosts.github(said(Checked((), (message,)))).decode().splitlines()[0]
    assert line == "::error file=a%2Cb%3Ac.yaml,line=1,col=1,title=input%3A x::100 %25<U+000A>::error::no"


def test_the_summary_has_a_row_for_each_claim_and_is_cut(small: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    text = hosts.summary(small).decode()
    rows = [line for line in text.splitlines() if line.startswith("| ") and "claim | verdict" not in line]
    assert len(rows) == 5
    assert "| `disputed` | refuted, as disputed |" in text
    assert "| `wrong` | refuted, and the report holds otherwise |" in text
    monkeypatch.setattr(hosts, "SUMMARY_OCTETS", 4096 + 200)
    short = hosts.summary(small)
    assert len(short) < 400
    assert b"was cut here" in short


def test_paths_start_at_the_repository(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    root = project(tmp_path / "docs" / "incidents")
    paths = {one.path for one in said(check_all(Project(root), []), root).items}
    assert paths == {"docs/incidents/reports/small/incident.yaml"}


def test_several_formats_at_once_go_to_files(tmp_path: Path) -> None:
    root = project(tmp_path / "p")
    names = ("json", "sarif", "junit", "gitlab", "github")
    files = {name: tmp_path / f"out.{name}" for name in names}
    summary = tmp_path / "summary.md"
    result = run(root, *(f"--format={n}={f}" for n, f in files.items()), "--format", "text",
                 env={"GITHUB_STEP_SUMMARY": str(summary)})  # fmt: skip
    assert result.exit_code == 1
    assert "small: does not pass" in result.output
    spoken = said(check_all(Project(root), []), root)
    for name, file in files.items():
        assert file.read_bytes() == FORMATS[name](spoken), name
    assert summary.read_text("utf-8").startswith("## Affidavit")
    whole = json.loads(run(root, "--format", "json", "--detail").output)
    assert "query" in whole["reports"][0]["claims"][0]
    assert "query" not in json.loads(run(root, "--format", "json").output)["reports"][0]["claims"][0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--format", "sarfi"], "did you mean 'sarif'?"),
        (["--format", "json", "--format", "sarif"], "only one format can go to the terminal"),
        (["--format", "json=/dev/null/x.json"], "cannot be written"),
        (["--baseline", "none.json"], "the baseline cannot be read"),
    ],
)
def test_wrong_calls_say_what_is_wrong(tmp_path: Path, arguments: list[str], words: str) -> None:
    result = run(project(tmp_path), *arguments)
    assert result.exit_code == 2
    assert words in result.output


def test_text_shows_the_line_and_a_mark_below_the_place(tmp_path: Path) -> None:
    lines = run(project(tmp_path)).output.splitlines()
    at = next(i for i, line in enumerate(lines) if "figure-not-stated" in line)
    assert lines[at + 1].endswith("There are 17 of them, [3](claim:right) or [6](claim:right).")
    assert lines[at + 1][lines[at + 2].index("^")] == "6"


def test_quiet_says_nothing_where_all_passes(tmp_path: Path) -> None:
    good = INCIDENT.partition("  wrong:")[0] + "summary: '[3](claim:right)'\n"
    root = project(tmp_path, good)
    assert (run(root, "-q").output, run(root, "-q").exit_code) == ("", 0)
    assert "does not pass" in run(project(tmp_path / "bad"), "-q").output


# --- baseline ---------------------------------------------------------------------------------------------------------

OLD = INCIDENT.partition("  wrong:")[0] + "summary: There are 17 of them, [3](claim:right) or [6](claim:right).\n"


def test_a_baseline_lets_old_words_be_and_no_new_ones(tmp_path: Path) -> None:
    root, file = project(tmp_path / "p", OLD), tmp_path / "baseline.json"
    assert run(root).exit_code == 1
    assert run(root, "--write-baseline", str(file)).exit_code == 0
    assert run(root, "--baseline", str(file), "--strict").exit_code == 0
    incident = root / "reports/small/incident.yaml"
    incident.write_text(OLD.replace("or [6]", "or [6](claim:right), [8]"))
    result = run(root, "--baseline", str(file))
    assert result.exit_code == 1
    assert "'8'" in result.output
    assert "'6'" not in result.output


def test_a_baseline_of_one_report_leaves_the_others_theirs(tmp_path: Path) -> None:
    root, file = project(tmp_path / "p", OLD), tmp_path / "baseline.json"
    for folder in ("evidence", "reports"):
        shutil.copytree(root / folder / "small", root / folder / "other")
    for name in ("small", "other"):
        run(root, name, "--write-baseline", str(file))
    assert run(root, "--baseline", str(file)).exit_code == 0
    (root / "reports/small/incident.yaml").write_text(OLD.replace("or [6](claim:right)", "of them"))
    assert run(root, "small", "--write-baseline", str(file)).exit_code == 0
    listed = json.loads(file.read_text())["fingerprints"].values()
    assert sum("'6'" in words for words in listed) == 1  # the other report's; this one's is gone
    assert run(root, "--baseline", str(file)).exit_code == 0


def test_a_baseline_knows_no_renamed_claim(tmp_path: Path) -> None:
    """What is said of another claim is another statement."""
    root, file = project(tmp_path / "p", OLD), tmp_path / "baseline.json"
    run(root, "--write-baseline", str(file))
    (root / "reports/small/incident.yaml").write_text(OLD.replace("right:", "renamed:").replace(":right)", ":renamed)"))
    done = run(root, "--baseline", str(file))
    assert done.exit_code == 1
    assert "claim 'renamed' does not state" in done.output
    assert "stale-baseline" in done.output
    assert run(root, "--write-baseline", str(file)).exit_code == 0


def test_a_baseline_lets_no_verdict_be(tmp_path: Path) -> None:
    root, file = project(tmp_path / "p", OLD), tmp_path / "baseline.json"
    run(root, "--write-baseline", str(file))
    incident = root / "reports/small/incident.yaml"
    incident.write_text(OLD.replace("count: 3", "count: 4"))
    result = run(root, "--baseline", str(file))
    assert result.exit_code == 1
    assert "is refuted" in result.output


def test_a_baseline_that_lists_too_much_is_called_stale(tmp_path: Path) -> None:
    root, file = project(tmp_path / "p", OLD), tmp_path / "baseline.json"
    run(root, "--write-baseline", str(file))
    (root / "reports/small/incident.yaml").write_text(OLD.replace("17 of them", "some of them"))
    assert "1 message that are no longer there" in run(root, "--baseline", str(file)).output.replace(
        "messages", "message"
    )


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"fingerprints": [1]}', b"[" * 100_000, b"\xff"])
def test_a_bad_baseline_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "b.json"
    file.write_bytes(content)
    result = run(project(tmp_path / "p", OLD), "--baseline", str(file))
    assert result.exit_code == 2
    assert "bad-baseline" in result.output


# --- codes ------------------------------------------------------------------------------------------------------------


def test_each_code_that_a_message_may_have_is_declared() -> None:
    import ast

    declared, used = codes(), set()
    package = Path(items.__file__).resolve().parents[1]
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            place = {"Diagnostic": 1, "Finding": 5, "Ruling": 1, "_error": 0, "_fail": 0, "complain": 1}.get(name)
            given = [k.value for k in node.keywords if k.arg == "code"]
            given += node.args[place : place + 1] if place is not None else []
            used |= {str(one.value) for one in given if isinstance(one, ast.Constant) and one.value}
    assert len(used) > 50
    assert {code for code in used if re.fullmatch(r"[a-z]+(-[a-z]+)*", code)} <= set(declared)
    for code in declared.values():
        assert code.means.endswith(".") or code.means.endswith(":") or len(code.means) > 20
        assert code.todo
