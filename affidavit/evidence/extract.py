"""Step 2 of the flow: a report's evidence files to facts tables."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from affidavit.evidence import forms
from affidavit.evidence.authentic import Issuers
from affidavit.evidence.certificate import Certificate, read_certificate, sha256
from affidavit.evidence.crl import Crl, read_crl
from affidavit.evidence.der import DerError
from affidavit.evidence.files import EvidenceFile, find, read
from affidavit.evidence.sct import Log, Sct, read_log_list, signed_bytes
from affidavit.evidence.signatures import sct_verifies
from affidavit.incident.load import Report
from affidavit.tables import TABLES, arrow_schema
from affidavit.types import Diagnostic, InputError, Pos, Problem, did_you_mean

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class FileFact:
    """An evidence file as it was read: name, size in octets, SHA-256, and the collections that name it."""

    name: str
    octets: int
    sha256: str
    collections: tuple[str, ...]


@dataclass(frozen=True)
class Facts:
    """The facts tables of a report, the DER of its certificates by SHA-256, and the files behind them."""

    tables: dict[str, "pa.Table"]
    problems: tuple[Problem, ...]
    files: tuple[FileFact, ...]
    ders: dict[str, bytes] = field(default_factory=dict)


@dataclass
class Found:
    """A certificate of a collection: where it was first seen, and how often."""

    certificate: Certificate
    file: str
    position: int
    copies: int = 1


@dataclass
class Collected:
    """What the files of one collection hold; ``trusted`` is false where it says ``trust: none``."""

    name: str
    anchors: frozenset[str]
    trusted: bool
    certificates: dict[str, Found] = field(default_factory=dict)
    crls: list[tuple[str, Crl]] = field(default_factory=list)


class Reader:
    """Reads evidence files, each certificate once however many collections name its file."""

    def __init__(self) -> None:
        self.by_digest: dict[str, Certificate] = {}
        self._files: dict[str, tuple[bytes, list[tuple[forms.Item, Certificate | Crl | None, str]]]] = {}
        self.problems: list[Problem] = []
        self.collections_of: dict[str, set[str]] = {}

    def read(self, file: EvidenceFile, pos: Pos, collection: str) -> Iterator[tuple[int, Certificate | Crl]]:
        """Certificates and CRLs of a file with their numbers; what cannot be read becomes a problem."""
        if file.name not in self._files:
            data = read(file, pos)
            self._files[file.name] = (data, list(_parse(data, file, pos, self.by_digest)))
        self.collections_of.setdefault(file.name, set()).add(collection)
        for item, parsed, fault in self._files[file.name][1]:
            if parsed is None:
                self.problems.append(Problem(file.name, item.position, "", fault, collection=collection))
                continue
            digest = parsed.row["sha256"] if isinstance(parsed, Certificate) else ""
            for name, reason in parsed.faults:
                self.problems.append(Problem(file.name, item.position, name, reason, digest, collection))
            yield item.position, parsed

    def facts(self) -> tuple[FileFact, ...]:
        """The files read so far."""
        return tuple(
            FileFact(name, len(data), sha256(data), tuple(sorted(self.collections_of[name] - {""})))
            for name, (data, _) in sorted(self._files.items())
        )


def _parse(
    data: bytes, file: EvidenceFile, pos: Pos, known: dict[str, Certificate]
) -> Iterator[tuple[forms.Item, Certificate | Crl | None, str]]:
    try:
        for item in forms.items(data):
            if item.fault:
                yield item, None, item.fault
                continue
            try:
                if item.kind == "crl":
                    yield item, read_crl(item.data), ""
                    continue
                digest = sha256(item.data)
                if digest not in known:
                    known[digest] = read_certificate(item.data)
                yield item, known[digest], ""
            except DerError as error:
                yield item, None, str(error)
            except (IndexError, ValueError, OverflowError):
                yield item, None, f"not of the form of a {item.kind} (RFC 5280)"
    except forms.PrivateKeyFound as error:
        raise InputError(
            Diagnostic(
                pos,
                "private-key",
                f"{file.name} holds {error}: private keys are no evidence and must not be published",
                "take it out of the evidence folder; treat the key as compromised if it was ever committed",
            )
        ) from None


def _patterns(report: Report, stated: str | list[str], *path: str | int) -> list[tuple[str, Pos]]:
    if isinstance(stated, str):
        return [(stated, report.pos(*path))]
    return [(pattern, report.pos(*path, index)) for index, pattern in enumerate(stated)]


def _anchors(report: Report, reader: Reader, stated: Any, *path: str | int) -> frozenset[str]:
    """SHA-256 of the certificates in trust files; every one of them must be readable."""
    found = set()
    for pattern in _patterns(report, stated, *path):
        before = len(reader.problems)
        for file in find(report.evidence_dir, [pattern]):
            for _, parsed in reader.read(file, pattern[1], ""):
                if isinstance(parsed, Certificate):
                    found.add(parsed.row["sha256"])
        unreadable = [p for p in reader.problems[before:] if not p.certificate]
        del reader.problems[before:]
        if unreadable:
            first = unreadable[0]
            message = f"{first.file}, item {first.position}, cannot be read: {first.reason}"
            raise InputError(Diagnostic(pattern[1], "bad-trust", message, "trust files hold certificates"))
    if not found:
        raise InputError(Diagnostic(report.pos(*path), "bad-trust", "no certificate stands in the trust files"))
    return frozenset(found)


def _logs(report: Report) -> dict[str, Log]:
    found = {}
    stated = report.incident.ct_logs
    for pattern in _patterns(report, stated, "ct_logs") if stated else ():
        for file in find(report.evidence_dir, [pattern]):
            try:
                logs = read_log_list(read(file, pattern[1]).decode("utf-8"))
            except ValueError as error:
                raise InputError(Diagnostic(pattern[1], "bad-log-list", f"{file.name}: {error}")) from None
            found.update({log.log_id: log for log in logs})
    return found


def extract(report: Report) -> Facts:
    """The facts tables of a report. InputError where files are missing, leave their folder, or hold a private key."""
    reader = Reader()
    incident = report.incident
    shared: frozenset[str] | None = None
    if incident.trust is not None and incident.trust != "none":
        shared = _anchors(report, reader, incident.trust, "trust")
    collections = []
    for name, stated in incident.evidence.items():
        anchors = shared
        if stated.trust is not None:
            none = stated.trust == "none"
            anchors = None if none else _anchors(report, reader, stated.trust, "evidence", name, "trust")
        collection = Collected(name, anchors or frozenset(), anchors is not None)
        patterns = _patterns(report, stated.files, "evidence", name, "files")
        for file in find(report.evidence_dir, patterns):
            for position, parsed in reader.read(file, patterns[0][1], name):
                if isinstance(parsed, Crl):
                    collection.crls.append((file.name, parsed))
                elif (digest := parsed.row["sha256"]) in collection.certificates:
                    collection.certificates[digest].copies += 1
                else:
                    collection.certificates[digest] = Found(parsed, file.name, position)
        collections.append(collection)
    problems = _excuse(report, reader.problems)
    logs = _logs(report)
    issuers = Issuers.among(reader.by_digest.values())
    rows = rows_of(collections, issuers, logs)
    rows["problems"] = problem_rows(problems)
    return Facts(to_arrow(rows), tuple(problems), reader.facts(), {d: c.der for d, c in reader.by_digest.items()})


def problem_rows(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    """Problems as rows of their table; empty text is null."""
    return [
        {
            name: getattr(p, name) if name == "position" else getattr(p, name) or None
            for name in TABLES["problems"].names
        }
        for p in problems
    ]


def _excuse(report: Report, problems: list[Problem]) -> list[Problem]:
    """Problems with the author's reasons; a reason for a file that is no problem is an error."""
    out, used = [], set()
    for problem in sorted(problems, key=lambda p: (p.collection, p.file, p.position, p.field)):
        stated = report.incident.evidence[problem.collection].unreadable if problem.collection else {}
        if problem.file in stated:
            used.add((problem.collection, problem.file))
            problem = replace(problem, excused=stated[problem.file])
        out.append(problem)
    for name, collection in report.incident.evidence.items():
        for file in collection.unreadable:
            if (name, file) not in used:
                files = {p.file for p in problems if p.collection == name}
                pos = report.pos("evidence", name, "unreadable", file, key=True)
                message = f"{file!r} is listed as unreadable, but nothing in it was"
                raise InputError(Diagnostic(pos, "not-unreadable", message, did_you_mean(file, files)))
    return out


