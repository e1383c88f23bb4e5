"""The command line: each command parses, calls the library and prints. Exit status 0, 1 or 2.

Nothing but click is imported before a command runs, so that ``--help`` is quick.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from affidavit import __version__
from affidavit.program import INPUT_FAULT

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from affidavit.project import Project
    from affidavit.report.text import Styler
    from affidavit.run import How
    from affidavit.settings import Policy

_TEMPLATES = "A folder whose templates and styles go before the program's own."
_STRICT = "Figures in prose that are tied to no claim are errors."


class _Main(click.Group):
    """A group that names the nearest command where one is unknown."""

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Name the nearest command where one is unknown."""
        name = args[0]
        if self.get_command(ctx, name) is None:
            from affidavit.types import did_you_mean

            hint = did_you_mean(name, self.list_commands(ctx))
            ctx.fail(f"there is no command {name!r}" + (f"; {hint}" if hint else ""))
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Main,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="affidavit")
@click.option(
    "--root",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="The project's folder, with reports/ and evidence/ [default: the one around the working folder].",
)
@click.pass_context
def cli(ctx: click.Context, root: Path | None) -> None:
    """Incident reports whose every stated fact is checked against the certificates.

    Without a command, builds the site: every report below reports/ as HTML and PDF.

    \b
    First steps, in an empty folder:
      affidavit new my-incident --from ~/certificates   drafts a report
      affidavit check                                   says what does not hold
      affidavit explain my-incident CLAIM               shows how one was checked
      affidavit serve                                   shows the page while you write
      affidavit build                                   writes site/

    \b
    Exit status: 0 all reports pass
                 1 some claim does not pass, or the words say what no claim states
                 2 the input or the call is at fault
               130 Ctrl+C ended it

    \b
    Environment: NO_COLOR           set to anything: no colours
                 XDG_CACHE_HOME     where what was read is kept [default: ~/.cache]
                 SOURCE_DATE_EPOCH  the time that a PDF states as its own
    """  # noqa: D301 - click wants the control character itself
    ctx.obj = root
    if ctx.invoked_subcommand is None:
        ctx.invoke(build)


def _project(root: Path | None) -> "Project":
    from affidavit.project import Project

    return Project(root.resolve()) if root else Project.around(Path.cwd())


@contextmanager
def _reading(*, fresh: bool = False, pages: bool = False, policy: "Policy | None" = None) -> "Iterator[How]":
    """How evidence is read by commands: kept between runs, long work told of on standard error."""
    from affidavit.places import cache_folder
    from affidavit.report.progress import Teller
    from affidavit.run import How
    from affidavit.settings import Policy

    folder, teller = cache_folder(), Teller(sys.stderr)
    try:
        yield How(
            pages=pages,
            cache=folder / "evidence" if folder else None,
            fresh=fresh,
            progress=teller,
            policy=policy or Policy(),
        )
    finally:
        teller.close()


def _styler() -> "Styler":
    from affidavit.report.text import Styler

    return Styler(_in_colour())


def _in_colour() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _print_faults(diagnostics: Sequence[Any]) -> None:
    from affidavit.report.text import fault_text

    click.echo(fault_text(diagnostics), nl=False, err=True)


