"""Signatures over given bytes under a given key.

The library's certificate-level verification refuses SHA-1 and older; here they are evidence. So the
issuer's key is loaded and used on the bytes themselves. What the library has no algorithm for (MD2, MD4,
SM2 ...) is not verified, and `why_not` says so.
"""

import warnings
from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from affidavit.evidence import der, oids
from affidavit.evidence.der import DerError
from affidavit.evidence.parts import Algorithm

MAX_KEY_OCTETS = 8192
"""A SubjectPublicKeyInfo beyond this is not loaded; one of RSA with 16,384 bits, which OpenSSL bears, has 2,086."""
MAX_PARAMETER_OCTETS = 1024
MAX_SALT = 4096


class Why(StrEnum):
    """Why a signature does not verify; `NONE` where it does."""

    NONE = ""
    UNKNOWN_ALGORITHM = "unknown algorithm"
    BAD_PARAMETERS = "parameters of the algorithm not readable"
    KEY_UNREADABLE = "key unreadable"
    OTHER_KEY = "key of another kind"
    WRONG = "signature wrong"


_HASHES: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "md5": hashes.MD5,
    "sha1": hashes.SHA1,
    "sha224": hashes.SHA224,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
    "sha512-224": hashes.SHA512_224,
    "sha512-256": hashes.SHA512_256,
    "sha3-224": hashes.SHA3_224,
    "sha3-256": hashes.SHA3_256,
    "sha3-384": hashes.SHA3_384,
    "sha3-512": hashes.SHA3_512,
}

#: Scheme and hash of each algorithm that can be verified (RFC 3279 2.2, RFC 4055 5, RFC 5758, RFC 8017 A.2.4,
#: RFC 8410, RFC 9688, NIST CSOR; 1.3.14.3.2.* of OIW, which old CAs used).
_SCHEMES: dict[str, tuple[str, str]] = {
    "1.2.840.113549.1.1.4": ("rsa", "md5"),
    "1.2.840.113549.1.1.5": ("rsa", "sha1"),
    "1.3.14.3.2.29": ("rsa", "sha1"),
    "1.2.840.113549.1.1.14": ("rsa", "sha224"),
    "1.2.840.113549.1.1.11": ("rsa", "sha256"),
    "1.2.840.113549.1.1.12": ("rsa", "sha384"),
    "1.2.840.113549.1.1.13": ("rsa", "sha512"),
    "1.2.840.113549.1.1.15": ("rsa", "sha512-224"),
    "1.2.840.113549.1.1.16": ("rsa", "sha512-256"),
    "2.16.840.1.101.3.4.3.13": ("rsa", "sha3-224"),
    "2.16.840.1.101.3.4.3.14": ("rsa", "sha3-256"),
    "2.16.840.1.101.3.4.3.15": ("rsa", "sha3-384"),
    "2.16.840.1.101.3.4.3.16": ("rsa", "sha3-512"),
    "1.2.840.10045.4.1": ("ec", "sha1"),
    "1.2.840.10045.4.3.1": ("ec", "sha224"),
    "1.2.840.10045.4.3.2": ("ec", "sha256"),
    "1.2.840.10045.4.3.3": ("ec", "sha384"),
    "1.2.840.10045.4.3.4": ("ec", "sha512"),
    "2.16.840.1.101.3.4.3.9": ("ec", "sha3-224"),
    "2.16.840.1.101.3.4.3.10": ("ec", "sha3-256"),
    "2.16.840.1.101.3.4.3.11": ("ec", "sha3-384"),
    "2.16.840.1.101.3.4.3.12": ("ec", "sha3-512"),
    "1.2.840.10040.4.3": ("dsa", "sha1"),
    "1.3.14.3.2.27": ("dsa", "sha1"),
    "2.16.840.1.101.3.4.3.1": ("dsa", "sha224"),
    "2.16.840.1.101.3.4.3.2": ("dsa", "sha256"),
    "2.16.840.1.101.3.4.3.3": ("dsa", "sha384"),
    "2.16.840.1.101.3.4.3.4": ("dsa", "sha512"),
    oids.RSASSA_PSS: ("pss", ""),
    "1.3.101.112": ("ed25519", ""),
    "1.3.101.113": ("ed448", ""),
}
_KEYS: dict[str, Any] = {
    "rsa": rsa.RSAPublicKey,
    "pss": rsa.RSAPublicKey,
    "ec": ec.EllipticCurvePublicKey,
    "dsa": dsa.DSAPublicKey,
    "ed25519": ed25519.Ed25519PublicKey,
    "ed448": ed448.Ed448PublicKey,
}
_RSA = "1.2.840.113549.1.1.1"
_MGF1 = "1.2.840.113549.1.1.8"


