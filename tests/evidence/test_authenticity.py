"""Whose word evidence is, from files to facts: cross-signs, old hashes, expired issuers, each way to state trust.

The rules by themselves are tested beside `Authorities`; here each is seen through the tables of a report.
"""

import subprocess
from pathlib import Path
from typing import Any

import certifi
import pytest
import yaml

from affidavit.evidence import forms
from affidavit.evidence.certificate import read_certificate
from affidavit.incident.load import load
from affidavit.types import InputError
from testpki.build import Authority, Certificate
from testpki.crl import Revoked
from testpki.keys import ec_key, rsa_key
from tests.evidence.case import Content, facts_of, octets, row_of, rows

ROOT = Authority.root("Test Root")
OTHER = Authority.root("Other Root")


def openssl_verifies(folder: Path, trusted: Authority, leaf: Certificate, *between: Certificate) -> bool:
    """Whether openssl builds a chain, at a security level that bears old hashes, whatever the time."""
    folder.mkdir(exist_ok=True)
    (folder / "root.pem").write_text(trusted.certificate.pem())
    (folder / "between.pem").write_text("".join(one.pem() for one in (*between, trusted.certificate)))
    (folder / "leaf.pem").write_text(leaf.pem())
    arguments = ["-auth_level", "0", "-no_check_time", "-CAfile", "root.pem", "-untrusted", "between.pem", "leaf.pem"]
    done = subprocess.run(["openssl", "verify", *arguments], cwd=folder, capture_output=True, check=False, timeout=60)
    return done.returncode == 0


def authentic(folder: Path, trusted: Authority, leaf: Certificate, *between: Certificate) -> bool:
    files: dict[str, Content] = {"trust/r.pem": trusted, "c/leaf.pem": leaf}
    files |= {f"c/{number}.pem": one for number, one in enumerate(between)}
    found: bool = row_of(facts_of(folder, files), leaf)["authentic"]
    return found


def chain(root: Authority, leaf: dict[str, Any], *between: dict[str, Any]) -> list[Certificate]:
    """A leaf and the intermediates above it, the nearest first."""
    made: list[Certificate] = []
    for number, options in enumerate(between):
        root = root.intermediate(f"Level {number}", **options)
        made.insert(0, root.certificate)
    return [root.issue(**leaf), *made]


RSA = Authority.root("RSA Root", key=rsa_key("authenticity"))
OLD: dict[str, Any] = {"not_before": "2001-01-01", "not_after": "2002-01-01"}
CHAINS: dict[str, tuple[Authority, list[Certificate], bool]] = {
    "plain": (ROOT, chain(ROOT, {}, {}), True),
    "SHA-1 throughout": (RSA, chain(RSA, {"hash": "sha1"}, {"hash": "sha1", "key": "rsa"}), True),
    "MD5 throughout": (RSA, chain(RSA, {"hash": "md5"}, {"hash": "md5", "key": "rsa"}), True),
    "MD5, SHA-1, SHA-256": (RSA, chain(RSA, {"hash": "sha1"}, {"hash": "md5", "key": "rsa"}, {"key": "rsa"}), True),
    "an issuer that expired long before": (ROOT, chain(ROOT, {"not_before": "2024-01-01"}, OLD), True),
    "an issuer not valid yet": (ROOT, chain(ROOT, {}, {"not_before": "2040-01-01"}), True),
    "an issuer that is no CA": (ROOT, chain(ROOT, {}, {"ca": False, "key_usage": ["keyCertSign"]}), False),
    "an issuer without keyCertSign": (ROOT, chain(ROOT, {}, {"key_usage": ["cRLSign"]}), False),
    "the leaf's signature is a stranger's": (ROOT, chain(ROOT, {"signed_by": ec_key("a stranger")}, {}), False),
    "the issuer's signature is a stranger's": (ROOT, chain(ROOT, {}, {"signed_by": ec_key("a stranger")}), False),
    "another root of that name": (Authority.root("Test Root", key=ec_key("a twin")), chain(ROOT, {}, {}), False),
    "another root": (OTHER, chain(ROOT, {}, {}), False),
}


@pytest.mark.parametrize("name", CHAINS)
def test_a_chain_is_judged_as_openssl_judges_it(tmp_path: Path, name: str) -> None:
    root, (leaf, *between), expected = CHAINS[name]
    assert authentic(tmp_path / "ours", root, leaf, *between) is expected
    assert openssl_verifies(tmp_path / "openssl", root, leaf, *between) is expected


@pytest.mark.parametrize("trusted", [ROOT, OTHER])
def test_a_cross_signed_issuer_is_named_by_the_certificate_that_is_trusted(tmp_path: Path, trusted: Authority) -> None:
    shared = ec_key("a shared CA")
    by_root, by_other = (one.intermediate("Shared", key=shared) for one in (ROOT, OTHER))
    leaf = by_root.issue()
    files: dict[str, Content] = {"trust/r.pem": trusted, "c/l.pem": leaf, "c/1.pem": by_root, "c/2.pem": by_other}
    facts = facts_of(tmp_path, files)
    named = by_root if trusted is ROOT else by_other
    assert row_of(facts, leaf)["authentic"] is True
    assert row_of(facts, leaf)["issued_by"] == named.certificate.sha256
    assert {one.certificate.sha256: row_of(facts, one)["authentic"] for one in (by_root, by_other)} == {
        by_root.certificate.sha256: trusted is ROOT, by_other.certificate.sha256: trusted is OTHER,
    }  # fmt: skip


