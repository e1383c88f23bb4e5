"""What a file of evidence holds, told from its content and never from its name."""

import base64
import binascii
import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

from affidavit.evidence import der
from affidavit.evidence.der import DerError
from affidavit.evidence.keys import PrivateKeyFound, refuse_binary, refuse_text

__all__ = ["Item", "PrivateKeyFound", "classify", "items"]

#: A line that begins or ends a PEM block, or was meant to: quoted, or with dashes or letters missing.
_MARK = re.compile(rb"^([ \t>|]*)(-{2,} ?(BEGIN|END)\b[^\n]*?)[ \t]*$", re.MULTILINE)
_SOUND = re.compile(rb"-----(?:BEGIN|END) ([A-Z0-9 ]{1,60})-----")
_MEANT = re.compile(rb"CERT|X509|CRL|PKCS7|CMS", re.IGNORECASE)
_HEADER = re.compile(rb"[A-Za-z0-9-]+:.*")
_LABELS = {
    b"CERTIFICATE": "certificate",
    b"X509 CERTIFICATE": "certificate",
    b"TRUSTED CERTIFICATE": "certificate",
    b"X509 CRL": "crl",
}


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
        return
    refuse_binary(data)
    if _is_one_value(data):
        yield _der(data)
        return
    text = _as_text(data)
    refuse_text(text)
    if b"-BEGIN " in text or b"-END " in text:
        yield from _pem(text)
    elif data[:1] == b"\x30":
        yield _der(data)
    else:
        yield Item(0, "unknown", fault="neither PEM nor DER: no certificate and no CRL was recognised")


def _is_one_value(data: bytes) -> bool:
    """Whether the bytes are one DER SEQUENCE and nothing else (a text may begin with ``0``, which is 30 hex)."""
    try:
        return data[:1] == b"\x30" and der.read(data, 0, len(data)).end == len(data)
    except DerError:
        return False


def _as_text(data: bytes) -> bytes:
    """A text's bytes with line feeds alone and no byte order mark; UTF-16 with such a mark becomes UTF-8."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        data = data.decode("utf-16", "replace").encode("utf-8")
    data = data.removeprefix(codecs.BOM_UTF8)
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in data else data


def _der(data: bytes) -> Item:
    kind = classify(data)
    return Item(1, kind, data, "" if kind != "unknown" else _why_unknown(data))


def _pem(text: bytes) -> Iterator[Item]:
    # Files put together whose first does not end in a newline leave two marks on one line.
    text = text.replace(b"----------BEGIN ", b"-----\n-----BEGIN ")
    number = 0
    after = 0  # where the last block ended
    begun = [mark for mark in _MARK.finditer(text) if mark[3] == b"BEGIN" and _counts(mark)]
    for index, begin in enumerate(begun):
        limit = begun[index + 1].start() if index + 1 < len(begun) else len(text)
        for fault in _strays(text, after, begin.start()):
            number += 1
            yield Item(number, "unknown", fault=fault)
        number += 1
        item, after = _block(text, begin, limit, number)
        yield item
    for fault in _strays(text, after, len(text)):
        number += 1
        yield Item(number, "unknown", fault=fault)
    if not number:
        yield Item(0, "unknown", fault="a PEM mark, but no line that begins a block")


def _counts(mark: re.Match[bytes]) -> bool:
    """Whether a line is a mark, or was meant to be one for a certificate or CRL; other dashes are text."""
    return (not mark[1].strip() and _SOUND.fullmatch(mark[2]) is not None) or _MEANT.search(mark[2]) is not None


def _strays(text: bytes, start: int, end: int) -> Iterator[str]:
    for mark in _MARK.finditer(text, start, end):
        if mark[3] == b"END" and _counts(mark):
            yield "a PEM block ends here that has no line BEGIN"


def _block(text: bytes, begin: re.Match[bytes], limit: int, number: int) -> tuple[Item, int]:
    """The block that a BEGIN line opens, and where it ends; at the next BEGIN line at the latest."""
    sound = _SOUND.fullmatch(begin[2])
    if sound is None or begin[1].strip():
        shown = begin[0].strip()[:80].decode("ascii", "backslashreplace")
        return Item(number, "unknown", fault=f"the PEM line {shown!r} is not as RFC 7468 has it"), limit
    label = sound[1]
    closing = b"-----END " + label + b"-----"
    end = text.find(closing, begin.end(), limit)
    if end < 0:
        return Item(number, "unknown", fault=f"the PEM block has no line END {label.decode()}"), limit
    after = end + len(closing)
    lines = (line.strip() for line in text[begin.end() : end].split(b"\n"))
    body = b"".join(b"".join(line.split()) for line in lines if not _HEADER.fullmatch(line))
    try:
        content = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        return Item(number, "unknown", fault=f"the PEM block is not base64: {error}"), after
    if label == b"TRUSTED CERTIFICATE":
        content = _first_value(content)
    try:
        refuse_binary(content)
    except PrivateKeyFound as error:
        raise PrivateKeyFound(f"{error} (PEM block {number}, labelled {label.decode()})") from None
    if label in _LABELS:
        kind = classify(content) if _is_one_value(content) else "unknown"
        return Item(number, kind if kind != "unknown" else _LABELS[label], content), after
    if label in (b"PKCS7", b"CMS"):
        fault = f"{label.decode()} is not read yet; export the certificates as PEM"
    else:
        fault = f"a PEM block of {label.decode()} is no evidence that is known"
    return Item(number, "unknown", fault=fault), after


def _first_value(data: bytes) -> bytes:
    """The first DER value, without what OpenSSL's trusted form appends to it."""
    try:
        return der.whole(data, der.read(data, 0, len(data)))
    except DerError:
        return data


def classify(data: bytes) -> str:
    """``certificate``, ``crl`` or ``unknown``, by the outline of a DER value."""
    try:
        outer = der.read(data, 0, len(data))
        parts = der.children(data, outer)
    except DerError:
        return "certificate" if _looks_cut(data) else "unknown"
    if outer.tag != der.SEQUENCE or [part.tag for part in parts] != [der.SEQUENCE, der.SEQUENCE, der.BIT_STRING]:
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
    if len(data) < 3 or data[0] != der.SEQUENCE:
        return False
    inner = 2 + (data[1] & 0x7F if data[1] > 0x80 else 0)
    return data[inner : inner + 1] == bytes([der.SEQUENCE])


def _why_unknown(data: bytes) -> str:
    try:
        outer = der.read(data, 0, len(data))
        der.children(data, outer)
    except DerError as error:
        return f"the DER value cannot be read: {error}"
    return "a DER value that is neither a certificate nor a CRL"
