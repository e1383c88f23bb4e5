"""The extensions of certificate revocation lists and of their entries (RFC 5280 5.2 and 5.3)."""

from collections.abc import Callable, Container, Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple, TypeVar

from affidavit.evidence import der, oids, parts
from affidavit.evidence.der import DerError, Tlv
from affidavit.evidence.parts import Extension

CRL_NUMBER, DELTA_CRL, ISSUING_DISTRIBUTION_POINT = "2.5.29.20", "2.5.29.27", "2.5.29.28"
INVALIDITY_DATE, CERTIFICATE_ISSUER = "2.5.29.24", "2.5.29.29"
#: Those that are read, by name.
_OF_LISTS = {
    CRL_NUMBER: "cRLNumber",
    DELTA_CRL: "deltaCRLIndicator",
    ISSUING_DISTRIBUTION_POINT: "issuingDistributionPoint",
}
_OF_ENTRIES = {
    oids.CRL_REASON: "reasonCode",
    INVALIDITY_DATE: "invalidityDate",
    CERTIFICATE_ISSUER: "certificateIssuer",
}
_NAMES = _OF_LISTS | _OF_ENTRIES
#: Those that change nothing about what the list or its entries mean: authorityKeyIdentifier, issuerAltName,
#: freshestCRL, authorityInfoAccess, expiredCertsOnCRL (X.509 9.5.2.8); holdInstructionCode.
_OTHERS_OF_LISTS = {oids.AUTHORITY_KEY_ID, "2.5.29.18", "2.5.29.46", "1.3.6.1.5.5.7.1.1", "2.5.29.60"}
_OTHERS_OF_ENTRIES = {"2.5.29.23"}
_MAX_NUMBER_OCTETS = 128


class Issuer(NamedTuple):
    """Name of the CA whose certificates are revoked: in RFC 4514 form, and SHA-256 of its encoding."""

    text: str | None
    der_sha256: str


class Wrong(NamedTuple):
    """What is wrong with extensions: what was not read, and what was although its form is not right."""

    unread: list[str]
    irregular: list[str]


# --- of entries -------------------------------------------------------------------------------------------------------


class Said(NamedTuple):
    """What an entry's extensions say. An absent reasonCode means ``unspecified`` (RFC 5280 5.3.1)."""

    reason: str | None = oids.REASONS[0]
    reason_given: bool = False
    invalidity_date: datetime | None = None


class Named(NamedTuple):
    """A certificateIssuer; where it cannot be read the reason."""

    issuer: Issuer | None
    critical: bool
    reason: str = ""


class EntryExtensions(NamedTuple):
    """An entry's extensions: what they say, the CA that they name, and what is wrong with them."""

    said: Said
    named: Named | None
    wrong: Wrong


def of_entry(data: bytes, value: Tlv) -> EntryExtensions:
    """Read ``crlEntryExtensions``. DerError where it is not known what the entry means."""
    wrong = Wrong([], [])
    found = _by_oid(parts.extensions(data, Tlv(0xA0, value.start, value.start, value.end)), _OF_ENTRIES, wrong)
    if unknown := _unknown(found, _OF_ENTRIES.keys() | _OTHERS_OF_ENTRIES):
        raise DerError(f"a critical extension {unknown[0]} that is not understood (RFC 5280 5.3)")
    given = oids.CRL_REASON in found
    reason = _value(found, oids.CRL_REASON, _reason, wrong) if given else oids.REASONS[0]
    date = _value(found, INVALIDITY_DATE, _date, wrong)
    named = _named(found[CERTIFICATE_ISSUER]) if CERTIFICATE_ISSUER in found else None
    return EntryExtensions(Said(reason, given, date), named, wrong)


def _reason(value: bytes) -> str:
    code = der.small_integer(value, _whole(value, der.ENUMERATED))
    if code not in oids.REASONS:
        raise DerError(f"the reason code {code} is not defined")
    return oids.REASONS[code]


def _date(value: bytes) -> datetime:
    return parts.time(value, _whole(value, der.GENERALIZED_TIME))


def _named(one: Extension | None) -> Named:
    if one is None:
        return Named(None, True, "certificateIssuer stands more than once")
    try:
        for general in der.children(one.value, _whole(one.value, der.SEQUENCE)):
            if general.tag == 0xA4:  # directoryName
                inner = der.read(one.value, general.content, general.end)
                text = parts.name(one.value, inner).text
                return Named(Issuer(text, sha256(der.whole(one.value, inner)).hexdigest()), one.critical)
        raise DerError("no directory name stands in it")
    except DerError as error:
        return Named(None, one.critical, f"certificateIssuer cannot be read: {error}")


# --- of lists ---------------------------------------------------------------------------------------------------------


class Scope(NamedTuple):
    """What an issuingDistributionPoint says (RFC 5280 5.2.5): words for the scope, URLs, whether it is indirect."""

    words: tuple[str, ...] = ()
    urls: list[str] | None = None
    indirect: bool = False


class ListExtensions(NamedTuple):
    """What a CRL's extensions say: columns of ``crls``, and whether it lists certificates of other CAs, too.

    ``indirect`` is None where that cannot be read.
    """

    row: dict[str, Any]
    indirect: bool | None
    wrong: Wrong


