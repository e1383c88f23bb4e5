"""The octets of a file: in memory, or mapped; and going over them in windows so that few are copied at a time."""

import mmap
from collections.abc import Iterator

Buffer = bytes | bytearray | memoryview | mmap.mmap
WINDOW = 4 * 1024 * 1024


def windows(data: Buffer, size: int = WINDOW, overlap: int = 0) -> Iterator[bytes]:
    """The octets one stretch after the other, each beginning with the last ``overlap`` octets of the one before."""
    for at in range(0, len(data), size):
        yield bytes(data[max(0, at - overlap) : at + size])


def holds(data: Buffer, needle: bytes) -> bool:
    """Whether some octets stand in others."""
    return any(needle in window for window in windows(data, overlap=len(needle) - 1))
