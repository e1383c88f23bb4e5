"""A slow second reading of a certificate, through the library's public attributes and nothing else."""

import re
import warnings
from datetime import datetime
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtensionOID

REFUSALS = (
    ValueError, TypeError, KeyError, UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)  # fmt: skip
#: As openssl abbreviates them (`openssl x509 -nameopt RFC2253`).
SHORT = {
    "2.5.4.3": "CN", "2.5.4.5": "serialNumber", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.9": "street",
    "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.15": "businessCategory", "2.5.4.17": "postalCode",
    "0.9.2342.19200300.100.1.25": "DC", "1.2.840.113549.1.9.1": "emailAddress",
    "1.3.6.1.4.1.311.60.2.1.3": "jurisdictionC", "1.3.6.1.4.1.311.60.2.1.2": "jurisdictionST",
}  # fmt: skip
ALGORITHMS = {
    "1.2.840.113549.1.1.5": "sha1WithRSAEncryption", "1.2.840.113549.1.1.11": "sha256WithRSAEncryption",
    "1.2.840.10045.4.3.2": "ecdsa-with-SHA256", "1.2.840.10045.4.3.3": "ecdsa-with-SHA384",
}  # fmt: skip
EKU = {
    "1.3.6.1.5.5.7.3.1": "serverAuth", "1.3.6.1.5.5.7.3.2": "clientAuth", "1.3.6.1.5.5.7.3.3": "codeSigning",
    "1.3.6.1.5.5.7.3.4": "emailProtection", "1.3.6.1.5.5.7.3.8": "timeStamping", "1.3.6.1.5.5.7.3.9": "OCSPSigning",
    "2.5.29.37.0": "anyExtendedKeyUsage", "1.3.6.1.4.1.11129.2.4.4": "precertificateSigning",
}  # fmt: skip
VALIDATION = {"2.23.140.1.2.1": "DV", "2.23.140.1.2.2": "OV", "2.23.140.1.2.3": "IV", "2.23.140.1.1": "EV"}
USAGES = {
    "digital_signature": "digitalSignature", "content_commitment": "nonRepudiation",
    "key_encipherment": "keyEncipherment", "data_encipherment": "dataEncipherment", "key_agreement": "keyAgreement",
    "key_cert_sign": "keyCertSign", "crl_sign": "cRLSign", "encipher_only": "encipherOnly",
    "decipher_only": "decipherOnly",
}  # fmt: skip


def read(der: bytes) -> dict[str, Any]:
    """Columns and values, as many as the library gives; ``scts`` is a list of (version, log ID, time)."""
    row: dict[str, Any] = {"sha256": sha256(der).hexdigest()}
    try:
        with warnings.catch_warnings(action="ignore"):
            one = x509.load_der_x509_certificate(der)
    except REFUSALS:
        return {}
    for work in (_fields, _names, _algorithms, _key, _extensions):
        try:
            with warnings.catch_warnings(action="ignore"):
                row |= work(one)
        except REFUSALS:
            row[work.__name__] = None
    return row


