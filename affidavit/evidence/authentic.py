"""Which certificates are evidence: whose signature leads to a trusted certificate.

1. Every potential issuer at hand (collections and trust) is linked to the key that signed it: a key certified for its
   issuer name under which its signature verifies.
2. From a collection's trust anchors the marks spread along these links. Issuers other than trust anchors must be CAs:
   basicConstraints with cA, and keyCertSign where there is a keyUsage, lest a leaf's holder make evidence.

This is less than path validation (RFC 5280 6), on purpose: evidence is authentic if the CA's key signed it. Neither
expiry nor the strength of a hash, nor pathLenConstraint, nameConstraints, policies or extended key usages of a CA make
evidence inauthentic: a certificate beyond a constraint is just what an incident is about, and the CA that signed it
answers for it. Nor does revocation of an issuer.

Names are compared octet for octet: an issuer name in another string type is another name (RFC 5280 4.1.2.6 has CAs
encode both alike).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from affidavit.evidence.certificate import Certificate
from affidavit.evidence.oids import KEY_USAGE
from affidavit.evidence.precertificates import precert_tbs, signs_precertificates
from affidavit.evidence.signatures import same_key
from affidavit.evidence.verify import Link, verify_batch

__all__ = ["Authorities", "Authority", "final_issuer", "may_issue", "precert_tbs"]


def may_issue(certificate: Certificate, usage: str) -> bool:
    """Whether a certificate is a CA's, allowed to sign certificates (or CRLs, by ``usage``)."""
    usages, extensions = certificate.row["key_usage"], certificate.row["extension_oids"]
    if certificate.row["is_ca"] is not True or usages is None or extensions is None:
        return False
    # An empty list is an absent extension or one that allows nothing.
    return KEY_USAGE not in extensions or usage in usages


class Authority(NamedTuple):
    """What signs: a name as encoded, and a key. A CA is these two, however many certificates it has."""

    name: bytes
    key: bytes
    """The SubjectPublicKeyInfo, in one encoding for all of the same key."""