@cli.command(short_help="Build the site: reports as HTML and PDF.")
@click.option(
    "--output",
    "-o",
    type=click.Path(file_okay=False, path_type=Path),
    help="The site's folder [default: site/ in the project's folder].",
)
@click.option("--fresh", is_flag=True, help="Check and render everything anew, also what has not changed.")
@click.option("--templates", type=click.Path(file_okay=False, exists=True, path_type=Path), help=_TEMPLATES)
@click.option("--no-pdf", is_flag=True, help="Leave out the PDFs (quicker).")
@click.option("--strict", is_flag=True, help=_STRICT)
@click.option("--verbose", "-v", is_flag=True, help="List every claim with its verdict.")
@click.option("--quiet", "-q", is_flag=True, help="Say nothing where all passes.")
@click.pass_obj
def build(
    root: Path | None,
    output: Path | None,
    fresh: bool,
    templates: Path | None,
    no_pdf: bool,
    strict: bool,
    verbose: bool,
    quiet: bool,
) -> None:
    """Build the site: every report as HTML and PDF, and the index.

    A report whose claims do not pass is built all the same, shows it, and makes the exit status 1.
    Faulty input leaves the earlier site as it is.

    \b
    Examples:
      affidavit build                      into site/
      affidavit build --no-pdf -o /tmp/s   elsewhere, pages alone
    """  # noqa: D301 - click wants the control character itself
    from affidavit.build import build_site
    from affidavit.report.progress import saying
    from affidavit.report.text import check_text
    from affidavit.settings import Policy

    project = _project(root)
    with _reading(fresh=fresh, pages=True, policy=Policy(strict=strict or None)) as how:
        done = build_site(
            project,
            output or project.root / "site",
            templates=templates,
            fresh=fresh,
            pdf=not no_pdf,
            say=str if quiet else saying(how.progress),
            how=how,
        )
    if not quiet or done.exit_status:
        faulty = done.exit_status == INPUT_FAULT
        if done.checked is not None:
            click.echo(check_text(done.checked, _styler(), verbose=verbose, root=project.root), nl=False, err=faulty)
        click.echo(done.words, err=faulty)
    sys.exit(done.exit_status)


def _format(_: click.Context, __: click.Parameter, stated: tuple[str, ...]) -> list[tuple[str, Path | None]]:
    from affidavit.checking import form

    try:
        return form(stated)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _fail_on(_: click.Context, __: click.Parameter, stated: str | None) -> frozenset[str] | None:
    if stated is None:
        return None
    from affidavit.settings import FAIL_ON
    from affidavit.types import did_you_mean

    words = [word.strip() for word in stated.split(",")]
    for word in words:
        if word not in FAIL_ON:
            raise click.BadParameter(f"{word!r} is nothing to fail on; {did_you_mean(word, FAIL_ON)}")
    return frozenset(words)


def _reports(ctx: click.Context, parameter: click.Parameter, begun: str) -> "list[CompletionItem]":
    from affidavit.completion import reports

    return reports(ctx, parameter, begun)


def _words(_: click.Context, parameter: click.Parameter, begun: str) -> "list[CompletionItem]":
    from affidavit.completion import words

    return words(parameter, begun)


def _claims(ctx: click.Context, parameter: click.Parameter, begun: str) -> "list[CompletionItem]":
    from affidavit.completion import claims

    return claims(ctx, parameter, begun)


