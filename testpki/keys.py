"""Keys derived from seeds: the same seed gives the same key everywhere, and no private key is stored.

RSA keys are made from our own deterministic primes, since a library draws its own randomness. That
and the public seeds make all of these keys worthless as secrets.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from testpki import asn1

# What signs: data, name of the hash, whether PSS; a key takes of the latter two what it knows.
Signer = Callable[[bytes, str, bool], bytes]

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "md5": hashes.MD5(),
    "sha1": hashes.SHA1(),
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
# Signature algorithm OIDs: RFC 3279 (MD5, SHA-1), RFC 4055 (RSA with SHA-2), RFC 5758 (ECDSA with SHA-2).
_OIDS = {
    ("rsa", "md5"): "1.2.840.113549.1.1.4",
    ("rsa", "sha1"): "1.2.840.113549.1.1.5",
    ("rsa", "sha224"): "1.2.840.113549.1.1.14",
    ("rsa", "sha256"): "1.2.840.113549.1.1.11",
    ("rsa", "sha384"): "1.2.840.113549.1.1.12",
    ("rsa", "sha512"): "1.2.840.113549.1.1.13",
    ("ec", "sha1"): "1.2.840.10045.4.1",
    ("ec", "sha224"): "1.2.840.10045.4.3.1",
    ("ec", "sha256"): "1.2.840.10045.4.3.2",
    ("ec", "sha384"): "1.2.840.10045.4.3.3",
    ("ec", "sha512"): "1.2.840.10045.4.3.4",
}
_HASH_OIDS = {
    "sha1": "1.3.14.3.2.26",
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
}


@dataclass(frozen=True)
class Key:
    """A public key as SubjectPublicKeyInfo DER and, unless it is public only, what signs with it."""

    kind: Literal["rsa", "ec", "ed25519"]
    spki: bytes
    signer: Signer | None = field(default=None, compare=False, repr=False)

    def sign(self, data: bytes, hash: str = "sha256", *, pss: bool = False) -> bytes:
        """The signature over ``data``: PKCS #1 v1.5 or PSS (no salt), deterministic ECDSA, or Ed25519.

        Raises ``ValueError`` for a public-only key.
        """
        if self.signer is None:
            raise ValueError("this key is public only")
        return self.signer(data, hash, pss)

    def algorithm(self, hash: str = "sha256", *, pss: bool = False) -> bytes:
        """The AlgorithmIdentifier of such a signature; ``KeyError`` where the pair has no OID."""
        if self.kind == "ed25519":
            return asn1.sequence(asn1.oid("1.3.101.112"))
        if pss:
            digest = asn1.sequence(asn1.oid(_HASH_OIDS[hash]), asn1.null())
            mask = asn1.sequence(asn1.oid("1.2.840.113549.1.1.8"), digest)
            salt = asn1.explicit(2, asn1.integer(0))
            parameters = asn1.sequence(asn1.explicit(0, digest), asn1.explicit(1, mask), salt)
            return asn1.sequence(asn1.oid("1.2.840.113549.1.1.10"), parameters)
        identifier = asn1.oid(_OIDS[self.kind, hash])
        return asn1.sequence(identifier, asn1.null()) if self.kind == "rsa" else asn1.sequence(identifier)

    @property
    def identifier(self) -> bytes:
        """Key identifier: SHA-1 of the BIT STRING's octets (RFC 5280 4.2.1.2, method 1); 20 octets."""
        return hashlib.sha1(public_octets(self.spki), usedforsecurity=False).digest()


def public_octets(spki: bytes) -> bytes:
    """The octets of subjectPublicKey: what follows the AlgorithmIdentifier and the count of unused bits."""

    def content(at: int) -> tuple[int, int]:
        length = spki[at + 1]
        if length < 0x80:
            return at + 2, length
        size = length & 0x7F
        return at + 2 + size, int.from_bytes(spki[at + 2 : at + 2 + size])

    start, _ = content(0)
    algorithm, length = content(start)
    bits, size = content(algorithm + length)
    return spki[bits + 1 : bits + size]


