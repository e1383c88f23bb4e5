"""An OCSP response's DER to its rows, and to what its signature rests on (RFC 6960 4.2)."""

from collections import Counter
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
NONCE, ARCHIVE_CUTOFF = "1.3.6.1.5.5.7.48.1.2", "1.3.6.1.5.5.7.48.1.6"
#: Extensions that change nothing about what the response means beyond what is read of them: nonce and extended revoke.
_OF_RESPONSES = {NONCE, "1.3.6.1.5.5.7.48.1.9"}
#: Those of a single response: archive cutoff, CRL references, SCTs; of CRL entries (RFC 6960 4.4.5) reasonCode,
#: holdInstructionCode and invalidityDate.
_OF_SINGLES = {
    ARCHIVE_CUTOFF, "1.3.6.1.5.5.7.48.1.3", "1.3.6.1.4.1.11129.2.4.5", oids.CRL_REASON, "2.5.29.23", "2.5.29.24",
}  # fmt: skip
_MAX_NONCE = 128
_STATUS = {0x80: "good", 0xA1: "revoked", 0x82: "unknown"}


class CertId(NamedTuple):
    """Which certificate a single response is about (RFC 6960 4.1.1): hashes in lower-case hex."""

    hash_algorithm: str
    issuer_name_hash: str
    issuer_key_hash: str
    serial: str


class Head(NamedTuple):
    """What a response's signature rests on; an unsigned error answer has no ``signature`` and no ``cert_ids``.

    ``algorithm`` is None where the signature is not of whole octets. ``responder_name`` is the DER of the responder's
    name, or ``responder_key`` the SHA-1 of its key.
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
    """Where the parts of a BasicOCSPResponse stand in ``data``."""

    data: bytes
    tbs: Tlv
    algorithm: Tlv
    signature: Tlv
    version: Tlv | None
    responder: Tlv
    produced_at: Tlv
    singles: tuple[Tlv, ...]
    extensions: Tlv | None
    certificates: tuple[Tlv, ...]


class _Answer(NamedTuple):
    """An OCSPResponse: its status, responseBytes where they are to be read, and what is wrong with it."""

    status: str
    wrapper: Tlv | None
    wrong: str = ""


def _answer(data: bytes) -> _Answer:
    outer = der.expect(data, 0, len(data), der.SEQUENCE, "OCSP response")
    if outer.end != len(data):
        raise DerError(f"{len(data) - outer.end:,} octets follow the OCSP response")
    fields = der.children(data, outer)
    if not fields or fields[0].tag != der.ENUMERATED:
        raise DerError("an OCSP response without a status")
    if len(fields) > 2 or [one.tag for one in fields[1:]] not in ([], [0xA0]):
        raise DerError("an OCSP response of other parts than a status and responseBytes")
    code = der.small_integer(data, fields[0])
    status = STATUSES.get(code, f"status {code}")
    if code == 0 and len(fields) == 1:
        return _Answer(status, None, "a successful answer without a response (RFC 6960 4.2.1)")
    if code != 0 and len(fields) > 1:
        # The status is not signed, and what is beside an error is no answer: neither may lend the other its weight.
        return _Answer(status, None, f"a response beside the error {status} was not read (RFC 6960 4.2.1)")
    return _Answer(status, fields[1] if len(fields) > 1 else None)


def _outline(data: bytes, wrapper: Tlv) -> _Outline:
    """The parts of a BasicOCSPResponse, with the octets that they stand in."""
    response = der.children(data, der.expect(data, wrapper.content, wrapper.end, der.SEQUENCE, "responseBytes"))
    if len(response) != 2 or response[1].tag != der.OCTET_STRING:
        raise DerError("responseBytes that are no kind and octets")
    if (kind := der.oid(data, response[0])) != BASIC:
        raise DerError(f"a response of the kind {kind}; only id-pkix-ocsp-basic is read")
    inner = der.content(data, response[1])
    basic = der.expect(inner, 0, len(inner), der.SEQUENCE, "BasicOCSPResponse")
    if basic.end != len(inner):
        raise DerError(f"{len(inner) - basic.end:,} octets follow the BasicOCSPResponse")
    pieces = der.children(inner, basic)
    if [one.tag for one in pieces[:3]] != [der.SEQUENCE, der.SEQUENCE, der.BIT_STRING]:
        raise DerError("a BasicOCSPResponse that lacks some of data, algorithm and signature")
    fields = der.children(inner, pieces[0])
    version = fields.pop(0) if fields and fields[0].tag == 0xA0 else None
    if len(fields) < 3 or fields[2].tag != der.SEQUENCE:
        raise DerError("response data that lacks some of responder, time and responses")
    certificates: tuple[Tlv, ...] = ()
    if len(pieces) > 3 and pieces[3].tag == 0xA0:
        listed = der.expect(inner, pieces[3].content, pieces[3].end, der.SEQUENCE, "certificates")
        certificates = tuple(der.children(inner, listed))
    tbs, algorithm, signature = pieces[:3]
    extensions = fields[3] if len(fields) > 3 and fields[3].tag == 0xA1 else None
    return _Outline(
        inner, tbs, algorithm, signature, version, fields[0], fields[1], tuple(der.children(inner, fields[2])),
        extensions, certificates,
    )  # fmt: skip


def head(data: bytes) -> Head:
    """What a response's signature rests on; DerError where its outline cannot be read, as `read` says, too."""
    digest = sha256(data).hexdigest()
    wrapper = _answer(data).wrapper
    if wrapper is None:
        return Head(digest, b"", b"", None, None, None, (), ())
    basic = _outline(data, wrapper)
    inner = basic.data
    unused, signature = der.bit_string(inner, basic.signature)
    algorithm = parts.algorithm(inner, basic.algorithm)
    who = _who(inner, basic.responder)
    return Head(
        digest,
        der.whole(inner, basic.tbs),
        signature,
        None if unused else algorithm,
        der.whole(inner, who) if basic.responder.tag == 0xA1 else None,
        der.content(inner, who) if basic.responder.tag == 0xA2 else None,
        tuple(der.whole(inner, one) for one in basic.certificates),
        tuple(_cert_id_or_none(inner, one) for one in basic.singles),
    )


