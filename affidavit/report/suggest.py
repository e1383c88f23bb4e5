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
        """A unified diff, as `git apply` and `patch -p1` read it."""
        name = self.shown + ("\t" if " " in self.shown else "")
        lines = difflib.unified_diff(
            _BREAK.split(self.before)[: None if not self.before.endswith("\n") else -1],
            _BREAK.split(self.after)[: None if not self.after.endswith("\n") else -1],
            f"a/{name}",
            f"b/{name}",
        )
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def suggestions(project: Project, checked: Checked) -> list[Edited]:
    """The files of some reports with what their messages propose; those alone in which something would change.

    What a message proposes is made whole or not at all, in however many files it lies.
    """
    texts: dict[str, _Text] = {}
    groups: list[_Places] = []
    for diagnostic in [*checked.faults, *(d for run in checked.runs for d in run.diagnostics)]:
        placed = []
        for fix in diagnostic.fixes:
            shown = fix.pos.file
            if shown not in texts and (text := _Text.of(project, shown)) is not None:
                texts[shown] = text
            placed.append((shown, texts[shown].placed(fix) if shown in texts else None))
        if placed and all(place is not None for _, place in placed):
            groups.append([(shown, place) for shown, place in placed if place is not None])
    kept = _fitting(texts, groups, [])
    found = []
    for shown, text in sorted(texts.items()):
        places = [place for group in kept for file, place in group if file == shown]
        after = text.made(places)
        if after is not None and after != text.text:
            found.append(Edited(text.path, shown, text.text, after, len(set(places))))
    return found


def make(edited: Iterable[Edited]) -> None:
    """Write the edited files; each whole or not at all. OSError where one cannot be written."""
    for one in edited:
        write_file(one.path, one.after.encode())


_Place = tuple[int, int, str]
_Places = list[tuple[str, _Place]]


def _fitting(texts: "dict[str, _Text]", groups: Sequence[_Places], kept: list[_Places]) -> list[_Places]:
    """Those groups of edits that can be made after the ones that are kept, all together if they can."""
    if not groups:
        return kept
    tried = [*kept, *groups]
    touched = {shown for group in groups for shown, _ in group}
    if all(texts[s].takes([place for group in tried for file, place in group if file == s]) for s in touched):
        return tried
    if len(groups) == 1:
        return kept
    half = len(groups) // 2
    return _fitting(texts, groups[half:], _fitting(texts, groups[:half], kept))


@dataclass(frozen=True, slots=True)
class _Text:
    """A file's text with the beginnings of its lines, and its tree if it is YAML."""

    path: Path
    shown: str
    text: str
    starts: Sequence[int]
    tree: Node | None

    @classmethod
    def of(cls, project: Project, shown: str) -> "_Text | None":
        """A file of the project; None for one outside it, or that is no text."""
        path = project.root / shown
        if not path.resolve().is_relative_to(project.root.resolve()) or path.is_symlink():
            return None
        try:
            text = path.read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError):
            return None
        tree = _tree(text, shown) if _is_yaml(shown) else None
        return cls(path, shown, text, _line_starts(text, shown), tree)

    def placed(self, fix: Fix) -> _Place | None:
        """Where an edit lies in the text, if its old text stands there, in quotation marks or without."""
        if not 0 < fix.pos.line <= len(self.starts):
            return None
        start = self.starts[fix.pos.line - 1] + fix.pos.column - 1
        if self.text[start : start + 1] in ("'", '"') and not fix.was.startswith(self.text[start]):
            start += 1
        return (start, start + len(fix.was), fix.now) if fix.was and self.text.startswith(fix.was, start) else None

    def made(self, places: Iterable[_Place]) -> str | None:
        """The text with some edits made; None where two of them touch the same words."""
        parts, at = [], 0
        for start, end, now in sorted(set(places)):
            if start < at:
                return None
            parts += [self.text[at:start], now]
            at = end
        return "".join([*parts, self.text[at:]])

    def takes(self, places: Iterable[_Place]) -> bool:
        """Whether it is as well-formed with some edits made as it was."""
        after = self.made(places)
        return after is not None and (not _is_yaml(self.shown) or _alike(self.tree, _tree(after, self.shown)))


def _is_yaml(shown: str) -> bool:
    return shown.endswith((".yaml", ".yml"))


def _line_starts(text: str, shown: str) -> list[int]:
    """Where lines begin, as their places are counted: YAML knows further line breaks than editors do."""
    breaks = "\r\n|[\n\r\x85\u2028\u2029]" if _is_yaml(shown) else "\n"
    begin = len(_BOM) if text.startswith(_BOM) else 0
    return [begin, *(match.end() for match in re.finditer(breaks, text))]


def _tree(text: str, shown: str) -> Node | None:
    try:
        return nodes.parse(text.removeprefix(_BOM), shown)
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