def _spki(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def stream(seed: str, size: int) -> bytes:
    """``size`` octets derived from a seed (SHAKE-256)."""
    return hashlib.shake_256(seed.encode("utf-8")).digest(size)


@cache
def _small_primes() -> tuple[int, ...]:
    sieve = bytearray([1]) * (1 << 15)
    for number in range(2, 182):
        sieve[number * number :: number] = bytes(len(sieve[number * number :: number]))
    return tuple(number for number in range(3, len(sieve)) if sieve[number])


@cache
def prime(seed: str, bits: int) -> int:
    """The first prime at or after a number of ``bits`` bits derived from the seed, its two top bits set.

    Two top bits make the product of two such primes have exactly ``2 * bits`` bits. ``p - 1`` is coprime
    to 65537. Candidates are sieved, then tested by Miller-Rabin with 8 derived bases.
    """
    start = int.from_bytes(stream(f"prime {bits} {seed}", bits // 8)) | 0b11 << bits - 2 | 1
    width = bits * 8
    sieve = bytearray(width)  # position i stands for start + 2 i
    for small in _small_primes():
        first = -start * pow(2, -1, small) % small
        sieve[first::small] = b"\1" * len(range(first, width, small))
    for at in range(width):
        candidate = start + 2 * at
        if not sieve[at] and candidate % 65537 != 1 and _probably_prime(candidate, seed):
            return candidate
    raise ValueError(f"no prime within {2 * width} of the start; choose another seed")


def _probably_prime(number: int, seed: str) -> bool:
    odd = number - 1
    twos = (odd & -odd).bit_length() - 1
    odd >>= twos
    for turn in range(8):
        base = 2 + int.from_bytes(stream(f"base {turn} {seed}", 16))
        power = pow(base, odd, number)
        if power in (1, number - 1):
            continue
        for _ in range(twos - 1):
            power = power * power % number
            if power == number - 1:
                break
        else:
            return False
    return True


@cache
def rsa_key(seed: str, bits: int = 2048, exponent: int = 65537) -> Key:
    """An RSA key that signs; ``bits`` is the modulus length. About 0.2 s for 2048 bits, then cached."""
    p, q = prime(f"{seed} p", bits // 2), prime(f"{seed} q", bits // 2)
    d = pow(exponent, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(exponent, p * q)
    numbers = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public)
    key = numbers.private_key(unsafe_skip_rsa_key_validation=True)

    def sign(data: bytes, hash: str, pss: bool) -> bytes:
        digest = _HASHES[hash]
        scheme = padding.PSS(padding.MGF1(digest), 0) if pss else padding.PKCS1v15()
        return key.sign(data, scheme, digest)

    return Key("rsa", _spki(key), sign)


def rsa_public_key(number: int, *, pool: int = 32, bits: int = 2048, exponent: int = 65537) -> Key:
    """The ``number``-th RSA public key over a pool of primes: hundreds of distinct moduli at little cost.

    **Weak on purpose**: two keys share a prime where their pairs overlap, so both fall to one gcd. There
    are ``pool * (pool - 1) / 2`` keys; ``IndexError`` beyond.
    """
    second = 1
    while number >= second:  # number-th pair (first, second) with first < second, in order of second
        number -= second
        second += 1
    if second >= pool:
        raise IndexError(f"a pool of {pool} primes gives {pool * (pool - 1) // 2} keys")
    modulus = prime(f"pool {number}", bits // 2) * prime(f"pool {second}", bits // 2)
    return rsa_from_numbers(modulus, exponent)


def rsa_from_numbers(modulus: int, exponent: int = 65537) -> Key:
    """A public-only RSA key of any numbers (RFC 3279 2.3.1), sound or not."""
    algorithm = asn1.sequence(asn1.oid("1.2.840.113549.1.1.1"), asn1.null())
    numbers = asn1.sequence(asn1.integer(modulus), asn1.integer(exponent))
    return Key("rsa", asn1.sequence(algorithm, asn1.bit_string(numbers)))


@cache
def ec_key(seed: str, curve: Literal["p256", "p384", "p521"] = "p256") -> Key:
    """An EC key on a NIST curve; its signatures use the nonces of RFC 6979."""
    kind: ec.EllipticCurve = {"p256": ec.SECP256R1(), "p384": ec.SECP384R1(), "p521": ec.SECP521R1()}[curve]
    secret = 1 + int.from_bytes(stream(f"{curve} {seed}", (kind.key_size - 1) // 8))
    key = ec.derive_private_key(secret, kind)

    def sign(data: bytes, hash: str, _pss: bool) -> bytes:
        return key.sign(data, ec.ECDSA(_HASHES[hash], deterministic_signing=True))

    return Key("ec", _spki(key), sign)


@cache
def ed25519_key(seed: str) -> Key:
    """An Ed25519 key."""
    key = ed25519.Ed25519PrivateKey.from_private_bytes(stream(f"ed25519 {seed}", 32))

    def sign(data: bytes, _hash: str, _pss: bool) -> bytes:
        return key.sign(data)

    return Key("ed25519", _spki(key), sign)
