"""Captures of CT logs: answers to ``get-entries`` (RFC 6962 4.6), data tiles and checkpoints (Static CT API)."""

import base64
import binascii
import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from affidavit.evidence import precertificates
from affidavit.evidence.certificate import Certificate, read_certificate, sha256
from affidavit.evidence.der import DerError
from affidavit.evidence.item import Fault, Read
from affidavit.evidence.parts import Algorithm
from affidavit.evidence.sct import milliseconds_time
from affidavit.evidence.signatures import verifies

X509_ENTRY, PRECERT_ENTRY = 0, 1
MAX_ENTRIES = 1_000_000
MAX_TILE_OCTETS = 256 * 1024 * 1024
NOTE_SIGNATURE = 5
"""Signature type of an RFC 6962 tree head in a signed note (C2SP static-ct-api)."""


class LogError(ValueError):
    """A log entry is not as the standard has it; the message says where and what."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A TimestampedEntry (RFC 6962 3.4): ``signed`` is the certificate, or the precertificate's TBSCertificate."""

    milliseconds: int
    kind: int
    signed: bytes
    issuer_key_hash: bytes
    extensions: bytes


class Octets:
    """Reads TLS structures (RFC 8446 3) from the beginning; LogError where they end early."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, size: int) -> bytes:
        """So many octets."""
        if self.at + size > len(self.data):
            raise LogError(f"ends early: {size:,} octets are wanted at octet {self.at:,} of {len(self.data):,}")
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size: int) -> int:
        """An unsigned number of so many octets."""
        return int.from_bytes(self.take(size), "big")

    def vector(self, size: int) -> bytes:
        """Octets after their length of so many octets."""
        return self.take(self.number(size))

    @property
    def done(self) -> bool:
        """Whether nothing is left."""
        return self.at == len(self.data)


def timestamped_entry(octets: Octets) -> Entry:
    """The next TimestampedEntry."""
    milliseconds, kind = octets.number(8), octets.number(2)
    key_hash = b""
    if kind == PRECERT_ENTRY:
        key_hash = octets.take(32)
    elif kind != X509_ENTRY:
        raise LogError(f"an entry of the unknown type {kind}")
    return Entry(milliseconds, kind, octets.vector(3), key_hash, octets.vector(2))


def leaf_hash(leaf_input: bytes) -> bytes:
    """The Merkle tree leaf hash of a MerkleTreeLeaf (RFC 6962 2.1)."""
    return hashlib.sha256(b"\0" + leaf_input).digest()


def merkle_leaf(entry: Entry) -> bytes:
    """The MerkleTreeLeaf of an entry: version v1, type timestamped_entry (RFC 6962 3.4)."""
    head = entry.milliseconds.to_bytes(8, "big") + entry.kind.to_bytes(2, "big") + entry.issuer_key_hash
    body = len(entry.signed).to_bytes(3, "big") + entry.signed
    return b"\0\0" + head + body + len(entry.extensions).to_bytes(2, "big") + entry.extensions


def leaf_index(extensions: bytes) -> int | None:
    """The index among CT extensions (Static CT API: type 0, five octets); None where it is not given."""
    octets = Octets(extensions)
    try:
        while not octets.done:
            kind, value = octets.number(1), octets.vector(2)
            if kind == 0 and len(value) == 5:
                return int.from_bytes(value, "big")
    except LogError:
        pass
    return None


def read_entries(data: bytes) -> Read:
    """An answer to ``get-entries``: one row of ``log_entries`` for each entry, and its certificate."""
    try:
        answer = json.loads(data)
        listed = answer["entries"]
        if not isinstance(listed, list):
            raise TypeError("`entries` is no list")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DerError(f"no answer to get-entries: {error}") from None
    if len(listed) > MAX_ENTRIES:
        raise DerError(f"{len(listed):,} entries; at most {MAX_ENTRIES:,} are read")
    first = answer.get("start", answer.get("first_index"))
    found = _Collected()
    for position, one in enumerate(listed, 1):
        try:
            leaf = base64.b64decode(one["leaf_input"], validate=True)
            extra = base64.b64decode(one.get("extra_data") or "", validate=True)
            octets = Octets(leaf)
            version, kind = octets.number(1), octets.number(1)
            if version or kind:
                raise LogError(f"a leaf of version {version} and type {kind}, where 0 and 0 belong")
            entry = timestamped_entry(octets)
            if not octets.done:
                raise LogError("octets follow the leaf")
            index = one.get("index", None if not isinstance(first, int) else first + position - 1)
            submitted, chain = _extra(entry, extra)
        except (KeyError, TypeError, AttributeError, binascii.Error, LogError, ValueError) as error:
            found.fault(position, f"not of the form of RFC 6962 4.6: {error}")
            continue
        found.add(position, entry, index if isinstance(index, int) else None, submitted, chain, leaf_hash(leaf))
    return found.read


def _extra(entry: Entry, extra: bytes) -> tuple[bytes, list[bytes]]:
    """The certificate that was submitted, and its chain, from ``extra_data`` (RFC 6962 4.6)."""
    octets = Octets(extra)
    submitted = entry.signed if entry.kind == X509_ENTRY else octets.vector(3)
    chain = []
    if not octets.done:
        inner = Octets(octets.vector(3))
        while not inner.done:
            chain.append(inner.vector(3))
    return submitted, chain


def read_tile(data: bytes) -> Read:
    """A data tile: one row of ``log_entries`` for each TileLeaf; the issuers' certificates stand in other files."""
    if data[:2] == b"\x1f\x8b":
        data = _unzipped(data)
    octets, found, position = Octets(data), _Collected(), 0
    while not octets.done:
        position += 1
        try:
            entry = timestamped_entry(octets)
            submitted = entry.signed if entry.kind == X509_ENTRY else octets.vector(3)
            octets.take(octets.number(2))  # fingerprints of the chain
        except LogError as error:
            # Nothing tells where the next leaf begins.
            found.fault(position, f"the tile cannot be read from here on: {error}")
            break
        found.add(position, entry, leaf_index(entry.extensions), submitted, [], leaf_hash(merkle_leaf(entry)))
    return found.read


