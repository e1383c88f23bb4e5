"""A certificate's page: its facts in groups, its SCTs, its revocation, where it was found, what rests on it."""

import base64
import textwrap
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup, escape

from affidavit.render import phrases
from affidavit.render.claims import Badge, badge, claim_anchor
from affidavit.render.rows import Row, Rows
from affidavit.render.text import code, foreign, link, plural, words
from affidavit.render.values import (
    NOTHING,
    Fact,
    Table,
    certificate_link,
    digest_cell,
    distinguished,
    label,
    texts,
    time,
)
from affidavit.run import Run
from affidavit.times import show_duration

OTHERS = "../"
REPORT = "../../index.html"
MAX_PEM_OCTETS = 50_000
"""A larger certificate is not repeated on its page; its file is named there."""


@dataclass(frozen=True, slots=True)
class Group:
    """Facts under one heading."""

    title: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class ClaimLine:
    """A claim that the certificate is evidence for."""

    href: str
    says: Markup
    badge: Badge


@dataclass(frozen=True, slots=True)
class CertificateView:
    """A certificate, all strings final; ``pem`` is empty where it would be too long."""

    digest: str
    kind: str
    name: Markup
    groups: tuple[Group, ...]
    extensions: Table | None
    scts: Table | None
    revocation: Markup
    claims: tuple[ClaimLine, ...]
    problems: Table | None
    pem: str
    octets: str


def certificate_view(run: Run, rows: Rows, digest: str) -> CertificateView:
    """The page of one certificate of a run."""
    row = rows.facts[digest]
    zone = run.report.incident.timezone
    places = rows.places.get(digest, [])
    return CertificateView(
        digest=digest,
        kind="Precertificate" if row["kind"] == "precertificate" else "Certificate",
        name=label(row, 200),
        groups=(
            Group("Identity", _identity(rows, row, digest)),
            Group("Names", _names(row)),
            Group("Validity", _validity(row, zone)),
            Group("Key and signature", _key(row)),
            Group("Uses and policies", _uses(row)),
            Group("Authenticity and origin", _origin(run, rows, row, places)),
        ),
        extensions=_extensions(row),
        scts=_scts(rows, digest, zone),
        revocation=_revocation(rows, row, places, zone),
        claims=tuple(
            ClaimLine(
                f"{REPORT}#{claim_anchor(name)}",
                words(run.report.incident.claims[name].says),
                badge(run.verdicts[name].outcome, run.verdicts[name].passes),
            )
            for name in rows.claims.get(digest, [])
        ),
        problems=_problems(rows, digest),
        pem=pem(run.facts.ders[digest]) if len(run.facts.ders[digest]) <= MAX_PEM_OCTETS else "",
        octets=plural(len(run.facts.ders[digest]), "octet"),
    )


def pem(der: bytes) -> str:
    """PEM text (RFC 7468)."""
    body = "\n".join(textwrap.wrap(base64.b64encode(der).decode(), 64))
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"


def _text(value: str | None) -> Markup:
    return foreign(value) if value else NOTHING


def _identity(rows: Rows, row: Row, digest: str) -> tuple[Fact, ...]:
    bits = (
        f"{row['serial_bits']:,} bits, {plural(row['serial_octets'], 'octet')}"
        if row["serial_bits"] is not None
        else ""
    )
    serial = Markup("{} <span class='local'>{}</span>").format(digest_cell(row["serial"]), bits)
    facts = [
        Fact("Serial number", serial if row["serial"] else _unread()),
        Fact("SHA-256", digest_cell(digest)),
        Fact("Version", escape(str(row["version"]))),
    ]
    others = [d for d in rows.counterparts.get(row["precert_tbs_sha256"] or "", []) if d != digest]
    for other in others:
        kind = rows.facts[other]["kind"]
        if kind != row["kind"]:
            title = "Its certificate" if kind == "certificate" else "Its precertificate"
        else:
            title = "Same but for its SCTs"
        facts.append(Fact(title, certificate_link(other, digest_code(other), OTHERS)))
    return tuple(facts)


