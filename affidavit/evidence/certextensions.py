"""Extensions of certificates to columns: each is read by itself, and a bad one costs its own columns alone.

Most extensions repeat octet for octet over a corpus. What they say is remembered by their octets; only those that
differ from one certificate to the next are read each time.
"""

import ipaddress
from collections.abc import Callable
from typing import Any, NamedTuple

from affidavit.evidence import ber, der, oids, parts
from affidavit.evidence.der import DerError, Tlv
from affidavit.evidence.sct import Sct, sct_list

Pairs = tuple[tuple[str, Any], ...]
Reader = Callable[[bytes], tuple[Any, ...]]
"""An extension's value to its columns; behind these, if anything is irregular though it was read, what that is."""


class Fact(NamedTuple):
    """What one extension says: its OID, values by column, and the field and reason of what is wrong with it."""

    oid: str
    values: Pairs
    fault: tuple[str, str] | None = None
    irregular: tuple[str, str] | None = None


class Extensions:
    """What the extensions of a certificate say.

    ``row``: values by column; ``cut``: where poison and SCT list stand, begin and end; ``scts``: the embedded SCTs.
    """

    __slots__ = ("cut", "faults", "irregular", "row", "scts")

    def __init__(self) -> None:
        self.row: dict[str, Any] = {
            "kind": "certificate", "extension_oids": [], "dns_names": [], "ip_addresses": [], "is_ca": False,
            "path_length": None, "key_usage": [], "extended_key_usage": [], "policy_oids": [], "validation": None,
            "subject_key_id": None, "authority_key_id": None, "sct_count": 0, "earliest_sct": None, "latest_sct": None,
        }  # fmt: skip
        self.cut: list[tuple[int, int]] = []
        self.scts: list[Sct] = []
        self.faults: list[tuple[str, str]] = []
        self.irregular: list[tuple[str, str]] = []


_facts = parts.Memo()


def read(data: bytes, wrapper: Tlv | None) -> Extensions:
    """The extensions inside their explicit tag; DerError where not even their outline can be read."""
    found = Extensions()
    if wrapper is None:
        return found
    at, limit = der.span(data, wrapper.content, wrapper.end)
    if data[wrapper.content] != der.SEQUENCE:
        der.expect(data, wrapper.content, wrapper.end, der.SEQUENCE, "extensions")
    if limit != wrapper.end:
        raise DerError(f"octets follow the extensions at octet {limit}")
    row, listed = found.row, found.row["extension_oids"]
    while at < limit:
        end = der.span(data, at, limit)[1]
        encoded = data[at:end]
        fact: Fact | None = _facts.get(encoded)
        if fact is None:
            fact = _fact(data, at, limit, encoded, found)
        listed.append(fact.oid)
        for name, value in fact.values:
            # Lists are copied: a row is its own.
            row[name] = value[:] if type(value) is list else value
        if fact.fault is not None:
            found.faults.append(fact.fault)
        if fact.irregular is not None:
            found.irregular.append(fact.irregular)
        if fact.oid in _CUT:
            found.cut.append((at, end))
        at = end
        if len(listed) > der.MAX_ITEMS:
            raise DerError(f"more than {der.MAX_ITEMS:,} extensions")
    if len(set(listed)) < len(listed):
        _repeated(found, listed)
    _promises(found)
    return found


def _fact(data: bytes, at: int, limit: int, encoded: bytes, found: Extensions) -> Fact:
    one = parts.extension(data, at, limit)
    irregular = None
    if one.critical not in (None, b"\xff"):
        what = "FALSE, which is left out" if one.critical == b"\0" else f"{one.critical.hex() or 'empty'}, not ff"
        irregular = ("extensions", f"the criticality of extension {one.oid} is encoded as {what} (X.690 11.1, 11.5)")
    if one.oid == oids.SCT_LIST:
        try:
            found.scts = sct_list(one.value)
        except DerError as error:
            return Fact(one.oid, (("sct_count", None),), ("scts", str(error)), irregular)
        return Fact(one.oid, (("sct_count", len(found.scts)),), None, irregular)
    known = READERS.get(one.oid)
    if known is None:
        fact = Fact(one.oid, (("kind", "precertificate"),) if one.oid == oids.POISON else (), None, irregular)
    else:
        names, reader = known
        try:
            values, loose = _values(reader, one.value, len(names))
            if loose:
                reasons = [irregular[1], loose] if irregular else [loose]
                irregular = (names[0] if len(reasons) == 1 else "extensions", "; ".join(reasons))
            fact = Fact(one.oid, tuple(zip(names, values, strict=True)), None, irregular)
        except DerError as error:
            fact = Fact(one.oid, tuple((name, None) for name in names), (names[0], str(error)), irregular)
        except (ValueError, IndexError, OverflowError):
            reason = "not of the form that RFC 5280 gives it"
            fact = Fact(one.oid, tuple((name, None) for name in names), (names[0], reason), irregular)
    if one.oid not in _EACH_ITS_OWN:
        _facts.keep(encoded, fact)
    return fact


def _values(reader: Reader, value: bytes, columns: int) -> tuple[tuple[Any, ...], str]:
    """What a reader makes of an extension's value, and what is irregular about it (empty: nothing)."""
    odd = ""
    try:
        found = reader(value)
    except DerError:
        plain = ber.readable(value)
        if plain == value:
            raise
        found, odd = reader(plain), "the extension's value is BER, not DER (X.690 10.1, 10.2)"
    if len(found) > columns:
        odd = f"{odd}; {found[-1]}" if odd else found[-1]
    return found[:columns], odd


