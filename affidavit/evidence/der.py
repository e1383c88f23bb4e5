"""A reader of DER's tag-length-value structure that keeps places in the input.

Hashes, the precertificate's TBS and signatures need the bytes as they stand, so everything here hands
out offsets into the bytes given, never copies that were encoded again. Definite lengths of any form are
read (X.690 8.1.3.4-5), indefinite ones are not.
"""

from functools import lru_cache
from typing import NamedTuple

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
ENUMERATED, UTC_TIME, GENERALIZED_TIME, SEQUENCE, SET = 0x0A, 0x17, 0x18, 0x30, 0x31
MAX_ITEMS = 100_000


class DerError(ValueError):
    """The bytes are not the structure that was expected; the message says where and what."""


class Tlv(NamedTuple):
    """One value: its tag, where it begins, where its content begins, and where it ends (exclusive)."""

    tag: int
    start: int
    content: int
    end: int


def read(data: bytes, at: int, limit: int) -> Tlv:
    """The value at an offset; it must end at or before ``limit``. DerError where it does not."""
    if at + 2 > limit:
        raise DerError(f"ends early at octet {at}")
    tag = data[at]
    if tag & 0x1F == 0x1F:
        raise DerError(f"a tag of several octets at octet {at}")
    length = data[at + 1]
    content = at + 2
    if length == 0x80:
        raise DerError(f"an indefinite length at octet {at} (BER, not DER)")
    if length > 0x80:
        octets = length & 0x7F
        if octets > 8 or content + octets > limit:
            raise DerError(f"a length of {octets} octets at octet {at}")
        length = int.from_bytes(data[content : content + octets], "big")
        content += octets
    end = content + length
    if end > limit:
        raise DerError(f"truncated: the value at octet {at} ends at {end:,}, the data at {limit:,}")
    return Tlv(tag, at, content, end)


def span(data: bytes, at: int, limit: int) -> tuple[int, int]:
    """Content and end of the value at an offset, as `read` finds them; for the places where each microsecond counts."""
    if at + 4 <= limit:
        length, content = data[at + 1], at + 2
        if length >= 0x80:
            if length == 0x82:
                length, content = data[at + 2] << 8 | data[at + 3], at + 4
            elif length == 0x81:
                length, content = data[at + 2], at + 3
            else:
                length = limit  # left to the other one
        end = content + length
        if end <= limit and data[at] & 0x1F != 0x1F:
            return content, end
    found = read(data, at, limit)
    return found.content, found.end


def expect(data: bytes, at: int, limit: int, tag: int, what: str) -> Tlv:
    """The value at an offset, which must have a tag; DerError names what was wanted."""
    found = read(data, at, limit)
    if found.tag != tag:
        raise DerError(f"{what}: tag {found.tag:02x} at octet {at} where {tag:02x} belongs")
    return found


def children(data: bytes, parent: Tlv) -> list[Tlv]:
    """The values inside a constructed one."""
    found = []
    _, _, at, limit = parent
    while at < limit:
        content, end = span(data, at, limit)
        found.append(_new(Tlv, (data[at], at, content, end)))
        at = end
        if len(found) > MAX_ITEMS:
            raise DerError(f"more than {MAX_ITEMS:,} values inside the one at octet {parent.start}")
    return found


_new = tuple.__new__  # a third of what calling the class takes


def content(data: bytes, value: Tlv) -> bytes:
    """The content octets of a value."""
    return data[value.content : value.end]


def whole(data: bytes, value: Tlv) -> bytes:
    """A value with its tag and length, as it stands."""
    return data[value.start : value.end]


def integer(data: bytes, value: Tlv) -> int:
    """The number of an INTEGER or ENUMERATED, two's complement (X.690 8.3)."""
    octets = content(data, value)
    if not octets:
        raise DerError(f"an INTEGER without content at octet {value.start}")
    return int.from_bytes(octets, "big", signed=True)


def small_integer(data: bytes, value: Tlv) -> int:
    """An INTEGER that is a version or a length; DerError where it is out of all proportion."""
    number = integer(data, value)
    if abs(number) >= 1 << 62:
        raise DerError(
            f"an INTEGER of {value.end - value.content} octets at octet {value.start} where a small one belongs"
        )
    return number


def oid(data: bytes, value: Tlv) -> str:
    """The dotted form of an OBJECT IDENTIFIER (X.690 8.19)."""
    if value.tag != OID:
        raise DerError(f"tag {value.tag:02x} at octet {value.start} where an OID belongs")
    octets = content(data, value)
    if not octets or octets[-1] & 0x80 or len(octets) > 128:
        raise DerError(f"an OID that is cut short or too long at octet {value.start}")
    return _dotted(octets)


@lru_cache(maxsize=4096)
def _dotted(octets: bytes) -> str:
    # The same few identifiers stand in every certificate; the cache is bounded, so no corpus can grow it.
    arcs: list[int] = []
    number = 0
    for octet in octets:
        number = number << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(number)
            number = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, [first, arcs[0] - 40 * first, *arcs[1:]]))


def bit_string(data: bytes, value: Tlv) -> tuple[int, bytes]:
    """The unused bits and the octets of a BIT STRING."""
    octets = content(data, value)
    if value.tag != BIT_STRING or not octets or octets[0] > 7 or (len(octets) == 1 and octets[0]):
        raise DerError(f"no BIT STRING at octet {value.start}")
    return octets[0], octets[1:]


def length_octets(length: int) -> bytes:
    """The octets of a definite length in DER's shortest form."""
    if length < 0x80:
        return bytes([length])
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(octets)]) + octets


def wrap(tag: int, body: bytes) -> bytes:
    """A tag, the shortest length, and content that stays as it is."""
    return bytes([tag]) + length_octets(len(body)) + body
