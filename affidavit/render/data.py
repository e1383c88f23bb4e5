"""The machine-readable files of a report: verdicts, the certificates as CSV, the facts tables as Parquet.

Each is a function of a checked report to bytes; the same report gives the same bytes.
"""

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from affidavit.check.queries import MAX_SAMPLE
from affidavit.laidout import laid_out
from affidavit.times import Span, parse_time, rfc3339
from affidavit.types import Diagnostic, Outcome, Pos

if TYPE_CHECKING:
    from affidavit.incident.documents import Document
    from affidavit.run import Run
    from affidavit.types import Quoted

PARQUET_LEVEL = 9
PARQUET_ROWS = 8192
"""Rows of a row group: what later steps read at a time."""

CCADB_COLUMNS = (
    "Precertificate SHA-256 hash", "Certificate SHA-256 hash", "Subject", "Issuer", "Not before", "Not after",
    "Serial #", "dNSNames", "Is revoked?", "Revocation date", "Revocation reason",
)  # fmt: skip
"""Columns of the appendix in the order of the CCADB incident guidelines, 3.2; others stand to their right."""

OUR_COLUMNS = ("Collections", "Kind", "Is CA?", "Authentic?", "Copies", "File", "Position")

_FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - spreadsheets read the full-width forms, too


def _stated_time(span: Span) -> str:
    return span.local_day.isoformat() if span.is_day else rfc3339(span.start)


def verdicts_json(run: "Run") -> bytes:
    """``verdicts.json``: every claim with its verdict and what it rests on (docs/verdicts.md)."""
    return laid_out(verdicts(run), 2)


def verdicts(run: "Run", *, whole: bool = True) -> dict[str, Any]:
    """What ``verdicts.json`` holds; not ``whole``: with neither queries nor certificates, which take long to tell."""
    from affidavit.render import verdicts as shape

    incident, report = run.report.incident, run.report
    tally = run.tally
    made = shape.Verdicts(
        schema_version=shape.SCHEMA_VERSION,
        program=shape.Program(name="affidavit", version=run.version),
        report=shape.Report(
            slug=run.slug,
            title=incident.title,
            kind=incident.kind,
            ca_owner=incident.ca_owner,
            authors=list(incident.authors),
            date=_stated_time(parse_time(incident.date, incident.timezone)),
            timezone=incident.timezone,
            evidence_note=incident.evidence_note,
            incident_sha256=hashlib.sha256(report.text.encode()).hexdigest(),
        ),
        passes=run.passes,
        tally=shape.Tally(
            **{outcome.value: tally.counts.get(outcome, 0) for outcome in Outcome},
            total=tally.total,
            failing=tally.failing,
            documented=tally.documented,
        ),
        claims=[_claim(run, name, whole=whole) for name in incident.claims],
        documents=[_document(run, one) for one in report.documents.values()],
        evidence=[
            shape.EvidenceFile(
                name=file.name, octets=file.octets, sha256=file.sha256, collections=sorted(file.collections)
            )
            for file in sorted(run.facts.files, key=lambda file: file.name)
        ],
        unreadable=[
            shape.Unreadable(
                collection=p.collection, file=p.file, position=p.position, field=p.field, reason=p.reason,
                certificate=p.certificate, excused=p.excused,
            )
            for p in sorted(run.facts.problems, key=lambda p: (p.collection, p.file, p.position, p.field))
        ],
        messages=[_message(run, d) for d in sorted(run.diagnostics, key=Diagnostic.sort_key)],
        suppressed=[
            shape.Suppressed(message=_message(run, one.diagnostic), reason=one.reason, until=one.until.isoformat())
            for one in run.suppressed
        ],
    )  # fmt: skip
    return made.model_dump(mode="json")


def _place(run: "Run", pos: Pos) -> Any:
    """A place with its file relative to the report's folder, wherever the checkout stands."""
    from affidavit.render.verdicts import Place

    return Place(file=_beside(pos.file, run.report.shown), line=pos.line, column=pos.column)


@lru_cache
def _beside(file: str, report: str) -> str:
    folder = PurePosixPath(report).parent
    path = PurePosixPath(file)
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name


