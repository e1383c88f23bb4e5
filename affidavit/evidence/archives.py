"""Archives opened in memory, within bounds; nothing is written to a disk, and a member's name is only its label.

What an archive holds comes from strangers: each member is taken out a stretch at a time, and what goes beyond a bound,
is encrypted, damaged, a link or a device becomes a fault with its name. Folders hold nothing and are passed over. The
files that macOS and Windows leave beside others are passed over, too, if they are, by name *and* by content, such
files and hold no PEM mark; whatever else stands under such a name is read like any other.
"""

import io
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import PurePosixPath
from typing import NamedTuple

from affidavit.evidence.octets import Buffer
from affidavit.shown import visible

_CHUNK = 256 * 1024
_RATIO_FROM = 1024 * 1024
"""A member this small cannot hurt, however well it was packed."""
_LABEL = 300
_GZIP_MEMBERS = 100_000
_JUNK = {
    "__MACOSX": (b"\x00\x05\x16\x07", b"\x00\x05\x16\x00"),  # AppleDouble and AppleSingle, RFC 1740
    ".DS_Store": (b"\x00\x00\x00\x01Bud1",),
    "Thumbs.db": (b"\xd0\xcf\x11\xe0",),
}
_ERRORS = (
    ArithmeticError, EOFError, LookupError, OSError, RuntimeError, ValueError, struct.error, tarfile.TarError,
    zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What the libraries raise on damaged archives."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far archives are opened.

    ``ratio``: octets out of a member for each packed one, from 1 MiB on; ``octets``: out of all archives of a file
    together; ``member_octets``: out of one member, which is held in memory; ``depth``: archives inside one another,
    a compressed tar counting two; ``members``: in all archives of a file together.
    """

    ratio: int = 200
    octets: int = 4 * 1024**3
    member_octets: int = 512 * 1024**2
    depth: int = 6
    members: int = 200_000


class Form(StrEnum):
    """The archives and compressed files that are opened."""

    ZIP = "zip"
    TAR = "tar"
    GZIP = "gzip"
    ZSTD = "zstd"


NOT_OPENED = {
    b"\xfd7zXZ\x00": "an xz file",
    b"BZh": "a bzip2 file",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a rar archive",
}
"""Archives that are known and not opened, by their first octets."""


class Member(NamedTuple):
    """A file in an archive: its label and content; or why it has none."""

    name: str
    data: bytes = b""
    fault: str = ""


class LimitReached(Exception):
    """A bound was reached: what follows in the archive is not looked at."""


class _TooLarge(Exception):
    """A bound that concerns one member alone."""


@dataclass(slots=True)
class Budget:
    """What may still be opened in a file's archives."""

    bounds: Bounds
    octets: int = field(init=False)
    members: int = field(init=False)

    def __post_init__(self) -> None:
        self.octets = self.bounds.octets
        self.members = self.bounds.members

    def member(self) -> None:
        """Count one member. Raises LimitReached."""
        self.members -= 1
        if self.members < 0:
            raise LimitReached(f"more than {self.bounds.members:,} members in archives; the rest was not looked at")

    def take(self, read: Callable[[int], bytes], packed: int) -> bytes:
        """All that a reader gives, where ``packed`` octets were read from. Raises LimitReached, _TooLarge."""
        bounds, parts, size = self.bounds, [], 0
        while part := read(_CHUNK):
            parts.append(part)
            size += len(part)
            self.octets -= len(part)
            if self.octets < 0:
                raise LimitReached(f"archives hold more than {bounds.octets:,} octets; the rest was not looked at")
            if size > bounds.member_octets:
                raise _TooLarge(f"larger than {bounds.member_octets:,} octets when unpacked")
            if size > _RATIO_FROM and size > bounds.ratio * packed:
                raise _TooLarge(f"unpacks to more than {bounds.ratio:,} times its size, as a decompression bomb does")
        return b"".join(parts)


def form(data: Buffer) -> Form | None:
    """Which archive or compressed file some octets begin, if any."""
    head = bytes(data[:512])
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return Form.ZIP
    if head.startswith(b"\x1f\x8b\x08"):
        return Form.GZIP
    if head.startswith(b"\x28\xb5\x2f\xfd") or (head[1:4] == b"\x2a\x4d\x18" and head[:1] in _SKIPPABLE):
        return Form.ZSTD
    if len(head) == 512 and (head[257:262] == b"ustar" or _is_old_tar(head)):
        return Form.TAR
    return None


_SKIPPABLE = [bytes([octet]) for octet in range(0x50, 0x60)]


def _is_old_tar(head: bytes) -> bool:
    """A header of before POSIX, told by its checksum."""
    if not head[0] or head[156:157] not in b"\x000123456":
        return False
    try:
        return tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape").size >= 0
    except (tarfile.TarError, ValueError):
        return False


def members(data: Buffer, kind: Form, budget: Budget) -> Iterator[Member]:
    """The files of an archive, in order; the content of a compressed file has no name of its own.

    Never raises for what is in the data; a LimitReached ends it with a fault.
    """
    opened = {Form.ZIP: _zip, Form.TAR: _tar, Form.GZIP: _gzip, Form.ZSTD: _zstd}[kind]
    seen: dict[str, int] = {}
    try:
        for member in opened(data, budget):
            if _is_junk(member):
                continue
            label = visible(member.name, _LABEL)
            seen[label] = seen.get(label, 0) + 1
            yield member._replace(name=label if seen[label] == 1 or not label else f"{label} ({seen[label]})")
    except LimitReached as error:
        yield Member("", fault=str(error))
    except _ERRORS as error:
        yield Member("", fault=f"the {kind} cannot be read further: {_words(error)}")


def _words(error: Exception) -> str:
    return visible(str(error), 200) or type(error).__name__


def _is_junk(member: Member) -> bool:
    path = PurePosixPath(member.name)
    first = "__MACOSX" if path.parts[:1] == ("__MACOSX",) or path.name.startswith("._") else path.name
    begins = _JUNK.get(first)
    if begins is None or member.fault:
        return False
    return member.data.startswith(begins) and b"-----BEGIN" not in member.data


def _one(name: str, budget: Budget, packed: int, opened: Callable[[], Callable[[int], bytes]]) -> Member:
    """One member taken out, or the fault that it has."""
    try:
        return Member(name, budget.take(opened(), packed))
    except _TooLarge as error:
        return Member(name, fault=str(error))
    except _ERRORS as error:
        return Member(name, fault=f"damaged: {_words(error)}")


# --- zip --------------------------------------------------------------------------------------------------------------


def _zip(data: Buffer, budget: Budget) -> Iterator[Member]:
    content = bytes(data)
    # A hostile directory is counted before the library makes an object of each entry.
    end = content.rfind(b"PK\x05\x06")
    directory = int.from_bytes(content[end + 16 : end + 20], "little") if end >= 0 else 0
    if content.count(b"PK\x01\x02", 0 if directory >= end else directory) > budget.members:
        raise LimitReached(f"more than {budget.bounds.members:,} members in archives; none of it was looked at")
    spent = budget.octets
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.infolist()
        if any(info.filename == "[Content_Types].xml" for info in names):
            yield Member("", fault="an Office document; export the list in it as CSV")
            return
        for info in names:
            budget.member()
            if info.is_dir():
                continue
            if reason := _zip_fault(info):
                yield Member(info.filename, fault=reason)
                continue
            packed = min(info.compress_size, len(content))
            yield _one(info.filename, budget, packed, lambda info=info: archive.open(info).read)  # type: ignore[misc]
            # Members may share their packed octets; together they are a bomb all the same.
            if spent - budget.octets > max(_RATIO_FROM, budget.bounds.ratio * len(content)):
                raise LimitReached(f"the zip unpacks to more than {budget.bounds.ratio:,} times its size")


def _zip_fault(info: zipfile.ZipInfo) -> str:
    if info.flag_bits & 0x41:
        return "encrypted"
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return "a link or a device, not a file"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return f"packed by method {info.compress_type}, which is not read; pack it by deflate"
    return ""


# --- tar --------------------------------------------------------------------------------------------------------------


def _tar(data: Buffer, budget: Budget) -> Iterator[Member]:
    content = data if isinstance(data, bytes) else bytes(data)
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
        while info := archive.next():
            archive.members = []  # type: ignore[attr-defined]  # each is done with when the next is looked for
            budget.member()
            if info.isdir():
                continue
            if not info.isreg() or info.issparse():
                kind = "a sparse file" if info.issparse() else "a link or a device, not a file"
                yield Member(info.name, fault=kind)
                continue
            yield _one(info.name, budget, info.size, lambda info=info: _tar_reader(archive, info))  # type: ignore[misc]
        # The library takes a damaged header for the end.
        rest = content[archive.offset :]
        if rest.strip(b"\0"):
            raise tarfile.ReadError(f"no header at octet {archive.offset:,}; what follows was not looked at")


def _tar_reader(archive: tarfile.TarFile, info: tarfile.TarInfo) -> Callable[[int], bytes]:
    stream = archive.extractfile(info)
    if stream is None:
        raise tarfile.ReadError("no content")
    return stream.read


# --- gzip and zstd ----------------------------------------------------------------------------------------------------


def _gzip(data: Buffer, budget: Budget) -> Iterator[Member]:
    budget.member()
    stream = _Inflating(data)
    yield _one("", budget, len(data), lambda: stream.read)
    if stream.trailing:
        yield Member("", fault=f"damaged: {stream.trailing}")


class _Inflating:
    """The content of the gzip members that stand one after another (RFC 1952 2.2)."""

    def __init__(self, data: Buffer) -> None:
        self._data = data
        self._at = 0
        self._members = 0
        self._fed = b""
        self._stream = zlib.decompressobj(31)
        self.trailing = ""
        """What follows the last member that is neither another one nor padding; what came before it is sound."""

    def read(self, size: int) -> bytes:
        """At most so many octets; none at the end. Raises EOFError and zlib.error."""
        while True:
            if self._stream.eof:
                self._at -= len(self._stream.unused_data)
                if self._is_padding():
                    return b""
                self._members += 1
                if self._members > _GZIP_MEMBERS:
                    raise EOFError(f"more than {_GZIP_MEMBERS:,} gzip members")
                self._stream, self._fed = zlib.decompressobj(31), b""
            if not self._fed:
                self._fed = bytes(self._data[self._at : self._at + _CHUNK])
                self._at += len(self._fed)
                if not self._fed:
                    raise EOFError("it ends early")
            found = self._stream.decompress(self._fed, size)
            self._fed = self._stream.unconsumed_tail
            if found:
                return found

    def _is_padding(self) -> bool:
        """Whether no gzip member is left; something else than zeros is damage."""
        rest = bytes(self._data[self._at : self._at + 2])
        if rest == b"\x1f\x8b":
            return False
        if bytes(self._data[self._at :]).strip(b"\0"):
            self.trailing = f"octets after its end, at octet {self._at:,}"
        return True


def _zstd(data: Buffer, budget: Budget) -> Iterator[Member]:
    import pyarrow as pa

    budget.member()

    def reader() -> Callable[[int], bytes]:
        read: Callable[[int], bytes] = pa.CompressedInputStream(pa.BufferReader(bytes(data)), "zstd").read
        return read

    yield _one("", budget, len(data), reader)
