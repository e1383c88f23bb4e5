"""pkilint run over certificates: what it says is what its own program says; what it cannot say is named, no pass."""

import io
import json
import os
import subprocess
import sys
import time
from contextlib import redirect_stdout
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pkilint")

from affidavit import inputs
from affidavit.evidence import linting, pkilinter, workers
from affidavit.evidence.corpus import Group, Lint, Wanted
from affidavit.evidence.extract import facts_of
from affidavit.evidence.facts import Facts
from affidavit.evidence.manifest import SourceFile
from affidavit.evidence.pkilinter import Task
from testpki import Authority, Certificate, asn1, extensions
from tests.evidence import chores
from tests.evidence.case import rows

ROOT = Authority.root("Test Root")
SERIAL = "pkix.certificate_serial_number_out_of_range"
EV_ONLY = "cabf.ev_guidelines.invalid_business_category"
INTERNAL = "cabf.internal_domain_name"
GOOD, NEGATIVE = ROOT.issue("a.example"), ROOT.issue("b.example", serial=-5)
#: A SAN whose inner form is no SEQUENCE: pkilint's decoder gives up on it.
MANGLED = ROOT.issue("c.example", dns=None, extensions=[extensions.extension("2.5.29.17", b"\x04\x01\x00")])
#: No object identifier where one must be: pkilint cannot load the certificate at all.
BROKEN = ROOT.issue("d.example", extensions=[b"\x30\x03\x02\x01\x01"])
ODD = {"good": GOOD, "negative": NEGATIVE, "mangled": MANGLED, "broken": BROKEN,
       "sha1": ROOT.issue("e.example", hash="sha1"), "no names": ROOT.issue("f.example", dns=None),
       "time": ROOT.issue("g.example", not_before=b"\x17\x03abc"), "ca": ROOT.intermediate("Another").certificate,
       "root": ROOT.certificate, "v1": ROOT.issue("h.example", version=1),
       "ev": ROOT.issue("i.example", policies=["ev"])}  # fmt: skip


def source(folder: Path, name: str, content: Certificate) -> SourceFile:
    import hashlib

    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content.pem())
    data = path.read_bytes()
    return SourceFile(path, name, hashlib.sha256(data).hexdigest(), len(data))


def linted(folder: Path, certificates: dict[str, Certificate], *asked: Lint, cache: Path | None = None) -> Facts:
    """The facts of a collection `c` with these certificates, of which some rules are asked."""
    files = tuple(source(folder, f"c/{name}.pem", one) for name, one in certificates.items())
    return facts_of([Group("c", files)], [], Wanted(lints=tuple(asked)), cache=cache, processes=1)


def results(facts: Facts) -> dict[tuple[str, str], list[str]]:
    """Results by certificate and rule; the profile's own name alone."""
    found: dict[tuple[str, str], list[str]] = {}
    for row in rows(facts, "lints"):
        found.setdefault((row["certificate"], row["code"]), []).append(row["result"])
    return found


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Facts:
    asked = [Lint("c", "any", "serverauth", code) for code in (SERIAL, EV_ONLY, INTERNAL)]
    return linted(tmp_path_factory.mktemp("odd"), ODD, *asked)


# --- one certificate --------------------------------------------------------------------------------------------------


def said_by_its_own_program(profile: str, certificate: Certificate, folder: Path) -> set[tuple[str, str]] | None:
    """Code and severity of each finding as pkilint's command reports them; None where it refuses the file."""
    from pkilint.bin import lint_cabf_serverauth_cert, lint_etsi_cert, lint_pkix_cert

    program, more = {
        "pkix": (lint_pkix_cert, []), "serverauth": (lint_cabf_serverauth_cert, ["-d"]),
        "etsi": (lint_etsi_cert, ["-d"]),
    }[profile]  # fmt: skip
    path = folder / "one.pem"
    path.write_text(certificate.pem())
    told = io.StringIO()
    with redirect_stdout(told):
        status = program.main(["lint", *more, "-f", "JSON", "-s", "DEBUG", str(path)])
    if not told.getvalue():
        assert status
        return None
    found = json.loads(told.getvalue())["results"]
    return {(one["code"], one["severity"]) for result in found for one in result["finding_descriptions"]}


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("profile", ["pkix", "serverauth", "etsi"])
def test_its_own_program_says_the_same(profile: str, tmp_path: Path) -> None:
    levels = {"warn": "WARNING"}
    compared = 0
    for name, certificate in ODD.items():
        (said,) = pkilinter.lint(Task(profile, (certificate.der,)))
        try:
            told = said_by_its_own_program(profile, certificate, tmp_path)
        except Exception:  # its program may stop at what we name as a fault
            told = None
        if told is None:
            assert said.failed, name
            assert not said.ran
            assert not said.findings
            continue
        compared += 1
        mine = {(f.code, levels.get(f.result, f.result.upper())) for f in said.findings if f.result != "not applicable"}
        assert mine == {one for one in told if one[0] != pkilinter.CRASHED}, name
    assert compared >= 8


