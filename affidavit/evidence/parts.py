"""Parts that certificates and CRLs share: names, times, algorithms, extensions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from affidavit.evidence import der, oids
from affidavit.evidence.der import DerError, Tlv

_STRINGS = {
    0x0C: "utf-8", 0x12: "ascii", 0x13: "ascii", 0x16: "ascii", 0x1A: "ascii", 0x14: "latin-1",
    0x1C: "utf-32-be", 0x1E: "utf-16-be", 0x1B: "ascii",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Name:
    """A distinguished name: its RFC 4514 form, its first common name, and what could not be read of it."""

    text: str
    common_name: str | None
    faults: tuple[str, ...] = ()


def _escape(value: str) -> str:
    """A value as RFC 4514 2.4 writes it; control characters as hex pairs."""
    out = []
    last = len(value) - 1
    for index, character in enumerate(value):
        code = ord(character)
        if code < 0x20 or code == 0x7F:
            out.append(f"\\{code:02X}")
        elif character in ',+"\\<>;' or (index == 0 and character in "# ") or (index == last and character == " "):
            out.append("\\" + character)
        else:
            out.append(character)
    return "".join(out)


class Memo(dict[Any, Any]):
    """What was read before, by its bytes. It is emptied when full, so that no corpus can grow it."""

    def keep(self, key: object, value: Any) -> Any:
        """Remember a value and hand it back."""
        if len(self) >= 8192:
            self.clear()
        self[key] = value
        return value


_names = Memo()


def name(data: bytes, value: Tlv) -> Name:
    """A Name (RFC 5280 4.1.2.4) in RFC 4514 form; DerError where it is none.

    An attribute value that is no readable string stands as ``#`` and the hex of its encoding (RFC 4514
    2.4) and is named among the faults.
    """
    encoded = der.whole(data, value)
    found: Name | None = _names.get(encoded)
    if found is None:
        found = _read_name(data, value)
        _names.keep(encoded, found)
    return found


def _read_name(data: bytes, value: Tlv) -> Name:
    if value.tag != der.SEQUENCE:
        raise DerError(f"no name at octet {value.start}")
    rdns: list[str] = []
    common: str | None = None
    faults: list[str] = []
    for rdn in der.children(data, value):
        if rdn.tag != der.SET:
            raise DerError(f"a relative name that is no SET at octet {rdn.start}")
        parts = []
        for pair in der.children(data, rdn):
            attribute = der.children(data, pair)
            if pair.tag != der.SEQUENCE or len(attribute) != 2:
                raise DerError(f"an attribute that is no pair at octet {pair.start}")
            kind = der.oid(data, attribute[0])
            shown = oids.ATTRIBUTES.get(kind, kind)
            encoding = _STRINGS.get(attribute[1].tag)
            try:
                if encoding is None:
                    raise ValueError(f"a value of tag {attribute[1].tag:02x}, which is no string")
                text = der.content(data, attribute[1]).decode(encoding)
            except ValueError as error:
                reason = str(error) if encoding is None else f"invalid {encoding} in a string"
                faults.append(f"{shown}: {reason}")
                parts.append(f"{shown}=#{der.whole(data, attribute[1]).hex().upper()}")
                continue
            if kind == oids.COMMON_NAME and common is None:
                common = text
            parts.append(f"{shown}={_escape(text)}")
        # Reversed inside as well, as openssl has it. A SET with nothing in it has no form in RFC 4514.
        if parts:
            rdns.append("+".join(reversed(parts)))
    return Name(",".join(reversed(rdns)), common, tuple(faults))


def string(data: bytes, value: Tlv) -> str | None:
    """The text of an ASN.1 string; None where it is none, or its octets are no text of its kind."""
    encoding = _STRINGS.get(value.tag)
    try:
        return None if encoding is None else der.content(data, value).decode(encoding)
    except ValueError:
        return None


def time(data: bytes, value: Tlv) -> datetime:
    """A Time (RFC 5280 4.1.2.5) as naive UTC; DerError for any form that the RFC does not allow."""
    octets = der.content(data, value)
    shown = octets[:32].decode("ascii", "backslashreplace")
    wanted = {der.UTC_TIME: 13, der.GENERALIZED_TIME: 15}.get(value.tag)
    if wanted is None:
        raise DerError(f"no time at octet {value.start}")
    if len(octets) != wanted or octets[-1:] != b"Z" or not octets[:-1].isdigit():
        kind = "UTCTime" if value.tag == der.UTC_TIME else "GeneralizedTime"
        raise DerError(f"the {kind} {shown!r} is not of the form that RFC 5280 4.1.2.5 allows")
    digits = octets[:-1].decode("ascii")
    if value.tag == der.UTC_TIME:
        digits = ("19" if int(digits[:2]) >= 50 else "20") + digits
    try:
        year, rest = int(digits[:4]), [int(digits[i : i + 2]) for i in range(4, 14, 2)]
        return datetime(year, *rest)  # type: ignore[arg-type]
    except ValueError:
        raise DerError(f"the time {shown!r} is not in the calendar") from None


class Algorithm(NamedTuple):
    """A signature algorithm: OID, name, hash, the encoding of its parameters, and what is wrong with them."""

    oid: str
    name: str
    hash: str | None
    parameters: bytes
    fault: str = ""


def algorithm(data: bytes, value: Tlv) -> Algorithm:
    """An AlgorithmIdentifier (RFC 5280 4.1.1.2) of a signature."""
    if value.tag != der.SEQUENCE:
        raise DerError(f"no algorithm at octet {value.start}")
    parts = der.children(data, value)
    if not parts:
        raise DerError(f"an empty algorithm at octet {value.start}")
    kind = der.oid(data, parts[0])
    title, digest = oids.SIGNATURES.get(kind, (kind, None))
    parameters = der.whole(data, parts[1]) if len(parts) > 1 else b""
    fault = ""
    if kind == oids.RSASSA_PSS:
        try:
            digest = pss_parameters(parameters)[0]
        except (DerError, IndexError):
            fault = "the RSASSA-PSS parameters cannot be read (RFC 4055 3.1)"
    return Algorithm(kind, title, digest, parameters, fault)


def pss_parameters(encoded: bytes) -> tuple[str | None, str | None, int]:
    """Hash, hash of the mask function, and salt length of RSASSA-PSS (RFC 4055 3.1; defaults SHA-1, 20)."""
    digest: str | None = "sha1"
    mask: str | None = "sha1"
    salt = 20
    if not encoded:
        return digest, mask, salt
    outer = der.expect(encoded, 0, len(encoded), der.SEQUENCE, "RSASSA-PSS parameters")
    for part in der.children(encoded, outer):
        inner = der.read(encoded, part.content, part.end)
        if part.tag == 0xA0:
            digest = oids.HASHES.get(der.oid(encoded, der.children(encoded, inner)[0]))
        elif part.tag == 0xA1:
            pieces = der.children(encoded, inner)
            mask = oids.HASHES.get(der.oid(encoded, der.children(encoded, pieces[1])[0])) if len(pieces) > 1 else None
        elif part.tag == 0xA2:
            salt = der.integer(encoded, inner)
    return digest, mask, salt


class Extension(NamedTuple):
    """An extension (RFC 5280 4.1): OID, criticality, where it stands, and its value's octets."""

    oid: str
    critical: bool
    place: Tlv
    value: bytes


def extensions(data: bytes, wrapper: Tlv) -> list[Extension]:
    """The extensions inside their explicit tag, in order."""
    sequence = der.expect(data, wrapper.content, wrapper.end, der.SEQUENCE, "extensions")
    if sequence.end != wrapper.end:
        raise DerError(f"octets follow the extensions at octet {sequence.end}")
    found = []
    for item in der.children(data, sequence):
        parts = der.children(data, item)
        critical = False
        if len(parts) == 3 and parts[1].tag == der.BOOLEAN:
            critical = der.content(data, parts[1]) not in (b"\x00", b"")
            del parts[1]
        if item.tag != der.SEQUENCE or len(parts) != 2 or parts[1].tag != der.OCTET_STRING:
            raise DerError(f"an extension of unknown form at octet {item.start}")
        found.append(Extension(der.oid(data, parts[0]), critical, item, der.content(data, parts[1])))
    return found
