"""Certificate revocation lists as DER (RFC 5280 5)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from testpki import asn1
from testpki.extensions import authority_key_id, extension
from testpki.keys import Key

REASONS = {
    "unspecified": 0,
    "keyCompromise": 1,
    "cACompromise": 2,
    "affiliationChanged": 3,
    "superseded": 4,
    "cessationOfOperation": 5,
    "certificateHold": 6,
    "removeFromCRL": 8,
    "privilegeWithdrawn": 9,
    "aACompromise": 10,
}


@dataclass(frozen=True)
class Revoked:
    """One entry: serial number, revocation date, and the reasonCode by name (None: left out)."""

    serial: int
    at: asn1.Time
    reason: str | None = None

    def der(self) -> bytes:
        """The entry as DER."""
        made = b""
        if self.reason is not None:
            made = asn1.sequence(extension("2.5.29.21", asn1.enumerated(REASONS[self.reason])))
        return asn1.sequence(asn1.integer(self.serial), asn1.time(self.at), made)


@dataclass(frozen=True)
class Crl:
    """A signed CRL."""

    der: bytes

    def pem(self) -> str:
        """PEM text."""
        return asn1.pem(self.der, "X509 CRL")


def issue_crl(
    key: Key,
    issuer: bytes,
    revoked: Iterable[Revoked],
    this_update: asn1.Time,
    next_update: asn1.Time | None = None,
    number: int | None = 1,
    hash: str = "sha256",
    extensions: Sequence[bytes] = (),
    signature: bytes | None = None,
) -> Crl:
    """A CRL v2 under a key and an issuer name.

    ``number=None`` leaves the CRL number out, ``next_update=None`` nextUpdate; ``extensions`` are added,
    and ``signature`` stands in place of a true one.
    """
    algorithm = key.algorithm(hash)
    entries = [entry.der() for entry in revoked]
    listed = [authority_key_id(key.identifier)]
    if number is not None:
        listed.append(extension("2.5.29.20", asn1.integer(number)))
    tbs = asn1.sequence(
        asn1.integer(1),
        algorithm,
        issuer,
        asn1.time(this_update),
        asn1.time(next_update) if next_update is not None else b"",
        asn1.sequence(*entries) if entries else b"",  # absent where nothing is revoked (5.1.2.6)
        asn1.explicit(0, asn1.sequence(*listed, *extensions)),
    )
    made = key.sign(tbs, hash) if signature is None else signature
    return Crl(asn1.sequence(tbs, algorithm, asn1.bit_string(made)))
