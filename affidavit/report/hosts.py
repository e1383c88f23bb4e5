"""Code hosts: GitHub's annotations and job summary, GitLab's code quality report."""

import json
import re
from collections.abc import Iterable, Sequence

from affidavit.report.items import Item, Said, verdict_word
from affidavit.report.text import tally_words, tame
from affidavit.shown import visible

SHOWN = 10
"""GitHub shows so many errors and so many warnings of a step, and drops the rest unsaid."""
SUMMARY_OCTETS = 1 << 20
"""A larger job summary is not taken at all."""
_MARKS = {"verified": "✅", "refuted": "❌", "unproven": "❔", "unchecked": "▫️"}


def github(said: Said) -> bytes:
    """Workflow commands: the worst first, then in plain lines what GitHub would not show, and how much that is.

    Evidence cannot start a command: a message is one line behind ``::``, with its own line ends and percent signs
    escaped, or a plain line that begins with ours.
    """
    lines, counts = [], []
    more: list[str] = []
    for word in ("error", "warning"):
        items = [item for item in said.items if item.diagnostic.severity.value == word]
        lines += [_command(item, word) for item in items[:SHOWN]]
        more += [f"{visible(str(item.diagnostic.pos))}: {word}: {item.words}" for item in items[SHOWN:]]
        if len(items) > SHOWN:
            rest = len(items) - SHOWN
            words = f"{rest:,} further {word}{'s' * (rest > 1)} not shown as annotations; the step's log has all"
            counts.append(f"::notice title=affidavit::{words}")
    for run in said.checked.runs:
        more += [f"{run.slug}: changed: {visible(change.words)}" for change in run.changes]
        more += [f"{run.slug}: set aside: {visible(one.words)}" for one in run.suppressed]
        word = "passes" if run.passes else "does not pass"
        more.append(f"{run.slug} {word}: {tally_words(run)}")
    lines += [tame(f"affidavit: {words}") for words in more] + counts
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


def summary(said: Said, there: int = 0) -> bytes:
    """The job summary in Markdown: a table of verdicts for each report, those that do not pass first.

    It is cut, and that is said, below GitHub's limit; ``there``: how many octets of a summary the step has already.
    """
    lines: list[str] = ["## Affidavit", ""]
    lines += [f"- {_cell(note.message)}" for note in said.checked.notes]
    if said.checked.faults:
        lines += ["**The input is at fault; nothing was checked there.**", ""]
        lines += [f"- `{_code(str(fault.pos))}`: {_cell(fault.message)}" for fault in said.checked.faults] + [""]
    for run in sorted(said.checked.runs, key=lambda run: run.passes):
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
        for title, told in (
            ("Changed since the earlier edition", [change.words for change in run.changes]),
            ("Set aside", [one.words for one in run.suppressed]),
        ):
            if told:
                lines += ["", f"{title}:", "", *(f"- {_cell(words)}" for words in told)]
        lines.append("")
    return _within(lines, SUMMARY_OCTETS - 4096 - there)


def _within(lines: Sequence[str], limit: int) -> bytes:
    kept: list[str] = []
    size = 0
    for line in lines:
        size += len(line.encode("utf-8", "replace")) + 1
        if size > limit:
            rest = len(lines) - len(kept)
            # Behind an open fold nobody would see that something is missing.
            kept += ["", "</details>"] * (_folds(kept, "<details>") > _folds(kept, "</details>"))
            kept += ["", f"*The summary was cut here, {rest:,} lines before its end: the host takes no larger one.*"]
            break
        kept.append(line)
    return ("\n".join(kept) + "\n").encode("utf-8", "replace")


def _folds(lines: Iterable[str], mark: str) -> int:
    return sum(line.startswith(mark) for line in lines)


def _cell(text: str) -> str:
    """Text that Markdown takes for nothing but text: no markup, no link, no name that is called."""
    shown = visible(" ".join(text.split()), 500)
    return re.sub(r"[\\`*_{}\[\]<>|#~@&]|(?<=[a-z]):(?=//)|(?<=www)\.", lambda m: f"&#{ord(m[0])};", shown,
                  flags=re.IGNORECASE)  # fmt: skip


def _code(text: str) -> str:
    return visible(text).replace("`", "'").replace("|", "¦")


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
