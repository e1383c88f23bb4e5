"""The program for other programs, and for notebooks: load, check, render.

    from affidavit import api

    run = api.check("reports/wosign-2016")
    run.passes, run.verdicts["same-serial"].outcome
    run.facts.tables["certificates"].to_pandas()
    api.html(run)

What these functions return is frozen. Wrong input raises ``affidavit.types.InputError``, whose ``diagnostics`` say
where (file, line, column), what and what to do; nothing is written anywhere but the cache of evidence read.
"""

from os import PathLike
from pathlib import Path

from affidavit.incident.load import Report
from affidavit.incident.load import load as _load
from affidavit.places import cache_folder
from affidavit.project import Project
from affidavit.run import How, Run, check_report
from affidavit.settings import Policy
from affidavit.types import AffidavitError, Diagnostic, Finding, InputError, Outcome, Verdict

__all__ = [
    "AffidavitError", "Diagnostic", "Finding", "InputError", "Outcome", "Report", "Run", "Verdict", "check", "html",
    "load", "pdf",
]  # fmt: skip


def _place(report: str | PathLike[str]) -> tuple[Path, Path]:
    """The incident file, and the project's folder: two above the report's own, which holds ``evidence/``, too."""
    path = Path(report)
    if path.name != "incident.yaml":
        path = path / "incident.yaml"
    path = path.resolve()
    parents = path.parents
    return path, parents[2] if len(parents) > 2 and parents[1].name == "reports" else Project.around(path.parent).root


def load(report: str | PathLike[str]) -> Report:
    """A report's incident file, typed and located.

    ``report``: its folder (``reports/<slug>``), or the file itself. InputError with all that is wrong with it.
    """
    path, root = _place(report)
    return _load(path, root / "evidence", root)


def check(report: str | PathLike[str], *, strict: bool = False, fresh: bool = False, pages: bool = False) -> Run:
    """A report with the verdict on each claim, the facts tables, and the messages for people.

    ``strict``: figures in prose that are tied to no claim are errors; ``fresh``: evidence is read anew even where it
    has not changed; ``pages``: all columns that pages show are read, which `html` and `pdf` need. InputError.
    """
    path, root = _place(report)
    folder = cache_folder()
    policy = Project(root).settings.of(path.parent.name)
    policy = Policy(strict=strict or None).over(policy)
    how = How(pages=pages, cache=folder / "evidence" if folder else None, fresh=fresh, policy=policy)
    return check_report(path, root / "evidence", root, how)


def html(run: Run) -> str:
    """A checked report's page, of a run that was made with ``pages=True``."""
    from affidavit.render.pages import render_report

    return render_report(run)


def pdf(run: Run) -> bytes:
    """A checked report as PDF/A-3 with its data attached, of a run that was made with ``pages=True``."""
    from affidavit.render.pages import render_report
    from affidavit.render.pdf import report_pdf
    from affidavit.resources import templates_dir

    return report_pdf(run, render_report(run, "print"), [templates_dir()], {}).data
