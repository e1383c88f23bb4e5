"""Tables about Certificate Transparency: SCTs and log entries."""

from affidavit.columns import Column, Kind, Made, Table

C = Column
T, H, N, B, W, L = Kind.TEXT, Kind.HEX, Kind.INTEGER, Kind.BOOLEAN, Kind.TIME, Kind.TEXTS
LINKED = Made.LINKED

SCTS = Table(
    "scts",
    "One row for each signed certificate timestamp embedded in a certificate (RFC 6962 3.3).",
    (
        C("certificate", H, "SHA-256 of the certificate that carries it."),
        C("position", N, "Its number in the list, from 1."),
        C("version", N, "SCT version; 0 is v1."),
        C("log_id", H, "Log ID: SHA-256 of the log's public key."),
        C("timestamp", W, "When the log says it received the entry.", event=True),
        C("leaf_index", N, "Index of the entry, where the SCT's extensions give it (Static CT API).", "not given"),
        C("delivered_by", T, "How the SCT came: `embedded`."),
        C("log", T, "The log's description in the log list.", "the log is in no list given", made=LINKED),
        C("operator", T, "The log's operator when the SCT was made, by the log list.", "the log is in no list given",
          made=LINKED),
        C("log_state", T, "State of the log in the log list: `usable`, `retired` ...",
          "the log is in no list given, or the list gives no state", made=LINKED),
        C("log_state_since", W, "Since when the log has that state.", "not given", made=LINKED),
        C(
            "signature", T,
            "`valid`, `invalid`, `unknown log` or `no issuer`: the log's signature over the rebuilt entry "
            "(RFC 6962 3.2).", made=Made.SCT_SIGNATURE,
        ),
        C("authentic", B, "Whether the certificate that carries it is authentic.", made=LINKED),
        C("kind", T, "Kind of the certificate that carries it.", made=LINKED),
        C("collection", T, "Collection of the certificate.", made=LINKED),
    ),
    ("certificate", "position"),
    ("certificate", "log_id", "timestamp", "signature"),
)  # fmt: skip

LOG_ENTRIES = Table(
    "log_entries",
    "One row for each entry of a CT log: from a `get-entries` answer (RFC 6962 4.6) or a data tile (Static CT API).",
    (
        C("index", N, "Index of the entry in the log, from 0.", "the capture does not say where it begins"),
        C("timestamp", W, "When the log says it received the entry.", event=True),
        C("certificate", H, "SHA-256 of the certificate, or of the precertificate that was submitted.",
          "not readable"),
        C("kind", T, "`certificate` (x509_entry) or `precertificate` (precert_entry)."),
        C("leaf_hash", H, "Merkle tree leaf hash (RFC 6962 2.1)."),
        C("tbs_matches", B, "Whether the entry's TBSCertificate is the submitted precertificate's, cut from its bytes.",
          "an x509_entry"),
        C("issuer_key_hash", H, "SHA-256 of the issuer's SubjectPublicKeyInfo, as the log signed it.", "an x509_entry"),
        C("log", T, "The log: its description in a log list, else what the capture says of its origin.", "not stated",
          made=LINKED),
        C("log_id", H, "Log ID: SHA-256 of the log's public key.", "not stated", made=LINKED),
        C("collection", T, "Collection that the entry belongs to.", made=LINKED),
        C("file", T, "File that holds it, relative to the report's evidence folder.", made=LINKED),
        C("position", N, "Number of the entry in that file, from 1.", made=LINKED),
    ),
    ("file", "position"),
    ("log", "index", "timestamp", "certificate"),
)  # fmt: skip
