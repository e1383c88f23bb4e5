"""What hosts do with a check's output: limits are kept and told, logs start nothing, parsers agree."""

import gzip
import json
import random
import re
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from click.testing import CliRunner, Result
from lxml import etree  # type: ignore[import-untyped]

from affidavit.cli import cli
from affidavit.project import Checked, Project, check_all
from affidavit.report import hosts, junit, sarif
from affidavit.report.formats import FORMATS
from affidavit.report.items import Said, said
from affidavit.report.text import check_text, source_lines, tame
from affidavit.types import Diagnostic, Pos, Severity
from testpki.build import Authority, bundle

ROOT = Authority.root("Test Root")
HEAD = """\
title: A small incident
kind: analysis
date: 2026-11-23
trust: none
evidence:
  affected: {files: "*.pem"}
claims:
"""
RIGHT = "  right: {says: 3 certificates are affected., over: affected, count: 3}\n"
ASIDE = "suppress:\n- {code: loose-fact, reason: 'a [reason](http://x.example)', until: 2026-12-31}\n"
#: The form of a JUnit report, as the Jenkins xUnit plugin's schema (version 10) has it, of the parts that we write.
JUNIT = """\
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
 <xs:complexType name="outcome" mixed="true">
  <xs:attribute name="type" type="xs:string"/><xs:attribute name="message" type="xs:string"/>
 </xs:complexType>
 <xs:simpleType name="seconds"><xs:restriction base="xs:string">
  <xs:pattern value="(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\\.[0-9]*)?"/>
 </xs:restriction></xs:simpleType>
 <xs:complexType name="case"><xs:choice minOccurs="0" maxOccurs="unbounded">
   <xs:element name="skipped" type="outcome"/><xs:element name="error" type="outcome"/>
   <xs:element name="failure" type="outcome"/>
   <xs:element name="system-out" type="xs:string"/><xs:element name="system-err" type="xs:string"/>
  </xs:choice>
  <xs:attribute name="name" type="xs:string" use="required"/><xs:attribute name="time" type="xs:string"/>
  <xs:attribute name="classname" type="xs:string"/>
 </xs:complexType>
 <xs:complexType name="suite"><xs:choice minOccurs="0" maxOccurs="unbounded">
   <xs:element name="testcase" type="case"/>
   <xs:element name="system-out" type="xs:string"/><xs:element name="system-err" type="xs:string"/>
  </xs:choice>
  <xs:attribute name="name" type="xs:string" use="required"/>
  <xs:attribute name="tests" type="xs:string" use="required"/>
  <xs:attribute name="failures" type="xs:string" use="required"/>
  <xs:attribute name="errors" type="xs:string" use="required"/>
  <xs:attribute name="skipped" type="xs:string"/><xs:attribute name="time" type="seconds"/>
 </xs:complexType>
 <xs:element name="testsuites"><xs:complexType>
  <xs:sequence><xs:element name="testsuite" type="suite" minOccurs="0" maxOccurs="unbounded"/></xs:sequence>
  <xs:attribute name="name" type="xs:string"/><xs:attribute name="time" type="seconds"/>
  <xs:attribute name="tests" type="xs:string"/><xs:attribute name="failures" type="xs:string"/>
  <xs:attribute name="errors" type="xs:string"/>
 </xs:complexType></xs:element>
</xs:schema>
"""


def project(folder: Path, rest: str, *slugs: str, more: str = "") -> Path:
    for slug in slugs or ("small",):
        evidence, report = folder / "evidence" / slug, folder / "reports" / slug
        evidence.mkdir(parents=True)
        report.mkdir(parents=True)
        (evidence / "leaves.pem").write_text(bundle([ROOT.issue(f"{n}.example") for n in ("a", "b", "c")]))
        (report / "incident.yaml").write_text(HEAD + rest, "utf-8")
        (report / "more.md").write_bytes(more.encode())
    return folder