def test_what_ran_and_found_nothing_is_told_from_what_did_not_run() -> None:
    good, ev, mangled = pkilinter.lint(Task("serverauth", (GOOD.der, ODD["ev"].der, MANGLED.der)))
    assert good.linted_as == "DV-FINAL-CERTIFICATE"
    assert good.source.startswith("CA/Browser Forum's TLS Baseline Requirements 2.")
    assert SERIAL in good.ran
    assert EV_ONLY not in good.ran  # a rule of another type of certificate
    assert ev.linted_as == "EV-FINAL-CERTIFICATE"
    # A part that cannot be decoded: the fault is a finding, and nothing else counts as looked at.
    assert not mangled.ran
    assert mangled.failed
    assert pkilinter.UNDECODED in {one.code for one in mangled.findings}


def test_a_validator_that_fails_passes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from pkilint.pkix import time as times

    def fail(*_: Any) -> None:
        raise ZeroDivisionError("lost")

    monkeypatch.setattr(times.UtcTimeCorrectSyntaxValidator, "validate", fail)
    (said,) = pkilinter.lint(Task("pkix", (NEGATIVE.der,)))
    assert said.failed
    assert "failed at" in said.failed
    assert not said.ran
    assert [one.code for one in said.findings if one.code == SERIAL] == [SERIAL]  # what was found stands
    assert pkilinter.CRASHED not in {one.code for one in said.findings}


def test_time_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    def spin(*_: Any) -> None:
        while True:
            try:
                time.sleep(0.01)
            except Exception:
                continue

    monkeypatch.setattr(pkilinter, "SECONDS", 0.05)
    monkeypatch.setattr(pkilinter, "_linted", spin)
    began = time.monotonic()
    (said,) = pkilinter.lint(Task("pkix", (GOOD.der,)))
    assert time.monotonic() - began < 5
    assert said.failed == "pkilint takes longer than 0.05 s"


@pytest.mark.parametrize("der", [b"", b"0", b"\x30\x80\x00\x00", b"\x30\x82" * 3000, GOOD.der[:-1], b"\x02\x01\x05"])
def test_bytes_that_are_no_certificate(der: bytes) -> None:
    for profile in pkilinter.PROFILES:
        (said,) = pkilinter.lint(Task(profile, (der,)))
        assert said.failed
        assert (said.ran, said.findings) == ((), ())


def test_the_rules_of_a_profile() -> None:
    assert pkilinter.severity("pkix", SERIAL) == "error"
    assert pkilinter.severity("pkix", EV_ONLY) is None
    assert pkilinter.severity("serverauth", EV_ONLY) == "error"
    assert pkilinter.severity("pkix", "pkix.subject_key_identifier_method_1_identified") == "info"
    assert pkilinter.severity("pkix", pkilinter.CRASHED) is None
    assert SERIAL in pkilinter.codes("pkix")


# --- tables -----------------------------------------------------------------------------------------------------------


def test_pass_not_applicable_and_violation_are_rows_of_their_own(odd: Facts) -> None:
    found = results(odd)
    assert found[GOOD.sha256, SERIAL] == ["pass"]
    assert found[NEGATIVE.sha256, SERIAL] == ["error"]
    assert found[GOOD.sha256, EV_ONLY] == ["not applicable"]
    assert found[ODD["ca"].sha256, INTERNAL] == ["not applicable"]  # it has no name that the rule judges
    assert found[GOOD.sha256, INTERNAL] == ["error"]  # .example is no public suffix
    row = next(r for r in rows(odd, "lints") if (r["certificate"], r["code"]) == (NEGATIVE.sha256, SERIAL))
    assert (row["linter"], row["version"]) == ("pkilint", metadata.version("pkilint"))
    assert row["profile"] == "serverauth DV-FINAL-CERTIFICATE"
    assert row["source_of_rule"].startswith("CA/Browser Forum's TLS")
    assert '"-5"' in row["details"]
    assert (row["file"], row["collection"], row["effective"]) == (None, None, None)


def test_what_pkilint_cannot_lint_is_a_problem_and_no_result(odd: Facts) -> None:
    faults = {row["certificate"]: row for row in rows(odd, "problems") if row["field"] == "lints"}
    assert "pkilint could not decode" in faults[MANGLED.sha256]["reason"]
    assert faults[MANGLED.sha256]["file"] == "c/mangled.pem"
    assert not faults[MANGLED.sha256]["irregular"]
    assert not [key for key in results(odd) if key[0] == MANGLED.sha256]
    assert GOOD.sha256 not in faults
    assert {p.certificate for p in odd.problems if p.field == "lints"} == set(faults)


def test_only_the_kind_and_collection_asked_for(tmp_path: Path) -> None:
    before, after = ROOT.pair("p.example")
    facts = linted(tmp_path, {"pre": before, "final": after}, Lint("c", "certificate", "pkix", SERIAL))
    assert set(results(facts)) == {(after.sha256, SERIAL)}
    nothing = linted(tmp_path, {"pre": before}, Lint("c", "certificate", "pkix", SERIAL))
    assert rows(nothing, "lints") == []


