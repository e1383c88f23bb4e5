"""Parts that certificates and CRLs share: names, times, algorithms, extensions."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from affidavit.evidence import der, oids
from affidavit.evidence.der import DerError, Tlv

_STRINGS = {
    0x0C: "utf-8", 0x12: "ascii", 0x13: "ascii", 0x16: "ascii", 0x1A: "ascii", 0x14: "latin-1",
    0x1C: "utf-32-be", 0x1E: "utf-16-be", 0x1B: "ascii",
}  # fmt: skip


_SPECIAL = re.compile(r'[\x00-\x1f\x7f,+"\\<>;]|^[# ]| \Z')


@dataclass(frozen=True, slots=True)
class Name:
    """A distinguished name: its RFC 4514 form, its first common name, and what could not be read of it."""

    text: str
    common_name: str | None
    faults: tuple[str, ...] = ()


def _escape(value: str) -> str:
    """A value as RFC 4514 2.4 writes it; control characters as hex pairs."""
    if not _SPECIAL.search(value):
        return value
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
    """What was read before, by its bytes. It is emptied when full and keeps no long ones: no corpus can grow it."""

    def keep(self, key: bytes, value: Any) -> Any:
        """Remember a value and hand it back."""
        if len(self) >= 8192:
            self.clear()
        if len(key) <= 4096:
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
    faults: tuple[str, ...] = ()
    at, limit = value.content, value.end
    while at < limit:
        end = der.span(data, at, limit)[1]
        encoded = data[at:end]
        found: Name | None = _rdns.get(encoded)
        if found is None:
            found = _rdns.keep(encoded, _relative_name(data, der.read(data, at, limit)))
        # A SET with nothing in it has no form in RFC 4514.
        if found.text:
            rdns.append(found.text)
        if common is None:
            common = found.common_name
        faults += found.faults
        at = end
        if len(rdns) > der.MAX_ITEMS:
            raise DerError(f"more than {der.MAX_ITEMS:,} values inside the name at octet {value.start}")
    rdns.reverse()
    return Name(",".join(rdns), common, faults)


_rdns = Memo()


def _relative_name(data: bytes, rdn: Tlv) -> Name:
    if rdn.tag != der.SET:
        raise DerError(f"a relative name that is no SET at octet {rdn.start}")
    shown, faults = [], []
    common: str | None = None
    for pair in der.children(data, rdn):
        attribute = der.children(data, pair)
        if pair.tag != der.SEQUENCE or len(attribute) != 2:
            raise DerError(f"an attribute that is no pair at octet {pair.start}")
        kind = der.oid(data, attribute[0])
        title = oids.ATTRIBUTES.get(kind, kind)
        encoding = _STRINGS.get(attribute[1].tag)
        try:
            if encoding is None:
                raise ValueError(f"a value of tag {attribute[1].tag:02x}, which is no string")
            text = der.content(data, attribute[1]).decode(encoding)
        except ValueError as error:
            reason = str(error) if encoding is None else f"invalid {encoding} in a string"
            faults.append(f"{title}: {reason}")
            shown.append(f"{title}=#{der.whole(data, attribute[1]).hex().upper()}")
            continue
        if kind == oids.COMMON_NAME and common is None:
            common = text
        shown.append(f"{title}={_escape(text)}")
    # Reversed inside as well, as openssl has it.
    return Name("+".join(reversed(shown)), common, tuple(faults))


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


_ODD_UTC = re.compile(rb"(\d{10})(\d\d)?()(Z|[+-]\d{4})")
_ODD_GENERALIZED = re.compile(rb"(\d{12})(\d\d)?([.,]\d{1,30})?(Z|[+-]\d{4})")


def any_time(data: bytes, value: Tlv) -> tuple[datetime, str]:
    """A Time as naive UTC, and what RFC 5280 4.1.2.5 does not allow about it (empty: nothing).

    Other forms of X.680 46-47 are read where they name an instant: an offset, no seconds, a fraction (as openssl reads
    them). DerError where there is no instant, such as a local time without zone.
    """
    tag = data[value.start]
    octets = data[value.content : value.end]
    if tag == 0x17 and len(octets) == 13 and octets[12] == 0x5A and octets[:12].isdigit():
        digits = octets.decode()
        try:
            if digits[6:8] != "24":  # newer Pythons read midnight's other name
                century = "19" if octets[0] >= 0x35 else "20"
                return datetime.fromisoformat(f"{century}{digits[:6]}T{digits[6:12]}"), ""
        except ValueError:
            pass
        raise DerError(f"the time {digits!r} is not in the calendar")
    form = _ODD_UTC if tag == der.UTC_TIME else _ODD_GENERALIZED
    found = form.fullmatch(octets) if tag in (der.UTC_TIME, der.GENERALIZED_TIME) else None
    odd = [] if found else [""]
    if found and found[2] is None:
        odd.append("no seconds")
    if found and found[3]:
        odd.append("a fraction of a second")
    if found and found[4] != b"Z":
        odd.append("an offset from UTC")
    if not found or not odd:
        return time(data, value), ""
    shown = octets.decode()
    digits = (found[1] + (found[2] or b"00")).decode()
    if tag == der.UTC_TIME:
        digits = ("19" if int(digits[:2]) >= 50 else "20") + digits
    hours, minutes = (int(found[4][1:3]), int(found[4][3:5])) if found[4] != b"Z" else (0, 0)
    if hours > 12 or minutes > 59:
        raise DerError(f"the time {shown!r} has an offset that no place has")
    try:
        plain = datetime(int(digits[:4]), *(int(digits[i : i + 2]) for i in range(4, 14, 2)))  # type: ignore[arg-type]
        plain += timedelta(microseconds=int(found[3][1:7].ljust(6, b"0")) if found[3] else 0)
        away = timedelta(hours=hours, minutes=minutes)
        # A time of 12:00+01:00 is 11:00 in UTC.
        moment = plain + away if found[4][:1] == b"-" else plain - away
    except (ValueError, OverflowError):
        raise DerError(f"the time {shown!r} is not in the calendar") from None
    return moment, f"the time {shown!r} has {' and '.join(odd)}, which RFC 5280 4.1.2.5 does not allow"


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


class RawExtension(NamedTuple):
    """An extension as encoded: OID, the octets of its criticality (None where it is left out), its value's octets."""

    oid: str
    critical: bytes | None
    value: bytes


def extension(data: bytes, at: int, limit: int) -> RawExtension:
    """The extension (RFC 5280 4.1) at an offset."""
    content, end = der.span(data, at, limit)
    oid, named = der.span(data, content, end)
    critical, after = None, named
    if data[content] == der.OID and after < end and data[after] == der.BOOLEAN:
        begin, stop = der.span(data, after, end)
        critical, after = data[begin:stop], stop
    if after < end and data[at] == der.SEQUENCE and data[after] == der.OCTET_STRING:
        value, stop = der.span(data, after, end)
        if stop == end:
            name = der.oid(data, Tlv(data[content], content, oid, named))
            return RawExtension(name, critical, data[value:stop])
    raise DerError(f"an extension of unknown form at octet {at}")


def extensions(data: bytes, wrapper: Tlv) -> list[Extension]:
    """The extensions inside their explicit tag, in order."""
    sequence = der.expect(data, wrapper.content, wrapper.end, der.SEQUENCE, "extensions")
    if sequence.end != wrapper.end:
        raise DerError(f"octets follow the extensions at octet {sequence.end}")
    found = []
    for item in der.children(data, sequence):
        one = extension(data, item.start, item.end)
        found.append(Extension(one.oid, one.critical not in (None, b"", b"\x00"), item, one.value))
    return found
