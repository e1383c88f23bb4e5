"""Assembling DER (ITU-T X.690), as little of it as certificates need.

Every function returns one encoded element as ``bytes``; elements nest by passing them on. Nothing is
checked, so that what no library would write can be written here.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

# Short names of attribute types (RFC 4519, EV Guidelines 7.1.4.2), for names.
ATTRIBUTES = {
    "CN": "2.5.4.3",
    "SERIALNUMBER": "2.5.4.5",
    "C": "2.5.4.6",
    "L": "2.5.4.7",
    "ST": "2.5.4.8",
    "STREET": "2.5.4.9",
    "O": "2.5.4.10",
    "OU": "2.5.4.11",
    "BUSINESSCATEGORY": "2.5.4.15",
    "POSTALCODE": "2.5.4.17",
    "DC": "0.9.2342.19200300.100.1.25",
    "EMAIL": "1.2.840.113549.1.9.1",
    "JURISDICTIONC": "1.3.6.1.4.1.311.60.2.1.3",
}

# String types: tag and Python codec of the content octets.
STRINGS = {
    "utf8": (0x0C, "utf-8"),
    "numeric": (0x12, "ascii"),
    "printable": (0x13, "ascii"),
    "t61": (0x14, "latin-1"),
    "ia5": (0x16, "ascii"),
    "visible": (0x1A, "ascii"),
    "universal": (0x1C, "utf-32-be"),
    "bmp": (0x1E, "utf-16-be"),
}

# One attribute of a name: type (short name or dotted OID), value, and optionally the string type.
# A value of type bytes is taken as content octets; with the string type "raw", as a whole element.
Attribute = tuple[str, str | bytes] | tuple[str, str | bytes, str]
# A name: text is a common name; a list holds one attribute, or a list of them, per RDN; bytes are DER.
Name = str | bytes | Sequence[Attribute | Sequence[Attribute]]
# A time: ISO 8601 with Z (or a bare day, its start in UTC), an aware datetime, or a whole element.
Time = str | bytes | datetime


def tlv(tag: int, *content: bytes) -> bytes:
    """One element with a one-octet identifier and a definite length in its shortest form."""
    body = b"".join(content)
    if len(body) < 0x80:
        return bytes([tag, len(body)]) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(size)]) + size + body


def endless(tag: int, *items: bytes) -> bytes:
    """One constructed element of indefinite length, as BER may have it (X.690 8.1.3.6)."""
    return bytes([tag, 0x80]) + b"".join(items) + b"\0\0"


def long_length(element: bytes, octets: int = 4) -> bytes:
    """An element of DER with its length in more octets than it needs (X.690 8.1.3.5)."""
    body = element[2 + (element[1] & 0x7F if element[1] > 0x80 else 0) :]
    return bytes([element[0], 0x80 | octets]) + len(body).to_bytes(octets) + body


def sequence(*items: bytes) -> bytes:
    """SEQUENCE of the given elements."""
    return tlv(0x30, *items)


def set_of(*items: bytes) -> bytes:
    """SET OF, its elements sorted as DER demands (X.690 11.6)."""
    return tlv(0x31, *sorted(items))


def boolean(value: bool) -> bytes:
    """BOOLEAN."""
    return tlv(0x01, b"\xff" if value else b"\x00")


def integer(value: int | bytes) -> bytes:
    """INTEGER of any size and sign in its shortest form; ``bytes`` are its content octets as they are."""
    if isinstance(value, int):
        magnitude = value if value >= 0 else ~value  # two's complement: -128 fits one octet, 128 needs two
        value = value.to_bytes(magnitude.bit_length() // 8 + 1, signed=True)
    return tlv(0x02, value)


def enumerated(value: int) -> bytes:
    """ENUMERATED."""
    return tlv(0x0A, integer(value)[2:])


def bit_string(octets: bytes, unused: int = 0) -> bytes:
    """BIT STRING of whole octets, or with ``unused`` bits at its end."""
    return tlv(0x03, bytes([unused]), octets)


def named_bits(*numbers: int) -> bytes:
    """BIT STRING with the numbered bits set and trailing zero bits removed (X.690 11.2.2)."""
    if not numbers:
        return bit_string(b"")
    size = max(numbers) + 1
    octets = (size + 7) // 8
    unused = octets * 8 - size
    value = sum(1 << (octets * 8 - 1 - number) for number in set(numbers))
    return bit_string(value.to_bytes(octets), unused)


def octet_string(octets: bytes) -> bytes:
    """OCTET STRING."""
    return tlv(0x04, octets)


def null() -> bytes:
    """NULL."""
    return tlv(0x05)


def oid(dotted: str) -> bytes:
    """OBJECT IDENTIFIER from its dotted form."""
    first, second, *rest = (int(part) for part in dotted.split("."))
    body = b""
    for arc in (40 * first + second, *rest):
        octets = [arc & 0x7F]
        while arc := arc >> 7:
            octets.append(0x80 | arc & 0x7F)
        body += bytes(reversed(octets))
    return tlv(0x06, body)


def string(value: str | bytes, kind: str = "utf8") -> bytes:
    """A character string of a kind named in ``STRINGS``; bytes are its content, or all of it if "raw"."""
    if kind == "raw":
        assert isinstance(value, bytes)
        return value
    tag, codec = STRINGS[kind]
    return tlv(tag, value.encode(codec) if isinstance(value, str) else value)


def explicit(number: int, *items: bytes) -> bytes:
    """Context-specific constructed tag ``[number] EXPLICIT``."""
    return tlv(0xA0 | number, *items)


def implicit(number: int, content: bytes, *, constructed: bool = False) -> bytes:
    """Context-specific tag ``[number] IMPLICIT`` around content octets."""
    return tlv((0xA0 if constructed else 0x80) | number, content)


def moment(value: str | datetime) -> datetime:
    """The aware UTC datetime that a text or datetime means; a bare day is its start in UTC."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
        if value.tzinfo is None:
            value = value.replace(tzinfo=UTC)
    return value.astimezone(UTC)


