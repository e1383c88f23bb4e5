"""PEM (RFC 7468) with any text around: two ways of reading that agree.

Nearly all blocks are sound certificates, and a bundle holds a million of them; these are taken apart by plain searches.
A stretch in which anything is odd, from one BEGIN CERTIFICATE line to the next, goes the careful way, which names
what is wrong. No block ends beyond the next BEGIN line, so the stretches do not depend on one another.
"""

import base64
import binascii
import re
from collections.abc import Iterator

from affidavit.evidence import der, pkcs7, values
from affidavit.evidence.der import DerError
from affidavit.evidence.item import Item, ItemKind
from affidavit.evidence.keys import PrivateKeyFound, refuse_binary, refuse_text
from affidavit.evidence.octets import Buffer

#: A line that begins or ends a PEM block, or was meant to: quoted, or with dashes or letters missing.
_MARK = re.compile(rb"^([ \t>|]*)(-{2,} ?(BEGIN|END)\b[^\n]*)", re.MULTILINE)
_SOUND = re.compile(rb"-----(?:BEGIN|END) ([A-Z0-9# ]{1,60})-----")
_MEANT = re.compile(rb"CERT|X509|CRL|PKCS7|CMS", re.IGNORECASE)
_HEADER = re.compile(rb"[A-Za-z0-9-]+:.*")
_LABELS = {
    b"CERTIFICATE": ItemKind.CERTIFICATE,
    b"X509 CERTIFICATE": ItemKind.CERTIFICATE,
    b"TRUSTED CERTIFICATE": ItemKind.CERTIFICATE,
    b"X509 CRL": ItemKind.CRL,
    b"OCSP RESPONSE": ItemKind.OCSP,
}
_PKCS7 = (b"PKCS7", b"CMS", b"PKCS #7 SIGNED DATA")
BEGIN = b"-----BEGIN CERTIFICATE-----"
_BEGIN_LINE = b"\n" + BEGIN + b"\n"
_END_LINE = b"\n-----END CERTIFICATE-----"
_KEY_WORDS = (b"PuTTY", b'"kty"')
"""Words without dashes that may tell a private key in the text between blocks."""
_JOINT = _END_LINE + _BEGIN_LINE
_WINDOW = 256 * 1024


def items(data: Buffer) -> Iterator[Item]:
    """The blocks of a text, in order, each that cannot be read with its reason. Raises PrivateKeyFound.

    ``data`` may be a memory map: it is gone through in windows.
    """
    number, faults, certificate = 1, 0, ItemKind.CERTIFICATE
    for window in _windows(data):
        # One block right behind the other, as bundles have them: what is left between two such joints is base64 alone.
        pieces = (b"\n" + window).split(_JOINT)
        last = len(pieces) - 1
        for index, piece in enumerate(pieces):
            if 0 < index < last and (content := _certificate(piece)):
                yield Item(number, certificate, content)
                number += 1
                continue
            around = (_BEGIN_LINE if index else b"") + piece + (_END_LINE + b"\n" if index < last else b"")
            for content, text in _loose(around):
                if content:
                    yield Item(number, certificate, content)
                    number += 1
                    continue
                _refuse(text, data)
                for item in _careful(text, number):
                    yield item
                    number = item.position + 1
                    faults += bool(item.fault)
                    if faults > values.MAX_FAULTS:
                        yield Item(number, ItemKind.UNKNOWN, fault=values.TOO_MANY)
                        return
    if number == 1:
        yield Item(0, ItemKind.UNKNOWN, fault="a PEM mark, but no line that begins a block")


def next_begin(data: Buffer, at: int) -> int:
    """Where the first line BEGIN CERTIFICATE at or after an offset begins; the end where there is none."""
    while at < len(data):
        window = bytes(data[max(0, at - 1) : at + _WINDOW])
        shift = max(0, at - 1)
        found = -1
        while (found := window.find(BEGIN, found + 1)) >= 0:
            if found + shift >= at and (found + shift == 0 or window[found - 1 : found] in (b"\n", b"\r")):
                return found + shift
        if at + _WINDOW >= len(data):
            break
        at += _WINDOW - len(BEGIN)
    return len(data)


def _windows(data: Buffer) -> Iterator[bytes]:
    """Stretches of about 256 KiB that begin with a BEGIN CERTIFICATE line, but for the first; line feeds alone."""
    at, size = 0, len(data)
    while at < size:
        length = _WINDOW
        while True:
            window = bytes(data[at : at + length])
            cut = len(window) if at + length >= size else _last_begin(window)
            if cut:
                break
            length *= 2
        window = window[:cut]
        at += cut
        if b"\r" in window:
            window = window.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        yield window


def _last_begin(window: bytes) -> int:
    at = len(window)
    while (at := window.rfind(BEGIN, 0, at)) > 0:
        if window[at - 1] in b"\r\n":
            return at
    return 0


