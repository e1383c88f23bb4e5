"""A certificate revocation list's DER to its rows, and to what its signature rests on (RFC 5280 5)."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple, cast

from affidavit.evidence import crlentries, crlextensions, der, parts
from affidavit.evidence.crlextensions import Issuer
from affidavit.evidence.der import DerError, Tlv
from affidavit.evidence.item import Fault, Read
from affidavit.evidence.parts import Algorithm

MAX_OCTETS = 1 << 30
_TIMES = (der.UTC_TIME, der.GENERALIZED_TIME)


class Head(NamedTuple):
    """What a CRL's signature rests on; ``algorithm`` is None where its two places disagree (RFC 5280 5.1.1.2)."""

    sha256: str
    issuer_der: bytes
    tbs: bytes
    signature: bytes
    algorithm: Algorithm | None
    this_update: datetime | None
    next_update: datetime | None


class _Outline(NamedTuple):
    """Where the parts of a CRL stand; ``fields`` are those that do not belong there."""

    tbs: Tlv
    outer_algorithm: Tlv
    signature: Tlv
    version: Tlv | None
    inner_algorithm: Tlv
    issuer: Tlv
    this_update: Tlv
    next_update: Tlv | None
    entries: Tlv | None
    extensions: Tlv | None
    fields: Sequence[Tlv]


def _outline(data: bytes) -> _Outline:
    if len(data) > MAX_OCTETS:
        raise DerError(f"a CRL of {len(data):,} octets; at most {MAX_OCTETS:,} are read")
    outer = der.expect(data, 0, len(data), der.SEQUENCE, "CRL")
    if outer.end != len(data):
        raise DerError(f"{len(data) - outer.end:,} octets follow the CRL")
    pieces = der.children(data, outer)
    if [one.tag for one in pieces] != [der.SEQUENCE, der.SEQUENCE, der.BIT_STRING]:
        raise DerError("not the three parts of a CRL")
    fields = der.children(data, pieces[0])
    version = fields.pop(0) if fields and fields[0].tag == der.INTEGER else None
    if len(fields) < 3:
        raise DerError("the CRL lacks some of algorithm, issuer and thisUpdate")
    rest = fields[3:]
    next_update = rest.pop(0) if rest and rest[0].tag in _TIMES else None
    entries = rest.pop(0) if rest and rest[0].tag == der.SEQUENCE else None
    extensions = rest.pop(0) if rest and rest[0].tag == 0xA0 else None
    tbs, outer_algorithm, signature = pieces
    inner_algorithm, issuer, this_update = fields[:3]
    return _Outline(
        tbs, outer_algorithm, signature, version, inner_algorithm, issuer, this_update, next_update, entries,
        extensions, rest,
    )  # fmt: skip


def head(data: bytes) -> Head:
    """What a CRL's signature rests on, its entries unread. DerError where its outline cannot be read."""
    return _head(data, _outline(data), [])


def _head(data: bytes, outline: _Outline, faults: list[Fault]) -> Head:
    def time(name: str, value: Tlv | None) -> datetime | None:
        try:
            moment, odd = parts.any_time(data, value) if value else (None, "")
        except DerError as error:
            faults.append(Fault(0, name, str(error)))
            return None
        if odd:
            faults.append(Fault(0, name, odd, irregular=True))
        return moment

    unused, signature = der.bit_string(data, outline.signature)
    if unused:
        # The entries are told all the same; without a signature that fits they are nobody's word.
        faults.append(Fault(0, "signature", f"{unused} unused bits"))
    same = der.whole(data, outline.outer_algorithm) == der.whole(data, outline.inner_algorithm)
    if not same:
        # The outer one is not signed: whoever changes it makes another CRL out of a true one.
        faults.append(Fault(0, "signature_algorithm", "differs between the TBSCertList and the CRL"))
    return Head(
        sha256(data).hexdigest(),
        der.whole(data, outline.issuer),
        der.whole(data, outline.tbs),
        signature,
        parts.algorithm(data, outline.outer_algorithm) if same and not unused else None,
        time("this_update", outline.this_update),
        time("next_update", outline.next_update),
    )


def read(data: bytes) -> Read:
    """The rows of one CRL: itself in ``crls``, its entries in ``revocations``. DerError where it is none.

    An entry that cannot be read has no row but a fault ``entry N``; ``position`` counts it. The rows of
    ``revocations`` are `crlentries.Entries`: a sequence of rows, and Arrow batches of them.
    """
    outline = _outline(data)
    faults: list[Fault] = []
    found = _head(data, outline, faults)
    algorithm = parts.algorithm(data, outline.outer_algorithm)
    if algorithm.fault:
        faults.append(Fault(0, "signature_hash", algorithm.fault))
    _version(data, outline, faults)
    issuer = Issuer(_name(data, outline.issuer, faults), sha256(found.issuer_der).hexdigest())
    told = crlextensions.of_list(data, outline.extensions)
    faults += [Fault(0, "extensions", reason) for reason in told.wrong.unread]
    faults += [Fault(0, "extensions", reason, irregular=True) for reason in told.wrong.irregular]
    common = {
        "crl": found.sha256, "crl_number": told.row["crl_number"], "crl_scope": told.row["scope"],
        "this_update": found.this_update, "next_update": found.next_update,
    }  # fmt: skip
    entries = crlentries.read(data, outline.entries, issuer, common, told.indirect)
    faults += [Fault(0, *fault) for fault in entries.faults]
    crl: dict[str, Any] = {
        "sha256": found.sha256,
        "issuer": issuer.text,
        "issuer_der_sha256": issuer.der_sha256,
        "this_update": found.this_update,
        "next_update": found.next_update,
        **told.row,
        "signature_algorithm": algorithm.name,
        "signature_hash": algorithm.hash,
        "entries": entries.entries,
    }
    return Read({"crls": [crl], "revocations": cast(list[dict[str, Any]], entries)}, faults=faults)


def _version(data: bytes, outline: _Outline, faults: list[Fault]) -> None:
    version = 0
    try:
        version = der.small_integer(data, outline.version) if outline.version else 0
    except DerError as error:
        faults.append(Fault(0, "version", str(error), irregular=True))
    if version not in (0, 1):
        faults.append(Fault(0, "version", f"version {version + 1} was read as version 2", irregular=True))
    for one in outline.fields:
        faults.append(Fault(0, "", f"a field of tag {one.tag:02x} at octet {one.start} that no CRL has"))


def _name(data: bytes, value: Tlv, faults: list[Fault]) -> str | None:
    try:
        name = parts.name(data, value)
    except DerError as error:
        faults.append(Fault(0, "issuer", str(error)))
        return None
    faults += [Fault(0, "issuer", reason) for reason in name.faults]
    return name.text
