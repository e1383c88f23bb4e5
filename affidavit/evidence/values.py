"""DER values that stand alone, one after another or in a PEM block, told by their outline."""

import re
import struct
from collections.abc import Iterator
from typing import cast

from affidavit.evidence import ber, der, pkcs7
from affidavit.evidence.der import DerError
from affidavit.evidence.item import Item, ItemKind
from affidavit.evidence.keys import refuse_binary
from affidavit.evidence.octets import Buffer

__all__ = ["certificate_end", "classify", "concatenated", "is_one_value", "value"]

_CERTIFICATE = struct.Struct(">HHHH5s")
_VERSION = b"\xa0\x03\x02\x01\x02"
#: Where a certificate with a version, or a CRL, may begin again after octets that cannot be read.
_AGAIN = re.compile(
    rb"\x30(?:\x82..|\x81.|[\x20-\x7f])\x30(?:\x82..|\x81.|[\x20-\x7f])(?:\xa0\x03\x02\x01|\x02\x01\x01\x30)",
    re.DOTALL,
)
MAX_FAULTS = 10_000
TOO_MANY = f"more than {MAX_FAULTS:,} things that cannot be read; the rest was not looked at"


def certificate_end(data: Buffer, at: int) -> int:
    """Where the value at an offset ends if it has, octet for octet, the outline of a usual v3 certificate; else -1.

    A quick look that says yes only where :func:`classify` would say ``certificate``.
    """
    try:
        outer, length, inner, tbs, version = _CERTIFICATE.unpack_from(data, at)
        end: int = at + 4 + length
        algorithm: int = at + 8 + tbs
        if outer != 0x3082 or inner != 0x3082 or version != _VERSION or end > len(data):
            return -1
        signature = algorithm + 2 + data[algorithm + 1]
        if data[algorithm] != 0x30 or data[algorithm + 1] >= 0x80 or data[signature] != 0x03:
            return -1
        octets = data[signature + 1]
    except (IndexError, ValueError, struct.error):
        return -1
    if octets < 0x80:
        return end if signature + 2 + octets == end else -1
    if octets == 0x81:
        return end if signature + 3 + data[signature + 2] == end else -1
    if octets == 0x82:
        return end if signature + 4 + (data[signature + 2] << 8 | data[signature + 3]) == end else -1
    return -1


def is_one_value(data: Buffer) -> bool:
    """Whether the octets are one DER SEQUENCE and nothing else."""
    try:
        return len(data) > 1 and data[0] == der.SEQUENCE and der.read(cast(bytes, data), 0, len(data)).end == len(data)
    except DerError:
        return False


def concatenated(data: Buffer, first: int = 1) -> Iterator[Item]:
    """The values that stand one after another, numbered from ``first``; what cannot be read with its reason.

    Where a value is damaged, reading goes on at the next place that has the outline of a certificate or CRL.
    """
    at, number, size, faults = 0, first, len(data), 0
    while at < size:
        if faults > MAX_FAULTS:
            yield Item(number, ItemKind.UNKNOWN, fault=TOO_MANY)
            return
        end = certificate_end(data, at)
        if end > 0:
            yield Item(number, ItemKind.CERTIFICATE, bytes(data[at:end]))
            number += 1
            at = end
            continue
        try:
            if at + 1 < size and data[at + 1] == 0x80:
                end = pkcs7.end(data, at)
            else:
                end = der.read(cast(bytes, data), at, size).end
                if data[at] != der.SEQUENCE:
                    raise DerError(f"tag {data[at]:02x} at octet {at} where 30 belongs")
        except DerError as error:
            after = _next(data, at + 1)
            rest = bytes(data[at:after])
            refuse_binary(rest)
            yield _unreadable(rest, number, at, after < size, str(error))
            faults += 1
            number += 1
            at = after
            continue
        for item in value(bytes(data[at:end]), number):
            yield item
            number = item.position + 1
            faults += bool(item.fault)
        at = end


def value(data: bytes, number: int = 1) -> Iterator[Item]:
    """What one value is; the certificates and CRLs of a PKCS #7 structure take a number each. PrivateKeyFound."""
    refuse_binary(data)
    if pkcs7.is_one(data):
        yield from pkcs7.items(data, number)
        return
    kind = classify(data)
    yield Item(number, kind, data, "" if kind != ItemKind.UNKNOWN else why_unknown(data))


