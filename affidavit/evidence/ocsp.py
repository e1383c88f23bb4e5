"""An OCSP response's DER to its rows, and to what its signature rests on (RFC 6960 4.2)."""

from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple

from affidavit.evidence import der, oids, parts
from affidavit.evidence.der import DerError, Tlv
from affidavit.evidence.item import Fault, Read
from affidavit.evidence.parts import Algorithm
from affidavit.serials import show_serial

BASIC = "1.3.6.1.5.5.7.48.1.1"
STATUSES = {
    0: "successful", 1: "malformedRequest", 2: "internalError", 3: "tryLater", 5: "sigRequired", 6: "unauthorized",
}  # fmt: skip
HASHES = {
    **oids.HASHES, "1.2.840.113549.2.5": "md5", "1.2.840.113549.2.2": "md2",
}  # fmt: skip


class CertId(NamedTuple):
    """Which certificate a single response is about (RFC 6960 4.1.1): hashes in lower-case hex."""

    hash_algorithm: str
    issuer_name_hash: str
    issuer_key_hash: str
    serial: str


class Head(NamedTuple):
    """What a response's signature rests on; an unsigned error answer has no ``signature`` and no ``cert_ids``.

    ``responder_name`` is the DER of the responder's name, or ``responder_key`` the SHA-1 of its key.
    """

    sha256: str
    tbs: bytes
    signature: bytes
    algorithm: Algorithm | None
    responder_name: bytes | None
    responder_key: bytes | None
    certificates: tuple[bytes, ...]
    cert_ids: tuple[CertId | None, ...]


class _Outline(NamedTuple):
    data: bytes
    tbs: Tlv
    algorithm: Tlv
    signature: Tlv
    responder: Tlv
    produced_at: Tlv
    singles: tuple[Tlv, ...]
    certificates: tuple[Tlv, ...]


def _status(data: bytes) -> tuple[str, Tlv | None]:
    outer = der.expect(data, 0, len(data), der.SEQUENCE, "OCSP response")
    if outer.end != len(data):
        raise DerError(f"{len(data) - outer.end:,} octets follow the OCSP response")
    fields = der.children(data, outer)
    if not fields or fields[0].tag != der.ENUMERATED:
        raise DerError("an OCSP response without a status")
    code = der.small_integer(data, fields[0])
    return STATUSES.get(code, f"status {code}"), fields[1] if len(fields) > 1 else None


def _outline(data: bytes, wrapper: Tlv) -> _Outline:
    """The parts of a BasicOCSPResponse, with the octets that they stand in."""
    response = der.expect(data, wrapper.content, wrapper.end, der.SEQUENCE, "responseBytes")
    kind, octets = der.children(data, response)[:2]
    if der.oid(data, kind) != BASIC:
        raise DerError(f"a response of the kind {der.oid(data, kind)}; only id-pkix-ocsp-basic is read")
    inner = der.content(data, octets)
    basic = der.expect(inner, 0, len(inner), der.SEQUENCE, "BasicOCSPResponse")
    pieces = der.children(inner, basic)
    if len(pieces) < 3:
        raise DerError("a BasicOCSPResponse that lacks some of data, algorithm and signature")
    fields = der.children(inner, pieces[0])
    if fields and fields[0].tag == 0xA0:
        del fields[0]
    if len(fields) < 3:
        raise DerError("response data that lacks some of responder, time and responses")
    certificates: tuple[Tlv, ...] = ()
    if len(pieces) > 3 and pieces[3].tag == 0xA0:
        listed = der.expect(inner, pieces[3].content, pieces[3].end, der.SEQUENCE, "certificates")
        certificates = tuple(der.children(inner, listed))
    singles = tuple(der.children(inner, fields[2]))
    tbs, algorithm, signature = pieces[:3]
    return _Outline(inner, tbs, algorithm, signature, fields[0], fields[1], singles, certificates)


def head(data: bytes) -> Head:
    """What a response's signature rests on; DerError where its outline cannot be read."""
    digest = sha256(data).hexdigest()
    _, wrapper = _status(data)
    if wrapper is None:
        return Head(digest, b"", b"", None, None, None, (), ())
    basic = _outline(data, wrapper)
    inner = basic.data
    unused, signature = der.bit_string(inner, basic.signature)
    if unused:
        raise DerError(f"a signature with {unused} unused bits")
    who = der.read(inner, basic.responder.content, basic.responder.end)
    name = der.whole(inner, who) if basic.responder.tag == 0xA1 else None
    key = der.content(inner, who) if basic.responder.tag == 0xA2 else None
    return Head(
        digest,
        der.whole(inner, basic.tbs),
        signature,
        parts.algorithm(inner, basic.algorithm),
        name,
        key,
        tuple(der.whole(inner, one) for one in basic.certificates),
        tuple(_cert_id_or_none(inner, one) for one in basic.singles),
    )


