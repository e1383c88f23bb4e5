"""Tables about certificates: their fields, their names and extensions as encoded, their pairs."""

from affidavit.columns import Column, Kind, Made, Table

C = Column
T, H, S, N, D = Kind.TEXT, Kind.HEX, Kind.SERIAL, Kind.INTEGER, Kind.SECONDS
B, W, L = Kind.BOOLEAN, Kind.TIME, Kind.TEXTS
DETAIL, LINKED = Made.DETAIL, Made.LINKED

CERTIFICATES = Table(
    "certificates",
    "One row for each distinct certificate or precertificate of a collection.",
    (
        C("sha256", H, "SHA-256 of the DER encoding: the certificate's fingerprint."),
        C("kind", T, "`certificate`, or `precertificate` where the poison extension (RFC 6962 3.1) is present."),
        C(
            "serial", S, "Serial number, upper-case hex, whole octets; a negative one begins with `-`.",
            "not readable",
        ),
        C("serial_octets", N, "Octets of the serial number's magnitude, without the sign octet of the encoding."),
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
            "validity_seconds", D,
            "Length of the validity period in seconds, both ends included (RFC 5280 4.1.2.5, BR 1.6.1): "
            "notAfter - notBefore + 1.",
        ),
        C(
            "validity_days", N,
            "Days of the validity period as the BR count them (6.3.2): 86,400 s each, both ends included, and any "
            "excess is one more day.",
        ),
        C("version", N, "X.509 version: 1, 2 or 3."),
        C("signature_algorithm", T, "Name of the signature algorithm, else its dotted OID."),
        C(
            "signature_hash", T, "Hash of the signature: `sha1`, `sha256`, `md5` ...",
            "the algorithm has no separate hash, or is unknown",
        ),
        C("key_type", T, "Type of the subject's public key: RSA, EC, DSA, Ed25519 ... else its dotted OID."),
        C("key_bits", N, "Size of the subject's public key in bits.", "unknown key type"),
        C("spki_sha256", H, "SHA-256 of the SubjectPublicKeyInfo as encoded."),
        C("dns_names", L,
          "dNSName entries of the subjectAltName, in order; empty list where there are none. Of those that "
          "are not ASCII, UTF-8 is shown as such, any other octet as `\\xhh`, and a problem names them."),
        C("ip_addresses", L, "iPAddress entries of the subjectAltName, in order."),
        C("policy_oids", L, "Certificate policy OIDs, in order."),
        C(
            "validation", T, "DV, OV, IV or EV, by the CA/Browser Forum policy OIDs (BR 7.1.6.1).",
            "no such OID, or more than one of them",
        ),
        C("is_ca", B, "cA of the basicConstraints; false where the extension is absent."),
        C("path_length", N, "pathLenConstraint of the basicConstraints.", "none given"),
        C("key_usage", L, "Key usages, names of RFC 5280 4.2.1.3; empty where the extension is absent."),
        C("extended_key_usage", L, "Extended key usages: name, else OID; empty where the extension is absent."),
        C("subject_key_id", H, "Subject key identifier.", "extension absent"),
        C("authority_key_id", H, "keyIdentifier of the authority key identifier.", "absent"),
        C("extension_oids", L, "OIDs of all extensions, in order."),
        C(
            "precert_tbs_sha256", H,
            "SHA-256 of the TBSCertificate with poison and SCT list cut out: equal for a precertificate "
            "and its certificate.",
        ),
        C("sct_count", N, "Number of embedded SCTs."),
        C("earliest_sct", W, "Earliest timestamp of the embedded SCTs.", "no embedded SCT", event=True),
        C("latest_sct", W, "Latest timestamp of the embedded SCTs.", "no embedded SCT", event=True),
        # What follows is computed where a claim or a page asks for it.
        C(
            "extension_digests", L,
            "For each extension `OID=SHA-256 of its whole encoding` (criticality included), in order.", made=DETAIL,
        ),
        C("critical_extensions", L, "OIDs of the extensions marked critical, in order.", made=DETAIL),
        C("serial_negative", B, "Whether the serial number is below zero as encoded.", made=DETAIL),
        C("not_before_encoding", T, "`UTCTime` or `GeneralizedTime`, and what is odd about it.", made=DETAIL),
        C("not_after_encoding", T, "`UTCTime` or `GeneralizedTime`, and what is odd about it.", made=DETAIL),
        C(
            "short_lived", B,
            "Whether it is a Short-lived Subscriber Certificate (BR 1.6.1): at most 7 days, or at most 10 days where "
            "notBefore lies from 2024-03-15 to 2026-03-14; both ends included.", made=DETAIL,
        ),
        C("tbs_signature_algorithm", T, "Signature algorithm named inside the TBSCertificate.", made=DETAIL),
        C("signature_algorithm_der", H, "The outer signature AlgorithmIdentifier as encoded.", made=DETAIL),
        C("pss_salt_octets", N, "Salt length of an RSASSA-PSS signature.", "another algorithm", made=DETAIL),
        C("pss_mask_hash", T, "Hash of an RSASSA-PSS signature's mask function.", "another algorithm", made=DETAIL),
        C("signature_sha256", H, "SHA-256 of the signature's octets.", made=DETAIL),
        C("rsa_exponent", N, "Public exponent of an RSA key.", "no RSA key, or 2^63 and above", made=DETAIL),
        C("curve", T, "Named curve of an EC key: `P-256`, `P-384` ... else its OID.", "no EC key", made=DETAIL),
        C("spki_algorithm_der", H, "The key's AlgorithmIdentifier as encoded.", made=DETAIL),
        C("public_key_sha1", H, "SHA-1 of the key's BIT STRING octets (RFC 5280 4.2.1.2, method 1).", made=DETAIL),
        C(
            "weak_key", L, "Names of the tests that the key fails: `roca`, `fermat` ...; empty where it passes all.",
            "not tested: no such key, or the library for it is not installed", made=Made.WEAK_KEY,
        ),
        C(
            "subject_attributes", L, "`type=value` of each subject attribute, as encoded order has it.", made=DETAIL,
        ),
        C("issuer_attributes", L, "`type=value` of each issuer attribute, as encoded order has it.", made=DETAIL),
        C("cn_in_san", B, "Whether each subject CN is, letter for letter, an entry of the subjectAltName (BR 7.1.4.3).",
          "no subject CN", made=DETAIL),
        C("email_addresses", L, "rfc822Name entries of the subjectAltName.", made=DETAIL),
        C("uris", L, "uniformResourceIdentifier entries of the subjectAltName.", made=DETAIL),
        C(
            "other_san_types", L,
            "Kinds of subjectAltName entries other than dNSName, iPAddress, rfc822Name and URI, in order.", made=DETAIL,
        ),
        C("cps_uris", L, "CPS URIs of the policy qualifiers, in order.", made=DETAIL),
        C("user_notices", L, "Explicit texts of the policy qualifiers' user notices.", made=DETAIL),
        C("crl_urls", L, "URLs of the CRL distribution points.", made=DETAIL),
        C("ocsp_urls", L, "OCSP URLs of the authority information access.", made=DETAIL),
        C("ca_issuer_urls", L, "caIssuers URLs of the authority information access.", made=DETAIL),
        C("must_staple", B, "Whether the TLS feature extension asks for status_request (RFC 7633).", made=DETAIL),
        C("name_constraints", B, "Whether the nameConstraints extension is present.", made=DETAIL),
        C(
            "authentic", B,
            "Whether its signature verifies under a trusted certificate, directly or through intermediates "
            "among the evidence. Claims count authentic rows only, unless the collection says `trust: none`.",
            made=LINKED,
        ),
        C(
            "issued_by", H, "SHA-256 of the certificate under whose key the signature verifies.",
            "none among the evidence", made=LINKED,
        ),
        C(
            "issuer_spki_sha256", H,
            "SHA-256 of the issuing key's SubjectPublicKeyInfo (names repeat across CAs, keys do not).",
            "none among the evidence", made=LINKED,
        ),
        C("collection", T, "Collection of the incident file that the row belongs to.", made=LINKED),
        C("file", T, "First file that holds it, relative to the report's evidence folder.", made=LINKED),
        C("position", N, "Its number in that file, from 1.", made=LINKED),
        C("copies", N, "How often it occurs in the collection's files.", made=LINKED),
    ),
    ("sha256",),
    ("sha256", "serial", "subject", "not_before", "issuer_cn"),
)  # fmt: skip