class Pss(NamedTuple):
    """RSASSA-PSS-params (RFC 4055 3.1): both hashes by name, and the salt's octets."""

    hash: str = "sha1"
    mask_hash: str = "sha1"
    salt: int = 20


def verifies(spki: bytes, algorithm: Algorithm, signature: bytes, signed: bytes) -> bool:
    """Whether a signature of that algorithm over ``signed`` verifies under the key.

    False as well where the algorithm or the key is of an unknown kind: what cannot be verified is not
    authentic.
    """
    return not why_not(spki, algorithm, signature, signed)


def why_not(spki: bytes, algorithm: Algorithm, signature: bytes, signed: bytes) -> Why:
    """Why a signature does not verify; ``Why.NONE``, which is false, where it does."""
    return verifier(spki, algorithm)(signature, signed)


Verifier = Callable[[bytes, bytes], Why]
"""What is called with a signature and the bytes signed."""


def verifier(spki: bytes, algorithm: Algorithm) -> Verifier:
    """What verifies signatures of an algorithm under a key; the key is loaded once a process."""
    if len(algorithm.parameters) > MAX_PARAMETER_OCTETS:
        return _never(Why.BAD_PARAMETERS)
    if len(spki) > MAX_KEY_OCTETS:
        return _never(Why.KEY_UNREADABLE)
    return _verifier(spki, algorithm.oid, algorithm.parameters if algorithm.oid == oids.RSASSA_PSS else b"")


def same_key(spki: bytes) -> bytes:
    """One encoding for all SubjectPublicKeyInfo of one public key; itself where it cannot be loaded."""
    key = _key(spki) if len(spki) <= MAX_KEY_OCTETS else None
    try:
        return spki if key is None else key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm):
        return spki


def _never(why: Why) -> Verifier:
    def check(_signature: bytes, _signed: bytes) -> Why:
        return why

    return check


@lru_cache(maxsize=4096)
def _key(spki: bytes) -> Any:
    for load in (load_der_public_key, _rsa_key):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return load(spki)
        except (ValueError, TypeError, IndexError, OverflowError, UnsupportedAlgorithm):
            continue
    return None


def _rsa_key(spki: bytes) -> rsa.RSAPublicKey:
    """An RSA key with parameters that the library refuses: not NULL (RFC 3279 2.3.1), or odd ones of PSS."""
    algorithm, key = der.children(spki, der.expect(spki, 0, len(spki), der.SEQUENCE, "key"))
    if der.oid(spki, der.children(spki, algorithm)[0]) not in (_RSA, oids.RSASSA_PSS):
        raise DerError("no RSA key")
    bits = der.bit_string(spki, key)[1]
    modulus, exponent = der.children(bits, der.expect(bits, 0, len(bits), der.SEQUENCE, "RSA key"))
    return rsa.RSAPublicNumbers(der.integer(bits, exponent), der.integer(bits, modulus)).public_key()


@lru_cache(maxsize=4096)
def _verifier(spki: bytes, oid: str, parameters: bytes) -> Verifier:
    if oid not in _SCHEMES:
        return _never(Why.UNKNOWN_ALGORITHM)
    scheme, digest = _SCHEMES[oid]
    arguments: tuple[Any, ...] = ()
    if scheme == "pss":
        try:
            pss = pss_strictly(parameters)
        except (DerError, IndexError):
            return _never(Why.BAD_PARAMETERS)
        arguments = (padding.PSS(padding.MGF1(_HASHES[pss.mask_hash]()), pss.salt), _HASHES[pss.hash]())
    elif scheme == "rsa":
        arguments = (padding.PKCS1v15(), _HASHES[digest]())
    elif scheme == "ec":
        arguments = (ec.ECDSA(_HASHES[digest]()),)
    elif scheme == "dsa":
        arguments = (_HASHES[digest](),)
    key, kind = _key(spki), _KEYS[scheme]
    if key is None:
        return _never(Why.KEY_UNREADABLE)
    if not isinstance(key, kind) or not _allowed(spki, scheme, parameters):
        return _never(Why.OTHER_KEY)
    verify = key.verify

    def check(signature: bytes, signed: bytes) -> Why:
        try:
            verify(signature, signed, *arguments)
        except InvalidSignature:
            return Why.WRONG
        except UnsupportedAlgorithm:
            return Why.UNKNOWN_ALGORITHM
        except (ValueError, TypeError, OverflowError):
            return Why.WRONG
        return Why.NONE

    return check


