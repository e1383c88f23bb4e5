"""SARIF 2.1.0 (OASIS, errata 01) as GitHub code scanning reads it: messages as results, codes as rules."""

import json
from typing import Any

from affidavit import __version__
from affidavit.report.codes import code_of
from affidavit.report.items import Item, Said
from affidavit.report.suggest import instead

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
MAX_RESULTS = 5000
"""GitHub keeps so many of a run and drops the rest unsaid."""
MAX_TEXT = 1000


def sarif(said: Said) -> bytes:
    """A log of one run. Results are errors first, by place; what is cut is told in a notification."""
    items = sorted(said.items, key=lambda item: (not item.is_error, item.diagnostic.sort_key()))
    kept = items[:MAX_RESULTS]
    names = sorted({item.diagnostic.code for item in kept})
    notes = []
    if len(items) > len(kept):
        words = f"{len(items) - len(kept):,} further results were left out: at most {MAX_RESULTS:,} are shown"
        notes.append({"level": "warning", "message": {"text": words}})
    invocation: dict[str, Any] = {"executionSuccessful": not said.checked.faults, "exitCode": said.checked.exit_status}
    if notes:
        invocation["toolExecutionNotifications"] = notes
    run = {
        "tool": {
            "driver": {"name": "Affidavit", "version": __version__, "rules": [_rule(name, said.site) for name in names]}
        },
        "automationDetails": {"id": "affidavit/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [invocation],
        "results": [_result(item, names.index(item.diagnostic.code), said) for item in kept],
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return (json.dumps(log, indent=1, sort_keys=True) + "\n").encode("ascii")


def _rule(name: str, site: str) -> dict[str, Any]:
    code = code_of(name)
    made: dict[str, Any] = {
        "id": name,
        "shortDescription": {"text": code.means[:MAX_TEXT]},
        "fullDescription": {"text": code.means[:MAX_TEXT]},
        "help": {"text": f"{code.means} {code.todo}", "markdown": f"{code.means}\n\n**What to do:** {code.todo}"},
        "properties": {"precision": "very-high", "problem.severity": "error"},
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
        "message": {"text": item.words},
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
        region = {"startLine": edit.pos.line, "startColumn": start, "endColumn": start + len(edit.was)}
        files.setdefault(edit.pos.file, []).append({"deletedRegion": region, "insertedContent": {"text": edit.now}})
    changes = [
        {"artifactLocation": {"uri": _uri(said.path_of(file))}, "replacements": made} for file, made in files.items()
    ]
    return {"fixes": [{"description": {"text": instead(item.diagnostic)}, "artifactChanges": changes}]}


def _uri(path: str) -> str:
    from urllib.parse import quote

    return quote(path) or "."
