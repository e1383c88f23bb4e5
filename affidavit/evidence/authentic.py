"""Which certificates and CRLs are evidence: whose signature leads to a trusted certificate.

1. Every certificate at hand (collections and trust) is an issuer of those that name its subject, if its
   key verifies their signature. Issuers other than trust anchors must be CAs: basicConstraints with cA, and
   keyCertSign where there is a keyUsage, lest a leaf's holder make evidence.
2. From a collection's trust anchors the marks spread along these links.
Expiry and strength of the hash do not make evidence inauthentic.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from affidavit.evidence.certificate import Certificate
from affidavit.evidence.crl import Crl
from affidavit.evidence.oids import KEY_USAGE
from affidavit.evidence.signatures import verifies


def may_issue(certificate: Certificate, usage: str) -> bool:
    """Whether a certificate is a CA's, allowed to sign certificates (or CRLs, by ``usage``)."""
    usages, extensions = certificate.row["key_usage"], certificate.row["extension_oids"]
    if certificate.row["is_ca"] is not True or usages is None or extensions is None:
        return False
    # An empty list is an absent extension or one that allows nothing.
    return KEY_USAGE not in extensions or usage in usages


@dataclass
class Issuers:
    """The links between certificates at hand; each signature is verified once."""

    certificates: dict[str, Certificate]
    by_subject: dict[bytes, list[str]] = field(default_factory=lambda: defaultdict(list))
    issuers_of: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def among(cls, certificates: Iterable[Certificate]) -> "Issuers":
        """Link certificates by name and signature."""
        made = cls({c.row["sha256"]: c for c in certificates})
        for sha256 in sorted(made.certificates):
            made.by_subject[made.certificates[sha256].subject_der].append(sha256)
        for sha256, certificate in made.certificates.items():
            made.issuers_of[sha256] = made._verifying(certificate)
        return made

    def _verifying(self, certificate: Certificate) -> list[str]:
        outcome: dict[bytes, bool] = {}
        found = []
        for candidate in self.by_subject.get(certificate.issuer_der, ()):
            spki = self.certificates[candidate].spki
            if spki not in outcome:
                outcome[spki] = certificate.algorithm is not None and verifies(
                    spki, certificate.algorithm, certificate.signature, certificate.tbs
                )
            if outcome[spki]:
                found.append(candidate)
        return found

    def authentic(self, anchors: frozenset[str]) -> frozenset[str]:
        """SHA-256 of all certificates whose signature leads to an anchor; the anchors themselves included."""
        issued: dict[str, list[str]] = defaultdict(list)
        for sha256, issuers in self.issuers_of.items():
            for issuer in issuers:
                issued[issuer].append(sha256)
        marked = set(anchors & self.certificates.keys())
        todo = list(marked)
        while todo:
            issuer = todo.pop()
            if issuer not in anchors and not may_issue(self.certificates[issuer], "keyCertSign"):
                continue
            for sha256 in issued[issuer]:
                if sha256 not in marked:
                    marked.add(sha256)
                    todo.append(sha256)
        return frozenset(marked)

    def issuer_of(self, sha256: str, authentic: frozenset[str]) -> Certificate | None:
        """The certificate that issued one: an authentic issuer before others; None if none is at hand."""
        issuers = self.issuers_of.get(sha256, [])
        best = [i for i in issuers if i in authentic] or issuers
        return self.certificates[best[0]] if best else None

    def crl_issuer(self, crl: Crl, authentic: frozenset[str], anchors: frozenset[str]) -> Certificate | None:
        """The authentic CA certificate under whose key a CRL verifies, or None."""
        for candidate in self.by_subject.get(crl.issuer_der, ()):
            certificate = self.certificates[candidate]
            if candidate not in authentic or (candidate not in anchors and not may_issue(certificate, "cRLSign")):
                continue
            if crl.algorithm is None:
                return None
            if verifies(certificate.spki, crl.algorithm, crl.signature, crl.tbs):
                return certificate
        return None
