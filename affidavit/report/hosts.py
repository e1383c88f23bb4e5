"""Code hosts: GitHub's annotations and job summary, GitLab's code quality report."""

import json
from collections.abc import Iterable

from affidavit.report.items import Item, Said, verdict_word
from affidavit.report.text import tally_words
from affidavit.shown import visible

SHOWN = 10
"""GitHub shows so many errors and so many warnings of a step, and drops the rest unsaid."""
SUMMARY_OCTETS = 1 << 20
"""A larger job summary is not taken at all."""
_MARKS = {"verified": "✅", "refuted": "❌", "unproven": "❔", "unchecked": "▫️"}


def github(said: Said) -> bytes:
    """Workflow commands: the worst first, and a last line with the count of what GitHub would not show.

    Evidence cannot start a command: a message is one line behind ``::``, with its own line ends and percent signs
    escaped.
    """
    lines = []
    for word in ("error", "warning"):
        items = [item for item in said.items if item.diagnostic.severity.value == word]
        lines += [_command(item, word) for item in items[:SHOWN]]
        if len(items) > SHOWN:
            rest = len(items) - SHOWN
            lines.append(f"::notice title=affidavit::{rest:,} further {word}s are not shown here; see the job summary")
    for run in said.checked.runs:
        word = "passes" if run.passes else "does not pass"
        lines.append(f"affidavit: {run.slug} {word}: {tally_words(run)}")
    return ("\n".join(lines) + "\n").encode("utf-8", "replace") if lines else b""


def _command(item: Item, word: str) -> str:
    pos = item.diagnostic.pos
    properties = {"file": item.path, "line": str(pos.line), "col": str(pos.column),
                  "title": f"{item.report}: {item.diagnostic.code}"}  # fmt: skip
    shown = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{word} {shown}::{_data(item.words)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(visible(text)).replace(":", "%3A").replace(",", "%2C")


def summary(said: Said) -> bytes:
    """The job summary in Markdown: a table of verdicts for each report; cut, and said so, below GitHub's limit."""
    lines: list[str] = ["## Affidavit", ""]
    if said.checked.faults:
        lines += ["**The input is at fault; nothing was checked there.**", ""]
        lines += [f"- `{_code(str(fault.pos))}`: {_cell(fault.message)}" for fault in said.checked.faults] + [""]
    for run in said.checked.runs:
        lines += [f"### {_cell(run.slug)}: {'passes' if run.passes else 'does not pass'}", "", tally_words(run), ""]
        lines += ["| | claim | verdict | what is stated |", "|---|---|---|---|"]
        ordered = sorted(run.verdicts.values(), key=lambda verdict: verdict.passes)
        for verdict in ordered:
            says = run.report.incident.claims[verdict.claim].says
            mark = _MARKS[verdict.outcome.value]
            lines.append(f"| {mark} | `{_code(verdict.claim)}` | {verdict_word(verdict)} | {_cell(says)} |")
        items = [item for item in said.items if item.report == run.slug]
        if items:
            lines += ["", "<details><summary>Messages</summary>", ""]
            lines += [f"- `{_code(str(item.diagnostic.pos))}` {_cell(item.words)}" for item in items]
            lines += ["", "</details>"]
        lines.append("")
    return _within(lines, SUMMARY_OCTETS - 4096)


def _within(lines: Iterable[str], limit: int) -> bytes:
    kept, size = [], 0
    for line in lines:
        size += len(line.encode("utf-8", "replace")) + 1
        if size > limit:
            kept += ["", "*The summary was cut here: it would be larger than the host takes.*"]
            break
        kept.append(line)
    return ("\n".join(kept) + "\n").encode("utf-8", "replace")


def _cell(text: str) -> str:
    """Text that Markdown takes for nothing but text."""
    shown = visible(" ".join(text.split()), 500)
    for character in "\\`*_{}[]<>|#~@":
        shown = shown.replace(character, f"&#{ord(character)};")
    return shown


def _code(text: str) -> str:
    return visible(text).replace("`", "'").replace("|", "&#124;")


def gitlab(said: Said) -> bytes:
    """A code quality report: a list of issues, each with a fingerprint that no other has."""
    issues = [
        {
            "description": item.words,
            "check_name": item.diagnostic.code,
            "fingerprint": item.fingerprint,
            "severity": "major" if item.is_error else "minor",
            "location": {"path": item.path, "lines": {"begin": item.diagnostic.pos.line}},
        }
        for item in said.items
    ]
    return (json.dumps(issues, indent=1, sort_keys=True) + "\n").encode("ascii")