@dataclass(frozen=True)
class Authorities:
    """The certificates at hand that may have issued others, and how they are linked among themselves.

    ``certificates`` by SHA-256; ``links`` says under which key the signature of each verifies.
    """

    certificates: Mapping[str, Certificate]
    links: Mapping[str, Link]

    @classmethod
    def among(cls, issuers: Iterable[Certificate]) -> "Authorities":
        """Link potential issuers: certificates whose subject is somebody's issuer name, and trust anchors.

        Each signature is verified once, under at most `verify.MAX_KEYS` keys of the issuer's name.
        """
        found = {certificate.row["sha256"]: certificate for certificate in issuers}
        ordered = {digest: found[digest] for digest in sorted(found)}
        links = verify_batch((c.der for c in ordered.values()), _keys(ordered.values()))
        return cls(ordered, dict(zip(ordered, links, strict=True)))

    def keys(self, anchors: frozenset[str] = frozenset()) -> dict[bytes, tuple[bytes, ...]]:
        """Issuer name as encoded to the SubjectPublicKeyInfo of all candidates, for `verify.verify_batch`.

        Those that are authentic under ``anchors`` (of any collection) come first: they are tried before a stranger's
        that bear the same name.
        """
        marked = self._issuing(anchors)
        ordered = sorted(self.certificates, key=lambda digest: self._authority[digest] not in marked)
        return _keys(self.certificates[digest] for digest in ordered)

    def authentic(self, anchors: frozenset[str]) -> frozenset[str]:
        """SHA-256 of the certificates here whose signature leads to an anchor; the anchors themselves included."""
        issuing = self._issuing(anchors)
        return frozenset(digest for digest, issuer in self._issuer.items() if digest in anchors or issuer in issuing)

    def table(self, anchors: frozenset[str]) -> list[dict[str, Any]]:
        """One row for each name and key: ``subject_der_sha256``, ``spki_sha256``, ``issuer``, ``authentic``.

        ``issuer`` is the SHA-256 of the certificate to be named as the issuer of what that key signed: one that is
        authentic and allowed to issue before others. ``authentic``: some certificate of that name and key is an
        anchor, or authentic and allowed to issue certificates; what the key signed is then authentic.
        """
        issuing, authentic = self._issuing(anchors), self.authentic(anchors)
        rows = []
        for authority, digests in self._by_authority.items():
            named = min(digests, key=lambda d: (not self._issues(d, anchors, authentic), d not in authentic, d))
            keys = {(c["subject_der_sha256"], c["spki_sha256"]) for c in (self.certificates[d].row for d in digests)}
            rows += [(*key, named, authority in issuing) for key in keys]
        columns = ("subject_der_sha256", "spki_sha256", "issuer", "authentic")
        return [dict(zip(columns, row, strict=True)) for row in sorted(rows)]

    def issuers(self, certificate: Certificate) -> list[Certificate]:
        """The certificates of the name and key that signed one of the certificates here, by SHA-256."""
        authority = self._issuer.get(certificate.row["sha256"])
        return [self.certificates[digest] for digest in self._by_authority[authority]] if authority else []

    def _issues(self, digest: str, anchors: frozenset[str], authentic: frozenset[str]) -> bool:
        return digest in anchors or (digest in authentic and may_issue(self.certificates[digest], "keyCertSign"))

    def _issuing(self, anchors: frozenset[str]) -> set[Authority]:
        """The names and keys whose signatures make evidence authentic: marks that spread from the anchors."""
        found: set[Authority] = set()
        todo = {self._authority[digest] for digest in anchors if digest in self.certificates}
        while todo:
            found |= todo
            todo = {
                self._authority[digest]
                for authority in todo
                for digest in self._issued.get(authority, ())
                if may_issue(self.certificates[digest], "keyCertSign")
            } - found
        return found

    @cached_property
    def _authority(self) -> dict[str, Authority]:
        """What each certificate here certifies."""
        same = {c.spki: same_key(c.spki) for c in self.certificates.values()}
        return {digest: Authority(c.subject_der, same[c.spki]) for digest, c in self.certificates.items()}

    @cached_property
    def _issuer(self) -> dict[str, Authority | None]:
        """What signed each certificate here."""
        keys = {c.row["spki_sha256"]: self._authority[digest].key for digest, c in self.certificates.items()}
        return {
            digest: None if link.spki_sha256 is None else Authority(c.issuer_der, keys[link.spki_sha256])
            for (digest, c), link in zip(self.certificates.items(), self.links.values(), strict=True)
        }

    @cached_property
    def _by_authority(self) -> dict[Authority, list[str]]:
        found: dict[Authority, list[str]] = defaultdict(list)
        for digest, authority in self._authority.items():
            found[authority].append(digest)
        return dict(found)

    @cached_property
    def _issued(self) -> dict[Authority, list[str]]:
        found: dict[Authority, list[str]] = defaultdict(list)
        for digest, authority in self._issuer.items():
            if authority is not None:
                found[authority].append(digest)
        return dict(found)


def _keys(certificates: Iterable[Certificate]) -> dict[bytes, tuple[bytes, ...]]:
    found: dict[bytes, dict[bytes, None]] = defaultdict(dict)
    for certificate in certificates:
        found[certificate.subject_der][certificate.spki] = None
    return {name: tuple(spkis) for name, spkis in found.items()}


def final_issuer(certificate: Certificate, authorities: Authorities) -> Certificate | None:
    """The CA for which a precertificate signing certificate signs (RFC 6962 3.1): the one that issued it.

    None where the certificate is no such signing certificate, or its issuer is not at hand.
    """
    if not signs_precertificates(certificate):
        return None
    own = certificate.row["sha256"]
    able = [one for one in authorities.issuers(certificate) if one.row["sha256"] != own]
    return min(able, key=lambda c: (not may_issue(c, "keyCertSign"), c.row["sha256"]), default=None)