NAMES = Table(
    "names",
    "One row for each attribute of a certificate's subject and issuer, as encoded (RFC 5280 4.1.2.4).",
    (
        C("certificate", H, "SHA-256 of the certificate."),
        C("which", T, "`subject` or `issuer`."),
        C("position", N, "Number of the attribute in the name as encoded, from 1."),
        C("rdn", N, "Number of the relative distinguished name that it stands in, from 1."),
        C("oid", T, "The attribute's type."),
        C("type", T, "Its short name as openssl has it, else the OID."),
        C("value", T, "Its value.", "no readable string"),
        C("string_type", T, "`UTF8String`, `PrintableString`, `TeletexString`, `BMPString` ..., as encoded."),
        C("characters", N, "Number of characters of the value."),
        C("authentic", B, "Whether the certificate is authentic.", made=LINKED),
        C("kind", T, "Kind of the certificate.", made=LINKED),
        C("collection", T, "Collection of the certificate.", made=LINKED),
    ),
    ("certificate", "which", "position"),
    ("certificate", "which", "type", "value"),
    Made.DETAIL,
)

EXTENSIONS = Table(
    "extensions",
    "One row for each extension of a certificate, in the order of encoding (RFC 5280 4.2).",
    (
        C("certificate", H, "SHA-256 of the certificate."),
        C("position", N, "Its number, from 1."),
        C("oid", T, "The extension's OID."),
        C("name", T, "Its name in RFC 5280 and the like.", "no name is known"),
        C("critical", B, "Whether it is marked critical."),
        C("octets", N, "Octets of its value."),
        C("value_sha256", H, "SHA-256 of its value's octets."),
        C("authentic", B, "Whether the certificate is authentic.", made=LINKED),
        C("kind", T, "Kind of the certificate.", made=LINKED),
        C("collection", T, "Collection of the certificate.", made=LINKED),
    ),
    ("certificate", "position"),
    ("certificate", "oid", "name", "critical"),
    Made.DETAIL,
)

PAIRS = Table(
    "pairs",
    "One row for each precertificate and the certificate that goes with it: same issuer and serial number. A "
    "precertificate or a certificate with embedded SCTs that has no partner at hand stands alone.",
    (
        C("precertificate", H, "SHA-256 of the precertificate.", "none at hand"),
        C("certificate", H, "SHA-256 of the certificate.", "none at hand"),
        C("serial", S, "Serial number of both."),
        C("issuer", T, "Issuer name of the certificate, else of the precertificate, in RFC 4514 form."),
        C("equal", B, "Whether the two are the same once poison and SCT list are cut from their bytes "
          "(RFC 6962 3.1, 3.2).", "one of them is not at hand"),
        C("first_difference", T, "The first field or extension in which they differ.", "equal, or one is not at hand"),
        C("authentic", B, "Whether all of the two that are at hand are authentic.", made=LINKED),
        C("collection", T, "Collection in which both, or the one at hand, stand.", made=LINKED),
    ),
    ("precertificate", "certificate"),
    ("serial", "equal", "first_difference", "precertificate", "certificate"),
    Made.DETAIL,
)  # fmt: skip
