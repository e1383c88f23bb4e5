"""The costly columns of a certificate, and its names and extensions as encoded: read where somebody asks for them.

Each part is read on its own: what cannot be read is null, or left out, and is named among the faults.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from affidavit.evidence import ber, der, oids, parts
from affidavit.evidence.certificate import Certificate, sha256
from affidavit.evidence.der import DerError, Tlv
from affidavit.evidence.limits import is_short_lived
from affidavit.evidence.parts import Extension
from affidavit.tables import CERTIFICATES, Made

MAX_KEY_BITS = 16_384
COLUMNS = CERTIFICATES.made_when(Made.DETAIL)
_EXTENSIONS = {
    "1.3.6.1.5.5.7.1.1": "authorityInfoAccess", "1.3.6.1.5.5.7.1.3": "qcStatements",
    "1.3.6.1.5.5.7.1.11": "subjectInfoAccess", "1.3.6.1.5.5.7.1.12": "logotype", "1.3.6.1.5.5.7.1.24": "tlsFeature",
    "1.3.6.1.5.5.7.48.1.5": "ocspNoCheck", "2.5.29.9": "subjectDirectoryAttributes",
    "2.5.29.14": "subjectKeyIdentifier", "2.5.29.15": "keyUsage", "2.5.29.16": "privateKeyUsagePeriod",
    "2.5.29.17": "subjectAltName", "2.5.29.18": "issuerAltName", "2.5.29.19": "basicConstraints",
    "2.5.29.30": "nameConstraints", "2.5.29.31": "cRLDistributionPoints", "2.5.29.32": "certificatePolicies",
    "2.5.29.33": "policyMappings", "2.5.29.35": "authorityKeyIdentifier", "2.5.29.36": "policyConstraints",
    "2.5.29.37": "extKeyUsage", "2.5.29.46": "freshestCRL", "2.5.29.54": "inhibitAnyPolicy",
    "1.3.6.1.4.1.11129.2.4.2": "signedCertificateTimestampList", "1.3.6.1.4.1.11129.2.4.3": "ctPoison",
    "2.16.840.1.113730.1.1": "netscapeCertType", "2.16.840.1.113730.1.13": "netscapeComment",
    "1.3.6.1.4.1.311.20.2": "msCertificateTemplateName", "1.3.6.1.4.1.311.21.7": "msCertificateTemplate",
    "2.23.140.3.1": "cabfOrganizationIdentifier",
}  # fmt: skip
_STRINGS = {
    0x0C: "UTF8String", 0x12: "NumericString", 0x13: "PrintableString", 0x14: "TeletexString", 0x16: "IA5String",
    0x1A: "VisibleString", 0x1B: "GeneralString", 0x1C: "UniversalString", 0x1E: "BMPString",
}  # fmt: skip
_CURVES = {
    "1.2.840.10045.3.1.7": "P-256", "1.3.132.0.34": "P-384", "1.3.132.0.35": "P-521", "1.3.132.0.10": "secp256k1",
    "1.3.132.0.33": "P-224", "1.2.840.10045.3.1.1": "P-192",
}  # fmt: skip
_SAN_TYPES = {
    0xA0: "otherName", 0xA3: "x400Address", 0xA4: "directoryName", 0xA5: "ediPartyName", 0x88: "registeredID",
}  # fmt: skip
_SAN, _AIA, _CRL_POINTS, _POLICIES = "2.5.29.17", "1.3.6.1.5.5.7.1.1", "2.5.29.31", "2.5.29.32"
_CPS, _NOTICE, _OCSP, _CA_ISSUERS = "1.3.6.1.5.5.7.2.1", "1.3.6.1.5.5.7.2.2", "1.3.6.1.5.5.7.48.1", "1.3.6.1.5.5.7.48.2"
_TLS_FEATURE, _NAME_CONSTRAINTS, STATUS_REQUEST = "1.3.6.1.5.5.7.1.24", "2.5.29.30", 5


@dataclass(slots=True)
class Detail:
    """The detail columns of one certificate, and (field, reason) of what could not be read."""

    row: dict[str, Any] = field(default_factory=lambda: dict.fromkeys(COLUMNS))
    faults: list[tuple[str, str]] = field(default_factory=list)


class _Places(NamedTuple):
    """Where the parts of a certificate stand in its octets."""

    algorithm: Tlv
    signature: Tlv
    serial: Tlv
    inner_algorithm: Tlv
    issuer: Tlv
    validity: Tlv
    subject: Tlv
    spki: Tlv
    extensions: Tlv | None


def _places(data: bytes) -> _Places:
    tbs, algorithm, signature = der.children(data, der.read(data, 0, len(data)))
    fields = der.children(data, tbs)
    if fields[0].tag == 0xA0:
        del fields[0]
    wrapper = next((f for f in fields[6:] if f.tag == 0xA3), None)
    serial, inner, issuer, validity, subject, spki = fields[:6]
    return _Places(algorithm, signature, serial, inner, issuer, validity, subject, spki, wrapper)


def detail(certificate: Certificate) -> Detail:
    """The detail columns of a certificate."""
    data, found = certificate.readable, Detail()
    places = _places(data)

    def attempt(name: str, work: Callable[[], dict[str, Any]]) -> None:
        try:
            found.row.update(work())
        except DerError as error:
            found.faults.append((name, str(error)))
        except (ValueError, IndexError, OverflowError):
            found.faults.append((name, "not of the form that its standard gives it"))

    attempt("serial_negative", lambda: {"serial_negative": der.integer(data, places.serial) < 0})
    attempt("not_before_encoding", lambda: _encodings(data, places.validity))
    attempt("short_lived", lambda: {"short_lived": _short_lived(certificate.row)})
    attempt("signature_algorithm_der", lambda: _signature(data, places))
    attempt("spki_algorithm_der", lambda: _key(data, places.spki))
    for which in ("subject", "issuer"):
        attempt(f"{which}_attributes", lambda which=which: _attributes(certificate, which))  # type: ignore[misc]
    attempt("extension_digests", lambda: _extension_lists(data, places.extensions))
    for oid, name, reader, absent in _READERS:
        attempt(name, lambda oid=oid, reader=reader, absent=absent: _all(data, places, oid, reader, absent))  # type: ignore[misc]
    attempt("cn_in_san", lambda: {"cn_in_san": _cn_in_san(certificate, found.row)})
    if certificate.readable != certificate.der:
        _as_encoded(certificate, places.extensions, found)
    return found


def _as_encoded(certificate: Certificate, wrapper: Tlv | None, found: Detail) -> None:
    """Of BER, what is shown or hashed as encoded is null where it does not stand so in the octets given."""
    shown = {name: bytes.fromhex(found.row[name] or "") for name in ("signature_algorithm_der", "spki_algorithm_der")}
    shown["extension_digests"] = certificate.readable[wrapper.start : wrapper.end] if wrapper else b""
    for name, octets in shown.items():
        if octets not in certificate.der:
            found.row[name] = None
            found.faults.append((name, "in BER its octets are not those of DER"))


def _encodings(data: bytes, validity: Tlv) -> dict[str, Any]:
    ends = der.children(data, validity)
    names = ("not_before_encoding", "not_after_encoding")
    return {name: _encoding(data, end) for name, end in zip(names, ends, strict=True)}


def _encoding(data: bytes, value: Tlv) -> str:
    """The kind of time, and what RFC 5280 4.1.2.5 does not allow about it."""
    text = der.content(data, value)[:40].decode("ascii", "backslashreplace")
    kind = {der.UTC_TIME: "UTCTime", der.GENERALIZED_TIME: "GeneralizedTime"}.get(value.tag, f"tag {value.tag:02x}")
    odd = []
    digits = text[: len(text) - len(text.lstrip("0123456789"))]
    wanted = 12 if value.tag == der.UTC_TIME else 14
    if len(digits) < wanted:
        odd.append("no seconds")
    rest = text[len(digits) :]
    if rest.startswith((".", ",")):
        odd.append("fraction of a second")
        rest = rest[1:].lstrip("0123456789")
    if not rest:
        odd.append("no zone")
    elif rest != "Z":
        odd.append("offset" if rest[0] in "+-" else "not a time")
    if kind == "GeneralizedTime" and digits[:4].isdigit() and 1950 <= int(digits[:4] or 0) < 2050:
        odd.append("UTCTime belongs there until 2049")
    return ", ".join([kind, *odd])


def _short_lived(row: dict[str, Any]) -> bool | None:
    seconds, begin = row["validity_seconds"], row["not_before"]
    return is_short_lived(seconds, begin) if isinstance(begin, datetime) and seconds is not None else None


def _signature(data: bytes, places: _Places) -> dict[str, Any]:
    outer = parts.algorithm(data, places.algorithm)
    row: dict[str, Any] = {
        "tbs_signature_algorithm": parts.algorithm(data, places.inner_algorithm).name,
        "signature_algorithm_der": der.whole(data, places.algorithm).hex(),
        "signature_sha256": sha256(der.bit_string(data, places.signature)[1]),
    }
    if outer.oid == oids.RSASSA_PSS and not outer.fault:
        _, row["pss_mask_hash"], row["pss_salt_octets"] = parts.pss_parameters(outer.parameters)
    return row


def _key(data: bytes, spki: Tlv) -> dict[str, Any]:
    algorithm, key = der.children(data, spki)[:2]
    pieces = der.children(data, algorithm)
    kind = oids.KEYS.get(der.oid(data, pieces[0]))
    octets = der.bit_string(data, key)[1]
    row: dict[str, Any] = {
        "spki_algorithm_der": der.whole(data, algorithm).hex(),
        "public_key_sha1": hashlib.sha1(octets, usedforsecurity=False).hexdigest(),
    }
    if kind in ("RSA", "RSA-PSS"):
        numbers = der.children(octets, der.expect(octets, 0, len(octets), der.SEQUENCE, "RSA key"))
        exponent = der.integer(octets, numbers[1])
        row["rsa_exponent"] = exponent if abs(exponent) < 2**63 else None
    elif kind == "EC" and len(pieces) > 1:
        named = der.oid(data, pieces[1]) if pieces[1].tag == der.OID else ""
        row["curve"] = _CURVES.get(named, named) if named else "explicit parameters"
    return row


def _attribute_rows(certificate: Certificate, which: str) -> Iterator[dict[str, Any]]:
    data = certificate.subject_der if which == "subject" else certificate.issuer_der
    position = 0
    for number, rdn in enumerate(der.children(data, der.expect(data, 0, len(data), der.SEQUENCE, "name")), 1):
        for pair in der.children(data, rdn):
            position += 1
            kind, value = der.children(data, pair)[:2]
            oid = der.oid(data, kind)
            text = parts.string(data, value)
            yield {
                "certificate": certificate.row["sha256"], "which": which, "position": position, "rdn": number,
                "oid": oid, "type": oids.ATTRIBUTES.get(oid, oid), "value": text,
                "string_type": _STRINGS.get(value.tag, f"tag {value.tag:02x}"),
                "characters": None if text is None else len(text),
            }  # fmt: skip


def _attributes(certificate: Certificate, which: str) -> dict[str, Any]:
    rows = list(_attribute_rows(certificate, which))
    if any(row["value"] is None for row in rows):
        raise DerError("an attribute whose value is no readable string")
    return {f"{which}_attributes": [f"{row['type']}={row['value']}" for row in rows]}


def names(certificate: Certificate) -> list[dict[str, Any]]:
    """Rows of the table ``names``; none of a name that cannot be read."""
    found = []
    for which in ("subject", "issuer"):
        try:
            found += list(_attribute_rows(certificate, which))
        except (DerError, IndexError, ValueError):
            continue
    return found


def _every(data: bytes, wrapper: Tlv | None) -> list[Extension]:
    return parts.extensions(data, wrapper) if wrapper else []


def _extension_lists(data: bytes, wrapper: Tlv | None) -> dict[str, Any]:
    every = _every(data, wrapper)
    return {
        "extension_digests": [f"{one.oid}={sha256(der.whole(data, one.place))}" for one in every],
        "critical_extensions": [one.oid for one in every if one.critical],
        "name_constraints": any(one.oid == _NAME_CONSTRAINTS for one in every),
    }


def extensions(certificate: Certificate) -> list[dict[str, Any]]:
    """Rows of the table ``extensions``; none where they cannot be read."""
    try:
        every = _every(certificate.readable, _places(certificate.readable).extensions)
    except (DerError, IndexError, ValueError):
        return []
    return [
        {
            "certificate": certificate.row["sha256"], "position": number, "oid": one.oid,
            "name": _EXTENSIONS.get(one.oid), "critical": one.critical, "octets": len(one.value),
            "value_sha256": sha256(one.value),
        }
        for number, one in enumerate(every, 1)
    ]  # fmt: skip


def _all(
    data: bytes, places: _Places, oid: str, reader: Callable[[bytes], dict[str, Any]], absent: dict[str, Any]
) -> dict[str, Any]:
    """What a reader makes of an extension; one that stands more than once tells nothing."""
    found = [one for one in _every(data, places.extensions) if one.oid == oid]
    if len(found) > 1:
        raise DerError(f"the extension {oid} stands more than once")
    if not found:
        return dict(absent)
    try:
        return reader(found[0].value)
    except DerError:
        return reader(ber.readable(found[0].value))


def _text(value: bytes, one: Tlv) -> str:
    return der.content(value, one).decode("utf-8", "backslashreplace")


def _sequence(value: bytes, what: str) -> list[Tlv]:
    return der.children(value, der.expect(value, 0, len(value), der.SEQUENCE, what))


def _alternative_names(value: bytes) -> dict[str, Any]:
    row: dict[str, Any] = {"email_addresses": [], "uris": [], "other_san_types": []}
    for one in _sequence(value, "subjectAltName"):
        if one.tag == 0x81:
            row["email_addresses"].append(_text(value, one))
        elif one.tag == 0x86:
            row["uris"].append(_text(value, one))
        elif one.tag not in (0x82, 0x87):
            row["other_san_types"].append(_SAN_TYPES.get(one.tag, f"tag {one.tag:02x}"))
    return row


def _access(value: bytes) -> dict[str, Any]:
    row: dict[str, Any] = {"ocsp_urls": [], "ca_issuer_urls": []}
    for one in _sequence(value, "authorityInfoAccess"):
        method, place = der.children(value, one)[:2]
        name = {_OCSP: "ocsp_urls", _CA_ISSUERS: "ca_issuer_urls"}.get(der.oid(value, method))
        if name and place.tag == 0x86:
            row[name].append(_text(value, place))
    return row


def _distribution(value: bytes) -> dict[str, Any]:
    urls = []
    for point in _sequence(value, "cRLDistributionPoints"):
        for part in der.children(value, point):
            if part.tag == 0xA0:
                name = der.read(value, part.content, part.end)
                if name.tag == 0xA0:
                    urls += [_text(value, one) for one in der.children(value, name) if one.tag == 0x86]
    return {"crl_urls": urls}


def _policies(value: bytes) -> dict[str, Any]:
    row: dict[str, Any] = {"cps_uris": [], "user_notices": []}
    for policy in _sequence(value, "certificatePolicies"):
        pieces = der.children(value, policy)
        for qualifier in der.children(value, pieces[1]) if len(pieces) > 1 else ():
            inside = der.children(value, qualifier)
            kind = der.oid(value, inside[0])
            if kind == _CPS and len(inside) > 1:
                row["cps_uris"].append(_text(value, inside[1]))
            elif kind == _NOTICE and len(inside) > 1:
                texts = (parts.string(value, one) for one in der.children(value, inside[1]))
                row["user_notices"] += [text for text in texts if text is not None]
    return row


def _features(value: bytes) -> dict[str, Any]:
    listed = [der.small_integer(value, one) for one in _sequence(value, "TLS features")]
    return {"must_staple": STATUS_REQUEST in listed}


_READERS: tuple[tuple[str, str, Callable[[bytes], dict[str, Any]], dict[str, Any]], ...] = (
    (_SAN, "email_addresses", _alternative_names, {"email_addresses": [], "uris": [], "other_san_types": []}),
    (_AIA, "ocsp_urls", _access, {"ocsp_urls": [], "ca_issuer_urls": []}),
    (_CRL_POINTS, "crl_urls", _distribution, {"crl_urls": []}),
    (_POLICIES, "cps_uris", _policies, {"cps_uris": [], "user_notices": []}),
    (_TLS_FEATURE, "must_staple", _features, {"must_staple": False}),
)


def _cn_in_san(certificate: Certificate, row: dict[str, Any]) -> bool | None:
    """Whether each subject CN stands among the names, letter for letter; None where there is none."""
    attributes = row["subject_attributes"]
    dns, addresses = certificate.row["dns_names"], certificate.row["ip_addresses"]
    if attributes is None or dns is None or addresses is None or row["email_addresses"] is None:
        return None
    common = [one.removeprefix("CN=") for one in attributes if one.startswith("CN=")]
    every = {*dns, *addresses, *row["email_addresses"]}
    return all(name in every for name in common) if common else None


KEY_TESTS = ("fermat", "pattern", "roca", "rsainvalid", "rsapoly", "smallfactors", "xzbackdoor")
"""Tests of RSA keys that badkeys makes without any list to be fetched; Fermat's with 100 rounds."""


def weak_key(certificate: Certificate) -> list[str] | None:
    """The names of the tests that an RSA key fails; None for other keys, or where badkeys is not installed."""
    try:
        from badkeys.checks import checkrsa
    except ImportError:
        return None
    data = certificate.spki
    try:
        algorithm, key = der.children(data, der.read(data, 0, len(data)))[:2]
        if oids.KEYS.get(der.oid(data, der.children(data, algorithm)[0])) not in ("RSA", "RSA-PSS"):
            return None
        octets = der.bit_string(data, key)[1]
        numbers = der.children(octets, der.read(octets, 0, len(octets)))
        modulus, exponent = der.integer(octets, numbers[0]), der.integer(octets, numbers[1])
    except (DerError, ValueError, IndexError):
        return None
    if not 3 < modulus < 1 << MAX_KEY_BITS:
        return None
    return sorted(checkrsa(modulus, exponent, checks=KEY_TESTS))
