"""Certificates out of the ordinary, each in one line: what RFC 5280 or DER does not allow, and what is rare."""

from collections.abc import Callable
from typing import Any

from testpki import asn1, extensions
from testpki.build import Authority
from tests.evidence.odd import Node, tree

ROOT = Authority.root("Test Root")
P256 = bytes.fromhex("06072a8648ce3d0201")


def endless(node: Node) -> None:
    """Give a value an indefinite length."""
    assert node.tag & 0x20
    assert node.inner is not None
    node.length = b"\x80"
    node.inner.append(Node(0))


def loose(node: Node) -> None:
    """Give a value a length of more octets than it needs."""
    node.length = b"\x84" + len(node.body()).to_bytes(4)


def in_pieces(node: Node, piece: int = 0x04) -> None:
    """Write a string as two pieces in a constructed value."""
    body = node.body()
    node.tag, node.octets, node.lead = node.tag | 0x20, b"", b""
    node.inner = [Node(piece, body[:3]), Node(piece, body[3:])]


def everywhere(change: Callable[[Node], None], wanted: Callable[[Node], bool]) -> Callable[[Node], None]:
    """A change of every wanted value below one, and of itself; innermost first, not inside primitive values."""

    def apply(node: Node) -> None:
        if node.tag & 0x20:
            for one in list(node.inner or ()):
                apply(one)
        if wanted(node):
            change(node)

    return apply


def constructed(node: Node) -> bool:
    return bool(node.tag & 0x20) and node.inner is not None


def reencoded(change: Callable[[Node], None], **options: Any) -> bytes:
    """A certificate whose TBSCertificate is changed before it is signed, and whose outside is left in DER."""
    (top,) = tree(ROOT.issue(**options).der)
    assert top.inner is not None
    tbs, algorithm, _ = top.inner
    change(tbs)
    signature = asn1.bit_string(ROOT.key.sign(tbs.encode(), "sha256"))
    return asn1.sequence(tbs.encode(), algorithm.encode(), signature)


def outside(change: Callable[[Node], None]) -> bytes:
    """A certificate whose outermost value is changed, which is not signed."""
    (top,) = tree(ROOT.issue().der)
    change(top)
    return top.encode()


def field(number: int, change: Callable[[Node], None]) -> Callable[[Node], None]:
    """A change of one field of the TBSCertificate, counted from 0 (the version)."""

    def apply(tbs: Node) -> None:
        assert tbs.inner is not None
        change(tbs.inner[number])

    return apply


def critical(octet: int) -> bytes:
    """An unknown extension whose criticality is some octet."""
    return asn1.sequence(asn1.oid("1.2.3.4"), asn1.tlv(0x01, bytes([octet])), asn1.octet_string(b"x"))


def spki(parameters: bytes) -> bytes:
    """A P-256 key under other parameters than its curve's name."""
    point = tree(ROOT.key.spki)[0].inner
    assert point is not None
    return asn1.sequence(asn1.sequence(P256, parameters), point[1].encode())


# P-256 written out (SEC 1 C.2): version, field, curve, base point, order, cofactor.
EXPLICIT = asn1.sequence(
    asn1.integer(1),
    asn1.sequence(asn1.oid("1.2.840.10045.1.1"), asn1.integer(2**256 - 2**224 + 2**192 + 2**96 - 1)),
    asn1.sequence(
        asn1.octet_string(bytes.fromhex("ffffffff00000001000000000000000000000000fffffffffffffffffffffffc")),
        asn1.octet_string(bytes.fromhex("5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b")),
    ),
    asn1.octet_string(
        bytes.fromhex(
            "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
            "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
        )
    ),
    asn1.integer(0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551),
    asn1.integer(1),
)

