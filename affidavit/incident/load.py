"""An incident file to a typed, located value; every diagnostic names file, line and column."""

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from operator import itemgetter
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from affidavit.incident import nodes
from affidavit.incident.documents import Document, read_documents
from affidavit.incident.folded import Piece, pieces_of
from affidavit.incident.nodes import Node
from affidavit.incident.schema import Complete, Incident, Section
from affidavit.times import WEEKDAYS, parse_time, zone
from affidavit.types import Diagnostic, Fix, InputError, Pos, did_you_mean, nearest

MAX_PROSE_BYTES = 2 * 1024 * 1024


@dataclass(frozen=True)
class Prose:
    """A piece of the report's Markdown: where it stands, and its text.

    ``literal`` says whether its lines are the file's own, so that places inside it can be told; ``pieces`` where those
    of a folded or quoted text stand.
    """

    role: str
    text: str
    pos: Pos
    indent: int = 0
    literal: bool = True
    pieces: tuple[Piece, ...] = ()

    def in_file(self, start: int, end: int) -> bool:
        """Whether a part of the text stands in its file in one run, as it is in the text."""
        if not self.pieces:
            return self.literal
        first = bisect_right(self.pieces, start, key=itemgetter(0))
        return 0 < first == bisect_right(self.pieces, max(start, end - 1), key=itemgetter(0))

    def place(self, offset: int) -> Pos:
        """Where a character of the text stands in its file; the text's own start if that cannot be told."""
        if self.pieces:
            first, line, column = self.pieces[max(0, bisect_right(self.pieces, offset, key=itemgetter(0)) - 1)]
            return Pos(self.pos.file, line, column + max(0, offset - first))
        if not self.literal:
            return self.pos
        line = self.text.count("\n", 0, offset)
        column = offset - (self.text.rfind("\n", 0, offset) + 1)
        return Pos(self.pos.file, self.pos.line + line, self.indent + column + 1)


@dataclass(frozen=True, repr=False, eq=False)
class Report:
    """A loaded incident file with its folders; step 1 of the flow yields it. Each is equal to itself alone."""

    slug: str
    path: Path
    shown: str
    evidence_dir: Path
    incident: Incident
    tree: Node
    included: tuple[Prose, ...] = ()
    text: str = field(default="", repr=False)
    documents: Mapping[str, Document] = field(default_factory=dict, repr=False)

    def __repr__(self) -> str:
        return f"<Report {self.slug}: {self.incident.title!r}, {len(self.incident.claims)} claims>"

    @cached_property
    def lines(self) -> list[str]:
        """The incident file's lines."""
        return self.text.splitlines()

    def pos(self, *path: str | int, key: bool = False) -> Pos:
        """Where a value of the incident file stands (``key``: where its key does)."""
        return self.tree.place(path, key=key)

    def section_text(self, index: int) -> str:
        """The Markdown of a section, included or in place."""
        return next((p.text for p in self.prose() if p.role == f"sections.{index}.text"), "")

    def prose(self) -> list[Prose]:
        """All Markdown of the report, and its titles, in reading order."""
        found: list[Prose] = []
        incident = self.incident

        def add(role: str, text: str | None, *path: str | int) -> None:
            if text:
                found.append(self.located_prose(role, text, path))

        add("title", incident.title, "title")
        add("summary", incident.summary, "summary")
        add("evidence_note", incident.evidence_note, "evidence_note")
        for name, collection in incident.evidence.items():
            add(f"evidence.{name}.title", collection.title, "evidence", name, "title")
            add(f"evidence.{name}.note", collection.note, "evidence", name, "note")
        included = {p.role: p for p in self.included}
        for index, section in enumerate(incident.sections):
            add(f"sections.{index}.title", section.title, "sections", index, "title")
            if f"sections.{index}.text" in included:
                found.append(included[f"sections.{index}.text"])
            add(f"sections.{index}.text", section.text, "sections", index, "text")
        for index, question in enumerate(incident.questions):
            for name in ("asked", "answered", "finding"):
                add(f"questions.{index}.{name}", getattr(question, name), "questions", index, name)
        for index, event in enumerate(incident.timeline):
            add(f"timeline.{index}.text", event.text, "timeline", index, "text")
        for name, claim in incident.claims.items():
            add(f"claims.{name}.note", claim.note, "claims", name, "note")
        return found

    def located_prose(self, role: str, text: str, path: Sequence[str | int]) -> Prose:
        """A text of the incident file with the place of its first character."""
        node = self.tree.find(tuple(path))
        if node is None:
            return Prose(role, text, self.pos(*path), literal=False)
        if not node.literal:
            # A plain or quoted scalar of one line keeps its columns; a folded one does not.
            lines = self.lines
            line = lines[node.pos.line - 1] if node.pos.line <= len(lines) else ""
            start = node.pos.column - 1 + (line[node.pos.column - 1 : node.pos.column] in ("'", '"'))
            if "\n" not in text and line.startswith(text, start):
                return Prose(role, text, node.pos, indent=start)
            return self._folded(role, text, node)
        # A block scalar's text begins on the line below its indicator, indented.
        lines = self.lines
        block = lines[node.pos.line - 1].rstrip().endswith(("|", "|-", "|+"))
        if not block:
            return self._folded(role, text, node)
        first = next((k for k in range(node.pos.line, len(lines)) if lines[k].strip()), node.pos.line)
        indent = len(lines[first]) - len(lines[first].lstrip()) if first < len(lines) else 0
        pos = Pos(node.pos.file, node.pos.line + 1, indent + 1)
        return Prose(role, text, pos, indent=indent)

    def _folded(self, role: str, text: str, node: Node) -> Prose:
        pieces = pieces_of(text, self.lines, node.pos.line, node.pos.column)
        return Prose(role, text, node.pos, literal=False, pieces=pieces)


