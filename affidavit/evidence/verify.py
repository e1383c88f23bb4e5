"""Whose key signed each of many certificates: pure functions of bytes, made for worker processes.

A signature takes 30 (RSA-2048) to 100 microseconds (P-256), so nothing beside it may cost much: TBS and
signature are sliced from the DER (through the library's objects they would cost 20 microseconds more), keys
are loaded once a process, a certificate that stands twice in a batch is verified once. Only names and
signatures are compared here; whether an issuer is trusted, and may issue, says `authentic`.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from affidavit.evidence import ber, der, parts
from affidavit.evidence.der import DerError
from affidavit.evidence.parts import Algorithm
from affidavit.evidence.signatures import MAX_KEY_OCTETS, Verifier, Why, verifier

MAX_KEYS = 64
"""So many keys of one issuer name are tried on a certificate."""
MAX_BER_OCTETS = 4 * 1024 * 1024
NO_ISSUER = "no certificate of that issuer name"
ALGORITHMS_DIFFER = "the signature algorithms inside and outside differ"
_AKI = bytes.fromhex("0603551d23")


class Slices(NamedTuple):
    """The parts of a certificate that its signature rests on, as they stand in its DER.

    The first keyIdentifier of an authority key identifier is a hint which issuer to try first, no more: None as well
    where it cannot be read.
    """

    tbs: bytes
    algorithm_der: bytes
    inner_algorithm_der: bytes
    signature: bytes
    issuer_der: bytes
    authority_key_id: bytes | None


class Link(NamedTuple):
    """The key under which a certificate's signature verifies: SHA-256 of its SubjectPublicKeyInfo, lower-case hex.

    None where there is none, and then ``reason`` says why. ``capped``: none of the keys tried verifies it, but
    there are more than `MAX_KEYS` of that name, so that nothing follows.
    """

    spki_sha256: str | None
    capped: bool
    reason: str


def slices(data: bytes) -> Slices:
    """The slices of one certificate (RFC 5280 4.1); DerError where it has not that outline."""
    outline = _outline(data)
    return Slices(*outline[:5], _authority_key_id(data, outline[5], outline[6]))


def verify_batch(certificates: Iterable[bytes | None], keys: Mapping[bytes, Sequence[bytes]]) -> list[Link]:
    """For each certificate (DER; or an Arrow array of these) the key that signed it.

    ``keys``: issuer name as encoded to the SubjectPublicKeyInfo of candidates, distinct, the likelier first.
    Those whose hash is the certificate's authority key identifier are tried before the others.
    """
    ders = certificates
    if (to_list := getattr(certificates, "to_pylist", None)) is not None:
        ders = to_list()
    tries: dict[tuple[bytes, bytes, _Hint], _Tries] = {}
    # By signature alone, which is short to hash; the same one over other bytes is another matter.
    seen: dict[bytes, tuple[bytes, Link]] = {}
    names: dict[bytes, _Candidates] = {}
    found = []
    for data in ders:
        try:
            data, outline = _any_outline(data or b"")
            tbs, outer, inner, signature, issuer, validity, end = outline
        except DerError as error:
            found.append(Link(None, False, f"not readable: {error}"))
            continue
        if outer != inner:
            # The outer one is not signed: whoever changes it makes another certificate out of a true one.
            found.append(Link(None, False, ALGORITHMS_DIFFER))
            continue
        before = seen.get(signature)
        if before is not None and before[0] == tbs:
            link = before[1]
        else:
            named = names.get(issuer)
            if named is None:
                named = names[issuer] = _candidates(tuple(keys.get(issuer, ())))
            hint = _hint(data, issuer, validity, end) if named.places else _NO_HINT
            some = tries.get((issuer, outer, hint))
            if some is None:
                some = tries[issuer, outer, hint] = _tries(named, outer, hint)
            link = some.link(signature, tbs)
            seen[signature] = tbs, link
        found.append(link)
    return found


@dataclass(slots=True)
class _Tries:
    """The keys to be tried on certificates of one issuer name, in order; whether others were left out."""

    spkis: Sequence[bytes]
    algorithm: Algorithm
    left_out: bool = False
    reason: str = ""
    ready: list[tuple[str, Verifier]] = field(default_factory=list)
    """The first of these, loaded: mostly the first alone is needed."""

    def link(self, signature: bytes, tbs: bytes) -> Link:
        reason = self.reason
        for number in range(len(self.spkis)):
            if number == len(self.ready):
                self.ready.append(self._load(self.spkis[number]))
            spki_sha256, check = self.ready[number]
            why = check(signature, tbs)
            if not why:
                return Link(spki_sha256, False, "")
            # That a usable key does not fit tells more than that another is not usable.
            if why is Why.WRONG or not reason:
                reason = str(why)
        if self.left_out:
            reason += f" under the {MAX_KEYS} keys of that issuer name that were tried; there are more"
        return Link(None, self.left_out, reason)

    def _load(self, spki: bytes) -> tuple[str, Verifier]:
        return hashlib.sha256(spki).hexdigest(), verifier(spki, self.algorithm)


class _Hint(NamedTuple):
    """What tells which key comes first: an authority key identifier, or the certificate's own key if self-issued."""

    authority_key_id: bytes | None
    own: bytes | None


