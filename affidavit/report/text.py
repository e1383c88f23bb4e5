"""Verdicts and diagnostics as plain text for the terminal. Nothing of the evidence reaches it raw."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from affidavit.project import Checked
from affidavit.run import Run
from affidavit.shown import agree, visible
from affidavit.times import show_time
from affidavit.types import Diagnostic, Finding, Outcome, Pos, Severity, Verdict

MARKS = {Outcome.VERIFIED: "+", Outcome.REFUTED: "x", Outcome.UNPROVEN: "?", Outcome.UNCHECKED: "-"}
_COLOURS = {"error": "31", "warning": "33", "good": "32", "dim": "2", "head": "1"}
MAX_CELL = 160
MAX_SOURCE = 110


class Styler:
    """Colours, or none: ``NO_COLOR``, pipes and tests get plain text."""

    def __init__(self, colour: bool = False) -> None:
        self.colour = colour

    def __call__(self, text: str, style: str) -> str:
        """The text in a style."""
        return f"\x1b[{_COLOURS[style]}m{text}\x1b[0m" if self.colour else text


def source_lines(pos: Pos, lines: Sequence[str], line: str = "") -> list[str]:
    """The line that a message is about, with a mark below the place; a long line is cut round it."""
    line = line or (lines[pos.line - 1] if 0 < pos.line <= len(lines) else "")
    if not line.strip():
        return []
    line, column = line.expandtabs(1), pos.column - 1
    begin = max(0, column - 60)
    shown = tame(visible(line[begin : begin + MAX_SOURCE])) + ("..." if len(line) > begin + MAX_SOURCE else "")
    before = tame(visible(line[begin:column]))
    cut = "..." if begin else ""
    return [f"    | {cut}{shown}", f"    | {' ' * (len(cut) + _width(before))}^"]


def _width(text: str) -> int:
    """How many columns of a terminal a text takes (Unicode TR11): two a wide character, none a combining one."""
    return sum(
        0 if unicodedata.category(c) in ("Mn", "Me") else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def tame(line: str) -> str:
    """A line that starts nothing where a CI host reads it as its log.

    GitHub takes ``::`` at the head of a line, and ``##[`` anywhere in it, for a command; Azure takes ``##vso[``.
    """
    line = re.sub(r"##(vso)?\[", lambda match: match[0][:-1] + "<U+005B>", line)
    return re.sub(r"^(\s*):(?=:)", r"\1<U+003A>", line)


def _joined(lines: Iterable[str]) -> str:
    return "".join(f"{tame(line)}\n" for line in lines)


def diagnostic_lines(diagnostic: Diagnostic, style: Styler, source: Sequence[str] = ()) -> list[str]:
    """``path:line:column: message``, the line of its file (``source``) that it is about, and what to do about it."""
    warning = diagnostic.severity is Severity.WARNING
    word = style("warning" if warning else "error", "warning" if warning else "error")
    code = style(f"[{diagnostic.code}]", "dim")
    lines = [f"{visible(str(diagnostic.pos))}: {word}: {visible(diagnostic.message)} {code}"]
    lines += [style(line, "dim") for line in source_lines(diagnostic.pos, source, diagnostic.line)]
    if diagnostic.hint:
        lines.append(f"    {visible(diagnostic.hint)}")
    from affidavit.report.suggest import instead

    if words := instead(diagnostic):
        lines.append(f"    {visible(words)} (--apply does)")
    return lines


def fault_text(diagnostics: Iterable[Diagnostic]) -> str:
    """Messages about what is at fault, a line or two each."""
    return _joined(line for one in diagnostics for line in diagnostic_lines(one, Styler()))


def show_cell(value: Any, zone: str = "UTC", limit: int = MAX_CELL) -> str:
    """A value of a facts table for people."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return show_time(value, zone)
    if isinstance(value, list):
        return visible(", ".join(map(str, value)) or "-", limit)
    return visible(str(value), limit)


def example_lines(examples: Iterable[Mapping[str, Any]], zone: str) -> list[str]:
    """Counter-examples, a row each."""
    lines = []
    for row in examples:
        cells = [f"{name} {show_cell(value, zone, 80)}" for name, value in row.items()]
        lines.append("    e.g. " + ", ".join(cells))
    return lines


def tally_words(run: Run) -> str:
    """``29 verified, 3 refuted, 1 unproven, 1 unchecked``."""
    words = ", ".join(f"{number} {outcome}" for outcome, number in run.tally.counts.items() if number)
    return words + (f" ({run.tally.documented} of them quoted)" if run.tally.documented else "")


def _sources(checked: Checked, root: Path | None) -> Mapping[str, Sequence[str]]:
    """The lines of the files that messages are about; none where there is no message."""
    if not (checked.faults or checked.notes or any(run.diagnostics for run in checked.runs)):
        return {}
    from affidavit.report.items import Said, texts_of

    return Said(checked, (), texts_of(checked, root)).lines