def _unzipped(data: bytes) -> bytes:
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
        try:
            found = stream.read(MAX_TILE_OCTETS + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise DerError(f"the tile's compression is damaged: {error}") from None
    if len(found) > MAX_TILE_OCTETS:
        raise DerError(f"a tile of more than {MAX_TILE_OCTETS:,} octets")
    return found


class _Collected:
    """Rows, certificates and faults of the entries read so far."""

    def __init__(self) -> None:
        self.read = Read(rows={"log_entries": []})
        self._chains: set[str] = set()
        self._signers: dict[str, Certificate | None] = {}

    def fault(self, position: int, reason: str) -> None:
        self.read.faults.append(Fault(position, "", reason))

    def add(
        self, position: int, entry: Entry, index: int | None, submitted: bytes, chain: Sequence[bytes], digest: bytes
    ) -> None:
        pre = entry.kind == PRECERT_ENTRY
        self.read.rows["log_entries"].append(
            {
                "position": position,
                "index": index,
                "timestamp": milliseconds_time(entry.milliseconds),
                "certificate": sha256(submitted),
                "kind": "precertificate" if pre else "certificate",
                "leaf_hash": digest.hex(),
                "tbs_matches": self._matches(entry, submitted, chain) if pre else None,
                "issuer_key_hash": entry.issuer_key_hash.hex() or None,
            }
        )
        self.read.certificates.append((position, submitted))
        for one in chain:
            known = sha256(one)
            if known not in self._chains:
                self._chains.add(known)
                self.read.issuers.append(one)
        known_index = [self.read.source.get(k) for k in ("first_index", "last_index")]
        if index is not None:
            first, last = known_index
            self.read.source["first_index"] = index if first is None else min(first, index)
            self.read.source["last_index"] = index if last is None else max(last, index)

    def _matches(self, entry: Entry, submitted: bytes, chain: Sequence[bytes]) -> bool | None:
        """Whether the entry's TBSCertificate is the submitted precertificate's, cut from its bytes (RFC 6962 3.1)."""
        try:
            certificate = read_certificate(submitted)
            if certificate.precert_tbs == entry.signed:
                return True
            signer = self._signer(chain[0]) if chain else None
            if signer is not None:
                return precertificates.precert_tbs(certificate, signer) == entry.signed
            # Of what is no DER nothing is cut, and so nothing is compared.
            return False if certificate.precert_tbs else None
        except (DerError, ValueError, IndexError):
            return None

    def _signer(self, data: bytes) -> Certificate | None:
        """The first of a chain, if it is a precertificate signing certificate."""
        digest = sha256(data)
        if digest not in self._signers:
            one = read_certificate(data)
            self._signers[digest] = one if precertificates.signs_precertificates(one) else None
        return self._signers[digest]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed tree head as a note (C2SP tlog-checkpoint): origin, tree size, root hash, signatures by key name."""

    origin: str
    size: int
    root: bytes
    text: str
    signatures: tuple[tuple[str, bytes], ...]


def parse_checkpoint(text: str) -> Checkpoint:
    """A checkpoint; LogError where it is none."""
    body, blank, tail = text.partition("\n\n")
    lines = body.split("\n")
    if not blank or len(lines) < 3 or not lines[1].isascii() or not lines[1].isdigit() or len(lines[1]) > 19:
        raise LogError("not of the form of a checkpoint: origin, tree size, root hash, signatures")
    try:
        root = base64.b64decode(lines[2], validate=True)
    except binascii.Error as error:
        raise LogError(f"the root hash is not base64: {error}") from None
    if len(root) != 32:
        raise LogError(f"a root hash of {len(root)} octets")
    found = []
    for line in tail.splitlines():
        mark, _, rest = line.partition(" ")
        name, _, signature = rest.partition(" ")
        if mark != "\N{EM DASH}":
            raise LogError("a signature line does not begin with a dash")
        try:
            found.append((name, base64.b64decode(signature, validate=True)))
        except binascii.Error as error:
            raise LogError(f"a signature is not base64: {error}") from None
    return Checkpoint(lines[0], int(lines[1]), root, body + "\n", tuple(found))


def read_checkpoint(data: bytes) -> Read:
    """A checkpoint: what it says of the log and its size."""
    try:
        found = parse_checkpoint(data.decode("utf-8"))
    except (UnicodeDecodeError, LogError) as error:
        raise DerError(str(error)) from None
    return Read(source={"log": found.origin, "tree_size": found.size})


def verify_checkpoint(checkpoint: Checkpoint, key: bytes) -> datetime | None:
    """When a log of that key (SubjectPublicKeyInfo) signed the tree head (RFC 6962 3.5); None where it did not.

    The note signature holds a key hash of four octets, the time in milliseconds, and a TLS DigitallySigned.
    """
    log_id = hashlib.sha256(key).digest()
    hint = hashlib.sha256(checkpoint.origin.encode() + b"\n" + bytes([NOTE_SIGNATURE]) + log_id).digest()[:4]
    for name, signature in checkpoint.signatures:
        if name != checkpoint.origin or signature[:4] != hint:
            continue
        octets = Octets(signature[4:])
        try:
            milliseconds, hashed, signed_with, made = (
                octets.number(8), octets.number(1), octets.number(1), octets.vector(2),
            )  # fmt: skip
        except LogError:
            continue
        head = b"\0\1" + milliseconds.to_bytes(8, "big") + checkpoint.size.to_bytes(8, "big") + checkpoint.root
        algorithm = {1: "1.2.840.113549.1.1.11", 3: "1.2.840.10045.4.3.2"}.get(signed_with)
        if hashed == 4 and algorithm and verifies(key, Algorithm(algorithm, "", "sha256", b""), made, head):
            return milliseconds_time(milliseconds)
    return None


def root_hash(leaf_hashes: Iterable[bytes]) -> bytes:
    """The Merkle tree hash over leaf hashes, in order (RFC 6962 2.1)."""
    stack: list[tuple[int, bytes]] = []
    for one in leaf_hashes:
        level, digest = 0, one
        while stack and stack[-1][0] == level:
            digest = hashlib.sha256(b"\1" + stack.pop()[1] + digest).digest()
            level += 1
        stack.append((level, digest))
    if not stack:
        return hashlib.sha256(b"").digest()
    _, digest = stack.pop()
    while stack:
        digest = hashlib.sha256(b"\1" + stack.pop()[1] + digest).digest()
    return digest


def gaps(indexes: Iterable[int], size: int) -> Iterator[tuple[int, int]]:
    """The ranges of entries (first and last, both included) of a tree of a size that are not among indexes."""
    wanted = 0
    for index in sorted({i for i in indexes if 0 <= i < size}):
        if index > wanted:
            yield wanted, index - 1
        wanted = index + 1
    if wanted < size:
        yield wanted, size - 1
