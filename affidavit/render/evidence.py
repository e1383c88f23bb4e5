"""The evidence of a report as its page shows it: collections, files, problems, certificates."""

from collections import Counter
from dataclasses import dataclass

from markupsafe import Markup, escape

from affidavit.render.claims import DeclarationView, links
from affidavit.render.markdown import markdown
from affidavit.render.rows import Row, Rows
from affidavit.render.text import code, foreign, plural, short_hash, words
from affidavit.render.values import NOTHING, Table, certificate_link, digest_cell, label, short_link, time
from affidavit.run import Run

SCREEN_ROWS = 500
PRINT_ROWS = 25
"""Certificates of a collection that its table shows; the whole list is in certificates.csv."""

MAX_PROBLEMS = 200


@dataclass(frozen=True, slots=True)
class CollectionView:
    """A collection: what it is, what it holds, whose signature counts, and what is declared of it."""

    name: str
    anchor: str
    title: Markup
    note: Markup
    holds: str
    trust: str
    declared: DeclarationView | None
    certificates: Table | None
    files: Table


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """All evidence of a report."""

    summary: str
    collections: tuple[CollectionView, ...]
    problems: Table | None
    trusted: Table | None


def evidence_view(run: Run, rows: Rows, medium: str) -> EvidenceView:
    """The evidence of a run; tables are cut to what the medium bears."""
    most = PRINT_ROWS if medium == "print" else SCREEN_ROWS
    certificates = len(rows.places)
    files = [f for f in run.facts.files if f.collections]
    summary = f"{plural(certificates, 'certificate')} in {plural(len(files), 'file')}."
    return EvidenceView(
        summary,
        tuple(_collection(run, rows, name, most, medium) for name in run.report.incident.evidence),
        _problems(run, rows),
        _trusted(rows),
    )


def _collection(run: Run, rows: Rows, name: str, most: int, medium: str) -> CollectionView:
    stated = run.report.incident.evidence[name]
    found = rows.by_collection[name]
    untrusted = stated.trust == "none" or (stated.trust is None and run.report.incident.trust == "none")
    genuine = sum(1 for row in found if row["authentic"])
    if not found:
        trust = ""
    elif untrusted:
        trust = "No trusted certificate is named for this collection: its certificates count as they are."
    elif genuine == len(found):
        trust = "Every signature leads to a trusted certificate."
    else:
        others = len(found) - genuine
        trust = (
            f"The signatures of {genuine:,} lead to a trusted certificate; "
            f"{plural(others, 'other does', 'others do')} not, and no claim counts {'it' if others == 1 else 'them'}."
        )
    declared = None
    if stated.complete:
        c = stated.complete
        declared = DeclarationView(name, words(c.scope), c.from_ or "", c.until or "", words(c.by), words(c.basis))
    return CollectionView(
        name=name,
        anchor=f"evidence-{name}",
        title=words(stated.title) if stated.title else foreign(name),
        note=markdown(stated.note, links(run), under=3),
        holds=_holds(rows, name),
        trust=trust,
        declared=declared,
        certificates=_certificates(run, name, found, most, medium, untrusted),
        files=_files(run, name),
    )


def _holds(rows: Rows, name: str) -> str:
    kinds = Counter(row["kind"] or "of unknown kind" for row in rows.by_collection[name])
    parts = [plural(kinds[kind], kind) for kind in ("certificate", "precertificate") if kinds[kind]]
    if other := kinds["of unknown kind"]:
        parts.append(f"{plural(other, 'certificate')} of unknown kind")
    if entries := rows.crl_entries.get(name):
        parts.append(f"{plural(entries, 'entry', 'entries')} of revocation lists")
    return ", ".join(parts) if parts else "No certificate could be read."


def _certificates(run: Run, name: str, found: list[Row], most: int, medium: str, untrusted: bool) -> Table | None:
    if not found:
        return None
    zone = run.report.incident.timezone
    mixed = len({row["kind"] for row in found}) > 1

    def first(row: Row) -> Markup:
        shown = certificate_link(row["sha256"], label(row), "certificates/")
        extra = Markup(' <span class="tag">precertificate</span>') if mixed and row["kind"] == "precertificate" else ""
        doubt = Markup(' <span class="tag">not authentic</span>') if not (row["authentic"] or untrusted) else ""
        digest = Markup('<span class="under">{}</span>').format(code(short_hash(row["sha256"])))
        return shown + extra + doubt + digest

    body = tuple(
        (
            first(row),
            digest_cell(row["serial"]),
            foreign(row["issuer_cn"] or row["issuer"] or "", 80),
            time(row["not_before"], zone),
            time(row["not_after"]),
        )
        for row in found[:most]
    )
    more = Markup("")
    if len(found) > most:
        full = "full list attached: certificates.csv"
        where = full if medium == "print" else Markup('full list: <a href="certificates.csv">certificates.csv</a>')
        more = Markup("The first {} of {}; {}.").format(f"{most:,}", f"{len(found):,}", where)
    columns = ("Certificate", "Serial number", "Issued by", "notBefore", "notAfter")
    widths = ("w-name", "w-serial", "w-issuer", "w-time", "w-time")
    return Table(f"Certificates of {name}", columns, body, widths, more, len(found))


def _files(run: Run, name: str) -> Table:
    body = tuple(
        (foreign(f.name, 300), escape(f"{f.octets:,}"), digest_cell(f.sha256))
        for f in run.facts.files
        if name in f.collections
    )
    return Table(
        f"Files of {name}", ("File", "Octets", "SHA-256"), body, ("w-file", "w-number", "w-hash"), total=len(body)
    )


def _problems(run: Run, rows: Rows) -> Table | None:
    problems = run.facts.problems
    if not problems:
        return None

    def what(certificate: str, name: str) -> Markup:
        part = foreign(name) if name else Markup("the whole item")
        if not certificate:
            return part
        return Markup("{} of {}").format(part, short_link(certificate, "certificates/", rows.facts))

    body = tuple(
        (
            Markup("{}{}").format(foreign(p.file, 300), f", item {p.position:,}" if p.position else ""),
            what(p.certificate, p.field),
            foreign(p.reason, 300),
            words(p.excused) if p.excused else NOTHING,
        )
        for p in problems[:MAX_PROBLEMS]
    )
    more = Markup("")
    if len(problems) > MAX_PROBLEMS:
        more = Markup("The first {} of {}.").format(MAX_PROBLEMS, f"{len(problems):,}")
    columns = ("File", "Part", "What is wrong", "The author\u2019s reason to keep it")
    widths = ("w-part", "w-part", "w-reason", "w-reason")
    return Table("What could not be read", columns, body, widths, more, len(problems))


def _trusted(rows: Rows) -> Table | None:
    """Certificates that are trusted and in no collection."""
    names = [digest for digest in rows.digests if digest not in rows.places]
    if not names:
        return None
    body = tuple(
        (certificate_link(d, label(rows.facts[d]), "certificates/"), digest_cell(d)) for d in names[:SCREEN_ROWS]
    )
    return Table("Trusted certificates", ("Certificate", "SHA-256"), body, ("w-file", "w-hash"), total=len(names))
