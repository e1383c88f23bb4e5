"""SARIF 2.1.0 (OASIS, errata 01) as GitHub code scanning reads it: messages as results, codes as rules."""

import json
import re
import zlib
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from affidavit import __version__
from affidavit.report.codes import code_of
from affidavit.report.items import MAX_WORDS, Item, Said
from affidavit.report.suggest import instead
from affidavit.shown import visible

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MAX_RESULTS = 5000
"""GitHub keeps so many of a run and drops the rest unsaid."""
MAX_OCTETS = 10_000_000
"""A file that is larger when compressed (gzip) is refused by GitHub."""
MAX_TEXT = 1000
MAX_NOTES = 100


def sarif(said: Said) -> bytes:
    """A log of one run. Results are errors first, by place; what is cut is told in a notification.

    What the report sets aside is told there, too, and is no result: GitHub takes no notice of `suppressions`, and would
    show it as open.
    """
    items = sorted(said.items, key=lambda item: (not item.is_error, item.diagnostic.sort_key()))
    number = min(len(items), MAX_RESULTS)
    while len(zlib.compress(content := _log(said, items, number), 6)) > MAX_OCTETS and number:
        number //= 2
    return content


def _log(said: Said, items: Sequence[Item], number: int) -> bytes:
    """The log with the first results alone."""
    kept = items[:number]
    names = sorted({item.diagnostic.code for item in kept})
    wrong = {item.diagnostic.code for item in kept if item.is_error}
    notes = []
    if len(items) > len(kept):
        words = (
            f"{len(items) - len(kept):,} further results were left out: GitHub takes at most {MAX_RESULTS:,} of a run"
        )
        words += f" and {MAX_OCTETS:,} octets of a compressed file"
        notes.append({"level": "warning", "message": {"text": words}})
    told = [f"{run.slug}: changed: {change.words}" for run in said.checked.runs for change in run.changes]
    told += [f"{run.slug}: set aside: {one.words}" for run in said.checked.runs for one in run.suppressed]
    if len(told) > MAX_NOTES:
        told[MAX_NOTES:] = [f"{len(told) - MAX_NOTES:,} further changes and messages set aside are not told here"]
    notes += [{"level": "note", "message": {"text": _text(visible(words, MAX_WORDS))}} for words in told]
    invocation: dict[str, Any] = {"executionSuccessful": not said.checked.faults, "exitCode": said.checked.exit_status}
    if notes:
        invocation["toolExecutionNotifications"] = notes
    run = {
        "tool": {
            "driver": {
                "name": "Affidavit",
                "version": __version__,
                "rules": [_rule(name, said.site, name in wrong) for name in names],
            }
        },
        # Of two projects in a repository one would take the other's place under the same category.
        "automationDetails": {"id": (PurePosixPath("affidavit") / said.prefix).as_posix() + "/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [invocation],
        "results": [_result(item, names.index(item.diagnostic.code), said) for item in kept],
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return (json.dumps(log, indent=1, sort_keys=True) + "\n").encode("ascii")


def _rule(name: str, site: str, wrong: bool) -> dict[str, Any]:
    """A code as a rule; ``wrong``: whether a result of it is an error."""
    level = "error" if wrong else "warning"
    code = code_of(name)
    made: dict[str, Any] = {
        "id": name,
        "shortDescription": {"text": code.means[:MAX_TEXT]},
        "fullDescription": {"text": code.means[:MAX_TEXT]},
        "help": {"text": f"{code.means} {code.todo}", "markdown": f"{code.means}\n\n**What to do:** {code.todo}"},
        "defaultConfiguration": {"level": level},
        "properties": {"precision": "very-high", "problem.severity": level},
    }
    if site:
        made["helpUri"] = f"{site}/codes/index.html#{name}"
    return made


def _result(item: Item, rule: int, said: Said) -> dict[str, Any]:
    pos = item.diagnostic.pos
    lines = said.lines.get(pos.file, [])
    line = lines[pos.line - 1] if 0 < pos.line <= len(lines) else ""
    end = max(pos.column + 1, len(line.rstrip()) + 1)
    return {
        "ruleId": item.diagnostic.code,
        "ruleIndex": rule,
        "level": item.diagnostic.severity.value,
        "message": {"text": _text(item.words)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(item.path)},
                    "region": {
                        "startLine": pos.line, "startColumn": pos.column, "endLine": pos.line, "endColumn": end,
                    },
                }
            }
        ],
        **_fixes(item, said),
        "partialFingerprints": {"primaryLocationLineHash": f"{item.fingerprint}:1"},
        "properties": {"report": item.report, "claim": item.diagnostic.claim},
    }  # fmt: skip


def _fixes(item: Item, said: Said) -> dict[str, Any]:
    """What could be written instead, as `fixes` (3.55): none where the message proposes nothing."""
    edits = item.diagnostic.fixes
    if not edits:
        return {}
    files: dict[str, list[dict[str, Any]]] = {}
    for edit in edits:
        line = said.lines.get(edit.pos.file, [""])[edit.pos.line - 1 : edit.pos.line]
        quoted = bool(line) and line[0][edit.pos.column - 1 : edit.pos.column] in ("'", '"')
        start = edit.pos.column + (quoted and not edit.was.startswith(("'", '"')))
        region = {"startLine": edit.pos.line, "startColumn": start,
                  "endLine": edit.pos.line, "endColumn": start + len(edit.was)}  # fmt: skip
        files.setdefault(edit.pos.file, []).append({"deletedRegion": region, "insertedContent": {"text": edit.now}})
    changes = [
        {"artifactLocation": {"uri": _uri(said.path_of(file))}, "replacements": made} for file, made in files.items()
    ]
    return {"fixes": [{"description": {"text": _text(instead(item.diagnostic))}, "artifactChanges": changes}]}


def _text(text: str) -> str:
    """A message's text (3.11): words of the evidence make no embedded link (3.11.6)."""
    return re.sub(r"\](?=\()", r"\\]", text)


def _uri(path: str) -> str:
    """A path as a URI; one that lies outside the repository is no relative one."""
    from urllib.parse import quote

    return ("file://" if path.startswith("/") else "") + quote(path) or "."
