"""What a file of evidence holds, told from its content and never from its name."""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

from affidavit.evidence import der
from affidavit.evidence.der import DerError

MAX_ITEMS = 5_000_000
_BEGIN = re.compile(rb"^-----BEGIN ([A-Z0-9 ]{1,60})-----[ \t]*\r?$", re.MULTILINE)
_HEADER = re.compile(rb"^[A-Za-z0-9-]+:.*$")
_CERTIFICATES = (b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE")


class PrivateKeyFound(ValueError):
    """The file holds a private key, which must not be published."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing in a file: its number from 1, what it is, and its DER; or the reason why it cannot be read."""

    position: int
    kind: str
    data: bytes = b""
    fault: str = ""


def items(data: bytes) -> Iterator[Item]:
    """The certificates and CRLs in a file's bytes, in order; each that cannot be read with its reason.

    Raises PrivateKeyFound. PEM (RFC 7468) with any text around, or one DER value.
    """
    if not data.strip():
        yield Item(0, "nothing", fault="the file is empty")
    elif b"-----BEGIN " in data:
        yield from _pem(data)
    elif data[:1] == b"\x30":
        kind = classify(data)
        yield Item(1, kind, data, "" if kind != "unknown" else _why_unknown(data))
    else:
        yield Item(0, "unknown", fault="neither PEM nor DER: no certificate and no CRL was recognised")


def _pem(data: bytes) -> Iterator[Item]:
    begins = list(_BEGIN.finditer(data))
    if not begins:
        yield Item(0, "unknown", fault="a PEM begin line that is cut short")
        return
    for number, begin in enumerate(begins, 1):
        label = begin[1]
        if b"PRIVATE KEY" in label:
            raise PrivateKeyFound(f"a private key (PEM block {number})")
        limit = begins[number].start() if number < len(begins) else len(data)
        end = data.find(b"-----END " + label + b"-----", begin.end(), limit)
        if end < 0:
            yield Item(number, "unknown", fault=f"the PEM block has no line END {label.decode()}")
            continue
        lines = data[begin.end() : end].split(b"\n")
        body = b"".join(line for line in lines if not _HEADER.match(line.strip()))
        try:
            content = base64.b64decode(b"".join(body.split()), validate=True)
        except (binascii.Error, ValueError) as error:
            yield Item(number, "unknown", fault=f"the PEM block is not base64: {error}")
            continue
        if label in _CERTIFICATES:
            if label == b"TRUSTED CERTIFICATE":
                content = _first_value(content)
            kind = classify(content)
            if kind == "private key":
                raise PrivateKeyFound(f"a private key (PEM block {number}, labelled as a certificate)")
            yield Item(number, "certificate", content)
        elif label == b"X509 CRL":
            yield Item(number, "crl", content)
        elif label in (b"PKCS7", b"CMS"):
            yield Item(number, "unknown", fault=f"{label.decode()} is not read yet; export the certificates as PEM")
        else:
            yield Item(number, "unknown", fault=f"a PEM block of {label.decode()} is no evidence that is known")


def _first_value(data: bytes) -> bytes:
    """The first DER value, without what OpenSSL's trusted form appends to it."""
    try:
        return der.whole(data, der.read(data, 0, len(data)))
    except DerError:
        return data


def classify(data: bytes) -> str:
    """``certificate``, ``crl``, ``private key`` or ``unknown``, by the outline of a DER value.

    Raises PrivateKeyFound for private keys and for PKCS #12 files, which hold them.
    """
    try:
        outer = der.read(data, 0, len(data))
        parts = der.children(data, outer)
    except DerError:
        return "certificate" if _looks_cut(data) else "unknown"
    tags = [part.tag for part in parts]
    if outer.tag != der.SEQUENCE or not parts:
        return "unknown"
    if tags[0] == der.INTEGER:
        version = int.from_bytes(der.content(data, parts[0])[:8], "big")
        if tags[:3] == [der.INTEGER, der.SEQUENCE, der.OCTET_STRING] and version in (0, 1):
            raise PrivateKeyFound("a private key (PKCS #8)")
        if len(tags) >= 9 and set(tags) <= {der.INTEGER, der.SEQUENCE} and version in (0, 1):
            raise PrivateKeyFound("a private key (RSA)")
        if tags[:2] == [der.INTEGER, der.OCTET_STRING] and version == 1:
            raise PrivateKeyFound("a private key (EC)")
        if version == 3 and tags[:2] == [der.INTEGER, der.SEQUENCE]:
            raise PrivateKeyFound("a PKCS #12 file, which may hold a private key")
        if tags == [der.INTEGER] * 6 and version == 0:
            raise PrivateKeyFound("a private key (DSA)")
        return "unknown"
    if tags == [der.SEQUENCE, der.OCTET_STRING]:
        raise PrivateKeyFound("an encrypted private key (PKCS #8)")
    if tags != [der.SEQUENCE, der.SEQUENCE, der.BIT_STRING]:
        return "unknown"
    try:
        inside = [one.tag for one in der.children(data, parts[0])[:5]]
    except DerError:
        return "certificate"
    if inside and inside[0] == der.INTEGER and inside[1:4] != [der.SEQUENCE, der.SEQUENCE, der.SEQUENCE]:
        del inside[0]
    if inside[:2] == [der.SEQUENCE, der.SEQUENCE] and inside[2:3] in ([der.UTC_TIME], [der.GENERALIZED_TIME]):
        return "crl"
    return "certificate"


def _looks_cut(data: bytes) -> bool:
    """Whether a file begins as a certificate or CRL does: SEQUENCE in SEQUENCE."""
    return len(data) > 8 and data[0] == 0x30 and data[2 + (data[1] & 0x7F if data[1] > 0x80 else 0)] == 0x30


def _why_unknown(data: bytes) -> str:
    try:
        outer = der.read(data, 0, len(data))
        der.children(data, outer)
    except DerError as error:
        return f"the DER value cannot be read: {error}"
    return "a DER value that is neither a certificate nor a CRL"
