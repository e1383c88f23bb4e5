"""Whose word a CRL or an OCSP response is: the key that signed it, and whether that leads to a trusted certificate.

Neither expiry nor the strength of a hash makes a signed status inauthentic, and id-pkix-ocsp-nocheck is not asked
about: what a CA's key has signed, the CA has said.
"""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from affidavit.evidence import crl, der, ocsp
from affidavit.evidence.authentic import may_issue
from affidavit.evidence.certificate import Certificate, read_certificate
from affidavit.evidence.der import DerError
from affidavit.evidence.signatures import verifies

crl_head = crl.head
ocsp_head = ocsp.head
_DELEGATED = {"OCSPSigning", "1.3.6.1.5.5.7.3.9"}


class Signer(NamedTuple):
    """Who signed a single response: the CA that it is about, and whose certificate the signature verifies under."""

    issuer: Certificate | None = None
    responder: Certificate | None = None
    delegated: bool | None = None
    authentic: bool = False


def crl_signer(
    head: crl.Head, candidates: Sequence[Certificate], authentic: frozenset[str], anchors: frozenset[str]
) -> Certificate | None:
    """The authentic CA certificate under whose key a CRL verifies, or None."""
    if head.algorithm is None:
        return None
    for certificate in candidates:
        if certificate.subject_der != head.issuer_der or not _trusted(certificate, authentic, anchors, "cRLSign"):
            continue
        if verifies(certificate.spki, head.algorithm, head.signature, head.tbs):
            return certificate
    return None


def ocsp_signer(
    head: ocsp.Head,
    cert_id: ocsp.CertId | None,
    candidates: Sequence[Certificate],
    authentic: frozenset[str],
    anchors: frozenset[str],
) -> Signer:
    """Who signed a response about a certificate: its CA, or a responder that the CA delegated (RFC 6960 4.2.2.2).

    The CA is the authentic one that issuerNameHash and issuerKeyHash name. A delegated responder's certificate is
    issued directly by that CA's key, has the extended key usage OCSPSigning, and is the one that responderID names.
    """
    if cert_id is None or not head.signature or head.algorithm is None:
        return Signer()
    named = [c for c in candidates if _trusted(c, authentic, anchors, "keyCertSign") and _is_named(c, cert_id)]
    for issuer in named:
        if _fits(issuer, head) and verifies(issuer.spki, head.algorithm, head.signature, head.tbs):
            return Signer(issuer, issuer, False, True)
    if not named:
        return Signer()
    for responder in (*_embedded(head), *candidates):
        if not _fits(responder, head) or _DELEGATED.isdisjoint(responder.row["extended_key_usage"] or ()):
            continue
        if not verifies(responder.spki, head.algorithm, head.signature, head.tbs):
            continue
        for issuer in named:
            own = responder.algorithm
            if own is None or responder.issuer_der != issuer.subject_der:
                continue
            if verifies(issuer.spki, own, responder.signature, responder.tbs):
                return Signer(issuer, responder, True, True)
    return Signer(issuer=named[0])


def _trusted(certificate: Certificate, authentic: frozenset[str], anchors: frozenset[str], usage: str) -> bool:
    digest = certificate.row["sha256"]
    return digest in anchors or (digest in authentic and may_issue(certificate, usage))


def _is_named(certificate: Certificate, cert_id: ocsp.CertId) -> bool:
    if cert_id.hash_algorithm not in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512"):
        return False

    def digest(data: bytes) -> str:
        return hashlib.new(cert_id.hash_algorithm, data, usedforsecurity=False).hexdigest()

    return (
        digest(certificate.subject_der) == cert_id.issuer_name_hash
        and digest(_key_octets(certificate.spki)) == cert_id.issuer_key_hash
    )


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
    for data in head.certificates[:16]:
        try:
            found.append(read_certificate(data))
        except (DerError, ValueError, IndexError):
            continue
    return found