def test_several_certificates_of_one_name_and_key_are_one_issuer(tmp_path: Path) -> None:
    """Reissued ones: whichever was meant, the key signed; one that may issue is named before another."""
    key = ec_key("a CA that was reissued")
    may = [ROOT.intermediate("Reissued", key=key, serial=number) for number in (1, 2)]
    may_not = ROOT.intermediate("Reissued", key=key, serial=3, key_usage=["digitalSignature"])
    leaf = may_not.issue()
    files: dict[str, Content] = {"trust/r.pem": ROOT, "c/l.pem": leaf, "c/3.pem": may_not}
    alone = row_of(facts_of(tmp_path / "1", files), leaf)
    assert (alone["authentic"], alone["issued_by"]) == (False, may_not.certificate.sha256)
    files |= {f"c/{number}.pem": one for number, one in enumerate(may)}
    facts = facts_of(tmp_path / "2", files)
    assert row_of(facts, leaf)["authentic"] is True
    assert row_of(facts, leaf)["issued_by"] == min(one.certificate.sha256 for one in may)


def test_issuers_only_help_to_link_and_are_no_rows(tmp_path: Path) -> None:
    middle = ROOT.intermediate("Middle")
    leaf = middle.issue()
    files: dict[str, Content] = {"trust/r.pem": ROOT, "c/l.pem": leaf, "chain/m.pem": middle}
    with_it = facts_of(tmp_path / "1", files, {"all": {"files": "c/*", "issuers": "chain/*"}})
    assert [(row["sha256"], row["authentic"]) for row in rows(with_it)] == [(leaf.sha256, True)]
    without = facts_of(tmp_path / "2", files)
    assert [row["authentic"] for row in rows(without)] == [False]
    # What is named as an issuer is not trusted by that.
    forged = Authority.root("Forged")
    files = {"trust/r.pem": ROOT, "c/l.pem": forged.issue(), "chain/f.pem": forged}
    strange = facts_of(tmp_path / "3", files, {"all": {"files": "c/*", "issuers": "chain/*"}})
    assert [row["authentic"] for row in rows(strange)] == [False]


# --- how trust is stated ----------------------------------------------------------------------------------------------


def mozilla_root() -> bytes:
    return next(item.data for item in forms.items(Path(certifi.where()).read_bytes()) if item.kind == "certificate")


def test_mozillas_roots_are_trusted_and_what_bears_their_name_is_not(tmp_path: Path) -> None:
    true = mozilla_root()
    subject = read_certificate(true).subject_der
    mimic = Authority.root("Mimic", subject=subject, issuer=subject)
    leaf = mimic.issue()
    files: dict[str, Content] = {"c/true.der": true, "c/mimic.pem": mimic, "c/leaf.pem": leaf}
    facts = facts_of(tmp_path, files, trust="mozilla")
    assert {row["file"]: row["authentic"] for row in rows(facts)} == {
        "c/true.der": True, "c/mimic.pem": False, "c/leaf.pem": False,
    }  # fmt: skip
    # With a list of one's own beside it, both are.
    files |= {"trust/mimic.pem": mimic}
    facts = facts_of(tmp_path / "2", files, trust=["mozilla", "trust/*"])
    assert {row["authentic"] for row in rows(facts)} == {True}


def test_trust_none_holds_for_everything(tmp_path: Path) -> None:
    leaf = ROOT.issue()
    crl = ROOT.crl([Revoked(leaf.serial, "2024-02-01")], this_update="2024-02-02")
    facts = facts_of(tmp_path, {"c/r.pem": ROOT, "c/l.pem": leaf, "c/l.crl": crl}, trust="none")
    for table in ("certificates", "crls", "revocations"):
        assert {row["authentic"] for row in rows(facts, table)} == {False}
    # Who signed what is known all the same.
    assert row_of(facts, leaf)["issued_by"] == ROOT.certificate.sha256


def loaded(folder: Path, evidence: dict[str, Any], **more: Any) -> None:
    base = folder / "evidence" / "small" / "c"
    base.mkdir(parents=True)
    (base / "leaf.pem").write_bytes(octets(ROOT.issue()))
    incident = {"title": "A test", "kind": "analysis", "date": "2026-01-01", **more, "evidence": evidence}
    incident["claims"] = {"some": {"says": "There is something.", "over": next(iter(evidence)), "count": "1"}}
    path = folder / "reports" / "small" / "incident.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(yaml.safe_dump(incident, sort_keys=False), "utf-8")
    load(path, folder / "evidence", folder)


def test_without_a_word_on_trust_the_message_says_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        loaded(tmp_path / "1", {"first": {"files": "c/*"}, "second": {"files": "c/*", "trust": "none"}})
    (found,) = caught.value.diagnostics
    assert (found.code, found.pos.line) == ("no-trust", 5)
    assert "'first'" in found.message
    assert "trust: mozilla" in found.hint
    assert "trust: none" in found.hint
    loaded(tmp_path / "2", {"first": {"files": "c/*", "trust": "mozilla"}})
    loaded(tmp_path / "3", {"first": {"files": "c/*"}}, trust="none")
