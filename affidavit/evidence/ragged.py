"""Slices of one array of octets, of many rows at once: read, gathered, told apart, turned into Arrow arrays.

A slice is a start and an end (exclusive) in an array of ``uint8``; many of them are two arrays of ``int64``.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Octets = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_HEX_LOWER = np.frombuffer("".join(f"{i:02x}" for i in range(256)).encode(), np.uint16)
_HEX_UPPER = np.frombuffer("".join(f"{i:02X}" for i in range(256)).encode(), np.uint16)


def octet_sets(*texts: str) -> Octets:
    """For each of the 256 octets a bit for each of some sets of characters that it belongs to."""
    found = np.zeros(256, np.uint8)
    for number, text in enumerate(texts):
        found[list(text.encode("ascii"))] |= 1 << number
    return found


class Tlvs(NamedTuple):
    """One DER value of each row: tag, content, end, and whether it is in DER's form and lies below its limit."""

    tag: Octets
    content: Ints
    end: Ints
    good: Flags


def tlv(data: Octets, at: Ints, limit: Ints) -> Tlvs:
    """The values at some places, each to end at or before its limit; lengths of one to three octets (X.690 10.1).

    ``data`` must go on for four octets behind every limit. Places of a value that is not good lie at or below the
    limit, so that reading on there does no harm.
    """
    length = data[at + 1].astype(np.int64)
    content = at + 2
    long = np.flatnonzero(length > 0x7F)
    if not len(long):
        end = content + length
        good = end <= limit
    else:
        form, place = length[long], at[long]
        two = form == 0x82
        first = data[place + 2].astype(np.int64)
        stated = np.where(two, first << 8 | data[place + 3], first)
        content[long] += np.where(two, 2, 1)
        length[long] = stated
        end = content + length
        good = end <= limit
        good[long] &= np.where(two, stated > 0xFF, (form == 0x81) & (stated > 0x7F))
    if not good.all():
        content, end = np.minimum(content, limit), np.minimum(end, limit)
    return Tlvs(data[at], content, end, good)


def number16(data: Octets, at: Ints) -> Ints:
    """The big-endian number of two octets at each place."""
    high: Ints = data[at].astype(np.int64)
    return high << 8 | data[at + 1]


def block(data: Octets, at: Ints, size: int) -> Octets:
    """So many octets from each place on, a row each."""
    found: Octets = data[at[:, None] + np.arange(size)]
    return found


def ends_of(lengths: Ints) -> Ints:
    """Where slices of some lengths end when put one after another, after a leading 0."""
    out = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=out[1:])
    return out


def gather(data: Octets, start: Ints, lengths: Ints, bounds: Ints | None = None) -> Octets:
    """The octets of slices, one after another; ``bounds`` are ``ends_of(lengths)`` if known."""
    bounds = ends_of(lengths) if bounds is None else bounds
    places = np.repeat(start - bounds[:-1], lengths)
    places += np.arange(len(places))
    return data.take(places)


def strings(octets: Octets, bounds: Ints, valid: Flags | None = None) -> Any:
    """An Arrow array of strings; ``bounds`` are ends after a leading 0, a row that is not ``valid`` is null.

    The octets must be UTF-8: nothing checks it here.
    """
    kept = None if valid is None else pa.py_buffer(np.packbits(valid, bitorder="little"))
    offsets = pa.py_buffer(bounds.astype(np.int32))
    return pa.Array.from_buffers(pa.string(), len(bounds) - 1, [kept, offsets, pa.py_buffer(octets)])


def lists(values: Any, bounds: Ints) -> Any:
    """An Arrow array of lists of strings, from the strings and the bounds of each row's."""
    offsets = pa.py_buffer(bounds.astype(np.int32))
    return pa.Array.from_buffers(pa.list_(pa.string()), len(bounds) - 1, [None, offsets], children=[values])


def numbers(values: Ints, kind: Any = None, valid: Flags | None = None) -> Any:
    """An Arrow array of 64-bit values: integers unless another type is given."""
    kept = None if valid is None else pa.py_buffer(np.packbits(valid, bitorder="little"))
    whole = np.ascontiguousarray(values, np.int64)
    return pa.Array.from_buffers(kind or pa.int64(), len(whole), [kept, pa.py_buffer(whole)])


def hexadecimal(octets: Octets, *, upper: bool = False) -> Octets:
    """Two hex digits for each octet."""
    return (_HEX_UPPER if upper else _HEX_LOWER).take(octets).view(np.uint8)


def hashes(digests: list[bytes], size: int = 32) -> Any:
    """An Arrow array of digests of one size in lower-case hex."""
    octets = np.frombuffer(b"".join(digests), np.uint8)
    return strings(hexadecimal(octets), np.arange(len(digests) + 1) * (2 * size))


def distinct(data: Octets, start: Ints, end: Ints) -> tuple[npt.NDArray[np.int32], list[bytes]]:
    """The distinct slices in the order in which they come, and the number of its slice for each row."""
    lengths = end - start
    bounds = ends_of(lengths)
    octets = gather(data, start, lengths, bounds)
    buffers = [None, pa.py_buffer(bounds.astype(np.int32)), pa.py_buffer(octets)]
    encoded = pa.Array.from_buffers(pa.binary(), len(start), buffers).dictionary_encode()
    return encoded.indices.to_numpy(zero_copy_only=False), encoded.dictionary.to_pylist()
