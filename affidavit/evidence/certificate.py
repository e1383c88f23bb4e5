"""A certificate's DER to its row of facts.

A pure function of bytes. It reads the encoding itself because the libraries that verify certificates
refuse many that incidents are about, and because one bad extension must not cost the rest of a row:
each part is read on its own, what cannot be read is null and is named among the problems.
"""

from dataclasses import dataclass, field
from hashlib import sha256 as _sha256
from typing import Any

from affidavit.evidence import ber, certextensions, der, oids, parts
from affidavit.evidence.der import DerError, Tlv
from affidavit.evidence.parts import Algorithm
from affidavit.evidence.sct import Sct
from affidavit.serials import show_serial
from affidavit.tables import CERTIFICATES, Made

MAX_OCTETS = 4 * 1024 * 1024


@dataclass(slots=True)
class Certificate:
    """What was read of one certificate: the row's values by column, its SCTs, and what failed.

    ``tbs`` and ``signature`` are the bytes that authenticity rests on, ``precert_tbs`` the TBS with poison
    and SCT list cut out. ``faults`` are (field, reason) of what could not be read and is null, ``irregular`` of what
    was read although its form is wrong. ``algorithm`` is None where the two places that name it disagree (RFC 5280
    4.1.1.2): such a signature does not verify. ``readable`` is what places are looked up in: the DER itself, or of a
    certificate in BER the same values in definite lengths (:mod:`affidavit.evidence.ber`), which nothing is hashed of.
    """

    der: bytes
    row: dict[str, Any]
    scts: list[Sct] = field(default_factory=list)
    faults: list[tuple[str, str]] = field(default_factory=list)
    irregular: list[tuple[str, str]] = field(default_factory=list)
    tbs: bytes = b""
    precert_tbs: bytes = b""
    signature: bytes = b""
    algorithm: Algorithm | None = None
    spki: bytes = b""
    issuer_der: bytes = b""
    subject_der: bytes = b""
    readable: bytes = b""


def sha256(data: bytes) -> str:
    """Lower-case hex SHA-256."""
    return _sha256(data).hexdigest()


def read_certificate(data: bytes) -> Certificate:
    """Read one certificate (RFC 5280 4.1), of BER too; DerError only where not even its outline can be read."""
    if len(data) > MAX_OCTETS:
        raise DerError(f"a certificate of {len(data):,} octets; at most {MAX_OCTETS:,} are read")
    try:
        found = _read(data)
    except DerError:
        of_ber = _read_ber(data)
        if of_ber is None:
            raise
        return of_ber
    return (found.faults and _read_ber(data)) or found


def _read_ber(data: bytes) -> Certificate | None:
    """A certificate some of which is in BER that DER has not: its values; None where it is not.

    Fingerprint and TBS are of the octets as they stand, as is all that is hashed "as encoded": null where it does not
    stand so in the octets given. Nothing is cut for SCTs, whose rules know DER alone (RFC 6962 3.2).
    """
    try:
        plain = ber.definite(data)
        if plain == data:
            return None
        found = _read(plain)
        tbs = ber.first_inside(data)
    except DerError:
        return None
    row, cut = found.row, found.precert_tbs != found.tbs
    found.der, found.tbs = data, tbs
    row["sha256"] = _sha256(data).hexdigest()
    found.irregular.append(("encoding", "BER, not DER: an indefinite length, or a string in pieces (X.690 10.1, 10.2)"))
    reason = "not to be hashed: in BER its octets are not those of DER"
    for name, octets in (
        ("issuer_der_sha256", found.issuer_der), ("subject_der_sha256", found.subject_der), ("spki_sha256", found.spki),
    ):  # fmt: skip
        if octets not in data:
            row[name] = None
            found.faults.append((name, reason))
    found.precert_tbs = b"" if cut else tbs
    row["precert_tbs_sha256"] = None if cut else _sha256(tbs).hexdigest()
    if cut:
        found.faults.append(("precert_tbs_sha256", reason))
    return found