def _who(data: bytes, value: Tlv) -> Tlv:
    """The name or the key's hash in a ResponderID."""
    tag = {0xA1: der.SEQUENCE, 0xA2: der.OCTET_STRING}.get(value.tag)
    if tag is None:
        raise DerError(f"a responderID of tag {value.tag:02x}")
    return der.expect(data, value.content, value.end, tag, "responderID")


def _cert_id_or_none(data: bytes, single: Tlv) -> CertId | None:
    try:
        return _cert_id(data, der.children(data, single)[0])
    except (DerError, IndexError):
        return None


def _cert_id(data: bytes, value: Tlv) -> CertId:
    fields = der.children(data, value)
    if [one.tag for one in fields] != [der.SEQUENCE, der.OCTET_STRING, der.OCTET_STRING, der.INTEGER]:
        raise DerError("a CertID of other parts than algorithm, two hashes and serial number")
    algorithm, name, key, serial = fields
    kind = der.oid(data, der.children(data, algorithm)[0])
    return CertId(
        HASHES.get(kind, kind),
        der.content(data, name).hex(),
        der.content(data, key).hex(),
        show_serial(der.integer(data, serial)),
    )


def read(data: bytes) -> Read:
    """The rows of one OCSP response, one for each single response; one in all where it has none.

    DerError where it is none. A single response that cannot be read, or has a critical extension that is not understood
    (RFC 6960 4.4), has no row but a fault ``response N``; ``position`` counts it.
    """
    answer = _answer(data)
    base: dict[str, Any] = {"response_status": answer.status, "response": sha256(data).hexdigest()}
    if answer.wrapper is None:
        faults = [Fault(0, "response_status", answer.wrong)] if answer.wrong else []
        return Read({"ocsp": [{**base, "position": 1}]}, faults=faults)
    basic = _outline(data, answer.wrapper)
    return _Reading(basic, base).read()