def show_path(path: Path, root: Path | None = None) -> str:
    """A path for people: relative to the root or the working folder where it lies below."""
    for base in filter(None, (root, Path.cwd())):
        try:
            return path.resolve().relative_to(base.resolve()).as_posix()
        except ValueError:
            continue
    return path.as_posix()


def with_lines(diagnostics: Sequence[Diagnostic], path: Path, shown: str) -> list[Diagnostic]:
    """Messages, each with the line of a file (called ``shown``) that it is about; others, or all, as they are."""
    try:
        lines = ["", *nodes.read_text(path, shown).splitlines()]
    except InputError:
        return list(diagnostics)
    return [
        replace(one, line=lines[one.pos.line]) if one.pos.file == shown and one.pos.line < len(lines) else one
        for one in diagnostics
    ]


def load(path: Path, evidence_root: Path, root: Path | None = None) -> Report:
    """Read and type an incident file.

    ``path``: ``reports/<slug>/incident.yaml``; ``evidence_root``: the folder that holds
    ``<slug>/`` with the evidence. Raises InputError with all that is wrong.
    """
    slug = path.parent.name
    shown = show_path(path, root)
    text = nodes.read_text(path, shown)
    tree = nodes.parse(text, shown)
    if not isinstance(tree.value, dict):
        raise InputError(Diagnostic(tree.pos, "not-a-mapping", "an incident file is a mapping", "begin with `title:`"))
    try:
        incident = Incident.model_validate(tree.plain())
    except ValidationError as error:
        raise InputError(*_diagnostics(error, tree)) from None
    report = Report(slug, path, shown, evidence_root / slug, incident, tree, text=text)
    problems = _consistency(report)
    included = []
    for index, section in enumerate(incident.sections):
        try:
            if (prose := _included(report, index, section, root)) is not None:
                included.append(prose)
        except InputError as error:
            problems += error.diagnostics
    documents, faults = read_documents(incident.documents, report.evidence_dir, report.pos)
    problems += faults
    if problems:
        raise InputError(*sorted(problems, key=Diagnostic.sort_key))
    return Report(slug, path, shown, evidence_root / slug, incident, tree, tuple(included), text, documents)


