"""The facts tables: each column declared once.

The Arrow schema, ``docs/tables.md``, the names that expressions may use, the way a stated value is
typed and the nearest-name hints all derive from the declarations here. Times are UTC (no zone in the
Arrow type, so that every engine reads them alike), hashes lower-case hex, serial numbers upper-case
hex with whole octets.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


class Kind(StrEnum):
    """How a column's values are typed, compared and shown."""

    TEXT = "text"
    HEX = "hex"
    SERIAL = "serial number"
    INTEGER = "integer"
    SECONDS = "seconds"
    BOOLEAN = "true or false"
    TIME = "UTC time"
    TEXTS = "list of text"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, how it is typed, what it means, and what an empty value means.

    ``event`` marks the times of things that happened: a statement cannot name such a time that lies
    after the statement itself.
    """

    name: str
    kind: Kind
    text: str
    empty: str = ""
    event: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A facts table: its columns in order, and the columns that tell one row from another."""

    name: str
    text: str
    columns: tuple[Column, ...]
    identity: tuple[str, ...]
    shown: tuple[str, ...]

    def column(self, name: str) -> Column | None:
        """The column of that name, or None."""
        return next((column for column in self.columns if column.name == name), None)

    @property
    def names(self) -> list[str]:
        """Column names in order."""
        return [column.name for column in self.columns]


T, H, S, N, D, B, W, L = (
    Kind.TEXT,
    Kind.HEX,
    Kind.SERIAL,
    Kind.INTEGER,
    Kind.SECONDS,
    Kind.BOOLEAN,
    Kind.TIME,
    Kind.TEXTS,
)
C = Column

CERTIFICATES = Table(
    "certificates",
    "One row for each distinct certificate or precertificate of a collection.",
    (
        C("sha256", H, "SHA-256 of the DER encoding: the certificate's fingerprint."),
        C(
            "kind",
            T,
            "`certificate`, or `precertificate` where the poison extension (RFC 6962 3.1) is present.",
        ),
        C(
            "serial",
            S,
            "Serial number, upper-case hex, whole octets; a negative one begins with `-`.",
            "not readable",
        ),
        C(
            "serial_octets",
            N,
            "Octets of the serial number's magnitude, without the sign octet of the encoding.",
        ),
        C("serial_der_octets", N, "Content octets of the INTEGER as encoded, the sign octet included."),
        C("serial_bits", N, "Bits of the serial number's magnitude."),
        C("issuer", T, "Issuer name in RFC 4514 form."),
        C("issuer_cn", T, "First common name in the issuer name.", "the name has none"),
        C("issuer_der_sha256", H, "SHA-256 of the issuer name as encoded."),
        C("subject", T, "Subject name in RFC 4514 form."),
        C("subject_cn", T, "First common name in the subject name.", "the name has none"),
        C("subject_der_sha256", H, "SHA-256 of the subject name as encoded."),
        C("not_before", W, "Start of the validity period.", "not readable", event=True),
        C("not_after", W, "End of the validity period.", "not readable"),
        C(
            "validity_seconds",
            D,
            "Length of the validity period in seconds, both ends included (RFC 5280 4.1.2.5, BR 1.6.1): "
            "notAfter - notBefore + 1.",
        ),
        C("version", N, "X.509 version: 1, 2 or 3."),
        C("signature_algorithm", T, "Name of the signature algorithm, else its dotted OID."),
        C(
            "signature_hash",
            T,
            "Hash of the signature: `sha1`, `sha256`, `md5` ...",
            "the algorithm has no separate hash, or is unknown",
        ),
        C("key_type", T, "Type of the subject's public key: RSA, EC, DSA, Ed25519 ... else its dotted OID."),
        C("key_bits", N, "Size of the subject's public key in bits.", "unknown key type"),
        C("spki_sha256", H, "SHA-256 of the SubjectPublicKeyInfo as encoded."),
        C(
            "dns_names",
            L,
            "dNSName entries of the subjectAltName, in order; empty list where there are none.",
        ),
        C("ip_addresses", L, "iPAddress entries of the subjectAltName, in order."),
        C("policy_oids", L, "Certificate policy OIDs, in order."),
        C(
            "validation",
            T,
            "DV, OV, IV or EV, by the CA/Browser Forum policy OIDs (BR 7.1.6.1).",
            "no such OID, or more than one of them",
        ),
        C("is_ca", B, "cA of the basicConstraints; false where the extension is absent."),
        C("path_length", N, "pathLenConstraint of the basicConstraints.", "none given"),
        C("key_usage", L, "Key usages, names of RFC 5280 4.2.1.3; empty where the extension is absent."),
        C(
            "extended_key_usage",
            L,
            "Extended key usages: name, else OID; empty where the extension is absent.",
        ),
        C("subject_key_id", H, "Subject key identifier.", "extension absent"),
        C("authority_key_id", H, "keyIdentifier of the authority key identifier.", "absent"),
        C("extension_oids", L, "OIDs of all extensions, in order."),
        C(
            "extension_digests",
            L,
            "For each extension `OID=SHA-256 of its whole encoding` (criticality included), in order.",
        ),
        C(
            "precert_tbs_sha256",
            H,
            "SHA-256 of the TBSCertificate with poison and SCT list cut out: equal for a precertificate "
            "and its certificate.",
        ),
        C("sct_count", N, "Number of embedded SCTs."),
        C("earliest_sct", W, "Earliest timestamp of the embedded SCTs.", "no embedded SCT", event=True),
        C("latest_sct", W, "Latest timestamp of the embedded SCTs.", "no embedded SCT", event=True),
        C(
            "authentic",
            B,
            "Whether its signature verifies under a trusted certificate, directly or through intermediates "
            "among the evidence. Claims count authentic rows only, unless the collection says `trust: none`.",
        ),
        C(
            "issued_by",
            H,
            "SHA-256 of the certificate under whose key the signature verifies.",
            "none among the evidence",
        ),
        C(
            "issuer_spki_sha256",
            H,
            "SHA-256 of the issuing key's SubjectPublicKeyInfo (names repeat across CAs, keys do not).",
            "none among the evidence",
        ),
        C("collection", T, "Collection of the incident file that the row belongs to."),
        C("file", T, "First file that holds it, relative to the report's evidence folder."),
        C("position", N, "Its number in that file, from 1."),
        C("copies", N, "How often it occurs in the collection's files."),
    ),
    ("sha256",),
    ("sha256", "serial", "subject", "not_before", "issuer_cn"),
)

