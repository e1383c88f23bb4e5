"""A certificate's DER to its row of facts.

A pure function of bytes. It reads the encoding itself because the libraries that verify certificates
refuse many that incidents are about, and because one bad extension must not cost the rest of a row:
each part is read on its own, what cannot be read is null and is named among the problems.
"""

import hashlib
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from affidavit.evidence import der, oids, parts
from affidavit.evidence.der import DerError, Tlv
from affidavit.evidence.parts import Algorithm, Extension
from affidavit.evidence.sct import Sct, sct_list
from affidavit.serials import show_serial

MAX_OCTETS = 4 * 1024 * 1024


@dataclass(slots=True)
class Certificate:
    """What was read of one certificate: the row's values by column, its SCTs, and what failed.

    ``tbs`` and ``signature`` are the bytes that authenticity rests on, ``precert_tbs`` the TBS with poison
    and SCT list cut out; ``faults`` are (field, reason). ``algorithm`` is None where the two places that
    name it disagree (RFC 5280 4.1.1.2): such a signature does not verify.
    """

    der: bytes
    row: dict[str, Any]
    scts: list[Sct] = field(default_factory=list)
    faults: list[tuple[str, str]] = field(default_factory=list)
    tbs: bytes = b""
    precert_tbs: bytes = b""
    signature: bytes = b""
    algorithm: Algorithm | None = None
    spki: bytes = b""
    issuer_der: bytes = b""
    subject_der: bytes = b""


def sha256(data: bytes) -> str:
    """Lower-case hex SHA-256."""
    return hashlib.sha256(data).hexdigest()


def read_certificate(data: bytes) -> Certificate:
    """Read one certificate (RFC 5280 4.1); DerError only where not even its outline can be read."""
    if len(data) > MAX_OCTETS:
        raise DerError(f"a certificate of {len(data):,} octets; at most {MAX_OCTETS:,} are read")
    outer = der.expect(data, 0, len(data), der.SEQUENCE, "certificate")
    if outer.end != len(data):
        raise DerError(f"{len(data) - outer.end:,} octets follow the certificate")
    outline = der.children(data, outer)
    if len(outline) != 3 or outline[0].tag != der.SEQUENCE or outline[1].tag != der.SEQUENCE:
        raise DerError("not the three parts of a certificate")
    tbs, signature_algorithm, signature = outline
    fields = der.children(data, tbs)
    version = 1
    if fields and fields[0].tag == 0xA0:
        version = (
            der.small_integer(data, der.expect(data, fields[0].content, fields[0].end, der.INTEGER, "version")) + 1
        )
        del fields[0]
    if len(fields) < 6 or fields[0].tag != der.INTEGER or fields[3].tag != der.SEQUENCE:
        raise DerError("the certificate lacks some of serial number, algorithm, names, validity and key")
    serial, inner_algorithm, issuer, validity, subject, spki = fields[:6]
    found = Certificate(
        der=data,
        row=dict.fromkeys(_EMPTY),
        tbs=der.whole(data, tbs),
        spki=der.whole(data, spki),
        issuer_der=der.whole(data, issuer),
        subject_der=der.whole(data, subject),
    )
    row = found.row
    row["sha256"] = sha256(data)
    row["version"] = version
    row["issuer_der_sha256"] = sha256(found.issuer_der)
    row["subject_der_sha256"] = sha256(found.subject_der)
    row["spki_sha256"] = sha256(found.spki)

    def attempt(name: str, work: Callable[[], None]) -> None:
        try:
            work()
        except DerError as error:
            found.faults.append((name, str(error)))
        except (ValueError, IndexError, OverflowError):
            found.faults.append((name, "not of the form that RFC 5280 gives it"))

    attempt("serial", lambda: _serial(data, serial, row))
    attempt("issuer", lambda: _name(data, issuer, "issuer", found))
    attempt("subject", lambda: _name(data, subject, "subject", found))
    _validity(data, validity, found, attempt)
    attempt("signature", lambda: _signature(data, signature, found))
    attempt("signature_algorithm", lambda: _algorithm(data, signature_algorithm, inner_algorithm, found))
    attempt("key", lambda: _key(data, spki, row))
    wrapper = next((f for f in fields[6:] if f.tag == 0xA3), None)
    attempt("extensions", lambda: _extensions(data, wrapper, found, attempt))
    return found


_EMPTY = (
    "sha256", "kind", "serial", "serial_octets", "serial_der_octets", "serial_bits", "issuer", "issuer_cn",
    "issuer_der_sha256", "subject", "subject_cn", "subject_der_sha256", "not_before", "not_after",
    "validity_seconds", "version", "signature_algorithm", "signature_hash", "key_type", "key_bits", "spki_sha256",
    "dns_names", "ip_addresses", "policy_oids", "validation", "is_ca", "path_length", "key_usage",
    "extended_key_usage", "subject_key_id", "authority_key_id", "extension_oids", "extension_digests",
    "precert_tbs_sha256", "sct_count", "earliest_sct", "latest_sct",
)  # fmt: skip


