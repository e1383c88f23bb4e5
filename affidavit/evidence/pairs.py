"""Precertificates and the certificates that go with them, compared as they are encoded (RFC 6962 3.1, BR 7.1.2.9).

Two of one issuer and serial number belong together. They correspond if their TBSCertificates are the same, octet for
octet, once poison and SCT list are cut out; if not, the first place in which they differ is named.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from affidavit.evidence import der, oids, parts
from affidavit.evidence.certificate import Certificate
from affidavit.evidence.der import DerError, Tlv
from affidavit.evidence.precertificates import precert_tbs, signer_of

#: Names of extensions (RFC 5280 4.2 and others); others go by their OID.
EXTENSIONS = {
    "2.5.29.9": "subjectDirectoryAttributes", "2.5.29.14": "subjectKeyIdentifier", "2.5.29.15": "keyUsage",
    "2.5.29.16": "privateKeyUsagePeriod", "2.5.29.17": "subjectAltName", "2.5.29.18": "issuerAltName",
    "2.5.29.19": "basicConstraints", "2.5.29.30": "nameConstraints", "2.5.29.31": "cRLDistributionPoints",
    "2.5.29.32": "certificatePolicies", "2.5.29.33": "policyMappings", "2.5.29.35": "authorityKeyIdentifier",
    "2.5.29.36": "policyConstraints", "2.5.29.37": "extKeyUsage", "2.5.29.46": "freshestCRL",
    "2.5.29.54": "inhibitAnyPolicy", "1.3.6.1.5.5.7.1.1": "authorityInfoAccess",
    "1.3.6.1.5.5.7.1.3": "qcStatements", "1.3.6.1.5.5.7.1.11": "subjectInfoAccess", "1.3.6.1.5.5.7.1.24": "tlsFeature",
    "2.23.140.3.1": "cabfOrganizationIdentifier", "1.3.6.1.5.5.7.48.1.5": "ocspNoCheck",
    oids.SCT_LIST: "signedCertificateTimestampList", oids.POISON: "poison",
}  # fmt: skip


class _Half(NamedTuple):
    """One of a pair: the certificate, its issuer in the end, and its TBSCertificate after the cut."""

    certificate: Certificate
    issuer: bytes
    tbs: bytes | None
    digest: bytes

    @property
    def sha256(self) -> str:
        return str(self.certificate.row["sha256"])


def pairs(certificates: Iterable[Certificate], signing: Iterable[Certificate] = ()) -> list[dict[str, Any]]:
    """Rows of the table `pairs` (what is read of them), for precertificates and certificates at hand.

    ``signing``: precertificate signing certificates; what one of them issued goes with the certificates of the CA that
    issued it. A precertificate, or a certificate with embedded SCTs, without a partner is a row of its own. Where one
    serial number stands in several, those that correspond are joined first, then those of one key and subject; each
    precertificate and certificate is in a row, and no more rows are made than needed for that.
    """
    signers: dict[bytes, list[Certificate]] = defaultdict(list)
    for one in signing:
        signers[one.subject_der].append(one)
    groups: dict[Any, tuple[list[_Half], list[_Half]]] = defaultdict(lambda: ([], []))
    distinct = {certificate.row["sha256"]: certificate for certificate in certificates}
    for digest, certificate in sorted(distinct.items()):
        kind, serial = certificate.row["kind"], certificate.row["serial"]
        if kind is None:
            continue  # its extensions cannot be read: it may be either
        half = _half(certificate, signers.get(certificate.issuer_der, ()))
        # Without a serial number it has no partner.
        key = (half.issuer, serial) if serial is not None else digest
        groups[key][0 if kind == "precertificate" else 1].append(half)
    rows = []
    for precertificates, finals in groups.values():
        for first, second in _matched(precertificates, finals):
            if first is not None or (second is not None and (second.certificate.row["sct_count"] or 0) > 0):
                rows.append(_row(first, second))
    return sorted(rows, key=lambda row: (row["serial"] or "", row["precertificate"] or "", row["certificate"] or ""))


def _half(certificate: Certificate, signers: Sequence[Certificate]) -> _Half:
    issuer, tbs = certificate.issuer_der, certificate.precert_tbs or None
    signer = signer_of(certificate, signers) if certificate.row["kind"] == "precertificate" and signers else None
    if signer is not None:
        issuer, tbs = signer.issuer_der, precert_tbs(certificate, signer)
    return _Half(certificate, issuer, tbs, hashlib.sha256(tbs or b"").digest())


_LIKENESS: tuple[Callable[[_Half], object], ...] = (
    lambda half: half.digest,
    lambda half: (half.certificate.spki, half.certificate.subject_der),
    lambda half: half.certificate.spki,
    lambda half: half.certificate.subject_der,
    lambda _: None,
)


def _matched(first: list[_Half], second: list[_Half]) -> list[tuple[_Half | None, _Half | None]]:
    """Each half with a partner where there is any: the likest ones first, then those that are left with others."""
    if not first or not second:
        return [(one, None) for one in first] + [(None, one) for one in second]
    found: list[tuple[_Half | None, _Half | None]] = []
    alone, lonely = first, second
    for like in _LIKENESS:
        mine, others = _grouped(alone, like), _grouped(lonely, like)
        shared = mine.keys() & others.keys()
        for key in mine:
            if key in shared:
                found += _dealt(mine[key], others[key])
        alone = [one for one in alone if like(one) not in shared]
        lonely = [one for one in lonely if like(one) not in shared]
    # All of one side have partners by now; what is left of the other goes with the likest of these.
    for left, side, turned in ((alone, second, False), (lonely, first, True)):
        for like in _LIKENESS:
            groups = _grouped(side, like)
            for one in left:
                if like(one) in groups:
                    other = groups[like(one)][0]
                    found.append((other, one) if turned else (one, other))
            left = [one for one in left if like(one) not in groups]
    return found


def _grouped(halves: Iterable[_Half], like: Callable[[_Half], object]) -> dict[object, list[_Half]]:
    found: dict[object, list[_Half]] = defaultdict(list)
    for half in halves:
        found[like(half)].append(half)
    return dict(found)


def _dealt(first: Sequence[_Half], second: Sequence[_Half]) -> list[tuple[_Half | None, _Half | None]]:
    """As many pairs as the longer list has members, none of the shorter left out."""
    longer = max(len(first), len(second))
    return [(first[n % len(first)], second[n % len(second)]) for n in range(longer)]


def _row(first: _Half | None, second: _Half | None) -> dict[str, Any]:
    half = second or first
    assert half is not None
    stated = half.certificate.row
    row: dict[str, Any] = {
        "precertificate": first.sha256 if first else None,
        "certificate": second.sha256 if second else None,
        "serial": stated["serial"],
        "issuer": stated["issuer"],
        "equal": None,
        "first_difference": None,
    }
    if first is not None and second is not None and first.tbs is not None and second.tbs is not None:
        row["equal"] = first.tbs == second.tbs
        row["first_difference"] = None if row["equal"] else _difference(first.tbs, second.tbs)
    return row


def first_difference(
    precertificate: Certificate, certificate: Certificate, signing: Certificate | None = None
) -> str | None:
    """The first field or extension in which the two differ once poison and SCT list are cut; None where in none.

    Fields by the names of their columns (``not_before``, ``spki`` ...), extensions by name or OID, alone where the
    value differs; else ``critical of ...``, ``encoding of ...``, ``... only in the certificate``, ``... only in the
    precertificate``, ``order of extensions``. ``signing`` is the precertificate signing certificate that issued the
    precertificate.
    """
    tbs = precertificate.precert_tbs if signing is None else precert_tbs(precertificate, signing)
    return None if tbs == certificate.precert_tbs else _difference(tbs or b"", certificate.precert_tbs)


_FIELDS = ("version", "serial", "tbs_signature_algorithm", "issuer", "validity", "subject", "spki")
_OPTIONAL = {0xA1: "issuer_unique_id", 0x81: "issuer_unique_id", 0xA2: "subject_unique_id", 0x82: "subject_unique_id"}


def _difference(first: bytes, second: bytes) -> str:
    try:
        mine, others = _fields(first), _fields(second)
    except (DerError, IndexError):
        return "structure of the TBSCertificate"
    for name in dict.fromkeys([*_FIELDS[:1], *mine, *others]):
        here, there = mine.get(name), others.get(name)
        one = der.whole(first, here) if here else b""
        other = der.whole(second, there) if there else b""
        if one != other:
            if here and there and name == "validity":
                return _ends(one, other)
            if name == "extensions":
                return _extensions(one, other)
            return name
    return "encoding of the TBSCertificate"


def _fields(tbs: bytes) -> Mapping[str, Tlv]:
    outer = der.expect(tbs, 0, len(tbs), der.SEQUENCE, "TBSCertificate")
    found: dict[str, Tlv] = {}
    every = der.children(tbs, outer)
    if every and every[0].tag == 0xA0:
        found["version"] = every.pop(0)
    found |= dict(zip(_FIELDS[1:], every, strict=False))
    for number, one in enumerate(every[len(_FIELDS) - 1 :], len(_FIELDS) + 1):
        found["extensions" if one.tag == 0xA3 else _OPTIONAL.get(one.tag, f"field {number}")] = one
    return found


def _ends(first: bytes, second: bytes) -> str:
    try:
        mine, others = ([der.whole(v, t) for t in der.children(v, der.read(v, 0, len(v)))] for v in (first, second))
    except DerError:
        return "validity"
    if len(mine) != 2 or len(others) != 2 or mine == others:
        return "validity"
    return "not_before" if mine[0] != others[0] else "not_after"


def _extensions(first: bytes, second: bytes) -> str:
    try:
        mine, others = (parts.extensions(v, der.read(v, 0, len(v))) if v else [] for v in (first, second))
    except (DerError, IndexError):
        return "extensions"
    have, want = Counter(one.oid for one in mine), Counter(one.oid for one in others)
    for one, other in zip(mine, others, strict=False):
        if one.oid != other.oid:
            if have[one.oid] > want[one.oid]:
                return f"{_named(one.oid)} only in the precertificate"
            if want[other.oid] > have[other.oid]:
                return f"{_named(other.oid)} only in the certificate"
            return "order of extensions"
        if one.value != other.value:
            return _named(one.oid)
        if one.critical != other.critical:
            return f"critical of {_named(one.oid)}"
        if der.whole(first, one.place) != der.whole(second, other.place):
            return f"encoding of {_named(one.oid)}"
    for more, where in ((mine[len(others) :], "precertificate"), (others[len(mine) :], "certificate")):
        if more:
            return f"{_named(more[0].oid)} only in the {where}"
    return "encoding of the extensions"


def _named(oid: str) -> str:
    return EXTENSIONS.get(oid, oid)