def _included(report: Report, index: int, section: Section, root: Path | None) -> Prose | None:
    if section.file is None:
        return None
    place = report.pos("sections", index, "file")
    folder = report.path.parent.resolve()
    try:
        target = (folder / section.file).resolve()
        there = target.is_file()
    except (OSError, ValueError):
        raise InputError(Diagnostic(place, "bad-file-name", "this can be no file's name")) from None
    if not target.is_relative_to(folder):
        raise InputError(Diagnostic(place, "path-leaves-folder", f"{section.file!r} lies outside the report's folder"))
    if not there:
        raise InputError(
            Diagnostic(place, "file-missing", f"there is no file {section.file!r} beside the incident file")
        )
    shown = show_path(target, root)
    text = nodes.read_text(target, shown, MAX_PROSE_BYTES)
    return Prose(f"sections.{index}.text", text, Pos(shown), indent=0)


def _consistency(report: Report) -> list[Diagnostic]:
    """What the models cannot say: zones, dates, one of two keys."""
    incident, found = report.incident, []

    def check_time(text: str, *path: str | int) -> None:
        try:
            span = parse_time(text, incident.timezone)
        except ValueError as error:
            found.append(Diagnostic(report.pos(*path), "bad-time", str(error)))
            return
        actual = WEEKDAYS[span.local_day.weekday()]
        if span.weekday and span.weekday != actual:
            message = f"{span.local_day} is a {actual}, not a {span.weekday}"
            found.append(Diagnostic(report.pos(*path), "bad-time", message, f"write {actual} {span.local_day}"))

    try:
        zone(incident.timezone)
    except ValueError as error:
        return [Diagnostic(report.pos("timezone"), "unknown-timezone", str(error))]
    check_time(incident.date, "date")
    for name, collection in incident.evidence.items():
        if collection.complete:
            found += _declaration(report, name, collection.complete)
            for key, text in (("from", collection.complete.from_), ("until", collection.complete.until)):
                if text is not None:
                    check_time(text, "evidence", name, "complete", key)
            if collection.complete.until is not None:
                found += _not_yet(report, name, collection.complete.until)
        for file, capture in collection.captures.items():
            if capture.taken is not None:
                check_time(capture.taken, "evidence", name, "captures", file, "taken")
        if collection.trust is None and incident.trust is None:
            found.append(
                Diagnostic(
                    report.pos("evidence", name, key=True),
                    "no-trust",
                    f"nothing says whose signature makes {name!r} evidence",
                    "write `trust: [trust/*.pem]` or `trust: mozilla` for the report, or `trust: none` here",
                )
            )
    for index, event in enumerate(incident.timeline):
        check_time(event.at, "timeline", index, "at")
    for index, correction in enumerate(incident.corrections):
        check_time(correction.date, "corrections", index, "date")
    for index, one in enumerate(incident.suppress):
        check_time(one.until, "suppress", index, "until")
    for name, document in incident.documents.items():
        if document.date is not None:
            check_time(document.date, "documents", name, "date")
    for index, section in enumerate(incident.sections):
        if (section.text is None) == (section.file is None):
            found.append(
                Diagnostic(report.pos("sections", index), "section-text", "a section has either `text` or `file`")
            )
    if not incident.claims:
        found.append(Diagnostic(report.pos("claims", key=True), "no-claims", "there is no claim", "state one"))
    if not incident.evidence:
        found.append(Diagnostic(report.pos("evidence", key=True), "no-evidence", "there is no collection"))
    return found