def _cert_id_or_none(data: bytes, single: Tlv) -> CertId | None:
    try:
        return _cert_id(data, der.children(data, single)[0])
    except (DerError, IndexError, ValueError):
        return None


def _cert_id(data: bytes, value: Tlv) -> CertId:
    algorithm, name, key, serial = der.children(data, value)[:4]
    kind = der.oid(data, der.children(data, algorithm)[0])
    return CertId(
        HASHES.get(kind, kind),
        der.content(data, name).hex(),
        der.content(data, key).hex(),
        show_serial(der.integer(data, serial)),
    )


def read(data: bytes) -> Read:
    """The rows of one OCSP response, one for each single response; one in all where it has none."""
    status, wrapper = _status(data)
    base: dict[str, Any] = {"response_status": status, "response": sha256(data).hexdigest()}
    if wrapper is None:
        return Read({"ocsp": [{**base, "position": 1}]})
    basic = _outline(data, wrapper)
    inner, found = basic.data, Read()

    def time(value: Tlv, name: str) -> datetime | None:
        try:
            return parts.time(inner, value)
        except DerError as error:
            found.faults.append(Fault(0, name, str(error)))
            return None

    base["produced_at"] = time(basic.produced_at, "produced_at")
    base["signature_algorithm"] = parts.algorithm(inner, basic.algorithm).name
    base["responder"] = _responder(inner, basic.responder)
    rows = []
    for number, single in enumerate(basic.singles, 1):
        try:
            rows.append({**base, **_single(inner, single, time, found.faults, number), "position": number})
        except (DerError, IndexError, ValueError) as error:
            reason = str(error) if isinstance(error, DerError) else "not of the form of RFC 6960 4.2.1"
            found.faults.append(Fault(0, f"response {number}", reason))
    found.rows["ocsp"] = rows or [{**base, "position": 1}]
    found.issuers = [der.whole(inner, one) for one in basic.certificates]
    return found


def _responder(data: bytes, value: Tlv) -> str:
    who = der.read(data, value.content, value.end)
    if value.tag == 0xA1:
        return parts.name(data, who).text
    if value.tag == 0xA2:
        return der.content(data, who).hex()
    raise DerError(f"a responderID of tag {value.tag:02x}")


def _single(data: bytes, single: Tlv, time: Any, faults: list[Fault], number: int) -> dict[str, Any]:
    fields = der.children(data, single)
    about = _cert_id(data, fields[0])
    row: dict[str, Any] = {
        "serial": about.serial, "issuer_name_hash": about.issuer_name_hash, "issuer_key_hash": about.issuer_key_hash,
        "hash_algorithm": about.hash_algorithm,
    }  # fmt: skip
    status = fields[1]
    row["status"] = {0x80: "good", 0xA1: "revoked", 0x82: "unknown"}.get(status.tag)
    if row["status"] is None:
        raise DerError(f"a certStatus of tag {status.tag:02x}")
    if status.tag == 0xA1:
        inside = der.children(data, status)
        row["revoked_at"] = time(inside[0], f"response {number}")
        row["reason"], row["reason_given"] = oids.REASONS[0], False
        if len(inside) > 1:
            code = der.small_integer(data, der.read(data, inside[1].content, inside[1].end))
            row["reason"], row["reason_given"] = oids.REASONS.get(code), True
            if code not in oids.REASONS:
                faults.append(Fault(0, f"response {number}", f"the reason code {code} is not defined"))
    row["this_update"] = time(fields[2], f"response {number}")
    for one in fields[3:]:
        if one.tag == 0xA0:
            row["next_update"] = time(der.read(data, one.content, one.end), f"response {number}")
        elif one.tag == 0xA1:
            _extensions(data, one, faults, number)
    return row


def _extensions(data: bytes, wrapper: Tlv, faults: list[Fault], number: int) -> None:
    for one in parts.extensions(data, wrapper):
        if one.oid == oids.CRL_REASON:
            reason = "a reasonCode among the singleExtensions (BR 7.3.2 forbids it)"
            faults.append(Fault(0, f"response {number}", reason, irregular=True))
