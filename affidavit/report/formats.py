"""The formats of ``check --format``: each a function of what a check has to say to bytes."""

from collections.abc import Callable
from dataclasses import asdict

from affidavit.laidout import laid_out
from affidavit.report import hosts
from affidavit.report.items import Said
from affidavit.report.junit import junit
from affidavit.report.sarif import sarif

BRIEF = ("id", "says", "outcome", "stands", "passes", "code", "place", "findings", "counts", "basis")
"""What of a claim stands in JSON unless all of it is asked for."""
LEVELS = 4
"""A claim stands on one line: below the whole, its reports, a report and its claims."""


def as_json(said: Said, *, whole: bool = False) -> bytes:
    """One object: whether all passes, each report with its verdicts (docs/verdicts.md), the faults of the input.

    Besides, `changes` of each report and `notes` on those that are gone, where it is held against an earlier edition.

    ``whole``: with the certificates, queries and examples behind each claim, as in ``verdicts.json``.
    """
    from affidavit.render.data import verdicts

    reports = []
    for run in said.checked.runs:
        made = verdicts(run, whole=whole)
        if not whole:
            made["claims"] = [{name: claim[name] for name in BRIEF if name in claim} for claim in made["claims"]]
            made.pop("evidence", None)
        made["changes"] = [asdict(change) for change in run.changes]
        reports.append(made)
    faults, notes = ([
        {"code": f.code, "message": f.message, "hint": f.hint, "severity": f.severity.value,
         "place": {"file": f.pos.file, "line": f.pos.line, "column": f.pos.column}}
        for f in found
    ] for found in (said.checked.faults, said.checked.notes))  # fmt: skip
    status = said.checked.exit_status
    content = {
        "exit_status": status,
        "passes": not faults and all(run.passes for run in said.checked.runs),
        "reports": reports,
        "faults": faults,
        "notes": notes,
    }
    return laid_out(content, LEVELS)


FORMATS: dict[str, Callable[[Said], bytes]] = {
    "json": as_json,
    "sarif": sarif,
    "junit": junit,
    "github": hosts.github,
    "gitlab": hosts.gitlab,
}
"""By name; ``text``, for the terminal, stands in `affidavit.report.text`."""