def _message(run: "Run", diagnostic: Diagnostic) -> Any:
    from affidavit.render.verdicts import Edit, Message

    return Message(
        severity=diagnostic.severity.value,
        code=diagnostic.code,
        message=diagnostic.message,
        hint=diagnostic.hint,
        claim=diagnostic.claim,
        place=_place(run, diagnostic.pos),
        edits=[Edit(place=_place(run, fix.pos), was=fix.was, now=fix.now) for fix in diagnostic.fixes],
    )


def _claim(run: "Run", name: str, *, whole: bool) -> Any:
    from affidavit.render import verdicts as shape

    stated, compiled, verdict = run.report.incident.claims[name], run.claims[name], run.verdicts[name]
    counts, scope = verdict.counts, compiled.scope
    return shape.Claim(
        id=name,
        says=stated.says,
        by=stated.by,
        made=_stated_time(compiled.made) if compiled.made else None,
        stands=verdict.position.value,
        outcome=verdict.outcome.value,
        passes=verdict.passes,
        code=verdict.code,
        over=list(scope.over) if scope else [],
        table=scope.table.name if scope else None,
        findings=[
            shape.Finding(
                assertion=f.assertion, outcome=f.outcome.value, stated=f.stated, observed=f.observed,
                hint=f.hint, code=f.code, place=_place(run, f.pos) if f.pos else None,
            )
            for f in verdict.findings
        ],
        quote=_quote(verdict.quoted),
        basis=shape.Basis(
            kind=verdict.basis.kind,
            words=verdict.basis.words,
            declarations=[
                shape.Declaration(
                    collection=d.collection, scope=d.scope, start=d.start, end=d.end, basis=d.basis, by=d.by,
                    derived=d.derived,
                )
                for d in verdict.basis.declarations
            ],
        ),
        counts=shape.Counts(**{key: getattr(counts, key) for key in shape.Counts.model_fields}),
        query=run.query(name) if whole else "",
        examples=[{key: _cell(value) for key, value in row.items()} for row in verdict.examples],
        certificates=sorted(verdict.sample) if whole else [],
        certificates_capped=len(verdict.sample) >= MAX_SAMPLE,
        notes=list(verdict.notes),
        place=_place(run, run.report.pos("claims", name, key=True)),
    )  # fmt: skip


def _quote(quoted: "Quoted | None") -> Any:
    from affidavit.render.verdicts import Quote

    if quoted is None:
        return None
    return Quote(**{key: getattr(quoted, key) for key in Quote.model_fields})


def _document(run: "Run", one: "Document") -> Any:
    from affidavit.render import verdicts as shape

    date = _stated_time(parse_time(one.date, run.report.incident.timezone)) if one.date else None
    return shape.Document(
        id=one.name, title=one.title, by=one.by or None, date=date, file=one.file, octets=one.octets, sha256=one.sha256
    )


def _cell(value: Any) -> Any:
    """A value of a facts table in JSON form."""
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, list | tuple):
        return [str(_cell(one)) for one in value]
    if value is None or isinstance(value, str | int | float):
        return value
    return str(value)


def certificates_csv(run: "Run") -> bytes:
    """``certificates.csv``: a line for each certificate of the evidence, the CCADB appendix's columns first.

    RFC 4180 (CR LF, quotes where needed), UTF-8. A precertificate stands in its certificate's line; one
    without a certificate has a line of its own, since it implies one. ``Is revoked?`` is ``Yes`` where an
    authentic CRL lists the certificate (with the earliest date that any of them gives), ``N/A`` where none
    does and it has expired on the report's date; empty where the evidence does not say. A column whose value
    differs between the collections that hold a certificate gives each, separated by ``; ``.

    A spreadsheet runs a cell that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line break as a formula:
    in the columns of free text (Subject, Issuer, dNSNames, File) such a cell begins with ``'`` instead.
    Serial numbers, hashes and times never need that and are never changed.
    """
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in run.facts.tables["certificates"].to_pylist():
        rows.setdefault(row["sha256"], []).append(row)
    final = {group[0]["precert_tbs_sha256"] for group in rows.values() if group[0]["kind"] == "certificate"}
    final.discard(None)
    precertificates: dict[str, list[str]] = {}
    for digest, group in rows.items():
        if group[0]["kind"] == "precertificate" and group[0]["precert_tbs_sha256"] in final:
            precertificates.setdefault(group[0]["precert_tbs_sha256"], []).append(digest)
    paired = {digest for digests in precertificates.values() for digest in digests}
    revoked = _revoked(run.facts.tables["revocations"].to_pylist())
    date = parse_time(run.report.incident.date, run.report.incident.timezone).start
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow((*CCADB_COLUMNS, *OUR_COLUMNS))
    for digest, group in rows.items():
        if digest not in paired:
            precert = precertificates.get(group[0]["precert_tbs_sha256"] or "", [])
            writer.writerow(_line(digest, group, precert, revoked, date))
    return out.getvalue().encode("utf-8", "backslashreplace")