class _Reading:
    """Reads one BasicOCSPResponse."""

    def __init__(self, basic: _Outline, base: dict[str, Any]) -> None:
        self.basic = basic
        self.data = basic.data
        self.base = base
        self.found = Read()

    def fault(self, name: str, reason: str, *, irregular: bool = False) -> None:
        self.found.faults.append(Fault(0, name, reason, irregular))

    def read(self) -> Read:
        basic, found = self.basic, self.found
        self._version()
        algorithm = parts.algorithm(self.data, basic.algorithm)
        if der.bit_string(self.data, basic.signature)[0]:
            self.fault("signature", "it is not of whole octets")
        self.base["produced_at"] = self.time(basic.produced_at, "produced_at")
        self.base["signature_algorithm"] = algorithm.name
        self.base["responder"] = self._responder()
        self.base["nonce"] = self._nonce()
        rows = []
        for number, single in enumerate(basic.singles, 1):
            try:
                rows.append({**self.base, **self._single(single, f"response {number}"), "position": number})
            except (DerError, IndexError) as error:
                reason = str(error) if isinstance(error, DerError) else "not of the form of RFC 6960 4.2.1"
                self.fault(f"response {number}", reason)
        found.rows["ocsp"] = rows or [{**self.base, "position": 1}]
        found.issuers = [der.whole(self.data, one) for one in basic.certificates]
        return found

    def time(self, value: Tlv, name: str) -> datetime | None:
        """A GeneralizedTime (RFC 6960 4.2.2.1); null and named where it cannot be read."""
        try:
            moment, odd = parts.any_time(self.data, value)
        except DerError as error:
            self.fault(name, str(error))
            return None
        if value.tag != der.GENERALIZED_TIME:
            odd = odd or "a UTCTime where a GeneralizedTime belongs"
        if odd:
            self.fault(name, odd, irregular=True)
        return moment

    def _version(self) -> None:
        if (wrapper := self.basic.version) is None:
            return
        try:
            number = der.small_integer(
                self.data, der.expect(self.data, wrapper.content, wrapper.end, der.INTEGER, "version")
            )
        except DerError as error:
            self.fault("version", str(error), irregular=True)
            return
        if number:
            self.fault("version", f"version {number + 1} was read as version 1", irregular=True)

    def _responder(self) -> str | None:
        who = _who(self.data, self.basic.responder)
        if self.basic.responder.tag == 0xA2:
            return der.content(self.data, who).hex()
        try:
            name = parts.name(self.data, who)
        except DerError as error:
            self.fault("responder", str(error))
            return None
        for reason in name.faults:
            self.fault("responder", reason)
        return name.text

    def _extensions(self, wrapper: Tlv | None, known: set[str], name: str) -> dict[str, parts.Extension]:
        """By OID those that stand there once; DerError where a critical one is not understood."""
        listed = parts.extensions(self.data, wrapper) if wrapper else []
        for one in listed:
            if one.critical and one.oid not in known:
                raise DerError(f"a critical extension {one.oid} that is not understood (RFC 6960 4.4)")
        often = Counter(one.oid for one in listed)
        for oid in sorted(oid for oid, number in often.items() if number > 1):
            self.fault(name, f"the extension {oid} stands more than once", irregular=oid not in known)
        return {one.oid: one for one in listed if often[one.oid] == 1}

    def _nonce(self) -> str | None:
        """The nonce in hex: an OCTET STRING (RFC 8954 2.1), or the octets that old responders put there as they are."""
        try:
            found = self._extensions(self.basic.extensions, _OF_RESPONSES, "extensions").get(NONCE)
        except DerError as error:
            self.fault("extensions", f"{error}: the response must not be relied on")
            return None
        if found is None:
            return None
        value = found.value
        try:
            inner = der.expect(value, 0, len(value), der.OCTET_STRING, "nonce")
            value = der.content(value, inner) if inner.end == len(value) else value
        except DerError:
            pass
        return value[:_MAX_NONCE].hex()

    def _single(self, single: Tlv, name: str) -> dict[str, Any]:
        data = self.data
        fields = der.children(data, single)
        if single.tag != der.SEQUENCE or len(fields) < 3:
            raise DerError("a single response that lacks some of CertID, status and thisUpdate")
        row: dict[str, Any] = _cert_id(data, fields[0])._asdict()
        row["status"] = _STATUS.get(fields[1].tag)
        if row["status"] is None:
            raise DerError(f"a certStatus of tag {fields[1].tag:02x}")
        said = {one.tag: one for one in fields[3:]}
        if len(said) < len(fields) - 3 or not said.keys() <= {0xA0, 0xA1}:
            raise DerError("a single response with fields that it should not have")
        more = self._extensions(said.get(0xA1), _OF_SINGLES, name)
        if oids.CRL_REASON in more:
            self.fault(name, "a reasonCode among the singleExtensions (BR 7.3.2 forbids it)", irregular=True)
        if row["status"] == "revoked":
            row |= self._revocation(fields[1], name)
        row["this_update"] = self.time(fields[2], name)
        if 0xA0 in said:
            row["next_update"] = self.time(der.read(data, said[0xA0].content, said[0xA0].end), name)
        if ARCHIVE_CUTOFF in more:
            row["archive_cutoff"] = self._cutoff(more[ARCHIVE_CUTOFF].value, name)
        return row

    def _revocation(self, value: Tlv, name: str) -> dict[str, Any]:
        inside = der.children(self.data, value)
        row: dict[str, Any] = {"revoked_at": self.time(inside[0], name)}
        row["reason"], row["reason_given"] = oids.REASONS[0], False
        if len(inside) > 1:
            given = der.expect(self.data, inside[1].content, inside[1].end, der.ENUMERATED, "revocationReason")
            code = der.small_integer(self.data, given)
            row["reason"], row["reason_given"] = oids.REASONS.get(code), True
            if code not in oids.REASONS:
                self.fault(name, f"the reason code {code} is not defined")
        return row

    def _cutoff(self, value: bytes, name: str) -> datetime | None:
        try:
            return parts.time(value, der.expect(value, 0, len(value), der.GENERALIZED_TIME, "archiveCutoff"))
        except DerError as error:
            self.fault(name, f"archiveCutoff: {error}")
            return None