def rows_of(
    collections: Iterable[Collected], issuers: Issuers, logs: dict[str, Log]
) -> dict[str, list[dict[str, Any]]]:
    """The rows of certificates, SCTs and revocations of some collections, sorted (``problems`` stays empty)."""
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
    marked_by: dict[frozenset[str], frozenset[str]] = {}
    for collection in collections:
        anchors = collection.anchors
        if anchors not in marked_by:
            marked_by[anchors] = issuers.authentic(anchors)
        authentic = marked_by[anchors]
        for digest, found in collection.certificates.items():
            issuer = issuers.issuer_of(digest, authentic)
            common = {"authentic": digest in authentic, "collection": collection.name}
            rows["certificates"].append(
                {
                    **found.certificate.row,
                    **common,
                    "issued_by": issuer.row["sha256"] if issuer else None,
                    "issuer_spki_sha256": issuer.row["spki_sha256"] if issuer else None,
                    "file": found.file,
                    "position": found.position,
                    "copies": found.copies,
                }
            )
            for number, sct in enumerate(found.certificate.scts, 1):
                rows["scts"].append(
                    {
                        "certificate": digest,
                        "position": number,
                        "version": sct.version,
                        "log_id": sct.log_id,
                        "log": logs[sct.log_id].description if sct.log_id in logs else None,
                        "timestamp": sct.timestamp,
                        "signature": _sct_result(sct, found.certificate, issuer, logs),
                        "kind": found.certificate.row["kind"],
                        **common,
                    }
                )
        numbers: dict[str, int] = defaultdict(int)
        for source, crl in collection.crls:
            signer = issuers.crl_issuer(crl, authentic, anchors)
            for serial, revoked_at, reason in crl.entries:
                numbers[source] += 1
                rows["revocations"].append(
                    {
                        "issuer": crl.issuer,
                        "issuer_der_sha256": sha256(crl.issuer_der),
                        "issuer_spki_sha256": signer.row["spki_sha256"] if signer else None,
                        "serial": serial,
                        "revoked_at": revoked_at,
                        "reason": reason,
                        "source": source,
                        "position": numbers[source],
                        "this_update": crl.this_update,
                        "next_update": crl.next_update,
                        "authentic": signer is not None,
                        "collection": collection.name,
                    }
                )
    rows["certificates"].sort(key=lambda r: (r["collection"], r["issuer_cn"] or "", str(r["not_before"]), r["sha256"]))
    rows["scts"].sort(key=lambda r: (r["collection"], r["certificate"], r["position"]))
    rows["revocations"].sort(key=lambda r: (r["collection"], r["source"], r["serial"], r["position"]))
    return rows


def _sct_result(sct: Sct, certificate: Certificate, issuer: Certificate | None, logs: dict[str, Log]) -> str:
    log = logs.get(sct.log_id)
    if log is None:
        return "unknown log"
    if issuer is None:
        return "no issuer"
    signed = signed_bytes(sct, issuer.spki, certificate.precert_tbs)
    good = sct.version == 0 and sct_verifies(
        log.key, sct.hash_algorithm, sct.signature_algorithm, sct.signature, signed
    )
    return "valid" if good else "invalid"


def to_arrow(rows: dict[str, list[dict[str, Any]]]) -> dict[str, "pa.Table"]:
    """Rows as Arrow tables of the declared schemas."""
    import pyarrow as pa

    return {name: pa.Table.from_pylist(rows[name], schema=arrow_schema(name)) for name in TABLES}