BER: dict[str, Callable[[], bytes]] = {
    "outside-indefinite": lambda: outside(endless),
    "all-indefinite": lambda: reencoded(everywhere(endless, constructed)),
    "tbs-indefinite": lambda: reencoded(endless),
    "issuer-indefinite": lambda: reencoded(field(3, endless)),
    "validity-indefinite": lambda: reencoded(field(4, endless)),
    "subject-indefinite": lambda: reencoded(field(5, everywhere(endless, constructed))),
    "key-indefinite": lambda: reencoded(field(6, endless)),
    "extensions-indefinite": lambda: reencoded(field(7, everywhere(endless, constructed))),
    "subject-in-pieces": lambda: reencoded(
        field(5, everywhere(lambda n: in_pieces(n, 0x0C), lambda n: n.tag == 0x0C)), subject="hello"
    ),
    "values-in-pieces": lambda: reencoded(field(7, everywhere(in_pieces, lambda n: n.tag == 0x04))),
    "names-indefinite": lambda: (
        ROOT.issue(
            dns=None,
            extensions=[extensions.extension("2.5.29.17", asn1.endless(0x30, asn1.implicit(2, b"a.example")))],
        ).der
    ),
}
"""BER that DER has not, by what of it is so."""

LOOSE: dict[str, Callable[[], bytes]] = {
    "long-lengths-outside": lambda: outside(loose),
    "long-lengths-everywhere": lambda: reencoded(everywhere(loose, lambda _: True)),
    "long-length-of-the-serial": lambda: reencoded(field(1, loose)),
    "boolean-01": lambda: ROOT.issue(extensions=[critical(1)]).der,
    "boolean-false": lambda: ROOT.issue(extensions=[critical(0)]).der,
    "ca-01": lambda: (
        ROOT.issue(
            basic_constraints=None, extensions=[extensions.extension("2.5.29.19", bytes.fromhex("3003010101"))]
        ).der
    ),
}
"""Forms that DER has not, of definite length."""

RARE: dict[str, Callable[[], bytes]] = {
    "serial-negative": lambda: ROOT.issue(serial=-(2**70)).der,
    "serial-minus-one": lambda: ROOT.issue(serial=-1).der,
    "serial-zero": lambda: ROOT.issue(serial=0).der,
    "serial-21-octets": lambda: ROOT.issue(serial=2**160 + 5).der,
    "time-without-seconds": lambda: ROOT.issue(not_before=asn1.utc_time("2401010000Z")).der,
    "time-with-offset": lambda: ROOT.issue(not_before=asn1.utc_time("110629153248-1200")).der,
    "time-with-fraction": lambda: ROOT.issue(not_after=asn1.generalized_time("20240301120000.25Z")).der,
    "year-0000": lambda: ROOT.issue(not_before=asn1.generalized_time("00000101000000Z"), days=5).der,
    "year-9999": lambda: ROOT.issue(not_after="9999-12-31T23:59:59Z").der,
    "no-such-day": lambda: ROOT.issue(not_before=asn1.utc_time("240230000000Z"), not_after="2024-09-01T00:00:00Z").der,
    "version-1": lambda: ROOT.issue(version=1, extensions=None).der,
    "version-4": lambda: ROOT.issue(version=4).der,
    "curve-written-out": lambda: ROOT.issue(spki=spki(EXPLICIT)).der,
    "algorithm-unknown": lambda: ROOT.issue(algorithm=asn1.sequence(asn1.oid("1.2.3.4.5"))).der,
    "key-unknown": lambda: (
        ROOT.issue(spki=asn1.sequence(asn1.sequence(asn1.oid("1.2.3.4.6")), asn1.bit_string(b"x"))).der
    ),
    "subject-t61": lambda: ROOT.issue(subject=[("O", b"caf\xe9", "t61")]).der,
    "subject-bmp": lambda: ROOT.issue(subject=[("O", "\u4e2d\u56fd", "bmp")]).der,
    "subject-utf8": lambda: ROOT.issue(subject=[("O", "\u4e2d\u56fd \u00e9"), ("CN", "a, b")]).der,
    "subject-universal": lambda: ROOT.issue(subject=[("O", "\U0001f600", "universal")]).der,
    "subject-empty": lambda: ROOT.issue(subject=None).der,
    "two-names": lambda: ROOT.issue(extensions=[extensions.subject_alt_name(["b.example"])]).der,
    "critical-unknown": lambda: ROOT.issue(extensions=[extensions.extension("1.2.3.4", b"x", critical=True)]).der,
}
"""What is wrong or rare though it is DER."""
