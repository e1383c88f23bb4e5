"""Private keys told by their content, whatever their label, so that none is published.

A key that is cut short, or wrapped in BER, is still a key: only the first octets of the values are looked at.
"""

import base64
import re

from affidavit.evidence import der
from affidavit.evidence.octets import Buffer, windows

#: Keys that are told by text: PEM labels, SSH.com and PuTTY keys; JSON Web Keys have a member ``d``.
_TEXT = re.compile(
    rb"-----BEGIN [^\r\n-]{0,60}PRIVATE KEY|---- BEGIN SSH2 ENCRYPTED PRIVATE KEY|^PuTTY-User-Key-File-", re.MULTILINE
)
_JWK_TYPE = re.compile(rb'"kty"\s*:\s*"(?:RSA|EC|OKP|oct)"')
_JWK_SECRET = re.compile(rb'"[dk]"\s*:\s*"')
#: The base64 of what begins as a DER SEQUENCE does: a string, a cell of a table, or a line.
_BASE64 = (
    re.compile(rb'"(M[A-P][A-Za-z0-9+/]{38,58})'),
    re.compile(rb",(M[A-P][A-Za-z0-9+/]{38,58})"),
    re.compile(rb"^[ \t>|]{0,8}(M[A-P][A-Za-z0-9+/]{38,58})", re.MULTILINE),
)
#: Algorithms that encrypt by a password: 1.2.840.113549.1.5 (PKCS #5) and 1.2.840.113549.1.12.1 (PKCS #12).
_BY_PASSWORD = (bytes.fromhex("2a864886f70d0105"), bytes.fromhex("2a864886f70d010c01"))
_MAX_VALUES = 10_000
_OVERLAP = 256


class PrivateKeyFound(ValueError):
    """The file holds a private key, which must not be published."""


def refuse_text(data: Buffer) -> None:
    """Raise PrivateKeyFound where a text holds a private key in one of the forms that begin with words."""
    web_key = False
    for window in windows(data, overlap=_OVERLAP):
        # Plain searches first: a regular expression over a large bundle would cost more than reading it.
        if b"PRIVATE KEY" in window or b"PuTTY-User-Key-File-" in window:
            found = _TEXT.search(window)
            if found:
                words = found[0].strip(b"- ").removeprefix(b"BEGIN ").decode("ascii", "replace")
                raise PrivateKeyFound(f"a private key ({words})")
        web_key = web_key or b'"kty"' in window
    if web_key and _JWK_TYPE.search(data) and _JWK_SECRET.search(data):
        raise PrivateKeyFound("a private key (JSON Web Key)")


def refuse_base64(data: Buffer) -> None:
    """Raise PrivateKeyFound where a text holds the base64 of a DER private key without PEM lines round it."""
    for pattern in _BASE64:
        for found in pattern.finditer(data):
            begins = found[1][: len(found[1]) // 4 * 4]
            if reason := _key_at(base64.b64decode(begins), 0):
                raise PrivateKeyFound(f"{reason}, in base64")


def refuse_binary(data: bytes) -> None:
    """Raise PrivateKeyFound where one of the values that stand one after another is, or may hold, a private key."""
    if data.startswith(b"openssh-key-v1\0"):
        raise PrivateKeyFound("a private key (OpenSSH)")
    if data[:4] in (b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce"):
        raise PrivateKeyFound("a Java key store, which may hold a private key")
    at = 0
    for _ in range(_MAX_VALUES):
        if found := _key_at(data, at):
            raise PrivateKeyFound(found)
        head = _head(data, at)
        if head is None or head[2] is None or head[2] >= len(data):
            return
        at = head[2]


def _head(data: bytes, at: int) -> tuple[int, int, int | None] | None:
    """Tag, content and end of a value whose end may lie beyond the data; end None for an indefinite length."""
    if at + 2 > len(data):
        return None
    tag, length, content = data[at], data[at + 1], at + 2
    if length == 0x80:
        return tag, content, None
    if length > 0x80:
        octets = length & 0x7F
        length = int.from_bytes(data[content : content + octets], "big")
        content += octets
    return tag, content, content + length


def _key_at(data: bytes, at: int) -> str:
    """What private key begins at an offset; empty where none does."""
    outer = _head(data, at)
    if outer is None or outer[0] != der.SEQUENCE:
        return ""
    limit = len(data) if outer[2] is None else min(outer[2], len(data))
    cut = outer[2] is None or outer[2] > len(data)
    inside: list[tuple[int, int, int]] = []
    at = outer[1]
    while at < limit and len(inside) < 12:
        head = _head(data, at)
        if head is None:
            break
        inside.append((head[0], head[1], limit if head[2] is None else head[2]))
        at = inside[-1][2]
    tags = [tag for tag, _, _ in inside]
    if tags[:1] == [der.INTEGER]:
        return _versioned(tags, int.from_bytes(data[inside[0][1] : inside[0][2]][:8], "big"), cut)
    # EncryptedPrivateKeyInfo (RFC 5208 6): an algorithm, which begins with an OID, and octets.
    if tags == [der.SEQUENCE, der.OCTET_STRING] and data[inside[0][1] : inside[0][1] + 1] == bytes([der.OID]):
        return "an encrypted private key (PKCS #8)"
    if cut and tags == [der.SEQUENCE] and data[inside[0][1] + 2 : inside[0][1] + 11].startswith(_BY_PASSWORD):
        return "an encrypted private key (PKCS #8)"
    return ""


def _versioned(tags: list[int], version: int, cut: bool) -> str:
    """The key form of a SEQUENCE that begins with a version number."""
    if version in (0, 1):
        if tags[1:3] == [der.SEQUENCE, der.OCTET_STRING] or (cut and tags[1:] == [der.SEQUENCE]):
            return "a private key (PKCS #8)"
        if tags == [der.INTEGER] * 6 and version == 0 and not cut:
            return "a private key (DSA)"
        if tags[:3] == [der.INTEGER] * 3 or (cut and version == 0 and tags[1:] == [der.INTEGER]):
            return "a private key (RSA)"
    if version == 1 and tags[1:2] == [der.OCTET_STRING]:
        return "a private key (EC)"
    if version == 3 and tags[1:2] == [der.SEQUENCE]:
        return "a PKCS #12 file, which may hold a private key"
    return ""
