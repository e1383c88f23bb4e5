"""SARIF 2.1.0 (OASIS, errata 01) as GitHub code scanning reads it: messages as results, codes as rules."""

import json
from typing import Any

from affidavit import __version__
from affidavit.report.codes import code_of
from affidavit.report.items import Item, Said

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
        "tool": {"driver": {"name": "Affidavit", "version": __version__, "rules": [_rule(name) for name in names]}},
        "automationDetails": {"id": "affidavit/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [invocation],
        "results": [_result(item, names.index(item.diagnostic.code), said) for item in kept],
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return (json.dumps(log, indent=1, sort_keys=True) + "\n").encode("ascii")


def _rule(name: str) -> dict[str, Any]:
    code = code_of(name)
    return {
        "id": name,
        "shortDescription": {"text": code.means[:MAX_TEXT]},
        "fullDescription": {"text": code.means[:MAX_TEXT]},
        "help": {"text": f"{code.means} {code.todo}", "markdown": f"{code.means}\n\n**What to do:** {code.todo}"},
        "properties": {"precision": "very-high", "problem.severity": "error"},
    }


def _result(item: Item, rule: int, said: Said) -> dict[str, Any]:
    pos = item.diagnostic.pos
    lines = said.texts.get(pos.file, "").splitlines()
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
        "partialFingerprints": {"primaryLocationLineHash": f"{item.fingerprint}:1"},
        "properties": {"report": item.report, "claim": item.diagnostic.claim},
    }  # fmt: skip


def _uri(path: str) -> str:
    from urllib.parse import quote

    return quote(path) or "."