def test_a_type_that_cannot_be_told(tmp_path: Path) -> None:
    facts = linted(tmp_path, {"good": GOOD}, Lint("c", "any", "smime", SERIAL))
    assert rows(facts, "lints") == []
    (fault,) = [row for row in rows(facts, "problems") if row["field"] == "lints"]
    assert "cannot tell which type" in fault["reason"]


def test_a_certificate_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    large = ROOT.issue("large.example", dns=[f"{n:060}.example" for n in range(60)])
    monkeypatch.setattr(pkilinter, "MAX_OCTETS", 4000)
    facts = linted(tmp_path, {"good": GOOD, "large": large}, Lint("c", "any", "pkix", SERIAL))
    assert set(results(facts)) == {(GOOD.sha256, SERIAL)}
    (fault,) = [row for row in rows(facts, "problems") if row["field"] == "lints"]
    assert (fault["certificate"], fault["reason"]) == (
        large.sha256, "it is larger than 4,000 octets, and was not linted",
    )  # fmt: skip


def test_one_that_brings_the_process_down_does_not_take_others_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pkilinter, "lint", chores.lint_or_die)
    deadly = ROOT.issue("die.example")
    cache = tmp_path / "cache"
    facts = linted(tmp_path, {"good": GOOD, "die": deadly}, Lint("c", "any", "pkix", SERIAL), cache=cache)
    assert results(facts) == {(GOOD.sha256, SERIAL): ["pass"]}
    (fault,) = [row for row in rows(facts, "problems") if row["field"] == "lints"]
    assert fault["certificate"] == deadly.sha256
    assert "status 3" in fault["reason"]


def test_no_certificate_is_lost_between_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linting, "BATCH", 2)
    monkeypatch.setattr(linting, "KEPT_TOGETHER", 5)
    many = {f"n{number}": ROOT.issue(f"n{number}.example", serial=number - 12) for number in range(25)}
    facts = linted(tmp_path, many, Lint("c", "any", "pkix", SERIAL), cache=tmp_path / "cache")
    found = results(facts)
    # Serial numbers -12 to 12: those below 1 violate the rule (RFC 5280 4.1.2.2).
    assert {name: found[one.sha256, SERIAL] for name, one in many.items()} == {
        f"n{number}": ["pass" if number > 12 else "error"] for number in range(25)
    }
    assert len(list((tmp_path / "cache").glob("*/lints/*/linted.parquet"))) == 5


def test_another_rule_of_the_profile_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "cache"
    some = {"good": GOOD, "negative": NEGATIVE}
    linted(tmp_path, some, Lint("c", "any", "pkix", SERIAL), cache=cache)

    class NoPool:
        def __init__(self, *_: Any) -> None:
            raise AssertionError("it is known already")

    monkeypatch.setattr(workers, "Pool", NoPool)
    again = linted(tmp_path, some, Lint("c", "any", "pkix", "pkix.invalid_time_syntax"), cache=cache)
    assert set(results(again).values().__iter__().__next__()) == {"pass"}
    # Another certificate, or another profile, is not known.
    with pytest.raises(AssertionError, match="known already"):
        linted(tmp_path, some | {"new": ODD["sha1"]}, Lint("c", "any", "pkix", SERIAL), cache=cache)
    with pytest.raises(AssertionError, match="known already"):
        linted(tmp_path, some, Lint("c", "any", "serverauth", SERIAL), cache=cache)
    monkeypatch.setattr(workers, "Pool", workers.Pool)


def test_nothing_is_kept_across_versions_of_pkilint(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    now = inputs.program_digest.__wrapped__()
    (tmp_path / "pkilint-0.99.dist-info").mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "path", [str(tmp_path), *sys.path])
        another = inputs.program_digest.__wrapped__()
    real = os.listdir
    monkeypatch.setattr(os, "listdir", lambda place: [n for n in real(place) if not n.startswith("pkilint-")])
    none = inputs.program_digest.__wrapped__()
    assert len({now, another, none}) == 3

    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    assert pkilinter.version() is None


def test_the_versions_of_libraries_are_those_that_they_give_themselves() -> None:
    names = (*inputs._LIBRARIES, *inputs._OPTIONAL)
    assert inputs._versions(names) == {name: metadata.version(name) for name in names}


def test_a_library_whose_folder_says_no_version_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.listdir
    monkeypatch.setattr(os, "listdir", lambda place: [n for n in real(place) if not n.startswith("duckdb-")])
    assert inputs._versions(["duckdb"]) == {"duckdb": metadata.version("duckdb")}


def test_without_pkilint_there_are_no_rows_and_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pkilinter, "version", lambda: None)
    facts = linted(tmp_path, {"good": GOOD}, Lint("c", "any", "pkix", SERIAL))
    assert rows(facts, "lints") == []
    assert [row for row in rows(facts, "problems") if row["field"] == "lints"] == []


@pytest.fixture(scope="module")
def imported() -> str:
    code = (
        "import sys, affidavit.run, affidavit.evidence.linting, affidavit.evidence.assemble\n"
        "print(' '.join(sorted(m for m in sys.modules if m.startswith(('pkilint', 'pyasn1')))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


def test_pkilint_is_imported_late(imported: str) -> None:
    assert imported == ""
    assert asn1.pem(GOOD.der) == GOOD.pem()