def run(root: Path, *arguments: str, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(cli, ["--root", str(root), "check", *arguments], env=env)


def checked(root: Path) -> Said:
    return said(check_all(Project(root), []), root)


def faults(*messages: str) -> Said:
    return said(Checked((), tuple(Diagnostic(Pos("a.yaml", n + 1), "bad-value", m) for n, m in enumerate(messages))))


def junit_is_of_its_form(content: bytes) -> Any:
    tree = etree.fromstring(content)
    etree.XMLSchema(etree.fromstring(JUNIT)).assertValid(tree)
    return tree


# --- JUnit ------------------------------------------------------------------------------------------------------------


def test_junit_is_of_its_schema(tmp_path: Path) -> None:
    rest = (
        RIGHT
        + "  wrong: {says: 4 are., over: affected, count: 4}\n  told: {says: So it was., unchecked: nobody knows}\n"
    )
    root = project(tmp_path, rest + "summary: There are 17.\n" + ASIDE)
    tree = junit_is_of_its_form(FORMATS["junit"](checked(root)))
    assert (tree.get("tests"), tree.get("failures"), tree.get("errors")) == ("4", "1", "0")
    (told,) = tree.findall(".//system-out")
    assert "set aside" in told.text
    assert "17" in told.text
    tree = junit_is_of_its_form(FORMATS["junit"](faults("control \x00\x0b\ud800 and \U000e0001 tags")))
    assert tree.find(".//error").text == "a.yaml:1:1: control <U+0000><U+000B><U+D800> and <U+E0001> tags"
    with pytest.raises(etree.DocumentInvalid):
        junit_is_of_its_form(b'<testsuites skipped="1"/>')


def test_junit_keeps_to_what_gitlab_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    links = " ".join("[6](claim:right)" for _ in range(150))
    root = project(tmp_path, RIGHT + f"summary: '{links}'\n")
    failure = junit_is_of_its_form(FORMATS["junit"](checked(root))).find(".//failure")
    assert len(failure.text.splitlines()) == 101
    assert failure.text.endswith("... and 50 more messages")
    claims = "".join(RIGHT.replace("right", f"right-{n}") for n in range(6))
    root = project(tmp_path / "many", claims + RIGHT.replace("right", "wrong").replace("3", "4"))
    monkeypatch.setattr(junit, "MAX_ELEMENTS", 3 + 2 * 3)
    tree = junit_is_of_its_form(FORMATS["junit"](checked(root)))
    names = [case.get("name") for case in tree.iter("testcase")]
    assert names == ["wrong", "right-0", "right-1", "the report's words"]
    assert tree.find(".//system-out").text == "4 of 7 claims are left out here: the file would be too large"


# --- SARIF ------------------------------------------------------------------------------------------------------------


def test_sarif_stays_below_githubs_size_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(1)
    noise = ["".join(chr(chance.randrange(0x4E00, 0x9FFF)) for _ in range(500)) for _ in range(64)]
    monkeypatch.setattr(sarif, "MAX_OCTETS", 40_000)
    content = sarif.sarif(faults(*noise))
    (one,) = json.loads(content)["runs"]
    assert 0 < len(one["results"]) < 64
    assert len(gzip.compress(content)) <= 41_000
    (note,) = one["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"].startswith(f"{64 - len(one['results'])} further results were left out")


def test_sarif_tells_what_is_set_aside_and_makes_no_result_of_it(tmp_path: Path) -> None:
    """GitHub shows a result as open whatever `suppressions` says (codeql-action, issue 1230)."""
    root = project(tmp_path, RIGHT + "summary: There are 17.\n" + ASIDE)
    (one,) = json.loads(sarif.sarif(checked(root)))["runs"]
    assert one["results"] == []
    (note,) = one["invocations"][0]["toolExecutionNotifications"]
    assert note["level"] == "note"
    # Brackets that would make a link of it are escaped (3.11.6).
    assert note["message"]["text"].endswith("until 2026-12-31, a [reason\\](http://x.example)")


def test_sarif_rules_weigh_what_their_results_do(tmp_path: Path) -> None:
    root = project(tmp_path, RIGHT + "summary: There are 17 or [6](claim:right).\n")
    (one,) = json.loads(sarif.sarif(checked(root)))["runs"]
    weights = {rule["id"]: (rule["defaultConfiguration"]["level"], rule["properties"]["problem.severity"])
               for rule in one["tool"]["driver"]["rules"]}  # fmt: skip
    assert weights == {"figure-not-stated": ("error", "error"), "loose-fact": ("warning", "warning")}


def test_projects_of_one_repository_have_categories_of_their_own() -> None:
    spoken = [Said(Checked((), ()), (), prefix=PurePosixPath(prefix)) for prefix in (".", "docs/incidents")]
    names = [json.loads(sarif.sarif(one))["runs"][0]["automationDetails"] for one in spoken]
    assert names == [{"id": "affidavit/"}, {"id": "affidavit/docs/incidents/"}]


def test_places_count_code_points_and_reach_included_and_faulty_files(tmp_path: Path) -> None:
    section = "sections:\n- {title: More, file: more.md}\n"
    more = "line\x0b\u2028one\r\n\U0001d4b3\U0001d4b3 \u6c83 [6](claim:right)\r\n"
    root = project(tmp_path, RIGHT + section, more=more)
    (one,) = json.loads(sarif.sarif(checked(root)))["runs"]
    region = one["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert one["columnKind"] == "unicodeCodePoints"
    # The link's text is the seventh character of the second line, which has 22.
    assert region == {"startLine": 2, "startColumn": 7, "endLine": 2, "endColumn": 22}
    shown = run(root).stdout.splitlines()
    at = next(n for n, line in enumerate(shown) if "figure-not-stated" in line)
    assert shown[at + 1].endswith("[6](claim:right)")
    bad = project(tmp_path / "bad", RIGHT + "nonsense: 1\n")
    region = json.loads(sarif.sarif(checked(bad)))["runs"][0]["results"][0]["locations"][0]["physicalLocation"][
        "region"
    ]
    assert region == {"startLine": 9, "startColumn": 1, "endLine": 9, "endColumn": 12}
    assert "    | nonsense: 1\n    | ^\n" in run(bad).stdout


def test_fingerprints_rest_on_no_line() -> None:
    first, second = (
        faults(f"the key 'a' stands here a second time (first at line {line})").items[0].fingerprint
        for line in ("3", "1,234")
    )
    assert first == second
    assert first != faults("the key 'b' stands here a second time (first at line 3)").items[0].fingerprint


# --- GitHub -----------------------------------------------------------------------------------------------------------


def test_what_github_does_not_show_stands_in_the_log() -> None:
    spoken = faults(*(f"message {n}" for n in range(12)), "\n::error::x ##[add-mask]y")
    lines = hosts.github(spoken).decode().splitlines()
    assert sum(line.startswith("::error ") for line in lines) == 10
    assert lines[-1] == "::notice title=affidavit::3 further errors not shown as annotations; the step's log has all"
    assert lines[-2] == "affidavit: a.yaml:13:1: error: <U+000A>::error::x ##<U+005B>add-mask]y"


def test_no_text_starts_a_command_in_a_log(tmp_path: Path) -> None:
    assert tame("  ::error::x") == "  <U+003A>:error::x"
    assert (
        tame("a ::error::x ##[error]y ##vso[task]z ## [z]")
        == "a ::error::x ##<U+005B>error]y ##vso<U+005B>task]z ## [z]"
    )
    root = project(tmp_path, "  wrong: {says: '##[stop-commands]t 4', over: affected, count: 4}\n")
    shown = run(root, "-v").stdout
    assert "##[" not in shown
    assert "##<U+005B>stop-commands]t 4" in shown


def test_the_summary_is_text_and_nothing_else() -> None:
    shown = hosts.summary(faults("`a` *b* [c](http://d.example) | <e> &amp; @f www.g.example #1")).decode()
    (line,) = [line for line in shown.splitlines() if line.startswith("- `a.yaml")]
    text = line.partition("`: ")[2]
    assert re.sub(r"&#(\d+);", lambda m: chr(int(m[1])), text) == (
        "`a` *b* [c](http://d.example) | <e> &amp; @f www.g.example #1"
    )
    assert not re.search(r"[`*\[\]|<>@]|http://|www\.|&(?!#\d)", text)


def test_a_cut_summary_hides_nothing_in_a_fold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    links = " ".join("[6](claim:right)" for _ in range(50))
    root = project(tmp_path, RIGHT, "a")
    project(tmp_path, RIGHT + f"summary: '{links}'\n", "b")
    spoken = checked(root)
    whole = hosts.summary(spoken).decode()
    assert whole.index("### b: does not pass") < whole.index("### a: passes")
    monkeypatch.setattr(hosts, "SUMMARY_OCTETS", 4096 + 2000)
    cut = hosts.summary(spoken).decode()
    assert len(cut.encode()) < 2200
    assert cut.count("<details>") == cut.count("</details>") == 1
    left = len(whole.splitlines()) - cut.splitlines().index("</details>") + 1
    assert cut.endswith(f"*The summary was cut here, {left} lines before its end: the host takes no larger one.*\n")
    # What the step has said already counts.
    assert len(hosts.summary(spoken, 1500).decode()) < 700


# --- the terminal -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "mark"),
    [
        ("ab 6", "   ^"),
        ("\u6c83\u901a 6", "     ^"),  # two columns each
        ("\uff21\u3000 6", "     ^"),
        ("e\u0301 6", "  ^"),  # the accent takes none
        ("a\tb 6", "    ^"),
        ("\u202e 6", "         ^"),  # <U+202E>
        ("##[x 6", "            ^"),  # ##<U+005B>x
    ],
)
def test_the_mark_stands_below_its_character(line: str, mark: str) -> None:
    shown, below = source_lines(Pos("a.yaml", 1, line.index("6") + 1), [line])
    assert below == f"    | {mark}"
    assert shown.endswith("6")


def test_messages_are_grouped_by_report(tmp_path: Path) -> None:
    root = project(tmp_path, RIGHT + "summary: There are 17.\n", "one", "two")
    lines = run(root).stdout.splitlines()
    assert [n for n, line in enumerate(lines) if line in ("one", "two")] == [1, 7]
    assert lines[lines.index("two") + 1].startswith("reports/two/incident.yaml:9:")
    assert "one" not in run(root, "one").stdout.splitlines()


def test_a_fault_without_a_file_is_told_without_a_line(tmp_path: Path) -> None:
    outside = Checked((), (Diagnostic(Pos("../x.yaml"), "bad-value", "no"), Diagnostic(Pos("none.yaml"), "x", "no")))
    (tmp_path / "x.yaml").write_text("secret")
    (tmp_path / "p").mkdir()
    assert "secret" not in check_text(outside, root=tmp_path / "p")


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    root = project(tmp_path, RIGHT)
    for name in "edcb":
        (root / f"evidence/small/{name}::error::x.pem").write_text("no certificate")
    (told,) = (line for line in run(root).stdout.splitlines() if "[unreadable-evidence]" in line)
    assert re.findall(r"[a-z]::error::x\.pem", told) == ["b::error::x.pem", "c::error::x.pem", "d::error::x.pem"]
    assert "; and 1 more; 4 items of its evidence could not be read" in told


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["--since", "nothing-of-that-name"], ["--baseline", "none.json"]])
def test_a_wrong_call_is_told_in_every_format(tmp_path: Path, arguments: list[str]) -> None:
    root = project(tmp_path / "p", RIGHT)
    files = {name: tmp_path / name for name in FORMATS}
    done = run(root, *(f"--format={name}={file}" for name, file in files.items()), *arguments)
    assert done.exit_code == 2
    code = "bad-edition" if arguments[0] == "--since" else "bad-baseline"
    for name, file in files.items():
        assert code in file.read_text(), name


