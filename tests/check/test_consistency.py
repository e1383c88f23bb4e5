"""A report against itself: each check with what it says nothing about, and the near miss that it finds."""

from pathlib import Path

import pytest

from affidavit.run import check_report
from affidavit.types import Diagnostic, Severity
from testpki.build import Authority, bundle
from testpki.ct import Log

ROOT = Authority.root("Test Root", not_before="2015-01-01T00:00:00Z")
LOG = Log("one")
SERIAL = 0x1D9D58A78AFF021D9D58A78AFF02
HEAD = """\
title: A report
kind: analysis
date: 2016-10-01
timezone: ZONE
trust: [root.pem]
evidence:
  all: {files: [leaves.pem, root.pem]}
claims:
  three: {says: Three., over: all, count: {at_least: 3}}
"""


def found(folder: Path, more: str, zone: str = "UTC") -> list[Diagnostic]:
    evidence = folder / "evidence/r"
    evidence.mkdir(parents=True)
    leaves = [
        ROOT.issue("a.example", serial=SERIAL, not_before="2016-01-01T00:00:00Z"),
        ROOT.issue("b.example", serial=SERIAL + 0x1000, not_before="2016-01-02T00:00:00Z"),
        ROOT.issue("c.example", not_before="2016-01-03T00:00:00Z", scts=[LOG.sct("2016-01-03T00:00:00Z")]),
    ]
    (evidence / "leaves.pem").write_text(bundle(leaves))
    (evidence / "root.pem").write_text(ROOT.certificate.pem())
    path = folder / "reports/r/incident.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(HEAD.replace("ZONE", zone) + more)
    run = check_report(path, folder / "evidence", folder)
    about = {"timeline-order", "event-after-report", "made-after-report", "claims-contradict", "slip-of-the-pen",
             "before-the-ca", "consistency-not-checked"}  # fmt: skip
    return [d for d in run.diagnostics if d.code in about]


def timeline(*times: str) -> str:
    return "timeline:\n" + "".join(f"  - {{at: {time}, text: Something.}}\n" for time in times)


@pytest.mark.parametrize(
    ("zone", "times", "codes"),
    [
        ("UTC", ["2016-01-01", "2016-01-01", "2016-01-02T00:00Z", "2016-10-01"], []),
        ("UTC", ["2016-01-01T12:00Z", "2016-01-01"], []),  # the day holds the hour
        ("UTC", ["2016-01-02", "2016-01-01"], ["timeline-order"]),
        ("UTC", ["2016-01-01T12:00:01Z", "2016-01-01T12:00:00Z"], ["timeline-order"]),
        ("UTC", ["2016-03-01", "2016-01-01", "2016-02-01"], ["timeline-order", "timeline-order"]),
        ("UTC", ["2016-10-02"], ["event-after-report"]),
        # In Shanghai the day ends at 16:00 UTC: at 16:30 the next one has begun.
        ("Asia/Shanghai", ["2016-01-01T16:30Z", "2016-01-02"], []),
        ("Asia/Shanghai", ["2016-01-01T16:30Z", "2016-01-01"], ["timeline-order"]),
    ],
)
def test_timelines(tmp_path: Path, zone: str, times: list[str], codes: list[str]) -> None:
    diagnostics = found(tmp_path, timeline(*times), zone)
    assert [d.code for d in diagnostics] == codes
    if zone != "UTC" and codes:
        assert "as a day in UTC it would be in order" in diagnostics[0].hint
        assert (diagnostics[0].pos.line, diagnostics[0].severity) == (12, Severity.ERROR)


@pytest.mark.parametrize(("made", "codes"), [("2016-10-01", []), ("2016-10-02", ["made-after-report"])])
def test_a_statement_is_not_made_after_the_report(tmp_path: Path, made: str, codes: list[str]) -> None:
    claim = f"  told: {{says: It is so., unchecked: no certificate says so, made: {made}}}\n"
    assert [d.code for d in found(tmp_path, claim)] == codes


@pytest.mark.parametrize(
    ("first", "second", "codes"),
    [
        ("count: 3", "count: 3", []),
        ("count: 3", "count: 4", ["claims-contradict"]),
        ("count: 3", "where: {key_type: EC}, count: 4", []),  # not about the same rows
        ("count: 3", "count: 4, stands: false", []),
    ],
)
def test_two_claims_that_cannot_both_hold(tmp_path: Path, first: str, second: str, codes: list[str]) -> None:
    # A condition that nobody can decide leaves both unproven: no verdict tells them apart.
    undecided = "over: all, kind: any" if "where" in second else "over: all, where: {path_length: {at_least: 0}}"
    claims = f"  one: {{says: So it is., {undecided}, {first}}}\n  two: {{says: So it is., {undecided}, {second}}}\n"
    assert [
        d.code for d in found(tmp_path, claims.replace("kind: any, where: {key", "kind: any, where: {key"))
    ] == codes


def serial(number: int) -> str:
    return f"  slip: {{says: It is there., over: all, where: {{serial: '{number:X}'}}, count: {{at_most: 1}}}}\n"


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (SERIAL, None),
        (SERIAL + 0x1000, None),  # a neighbour in number, but one that the evidence has
        (SERIAL + 1, f"{SERIAL:X}"),
        (SERIAL >> 4, f"{SERIAL:X}"),  # the last digit dropped
        (SERIAL + 0x11, None),  # two digits off
        (0xABCDEF0123456789ABCDEF, None),
    ],
)
def test_a_serial_number_one_digit_off(tmp_path: Path, number: int, shown: str | None) -> None:
    diagnostics = found(tmp_path, serial(number))
    assert [d.code for d in diagnostics] == (["slip-of-the-pen"] if shown else [])
    for diagnostic in diagnostics:
        assert shown is not None
        assert shown in diagnostic.message
        assert diagnostic.severity is Severity.WARNING


@pytest.mark.parametrize(("day", "codes"), [("2015-01-01", []), ("2014-12-31", ["before-the-ca"]), ("2016-01-01", [])])
def test_nothing_is_issued_before_the_ca_exists(tmp_path: Path, day: str, codes: list[str]) -> None:
    claim = f"  old: {{says: It is so., over: all, where: {{not_before: {day}}}, count: {{at_most: 5}}}}\n"
    assert [d.code for d in found(tmp_path, claim)] == codes
