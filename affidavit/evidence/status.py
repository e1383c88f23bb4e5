"""Whose word a CRL or an OCSP response is: the key that signed it, and whether that leads to a trusted certificate.

Neither expiry nor the strength of a hash makes a signed status inauthentic, and id-pkix-ocsp-nocheck is not asked
about: what a CA's key has signed, the CA has said.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from affidavit.evidence import crl, der, ocsp
from affidavit.evidence.authentic import may_issue
from affidavit.evidence.certificate import Certificate, read_certificate
from affidavit.evidence.der import DerError
from affidavit.evidence.parts import Algorithm
from affidavit.evidence.signatures import verifies

crl_head = crl.head
ocsp_head = ocsp.head
_DELEGATED = {"OCSPSigning", "1.3.6.1.5.5.7.3.9"}
_HASHES = {"md5", "sha1", "sha224", "sha256", "sha384", "sha512"}
MAX_EMBEDDED = 16
"""So many of the certificates inside a response are looked at."""
MAX_TRIES = 64
"""So many keys are tried on a response."""


class Signer(NamedTuple):
    """Who signed a single response: the CA that it is about, and whose certificate the signature verifies under."""

    issuer: Certificate | None = None
    responder: Certificate | None = None
    delegated: bool | None = None
    authentic: bool = False


class Candidates:
    """Certificates at hand that may have signed a status, by what CRLs and OCSP responses name them by.

    ``responders``: further ones that sign no CRL and are no CA named by a CertID, but may be delegated responders.
    """

    def __init__(self, certificates: Iterable[Certificate], responders: Iterable[Certificate] = ()) -> None:
        self._subjects: dict[bytes, list[Certificate]] = defaultdict(list)
        for one in certificates:
            self._subjects[one.subject_der].append(one)
        able = {one.row["sha256"]: one for one in (*self._all(), *responders) if _may_respond(one)}
        self.responders = tuple(able.values())
        self._named: dict[str, dict[tuple[str, str], list[Certificate]]] = {}

    def of_name(self, name: bytes) -> Sequence[Certificate]:
        """Those of a subject name as encoded."""
        return self._subjects.get(name, ())

    def of_cert_id(self, cert_id: ocsp.CertId) -> Sequence[Certificate]:
        """Those that issuerNameHash and issuerKeyHash name (RFC 6960 4.1.1); none where the hash is not known."""
        kind = cert_id.hash_algorithm
        if kind not in _HASHES:
            return ()
        if kind not in self._named:
            found = self._named[kind] = defaultdict(list)
            for one in self._all():
                found[_digest(kind, one.subject_der), _digest(kind, _key_octets(one.spki))].append(one)
        return self._named[kind].get((cert_id.issuer_name_hash, cert_id.issuer_key_hash), ())

    def _all(self) -> list[Certificate]:
        return [one for some in self._subjects.values() for one in some]


def crl_signer(
    head: crl.Head, candidates: Candidates, authentic: frozenset[str], anchors: frozenset[str]
) -> Certificate | None:
    """The authentic CA certificate under whose key a CRL verifies, or None."""
    if head.algorithm is None:
        return None
    for certificate in candidates.of_name(head.issuer_der):
        if not _trusted(certificate, authentic, anchors, "cRLSign"):
            continue
        if verifies(certificate.spki, head.algorithm, head.signature, head.tbs):
            return certificate
    return None


def ocsp_signers(
    head: ocsp.Head, candidates: Candidates, authentic: frozenset[str], anchors: frozenset[str]
) -> list[Signer]:
    """For each single response who signed it: its CA, or a responder that the CA delegated (RFC 6960 4.2.2.2).

    The CA is the authentic one that issuerNameHash and issuerKeyHash name. A delegated responder's certificate is
    issued directly by that CA's key, has the extended key usage OCSPSigning, and is the one that responderID names.
    Each key is tried once on the response, however many single responses it has.
    """
    algorithm = head.algorithm
    if algorithm is None or not head.signature:
        return [Signer()] * len(head.cert_ids)
    tried: dict[bytes, bool] = {}

    def signed_by(certificate: Certificate, algorithm: Algorithm = algorithm) -> bool:
        if certificate.spki not in tried:
            # What bears the responder's name alone is anybody's: no more keys of that kind are tried than elsewhere.
            tried[certificate.spki] = len(tried) < MAX_TRIES and verifies(
                certificate.spki, algorithm, head.signature, head.tbs
            )
        return tried[certificate.spki]

    responders: list[Certificate] | None = None
    known: dict[tuple[str, ...], Signer] = {}
    found = []
    for cert_id in head.cert_ids:
        if cert_id is None:
            found.append(Signer())
            continue
        about = cert_id[:3]
        if about not in known:
            named = [c for c in candidates.of_cert_id(cert_id) if _trusted(c, authentic, anchors, "keyCertSign")]
            own = next((c for c in named if _fits(c, head) and signed_by(c)), None)
            if own is not None or not named:
                known[about] = Signer(own, own, False, True) if own else Signer()
            else:
                if responders is None:
                    able = [c for c in (*_embedded(head), *candidates.responders) if _may_respond(c)]
                    responders = [c for c in able if _fits(c, head) and signed_by(c)]
                known[about] = _delegated(named, responders)
        found.append(known[about])
    return found


def _delegated(named: Sequence[Certificate], responders: Sequence[Certificate]) -> Signer:
    """The first of some responders that one of a CA's certificates issued; these all have one name and key."""
    for responder in responders:
        for issuer in named:
            own = responder.algorithm
            if own is None or responder.issuer_der != issuer.subject_der:
                continue
            if verifies(issuer.spki, own, responder.signature, responder.tbs):
                return Signer(issuer, responder, True, True)
    return Signer(issuer=named[0])


def _may_respond(certificate: Certificate) -> bool:
    return not _DELEGATED.isdisjoint(certificate.row["extended_key_usage"] or ())


def _trusted(certificate: Certificate, authentic: frozenset[str], anchors: frozenset[str], usage: str) -> bool:
    digest = certificate.row["sha256"]
    return digest in anchors or (digest in authentic and may_issue(certificate, usage))


def _digest(kind: str, data: bytes) -> str:
    return hashlib.new(kind, data, usedforsecurity=False).hexdigest()


def _fits(certificate: Certificate, head: ocsp.Head) -> bool:
    """Whether a certificate is the one that responderID names (RFC 6960 4.2.1)."""
    if head.responder_name is not None:
        return certificate.subject_der == head.responder_name
    return hashlib.sha1(_key_octets(certificate.spki), usedforsecurity=False).digest() == head.responder_key


def _key_octets(spki: bytes) -> bytes:
    """The octets of the subjectPublicKey BIT STRING, without its count of unused bits."""
    try:
        return der.bit_string(spki, der.children(spki, der.read(spki, 0, len(spki)))[1])[1]
    except (DerError, IndexError):
        return b""


def _embedded(head: ocsp.Head) -> list[Certificate]:
    found = []
    for data in head.certificates[:MAX_EMBEDDED]:
        try:
            found.append(read_certificate(data))
        except (DerError, ValueError, IndexError):
            continue
    return found
