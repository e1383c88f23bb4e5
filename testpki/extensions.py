"""Certificate extensions as DER (RFC 5280 4.2, RFC 6962 3.1 and 3.3)."""

from collections.abc import Sequence
from ipaddress import ip_address

from testpki import asn1

POISON = "1.3.6.1.4.1.11129.2.4.3"
SCT_LIST = "1.3.6.1.4.1.11129.2.4.2"

KEY_USAGES = (
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
)
EXTENDED_KEY_USAGES = {
    "any": "2.5.29.37.0",
    "serverAuth": "1.3.6.1.5.5.7.3.1",
    "clientAuth": "1.3.6.1.5.5.7.3.2",
    "codeSigning": "1.3.6.1.5.5.7.3.3",
    "emailProtection": "1.3.6.1.5.5.7.3.4",
    "timeStamping": "1.3.6.1.5.5.7.3.8",
    "OCSPSigning": "1.3.6.1.5.5.7.3.9",
    "precertificateSigning": "1.3.6.1.4.1.11129.2.4.4",
}
# CA/Browser Forum reserved policy OIDs (BR 7.1.6.1).
POLICIES = {
    "ev": "2.23.140.1.1",
    "dv": "2.23.140.1.2.1",
    "ov": "2.23.140.1.2.2",
    "iv": "2.23.140.1.2.3",
}


def extension(oid: str, value: bytes, critical: bool = False) -> bytes:
    """One Extension; ``value`` is the DER that extnValue wraps. A false ``critical`` is left out."""
    flag = asn1.boolean(True) if critical else b""
    return asn1.sequence(asn1.oid(oid), flag, asn1.octet_string(value))


def poison() -> bytes:
    """The critical poison of a precertificate (RFC 6962 3.1)."""
    return extension(POISON, asn1.null(), critical=True)


def sct_list(scts: Sequence[bytes]) -> bytes:
    """The SCT list extension: each SCT and the whole list with a 16-bit length (RFC 6962 3.3)."""
    body = b"".join(len(sct).to_bytes(2) + sct for sct in scts)
    return extension(SCT_LIST, asn1.octet_string(len(body).to_bytes(2) + body))


def basic_constraints(ca: bool, path_length: int | None = None) -> bytes:
    """Basic constraints, critical; a false cA is left out (DEFAULT)."""
    length = asn1.integer(path_length) if path_length is not None else b""
    return extension("2.5.29.19", asn1.sequence(asn1.boolean(True) if ca else b"", length), critical=True)


def key_usage(usages: Sequence[str]) -> bytes:
    """Key usage by names of RFC 5280 4.2.1.3, critical."""
    return extension("2.5.29.15", asn1.named_bits(*(KEY_USAGES.index(usage) for usage in usages)), critical=True)


def extended_key_usage(usages: Sequence[str]) -> bytes:
    """Extended key usage by name or dotted OID."""
    oids = (asn1.oid(EXTENDED_KEY_USAGES.get(usage, usage)) for usage in usages)
    return extension("2.5.29.37", asn1.sequence(*oids))


def policies(oids: Sequence[str]) -> bytes:
    """Certificate policies by dotted OID, or dv, ov, iv, ev; without qualifiers."""
    items = (asn1.sequence(asn1.oid(POLICIES.get(item, item))) for item in oids)
    return extension("2.5.29.32", asn1.sequence(*items))


def subject_key_id(identifier: bytes) -> bytes:
    """Subject key identifier."""
    return extension("2.5.29.14", asn1.octet_string(identifier))


def authority_key_id(identifier: bytes) -> bytes:
    """Authority key identifier with the keyIdentifier alone."""
    return extension("2.5.29.35", asn1.sequence(asn1.implicit(0, identifier)))


def subject_alt_name(
    dns: Sequence[str | bytes] = (), ips: Sequence[str | bytes] = (), other: Sequence[bytes] = ()
) -> bytes:
    """Subject alternative names: dNSNames, iPAddresses (text or raw octets), then whole GeneralNames."""
    names = [asn1.implicit(2, item.encode("utf-8") if isinstance(item, str) else item) for item in dns]
    names += [asn1.implicit(7, ip_address(item).packed if isinstance(item, str) else item) for item in ips]
    return extension("2.5.29.17", asn1.sequence(*names, *other))


def crl_distribution_points(url: str) -> bytes:
    """One distribution point with one URL."""
    uri = asn1.implicit(6, url.encode("ascii"))
    point = asn1.implicit(0, asn1.implicit(0, uri, constructed=True), constructed=True)
    return extension("2.5.29.31", asn1.sequence(asn1.sequence(point)))


def authority_info_access(ocsp: str) -> bytes:
    """Authority information access with the URL of an OCSP responder."""
    access = asn1.sequence(asn1.oid("1.3.6.1.5.5.7.48.1"), asn1.implicit(6, ocsp.encode("ascii")))
    return extension("1.3.6.1.5.5.7.1.1", asn1.sequence(access))
