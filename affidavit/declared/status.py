"""Tables about revocation and status: CRLs, their entries, OCSP responses."""

from affidavit.columns import Column, Kind, Made, Table

C = Column
T, H, S, N, D = Kind.TEXT, Kind.HEX, Kind.SERIAL, Kind.INTEGER, Kind.SECONDS
B, W, L = Kind.BOOLEAN, Kind.TIME, Kind.TEXTS
LINKED = Made.LINKED

CRLS = Table(
    "crls",
    "One row for each certificate revocation list (RFC 5280 5).",
    (
        C("sha256", H, "SHA-256 of the CRL's DER encoding."),
        C("issuer", T, "Issuer name of the CRL in RFC 4514 form."),
        C("issuer_der_sha256", H, "SHA-256 of that name as encoded."),
        C("this_update", W, "thisUpdate.", "not readable", event=True),
        C("next_update", W, "nextUpdate.", "not given"),
        C("crl_number", T, "cRLNumber in decimal.", "extension absent"),
        C("base_crl_number", T, "BaseCRLNumber of a delta CRL, in decimal.", "no delta CRL"),
        C("scope", T, "`full`; or by its issuingDistributionPoint `shard`, `user certificates`, `CA certificates`, "
          "`attribute certificates`, `some reasons`, `indirect`; or `delta`."),
        C("idp_urls", L, "URLs of the issuingDistributionPoint's name."),
        C("signature_algorithm", T, "Name of the signature algorithm, else its dotted OID."),
        C("signature_hash", T, "Hash of the signature.", "the algorithm has no separate hash, or is unknown"),
        C("entries", N, "Number of entries."),
        C("issuer_spki_sha256", H, "SHA-256 of the SubjectPublicKeyInfo under which the CRL verifies.",
          "no authentic certificate of such a key among the evidence", made=LINKED),
        C("authentic", B, "Whether the CRL's signature verifies under an authentic CA certificate of that name.",
          made=LINKED),
        C("collection", T, "Collection of the incident file that the CRL belongs to.", made=LINKED),
        C("file", T, "First file that holds it, relative to the report's evidence folder.", made=LINKED),
        C("position", N, "Its number in that file, from 1.", made=LINKED),
    ),
    ("sha256",),
    ("issuer", "crl_number", "this_update", "entries", "file"),
)  # fmt: skip

REVOCATIONS = Table(
    "revocations",
    "One row for each entry of a certificate revocation list (RFC 5280 5.1).",
    (
        C("issuer", T, "Name of the CA whose certificate is revoked (of an indirect CRL: its certificateIssuer, "
          "RFC 5280 5.3.3), in RFC 4514 form."),
        C("issuer_der_sha256", H, "SHA-256 of that name as encoded."),
        C("issuer_spki_sha256", H, "SHA-256 of the SubjectPublicKeyInfo under which the CRL verifies.",
          "no authentic certificate of such a key among the evidence", made=LINKED),
        C("serial", S, "Serial number of the revoked certificate."),
        C("revoked_at", W, "revocationDate: the CA's word for when.", event=True),
        C("reason", T, "reasonCode by name; `unspecified` where the entry has none."),
        C("reason_given", B, "Whether the entry has a reasonCode."),
        C("invalidity_date", W, "invalidityDate: since when the key was doubtful.", "not given", event=True),
        C("source", T, "File of the CRL, relative to the report's evidence folder.", made=LINKED),
        C("position", N, "Number of the entry among those read of its file, from 1.", made=LINKED),
        C("crl", H, "SHA-256 of the CRL that holds the entry."),
        C("crl_number", T, "cRLNumber of the CRL in decimal.", "extension absent"),
        C("crl_scope", T, "Scope of the CRL, as in the table `crls`."),
        C("this_update", W, "thisUpdate of the CRL.", event=True),
        C("next_update", W, "nextUpdate of the CRL.", "not given"),
        C("first_seen", W, "The earliest thisUpdate of an authentic CRL of that issuer, among the evidence, that lists "
          "the serial number; the CRL's own where it is not authentic.", event=True, made=LINKED),
        C("authentic", B, "Whether the CRL's signature verifies under an authentic CA certificate of that name.",
          made=LINKED),
        C("collection", T, "Collection of the incident file that the CRL belongs to.", made=LINKED),
    ),
    ("source", "position"),
    ("serial", "revoked_at", "reason", "source"),
)  # fmt: skip

OCSP = Table(
    "ocsp",
    "One row for each single response of an OCSP response (RFC 6960 4.2), or for a response that has none.",
    (
        C("response_status", T, "`successful`, `malformedRequest`, `internalError`, `tryLater`, `sigRequired` or "
          "`unauthorized`. All but the first carry no signature and prove nothing."),
        C("serial", S, "Serial number asked about.", "the response has no single response"),
        C("status", T, "`good`, `revoked` or `unknown`.", "the response has no single response"),
        C("revoked_at", W, "revocationTime.", "not revoked", event=True),
        C("reason", T, "revocationReason by name; `unspecified` where a revocation gives none.", "not revoked"),
        C("reason_given", B, "Whether the response gives a revocationReason."),
        C("this_update", W, "thisUpdate: when the status was known to be right.", event=True),
        C("next_update", W, "nextUpdate.", "not given"),
        C("produced_at", W, "producedAt: when the response was signed.", event=True),
        C("issuer_name_hash", H, "issuerNameHash of the CertID."),
        C("issuer_key_hash", H, "issuerKeyHash of the CertID."),
        C("hash_algorithm", T, "Hash algorithm of the CertID: `sha1`, `sha256` ..."),
        C("responder", T, "responderID: a name in RFC 4514 form, or the key's SHA-1 in hex."),
        C("signature_algorithm", T, "Name of the signature algorithm, else its dotted OID."),
        C("nonce", H, "Nonce of the response (RFC 6960 4.4.1).", "extension absent"),
        C("archive_cutoff", W, "archiveCutoff: certificates that expired since then are still answered for "
          "(RFC 6960 4.4.4).", "extension absent"),
        C("response", H, "SHA-256 of the response's DER encoding."),
        C("issuer_spki_sha256", H, "SHA-256 of the SubjectPublicKeyInfo of the CA that the CertID names.",
          "no such authentic certificate among the evidence", made=LINKED),
        C("responder_certificate", H, "SHA-256 of the certificate under whose key the response verifies.",
          "none among the evidence or in the response", made=LINKED),
        C("delegated", B, "Whether that certificate is a delegated responder's (EKU OCSPSigning, issued by the CA; "
          "RFC 6960 4.2.2.2) and not the CA's own.", made=LINKED),
        C("authentic", B, "Whether the response is signed by the authentic CA that the CertID names, or by a responder "
          "that it delegated.", made=LINKED),
        C("collection", T, "Collection of the incident file that the response belongs to.", made=LINKED),
        C("source", T, "File of the response, relative to the report's evidence folder.", made=LINKED),
        C("position", N, "Number of the single response among those of its file, from 1.", made=LINKED),
    ),
    ("source", "position"),
    ("serial", "status", "revoked_at", "this_update", "source"),
)  # fmt: skip