def utc_time(value: str | datetime) -> bytes:
    """UTCTime; a text that is no ISO date is taken as the content (``"110629153248-1200"``)."""
    return tlv(0x17, _time_text(value, "%y%m%d%H%M%SZ"))


def generalized_time(value: str | datetime) -> bytes:
    """GeneralizedTime, even before 2050; a text that is no ISO date is taken as the content."""
    return tlv(0x18, _time_text(value, "%Y%m%d%H%M%SZ"))


def _time_text(value: str | datetime, form: str) -> bytes:
    if isinstance(value, str) and "-" not in value[:5]:
        return value.encode("ascii")
    return moment(value).strftime(form).encode("ascii")


def time(value: Time) -> bytes:
    """Time of RFC 5280 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050; bytes as they are."""
    if isinstance(value, bytes):
        return value
    instant = moment(value)
    return utc_time(instant) if 1950 <= instant.year < 2050 else generalized_time(instant)


def name(value: Name) -> bytes:
    """A Name: text becomes a common name; strings are UTF8String but for C, serialNumber and the like."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        value = [("CN", value)]
    return sequence(*(_rdn(item) for item in value))


def _rdn(item: Attribute | Sequence[Attribute]) -> bytes:
    attributes: list[Attribute] = [item] if isinstance(item[0], str) else list(item)  # type: ignore[list-item,arg-type]
    return set_of(*(_attribute(*attribute) for attribute in attributes))


def _attribute(kind: str, value: str | bytes, form: str = "") -> bytes:
    usual = {
        "C": "printable",
        "JURISDICTIONC": "printable",
        "SERIALNUMBER": "printable",
        "DC": "ia5",
        "EMAIL": "ia5",
    }
    return sequence(oid(ATTRIBUTES.get(kind.upper(), kind)), string(value, form or usual.get(kind.upper(), "utf8")))


def pem(der: bytes, label: str = "CERTIFICATE") -> str:
    """PEM armour (RFC 7468), lines of 64 characters, ending in a newline."""
    from base64 import b64encode

    text = b64encode(der).decode("ascii")
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])