def _revoked(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str, str], tuple[datetime | None, str]]:
    """Issuer name, issuer key and serial number to revocation date and reason, from authentic CRLs."""
    found: dict[tuple[str, str, str], tuple[datetime | None, str]] = {}
    for row in rows:
        if not row["authentic"] or row["reason"] == "removeFromCRL" or row["serial"] is None:
            continue
        key = (row["issuer_der_sha256"], row["issuer_spki_sha256"], row["serial"])
        entry = (row["revoked_at"], row["reason"])
        known = found.get(key)
        if known is None or (entry[0] is not None and (known[0] is None or entry[0] < known[0])):
            found[key] = entry
    return found


def _line(
    digest: str,
    group: list[dict[str, Any]],
    precertificates: list[str],
    revoked: Mapping[tuple[str, str, str], tuple[datetime | None, str]],
    date: datetime,
) -> list[str]:
    row = group[0]
    alone = row["kind"] == "precertificate"
    status, revoked_at, reason = "", "", ""
    entries = [
        revoked[key]
        for one in group
        if (key := (one["issuer_der_sha256"], one["issuer_spki_sha256"], one["serial"])) in revoked
    ]
    if entries:
        moment, reason = min(entries, key=lambda entry: (entry[0] is None, entry[0] or date))
        status, revoked_at = "Yes", rfc3339(moment) if moment else ""
    elif row["not_after"] is not None and row["not_after"] < date:
        status = revoked_at = reason = "N/A"
    return [
        digest if alone else "; ".join(precertificates),
        "" if alone else digest,
        guarded(row["subject"] or ""),
        guarded(row["issuer"] or ""),
        rfc3339(row["not_before"]) if row["not_before"] else "",
        rfc3339(row["not_after"]) if row["not_after"] else "",
        row["serial"] or "",
        guarded(", ".join(row["dns_names"] or ())),
        status,
        revoked_at,
        reason or "",
        "; ".join(one["collection"] for one in group),
        row["kind"] or "",
        _yes(row["is_ca"]),
        _each(_yes(one["authentic"]) for one in group),
        _each(str(one["copies"]) for one in group),
        guarded(_each(one["file"] for one in group)),
        _each(str(one["position"]) for one in group),
    ]


def _yes(value: bool | None) -> str:
    return "" if value is None else ("Yes" if value else "No")


def _each(values: Iterable[str]) -> str:
    """The one value, or where they differ every one in turn."""
    every = list(values)
    return every[0] if len(set(every)) == 1 else "; ".join(every)


def guarded(text: str) -> str:
    """A cell of free text that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    return "'" + text if text.startswith(_FORMULA) else text


def facts_parquet(run: "Run") -> Iterator[tuple[str, bytes]]:
    """The facts tables (docs/tables.md) as Parquet (zstd), each with its file's name, sorted by it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for name, table in sorted(run.facts.tables.items()):
        sink = pa.BufferOutputStream()
        pq.write_table(
            table.combine_chunks(), sink, compression="zstd", compression_level=PARQUET_LEVEL,
            row_group_size=PARQUET_ROWS, version="2.6", data_page_version="1.0",
        )  # fmt: skip
        yield f"{name}.parquet", sink.getvalue().to_pybytes()
