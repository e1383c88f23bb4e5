"""Odd certificates out of sound ones: a value of the encoding changed at random, lengths round it mended or not."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from testpki import asn1

_TEXTS = [
    b"", b" x", b"x ", b"#x", b"a,b", b'a"b', b"a+b=c", b"a\\b", b"a;b<c>", b"a\0b", b"a\x7fb",
    "\u00e9".encode(), b"\xff", b"\xc3", "\u202e".encode(), b"a" * 127, b"a" * 128, b"a" * 300,
    b"*.a.example", b"A_B.example", b"a/b", b"a@b",
]  # fmt: skip


@dataclass
class Node:
    """A value of the encoding: constructed ones have inner values, others octets; ``lead`` stands in front of both."""

    tag: int
    octets: bytes = b""
    inner: list["Node"] | None = None
    lead: bytes = b""
    length: bytes | None = None

    def body(self) -> bytes:
        return self.lead + (self.octets if self.inner is None else b"".join(one.encode() for one in self.inner))

    def encode(self) -> bytes:
        body = self.body()
        if self.length is not None:
            return bytes([self.tag]) + self.length + body
        return asn1.tlv(self.tag, body)

    def fill(self, body: bytes) -> None:
        self.octets, self.inner, self.lead = body, None, b""


def tree(data: bytes) -> list[Node]:
    """The values that some octets are; ValueError where they are none. Looks into strings that hold values, too."""
    found = []
    at = 0
    while at < len(data):
        if at + 2 > len(data):
            raise ValueError("cut short")
        tag, size, content = data[at], data[at + 1], at + 2
        if size > 0x80:
            content += size & 0x7F
            size = int.from_bytes(data[at + 2 : content])
        elif size == 0x80 or tag & 0x1F == 0x1F:
            raise ValueError("not in DER")
        at = content + size
        if at > len(data):
            raise ValueError("cut short")
        body = data[content:at]
        node = Node(tag, body)
        for lead in (0,) if tag & 0x20 else (0, 1) if tag in (0x03, 0x04) and len(body) > 2 else ():
            try:
                node.inner, node.lead = tree(body[lead:]), body[:lead]
                break
            except ValueError:
                pass
        found.append(node)
    return found


def nodes(top: list[Node]) -> list[tuple[list[Node], int]]:
    """Every value below some: the list that it stands in, and its place there."""
    out = []
    for place, one in enumerate(top):
        out.append((top, place))
        out += nodes(one.inner or [])
    return out


def _some(draw: Random, size: int) -> bytes:
    return bytes(draw.choice((0, 1, 5, 0x30, 0x7F, 0x80, 0xFF, draw.randrange(256))) for _ in range(size))


_TAGS = bytes.fromhex("010203040506 0c1314161c1e 1718 3031 80828687 a0a1a3 1f")


def _retag(draw: Random, beside: list[Node], at: int) -> None:
    beside[at].tag = draw.choice((*_TAGS, draw.randrange(256)))


def _fill(draw: Random, beside: list[Node], at: int) -> None:
    beside[at].fill(draw.choice((draw.choice(_TEXTS), _some(draw, draw.randrange(40)))))


def _alter(draw: Random, beside: list[Node], at: int) -> None:
    """One octet of a value's content becomes another."""
    body = bytearray(beside[at].body() or b"\0")
    octets = (0, 0x20, 0x2C, 0x30, 0x39, 0x3A, 0x7F, 0x80, 0xFF, draw.randrange(256))
    body[draw.randrange(len(body))] = draw.choice(octets)
    beside[at].fill(bytes(body))


def _grow(draw: Random, beside: list[Node], at: int) -> None:
    body = beside[at].body()
    grown = (b"\0" + body, b"\xff" + body, body + b"\0", body[1:], body[:-1], body * 2, body + _some(draw, 3))
    beside[at].fill(draw.choice(grown))


def _drop(draw: Random, beside: list[Node], at: int) -> None:
    del beside[at]


def _double(draw: Random, beside: list[Node], at: int) -> None:
    beside.insert(draw.randrange(len(beside) + 1), beside[at])


def _swap(draw: Random, beside: list[Node], at: int) -> None:
    other = draw.randrange(len(beside))
    beside[at], beside[other] = beside[other], beside[at]


_NEW = ("0101ff", "010100", "0500", "3000", "3100", "8209622e6578616d706c65", "870400000000", "020101", "0c0178",
        "81020001", "a100")  # fmt: skip


def _insert(draw: Random, beside: list[Node], at: int) -> None:
    beside[at:at] = tree(bytes.fromhex(draw.choice(_NEW)))


def _length(draw: Random, beside: list[Node], at: int) -> None:
    """A length in a longer form, indefinite, or of another size than the content has."""
    size = max(0, len(beside[at].body()) + draw.choice((0, 0, 0, 1, -1, 128, draw.randrange(300))))
    beside[at].length = draw.choice((b"\x81" + bytes([size & 0xFF]), b"\x82" + (size & 0xFFFF).to_bytes(2),
                                     b"\x83" + size.to_bytes(3), b"\x80", bytes([size & 0x7F])))  # fmt: skip


_STEPS: tuple[Callable[[Random, list[Node], int], None], ...] = (
    _retag, _fill, _alter, _alter, _grow, _drop, _double, _swap, _insert, _length,
)  # fmt: skip


def changed(draw: Random, der: bytes) -> bytes:
    """A certificate with one to three values changed, the lengths round them mended; or with raw octets changed."""
    if draw.random() < 0.15:
        body = bytearray(der)
        for _ in range(draw.choice((1, 1, 2, 5))):
            body[draw.randrange(len(body))] = draw.randrange(256)
        at = draw.randrange(len(body))
        return bytes(draw.choice((body, body, body[:at], body[:at] + body[at + 1 :], body + b"\0")))
    top = tree(der)
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        places = nodes(top)
        if not places:
            break
        beside, at = draw.choice(places)
        draw.choice(_STEPS)(draw, beside, at)
    return b"".join(one.encode() for one in top)