def _loose(text: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The certificates of sound blocks, where text may stand between them; and the text to be looked at with care.

    The text begins with a line feed.
    """
    first, *parts = text.split(_BEGIN_LINE)
    if first.strip():
        yield b"", first[1:]
    for part in parts:
        end = part.find(_END_LINE)
        after = end + len(_END_LINE)
        content = _certificate(part[:end]) if end >= 0 and part.find(b"--", after) < 0 else b""
        if not content:
            yield b"", _BEGIN_LINE[1:] + part + b"\n"
            continue
        yield content, b""
        if any(word in part[after:] for word in _KEY_WORDS):
            yield b"", part[after:]


def _certificate(body: bytes) -> bytes:
    """The certificate that the lines of a block hold, if nothing whatever is odd about it; else nothing."""
    try:
        content = binascii.a2b_base64(body.replace(b"\n", b""), strict_mode=True)
    except binascii.Error:
        return b""
    return content if values.certificate_end(content, 0) == len(content) else b""


def _refuse(text: bytes, data: Buffer) -> None:
    """Raise PrivateKeyFound for a key in a text between sound blocks, which hold none."""
    # A JSON Web Key is told by two members, which may stand on either side of a block: then all of it is searched.
    refuse_text(data if b'"kty"' in text else text)


def _careful(text: bytes, number: int) -> Iterator[Item]:
    """The blocks of a text, numbered from a number on."""
    # Files put together whose first does not end in a newline leave two marks on one line.
    text = text.replace(b"----------BEGIN ", b"-----\n-----BEGIN ")
    after = 0  # where the last block ended
    begun = [mark for mark in _MARK.finditer(text) if mark[3] == b"BEGIN" and _counts(mark)]
    for index, begin in enumerate(begun):
        limit = begun[index + 1].start() if index + 1 < len(begun) else len(text)
        for fault in _strays(text, after, begin.start()):
            yield Item(number, ItemKind.UNKNOWN, fault=fault)
            number += 1
        found, after = _block(text, begin, limit, number)
        yield from found
        number = found[-1].position + 1
    for fault in _strays(text, after, len(text)):
        yield Item(number, ItemKind.UNKNOWN, fault=fault)
        number += 1


def _line(mark: re.Match[bytes]) -> bytes:
    return mark[2].rstrip(b" \t")


def _counts(mark: re.Match[bytes]) -> bool:
    """Whether a line is a mark, or was meant to be one for a certificate or CRL; other dashes are text."""
    line = _line(mark)
    return (not mark[1].strip() and _SOUND.fullmatch(line) is not None) or _MEANT.search(line) is not None


def _strays(text: bytes, start: int, end: int) -> Iterator[str]:
    for mark in _MARK.finditer(text, start, end):
        if mark[3] == b"END" and _counts(mark):
            yield "a PEM block ends here that has no line BEGIN"


def _block(text: bytes, begin: re.Match[bytes], limit: int, number: int) -> tuple[list[Item], int]:
    """What a BEGIN line opens, and where it ends; at the next BEGIN line at the latest."""

    def fault(reason: str, after: int) -> tuple[list[Item], int]:
        return [Item(number, ItemKind.UNKNOWN, fault=reason)], after

    sound = _SOUND.fullmatch(_line(begin))
    if sound is None or begin[1].strip():
        shown = begin[0].strip()[:80].decode("ascii", "backslashreplace")
        return fault(f"the PEM line {shown!r} is not as RFC 7468 has it", limit)
    label = sound[1]
    closing = b"-----END " + label + b"-----"
    end = text.find(closing, begin.end(), limit)
    if end < 0:
        return fault(f"the PEM block has no line END {label.decode()}", limit)
    after = end + len(closing)
    lines = (line.strip() for line in text[begin.end() : end].split(b"\n"))
    body = b"".join(b"".join(line.split()) for line in lines if not _HEADER.fullmatch(line))
    try:
        content = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        return fault(f"the PEM block is not base64: {error}", after)
    if label == b"TRUSTED CERTIFICATE":
        content = _first_value(content)
    try:
        refuse_binary(content)
    except PrivateKeyFound as error:
        raise PrivateKeyFound(f"{error} (PEM block {number}, labelled {label.decode()})") from None
    if label in _LABELS:
        kind = values.classify(content) if values.is_one_value(content) else ItemKind.UNKNOWN
        return [Item(number, kind if kind != ItemKind.UNKNOWN else _LABELS[label], content)], after
    if label in _PKCS7:
        if pkcs7.is_one(content):
            return list(pkcs7.items(content, number)), after
        return fault(f"the PEM block of {label.decode()} holds no PKCS #7 structure", after)
    return fault(f"a PEM block of {label.decode()} is no evidence that is known", after)


def _first_value(data: bytes) -> bytes:
    """The first DER value, without what OpenSSL's trusted form appends to it."""
    try:
        return der.whole(data, der.read(data, 0, len(data)))
    except DerError:
        return data
