"""The command ``check``: what was asked for, what is said again, what is checked, and in which formats it is told."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from affidavit.program import INPUT_FAULT

if TYPE_CHECKING:
    from affidavit.project import Checked, Project
    from affidavit.run import How

FORMATS = ("text", "json", "sarif", "junit", "github", "gitlab")
Form = tuple[str, Path | None]
"""The name of a format, and the file that it goes to (None: standard output)."""


def form(stated: Sequence[str]) -> list[Form]:
    """The formats of ``NAME[=FILE]``; text where there is none. ValueError says what is wrong."""
    found: list[Form] = []
    for one in stated:
        name, path = [*one.split("=", 1), ""][:2]
        if name not in FORMATS:
            from affidavit.types import did_you_mean

            raise ValueError(f"there is no format {name!r}; {did_you_mean(name, FORMATS)}")
        if "=" in one and not path:
            raise ValueError(f"the format {name!r} has no file behind its =; {name}=FILE, or {name} alone")
        if path and any(str(other) == path for _, other in found):
            raise ValueError(f"two formats cannot go to one file: {path}")
        if not path and any(other is None for _, other in found):
            raise ValueError("only one format can go to the terminal; give the others a file: sarif=FILE")
        found.append((name, Path(path) if path else None))
    return found or [("text", None)]


@dataclass(frozen=True, slots=True)
class Asked:
    """The options of a check."""

    forms: list[Form] = field(default_factory=lambda: [("text", None)])
    verbose: bool = False
    quiet: bool = False
    detail: bool = False
    fresh: bool = False
    strict: bool = False
    fail_on: frozenset[str] | None = None
    suggest: bool = False
    apply: bool = False
    since: str | None = None
    baseline: Path | None = None
    write_baseline: Path | None = None
    colour: bool = False

    @property
    def repeatable(self) -> bool:
        """Whether it does no more than say what it finds: then it can be said again."""
        done = self.since, self.baseline, self.write_baseline
        return not self.apply and all(one is None for one in done) and all(name != "github" for name, _ in self.forms)

    @property
    def settings(self) -> list[str]:
        """Everything about it that its words rest on."""
        words = [f"{name}={file}" for name, file in self.forms]
        terminal = sys.stdout.isatty()
        flags = self.verbose, self.quiet, self.detail, self.strict, self.suggest, self.colour, terminal
        return [*words, str(flags), str(self.fail_on and sorted(self.fail_on)), str(Path.cwd())]


Reading = Callable[..., "AbstractContextManager[How]"]


def run_check(root: Path | None, named: Sequence[str], asked: Asked, reading: Reading) -> int:
    """Check, or say again what the very same check said; the exit status."""
    with _remembered(root, named, asked) as outputs:
        if not outputs.known:
            outputs.status = _check(root, named, asked, outputs.write, reading)
    return outputs.status


class _Outputs:
    """What a check writes, and its exit status."""

    def __init__(self) -> None:
        self.status = INPUT_FAULT
        self.known = False
        self.written: list[tuple[str | None, bytes]] = []

    def write(self, file: Path | None, content: bytes) -> None:
        """Write to a file, or to standard output."""
        if file is not None:
            from affidavit.store import write_file

            write_file(file, content)
        else:
            click.echo(content, nl=False)
        self.written.append((str(file) if file else None, content))


@contextmanager
def _remembered(root: Path | None, named: Sequence[str], asked: Asked) -> Iterator[_Outputs]:
    """Say again what a check of the very same content said; else let it be made, and remember it."""
    from affidavit import reuse
    from affidavit.places import cache_folder, find_root

    outputs, store = _Outputs(), cache_folder()
    place = root.resolve() if root else find_root(Path.cwd())
    key = reuse.call_key(place, named, asked.settings, store) if store and asked.repeatable else None
    if not asked.fresh and store and key and (known := reuse.kept(store, key)):
        outputs.known = True
        try:
            for name, content in known.outputs:
                outputs.write(Path(name) if name else None, content)
            outputs.status = known.status
        except OSError as error:
            outputs.status = _not_written(error)
        yield outputs
        return
    yield outputs
    # What was read may have changed meanwhile; then nobody knows which of the two was judged.
    if store and key and key == reuse.call_key(place, named, asked.settings, store):
        reuse.keep(store, key, reuse.Outcome(outputs.status, tuple(outputs.written)))


def _not_written(error: OSError) -> int:
    if isinstance(error, BrokenPipeError):
        raise error  # who read what is printed went away: nothing is at fault
    place = error.filename or "the output"
    click.echo(f"affidavit: {place}: cannot be written: {error.strerror}", err=True)
    return INPUT_FAULT


def _check(
    root: Path | None,
    path: Sequence[str],
    asked: Asked,
    write: Callable[[Path | None, bytes], None],
    reading: Reading,
) -> int:
    from affidavit.project import Checked, Project, check_all
    from affidavit.settings import Policy
    from affidavit.types import AffidavitError

    project = Project(root.resolve()) if root else Project.around(Path.cwd())

    def all_of_it() -> "Checked":
        earlier, named = None, path
        if asked.since is not None:
            from affidavit.report.since import Since

            earlier = Since(project, asked.since)
            named = path or earlier.touched()
        if earlier is not None and not named:
            checked = Checked((), ())
        else:
            with reading(fresh=asked.fresh, policy=Policy(asked.strict or None, asked.fail_on)) as how:
                checked = check_all(project, named, how)
        if earlier is not None:
            checked = earlier.held_against(checked)
            if checked == Checked((), ()):
                click.echo(f"no report differs from {asked.since}", err=True)
        return _without_known(project, checked, asked)

    try:
        try:
            checked = all_of_it()
        except AffidavitError as error:
            # It is told in every format: a host that finds no file takes the last one, or takes it for none.
            checked = Checked((), error.diagnostics)
        for name, file in asked.forms:
            content = _told(checked, name, file, project, asked)
            if not (asked.quiet and name == "text" and file is None and checked.exit_status == 0):
                write(file, content)
        if asked.suggest or asked.apply:
            _suggested(project, checked, asked, write)
    except OSError as error:
        return _not_written(error)
    return checked.exit_status


def _without_known(project: "Project", checked: "Checked", asked: Asked) -> "Checked":
    """The check without what baselines know: the one named, or the reports' own."""
    own = {run.slug: name for run in checked.runs if (name := project.settings.of(run.slug).baseline)}
    if not (own or asked.baseline or asked.write_baseline):
        return checked
    from affidavit.report import baseline as baselines

    if asked.write_baseline:
        number = baselines.write(asked.write_baseline, checked)
        click.echo(f"{asked.write_baseline}: {number:,} messages", err=True)
    if listed := asked.baseline or asked.write_baseline:
        return baselines.apply(checked, baselines.read(listed), listed)
    for name in sorted(set(own.values())):
        slugs = {slug for slug, other in own.items() if other == name}
        file = project.root / name
        checked = baselines.apply(checked, baselines.read(file, name), Path(name), slugs)
    return checked


