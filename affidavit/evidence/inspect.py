"""The facts of single files, apart from any report: what ``inspect`` shows."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from affidavit.evidence.corpus import Group, Wanted
from affidavit.evidence.extract import facts_of
from affidavit.evidence.facts import Progress, quiet
from affidavit.evidence.files import EvidenceFile
from affidavit.evidence.manifest import Manifest
from affidavit.times import rfc3339
from affidavit.types import Diagnostic, InputError, Pos


def inspect_files(
    paths: Sequence[Path], wanted: Wanted | None = None, progress: Progress = quiet
) -> dict[str, list[dict[str, Any]]]:
    """The rows of all facts tables for some files; nothing is trusted, so nothing is authentic.

    Raises InputError for a file that is missing or that holds a private key.
    """
    manifest = Manifest(None)
    files = []
    for path in paths:
        name = path.as_posix()
        if not path.is_file():
            raise InputError(Diagnostic(Pos(name), "file-missing", "there is no such file"))
        files.append(manifest.of(EvidenceFile(path, name), Pos(name)))
    facts = facts_of([Group("", tuple(files))], [], wanted or Wanted.everything(), progress=progress)
    return {name: table.to_pylist() for name, table in facts.tables.items()}


def as_json(value: Any) -> Any:
    """A value of a facts table for JSON: times per RFC 3339."""
    if isinstance(value, datetime):
        return rfc3339(value)
    return value
