"""``check --since``: the reports that differ from an earlier edition, and what changed in what they state."""

from dataclasses import replace
from pathlib import Path

from affidavit.check.corrections import Edition, changes, edition_of, explained
from affidavit.editions import Revision, since_file
from affidavit.project import Checked, Project
from affidavit.run import Run
from affidavit.types import Diagnostic, InputError, Pos, Severity


class Since:
    """An earlier edition, named by a file or by a git revision. InputError where there is none."""

    def __init__(self, project: Project, name: str) -> None:
        self._project, self._name = project, name
        self._editions: dict[str, Edition] | None = None
        self._revision: Revision | None = None
        if Path(name).is_file():
            self._editions = since_file(Path(name))
        else:
            self._revision = Revision(project, name)

    def touched(self) -> tuple[str, ...]:
        """The reports to be looked at: those that a revision differs from, or that a file is about."""
        named = self._revision.touched() if self._revision else list(self._editions or ())
        return tuple(name for name in named if name in self._project.slugs)

    def held_against(self, checked: Checked) -> Checked:
        """The check with what changed in each report, errors for changes that nothing explains, and what is gone."""
        runs: list[Run] = []
        faults: list[Diagnostic] = []
        for run in checked.runs:
            try:
                before = self._edition(run)
            except InputError as error:
                # The earlier edition's own places stand in no file of this one.
                faults += [replace(d, pos=run.report.pos(), message=f"{d.pos}: {d.message}", fixes=())
                           for d in error.diagnostics]  # fmt: skip
                continue
            if before is None:
                runs.append(run)
                continue
            found = changes(before, edition_of(run.report, run.claims))
            more = [*run.diagnostics, *explained(run.report, before, found)]
            runs.append(replace(run, changes=tuple(found), diagnostics=tuple(sorted(more, key=Diagnostic.sort_key))))
        return replace(
            checked, runs=tuple(runs), faults=(*checked.faults, *faults), notes=(*checked.notes, *self._gone())
        )

    def _gone(self) -> list[Diagnostic]:
        """Warnings about reports that the earlier edition has, and that are no longer there: nobody checks them."""
        if self._revision is not None:
            names = self._revision.gone(self._project.slugs)
        else:
            names = sorted(set(self._editions or ()) - set(self._project.slugs))
        hint = "a published report stays, and tells what was withdrawn; was it renamed, compare it by its new name"
        return [
            Diagnostic(Pos(f"reports/{name}/incident.yaml"), "report-gone",
                       f"the report {name!r} of {self._name} is no longer there, and nothing of it was compared", hint,
                       Severity.WARNING)
            for name in names
        ]  # fmt: skip

    def _edition(self, run: Run) -> Edition | None:
        if self._revision is not None:
            return self._revision.edition(run.report)
        return (self._editions or {}).get(run.slug)