def classify(data: bytes) -> ItemKind:
    """``certificate``, ``crl``, ``ocsp`` or ``unknown``, by the outline of a DER (or BER) value."""
    if data[1:2] == b"\x80":
        data = ber.readable(data)
    try:
        outer = der.read(data, 0, len(data))
        parts = der.children(data, outer)
    except DerError:
        return ItemKind.CERTIFICATE if _looks_cut(data) else ItemKind.UNKNOWN
    tags = [part.tag for part in parts]
    if outer.tag != der.SEQUENCE:
        return ItemKind.UNKNOWN
    if tags in ([der.ENUMERATED], [der.ENUMERATED, 0xA0]):  # OCSPResponse, RFC 6960 4.2.1
        return ItemKind.OCSP
    if tags != [der.SEQUENCE, der.SEQUENCE, der.BIT_STRING]:
        return ItemKind.UNKNOWN
    try:
        inside = [one.tag for one in der.children(data, parts[0])[:5]]
    except DerError:
        return ItemKind.CERTIFICATE
    if _is_request(inside) or _is_basic_response(inside):
        return ItemKind.UNKNOWN
    if inside and inside[0] == der.INTEGER and inside[1:4] != [der.SEQUENCE, der.SEQUENCE, der.SEQUENCE]:
        del inside[0]
    if inside[:2] == [der.SEQUENCE, der.SEQUENCE] and inside[2:3] in ([der.UTC_TIME], [der.GENERALIZED_TIME]):
        return ItemKind.CRL
    return ItemKind.CERTIFICATE


def why_unknown(data: bytes) -> str:
    """Why a value is neither of the things that are known."""
    try:
        outer = der.read(data, 0, len(data))
        parts = der.children(data, outer)
    except DerError as error:
        return f"the DER value cannot be read: {error}"
    try:
        inside = [one.tag for one in der.children(data, parts[0])[:5]] if parts else []
    except DerError:
        inside = []
    if len(parts) == 3 and _is_request(inside):
        return "a certificate request (PKCS #10): neither a certificate nor a CRL"
    if len(parts) >= 3 and _is_basic_response(inside):
        return "a BasicOCSPResponse without the OCSPResponse round it (RFC 6960 4.2.1); hand in the whole answer"
    return "a DER value that is neither a certificate nor a CRL, an OCSP response or PKCS #7"


def _is_request(inside: list[int]) -> bool:
    """CertificationRequestInfo (RFC 2986 4.1): version, subject, key, attributes."""
    return inside in ([der.INTEGER, der.SEQUENCE, der.SEQUENCE, 0xA0], [der.INTEGER, der.SEQUENCE, der.SEQUENCE])


def _is_basic_response(inside: list[int]) -> bool:
    """ResponseData (RFC 6960 4.2.1): the responder, by name or by key, and a time."""
    return inside[:1] in ([0xA1], [0xA2]) and inside[1:2] == [der.GENERALIZED_TIME]


def _next(data: Buffer, at: int) -> int:
    """Where the next certificate or CRL seems to begin; the end of the data where none does."""
    for found in _AGAIN.finditer(data, at):
        if _has_outline(cast(bytes, data), found.start()):
            return found.start()
    return len(data)


def _has_outline(data: bytes, at: int) -> bool:
    """Whether a value begins that is made of SEQUENCE, SEQUENCE and BIT STRING; no more of it is looked at."""
    try:
        outer = der.read(data, at, len(data))
        signed = der.read(data, outer.content, outer.end)
        algorithm = der.read(data, signed.end, outer.end)
        signature = der.read(data, algorithm.end, outer.end)
    except DerError:
        return False
    tags = [signed.tag, algorithm.tag, signature.tag]
    return tags == [der.SEQUENCE, der.SEQUENCE, der.BIT_STRING] and signature.end == outer.end


def _unreadable(rest: bytes, number: int, at: int, more: bool, reason: str) -> Item:
    if not more and _looks_cut(rest):
        return Item(number, ItemKind.CERTIFICATE, rest)  # its reader says how it is cut short
    if number == 1 and not more:
        return Item(number, ItemKind.UNKNOWN, rest, f"the DER value cannot be read: {reason}")
    fault = f"{len(rest):,} octets follow at octet {at:,} that are no DER value: {reason}"
    return Item(number, ItemKind.UNKNOWN, fault=fault)


def _looks_cut(data: bytes) -> bool:
    """Whether octets begin as a certificate or CRL does: SEQUENCE in SEQUENCE."""
    if len(data) < 3 or data[0] != der.SEQUENCE:
        return False
    inner = 2 + (data[1] & 0x7F if data[1] > 0x80 else 0)
    return data[inner : inner + 1] == bytes([der.SEQUENCE])