def check_text(
    checked: Checked, style: Styler | None = None, *, verbose: bool = False, root: Path | None = None
) -> str:
    """What ``check`` prints: messages by report and place, then a line a report.

    ``root``: the project's folder, where files at fault are looked up to show their lines.
    """
    style = style or Styler()
    sources = _sources(checked, root)
    lines: list[str] = []
    for fault in (*checked.faults, *checked.notes):
        lines += diagnostic_lines(fault, style, sources.get(fault.pos.file, ()))
    for run in checked.runs:
        if len(checked.runs) > 1 and run.diagnostics:
            lines += ["", style(run.slug, "head")]
        for diagnostic in run.diagnostics:
            lines += diagnostic_lines(diagnostic, style, sources.get(diagnostic.pos.file, ()))
            verdict = run.verdicts.get(diagnostic.claim)
            if verdict is not None and not verdict.passes and diagnostic.code != "figure-not-stated":
                lines += example_lines(verdict.examples, run.claims[verdict.claim].zone)
        if verbose:
            lines += [f"  {MARKS[v.outcome]} {v.claim}: {v.outcome}" for v in run.verdicts.values()]
    if len(checked.runs) > 1 and any(run.diagnostics for run in checked.runs):
        lines.append("")
    for run in checked.runs:
        errors = sum(d.severity is Severity.ERROR for d in run.diagnostics)
        warnings = len(run.diagnostics) - errors
        word = style("passes", "good") if run.passes else style("does not pass", "error")
        word += "" if run.fails or run.passes else ", and is let through"
        more = agree(f"; {errors} error(s)") if errors else ""
        more += agree(f"; {warnings} warning(s)") if warnings else ""
        lines += [f"  changed: {visible(change.words)}" for change in run.changes]
        lines += [f"  suppressed: {visible(one.words)}" for one in run.suppressed]
        lines.append(f"{run.slug}: {word}: {tally_words(run)}{more}")
    if checked.faults:
        lines.append(style(agree(f"{len(checked.faults)} fault(s) in the input; nothing was checked there"), "error"))
    return _joined(lines)


def finding_lines(finding: Finding) -> list[str]:
    """A finding: what was stated, what was observed, and the hint."""
    lines = [f"  {MARKS[finding.outcome]} {finding.assertion}: {finding.outcome}"]
    for label, text in (("stated", finding.stated), ("observed", finding.observed), ("", finding.hint)):
        if text:
            lines.append(f"      {label + ': ' if label else ''}{visible(text)}")
    return lines


def count_words(verdict: Verdict) -> str:
    """How many rows were looked at, and how many were left out and why."""
    counts = verdict.counts
    words = [f"{counts.scope:,} row(s) of {counts.considered:,} looked at"]
    for number, why in (
        (counts.not_authentic, "not authentic"),
        (counts.other_kind, "of another kind"),
        (counts.copies, "copies of one counted already"),
        (counts.undecided, "for which `where` is open"),
        (counts.unreadable, "unreadable"),
        (counts.excused, "unreadable, with the author's reason"),
    ):
        if number:
            words.append(f"{number:,} {why}")
    return agree("; ".join(words))


def explain_text(run: Run, claim: str, rows: list[dict[str, Any]], limit: int) -> str:
    """What ``explain`` prints: the statement, the verdict, how it was reached, and the rows."""
    stated, verdict = run.report.incident.claims[claim], run.verdicts[claim]
    zone = run.claims[claim].zone
    held = {"true": "it stands", "false": "it does not stand", "unproven": "it cannot be proven"}[verdict.position]
    lines = [
        f"{claim} ({visible(str(run.report.pos('claims', claim, key=True)))})",
        f"  {visible(stated.says)}" + (f"  ({visible(stated.by)})" if stated.by else ""),
        f"  verdict: {verdict.outcome}; the report holds that {held}: "
        + ("passes" if verdict.passes else "does not pass"),
        f"  basis: {visible(verdict.basis.words)}",
        *([f"  evidence: {count_words(verdict)}"] if verdict.outcome is not Outcome.UNCHECKED else []),
        "",
    ]
    for finding in verdict.findings:
        lines += finding_lines(finding)
    lines += [f"  note: {visible(note)}" for note in verdict.notes]
    if verdict.examples:
        lines += ["", "counter-examples:", *example_lines(verdict.examples, zone)]
    if query := run.query(verdict.claim):
        lines += ["", "query:", *(f"  {visible(line)}" for line in query.splitlines())]
    if rows:
        lines += ["", f"rows (the first {min(limit, len(rows))}):"]
        for row in rows[:limit]:
            shown = {name: row[name] for name in run.claims[claim].scope.table.shown}  # type: ignore[union-attr]
            lines.append("  " + ", ".join(f"{name} {show_cell(value, zone, 80)}" for name, value in shown.items()))
    return _joined(lines)


def claims_text(run: Run) -> str:
    """What ``explain`` prints of a report alone: its claims, each with its verdict."""
    width = max(map(len, run.verdicts), default=0)
    lines = [f"claims of {run.slug}:"]
    for name, verdict in run.verdicts.items():
        says = visible(run.report.incident.claims[name].says, MAX_CELL)
        lines.append(f"  {MARKS[verdict.outcome]} {name.ljust(width)}  {verdict.outcome}: {says}")
    return "\n".join([*lines, f"how one was checked: affidavit explain {run.slug} CLAIM"]) + "\n"


def inspect_text(tables: Mapping[str, list[dict[str, Any]]]) -> str:
    """What ``inspect`` prints: each row, a column a line; empty tables are left out."""
    lines: list[str] = []
    for name, rows in tables.items():
        for number, row in enumerate(rows, 1):
            lines.append(f"{name} {number}")
            width = max(len(column) for column in row)
            lines += [
                f"  {column.ljust(width)}  {show_cell(value)}"
                for column, value in row.items()
                if value is not None and value not in ([], "")
            ]
            lines.append("")
    return _joined(lines).removesuffix("\n")
