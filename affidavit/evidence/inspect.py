"""The facts of single files, apart from any report: what ``inspect`` shows."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from affidavit.evidence.authentic import Issuers
from affidavit.evidence.certificate import Certificate
from affidavit.evidence.extract import Collected, Found, Reader, problem_rows, rows_of
from affidavit.evidence.files import EvidenceFile
from affidavit.tables import TABLES
from affidavit.times import rfc3339
from affidavit.types import Diagnostic, InputError, Pos


def inspect_files(paths: Sequence[Path]) -> dict[str, list[dict[str, Any]]]:
    """The rows of all facts tables for some files; nothing is trusted, so nothing is authentic.

    Raises InputError for a file that is missing or that holds a private key.
    """
    reader = Reader()
    collection = Collected("", frozenset(), trusted=False)
    for path in paths:
        name = path.as_posix()
        if not path.is_file():
            raise InputError(Diagnostic(Pos(name), "file-missing", "there is no such file"))
        for position, parsed in reader.read(EvidenceFile(path, name), Pos(name), ""):
            if not isinstance(parsed, Certificate):
                collection.crls.append((name, parsed))
            elif (digest := parsed.row["sha256"]) in collection.certificates:
                collection.certificates[digest].copies += 1
            else:
                collection.certificates[digest] = Found(parsed, name, position)
    rows = rows_of([collection], Issuers.among(reader.by_digest.values()), {})
    rows["problems"] = problem_rows(reader.problems)
    return {name: [{c: row.get(c) for c in TABLES[name].names} for row in rows[name]] for name in TABLES}


def as_json(value: Any) -> Any:
    """A value of a facts table for JSON: times per RFC 3339."""
    if isinstance(value, datetime):
        return rfc3339(value)
    return value