def _declaration(report: Report, collection: str, complete: Complete) -> list[Diagnostic]:
    """A completeness is sworn with window and grounds, or derived, which gives both."""
    place = ("evidence", collection, "complete")
    stated = {"from": complete.from_, "until": complete.until, "basis": complete.basis}
    if complete.derived is None:
        return [
            Diagnostic(report.pos(*place, key=True), "missing-key", f"'complete.{key}' is missing", f"add `{key}:`")
            for key, value in stated.items()
            if value is None
        ]
    return [
        Diagnostic(report.pos(*place, key), "bad-value", f"`{key}` is derived from the log entries", "leave it out")
        for key, value in stated.items()
        if value is not None
    ]


def _not_yet(report: Report, collection: str, until: str) -> list[Diagnostic]:
    """A completeness declared over days that come after the report cannot be known."""
    try:
        last = parse_time(until, report.incident.timezone)
        edition = parse_time(report.incident.date, report.incident.timezone)
    except ValueError:
        return []
    if last.start < edition.end:
        return []
    pos = report.pos("evidence", collection, "complete", "until")
    message = f"completeness is declared until {until}, and the report is of {report.incident.date}"
    return [Diagnostic(pos, "not-yet", message, "nobody can have looked at days that had not come")]


def _known_keys(loc: Sequence[str | int]) -> list[str]:
    """The keys that the model at a validation path knows."""
    model: Any = Incident
    for step in loc[:-1]:
        if isinstance(model, type) and issubclass(model, BaseModel):
            info = next((f for n, f in model.model_fields.items() if step in (n, f.alias)), None)
            model = _inner_model(info.annotation) if info else model
    if isinstance(model, type) and issubclass(model, BaseModel):
        return [f.alias or name for name, f in model.model_fields.items()]
    return []


def _inner_model(annotation: Any) -> Any:
    """The model class inside ``dict[str, X]``, ``list[X]``, ``X | None`` or an annotated union."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _inner_model(inner)
        if found is not None:
            return found
    return None


def _diagnostics(error: ValidationError, tree: Node) -> list[Diagnostic]:
    """Validation errors as diagnostics for people."""
    found: list[Diagnostic] = []
    for item in error.errors():
        loc, kind = item["loc"], item["type"]
        words = ".".join(str(step) for step in loc if step not in ("text", "list", "mapping"))
        if kind == "extra_forbidden":
            key = str(loc[-1])
            pos = tree.place(loc, key=True)
            known = _known_keys(loc)
            fixes = tuple(Fix(pos, key, name) for name in nearest(key, known, 1))
            message = f"{key!r} is not known here"
            found.append(Diagnostic(pos, "unknown-key", message, did_you_mean(key, known), fixes=fixes))
        elif kind == "missing":
            pos = tree.place(loc[:-1], key=True) if len(loc) > 1 else Pos(tree.pos.file)
            found.append(Diagnostic(pos, "missing-key", f"{words!r} is missing", f"add `{loc[-1]}:`"))
        elif kind == "literal_error":
            expected = item.get("ctx", {}).get("expected", "")
            pos = tree.place(loc)
            known = re.findall(r"'([^']*)'", expected)
            near = nearest(str(item["input"]), known, 1)
            fixes = tuple(Fix(pos, item["input"], name) for name in near)
            hint = f"did you mean {near[0]!r}?" if near else ""
            message = f"{words}: {item['input']!r} is not one of {expected}"
            found.append(Diagnostic(pos, "bad-value", message, hint, fixes=fixes))
        elif item["input"] is None:
            found.append(Diagnostic(tree.place(loc, key=True), "no-value", f"{words!r} has no value"))
        elif kind == "string_pattern_mismatch":
            pos = tree.place(tuple(s for s in loc if s != "[key]"), key=True)
            found.append(
                Diagnostic(pos, "bad-name", f"{item['input']!r} is no name", "lower-case letters, digits and hyphens")
            )
        else:
            shape = {"list": "a list", "dict": "a mapping", "str": "text"}.get(type(item["input"]).__name__, "this")
            found.append(
                Diagnostic(
                    tree.place(loc),
                    "bad-value",
                    f"{words}: {shape} does not belong here ({item['msg'].lower().removeprefix('value error, ')})",
                )
            )
    return found