def _fields(one: x509.Certificate) -> dict[str, Any]:
    start, end = (t.replace(tzinfo=None) for t in (one.not_valid_before_utc, one.not_valid_after_utc))
    period = end - start
    octets = max(1, (one.serial_number.bit_length() + 7) // 8)
    return {
        "version": one.version.value + 1,
        "serial": "-" * (one.serial_number < 0) + f"{abs(one.serial_number):0{2 * octets}X}",
        "serial_octets": octets,
        "serial_bits": one.serial_number.bit_length(),
        "serial_der_octets": max(one.serial_number, ~one.serial_number).bit_length() // 8 + 1,
        "not_before": start,
        "not_after": end,
        "validity_seconds": period.days * 86400 + period.seconds + 1,
        # The last second is part of the period, so a period of whole days ends a second before it would begin anew.
        "validity_days": period.days + 1,
    }


def _names(one: x509.Certificate) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for which, name in (("issuer", one.issuer), ("subject", one.subject)):
        if all(attribute.oid.dotted_string in SHORT for attribute in name):
            shown = name.rfc4514_string({attribute.oid: SHORT[attribute.oid.dotted_string] for attribute in name})
            # Of control characters the library escapes NUL alone.
            row[which] = re.sub(r"[\x00-\x1f\x7f]", lambda found: f"\\{ord(found[0]):02X}", shown)
        common = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        row[f"{which}_cn"] = common[0].value if common else None
        row[f"{which}_der_sha256"] = sha256(name.public_bytes()).hexdigest()
    return row


def _algorithms(one: x509.Certificate) -> dict[str, Any]:
    dotted = one.signature_algorithm_oid.dotted_string
    row: dict[str, Any] = {"signature_algorithm": ALGORITHMS[dotted]} if dotted in ALGORITHMS else {}
    if one.signature_hash_algorithm is not None:
        row["signature_hash"] = one.signature_hash_algorithm.name.replace("-", "")
    return row


def _key(one: x509.Certificate) -> dict[str, Any]:
    key = one.public_key()
    row: dict[str, Any] = {}
    if isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        row["key_type"] = "RSA" if isinstance(key, rsa.RSAPublicKey) else "EC"
        row["key_bits"] = key.key_size
        spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        if spki in one.tbs_certificate_bytes:  # the library encodes it anew
            row["spki_sha256"] = sha256(spki).hexdigest()
    return row


def _extensions(one: x509.Certificate) -> dict[str, Any]:
    listed = list(one.extensions)
    by_oid = {extension.oid: extension.value for extension in listed}
    row: dict[str, Any] = {"extension_oids": [extension.oid.dotted_string for extension in listed]}
    poisoned = ExtensionOID.PRECERT_POISON in by_oid
    row["kind"] = "precertificate" if poisoned else "certificate"
    promises = by_oid.get(ExtensionOID.PRECERT_SIGNED_CERTIFICATE_TIMESTAMPS)
    tbs = one.tbs_precertificate_bytes if promises or poisoned else one.tbs_certificate_bytes
    row["precert_tbs_sha256"] = sha256(tbs).hexdigest()
    row["scts"] = []
    for promise in promises or ():
        at: datetime = promise.timestamp
        row["scts"].append((promise.version.value, promise.log_id.hex(), at.replace(tzinfo=None)))
    row["sct_count"] = len(row["scts"])
    stamps = [at for _, _, at in row["scts"]]
    row["earliest_sct"], row["latest_sct"] = min(stamps, default=None), max(stamps, default=None)
    san: Any = by_oid.get(ExtensionOID.SUBJECT_ALTERNATIVE_NAME)
    row["dns_names"] = san.get_values_for_type(x509.DNSName) if san else []
    row["ip_addresses"] = [str(a) for a in san.get_values_for_type(x509.IPAddress)] if san else []
    policies: Any = by_oid.get(ExtensionOID.CERTIFICATE_POLICIES)
    row["policy_oids"] = [policy.policy_identifier.dotted_string for policy in policies or ()]
    stated = {VALIDATION[policy] for policy in row["policy_oids"] if policy in VALIDATION}
    if not any(policy.startswith(("2.23.140.1.3", "2.23.140.1.4")) for policy in row["policy_oids"]):
        row["validation"] = stated.pop() if len(stated) == 1 else None
    basic: Any = by_oid.get(ExtensionOID.BASIC_CONSTRAINTS)
    row["is_ca"], row["path_length"] = (basic.ca, basic.path_length) if basic else (False, None)
    usage: Any = by_oid.get(ExtensionOID.KEY_USAGE)
    # The library answers for the last two only beside keyAgreement (RFC 5280 4.2.1.3).
    asked = [name for name in USAGES if usage and (usage.key_agreement or not name.endswith("_only"))]
    row["key_usage"] = [USAGES[name] for name in asked if getattr(usage, name)]
    extended: Any = by_oid.get(ExtensionOID.EXTENDED_KEY_USAGE)
    row["extended_key_usage"] = [EKU.get(oid.dotted_string, oid.dotted_string) for oid in extended or ()]
    own: Any = by_oid.get(ExtensionOID.SUBJECT_KEY_IDENTIFIER)
    row["subject_key_id"] = own.digest.hex() if own else None
    theirs: Any = by_oid.get(ExtensionOID.AUTHORITY_KEY_IDENTIFIER)
    row["authority_key_id"] = theirs.key_identifier.hex() if theirs and theirs.key_identifier else None
    return row