def digest_code(digest: str) -> Markup:
    """A whole hash as a link's words."""
    return Markup('<code class="hash">{}</code>').format(digest)


def _unread() -> Markup:
    return Markup('<span class="nothing">not readable</span>')


def _names(row: Row) -> tuple[Fact, ...]:
    return (
        Fact("Subject", distinguished(row["subject"]) if row["subject"] else NOTHING),
        Fact("Issuer", distinguished(row["issuer"]) if row["issuer"] else NOTHING),
        Fact("Host names", texts(row["dns_names"])),
        *([Fact("IP addresses", texts(row["ip_addresses"]))] if row["ip_addresses"] else []),
    )


def _validity(row: Row, zone: str) -> tuple[Fact, ...]:
    def moment(value: datetime | None) -> Markup:
        return time(value, zone) if value else _unread()

    facts = [Fact("notBefore", moment(row["not_before"])), Fact("notAfter", moment(row["not_after"]))]
    if (seconds := row["validity_seconds"]) is not None:
        span = Markup("{} s <span class='local'>{}, both ends included</span>").format(
            f"{seconds:,}", show_duration(seconds)
        )
        facts.append(Fact("Length", span))
    return tuple(facts)


def _key(row: Row) -> tuple[Fact, ...]:
    bits = f", {row['key_bits']:,} bits" if row["key_bits"] else ""
    return (
        Fact("Public key", Markup("{}{}").format(_text(row["key_type"]), bits)),
        Fact("SHA-256 of the key (SPKI)", digest_cell(row["spki_sha256"])),
        Fact("Subject key identifier", digest_cell(row["subject_key_id"])),
        Fact("Authority key identifier", digest_cell(row["authority_key_id"])),
        Fact("Signature algorithm", _text(row["signature_algorithm"])),
    )


def _uses(row: Row) -> tuple[Fact, ...]:
    if row["is_ca"] is None:
        authority = _unread()
    else:
        path = f", path length {row['path_length']}" if row["path_length"] is not None else ""
        authority = Markup("{}{}").format("yes" if row["is_ca"] else "no", path)
    facts = [
        Fact("CA", authority),
        Fact("Key usage", texts(row["key_usage"])),
        Fact("Extended key usage", texts(row["extended_key_usage"])),
        Fact("Policies", texts(row["policy_oids"])),
    ]
    if row["validation"]:
        facts.append(Fact("Validation", _text(row["validation"])))
    return tuple(facts)


def _origin(run: Run, rows: Rows, row: Row, places: list[Row]) -> tuple[Fact, ...]:
    if not places:
        held = Markup("It is itself trusted by this report.")
        issuer = None
    else:
        genuine = any(place["authentic"] for place in places)
        held = escape(f"{'yes: its' if genuine else 'no: no'} signature leads to a trusted certificate")
        issuer = next((place["issued_by"] for place in places if place["issued_by"]), None)
    if issuer == row["sha256"]:
        signer = Markup("its own key")
    elif issuer:
        signer = (
            certificate_link(issuer, label(rows.facts[issuer]), OTHERS) if issuer in rows.facts else digest_cell(issuer)
        )
    else:
        signer = Markup('<span class="nothing">no certificate of its issuer is among the evidence</span>')
    facts = [Fact("Authentic", held)]
    if places:
        facts.append(Fact("Signed by", signer))
    found = []
    for place in places:
        copies = f" ({plural(place['copies'], 'copy', 'copies')})" if place["copies"] > 1 else ""
        title = run.report.incident.evidence[place["collection"]].title or place["collection"]
        collection = link(f"{REPORT}#evidence-{place['collection']}", words(title))
        found.append(
            Markup("<li>{}: {}, item {:,}{}</li>").format(
                collection, foreign(place["file"], 300), place["position"], copies
            )
        )
    if found:
        facts.append(Fact("Found in", Markup('<ul class="values">{}</ul>').format(Markup("").join(found))))
    return tuple(facts)


