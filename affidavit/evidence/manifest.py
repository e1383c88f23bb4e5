"""Which bytes a file holds: its SHA-256, remembered as long as nothing says that the file has changed."""

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from affidavit.evidence.files import EvidenceFile
from affidavit.store import write_file
from affidavit.types import Diagnostic, InputError, Pos

SETTLED_NS = 2_000_000_000
"""A file changed as shortly as this before it was hashed may change again within one tick of its clock."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """An evidence file with its content's SHA-256 and size in octets."""

    path: Path
    name: str
    sha256: str
    octets: int


class Manifest:
    """The hashes of files, kept in a small file between runs.

    A hash is taken over only where size, inode and both times of change are what they were, and these times lay
    well before the hashing: the time of the last status change (ctime) cannot be set back by its owner.
    """

    def __init__(self, store: Path | None, fresh: bool = False) -> None:
        self._store = store
        self._known: dict[str, Any] = {} if fresh or store is None else _load(store)
        self._used: dict[str, Any] = {}

    def of(self, file: EvidenceFile, pos: Pos) -> SourceFile:
        """A file with its hash. InputError where it cannot be read."""
        try:
            status = file.path.stat()
            key = _real(file.path)
            stamp = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
            known = self._known.get(key) or self._used.get(key)
            if isinstance(known, list) and len(known) == 6 and known[:4] == stamp:
                digest, hashed = str(known[4]), int(known[5])
                if hashed - max(stamp[1:3]) > SETTLED_NS:
                    self._used[key] = known
                    return SourceFile(file.path, file.name, digest, status.st_size)
            hashed = time.time_ns()
            with file.path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            message = f"{file.name} cannot be read: {error.strerror}"
            raise InputError(Diagnostic(pos, "file-unreadable", message)) from None
        self._used[key] = [*stamp, digest, hashed]
        return SourceFile(file.path, file.name, digest, status.st_size)

    def all_of(self, files: Iterable[EvidenceFile], pos: Pos) -> tuple[SourceFile, ...]:
        """Several files with their hashes."""
        return tuple(self.of(file, pos) for file in files)

    def save(self) -> None:
        """Keep what this run has seen, for the next one; a folder that cannot be written to costs only time."""
        if self._store is None or all(self._known.get(key) == value for key, value in self._used.items()):
            return
        kept = {key: value for key, value in self._known.items() if key in self._used or os.path.lexists(key)}
        content = json.dumps(kept | self._used, sort_keys=True, separators=(",", ":"))
        with contextlib.suppress(OSError):
            write_file(self._store, content.encode())


def _real(path: Path) -> str:
    """A file's path without links; the folder's is looked for once."""
    return str(path.resolve()) if path.is_symlink() else f"{_real_folder(path.parent)}/{path.name}"


@lru_cache
def _real_folder(folder: Path) -> str:
    return str(folder.resolve())


def _load(store: Path) -> dict[str, Any]:
    try:
        found = json.loads(store.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
