"""Where what was read is kept between runs: only what can be made again, keyed by content and by the program."""

import contextlib
import json
import os
import shutil
import tempfile
import time
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from affidavit.inputs import program_digest

KEPT_SECONDS = 30 * 86_400
"""What no run has used for so long is thrown away."""


@dataclass(frozen=True, slots=True)
class Part:
    """A folder of raw rows: those of some whole sources, or of one piece of a large one."""

    folder: Path
    sources: tuple[str, ...]
    piece: int
    pieces: int
    items: int
    tables: tuple[str, ...]

    def file(self, table: str) -> Path:
        """The Parquet file of a table."""
        return self.folder / f"{table}.parquet"


class Cache:
    """The parts and facts of this version of the program, in a folder that others may share."""

    def __init__(self, root: Path) -> None:
        self.root = root / program_digest()[:24]
        self.parts_folder = self.root / "parts"
        self.facts_folder = self.root / "facts"
        self.lints_folder = self.root / "lints"

    @classmethod
    def at(cls, root: Path | None) -> "Cache":
        """The cache in a folder; where none is given or it cannot be written to, one that goes with this object."""
        if root is not None:
            try:
                cache = cls(root)
                for folder in cache.folders:
                    folder.mkdir(parents=True, exist_ok=True)
                probe = tempfile.mkdtemp(dir=cache.root, prefix="new-")
                Path(probe).rmdir()
            except OSError:
                pass
            else:
                return cache
        passing = Path(tempfile.mkdtemp(prefix="affidavit-"))
        cache = cls(passing)
        weakref.finalize(cache, shutil.rmtree, passing, ignore_errors=True)
        for below in cache.folders:
            below.mkdir(parents=True, exist_ok=True)
        return cache

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders of what is kept, one for each sort of it."""
        return self.parts_folder, self.facts_folder, self.lints_folder

    def new_folder(self) -> Path:
        """A folder to write into; `keep` gives it its name once it is whole."""
        return Path(tempfile.mkdtemp(dir=self.root, prefix="new-"))

    def discard(self, target: Path) -> None:
        """Throw away what was found not to be whole: `keep` would else take it for another run's result."""
        shutil.rmtree(target, ignore_errors=True)

    def keep(self, folder: Path, target: Path) -> Path:
        """Give a finished folder its name. If another run was first, its equal result stays."""
        try:
            folder.rename(target)
        except OSError:
            if not target.is_dir():
                raise
            shutil.rmtree(folder, ignore_errors=True)
        return target

    def parts(self) -> list[Part]:
        """All parts at hand."""
        return [part for folder in sorted(self.parts_folder.iterdir()) if (part := read_part(folder))]

    def prune(self) -> None:
        """Throw away what other versions left, and what no run has used for long."""
        limit = time.time() - KEPT_SECONDS
        for file in claims_folder(self.root.parent).glob("*.json"):
            if file.stat().st_mtime < limit:
                file.unlink(missing_ok=True)
        for folder in self.root.parent.iterdir():
            if folder != self.root and folder.is_dir() and len(folder.name) == 24:
                shutil.rmtree(folder, ignore_errors=True)
        for kind in self.folders:
            for folder in kind.iterdir():
                if folder.stat().st_mtime < limit:
                    shutil.rmtree(folder, ignore_errors=True)


def claims_folder(root: Path) -> Path:
    """Where this version of the program keeps what it knows of reports' claims (kept.py), in the cache at ``root``."""
    return root / program_digest()[:24] / "claims"


def write_part(folder: Path, sources: list[str], piece: int, pieces: int, items: int) -> None:
    """Describe a part in its folder; the last thing written of it."""
    tables = sorted(path.stem for path in folder.glob("*.parquet"))
    content = {"sources": sources, "piece": piece, "pieces": pieces, "items": items, "tables": tables,
               "octets": octets(folder)}  # fmt: skip
    (folder / "part.json").write_text(json.dumps(content), "utf-8")


def read_part(folder: Path) -> Part | None:
    """The part in a folder; None where there is none, or not all of it."""
    found = _json(folder / "part.json")
    try:
        if not whole(folder, found["octets"]):
            return None
        return Part(
            folder, tuple(found["sources"]), found["piece"], found["pieces"], found["items"], tuple(found["tables"])
        )
    except (KeyError, TypeError):
        return None


def octets(folder: Path) -> dict[str, int]:
    """The sizes of a folder's Parquet files by name: what `whole` holds them against."""
    return {path.name: path.stat().st_size for path in sorted(folder.glob("*.parquet"))}


def whole(folder: Path, stated: Mapping[str, int]) -> bool:
    """Whether a folder's Parquet files are all there, and as large as they were: a lost one would be missing rows."""
    there = octets(folder)
    return all(there.get(name) == size for name, size in stated.items())


def touch(folder: Path) -> None:
    """Note that something in the cache was used."""
    with contextlib.suppress(OSError):
        os.utime(folder)


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