def _read(data: bytes) -> Certificate:
    """Read one certificate whose lengths are definite. DerError."""
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
        number = der.expect(data, fields[0].content, fields[0].end, der.INTEGER, "version")
        version = der.small_integer(data, number) + 1
        del fields[0]
    if len(fields) < 6 or fields[0].tag != der.INTEGER or fields[3].tag != der.SEQUENCE:
        raise DerError("the certificate lacks some of serial number, algorithm, names, validity and key")
    serial, inner_algorithm, issuer, validity, subject, spki = fields[:6]
    row: dict[str, Any] = _EMPTY.copy()
    found = Certificate(data, row)
    found.readable = data
    found.tbs = data[tbs.start : tbs.end]
    found.spki = data[spki.start : spki.end]
    found.issuer_der = data[issuer.start : issuer.end]
    found.subject_der = data[subject.start : subject.end]
    row["sha256"] = _sha256(data).hexdigest()
    row["version"] = version
    row["issuer_der_sha256"] = _issuer_digest(found.issuer_der)
    row["subject_der_sha256"] = _sha256(found.subject_der).hexdigest()
    row["spki_sha256"] = _sha256(found.spki).hexdigest()
    wrapper = None
    for one in fields[6:]:
        if one.tag == 0xA3:
            wrapper = one
            break
    for name, work, place in (
        ("serial", _serial, serial),
        ("issuer", _issuer, issuer),
        ("subject", _subject, subject),
        ("validity", _validity, validity),
        ("signature", _signature, signature),
    ):
        try:
            work(data, place, found)
        except _REFUSED as error:
            _fault(found, name, error)
    try:
        _algorithm(data, signature_algorithm, inner_algorithm, found)
    except _REFUSED as error:
        _fault(found, "signature_algorithm", error)
    try:
        _key(data, spki, row)
    except _REFUSED as error:
        _fault(found, "key", error)
    try:
        _extensions(data, wrapper, tbs, found)
    except _REFUSED as error:
        _fault(found, "extensions", error)
    return found


_REFUSED = (ValueError, IndexError, OverflowError)
_EMPTY: dict[str, Any] = dict.fromkeys(CERTIFICATES.made_when(Made.READ))


def _fault(found: Certificate, name: str, error: Exception) -> None:
    reason = str(error) if isinstance(error, DerError) else "not of the form that RFC 5280 gives it"
    found.faults.append((name, reason))


_issuer_digests = parts.Memo()


def _issuer_digest(encoded: bytes) -> str:
    found: str = _issuer_digests.get(encoded) or _issuer_digests.keep(encoded, _sha256(encoded).hexdigest())
    return found