@cli.command(short_help="Print what switches on completion in a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what switches on completion of commands, reports and claims.

    \b
    bash  eval "$(affidavit completion bash)"    in ~/.bashrc
    zsh   eval "$(affidavit completion zsh)"     in ~/.zshrc
    fish  affidavit completion fish | source     in ~/.config/fish/config.fish
    """  # noqa: D301 - click wants the control character itself
    from affidavit.completion import script

    click.echo(script(shell), nl=False)


@cli.command(short_help="Print the JSON Schema of incident files, for editors.")
def schema() -> None:
    """Print the JSON Schema of incident files, by which editors complete, explain and check them.

    `new` writes it beside the first report; after an update of the program, write it anew:

    \b
      affidavit schema > affidavit.schema.json
    """  # noqa: D301 - click wants the control character itself
    from affidavit.reference import schema_json

    click.echo(schema_json(), nl=False)


@cli.command(short_help="Check reports: for CI and while writing.")
@click.argument("path", nargs=-1, shell_complete=_reports)
@click.option("--verbose", "-v", is_flag=True, help="List every claim with its verdict.")
@click.option("--quiet", "-q", is_flag=True, help="Say nothing where all passes.")
@click.option("--format", "forms", multiple=True, callback=_format, metavar="NAME[=FILE]", shell_complete=_words,
              help="text, json, sarif, junit, github or gitlab; with a file, into it. May be repeated.")  # fmt: skip
@click.option("--detail", is_flag=True, help="JSON with all that each verdict rests on.")
@click.option("--fresh", is_flag=True, help="Read all evidence anew, also what has not changed.")
@click.option("--strict", is_flag=True, help=_STRICT)
@click.option("--fail-on", metavar="WHAT,...", callback=_fail_on, shell_complete=_words,
              help="Exit with 1 for these alone: refuted, unproven (claims), rules (words, the whole), loose (facts) "
              "[default: refuted,unproven,rules].")  # fmt: skip
@click.option("--suggest", is_flag=True, help="Show as a diff what could be written instead.")
@click.option("--apply", is_flag=True, help="Make the edits that --suggest shows.")
@click.option("--since", metavar="REVISION|FILE",
              help="Hold published figures against an earlier edition: a revision, or a verdicts.json.")  # fmt: skip
@click.option("--baseline", type=click.Path(dir_okay=False, path_type=Path),
              help="Let be what this file lists; only what is new fails.")  # fmt: skip
@click.option("--write-baseline", type=click.Path(dir_okay=False, path_type=Path),
              help="List what is wrong with the words now, for --baseline.")  # fmt: skip
@click.option("--root", "here", type=click.Path(file_okay=False, exists=True, path_type=Path),
              help="The project's folder, as before the command; a hook's `args` come behind it.")  # fmt: skip
@click.pass_obj
def check(root: Path | None, /, path: tuple[str, ...], here: Path | None, **options: Any) -> None:
    """Check reports without rendering them: for CI and while writing.

    PATH is a report's folder, its incident.yaml or its name; all reports where none is given.

    \b
    Examples:
      affidavit check                                  every report
      affidavit check my-incident -v                   every claim of one
      affidavit check --suggest                        what would be right, as a diff
      affidavit check --format text --format sarif=affidavit.sarif
      affidavit check --since origin/main              what a branch changes
    """  # noqa: D301 - click wants the control character itself
    from affidavit.checking import Asked, run_check

    if options["detail"] and all(name != "json" for name, _ in options["forms"]):
        raise click.UsageError("--detail is about JSON: add --format json")
    sys.exit(run_check(here or root, path, Asked(**options, colour=_in_colour()), _reading))


@cli.command(short_help="Show how a claim was checked.")
@click.argument("report", shell_complete=_reports)
@click.argument("claim", required=False, shell_complete=_claims)
@click.option("--rows", default=10, show_default=True, type=click.IntRange(min=0),
              help="How many of the claim's rows to show.")  # fmt: skip
@click.pass_obj
def explain(root: Path | None, report: str, claim: str | None, rows: int) -> None:
    """Show how a claim was checked: stated, observed, query, counter-examples, rows.

    Without CLAIM, lists the report's claims with their verdicts. Exit status 1 where what is shown does not pass.

    \b
    Examples:
      affidavit explain my-incident
      affidavit explain my-incident same-serial --rows 50
    """  # noqa: D301 - click wants the control character itself
    from affidavit.project import check_all
    from affidavit.report.text import claims_text, explain_text
    from affidavit.run import rows_of_claim
    from affidavit.types import Diagnostic, did_you_mean

    with _reading() as how:
        checked = check_all(_project(root), [report], how)
    if checked.faults:
        _print_faults(checked.faults)
        sys.exit(INPUT_FAULT)
    run = checked.runs[0]
    if claim is None:
        click.echo(claims_text(run), nl=False)
        sys.exit(0 if all(verdict.passes for verdict in run.verdicts.values()) else 1)
    if claim not in run.verdicts:
        hint = did_you_mean(claim, run.verdicts)
        pos = run.report.pos("claims", key=True)
        _print_faults([Diagnostic(pos, "unknown-claim", f"there is no claim {claim!r}", hint)])
        sys.exit(INPUT_FAULT)
    click.echo(explain_text(run, claim, rows_of_claim(run, claim, rows), rows), nl=False)
    sys.exit(0 if run.verdicts[claim].passes else 1)


@cli.command(short_help="Show the site while you write; build again on change.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0: any that is free.")
@click.option("--templates", type=click.Path(file_okay=False, exists=True, path_type=Path), help=_TEMPLATES)
@click.pass_obj
def serve(root: Path | None, port: int, templates: Path | None) -> None:
    """Build, serve on this machine alone, and build again on change.

    Pages reload by themselves and show what is wrong; the last good ones stay until it is repaired. PDFs are not
    built, and nothing is written to site/.
    """
    from affidavit.serve import serve as run

    with _reading(pages=True) as how:
        sys.exit(run(_project(root), port, how, templates))


@cli.command(short_help="Draft a report from a folder of evidence.")
@click.argument("slug", metavar="REPORT")
@click.option("--from", "source", type=click.Path(path_type=Path), metavar="FOLDER",
              help="The folder (or file) with the certificates; it is copied to evidence/REPORT.")  # fmt: skip
@click.pass_obj
def new(root: Path | None, slug: str, source: Path | None) -> None:
    """Draft a report from a folder of evidence: what it proves becomes claims.

    Writes reports/REPORT/incident.yaml, which checks clean at once; edit it from there. REPORT is the new report's
    name: small letters, digits and hyphens. Without --from, the draft is made from evidence/REPORT.

    \b
    Example:
      affidavit new my-incident --from ~/certificates
    """  # noqa: D301 - click wants the control character itself
    from affidavit.draft.new import new_report
    from affidavit.types import InputError

    project = _project(root)
    try:
        with _reading() as how:
            made = new_report(project, slug, source, how)
    except InputError as error:
        _print_faults(error.diagnostics)
        sys.exit(INPUT_FAULT)
    except OSError as error:
        click.echo(f"affidavit: {error.filename}: cannot be written: {error.strerror}", err=True)
        sys.exit(INPUT_FAULT)
    from affidavit.shown import agree, visible

    shown = made.incident
    if shown.is_relative_to(Path.cwd()):
        shown = shown.relative_to(Path.cwd())
    click.echo(agree(f"{visible(str(shown))}: {made.claims} claim(s), all verified"))
    for reason in made.left_out:
        click.echo(f"  left out: {visible(reason, 200)}")
    click.echo(
        f"next: edit it, then `affidavit check {slug}`; `affidavit explain {slug} CLAIM` shows how one is checked"
    )


@cli.command(short_help="Show the facts of evidence files.")
@click.argument("file", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True,
              help="For people, or for programs.")  # fmt: skip
def inspect(file: tuple[Path, ...], form: str) -> None:
    """Show the facts of evidence files: certificates, CRLs, and what cannot be read.

    FILE may be `-` for standard input. JSON is one object, table name to list of rows. Exit status 2 where nothing
    at all could be read.

    \b
    Examples:
      affidavit inspect ~/certificates/*.pem
      openssl s_client -connect www.example.com:443 </dev/null | affidavit inspect -
    """  # noqa: D301 - click wants the control character itself
    import json
    from contextlib import nullcontext

    from affidavit.evidence.inspect import as_json, inspect_files, standard_input
    from affidavit.report.text import inspect_text
    from affidavit.types import InputError

    dash = Path("-")
    try:
        with standard_input(sys.stdin.buffer) if dash in file else nullcontext(dash) as came, _reading() as how:
            paths = [came if path == dash else path for path in file]
            tables = inspect_files(paths, progress=how.progress, names={came: "-"})
    except InputError as error:
        _print_faults(error.diagnostics)
        sys.exit(INPUT_FAULT)
    if form == "json":
        click.echo(json.dumps(tables, default=as_json, indent=2, ensure_ascii=True))
    else:
        click.echo(inspect_text(tables), nl=False)
    read = any(rows for name, rows in tables.items() if name not in ("problems", "sources"))
    sys.exit(0 if read else INPUT_FAULT)
