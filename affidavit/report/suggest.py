"""What messages propose to write instead, as a diff, and made in the files on request.

Each edit is made only where its old text still stands at its place, and a file only where it is as well-formed
after the edits as before, with the same values but for those that were to change.
"""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from affidavit.incident import nodes
from affidavit.incident.nodes import Node
from affidavit.project import Checked, Project
from affidavit.store import write_file
from affidavit.types import Diagnostic, Fix, InputError

_BREAK = re.compile(r"(?<=\n)")
_BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Edited:
    """A file with its edits made: its path, its name for people, both texts, and how many edits that were."""

    path: Path
    shown: str
    before: str
    after: str
    edits: int

    @property
    def diff(self) -> str:
        """A unified diff, as `git apply` reads it."""
        lines = difflib.unified_diff(
            _BREAK.split(self.before)[: None if not self.before.endswith("\n") else -1],
            _BREAK.split(self.after)[: None if not self.after.endswith("\n") else -1],
            f"a/{self.shown}",
            f"b/{self.shown}",
        )
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def suggestions(project: Project, checked: Checked) -> list[Edited]:
    """The files of some reports with what their messages propose; those alone in which something would change."""
    by_file: dict[str, list[tuple[Fix, ...]]] = {}
    for diagnostic in [*checked.faults, *(d for run in checked.runs for d in run.diagnostics)]:
        for file in dict.fromkeys(fix.pos.file for fix in diagnostic.fixes):
            by_file.setdefault(file, []).append(tuple(fix for fix in diagnostic.fixes if fix.pos.file == file))
    found = []
    for shown, groups in sorted(by_file.items()):
        path = project.root / shown
        if not path.resolve().is_relative_to(project.root.resolve()) or path.is_symlink():
            continue
        try:
            text = path.read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        body = text.removeprefix(_BOM)
        after, edits = _edited(body, groups, shown)
        if after != body:
            found.append(Edited(path, shown, body, after, edits))
    return found


def make(edited: Iterable[Edited]) -> None:
    """Write the edited files; each whole or not at all. OSError where one cannot be written."""
    for one in edited:
        marked = one.path.read_bytes().startswith(_BOM.encode())
        write_file(one.path, ((_BOM if marked else "") + one.after).encode())


def _edited(text: str, groups: Sequence[tuple[Fix, ...]], shown: str) -> tuple[str, int]:
    """A text with those groups of edits that leave it well-formed, and how many edits they are."""
    starts = _line_starts(text)
    yaml = shown.endswith((".yaml", ".yml"))
    places: list[list[tuple[int, int, str]]] = []
    for group in groups:
        placed = [_placed(text, starts, fix) for fix in group]
        if all(place is not None for place in placed):
            places.append([place for place in placed if place is not None])
    kept: list[tuple[int, int, str]] = []
    before = _tree(text, shown) if yaml else None
    whole = _made(text, [place for group in places for place in group])
    if whole is not None and (not yaml or _alike(before, _tree(whole, shown))):
        kept = [place for group in places for place in group]
    else:
        for one in places:
            tried = _made(text, [*kept, *one])
            if tried is not None and (not yaml or _alike(before, _tree(tried, shown))):
                kept += one
    return _made(text, kept) or text, len(set(kept))


def _line_starts(text: str) -> list[int]:
    return [0, *(match.end() for match in re.finditer("\r\n|[\n\r\x85\u2028\u2029]", text))]


def _placed(text: str, starts: Sequence[int], fix: Fix) -> tuple[int, int, str] | None:
    """Where an edit lies in a text, if its old text stands there, in quotation marks or without."""
    if not 0 < fix.pos.line <= len(starts):
        return None
    start = starts[fix.pos.line - 1] + fix.pos.column - 1
    if text[start : start + 1] in ("'", '"') and not fix.was.startswith(text[start]):
        start += 1
    return (start, start + len(fix.was), fix.now) if fix.was and text.startswith(fix.was, start) else None


def _made(text: str, places: Iterable[tuple[int, int, str]]) -> str | None:
    """A text with some edits made; None where two of them touch the same words."""
    parts, at = [], 0
    for start, end, now in sorted(set(places)):
        if start < at:
            return None
        parts += [text[at:start], now]
        at = end
    return "".join([*parts, text[at:]])


def _tree(text: str, shown: str) -> Node | None:
    try:
        return nodes.parse(text, shown)
    except InputError:
        return None


def _alike(before: Node | None, after: Node | None) -> bool:
    """Whether two trees have the same shape: an edit changes values and words, never what stands where.

    Of a file that could not be read before (a misspelt key is no such fault), nothing is edited.
    """
    if before is None or after is None or type(before.value) is not type(after.value):
        return False
    if isinstance(before.value, dict) and isinstance(after.value, dict):
        pairs = zip(before.value.values(), after.value.values(), strict=False)
        return len(before.value) == len(after.value) and all(_alike(a, b) for a, b in pairs)
    if isinstance(before.value, list) and isinstance(after.value, list):
        pairs = zip(before.value, after.value, strict=False)
        return len(before.value) == len(after.value) and all(_alike(a, b) for a, b in pairs)
    return True


def instead(diagnostic: Diagnostic) -> str:
    """What to write instead, in a line; empty where a message proposes nothing."""
    if not diagnostic.fixes:
        return ""
    first, more = diagnostic.fixes[0], len(diagnostic.fixes) - 1
    words = f"write {first.now} instead of {first.was}"
    return words + (f", and {more} more edit{'s that go' if more > 1 else ' that goes'} with it" if more else "")
