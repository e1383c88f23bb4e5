"""What a file of evidence holds, told from its content and never from its name."""

import codecs
import mmap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from affidavit.evidence import archives, pem, texts, values
from affidavit.evidence.archives import Bounds, Budget
from affidavit.evidence.item import Item, ItemKind
from affidavit.evidence.keys import PrivateKeyFound, refuse_binary, refuse_text
from affidavit.evidence.octets import Buffer, holds, windows
from affidavit.evidence.values import classify

__all__ = ["Bounds", "Item", "PrivateKeyFound", "classify", "items", "ranges"]

_HEAD = 4096
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_FIRST_LOG = 1_356_998_400_000  # 2013-01-01 in milliseconds since 1970: before the first log
_FAR = 4_102_444_800_000  # 2100-01-01


def items(data: Buffer, name: str = "", bounds: Bounds = Bounds()) -> Iterator[Item]:  # noqa: ARG001, B008 - see below
    """The things that a file's octets hold, in order; each that cannot be read with its reason.

    ``data`` may be a memory map. ``name`` decides nothing: it stands here so that no caller need drop it. Items of
    certificates, CRLs and OCSP responses count from 1 within their member; what is one whole, such as a list or a
    text, has the position 0. A Parquet or Arrow file that is not in an archive comes without its octets where
    ``data`` is a map: it is read by its path, in a confined process (:mod:`affidavit.evidence.arrowfile`).
    Raises PrivateKeyFound.
    """
    yield from _items(data, "", Budget(bounds), 0)


def _items(data: Buffer, member: str, budget: Budget, depth: int) -> Iterator[Item]:
    kind = archives.form(data)
    if kind is None:
        if not member:
            yield from _plain(data)
            return
        for item in _plain(data):
            yield replace(item, member=member)
        return
    if depth >= budget.bounds.depth:
        fault = f"more than {budget.bounds.depth} archives inside one another: not opened"
        yield Item(0, ItemKind.UNKNOWN, fault=fault, member=member)
        return
    found = False
    for one in archives.members(data, kind, budget):
        found = True
        path = "/".join(part for part in (member, one.name) if part)
        if one.fault:
            yield Item(0, ItemKind.UNKNOWN, fault=one.fault, member=path)
            continue
        try:
            yield from _items(one.data, path, budget, depth + 1)
        except PrivateKeyFound as error:
            inside = f" in {one.name}" if one.name else ""
            raise PrivateKeyFound(f"{error}{inside}") from None
    if not found:
        yield Item(0, ItemKind.NOTHING, fault=f"the {kind} holds no file", member=member)


def _plain(data: Buffer) -> Iterator[Item]:
    """What octets that are no archive hold."""
    head = bytes(data[:_HEAD])
    if not head.strip() and not any(window.strip() for window in windows(data)):
        yield Item(0, ItemKind.NOTHING, fault="the file is empty")
        return
    if kind := _data_file(data, head):
        refuse_text(data)
        yield Item(0, kind, data if isinstance(data, bytes) else b"")
        return
    for begins, what in archives.NOT_OPENED.items():
        if head.startswith(begins):
            yield Item(0, ItemKind.UNKNOWN, fault=f"{what} is not opened; pack the files as zip, tar, gzip or zstd")
            return
    if head[0] == 0x30 and not (len(data) > 2 and texts.readable(head)):
        yield from _der(data)
        return
    refuse_binary(head)
    if _is_tile(head, len(data)):
        yield Item(0, ItemKind.TILE, bytes(data))
        return
    yield from _text(data, head)


def _der(data: Buffer) -> Iterator[Item]:
    if not values.is_one_value(data):
        refuse_text(data)  # a text may follow a value; inside of one, words are only words
    yield from values.concatenated(data)


def _text(data: Buffer, head: bytes) -> Iterator[Item]:
    if head.startswith((*_UTF16, codecs.BOM_UTF8)):
        data = _unmarked(data)
        if not data.strip():
            yield Item(0, ItemKind.NOTHING, fault="the file is empty")
            return
    if holds(data, b"-BEGIN ") or holds(data, b"-END "):
        yield from pem.items(data)
    else:
        refuse_text(data)
        yield from texts.items(data)


def _unmarked(data: Buffer) -> bytes:
    """A text in UTF-8 without byte order marks, of which programs that put files together leave several."""
    text = bytes(data)
    if text.startswith(_UTF16):
        text = text.decode("utf-16", "replace").encode("utf-8")
    while text.startswith(codecs.BOM_UTF8):
        text = text.removeprefix(codecs.BOM_UTF8)
    return text


def _data_file(data: Buffer, head: bytes) -> ItemKind | None:
    """Parquet, or Arrow's IPC format as a file or as a stream (which begins with the message of its schema)."""
    if head.startswith((b"PAR1", b"PARE")):
        return ItemKind.PARQUET
    if head.startswith(b"ARROW1"):
        return ItemKind.ARROW
    length = int.from_bytes(head[4:8], "little")
    root = int.from_bytes(head[8:12], "little")
    if head.startswith(b"\xff\xff\xff\xff") and 16 <= length <= len(data) and not length % 8 and 4 <= root < length:
        return ItemKind.ARROW
    return None


def _is_tile(head: bytes, size: int) -> bool:
    """Whether octets begin as a data tile of a static CT log: a TileLeaf with a certificate or TBS of fitting length.

    Time of 8 octets, entry type of 2, a precertificate's issuer key hash, length of 3, DER (C2SP static-ct-api).
    """
    time, entry_type = int.from_bytes(head[:8], "big"), head[8:10]
    if not _FIRST_LOG <= time < _FAR or entry_type not in (b"\0\0", b"\0\1"):
        return False
    at = 10 if entry_type == b"\0\0" else 42
    length = int.from_bytes(head[at : at + 3], "big")
    begins = head[at + 3 : at + 9]
    if len(begins) < 6 or begins[0] != 0x30 or length > size:
        return False
    octets = begins[1] & 0x7F if begins[1] > 0x80 else 0
    said = int.from_bytes(begins[2 : 2 + octets], "big") if octets else begins[1]
    return octets <= 3 and length == 2 + octets + said


def ranges(path: Path, octets: int) -> list[tuple[int, int]]:
    """Begin and end of pieces of at least ``octets`` that :func:`items` may read apart from one another.

    A PEM bundle is cut before lines BEGIN CERTIFICATE, a file of DER values where values end; positions are then
    relative to the piece. Any other file, or a small one, is one piece. A private key in any piece is one in the file.
    """
    size = path.stat().st_size
    if size <= octets or octets < 1:
        return [(0, size)]
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        head = data[:_HEAD]
        if archives.form(head) or _data_file(data, head) or head.startswith(_UTF16):
            cuts = []
        elif head[0] == 0x30 and not texts.readable(head):
            cuts = list(_value_cuts(data, octets))
        else:
            cuts = list(_block_cuts(data, octets))
    return list(zip([0, *cuts], [*cuts, size], strict=True))


def _block_cuts(data: Buffer, octets: int) -> Iterator[int]:
    # The first piece must hold a block, or it would be taken for some other text.
    at = max(octets, pem.next_begin(data, 0) + 1)
    while (cut := pem.next_begin(data, at)) < len(data):
        yield cut
        at = cut + octets


def _value_cuts(data: Buffer, octets: int) -> Iterator[int]:
    at, last = 0, 0
    while at < len(data):
        end = values.certificate_end(data, at)
        if end < 0:
            return  # what is odd stays together with all that follows it
        at = end
        if at - last >= octets and values.certificate_end(data, at) > 0:
            yield at
            last = at
