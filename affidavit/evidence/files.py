"""The files of a collection: found by pattern, and never outside the report's evidence folder."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from affidavit.types import Diagnostic, InputError, Pos, nearest

MAX_FILE_OCTETS = 512 * 1024 * 1024
MAX_FILES = 200_000
_WILD = set("*?[")


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """A file below the evidence folder: its path, and its name relative to that folder."""

    path: Path
    name: str


def _error(pos: Pos, code: str, message: str, hint: str = "") -> InputError:
    return InputError(Diagnostic(pos, code, message, hint))


def _is_unicode(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _is_there(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def find(folder: Path, patterns: Iterable[tuple[str, Pos]]) -> list[EvidenceFile]:
    """The files that patterns name, each once, sorted by name.

    Raises InputError where a pattern leaves the folder, names no file, or names too many.
    """
    found: dict[str, EvidenceFile] = {}
    base = folder.resolve()
    for pattern, pos in patterns:
        parts = PurePosixPath(pattern).parts
        if pattern.startswith(("/", "~")) or ".." in parts or "\\" in pattern or "\0" in pattern:
            raise _error(
                pos, "path-leaves-folder", f"{pattern!r} leads out of the report's evidence folder",
                "put the files below evidence/<report>/ and name them from there",
            )  # fmt: skip
        if not base.is_dir():
            raise _error(
                pos, "no-evidence-folder", f"there is no folder evidence/{folder.name}", "put the evidence there"
            )
        if not base.is_relative_to(folder.parent.resolve()):
            raise _error(pos, "path-leaves-folder", f"evidence/{folder.name} is itself a link out of evidence/")
        # A file may have a bracket in its name; then the name itself is meant.
        wild = bool(_WILD & set(pattern)) and not _is_there(folder / pattern)
        try:
            hits = sorted(folder.glob(pattern)) if wild else [folder / pattern]
        except (ValueError, NotImplementedError, OSError) as error:
            raise _error(pos, "bad-pattern", f"{pattern!r} is no pattern of files: {error}") from None
        names = 0
        for path in hits:
            if wild and (path.is_dir() or any(p.startswith(".") for p in path.relative_to(folder).parts)):
                continue
            try:
                regular = path.is_file()
            except (OSError, ValueError):
                regular = False
            if not regular:
                if wild or path.is_symlink():
                    shown = path.relative_to(folder).as_posix()
                    hint = "take it out, or put the file itself there"
                    raise _error(pos, "not-a-file", f"{shown} is no file that can be read (a broken link?)", hint)
                continue
            if not path.resolve().is_relative_to(base):
                raise _error(
                    pos, "path-leaves-folder", f"{path.relative_to(folder)} is a link out of the evidence folder"
                )
            name = path.relative_to(folder).as_posix()
            if not _is_unicode(name):
                raise _error(pos, "bad-file-name", f"{name!a} is no UTF-8 file name", "rename the file")
            found[name] = EvidenceFile(path, name)
            names += 1
        if not names:
            there = sorted(p.relative_to(folder).as_posix() for p in list(folder.rglob("*"))[:2000] if p.is_file())
            near = nearest(pattern, there, 1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            hint += (
                "there are: " + ", ".join(there[:6]) + (" ..." if len(there) > 6 else "") if there else "it is empty"
            )
            raise _error(pos, "no-files", f"{pattern!r} names no file in evidence/{folder.name}", hint)
        if len(found) > MAX_FILES:
            raise _error(pos, "too-many-files", f"more than {MAX_FILES:,} files", "put them into PEM bundles")
    return [found[name] for name in sorted(found)]


def read(file: EvidenceFile, pos: Pos) -> bytes:
    """A file's bytes; InputError if it cannot be read or is too large."""
    try:
        if file.path.stat().st_size > MAX_FILE_OCTETS:
            raise _error(pos, "file-too-large", f"{file.name} is larger than {MAX_FILE_OCTETS:,} octets", "split it")
        return file.path.read_bytes()
    except OSError as error:
        raise _error(pos, "file-unreadable", f"{file.name} cannot be read: {error.strerror}") from None