_NO_HINT = _Hint(None, None)
_NONE = Algorithm("", "", None, b"")


def _hint(data: bytes, issuer: bytes, validity: int, end: int) -> _Hint:
    try:
        subject = _span(data, validity, end)[1]
        key = _span(data, subject, end)[1]
        own = data[key : _span(data, key, end)[1]] if data[subject:key] == issuer else None
    except DerError:
        return _NO_HINT
    return _Hint(_authority_key_id(data, key, end), own)


class _Candidates(NamedTuple):
    """The keys of one issuer name; where there are several, also by themselves and by what may identify them."""

    spkis: tuple[bytes, ...]
    places: Mapping[bytes, Sequence[bytes]]


@lru_cache(maxsize=64)
def _candidates(spkis: tuple[bytes, ...]) -> _Candidates:
    found: dict[bytes, list[bytes]] = {}
    for spki in spkis if len(spkis) > 1 else ():
        for identifier in (spki, *_identifiers(spki)):
            found.setdefault(identifier, []).append(spki)
    return _Candidates(spkis, found)


def _tries(named: _Candidates, algorithm_der: bytes, hint: _Hint) -> _Tries:
    if not named.spkis:
        return _Tries((), _NONE, reason=NO_ISSUER)
    algorithm = _algorithm(algorithm_der)
    if algorithm is None:
        return _Tries((), _NONE, reason=str(Why.UNKNOWN_ALGORITHM))
    first = [hint.own] if hint.own is not None and hint.own in named.places else []
    if hint.authority_key_id is not None:
        first += named.places.get(hint.authority_key_id, ())[:MAX_KEYS]
    chosen = list(dict.fromkeys([*first, *named.spkis[:MAX_KEYS]]))[:MAX_KEYS]
    return _Tries(chosen, algorithm, left_out=len(named.spkis) > len(chosen))


@lru_cache(maxsize=1024)
def _algorithm(encoded: bytes) -> Algorithm | None:
    try:
        return parts.algorithm(encoded, der.read(encoded, 0, len(encoded)))
    except (DerError, IndexError, ValueError):
        return None


