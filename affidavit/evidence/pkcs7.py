"""The certificates, CRLs and OCSP responses of a PKCS #7 or CMS SignedData (RFC 5652 5.1), in DER or BER.

Files of this form carry certificates in ``certificates`` and ``crls`` and nothing signed. Programs write them with
indefinite lengths (X.690 8.1.3.6), too; the values inside stay as they stand.
"""

from collections.abc import Iterator

from affidavit.evidence.ber import Value, children, read
from affidavit.evidence.der import INTEGER, OID, SEQUENCE, SET, DerError
from affidavit.evidence.item import Item, ItemKind
from affidavit.evidence.octets import Buffer

_SIGNED = bytes.fromhex("06092a864886f70d010702")
_CONTENT_TYPES = bytes.fromhex("06092a864886f70d0107")
_TYPES = {1: "data", 3: "envelopedData", 4: "signedAndEnvelopedData", 5: "digestedData", 6: "encryptedData"}
_OCSP = bytes.fromhex("06082b06010505071002")  # id-ri-ocsp-response, RFC 5940 2.1


def is_one(data: Buffer) -> bool:
    """Whether the octets begin as a ContentInfo of PKCS #7 does, whatever its type."""
    at = _after_header(data)
    return bool(at) and bytes(data[at : at + 10]) == _CONTENT_TYPES


def end(data: Buffer, at: int) -> int:
    """Where a value ends whose length may be indefinite. DerError."""
    return read(data, at, len(data)).end


def items(data: bytes, first: int = 1) -> Iterator[Item]:
    """Each certificate, CRL and OCSP response with its number; faults for what is none, or for the whole."""
    number = first
    at = _after_header(data)
    if data[at : at + 11] != _SIGNED:
        kind = _TYPES.get(data[at + 10] if at + 10 < len(data) else 0, "an unknown type")
        yield Item(first, ItemKind.UNKNOWN, fault=f"PKCS #7 of {kind} holds no certificates that can be read")
        return
    try:
        for kind, value, fault in _inside(data):
            yield Item(number, kind, value, fault)
            number += 1
        if number == first:
            yield Item(first, ItemKind.UNKNOWN, fault="the PKCS #7 structure holds neither a certificate nor a CRL")
    except DerError as error:
        yield Item(number, ItemKind.UNKNOWN, fault=f"the PKCS #7 structure cannot be read: {error}")


def _after_header(data: Buffer) -> int:
    """Where the content of the outer SEQUENCE begins; 0 where there is none."""
    if len(data) < 4 or data[0] != SEQUENCE:
        return 0
    return 2 + (data[1] & 0x7F if data[1] > 0x80 else 0)


def _inside(data: bytes) -> Iterator[tuple[ItemKind, bytes, str]]:
    outer = read(data, 0, len(data))
    content = children(data, outer)
    if len(content) != 2 or content[1].tag != 0xA0:
        raise DerError("its content is missing")
    (signed,) = children(data, content[1])[:1] or [content[1]]
    fields = children(data, signed)
    if [one.tag for one in fields[:3]] != [INTEGER, SET, SEQUENCE]:
        raise DerError(f"no SignedData at octet {signed.start}")
    for group in fields[3:]:
        if group.tag in (0xA0, 0xA1):
            for value in children(data, group):
                yield _choice(data, group.tag, value)
    if fields[-1].tag != SET:
        raise DerError("it ends before its signerInfos")


def _choice(data: bytes, group: int, value: Value) -> tuple[ItemKind, bytes, str]:
    """CertificateChoices and RevocationInfoChoice (RFC 5652 10.2.1 and 10.2.2)."""
    if value.tag == SEQUENCE:
        return (ItemKind.CERTIFICATE if group == 0xA0 else ItemKind.CRL), data[value.start : value.end], ""
    if group == 0xA1 and value.tag == 0xA1:
        parts = children(data, value)
        if len(parts) == 2 and parts[0].tag == OID and data[parts[0].start : parts[0].end] == _OCSP:
            return ItemKind.OCSP, data[parts[1].start : parts[1].end], ""
        return ItemKind.UNKNOWN, b"", "revocation information of another format in the PKCS #7 structure"
    names = {0xA0: "a PKCS #6 extended certificate", 0xA1: "an attribute certificate", 0xA2: "an attribute certificate"}
    named = names.get(value.tag, f"a value with tag {value.tag:02x}")
    return ItemKind.UNKNOWN, b"", f"{named} in the PKCS #7 structure is no evidence that is known"
