"""What a check has to say, in one shape that every format for machines is made from."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path, PurePosixPath

from affidavit.project import Checked
from affidavit.shown import visible
from affidavit.types import Diagnostic, Outcome, Pos, Severity, Verdict

MAX_WORDS = 2000
MAX_SOURCE_OCTETS = 16 << 20
FAULTS = "input"
"""The name under which faults of the input stand, beside the reports' names."""
#: Places in a message's words: they move with the lines of the file.
_PLACE = re.compile(r"\blines? [\d,]+")


@dataclass(frozen=True, slots=True)
class Item:
    """A message: its report, its diagnostic, its path in the repository, and what tells it from every other.

    ``fingerprint`` (hex) rests on report, code, claim and words, never on the line: it stays where text moves.
    """

    report: str
    diagnostic: Diagnostic
    path: str
    fingerprint: str

    @property
    def is_error(self) -> bool:
        """Whether it fails the check."""
        return self.diagnostic.severity is Severity.ERROR

    @property
    def words(self) -> str:
        """Message and hint, safe to show and cut to what hosts take."""
        text = self.diagnostic.message + (f" - {self.diagnostic.hint}" if self.diagnostic.hint else "")
        return visible(text, MAX_WORDS)


@dataclass(frozen=True)
class Said:
    """A check's outcome for the formats: the check itself, its items, and the texts of its files by path as shown."""

    checked: Checked
    items: tuple[Item, ...]
    texts: Mapping[str, str] = field(default_factory=dict)
    site: str = ""
    prefix: PurePosixPath = field(default_factory=PurePosixPath)

    @cached_property
    def lines(self) -> Mapping[str, list[str]]:
        """The files' lines, by path as shown."""
        return {file: _lines(file, text) for file, text in self.texts.items()}

    def path_of(self, shown: str) -> str:
        """A file's path in the repository, from its name as shown."""
        return _path(self.prefix, shown)


def said(checked: Checked, root: Path | None = None, site: str = "") -> Said:
    """All messages of a check in order of place; paths are relative to the repository that holds ``root``.

    ``site``: the address of the site, where it is known; the codes' page stands there.
    """
    prefix = _prefix(root)
    seen: Counter[str] = Counter()
    found: list[Item] = []
    for report, diagnostic in _all(checked):
        whole = f"{report}\n{diagnostic.code}\n{diagnostic.claim}\n{_PLACE.sub('', diagnostic.message)}"
        digest = hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        seen[digest] += 1
        if seen[digest] > 1:
            digest = hashlib.sha256(f"{digest} {seen[digest]}".encode()).hexdigest()[:32]
        found.append(Item(report, diagnostic, _path(prefix, diagnostic.pos.file), digest))
    return Said(checked, tuple(found), texts_of(checked, root), site, prefix)


def texts_of(checked: Checked, root: Path | None) -> dict[str, str]:
    """The texts that messages are about, by path as shown: the reports' own, and those of the project at fault."""
    found = {run.report.shown: run.report.text for run in checked.runs}
    found |= {prose.pos.file: prose.text for run in checked.runs for prose in run.report.included}
    for file in {fault.pos.file for fault in checked.faults} - set(found):
        if root is None:
            break
        try:
            path = (root / file).resolve()
            if path.is_relative_to(root.resolve()) and path.is_file() and path.stat().st_size <= MAX_SOURCE_OCTETS:
                found[file] = path.read_bytes().decode("utf-8-sig")
        except (OSError, ValueError, RuntimeError):
            continue  # a message without its line is a message all the same
    return found


def _lines(file: str, text: str) -> list[str]:
    """The lines of a file as places in it are counted: YAML knows further line breaks than Markdown does."""
    return text.splitlines() if file.endswith((".yaml", ".yml")) else [line.rstrip("\r") for line in text.split("\n")]


def _all(checked: Checked) -> Iterator[tuple[str, Diagnostic]]:
    for diagnostic in (*checked.faults, *checked.notes):
        pos = diagnostic.pos  # machines want a line
        yield FAULTS, diagnostic if pos.line else replace(diagnostic, pos=Pos(pos.file))
    for run in checked.runs:
        for diagnostic in run.diagnostics:
            yield run.slug, diagnostic


def _prefix(root: Path | None) -> PurePosixPath:
    """Where a project lies in its repository: hosts want paths from the repository's root."""
    if root is not None:
        root = root.resolve()
        for folder in (root, *root.parents):
            if (folder / ".git").exists():
                return PurePosixPath(root.relative_to(folder).as_posix())
    return PurePosixPath(".")


def _path(prefix: PurePosixPath, shown: str) -> str:
    path = PurePosixPath(shown)
    return path.as_posix() if path.is_absolute() else (prefix / path).as_posix()


def verdict_word(verdict: Verdict) -> str:
    """A verdict in a table: its outcome, and whether the report holds otherwise."""
    word = "documented" if verdict.documented else verdict.outcome.value
    if verdict.passes:
        return word if verdict.position == "true" or verdict.outcome is Outcome.UNCHECKED else f"{word}, as disputed"
    return f"{word}, and the report holds otherwise"
