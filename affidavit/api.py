"""The program for other programs, and for notebooks: load, check, render (docs/api.md).

    from affidavit import api

    run = api.check("wosign-2016", pages=True)
    run.passes, run.verdicts["english-serial"].outcome
    run.facts.tables["certificates"].to_pandas()
    api.html(run)

What these functions return is frozen. Wrong input raises `InputError`, whose ``diagnostics`` say where (file, line,
column), what and what to do; nothing ends the process, and nothing is written but the cache of evidence read.
"""

from os import PathLike, fspath
from pathlib import Path
from typing import Any

from affidavit.evidence.corpus import Wanted
from affidavit.incident.load import Report
from affidavit.incident.load import load as _load
from affidavit.places import cache_folder
from affidavit.project import Project
from affidavit.run import How, Run, check_report, rows_of_claim
from affidavit.settings import Policy
from affidavit.types import (
    AffidavitError,
    Diagnostic,
    Finding,
    InputError,
    LimitReached,
    Outcome,
    Pos,
    Position,
    Severity,
    Tally,
    Verdict,
)

__all__ = [
    "AffidavitError", "Diagnostic", "Finding", "InputError", "LimitReached", "Outcome", "Pos", "Position", "Report",
    "Run", "Severity", "Tally", "Verdict", "check", "html", "load", "pdf", "rows", "verdicts",
]  # fmt: skip


def _place(report: str | PathLike[str]) -> tuple[Path, Path]:
    """The incident file, and the project's folder: two above the report's own, which holds ``evidence/``, too."""
    (path,) = Project.around(Path.cwd()).incidents([fspath(report)])
    parents = path.parents
    return path, parents[2] if len(parents) > 2 and parents[1].name == "reports" else Project.around(path.parent).root


def load(report: str | PathLike[str]) -> Report:
    """A report's incident file, typed and located; no evidence is read.

    ``report``: its folder (``reports/<slug>``), the incident file itself, or its name in the project around the
    working folder. Raises InputError with all that is wrong with it.
    """
    path, root = _place(report)
    return _load(path, root / "evidence", root)


def check(report: str | PathLike[str], *, strict: bool = False, fresh: bool = False, pages: bool = False) -> Run:
    """A report with the verdict on each claim, the facts tables, and the messages for people.

    ``report``: as for `load`. ``strict``: figures in prose that are tied to no claim are errors; ``fresh``: evidence
    is read anew even where it has not changed; ``pages``: all columns that pages show are read, which `html` and
    `pdf` need. Raises InputError where the input is at fault; a claim that does not hold is no error but a verdict.
    """
    path, root = _place(report)
    folder = cache_folder()
    policy = Project(root).settings.of(path.parent.name)
    policy = Policy(strict=strict or None).over(policy)
    how = How(pages=pages, cache=folder / "evidence" if folder else None, fresh=fresh, policy=policy)
    return check_report(path, root / "evidence", root, how)


def rows(run: Run, claim: str, limit: int = 10) -> list[dict[str, Any]]:
    """The first rows of the facts tables that a claim is about, a dictionary of column to value each.

    Times are UTC without a zone, hashes lower-case hex, serial numbers upper-case hex (docs/tables.md). Empty for an
    unchecked claim. Raises KeyError for a claim that there is not, LimitReached where it takes too long.
    """
    if claim not in run.claims:
        raise KeyError(claim)
    return rows_of_claim(run, claim, limit)


def verdicts(run: Run) -> bytes:
    """The verdicts as JSON, as `verdicts.json` of the site holds them (docs/verdicts.md)."""
    from affidavit.render.data import verdicts_json

    return verdicts_json(run)


def html(run: Run) -> str:
    """A checked report's page as HTML. Raises ValueError for a run that was made without ``pages=True``."""
    from affidavit.render.pages import render_report

    return render_report(_whole(run))


def pdf(run: Run) -> bytes:
    """A checked report as PDF/A-3 with its data attached. Raises ValueError for a run made without ``pages=True``."""
    from affidavit.render.pages import render_report
    from affidavit.render.pdf import report_pdf
    from affidavit.resources import templates_dir

    return report_pdf(run, render_report(_whole(run), "print"), [templates_dir()], {}).data


def _whole(run: Run) -> Run:
    """The run; columns that were not read would stand on a page as if the certificates lacked them."""
    if run.facts.wanted | Wanted.everything() != run.facts.wanted:
        raise ValueError("the run was made without what pages show; check the report with pages=True")
    return run
