"""A report over evidence that a test writes: from files to facts tables in one call."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from affidavit.evidence.extract import Facts, extract
from affidavit.incident.load import load
from testpki.build import Authority, Certificate
from testpki.crl import Crl

Content = bytes | str | Certificate | Crl | Authority


def octets(content: Content) -> bytes:
    """A file's content: text as UTF-8, certificates and CRLs as PEM."""
    if isinstance(content, Authority):
        content = content.certificate
    if isinstance(content, Certificate | Crl):
        content = content.pem()
    return content.encode() if isinstance(content, str) else content


def facts_of(
    folder: Path,
    files: Mapping[str, Content],
    evidence: Mapping[str, Any] | None = None,
    **more: Any,
) -> Facts:
    """The facts of a report ``small`` over files; collection ``all`` of ``c/*``, trust in ``trust/*``, unless said."""
    base = folder / "evidence" / "small"
    base.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (base / name).parent.mkdir(parents=True, exist_ok=True)
        (base / name).write_bytes(octets(content))
    evidence = {"all": {"files": "c/*"}} if evidence is None else evidence
    if "trust" not in more:
        more["trust"] = "trust/*" if any(name.startswith("trust/") for name in files) else "none"
    claim = {"says": "There is something.", "over": next(iter(evidence)), "count": {"at_least": "1"}}
    incident = {"title": "A test", "kind": "analysis", "date": "2026-01-01", **more}
    incident |= {"evidence": dict(evidence), "claims": {"some": claim}}
    path = folder / "reports" / "small" / "incident.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(incident, sort_keys=False), "utf-8")
    return extract(load(path, folder / "evidence", folder))


def rows(facts: Facts, table: str = "certificates") -> list[dict[str, Any]]:
    """A facts table as rows."""
    found: list[dict[str, Any]] = facts.tables[table].to_pylist()
    return found


def row_of(facts: Facts, certificate: Certificate | Authority) -> dict[str, Any]:
    """The one row of a certificate."""
    sha256 = (certificate.certificate if isinstance(certificate, Authority) else certificate).sha256
    (found,) = [row for row in rows(facts) if row["sha256"] == sha256]
    return found