def _repeated(found: Extensions, listed: list[str]) -> None:
    """An extension that stands more than once tells nothing."""
    for oid in dict.fromkeys(oid for oid in listed if listed.count(oid) > 1):
        reason = f"the extension {oid} stands more than once"
        if oid == oids.SCT_LIST:
            found.scts = []
            found.row["sct_count"] = None
            names: tuple[str, ...] = ("scts",)
        elif oid in READERS:
            names = READERS[oid][0]
            found.row.update(dict.fromkeys(names))
        else:
            continue
        found.faults = [fault for fault in found.faults if fault[0] != names[0]]
        found.faults.append((names[0], reason))


def _promises(found: Extensions) -> None:
    """The times of the SCTs."""
    if not found.scts:
        return
    stamps = [sct.timestamp for sct in found.scts]
    if None in stamps:
        found.faults.append(("scts", "the timestamp of an SCT lies outside the calendar"))
    else:
        whole = [stamp for stamp in stamps if stamp is not None]
        found.row["earliest_sct"], found.row["latest_sct"] = min(whole), max(whole)


def _one(value: bytes, tag: int, what: str) -> Tlv:
    found = der.expect(value, 0, len(value), tag, what)
    if found.end != len(value):
        raise DerError(f"{what}: octets follow the value")
    return found


def _alternative_names(value: bytes) -> tuple[Any, ...]:
    """The dNSNames, the iPAddresses; and what is irregular, if anything."""
    dns: list[str] = []
    addresses: list[str] = []
    _, _, at, limit = _one(value, der.SEQUENCE, "subjectAltName")
    count, odd = 0, False
    while at < limit:
        content, end = der.span(value, at, limit)
        tag = value[at]
        if tag == 0x82:
            try:
                dns.append(str(value[content:end], "ascii"))
            except UnicodeDecodeError:
                dns.append(str(value[content:end], "utf-8", "backslashreplace"))
                odd = True
        elif tag == 0x87:
            if end - content not in (4, 16):
                raise DerError(f"an iPAddress of {end - content} octets")
            addresses.append(str(ipaddress.ip_address(value[content:end])))
        elif tag not in _OTHER_NAMES:
            raise DerError(f"a value of tag {tag:02x}, which is no GeneralName (RFC 5280 4.2.1.6)")
        at = end
        count += 1
        if count > der.MAX_ITEMS:
            raise DerError(f"more than {der.MAX_ITEMS:,} names in the subjectAltName")
    return (dns, addresses, "a dNSName that is not ASCII (RFC 5280 4.2.1.6)") if odd else (dns, addresses)


#: otherName, rfc822Name, x400Address, directoryName, ediPartyName, URI, registeredID.
_OTHER_NAMES = frozenset((0xA0, 0x81, 0xA3, 0xA4, 0xA5, 0x86, 0x88))


def _basic_constraints(value: bytes) -> tuple[bool, int | None]:
    is_ca, length = False, None
    for one in der.children(value, _one(value, der.SEQUENCE, "basicConstraints")):
        if one.tag == der.BOOLEAN:
            is_ca = der.content(value, one) not in (b"\x00", b"")
        elif one.tag == der.INTEGER:
            length = der.small_integer(value, one)
    return is_ca, length


def _key_usage(value: bytes) -> tuple[list[str]]:
    octets = der.bit_string(value, _one(value, der.BIT_STRING, "keyUsage"))[1]
    bits = "".join(f"{octet:08b}" for octet in octets)
    return ([name for name, bit in zip(oids.KEY_USAGES, bits, strict=False) if bit == "1"],)


def _extended_key_usage(value: bytes) -> tuple[list[str]]:
    found = [der.oid(value, one) for one in der.children(value, _one(value, der.SEQUENCE, "extKeyUsage"))]
    return ([oids.EXTENDED_KEY_USAGES.get(one, one) for one in found],)


def _policies(value: bytes) -> tuple[list[str], str | None]:
    found = []
    for policy in der.children(value, _one(value, der.SEQUENCE, "certificatePolicies")):
        found.append(der.oid(value, der.children(value, policy)[0]))
    known = {oids.VALIDATION[one] for one in found if one in oids.VALIDATION}
    return found, known.pop() if len(known) == 1 else None


def _subject_key_id(value: bytes) -> tuple[str]:
    return (der.content(value, _one(value, der.OCTET_STRING, "subjectKeyIdentifier")).hex(),)


def _authority_key_id(value: bytes) -> tuple[str | None]:
    inside = der.children(value, _one(value, der.SEQUENCE, "authorityKeyIdentifier"))
    return (next((der.content(value, one).hex() for one in inside if one.tag == 0x80), None),)


READERS: dict[str, tuple[tuple[str, ...], Reader]] = {
    oids.SUBJECT_ALT_NAME: (("dns_names", "ip_addresses"), _alternative_names),
    oids.BASIC_CONSTRAINTS: (("is_ca", "path_length"), _basic_constraints),
    oids.KEY_USAGE: (("key_usage",), _key_usage),
    oids.EXTENDED_KEY_USAGE: (("extended_key_usage",), _extended_key_usage),
    oids.CERTIFICATE_POLICIES: (("policy_oids", "validation"), _policies),
    oids.SUBJECT_KEY_ID: (("subject_key_id",), _subject_key_id),
    oids.AUTHORITY_KEY_ID: (("authority_key_id",), _authority_key_id),
}
"""The columns that an extension fills, and what reads them."""
_CUT = {oids.POISON, oids.SCT_LIST}
_EACH_ITS_OWN = {oids.SUBJECT_ALT_NAME, oids.SUBJECT_KEY_ID}
COLUMNS = tuple(Extensions().row)