def of_list(data: bytes, wrapper: Tlv | None) -> ListExtensions:
    """Read ``crlExtensions``; what of them cannot be read is null and named.

    The scope is null, too, where a critical extension is not understood: such a CRL must not be used to tell the
    status of any certificate (RFC 5280 5.2). Its entries are still what its CA wrote.
    """
    wrong = Wrong([], [])
    row: dict[str, Any] = dict.fromkeys(("crl_number", "base_crl_number", "scope", "idp_urls"))
    try:
        found = _by_oid(parts.extensions(data, wrapper) if wrapper else (), _OF_LISTS, wrong)
    except DerError as error:
        wrong.unread.append(str(error))
        return ListExtensions(row, None, wrong)
    row["crl_number"] = _value(found, CRL_NUMBER, _number, wrong)
    row["base_crl_number"] = _value(found, DELTA_CRL, _number, wrong)
    point: Scope | None = Scope((), [])
    if ISSUING_DISTRIBUTION_POINT in found:
        point = _value(found, ISSUING_DISTRIBUTION_POINT, lambda value: _scope(value, wrong), wrong)
    unknown = _unknown(found, _OF_LISTS.keys() | _OTHERS_OF_LISTS)
    for oid in unknown:
        wrong.unread.append(
            f"a critical extension {oid} that is not understood: "
            "the CRL must not be used to tell the status of certificates (RFC 5280 5.2)"
        )
    if point is None:
        return ListExtensions(row, None, wrong)
    row["idp_urls"] = point.urls
    if not unknown:
        delta = ("delta",) if DELTA_CRL in found else ()
        row["scope"] = ", ".join((*delta, *point.words)) or "full"
    return ListExtensions(row, point.indirect, wrong)


def _number(value: bytes) -> str:
    number = _whole(value, der.INTEGER)
    if number.end - number.content > _MAX_NUMBER_OCTETS:
        raise DerError(f"a number of {number.end - number.content:,} octets")
    return str(der.integer(value, number))


_FLAGS = {0x81: "user certificates", 0x82: "CA certificates", 0x83: "some reasons", 0x84: "indirect",
          0x85: "attribute certificates"}  # fmt: skip
_WORDS = ("shard", "user certificates", "CA certificates", "attribute certificates", "some reasons", "indirect")


def _scope(value: bytes, wrong: Wrong) -> Scope:
    words: set[str] = set()
    urls: list[str] | None = []
    for one in der.children(value, _whole(value, der.SEQUENCE)):
        if one.tag == 0xA0:
            words.add("shard")
            urls = _urls(value, one, wrong)
        elif one.tag not in _FLAGS:
            raise DerError(f"a field of tag {one.tag:02x} in the issuingDistributionPoint")
        elif one.tag == 0x83 or der.content(value, one) not in (b"\x00", b""):
            words.add(_FLAGS[one.tag])
    if not words:
        wrong.irregular.append("an issuingDistributionPoint that says nothing (RFC 5280 5.2.5)")
    return Scope(tuple(word for word in _WORDS if word in words), urls, "indirect" in words)


def _urls(value: bytes, point: Tlv, wrong: Wrong) -> list[str] | None:
    name = der.read(value, point.content, point.end)
    if name.tag != 0xA0:
        return []  # nameRelativeToCRLIssuer
    try:
        return [der.content(value, one).decode("ascii") for one in der.children(value, name) if one.tag == 0x86]
    except UnicodeDecodeError:
        wrong.unread.append("a URL of the issuingDistributionPoint is not ASCII")
        return None


# --- of both ----------------------------------------------------------------------------------------------------------

_T = TypeVar("_T")


def _by_oid(listed: Iterable[Extension], read: Mapping[str, str], wrong: Wrong) -> dict[str, Extension | None]:
    """The extensions by OID; one of those read that stands twice is None: nothing is made of what may contradict."""
    found: dict[str, Extension | None] = {}
    twice = set()
    for one in listed:
        if one.oid in found:
            twice.add(one.oid)
        found[one.oid] = None if one.oid in twice and one.oid in read else one
    for oid in sorted(twice):
        reason = f"the extension {read.get(oid, oid)} stands more than once"
        (wrong.unread if oid in read else wrong.irregular).append(reason)
    return found


def _unknown(found: Mapping[str, Extension | None], known: Container[str]) -> list[str]:
    return [oid for oid, one in found.items() if one is not None and one.critical and oid not in known]


def _value(found: Mapping[str, Extension | None], oid: str, read: Callable[[bytes], _T], wrong: Wrong) -> _T | None:
    """What an extension says; None where it is absent, stands twice or cannot be read."""
    one = found.get(oid)
    if one is None:
        return None
    try:
        return read(one.value)
    except DerError as error:
        wrong.unread.append(f"{_NAMES[oid]}: {error}")
        return None


def _whole(value: bytes, tag: int) -> Tlv:
    """The one value that an extension's octets are."""
    found = der.expect(value, 0, len(value), tag, "the value")
    if found.end != len(value):
        raise DerError("octets follow the value")
    return found
