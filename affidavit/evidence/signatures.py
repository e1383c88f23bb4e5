"""Signatures over given bytes under a given key.

The library's certificate-level verification refuses SHA-1 and older; here they are evidence. So the
issuer's key is loaded and used on the bytes themselves.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from affidavit.evidence import oids
from affidavit.evidence.der import DerError
from affidavit.evidence.parts import Algorithm, pss_parameters

_HASHES: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "md5": hashes.MD5,
    "sha1": hashes.SHA1,
    "sha224": hashes.SHA224,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}


@lru_cache(maxsize=4096)
def _key(spki: bytes) -> Any:
    try:
        return load_der_public_key(spki)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None


def verifies(spki: bytes, algorithm: Algorithm, signature: bytes, signed: bytes) -> bool:
    """Whether a signature of that algorithm over ``signed`` verifies under the key.

    False as well where the algorithm or the key is of an unknown kind: what cannot be verified is not
    authentic.
    """
    key = _key(spki)
    try:
        if isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
            if algorithm.name != ("ED25519" if isinstance(key, ed25519.Ed25519PublicKey) else "ED448"):
                return False
            key.verify(signature, signed)
            return True
        digest = _HASHES.get(algorithm.hash or "")
        if digest is None:
            return False
        if isinstance(key, rsa.RSAPublicKey):
            scheme: padding.AsymmetricPadding = padding.PKCS1v15()
            if algorithm.oid == oids.RSASSA_PSS:
                _, mask, salt = pss_parameters(algorithm.parameters)
                if mask not in _HASHES:
                    return False
                scheme = padding.PSS(padding.MGF1(_HASHES[mask]()), salt)
            elif "RSA" not in algorithm.name:
                return False
            key.verify(signature, signed, scheme, digest())
        elif isinstance(key, ec.EllipticCurvePublicKey) and algorithm.name.startswith("ecdsa"):
            key.verify(signature, signed, ec.ECDSA(digest()))
        elif isinstance(key, dsa.DSAPublicKey) and algorithm.name.startswith("dsa"):
            key.verify(signature, signed, digest())
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, DerError, IndexError):
        return False
    return True


def sct_verifies(
    log_key: bytes, hash_algorithm: int, signature_algorithm: int, signature: bytes, signed: bytes
) -> bool:
    """Whether a log's signature verifies; SHA-256 with RSA or ECDSA (RFC 6962 2.1.4)."""
    if hash_algorithm != 4:
        return False
    names = {1: "sha256WithRSAEncryption", 3: "ecdsa-with-SHA256"}
    if signature_algorithm not in names:
        return False
    return verifies(log_key, Algorithm("", names[signature_algorithm], "sha256", b""), signature, signed)