def _allowed(spki: bytes, scheme: str, parameters: bytes) -> bool:
    """Whether a key's own algorithm allows such signatures (RFC 4055 1.2 and 3.3: keys for RSASSA-PSS alone)."""
    try:
        outer = der.expect(spki, 0, len(spki), der.SEQUENCE, "key")
        algorithm = der.children(spki, der.children(spki, outer)[0])
        if scheme not in ("rsa", "pss") or der.oid(spki, algorithm[0]) != oids.RSASSA_PSS:
            return True
        if scheme != "pss":
            return False
        if len(algorithm) < 2:
            return True
        bound, used = pss_strictly(der.whole(spki, algorithm[1])), pss_strictly(parameters)
    except (DerError, IndexError):
        return False
    return bound[:2] == used[:2] and used.salt >= bound.salt


def pss_strictly(encoded: bytes) -> Pss:
    """The parameters of RSASSA-PSS, each checked (RFC 4055 3.1); DerError where one is not understood."""
    if not encoded:
        return Pss()
    outer = der.expect(encoded, 0, len(encoded), der.SEQUENCE, "RSASSA-PSS parameters")
    fields = der.children(encoded, outer)
    tags = [one.tag for one in fields]
    if outer.end != len(encoded) or tags != sorted(set(tags)) or not set(tags) <= {0xA0, 0xA1, 0xA2, 0xA3}:
        raise DerError("RSASSA-PSS parameters: other fields than those of RFC 4055 3.1")
    found = Pss()
    for one in fields:
        inner = der.read(encoded, one.content, one.end)
        if inner.end != one.end:
            raise DerError("RSASSA-PSS parameters: octets follow a field")
        if one.tag == 0xA0:
            found = found._replace(hash=_hash(encoded, inner))
        elif one.tag == 0xA1:
            mask = der.children(encoded, inner)
            if inner.tag != der.SEQUENCE or len(mask) != 2 or der.oid(encoded, mask[0]) != _MGF1:
                raise DerError("RSASSA-PSS parameters: a mask function that is not MGF1")
            found = found._replace(mask_hash=_hash(encoded, mask[1]))
        else:
            number = der.small_integer(encoded, der.expect(encoded, one.content, one.end, der.INTEGER, "number"))
            if one.tag == 0xA2:
                found = found._replace(salt=number)
            elif number != 1:
                raise DerError("RSASSA-PSS parameters: a trailer field other than 1")
    if not 0 <= found.salt <= MAX_SALT:
        raise DerError(f"RSASSA-PSS parameters: a salt of {found.salt} octets")
    return found


def _hash(encoded: bytes, value: der.Tlv) -> str:
    pieces = der.children(encoded, value)
    name = oids.HASHES.get(der.oid(encoded, pieces[0]))
    none = len(pieces) == 1 or (len(pieces) == 2 and der.whole(encoded, pieces[1]) == b"\x05\x00")
    if value.tag != der.SEQUENCE or name not in _HASHES or not none:
        raise DerError("RSASSA-PSS parameters: an unknown hash")
    return name


#: TLS SignatureAlgorithm of an SCT: the OIDs with SHA-256 (RFC 5246 7.4.1.4.1, RFC 6962 2.1.4).
_SCT_ALGORITHMS = {
    1: Algorithm("1.2.840.113549.1.1.11", "sha256WithRSAEncryption", "sha256", b""),
    3: Algorithm("1.2.840.10045.4.3.2", "ecdsa-with-SHA256", "sha256", b""),
}


def sct_verifies(
    log_key: bytes, hash_algorithm: int, signature_algorithm: int, signature: bytes, signed: bytes
) -> bool:
    """Whether a log's signature verifies; SHA-256 with RSA or ECDSA (RFC 6962 2.1.4)."""
    algorithm = _SCT_ALGORITHMS.get(signature_algorithm)
    return hash_algorithm == 4 and algorithm is not None and verifies(log_key, algorithm, signature, signed)
