"""OCSP responses as DER (RFC 6960 4.2), signed by a CA or by whomever a test says."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from testpki import asn1
from testpki.build import Authority, Certificate
from testpki.crl import REASONS
from testpki.extensions import extension
from testpki.keys import Key, public_octets

_HASHES = {"sha1": "1.3.14.3.2.26", "sha256": "2.16.840.1.101.3.4.2.1", "md5": "1.2.840.113549.2.5"}


@dataclass(frozen=True)
class Single:
    """One single response: about which certificate, and what it says.

    ``status`` is ``good``, ``unknown``, or ``revoked`` (then ``revoked_at`` and, if wanted, ``reason`` by name);
    ``extensions`` are its singleExtensions.
    """

    issuer: Authority
    serial: int
    status: str = "good"
    revoked_at: str | None = None
    reason: str | None = None
    this_update: str = "2024-02-01T00:00:00Z"
    next_update: str | None = "2024-02-08T00:00:00Z"
    hash: str = "sha1"
    extensions: Sequence[bytes] = ()

    def der(self) -> bytes:
        """The SingleResponse as DER."""
        name = hashlib.new(self.hash, self.issuer.certificate.subject, usedforsecurity=False).digest()
        key = hashlib.new(self.hash, public_octets(self.issuer.key.spki), usedforsecurity=False).digest()
        algorithm = asn1.sequence(asn1.oid(_HASHES[self.hash]), asn1.null())
        about = asn1.sequence(algorithm, asn1.octet_string(name), asn1.octet_string(key), asn1.integer(self.serial))
        status = {"good": asn1.implicit(0, b""), "unknown": asn1.implicit(2, b"")}.get(self.status, b"")
        if self.status == "revoked":
            assert self.revoked_at is not None
            why = asn1.explicit(0, asn1.enumerated(REASONS[self.reason])) if self.reason else b""
            status = asn1.explicit(1, asn1.generalized_time(self.revoked_at), why)
        following = asn1.explicit(0, asn1.generalized_time(self.next_update)) if self.next_update else b""
        more = asn1.explicit(1, asn1.sequence(*self.extensions)) if self.extensions else b""
        return asn1.sequence(about, status, asn1.generalized_time(self.this_update), following, more)


@dataclass(frozen=True)
class Response:
    """A response of some single responses (or DER in place of one), signed by ``signer``'s key.

    The responder is named ``by_key`` or by the signer's name; ``certificates`` are put in; ``extensions`` are the
    responseExtensions. ``signature`` stands in place of a true one.
    """

    signer: Authority
    singles: Sequence[Single | bytes]
    by_key: bool = False
    certificates: Sequence[Certificate] = ()
    produced_at: str = "2024-02-01T01:00:00Z"
    extensions: Sequence[bytes] = ()
    hash: str = "sha256"
    signature: bytes | None = None
    unused: int = 0
    version: int | None = None
    responder: bytes | None = None
    key: Key | None = field(default=None)

    def der(self) -> bytes:
        """The OCSPResponse as DER, its status ``successful``."""
        key = self.key or self.signer.key
        who = asn1.explicit(1, self.signer.certificate.subject)
        if self.by_key:
            who = asn1.explicit(2, asn1.octet_string(self.signer.key.identifier))
        listed = [one if isinstance(one, bytes) else one.der() for one in self.singles]
        data = asn1.sequence(
            asn1.explicit(0, asn1.integer(self.version)) if self.version is not None else b"",
            who if self.responder is None else self.responder,
            asn1.generalized_time(self.produced_at),
            asn1.sequence(*listed),
            asn1.explicit(1, asn1.sequence(*self.extensions)) if self.extensions else b"",
        )
        signature = key.sign(data, self.hash) if self.signature is None else self.signature
        inside = b"".join(one.der for one in self.certificates)
        basic = asn1.sequence(
            data,
            key.algorithm(self.hash),
            asn1.bit_string(signature, self.unused),
            asn1.explicit(0, asn1.sequence(inside)) if inside else b"",
        )
        return answer(0, basic)


def answer(status: int, basic: bytes | None = None, kind: str = "1.3.6.1.5.5.7.48.1.1") -> bytes:
    """An OCSPResponse of a status, and of a response's octets where there are any."""
    body = b""
    if basic is not None:
        body = asn1.explicit(0, asn1.sequence(asn1.oid(kind), asn1.octet_string(basic)))
    return asn1.sequence(asn1.enumerated(status), body)


def nonce(octets: bytes) -> bytes:
    """The nonce extension (RFC 8954 2.1)."""
    return extension("1.3.6.1.5.5.7.48.1.2", asn1.octet_string(octets))


def archive_cutoff(at: str) -> bytes:
    """The archive cutoff of a single response (RFC 6960 4.4.4)."""
    return extension("1.3.6.1.5.5.7.48.1.6", asn1.generalized_time(at))
