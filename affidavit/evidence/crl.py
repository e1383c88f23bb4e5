"""A certificate revocation list's DER to its entries (RFC 5280 5.1)."""

from dataclasses import dataclass, field
from datetime import datetime

from affidavit.evidence import der, oids, parts
from affidavit.evidence.der import DerError, Tlv
from affidavit.evidence.parts import Algorithm
from affidavit.serials import show_serial


@dataclass(slots=True)
class Crl:
    """What was read of a CRL; entries are (serial, revocation date, reason). Faults are (field, reason).

    ``algorithm`` is None where the two places that name it disagree (RFC 5280 5.1.1.2).
    """

    issuer: str
    issuer_der: bytes
    this_update: datetime | None
    next_update: datetime | None
    tbs: bytes
    signature: bytes
    algorithm: Algorithm | None
    entries: list[tuple[str, datetime | None, str | None]] = field(default_factory=list)
    faults: list[tuple[str, str]] = field(default_factory=list)


def read_crl(data: bytes) -> Crl:
    """Read one CRL; DerError where its outline cannot be read."""
    outer = der.expect(data, 0, len(data), der.SEQUENCE, "CRL")
    if outer.end != len(data):
        raise DerError(f"{len(data) - outer.end:,} octets follow the CRL")
    outline = der.children(data, outer)
    if len(outline) != 3 or outline[0].tag != der.SEQUENCE:
        raise DerError("not the three parts of a CRL")
    fields = der.children(data, outline[0])
    if fields and fields[0].tag == der.INTEGER:
        del fields[0]
    if len(fields) < 3:
        raise DerError("the CRL lacks some of algorithm, issuer and thisUpdate")
    issuer = parts.name(data, fields[1])
    unused, signature = der.bit_string(data, outline[2])
    if unused:
        raise DerError(f"a signature with {unused} unused bits")
    found = Crl(
        issuer.text,
        der.whole(data, fields[1]),
        None,
        None,
        der.whole(data, outline[0]),
        signature,
        parts.algorithm(data, outline[1]),
    )
    if der.whole(data, fields[0]) != der.whole(data, outline[1]):
        found.algorithm = None
        found.faults.append(("signature_algorithm", "differs between the TBSCertList and the CRL"))
    found.faults += [("issuer", fault) for fault in issuer.faults]
    found.this_update = _time(data, fields[2], "this_update", found)
    rest = fields[3:]
    if rest and rest[0].tag in (der.UTC_TIME, der.GENERALIZED_TIME):
        found.next_update = _time(data, rest[0], "next_update", found)
        del rest[0]
    if rest and rest[0].tag == der.SEQUENCE:
        for number, entry in enumerate(der.children(data, rest[0]), 1):
            try:
                found.entries.append(_entry(data, entry, number, found))
            except DerError as error:
                found.faults.append((f"entry {number}", str(error)))
            except IndexError:
                found.faults.append((f"entry {number}", "lacks its serial number or its date"))
    return found


def _time(data: bytes, value: Tlv, name: str, found: Crl) -> datetime | None:
    try:
        return parts.time(data, value)
    except DerError as error:
        found.faults.append((name, str(error)))
        return None


def _entry(data: bytes, entry: Tlv, number: int, found: Crl) -> tuple[str, datetime | None, str | None]:
    values = der.children(data, entry)
    serial = show_serial(der.integer(data, values[0]))
    revoked = _time(data, values[1], f"entry {number}", found)
    # An absent reason code means "unspecified" (RFC 5280 5.3.1); one that cannot be read means nothing.
    reason: str | None = oids.REASONS[0]
    if len(values) > 2:
        wrapper = Tlv(0xA0, values[2].start, values[2].start, values[2].end)
        for extension in parts.extensions(data, wrapper):
            if extension.oid == oids.CRL_REASON:
                reason = _reason(extension.value, number, found)
            elif extension.critical:
                # certificateIssuer (RFC 5280 5.3.3) says that this entry, and those after it, are another CA's.
                raise DerError(f"a critical extension {extension.oid} that is not understood")
    return serial, revoked, reason


def _reason(value: bytes, number: int, found: Crl) -> str | None:
    try:
        code = der.small_integer(value, der.expect(value, 0, len(value), der.ENUMERATED, "reasonCode"))
    except DerError as error:
        found.faults.append((f"entry {number}", str(error)))
        return None
    if code not in oids.REASONS:
        found.faults.append((f"entry {number}", f"the reason code {code} is not defined"))
    return oids.REASONS.get(code)
