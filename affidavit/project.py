"""Where things are in a project: its root, its reports, its evidence; and what went wrong with each report."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from affidavit.incident.load import show_path, with_lines
from affidavit.places import find_root
from affidavit.run import How, Run, check_report
from affidavit.settings import Settings, read_settings
from affidavit.types import Diagnostic, InputError, Pos, did_you_mean

NO_REPORTS = (
    "`affidavit new REPORT --from FOLDER` drafts one from a folder of certificates; "
    "`--root FOLDER` names another project"
)


@dataclass(frozen=True)
class Project:
    """A folder with ``reports/`` and ``evidence/`` below it."""

    root: Path

    @classmethod
    def around(cls, start: Path) -> "Project":
        """The project that a folder lies in: the nearest one above it that holds ``reports/``, else itself."""
        return cls(find_root(start))

    @property
    def reports(self) -> Path:
        """The folder of the reports."""
        return self.root / "reports"

    @property
    def evidence(self) -> Path:
        """The folder of the evidence."""
        return self.root / "evidence"

    @property
    def slugs(self) -> list[str]:
        """The names of all reports, sorted."""
        return sorted(path.parent.name for path in self.reports.glob("*/incident.yaml"))

    def incidents(self, named: Sequence[str]) -> list[Path]:
        """The incident files that names, folders or files stand for; all of them where none is named.

        Raises InputError naming what there is.
        """
        if not named:
            if not self.slugs:
                shown = show_path(self.reports, self.root)
                message = "there is no report: no incident.yaml in a folder below"
                raise InputError(Diagnostic(Pos.whole(shown), "no-reports", message, NO_REPORTS))
            return [self.reports / slug / "incident.yaml" for slug in self.slugs]
        found = []
        for name in named:
            given = Path(name)
            places = [given, given / "incident.yaml", self.reports / name / "incident.yaml"]
            path = next((place for place in places if place.is_file()), None)
            if path is None:
                hint = did_you_mean(name.removeprefix("reports/").strip("/"), self.slugs)
                hint = hint if self.slugs else f"there is none at all; {NO_REPORTS}"
                raise InputError(Diagnostic(Pos.whole(name), "unknown-report", "there is no such report", hint))
            found.append(path.resolve())
        return list(dict.fromkeys(found))

    @cached_property
    def settings(self) -> Settings:
        """The project's settings; InputError where they are at fault."""
        return read_settings(self.root)

    def check(self, path: Path, how: How | None = None) -> Run:
        """Check one report; its evidence stands below ``evidence/`` of the project that it belongs to."""
        how = how or How()
        folder = path.resolve().parent
        root = folder.parent.parent if folder.parent.name == "reports" else self.root
        policy = how.policy.over(self.settings.of(folder.name))
        return check_report(path, root / "evidence", self.root, replace(how, policy=policy))


@dataclass(frozen=True)
class Checked:
    """The outcome of checking several reports: those that could be checked, and the faults of the others.

    ``notes``: warnings about no report that was checked, such as one that is no longer there.
    """

    runs: tuple[Run, ...]
    faults: tuple[Diagnostic, ...]
    notes: tuple[Diagnostic, ...] = ()

    @property
    def exit_status(self) -> int:
        """0 all pass; 1 some claim does not; 2 some input is at fault (design.md, section 7)."""
        if self.faults:
            return 2
        return 1 if any(run.fails for run in self.runs) else 0


def check_all(project: Project, named: Sequence[str], how: How | None = None) -> Checked:
    """Check the reports named, or all; one report's fault does not keep the others from being checked."""
    runs: list[Run] = []
    faults: list[Diagnostic] = []
    try:
        _ = project.settings
        paths = project.incidents(named)
    except InputError as error:
        return Checked((), error.diagnostics)
    for path in paths:
        try:
            runs.append(project.check(path, how))
        except InputError as error:
            faults += with_lines(error.diagnostics, path, show_path(path, project.root))
    return Checked(tuple(runs), tuple(sorted(faults, key=Diagnostic.sort_key)))
