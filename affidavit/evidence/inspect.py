"""The facts of single files, apart from any report: what ``inspect`` shows."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from affidavit.evidence.corpus import Group, Wanted
from affidavit.evidence.extract import facts_of
from affidavit.evidence.facts import Progress, quiet
from affidavit.evidence.files import MAX_FILE_OCTETS, EvidenceFile
from affidavit.evidence.manifest import Manifest
from affidavit.times import rfc3339
from affidavit.types import Diagnostic, InputError, Pos, nearest


def inspect_files(
    paths: Sequence[Path],
    wanted: Wanted | None = None,
    progress: Progress = quiet,
    names: Mapping[Path, str] | None = None,
) -> dict[str, list[dict[str, Any]]]:
    """The rows of all facts tables for some files; nothing is trusted, so nothing is authentic.

    ``names``: what files are called in the rows, where that is not their path.

    Raises InputError for a file that is missing, that is none, or that holds a private key.
    """
    manifest = Manifest(None)
    files = []
    for path in paths:
        name = (names or {}).get(path, path.as_posix())
        if not path.is_file():
            raise InputError(_no_file(path))
        files.append(manifest.of(EvidenceFile(path, name), Pos(name)))
    facts = facts_of([Group("", tuple(files))], [], wanted or Wanted.everything(), progress=progress)
    return {name: table.to_pylist() for name, table in facts.tables.items()}


def _no_file(path: Path) -> Diagnostic:
    place = Pos.whole(path.as_posix())
    if path.is_dir():
        return Diagnostic(place, "not-a-file", "is a folder", f"name files in it: {path.as_posix()}/*")
    if path.exists():
        return Diagnostic(place, "not-a-file", "is no file that can be read", "`-` reads standard input")
    there = (one.name for one in path.parent.iterdir()) if path.parent.is_dir() else ()
    near = nearest(path.name, there)
    return Diagnostic(place, "file-missing", "there is no such file", f"did you mean {near[0]!r}?" if near else "")


@contextmanager
def standard_input(stream: BinaryIO) -> Iterator[Path]:
    """What comes in, as a file for a while; InputError where it is more than any file may be."""
    with tempfile.TemporaryDirectory(prefix="affidavit-") as folder:
        path = Path(folder) / "-"
        with path.open("wb") as file:
            left = MAX_FILE_OCTETS
            while left >= 0 and (block := stream.read(min(1 << 20, left + 1))):
                left -= len(block)
                file.write(block)
        if left < 0:
            message = f"is larger than {MAX_FILE_OCTETS:,} octets"
            raise InputError(Diagnostic(Pos.whole("-"), "file-too-large", message, "split it"))
        yield path


def as_json(value: Any) -> Any:
    """A value of a facts table for JSON: times per RFC 3339."""
    if isinstance(value, datetime):
        return rfc3339(value)
    return value