def _extensions(row: Row) -> Table | None:
    if not row["extension_oids"]:
        return None
    digests = [one.partition("=")[2] for one in row["extension_digests"] or ()]
    digests += [""] * (len(row["extension_oids"]) - len(digests))
    body = tuple(
        (
            Markup("{} <span class='under'>{}</span>").format(
                foreign(phrases.EXTENSIONS.get(oid, "Other")), code(foreign(oid, 100))
            ),
            digest_cell(digest),
        )
        for oid, digest in zip(row["extension_oids"][:100], digests, strict=False)
    )
    more = Markup("")
    if len(row["extension_oids"]) > 100:
        more = Markup("The first 100 of {}.").format(f"{len(row['extension_oids']):,}")
    return Table("Extensions", ("Extension", "SHA-256 of its encoding"), body, ("w-file", "w-hash"), more, len(body))


def _scts(rows: Rows, digest: str, zone: str) -> Table | None:
    found = rows.scts.get(digest, [])
    if not found:
        return None
    results = {
        "valid": Markup(
            '<span class="verdict verified"><span class="mark" aria-hidden="true">\u2713</span> valid</span>'
        ),
        "invalid": Markup(
            '<span class="verdict refuted"><span class="mark" aria-hidden="true">\u2717</span> invalid</span>'
        ),
    }
    body = tuple(
        (
            Markup("{}<span class='under'>{}</span>").format(
                foreign(row["log"], 120) if row["log"] else Markup("A log in no list given"), digest_cell(row["log_id"])
            ),
            time(row["timestamp"], zone),
            results.get(row["signature"], foreign(row["signature"] or "")),
        )
        for row in found[:100]
    )
    more = Markup("The first 100 of {}.").format(f"{len(found):,}") if len(found) > 100 else Markup("")
    columns = ("Log", "Timestamp", "Signature")
    return Table("Embedded SCTs", columns, body, ("w-file", "w-time", "w-result"), more, len(found))


def _revocation(rows: Rows, row: Row, places: list[Row], zone: str) -> Markup:
    """What the authentic CRLs of its issuer say; what none says is not called good."""
    issuer = next((place["issuer_spki_sha256"] for place in places if place["issuer_spki_sha256"]), None)
    own = rows.revocations.get((issuer or "", row["serial"] or ""), [])
    if own:
        lines = []
        for entry in {(e["source"], e["revoked_at"], e["reason"]): e for e in own}.values():
            lines.append(
                Markup("<p>Listed as revoked at {}, reason {}, in {} (thisUpdate {}).</p>").format(
                    time(entry["revoked_at"], zone), foreign(entry["reason"]), foreign(entry["source"], 300),
                    time(entry["this_update"]),
                )
            )  # fmt: skip
        return Markup("").join(lines)
    if sources := rows.crl_sources.get(issuer or ""):
        return Markup("<p>Not listed in the revocation lists of its issuer that are given: {}.</p>").format(
            Markup(", ").join(foreign(source, 300) for source in sources)
        )
    return Markup("<p>The evidence has no entry of any revocation list of its issuer, so nothing can be said.</p>")


def _problems(rows: Rows, digest: str) -> Table | None:
    found = rows.problems.get(digest, [])
    if not found:
        return None
    distinct = sorted({(p.field, p.reason, p.excused) for p in found})
    body = tuple(
        (foreign(name or "the whole item"), foreign(reason, 300), words(excused) if excused else NOTHING)
        for name, reason, excused in distinct[:50]
    )
    columns = ("Part", "What is wrong", "The author\u2019s reason to keep it")
    return Table("What could not be read of it", columns, body, ("w-part", "w-reason", "w-reason"), total=len(body))