def _serial(data: bytes, value: Tlv, row: dict[str, Any]) -> None:
    number = der.integer(data, value)
    row["serial"] = show_serial(number)
    row["serial_bits"] = abs(number).bit_length()
    row["serial_octets"] = max(1, (abs(number).bit_length() + 7) // 8)
    row["serial_der_octets"] = value.end - value.content


def _name(data: bytes, value: Tlv, which: str, found: Certificate) -> None:
    read = parts.name(data, value)
    found.row[which] = read.text
    found.row[f"{which}_cn"] = read.common_name
    found.faults += [(which, fault) for fault in read.faults]


def _validity(data: bytes, value: Tlv, found: Certificate, attempt: Callable[..., None]) -> None:
    row = found.row
    try:
        ends = der.children(data, value)
    except DerError as error:
        found.faults.append(("validity", str(error)))
        return
    if len(ends) != 2:
        found.faults.append(("validity", "not two times"))
        return

    def put(name: str, end: Tlv) -> None:
        row[name] = parts.time(data, end)

    attempt("not_before", lambda: put("not_before", ends[0]))
    attempt("not_after", lambda: put("not_after", ends[1]))
    if isinstance(row["not_before"], datetime) and isinstance(row["not_after"], datetime):
        # Both ends belong to the period, hence one second more than the difference (RFC 5280 4.1.2.5).
        row["validity_seconds"] = int((row["not_after"] - row["not_before"]).total_seconds()) + 1


def _signature(data: bytes, value: Tlv, found: Certificate) -> None:
    unused, octets = der.bit_string(data, value)
    if unused:
        raise DerError(f"a signature with {unused} unused bits")
    found.signature = octets


def _algorithm(data: bytes, outside: Tlv, inside: Tlv, found: Certificate) -> None:
    stated = parts.algorithm(data, outside)
    found.row["signature_algorithm"] = stated.name
    found.row["signature_hash"] = stated.hash
    if stated.fault:
        found.faults.append(("signature_hash", stated.fault))
    if der.whole(data, outside) == der.whole(data, inside):
        found.algorithm = stated
    else:
        # The outer one is not signed: whoever changes it makes another certificate out of a true one.
        found.faults.append(("signature_algorithm", "differs between the TBSCertificate and the certificate"))


def _key(data: bytes, spki: Tlv, row: dict[str, Any]) -> None:
    algorithm, key = der.children(data, spki)[:2]
    pieces = der.children(data, algorithm)
    kind = der.oid(data, pieces[0])
    row["key_type"] = name = oids.KEYS.get(kind, kind)
    if name in ("RSA", "RSA-PSS"):
        bits = der.bit_string(data, key)[1]
        numbers = der.expect(bits, 0, len(bits), der.SEQUENCE, "RSA key")
        modulus = der.expect(bits, numbers.content, numbers.end, der.INTEGER, "modulus")
        row["key_bits"] = int.from_bytes(der.content(bits, modulus), "big").bit_length()
    elif name == "EC" and len(pieces) > 1:
        row["key_bits"] = _curve_bits(data, pieces[1])
    elif name == "DSA" and len(pieces) > 1 and pieces[1].tag == der.SEQUENCE:
        row["key_bits"] = abs(der.integer(data, der.children(data, pieces[1])[0])).bit_length()
    else:
        row["key_bits"] = oids.FIXED_SIZE_KEYS.get(name)


def _curve_bits(data: bytes, value: Tlv) -> int | None:
    if value.tag == der.OID:
        return oids.CURVES.get(der.oid(data, value))
    field_id = der.children(data, der.children(data, value)[1])
    if field_id[1].tag == der.INTEGER:
        return abs(der.integer(data, field_id[1])).bit_length()
    return der.small_integer(data, der.children(data, field_id[1])[0])


# Key usages, policies and the like repeat octet for octet over a corpus.
_values = parts.Memo()


def _extensions(data: bytes, wrapper: Tlv | None, found: Certificate, attempt: Callable[..., None]) -> None:
    row = found.row
    every = parts.extensions(data, wrapper) if wrapper else []
    by_oid: dict[str, Extension] = {}
    twice = set()
    for one in every:
        if one.oid in by_oid:
            twice.add(one.oid)
        by_oid[one.oid] = one
    row["kind"] = "precertificate" if oids.POISON in by_oid else "certificate"
    row["extension_oids"] = [one.oid for one in every]
    row["extension_digests"] = [f"{one.oid}={sha256(der.whole(data, one.place))}" for one in every]
    cut = [one.place for one in every if one.oid in (oids.POISON, oids.SCT_LIST)]
    found.precert_tbs = _without(data, found, wrapper, cut)
    row["precert_tbs_sha256"] = sha256(found.precert_tbs)
    # What stands for an absent extension; a bad or repeated one leaves null.
    for oid, names, reader, absent in _READERS:
        if oid in twice:
            found.faults.append((names[0], f"the extension {oid} stands more than once"))
            continue
        if oid not in by_oid:
            row.update(zip(names, absent, strict=True))
            continue

        def put(value: bytes = by_oid[oid].value, names: tuple[str, ...] = names, reader: Any = reader) -> None:
            read = _values.get((reader, value))
            if read is None:
                read = _values.keep((reader, value), reader(value))
            # Lists are copied: a row is its own.
            row.update((n, list(v) if isinstance(v, list) else v) for n, v in zip(names, read, strict=True))

        attempt(names[0], put)
    known = {oids.VALIDATION[p] for p in row["policy_oids"] or () if p in oids.VALIDATION}
    row["validation"] = known.pop() if len(known) == 1 else None
    attempt("scts", lambda: _scts(by_oid.get(oids.SCT_LIST), oids.SCT_LIST in twice, found))


def _without(data: bytes, found: Certificate, wrapper: Tlv | None, cut: list[Tlv]) -> bytes:
    """The TBSCertificate with some extensions cut from its bytes, outer lengths mended (RFC 6962 3.2)."""
    if wrapper is None or not cut:
        return found.tbs
    outer = der.read(data, 0, len(data))
    tbs = der.read(data, outer.content, outer.end)
    sequence = der.read(data, wrapper.content, wrapper.end)
    kept, at = b"", sequence.content
    for place in cut:
        kept += data[at : place.start]
        at = place.end
    kept += data[at : sequence.end]
    # A TBS whose only extensions were cut has no extensions field at all.
    mended = der.wrap(wrapper.tag, der.wrap(der.SEQUENCE, kept)) if kept else b""
    body = data[tbs.content : wrapper.start] + mended + data[wrapper.end : tbs.end]
    return der.wrap(der.SEQUENCE, body)


def _scts(extension: Extension | None, twice: bool, found: Certificate) -> None:
    row = found.row
    if twice:
        raise DerError("the SCT list stands more than once")
    if extension is None:
        row["sct_count"] = 0
        return
    found.scts = sct_list(extension.value)
    row["sct_count"] = len(found.scts)
    stamps = [sct.timestamp for sct in found.scts]
    if None in stamps:
        raise DerError("the timestamp of an SCT lies outside the calendar")
    if stamps:
        row["earliest_sct"], row["latest_sct"] = min(filter(None, stamps)), max(filter(None, stamps))


def _one(value: bytes, tag: int, what: str) -> Tlv:
    found = der.expect(value, 0, len(value), tag, what)
    if found.end != len(value):
        raise DerError(f"{what}: octets follow the value")
    return found


def _alternative_names(value: bytes) -> tuple[list[str], list[str]]:
    dns, addresses = [], []
    for entry in der.children(value, _one(value, der.SEQUENCE, "subjectAltName")):
        octets = der.content(value, entry)
        if entry.tag == 0x82:
            try:
                dns.append(octets.decode("ascii"))
            except UnicodeDecodeError:
                raise DerError("a dNSName that is not ASCII (RFC 5280 4.2.1.6)") from None
        elif entry.tag == 0x87:
            if len(octets) not in (4, 16):
                raise DerError(f"an iPAddress of {len(octets)} octets")
            addresses.append(str(ipaddress.ip_address(octets)))
    return dns, addresses


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


def _policies(value: bytes) -> tuple[list[str]]:
    found = []
    for policy in der.children(value, _one(value, der.SEQUENCE, "certificatePolicies")):
        found.append(der.oid(value, der.children(value, policy)[0]))
    return (found,)


def _subject_key_id(value: bytes) -> tuple[str]:
    return (der.content(value, _one(value, der.OCTET_STRING, "subjectKeyIdentifier")).hex(),)


def _authority_key_id(value: bytes) -> tuple[str | None]:
    inside = der.children(value, _one(value, der.SEQUENCE, "authorityKeyIdentifier"))
    return (next((der.content(value, one).hex() for one in inside if one.tag == 0x80), None),)


_READERS: tuple[tuple[str, tuple[str, ...], Callable[[bytes], tuple[Any, ...]], tuple[Any, ...]], ...] = (
    (oids.SUBJECT_ALT_NAME, ("dns_names", "ip_addresses"), _alternative_names, ([], [])),
    (oids.BASIC_CONSTRAINTS, ("is_ca", "path_length"), _basic_constraints, (False, None)),
    (oids.KEY_USAGE, ("key_usage",), _key_usage, ([],)),
    (oids.EXTENDED_KEY_USAGE, ("extended_key_usage",), _extended_key_usage, ([],)),
    (oids.CERTIFICATE_POLICIES, ("policy_oids",), _policies, ([],)),
    (oids.SUBJECT_KEY_ID, ("subject_key_id",), _subject_key_id, (None,)),
    (oids.AUTHORITY_KEY_ID, ("authority_key_id",), _authority_key_id, (None,)),
)
