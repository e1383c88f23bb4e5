"""Claims over hand-made rows: a test says only what is odd about its evidence, and what is claimed of it."""

import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from affidavit.check.compile import compile_claims
from affidavit.evidence.extract import Facts, problem_rows, to_arrow
from affidavit.incident.load import Report, load
from affidavit.run import Run, check_facts
from affidavit.settings import Policy
from affidavit.types import Outcome, Problem, Verdict

Row = dict[str, Any]
NAME = "a"
"""The collection of a row for which nothing else is said."""


def digest(text: object) -> str:
    """A SHA-256 that stands for something: a certificate, a key, a name."""
    return sha256(str(text).encode()).hexdigest()


def at(text: str) -> datetime:
    """A UTC time as the tables hold it, from ``2016-01-04 12:00`` or a bare day."""
    return datetime.fromisoformat(text)


def serial_of(number: int) -> str:
    """A serial number of 16 octets whose first hex digit is a zero."""
    return f"{(0x05 << 120) + number:032X}"


def certificate(number: int | str = 1, **odd: Any) -> Row:
    """A row of ``certificates``; ``number`` makes its fingerprint, key and serial number."""
    serial = serial_of(number) if isinstance(number, int) else "7" + digest(number)[:31].upper()
    row: Row = {
        "sha256": digest(number),
        "kind": "certificate",
        "serial": serial,
        "serial_octets": 16,
        "serial_der_octets": 16,
        "serial_bits": 123,
        "issuer": "CN=CA One,O=Example",
        "issuer_cn": "CA One",
        "issuer_der_sha256": digest("CA One"),
        "subject": "CN=www.example.com",
        "subject_cn": "www.example.com",
        "subject_der_sha256": digest("www.example.com"),
        "not_before": at("2016-01-04 12:00"),
        "not_after": at("2017-01-04 12:00"),
        "validity_seconds": 366 * 86400 + 1,
        "version": 3,
        "signature_algorithm": "sha1WithRSAEncryption",
        "signature_hash": "sha1",
        "key_type": "RSA",
        "key_bits": 2048,
        "spki_sha256": digest(f"key {number}"),
        "dns_names": ["www.example.com", "example.com"],
        "ip_addresses": [],
        "policy_oids": ["2.23.140.1.2.2"],
        "validation": "OV",
        "is_ca": False,
        "path_length": None,
        "key_usage": ["digitalSignature", "keyEncipherment"],
        "extended_key_usage": ["serverAuth"],
        "subject_key_id": digest(number)[:40],
        "authority_key_id": digest("CA One")[:40],
        "extension_oids": ["2.5.29.17"],
        "extension_digests": [f"2.5.29.17={digest('names')}"],
        "precert_tbs_sha256": digest(f"tbs {number}"),
        "sct_count": 2,
        "earliest_sct": at("2016-01-04 12:00:01"),
        "latest_sct": at("2016-01-04 12:00:02"),
        "authentic": True,
        "issued_by": digest("CA One"),
        "issuer_spki_sha256": digest("CA One key"),
        "collection": NAME,
        "file": f"{number}.pem",
        "position": 1,
        "copies": 1,
    }
    unknown = odd.keys() - row.keys()
    assert not unknown, unknown
    return row | odd


def sct(certificate_number: int | str = 1, position: int = 1, **odd: Any) -> Row:
    """A row of ``scts``."""
    return {
        "certificate": digest(certificate_number),
        "position": position,
        "version": 0,
        "log_id": digest("log"),
        "log": "Test Log",
        "timestamp": at("2016-01-04 12:00:01"),
        "signature": "valid",
        "authentic": True,
        "kind": "certificate",
        "collection": NAME,
    } | odd


def revocation(number: int = 1, **odd: Any) -> Row:
    """A row of ``revocations``: an entry for the certificate of that number."""
    return {
        "issuer": "CN=CA One,O=Example",
        "issuer_der_sha256": digest("CA One"),
        "issuer_spki_sha256": digest("CA One key"),
        "serial": serial_of(number),
        "revoked_at": at("2016-09-01 08:00"),
        "reason": "keyCompromise",
        "source": "crl.pem",
        "this_update": at("2016-09-02"),
        "next_update": at("2016-09-09"),
        "authentic": True,
        "collection": NAME,
    } | odd