def _identifiers(spki: bytes) -> set[bytes]:
    """Key identifiers of RFC 5280 4.2.1.2 (1) and (2), of RFC 7093 2, and hashes of the whole that CAs use."""
    if len(spki) > MAX_KEY_OCTETS:
        return set()
    whole = {hashlib.sha1(spki, usedforsecurity=False).digest(), hashlib.sha256(spki).digest()}
    try:
        inside = der.children(spki, der.expect(spki, 0, len(spki), der.SEQUENCE, "key"))
        bits = der.bit_string(spki, inside[1])[1]
    except (DerError, IndexError):
        return whole
    sha1 = hashlib.sha1(bits, usedforsecurity=False).digest()
    longer = [hashlib.new(name, bits).digest() for name in ("sha256", "sha384", "sha512")]
    short = bytes([0x40 | sha1[12] & 0x0F]) + sha1[13:]
    return whole | {sha1, short, *longer, *(one[:20] for one in longer)}


_Outline = tuple[bytes, bytes, bytes, bytes, bytes, int, int]


def _any_outline(data: bytes) -> tuple[bytes, _Outline]:
    """The outline, and the octets that its offsets are of; of BER, values in definite form and the TBS as it stands."""
    try:
        return data, _outline(data)
    except DerError:
        plain = ber.readable(data) if len(data) <= MAX_BER_OCTETS else data
        if plain == data:
            raise
        return plain, (ber.first_inside(data), *_outline(plain)[1:])


def _outline(data: bytes) -> _Outline:
    """The first five slices, where the validity begins, and where the TBSCertificate ends."""
    size = len(data)
    at, end = _span(data, 0, size, der.SEQUENCE)
    tbs, tbs_end = _span(data, at, size, der.SEQUENCE)
    _, algorithm_end = _span(data, tbs_end, size, der.SEQUENCE)
    bits, bits_end = _span(data, algorithm_end, size, der.BIT_STRING)
    if end != size or bits_end != size:
        raise DerError("octets follow the certificate or its signature")
    if bits == bits_end or data[bits]:
        raise DerError("a signature that is not of whole octets")
    place = tbs
    if place < tbs_end and data[place] == 0xA0:
        place = _span(data, place, tbs_end)[1]
    inner = _span(data, place, tbs_end, der.INTEGER)[1]
    issuer = _span(data, inner, tbs_end)[1]
    validity = _span(data, issuer, tbs_end)[1]
    return (
        data[at:tbs_end],
        data[tbs_end:algorithm_end],
        data[inner:issuer],
        data[bits + 1 :],
        data[issuer:validity],
        validity,
        tbs_end,
    )


def _span(data: bytes, at: int, limit: int, tag: int | None = None) -> tuple[int, int]:
    """Where the content of the value at an offset begins and ends: `der.read`, quick for the lengths that occur."""
    if at + 4 <= limit and data[at] & 0x1F != 0x1F and (tag is None or data[at] == tag):
        length, end = data[at + 1], 0
        if length < 0x80:
            content = at + 2
            end = content + length
        elif length == 0x82:
            content = at + 4
            end = content + (data[at + 2] << 8 | data[at + 3])
        elif length == 0x81:
            content = at + 3
            end = content + data[at + 2]
        if 0 < end <= limit:
            return content, end
    value = der.read(data, at, limit)
    if tag is not None and value.tag != tag:
        raise DerError(f"tag {value.tag:02x} at octet {at} where {tag:02x} belongs")
    return value.content, value.end


def _authority_key_id(data: bytes, at: int, end: int) -> bytes | None:
    if data.find(_AKI, at, end) < 0:
        return None
    try:
        while at < end and data[at] != 0xA3:
            at = _span(data, at, end)[1]
        at, end = _span(data, at, end, 0xA3)
        at, end = _span(data, at, end, der.SEQUENCE)
        while at < end:
            content, following = _span(data, at, end)
            if data.startswith(_AKI, content, following):
                value = der.children(data, der.read(data, at, end))[-1]
                inside = der.expect(data, value.content, value.end, der.SEQUENCE, "authorityKeyIdentifier")
                return next((der.content(data, one) for one in der.children(data, inside) if one.tag == 0x80), None)
            at = following
    except DerError:
        return None
    return None
