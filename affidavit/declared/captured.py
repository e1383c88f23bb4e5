"""Tables about the evidence itself: lists without certificates, linters' results, sources, problems."""

from affidavit.columns import Column, Kind, Made, Table

C = Column
T, H, S, N = Kind.TEXT, Kind.HEX, Kind.SERIAL, Kind.INTEGER
B, W, L = Kind.BOOLEAN, Kind.TIME, Kind.TEXTS
LINKED = Made.LINKED

LISTS = Table(
    "lists",
    "One row for each certificate that a list names without holding it: a CCADB affected-certificates CSV, a list of "
    "fingerprints or of crt.sh links, an answer of crt.sh. Such a row is somebody's word; no certificate proves it.",
    (
        C("form", T, "`ccadb`, `fingerprints`, `crt.sh links`, `crt.sh json` or `crt.sh csv`."),
        C("sha256", H, "The certificate's fingerprint as listed.", "not listed"),
        C("precertificate", H, "The precertificate's fingerprint as listed.", "not listed"),
        C("crtsh_id", N, "crt.sh ID as listed.", "not listed"),
        C("serial", S, "Serial number as listed.", "not listed"),
        C("subject", T, "Subject (or common name) as listed.", "not listed"),
        C("issuer", T, "Issuer as listed.", "not listed"),
        C("dns_names", L, "Names as listed; of crt.sh only those that match its query."),
        C("not_before", W, "notBefore as listed.", "not listed"),
        C("not_after", W, "notAfter as listed.", "not listed"),
        C("is_revoked", B, "Whether the list says that it is revoked.", "not listed"),
        C("revoked_at", W, "Revocation date as listed.", "not listed", event=True),
        C("reason", T, "Revocation reason as listed.", "not listed"),
        C("logged_at", W, "crt.sh's entry_timestamp: the aggregator's own clock.", "not listed", event=True),
        C("held", B, "Whether a certificate (or precertificate) of that fingerprint, or else of that issuer and serial "
          "number, stands among the report's evidence.", made=LINKED),
        C("file", T, "File of the list, relative to the report's evidence folder.", made=LINKED),
        C("position", N, "Number of the row in that file, from 1.", made=LINKED),
        C("collection", T, "Collection that the file belongs to.", made=LINKED),
    ),
    ("file", "position"),
    ("sha256", "serial", "subject", "held", "file"),
)  # fmt: skip

LINTS = Table(
    "lints",
    "One row for each result of a linter about a certificate: imported, or made by pkilint for a claim. Only "
    "`violates` reads the latter: they lie in no collection.",
    (
        C("certificate", H, "SHA-256 of the certificate.", "the result does not say which"),
        C("linter", T, "`zlint` or `pkilint`."),
        C("version", T, "Version of the linter.", "not stated in the results"),
        C("profile", T, "What it was linted as, or which sources of rules were run; for pkilint the profile and the "
          "type that it took the certificate for.", "not stated in the results"),
        C("code", T, "The rule's code: `e_...` for zlint, `pkix.…` and the like for pkilint."),
        C("result", T, "`pass`, `not applicable`, `not yet in force`, `info`, `notice`, `warn`, `error` or `fatal`."),
        C("source_of_rule", T, "Document that the rule comes from, as the linter names it.", "not stated"),
        C("effective", W, "Since when the rule is in force, as the linter says.", "not stated"),
        C("details", T, "What the linter says about this certificate.", "nothing"),
        C("authentic", B, "Whether the certificate stands among the evidence and is authentic.", made=LINKED),
        C("kind", T, "Kind of the certificate.", "it is not among the evidence", made=LINKED),
        C("file", T, "File of the results; empty where pkilint was run for this report.", "made for this report",
          made=LINKED),
        C("position", N, "Number of the result in that file, from 1.", made=LINKED),
        C("collection", T, "Collection that the file belongs to.", "made for this report", made=LINKED),
    ),
    ("certificate", "linter", "code", "file", "position"),
    ("certificate", "linter", "code", "result"),
)  # fmt: skip

SOURCES = Table(
    "sources",
    "One row for each file of a collection: what it is, when and from where it was taken, and how far it reaches.",
    (
        C("form", T, "What it holds, told from its content: `certificates`, `crl`, `ocsp`, `get-entries`, `data tile`, "
          "`crt.sh json`, `zip` ..."),
        C("items", N, "Number of items read, or tried, in it."),
        C("certificates", N, "Number of certificates read from it."),
        C("capped", B, "Whether it stops at a cap: 10,000 rows exactly of crt.sh are a random subset.",
          "such a file has no cap"),
        C("first_index", N, "Index of its first log entry.", "no log entries, or not stated"),
        C("last_index", N, "Index of its last log entry.", "no log entries, or not stated"),
        C("tree_size", N, "Size of the log's tree when it was taken.", "not stated"),
        C("log", T, "The log that it is from.", "not stated"),
        C("taken", W, "When it was taken, by the incident file.", "not stated", made=LINKED),
        C("origin", T, "From where it was taken, by the incident file.", "not stated", made=LINKED),
        C("sha256", H, "SHA-256 of the file.", made=LINKED),
        C("octets", N, "Size of the file.", made=LINKED),
        C("file", T, "The file, relative to the report's evidence folder.", made=LINKED),
        C("collection", T, "Collection that the file belongs to.", made=LINKED),
    ),
    ("file",),
    ("file", "form", "items", "taken", "capped"),
)  # fmt: skip

PROBLEMS = Table(
    "problems",
    "One row for each piece of evidence, or part of one, that could not be read, or is not as its standard has it.",
    (
        C("file", T, "File, relative to the report's evidence folder."),
        C("position", N, "Number of the item in the file, from 1; 0 is the file itself."),
        C("field", T, "The part that it is about.", "the whole item"),
        C("reason", T, "What is wrong."),
        C("irregular", B, "Whether the part was read all the same; else its columns are empty."),
        C("certificate", H, "SHA-256 of the certificate, where the rest of it was read.", "nothing was read"),
        C("collection", T, "Collection that the file belongs to."),
        C("excused", T, "The author's reason, where the incident file lists the file under `unreadable`.",
          "not listed"),
    ),
    ("file", "position", "field", "reason"),
    ("file", "position", "field", "reason"),
)  # fmt: skip