def crl(**odd: Any) -> Row:
    """A row of ``crls``: a full one, of the CA and the time that `revocation` has."""
    return {
        "sha256": digest("crl"), "issuer": "CN=CA One,O=Example", "issuer_der_sha256": digest("CA One"),
        "issuer_spki_sha256": digest("CA One key"), "this_update": at("2016-09-02"), "scope": "full", "entries": 1,
        "authentic": True, "collection": NAME, "file": "crl.pem", "position": 1,
    } | odd  # fmt: skip


def lint(number: int | str = 1, **odd: Any) -> Row:
    """A row of ``lints``: zlint says that the certificate of that number violates a rule."""
    row: Row = {
        "certificate": digest(number), "linter": "zlint", "version": "v3.6.4", "profile": None, "code": "e_a_rule",
        "result": "error", "source_of_rule": None, "effective": None, "details": None, "authentic": True,
        "kind": "certificate", "file": "z.json", "position": 1, "collection": NAME,
    }  # fmt: skip
    return row | odd


def problem(file: str = "broken.pem", part: str = "", **odd: Any) -> Problem:
    """A piece of evidence that could not be read; ``certificate=`` makes it a half-read one."""
    return Problem(file, 1, part, "truncated", **({"collection": NAME} | odd))


def head(**odd: Any) -> dict[str, Any]:
    """An incident file's keys other than the claims."""
    return {
        "title": "A test",
        "kind": "analysis",
        "date": "2026-11-23",
        "trust": ["trust.pem"],
        "evidence": {name: {"files": f"{name}/*.pem"} for name in ("a", "b", "c")},
    } | odd


def report_of(incident: Mapping[str, Any] | str, files: Mapping[str, str | bytes] | None = None) -> Report:
    """An incident file, written and loaded; ``files`` are written below its evidence folder first."""
    text = (
        incident if isinstance(incident, str) else yaml.safe_dump(dict(incident), allow_unicode=True, sort_keys=False)
    )
    text = text.replace(": null\n", ":\n")  # a key with nothing after it
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "reports" / "case" / "incident.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
        for name, content in (files or {}).items():
            file = Path(folder) / "evidence" / "case" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.encode() if isinstance(content, str) else content)
        return load(path, Path(folder) / "evidence", Path(folder))


def facts_of(
    certificates: Sequence[Row] = (),
    scts: Sequence[Row] = (),
    revocations: Sequence[Row] = (),
    problems: Sequence[Problem] = (),
    lints: Sequence[Row] = (),
    crls: Sequence[Row] = (),
) -> Facts:
    """Rows as the facts that extraction would have given."""
    rows = {
        "certificates": list(certificates),
        "scts": list(scts),
        "revocations": list(revocations),
        "lints": list(lints),
        "crls": list(crls),
        "problems": problem_rows(problems),
    }
    return Facts(to_arrow(rows), tuple(problems), ())


def run(
    claims: Mapping[str, Any],
    certificates: Sequence[Row] = (),
    *,
    top: Mapping[str, Any] | None = None,
    files: Mapping[str, str | bytes] | None = None,
    strict: bool = False,
    **rows: Any,
) -> Run:
    """Check claims (as an incident file states them) over rows."""
    whole = {name: {"says": "Something is so.", **claim} for name, claim in claims.items()}
    report = report_of(head(**(top or {})) | {"claims": whole}, files)
    return check_facts(report, compile_claims(report), facts_of(certificates, **rows), Policy(strict))


def verdict(claim: Mapping[str, Any] | str, certificates: Sequence[Row] = (), **more: Any) -> Verdict:
    """The verdict on one claim; over collection ``a`` unless it says otherwise. A text is read as YAML."""
    stated: dict[str, Any] = yaml.load(claim, Loader=yaml.BaseLoader) if isinstance(claim, str) else dict(claim)
    if "total" not in stated:
        stated = {"over": NAME} | stated
    others = more.pop("others", {})
    return run({"one": stated, **others}, certificates, **more).verdicts["one"]


def outcome(claim: Mapping[str, Any] | str, certificates: Sequence[Row] = (), **more: Any) -> Outcome:
    """The outcome of one claim."""
    return verdict(claim, certificates, **more).outcome


def hints(found: Verdict) -> str:
    """All hints of a verdict, in one text."""
    return "; ".join(finding.hint for finding in found.findings if finding.hint)