def test_bad_settings_are_told_in_every_format(tmp_path: Path) -> None:
    root = project(tmp_path / "p", RIGHT)
    (root / "affidavit.toml").write_text("strict = 1\n")
    done = run(root, f"--format=sarif={tmp_path / 'out'}")
    assert done.exit_code == 2
    assert "bad-settings" in (tmp_path / "out").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--format", "json="], "no file behind its ="),
        (["--format", "json=a", "--format", "sarif=a"], "two formats cannot go to one file"),
    ],
)
def test_formats_do_not_take_each_other_s_place(tmp_path: Path, arguments: list[str], words: str) -> None:
    done = run(project(tmp_path, RIGHT), *arguments)
    assert done.exit_code == 2
    assert words in done.output


def test_warnings_alone_fail_nothing() -> None:
    gone = Diagnostic(Pos("reports/a/incident.yaml"), "report-gone", "it is gone", "", Severity.WARNING)
    spoken = said(Checked((), (), (gone,)))
    assert spoken.checked.exit_status == 0
    assert len(junit_is_of_its_form(FORMATS["junit"](spoken))) == 0
    for name in ("json", "sarif", "github", "gitlab"):
        assert b"it is gone" in FORMATS[name](spoken), name
    assert "it is gone" in hosts.summary(spoken).decode()
    assert "it is gone" in check_text(spoken.checked)
