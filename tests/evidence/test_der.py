"""The DER reader: lengths in every form, and nothing read beyond what is there (X.690 8.1)."""

import pytest

from affidavit.evidence import der
from affidavit.evidence.der import DerError, Tlv


@pytest.mark.parametrize(
    ("data", "content"),
    [
        (b"\x04\x00", b""),
        (b"\x04\x03abc", b"abc"),
        (b"\x04\x81\x03abc", b"abc"),  # longer than needed: BER allows it, DER does not; it is read
        (b"\x04\x82\x00\x03abc", b"abc"),
        (b"\x04\x88" + bytes(7) + b"\x03abc", b"abc"),
        (b"\x04\x81\x80" + bytes(128), bytes(128)),
        (b"\x04\x82\x01\x00" + bytes(256), bytes(256)),
    ],
)
def test_definite_lengths_of_any_form(data: bytes, content: bytes) -> None:
    found = der.read(data, 0, len(data))
    assert found.tag == der.OCTET_STRING
    assert found.end == len(data)
    assert der.content(data, found) == content
    assert der.whole(data, found) == data


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "ends early at octet 0"),
        (b"\x30", "ends early at octet 0"),
        (b"\x30\x03\x02\x01", "truncated"),
        (b"\x30\x80\x02\x01\x00\x00\x00", "indefinite length"),
        (b"\x30\x82\x01", "a length of 2 octets"),
        (b"\x30\x89" + bytes(9), "a length of 9 octets"),
        (b"\x30\xff" + bytes(200), "a length of 127 octets"),
        (b"\x30\x88" + b"\xff" * 8, "truncated"),
        (b"\x30\x84\xff\xff\xff\xff" + bytes(10), "truncated"),
        (b"\x3f\x81\x00\x00", "a tag of several octets"),
    ],
)
def test_what_is_no_value_is_refused_with_the_place(data: bytes, reason: str) -> None:
    with pytest.raises(DerError, match=reason):
        der.read(data, 0, len(data))


def test_every_truncation_of_a_value_is_refused() -> None:
    data = b"\x30\x82\x01\x04" + b"\x04\x82\x01\x00" + bytes(256)
    for size in range(len(data)):
        with pytest.raises(DerError):
            der.read(data[:size], 0, size)


def test_a_child_never_reaches_past_its_parent() -> None:
    data = b"\x30\x03\x04\x05a" + b"bcdef"
    with pytest.raises(DerError, match="truncated: the value at octet 2"):
        der.children(data, der.read(data, 0, len(data)))


def test_more_children_than_the_limit_are_refused() -> None:
    data = der.wrap(der.SEQUENCE, b"\x05\x00" * (der.MAX_ITEMS + 1))
    with pytest.raises(DerError, match="more than 100,000 values"):
        der.children(data, der.read(data, 0, len(data)))


def test_ten_thousand_levels_deep_takes_no_stack() -> None:
    data = b""
    for _ in range(10_000):
        data = der.wrap(der.SEQUENCE, data)
    at: Tlv = der.read(data, 0, len(data))
    depth = 1
    while inside := der.children(data, at):
        at, depth = inside[0], depth + 1
    assert depth == 10_000


@pytest.mark.parametrize(
    ("content", "number"),
    [
        (b"\x00", 0), (b"\x7f", 127), (b"\x00\x80", 128), (b"\x80", -128), (b"\xff", -1),
        (b"\xff\x7f", -129), (b"\x00" * 3 + b"\x05", 5),
    ],
)  # fmt: skip
def test_integers_are_twos_complement(content: bytes, number: int) -> None:
    data = der.wrap(der.INTEGER, content)
    assert der.integer(data, der.read(data, 0, len(data))) == number


def test_an_integer_without_content_and_one_out_of_proportion_are_refused() -> None:
    empty, large = der.wrap(der.INTEGER, b""), der.wrap(der.INTEGER, b"\x7f" + bytes(20))
    with pytest.raises(DerError, match="without content"):
        der.integer(empty, der.read(empty, 0, len(empty)))
    with pytest.raises(DerError, match="21 octets"):
        der.small_integer(large, der.read(large, 0, len(large)))


@pytest.mark.parametrize(
    ("content", "dotted"),
    [
        ("2a864886f70d010105", "1.2.840.113549.1.1.5"),
        ("550403", "2.5.4.3"),
        ("00", "0.0"),
        ("8837", "2.999"),
        ("813403", "2.100.3"),  # the example of X.690 8.19.5
        ("2b0601040182371402", "1.3.6.1.4.1.311.20.2"),
    ],
)
def test_object_identifiers(content: str, dotted: str) -> None:
    data = der.wrap(der.OID, bytes.fromhex(content))
    assert der.oid(data, der.read(data, 0, len(data))) == dotted


@pytest.mark.parametrize("content", [b"", b"\x2a\x86", b"\x2a" + b"\x81" * 200 + b"\x01"])
def test_object_identifiers_cut_short_or_endless_are_refused(content: bytes) -> None:
    data = der.wrap(der.OID, content)
    with pytest.raises(DerError, match="OID that is cut short or too long"):
        der.oid(data, der.read(data, 0, len(data)))


@pytest.mark.parametrize("content", [b"", b"\x08\x00", b"\x01"])
def test_bit_strings_that_are_none_are_refused(content: bytes) -> None:
    data = der.wrap(der.BIT_STRING, content)
    with pytest.raises(DerError, match="no BIT STRING"):
        der.bit_string(data, der.read(data, 0, len(data)))


@pytest.mark.parametrize("length", [0, 1, 127, 128, 255, 256, 65535, 65536, 1 << 24])
def test_lengths_are_written_in_the_shortest_form(length: int) -> None:
    written = der.length_octets(length)
    assert len(written) == (1 if length < 128 else 1 + (length.bit_length() + 7) // 8)
    assert der.read(b"\x04" + written + bytes(length), 0, 1 + len(written) + length).end == 1 + len(written) + length