SCTS = Table(
    "scts",
    "One row for each signed certificate timestamp embedded in a certificate (RFC 6962 3.3).",
    (
        C("certificate", H, "SHA-256 of the certificate that carries it."),
        C("position", N, "Its number in the list, from 1."),
        C("version", N, "SCT version; 0 is v1."),
        C("log_id", H, "Log ID: SHA-256 of the log's public key."),
        C("log", T, "The log's description in the log list.", "the log is in no list given"),
        C("timestamp", W, "When the log says it received the entry.", event=True),
        C(
            "signature",
            T,
            "`valid`, `invalid`, `unknown log` or `no issuer`: the log's signature over the rebuilt entry "
            "(RFC 6962 3.2).",
        ),
        C("authentic", B, "Whether the certificate that carries it is authentic."),
        C("kind", T, "Kind of the certificate that carries it."),
        C("collection", T, "Collection of the certificate."),
    ),
    ("certificate", "position"),
    ("certificate", "log_id", "timestamp", "signature"),
)

REVOCATIONS = Table(
    "revocations",
    "One row for each entry of a certificate revocation list (RFC 5280 5.1).",
    (
        C("issuer", T, "Issuer name of the CRL in RFC 4514 form."),
        C("issuer_der_sha256", H, "SHA-256 of that name as encoded."),
        C(
            "issuer_spki_sha256",
            H,
            "SHA-256 of the SubjectPublicKeyInfo under which the CRL verifies.",
            "no such certificate among the evidence",
        ),
        C("serial", S, "Serial number of the revoked certificate."),
        C("revoked_at", W, "revocationDate: the CA's word for when.", event=True),
        C("reason", T, "reasonCode by name; `unspecified` where the entry has none."),
        C("source", T, "File of the CRL, relative to the report's evidence folder."),
        C("position", N, "Number of the entry among those read of its file, from 1."),
        C("this_update", W, "thisUpdate of the CRL.", event=True),
        C("next_update", W, "nextUpdate of the CRL.", "not given"),
        C(
            "authentic",
            B,
            "Whether the CRL's signature verifies under an authentic CA certificate of that name.",
        ),
        C("collection", T, "Collection of the incident file that the CRL belongs to."),
    ),
    ("source", "position"),
    ("serial", "revoked_at", "reason", "source"),
)

PROBLEMS = Table(
    "problems",
    "One row for each piece of evidence, or part of one, that could not be read.",
    (
        C("file", T, "File, relative to the report's evidence folder."),
        C("position", N, "Number of the item in the file, from 1; 0 is the file itself."),
        C("field", T, "The part that could not be read.", "the whole item"),
        C("reason", T, "What is wrong."),
        C("certificate", H, "SHA-256 of the certificate, where the rest of it was read.", "nothing was read"),
        C("collection", T, "Collection that the file belongs to."),
        C(
            "excused",
            T,
            "The author's reason, where the incident file lists the file under `unreadable`.",
            "not listed",
        ),
    ),
    ("file", "position", "field"),
    ("file", "position", "field", "reason"),
)

TABLES: dict[str, Table] = {t.name: t for t in (CERTIFICATES, SCTS, REVOCATIONS, PROBLEMS)}


@cache
def arrow_schema(name: str) -> "pa.Schema":
    """The Arrow schema of a facts table."""
    import pyarrow as pa

    types = {
        Kind.TEXT: pa.string(),
        Kind.HEX: pa.string(),
        Kind.SERIAL: pa.string(),
        Kind.INTEGER: pa.int64(),
        Kind.SECONDS: pa.int64(),
        Kind.BOOLEAN: pa.bool_(),
        Kind.TIME: pa.timestamp("us"),
        Kind.TEXTS: pa.list_(pa.string()),
    }
    return pa.schema([pa.field(column.name, types[column.kind]) for column in TABLES[name].columns])


def tables_markdown() -> str:
    """The text of ``docs/tables.md``."""
    lines = [
        "# The facts tables",
        "",
        "<!-- Generated by `make generate` from affidavit/tables.py; do not edit. -->",
        "",
        "What claims are checked against. Times are UTC, hashes lower-case hex, serial numbers upper-case",
        "hex with whole octets, sizes in bits or octets as the name says. An expression in `where`, `every`,",
        "`none` or `some` may use any of these columns.",
    ]
    for table in TABLES.values():
        lines += ["", f"## `{table.name}`", "", table.text, "", "| column | type | meaning | empty means |"]
        lines += ["|---|---|---|---|"]
        lines += [f"| `{c.name}` | {c.kind} | {c.text} | {c.empty or '-'} |" for c in table.columns]
    return "\n".join(lines) + "\n"
