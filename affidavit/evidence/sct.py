"""Signed certificate timestamps: read from the extension, verified under a log's key (RFC 6962)."""

import hashlib
from datetime import datetime, timedelta
from typing import NamedTuple

from affidavit.evidence import der
from affidavit.evidence.der import DerError

EPOCH = datetime(1970, 1, 1)


class Sct(NamedTuple):
    """One SCT (RFC 6962 3.2): version (0 is v1), log ID in hex, time, extensions and the log's signature.

    ``timestamp`` is None where it lies outside the calendar; ``milliseconds`` is what the log signed.
    """

    version: int
    log_id: str
    milliseconds: int
    timestamp: datetime | None
    extensions: bytes
    hash_algorithm: int
    signature_algorithm: int
    signature: bytes

    @property
    def leaf_index(self) -> int | None:
        """The entry's place in a log that serves tiles (Static CT API, "SCT Extension"); None where it is not told."""
        at, told = 0, self.extensions
        while at + 3 <= len(told):
            size = int.from_bytes(told[at + 1 : at + 3], "big")
            if told[at] == 0:
                return int.from_bytes(told[at + 3 : at + 8], "big") if size == 5 and at + 8 <= len(told) else None
            at += 3 + size
        return None


def milliseconds_time(milliseconds: int) -> datetime | None:
    """A log's time, milliseconds since 1970 (RFC 6962 3.2), as naive UTC; None where it lies outside the calendar."""
    try:
        return EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return None


def sct_list(value: bytes) -> list[Sct]:
    """The SCTs of the extension's value: an OCTET STRING around a TLS list (RFC 6962 3.3)."""
    octets = der.expect(value, 0, len(value), der.OCTET_STRING, "SCT list")
    if octets.end != len(value):
        raise DerError("octets follow the SCT list")
    inner = der.content(value, octets)
    if len(inner) < 2 or int.from_bytes(inner[:2], "big") != len(inner) - 2:
        raise DerError("the SCT list's length does not fit")
    found = []
    at = 2
    while at < len(inner):
        size = int.from_bytes(inner[at : at + 2], "big")
        body = inner[at + 2 : at + 2 + size]
        if len(body) != size or not size:
            raise DerError("an SCT that is cut short")
        found.append(_sct(body))
        at += 2 + size
    return found


def _sct(body: bytes) -> Sct:
    if len(body) < 47:
        raise DerError(f"an SCT of {len(body)} octets")
    extension_end = 43 + int.from_bytes(body[41:43], "big")
    head = body[extension_end : extension_end + 4]
    if len(head) != 4:
        raise DerError("an SCT that is cut short")
    signature = body[extension_end + 4 :]
    if int.from_bytes(head[2:], "big") != len(signature):
        raise DerError("an SCT whose signature's length does not fit")
    milliseconds = int.from_bytes(body[33:41], "big")
    timestamp = milliseconds_time(milliseconds)
    return Sct(body[0], body[1:33].hex(), milliseconds, timestamp, body[43:extension_end], head[0], head[1], signature)


def signed_bytes(sct: Sct, issuer_spki: bytes, precert_tbs: bytes) -> bytes:
    """What a log signed for a precertificate entry (RFC 6962 3.2)."""
    return (
        bytes([0, 0])
        + sct.milliseconds.to_bytes(8, "big")
        + (1).to_bytes(2, "big")
        + hashlib.sha256(issuer_spki).digest()
        + len(precert_tbs).to_bytes(3, "big")
        + precert_tbs
        + len(sct.extensions).to_bytes(2, "big")
        + sct.extensions
    )