def _site(project: "Project") -> str:
    from affidavit.types import InputError

    try:
        return project.settings.site_url
    except InputError:  # it is told as a fault already
        return ""


def _told(checked: "Checked", name: str, file: Path | None, project: "Project", asked: Asked) -> bytes:
    """A check's outcome in one format."""
    if name == "text":
        from affidavit.report.text import Styler, check_text

        style = Styler(asked.colour and file is None)
        return check_text(checked, style, verbose=asked.verbose, root=project.root).encode("utf-8", "replace")
    from affidavit.report import hosts
    from affidavit.report.formats import FORMATS, as_json
    from affidavit.report.items import said

    spoken = said(checked, project.root, _site(project))
    if name == "github" and (place := os.environ.get("GITHUB_STEP_SUMMARY")):
        with Path(place).open("ab") as stream:
            stream.write(hosts.summary(spoken, stream.tell()))
    return as_json(spoken, whole=True) if name == "json" and asked.detail else FORMATS[name](spoken)


def _suggested(
    project: "Project", checked: "Checked", asked: Asked, write: Callable[[Path | None, bytes], None]
) -> None:
    """Show what could be written instead, and write it if that was asked for.

    The diff goes to standard output only where nothing for a machine goes there.
    """
    from affidavit.report.suggest import make, suggestions
    from affidavit.shown import agree, visible

    edited = suggestions(project, checked)
    diff = "".join(one.diff for one in edited)
    aside = any(file is None and name != "text" for name, file in asked.forms)
    if (sys.stderr if aside else sys.stdout).isatty():  # a program gets it as it has to be applied, people made safe
        diff = "\n".join(visible(line, 10_000) for line in diff.replace("\r\n", "\n").split("\n"))
    if aside:
        click.echo(diff.encode(), nl=False, err=True)
    else:
        write(None, diff.encode())
    if asked.apply:
        make(edited)
    words = "made" if asked.apply else "proposed; --apply makes them"
    for one in edited:
        click.echo(agree(f"{visible(one.shown)}: {one.edits} edit(s) {words}"), err=True)
    if not edited:
        click.echo("nothing can be proposed", err=True)
    elif asked.apply:
        click.echo("read them, then check again: they change what the report states", err=True)
    sys.stderr.flush()
