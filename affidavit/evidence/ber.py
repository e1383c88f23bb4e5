"""BER as far as evidence comes in it (X.690 8): values of indefinite length, and strings in pieces.

A certificate is signed over its octets as they stand, so nothing that is made here is ever hashed, verified or cut in
their place: definite lengths are written in order that the values can be *read* by the reader of DER.
"""

from typing import NamedTuple, cast

from affidavit.evidence import der
from affidavit.evidence.der import DerError
from affidavit.evidence.octets import Buffer

MAX_DEPTH = 32
MAX_VALUES = 1_000_000
_BITS, _CONSTRUCTED = 0x03, 0x20
#: Universal types whose values may be written in pieces (X.690 8.6.2, 8.7.3, 8.23.6): strings, and times, which are.
_STRINGS = frozenset((0x03, 0x04, 0x0C, 0x12, 0x13, 0x14, 0x16, 0x17, 0x18, 0x1A, 0x1B, 0x1C, 0x1E))


class Value(NamedTuple):
    """A value whose length may be indefinite: ``content_end`` is where its content ends, ``end`` where it does."""

    tag: int
    start: int
    content: int
    content_end: int
    end: int


def read(data: Buffer, at: int, limit: int, depth: int = 0) -> Value:
    """The value at an offset, its length definite or not. DerError."""
    if at + 2 > limit:
        raise DerError(f"ends early at octet {at}")
    tag, length, content = data[at], data[at + 1], at + 2
    if tag & 0x1F == 0x1F:
        raise DerError(f"a tag of several octets at octet {at}")
    if length == 0x80:
        if not tag & _CONSTRUCTED or depth >= MAX_DEPTH:
            raise DerError(f"an indefinite length at octet {at} that is not allowed there")
        return _indefinite(data, at, limit, depth)
    if length > 0x80:
        octets = length & 0x7F
        if octets > 8 or content + octets > limit:
            raise DerError(f"a length of {octets} octets at octet {at}")
        length = int.from_bytes(cast(bytes, data[content : content + octets]), "big")
        content += octets
    if content + length > limit:
        raise DerError(f"truncated: the value at octet {at} ends at {content + length:,}, the data at {limit:,}")
    return Value(tag, at, content, content + length, content + length)


def _indefinite(data: Buffer, start: int, limit: int, depth: int) -> Value:
    at = start + 2
    for _ in range(MAX_VALUES):
        if at + 2 <= limit and data[at] == 0 and data[at + 1] == 0:
            return Value(data[start], start, start + 2, at, at + 2)
        at = read(data, at, limit, depth + 1).end
    raise DerError(f"more than {MAX_VALUES:,} values inside the one at octet {start}")


def children(data: bytes, parent: Value) -> list[Value]:
    """The values inside a constructed one."""
    found = []
    at = parent.content
    while at < parent.content_end:
        found.append(read(data, at, parent.content_end))
        at = found[-1].end
        if len(found) > MAX_VALUES:
            raise DerError(f"more than {MAX_VALUES:,} values inside the one at octet {parent.start}")
    return found


def first_inside(data: bytes) -> bytes:
    """The first value inside the one that some octets are, as it stands. DerError."""
    outer = read(data, 0, len(data))
    inner = read(data, outer.content, outer.content_end)
    return data[inner.start : inner.end]


def definite(data: bytes) -> bytes:
    """One value with definite lengths in place of indefinite ones, and strings in one piece in place of several.

    What is of neither form stays octet for octet, so that octets of DER come back as they are. What is inside an OCTET
    STRING is not looked at. DerError where the octets are not one value, or one of too many parts or too deep.
    """
    walk = _Walk(data)
    found, end = walk.value(0, len(data), 0)
    if end != len(data):
        raise DerError(f"{len(data) - end:,} octets follow the value")
    return found


def readable(data: bytes) -> bytes:
    """What `definite` makes of some octets; the octets themselves where they are no value that it reads."""
    try:
        return definite(data)
    except DerError:
        return data


class _Walk:
    """One pass over a value; each value inside is counted."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._left = der.MAX_ITEMS

    def value(self, at: int, limit: int, depth: int) -> tuple[bytes, int]:
        """The value at an offset in definite form, and where it ends in the octets given."""
        data = self._data
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH:
            raise DerError(f"more than {der.MAX_ITEMS:,} values, or values more than {MAX_DEPTH} deep")
        tag = data[at] if at < limit else 0
        endless = at + 1 < limit and data[at + 1] == 0x80 and tag & _CONSTRUCTED and tag & 0x1F != 0x1F
        content, end = (at + 2, limit) if endless else der.span(data, at, limit)
        if not tag & _CONSTRUCTED:
            return data[at:end], end
        parts, place = [], content
        while place < end:
            if endless and data[place : place + 2] == b"\0\0":
                break
            part, place = self.value(place, end, depth + 1)
            parts.append(part)
        if endless:
            if data[place : place + 2] != b"\0\0" or place + 2 > end:
                raise DerError(f"the value of indefinite length at octet {at} has no end")
            end = place + 2
        if tag < 0x40 and tag & 0x1F in _STRINGS:
            return _whole(tag & 0x1F, parts, at), end
        body = b"".join(parts)
        return (data[at:end] if not endless and body == data[content:end] else der.wrap(tag, body)), end


def _whole(tag: int, parts: list[bytes], at: int) -> bytes:
    """A string put together from its pieces (X.690 8.6.4, 8.7.3, 8.23.6), which are octet strings, or bit strings."""
    body, unused = b"", 0
    for part in parts:
        piece = der.read(part, 0, len(part))
        if piece.tag not in (tag, der.OCTET_STRING) or (tag == _BITS and (unused or piece.tag != tag)):
            raise DerError(f"a string in pieces of another kind at octet {at}")
        if tag == _BITS:
            unused, octets = der.bit_string(part, piece)
            body += octets
        else:
            body += der.content(part, piece)
    return der.wrap(tag, bytes([unused]) + body if tag == _BITS else body)
