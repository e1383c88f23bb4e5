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
    """One entry: serial number, revocation date, and the reasonCode by name (None: left out).

    ``invalid_from`` is the invalidityDate, ``issuer`` the certificateIssuer (RFC 5280 5.3.3); ``extensions`` are added.
    """

    serial: int | bytes
    at: asn1.Time
    reason: str | None = None
    invalid_from: str | None = None
    issuer: asn1.Name | None = None
    extensions: Sequence[bytes] = ()

    def der(self) -> bytes:
        """The entry as DER."""
        made = []
        if self.reason is not None:
            made.append(extension("2.5.29.21", asn1.enumerated(REASONS[self.reason])))
        if self.invalid_from is not None:
            made.append(extension("2.5.29.24", asn1.generalized_time(self.invalid_from)))
        if self.issuer is not None:
            names = asn1.sequence(asn1.explicit(4, asn1.name(self.issuer)))
            made.append(extension("2.5.29.29", names, critical=True))
        made += self.extensions
        listed = asn1.sequence(*made) if made else b""
        return asn1.sequence(asn1.integer(self.serial), asn1.time(self.at), listed)


@dataclass(frozen=True)
class Crl:
    """A signed CRL."""

    der: bytes

    def pem(self) -> str:
        """PEM text."""
        return asn1.pem(self.der, "X509 CRL")


def distribution_point(
    url: str | None = None,
    *,
    only_user: bool = False,
    only_ca: bool = False,
    reasons: Sequence[int] | None = None,
    indirect: bool = False,
    only_attribute: bool = False,
) -> bytes:
    """The critical issuingDistributionPoint of a CRL (RFC 5280 5.2.5); ``reasons`` are bits of ReasonFlags."""
    fields = []
    if url is not None:
        general = asn1.implicit(6, url.encode("ascii"))
        fields.append(asn1.explicit(0, asn1.implicit(0, general, constructed=True)))
    true = b"\xff"
    fields += [asn1.implicit(number, true) for number, said in ((1, only_user), (2, only_ca)) if said]
    if reasons is not None:
        fields.append(asn1.implicit(3, asn1.named_bits(*reasons)[2:]))
    fields += [asn1.implicit(number, true) for number, said in ((4, indirect), (5, only_attribute)) if said]
    return extension("2.5.29.28", asn1.sequence(*fields), critical=True)


def delta_of(number: int) -> bytes:
    """The critical deltaCRLIndicator: changes since the CRL of that number (RFC 5280 5.2.4)."""
    return extension("2.5.29.27", asn1.integer(number), critical=True)


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