def _serial(data: bytes, value: Tlv, found: Certificate) -> None:
    row = found.row
    number = der.integer(data, value)
    bits = abs(number).bit_length()
    row["serial"] = show_serial(number)
    row["serial_bits"] = bits
    row["serial_octets"] = max(1, (bits + 7) // 8)
    row["serial_der_octets"] = octets = value.end - value.content
    if octets > 1 and octets > (number if number >= 0 else ~number).bit_length() // 8 + 1:
        found.irregular.append(("serial", "the serial number is not in its shortest form (X.690 8.3.2)"))


def _issuer(data: bytes, value: Tlv, found: Certificate) -> None:
    read = parts.name(data, value)
    found.row["issuer"], found.row["issuer_cn"] = read.text, read.common_name
    found.faults += [("issuer", fault) for fault in read.faults]


def _subject(data: bytes, value: Tlv, found: Certificate) -> None:
    read = parts.name(data, value)
    found.row["subject"], found.row["subject_cn"] = read.text, read.common_name
    found.faults += [("subject", fault) for fault in read.faults]


def _validity(data: bytes, value: Tlv, found: Certificate) -> None:
    row = found.row
    ends = der.children(data, value)
    if len(ends) != 2:
        raise DerError("not two times")
    for name, end in (("not_before", ends[0]), ("not_after", ends[1])):
        try:
            row[name], odd = parts.any_time(data, end)
        except _REFUSED as error:
            _fault(found, name, error)
        else:
            if odd:
                found.irregular.append((name, odd))
    if row["not_before"] is not None and row["not_after"] is not None:
        # Both ends belong to the period, hence one second more than the difference (RFC 5280 4.1.2.5).
        period = row["not_after"] - row["not_before"]
        row["validity_seconds"] = seconds = period.days * 86_400 + period.seconds + 1
        row["validity_days"] = -(-seconds // 86_400)


def _signature(data: bytes, value: Tlv, found: Certificate) -> None:
    unused, octets = der.bit_string(data, value)
    if unused:
        raise DerError(f"a signature with {unused} unused bits")
    found.signature = octets


_algorithms = parts.Memo()


def _algorithm(data: bytes, outside: Tlv, inside: Tlv, found: Certificate) -> None:
    encoded = data[outside.start : outside.end]
    stated: Algorithm | None = _algorithms.get(encoded)
    if stated is None:
        stated = _algorithms.keep(encoded, parts.algorithm(data, outside))
    found.row["signature_algorithm"] = stated.name
    found.row["signature_hash"] = stated.hash
    if stated.fault:
        found.faults.append(("signature_hash", stated.fault))
    if encoded == data[inside.start : inside.end]:
        found.algorithm = stated
    else:
        # The outer one is not signed: whoever changes it makes another certificate out of a true one.
        found.faults.append(("signature_algorithm", "differs between the TBSCertificate and the certificate"))


_key_kinds = parts.Memo()


def _key(data: bytes, spki: Tlv, row: dict[str, Any]) -> None:
    algorithm, key = der.children(data, spki)[:2]
    encoded = data[algorithm.start : algorithm.end]
    kind: tuple[str, int | None, str] | None = _key_kinds.get(encoded)
    if kind is None:
        kind = _key_kinds.keep(encoded, _key_kind(data, algorithm))
    row["key_type"], row["key_bits"], fault = kind
    if fault:
        raise DerError(fault)
    if kind[0] in ("RSA", "RSA-PSS"):
        bits = der.bit_string(data, key)[1]
        numbers = der.expect(bits, 0, len(bits), der.SEQUENCE, "RSA key")
        modulus = der.expect(bits, numbers.content, numbers.end, der.INTEGER, "modulus")
        row["key_bits"] = int.from_bytes(bits[modulus.content : modulus.end], "big").bit_length()


def _key_kind(data: bytes, algorithm: Tlv) -> tuple[str, int | None, str]:
    """What a key's AlgorithmIdentifier says: name, size where it tells it, and what is wrong with its parameters."""
    pieces = der.children(data, algorithm)
    kind = der.oid(data, pieces[0])
    name = oids.KEYS.get(kind, kind)
    try:
        if name == "EC" and len(pieces) > 1:
            return name, _curve_bits(data, pieces[1]), ""
        if name == "DSA" and len(pieces) > 1 and pieces[1].tag == der.SEQUENCE:
            return name, abs(der.integer(data, der.children(data, pieces[1])[0])).bit_length(), ""
    except DerError as error:
        return name, None, str(error)
    except _REFUSED:
        return name, None, "not of the form that RFC 5280 gives it"
    return name, oids.FIXED_SIZE_KEYS.get(name), ""


def _curve_bits(data: bytes, value: Tlv) -> int | None:
    if value.tag == der.OID:
        return oids.CURVES.get(der.oid(data, value))
    field_id = der.children(data, der.children(data, value)[1])
    if field_id[1].tag == der.INTEGER:
        return abs(der.integer(data, field_id[1])).bit_length()
    return der.small_integer(data, der.children(data, field_id[1])[0])


def _extensions(data: bytes, wrapper: Tlv | None, tbs: Tlv, found: Certificate) -> None:
    read = certextensions.read(data, wrapper)
    found.row.update(read.row)
    found.scts = read.scts
    found.faults += read.faults
    found.irregular += read.irregular
    found.precert_tbs = found.tbs if wrapper is None or not read.cut else _without(data, tbs, wrapper, read.cut)
    found.row["precert_tbs_sha256"] = _sha256(found.precert_tbs).hexdigest()


def _without(data: bytes, tbs: Tlv, wrapper: Tlv, cut: list[tuple[int, int]]) -> bytes:
    """The TBSCertificate with some extensions cut from its bytes, outer lengths mended (RFC 6962 3.2)."""
    at, limit = der.span(data, wrapper.content, wrapper.end)
    kept = b""
    for begin, end in cut:
        kept += data[at:begin]
        at = end
    kept += data[at:limit]
    # A TBS whose only extensions were cut has no extensions field at all.
    mended = der.wrap(wrapper.tag, der.wrap(der.SEQUENCE, kept)) if kept else b""
    return der.wrap(der.SEQUENCE, data[tbs.content : wrapper.start] + mended + data[wrapper.end : tbs.end])
