"""The site built: every report's pages, PDF and data, written whole or not at all.

A report whose inputs have not changed is taken over from the earlier site, if that still is what was
written then. Input at fault, or a document that cannot be rendered, leaves the earlier site as it is.
"""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from affidavit.clock import today
from affidavit.incident.load import show_path
from affidavit.inputs import program_digest, report_key, tree_digest
from affidavit.places import cache_folder
from affidavit.project import Checked, Project, check_all
from affidavit.resources import templates_dir
from affidavit.run import How, Run
from affidavit.settings import Policy
from affidavit.shown import agree
from affidavit.store import replacing_folder, write_file
from affidavit.types import AffidavitError, Diagnostic, InputError, Pos, Severity

MARK = ".affidavit-site"
"""A file in the site's folder that says whose it is: no other folder is ever replaced."""

FAULT = 2


@dataclass(frozen=True)
class Built:
    """The outcome of a build; ``checked`` is None where nothing had changed and nothing was checked anew."""

    checked: Checked | None
    exit_status: int
    words: str


def build_site(
    project: Project,
    output: Path,
    *,
    templates: Path | None = None,
    fresh: bool = False,
    pdf: bool = True,
    say: Callable[[str], Any] = str,
    environ: Mapping[str, str] = os.environ,
    how: How | None = None,
    known: dict[str, tuple[str, Run]] | None = None,
) -> Built:
    """Check and render every report of a project into ``output``; never raises for bad input.

    ``known``: runs of an earlier build in this process, by report, each with the key of its inputs; those whose key
    is the same are taken over, and the new ones put in.
    """
    folders = [folder for folder in (templates, templates_dir()) if folder is not None]
    output = output.resolve()
    folder = cache_folder(environ)
    name = hashlib.sha256(f"{project.root.resolve()}\n{output}".encode()).hexdigest()[:24]
    state_file = folder / "builds" / f"{name}.json" if folder else None
    try:
        _refuse_foreign(output)
        try:
            keys = _keys(project, folders, pdf, environ, how)
        except OSError as error:
            place = Pos.whole(show_path(Path(error.filename or project.root), project.root))
            raise InputError(Diagnostic(place, "file-unreadable", f"cannot be read: {error.strerror}")) from None
        state = {} if fresh or state_file is None else _state(state_file, output)
        if state and state["keys"] == keys and not state["words"] and _intact(output, state["files"], keys):
            return Built(None, 0, f"nothing has changed since the last build of {_shown(output, project)}")
        earlier = {slug: run for slug, (_, run) in (known or {}).items()}
        checked = _checked(project, keys, how, known)
        if checked.faults:
            return Built(checked, FAULT, f"nothing was built; {_shown(output, project)} is as it was")
        reusable = {
            slug
            for slug, key in keys.items()
            if state and state["keys"].get(slug) == key and _intact(output, state["files"], [slug])
        }
        same = {
            run.slug
            for run in checked.runs
            if run.slug in earlier and _certificates_key(run, folders) == _certificates_key(earlier[run.slug], folders)
        }
        warnings = _write(checked.runs, output, folders, reusable, pdf, say, environ, same)
    except AffidavitError as error:
        faults = Checked((), tuple(sorted(error.diagnostics, key=Diagnostic.sort_key)))
        return Built(faults, FAULT, f"nothing was built; {_shown(output, project)} is as it was")
    except OSError as error:
        place = Pos.whole(_shown(output, project))  # not what it was to be called until it is whole
        fault = Diagnostic(place, "not-written", f"cannot be written: {error.strerror}")
        return Built(Checked((), (fault,)), FAULT, "nothing was built")
    told = [str(d.pos) for run in checked.runs for d in run.diagnostics] + [str(w.pos) for w in warnings]
    files = {name: tree_digest([output / name]) for name in ("", *keys)}
    content = {"output": str(output), "keys": keys, "files": files, "words": told}
    if state_file is not None:
        with contextlib.suppress(OSError):  # the site stands; only the next build takes longer
            write_file(state_file, (json.dumps(content, indent=1, sort_keys=True) + "\n").encode())
    whole = tuple(
        _with_warnings(run, [w for w in warnings if w.pos.file.startswith(f"{run.slug}/")]) for run in checked.runs
    )
    shown = Checked(whole, checked.faults)
    return Built(shown, shown.exit_status, agree(f"built {len(checked.runs)} report(s) into {_shown(output, project)}"))


def _checked(
    project: Project, keys: Mapping[str, str], how: How | None, known: dict[str, tuple[str, Run]] | None
) -> Checked:
    """The check of all reports; of those that are known only where something has changed."""
    if known is None or not keys:
        return check_all(project, (), how)
    changed = [slug for slug, key in keys.items() if slug not in known or known[slug][0] != key]
    checked = check_all(project, changed, how) if changed else Checked((), ())
    if checked.faults:
        return checked
    known.update({run.slug: (keys[run.slug], run) for run in checked.runs})
    return Checked(tuple(known[slug][1] for slug in keys), ())


def _certificates_key(run: Run, templates: Sequence[Path]) -> str:
    """A hash of all that the pages of a report's certificates are made from; words of the narrative are not."""
    from affidavit.render.view import heading, note

    incident = run.report.incident
    claims = {
        name: (incident.claims[name].says, verdict.outcome, verdict.passes, verdict.sample)
        for name, verdict in run.verdicts.items()
    }
    files = sorted((file.name, file.sha256) for file in run.facts.files)
    evidence = incident.model_dump_json(include={"evidence", "trust", "ct_logs", "timezone"})
    parts = (heading(run), note(run, "../../index.html"), claims, files, evidence, tree_digest(templates), run.version)
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _with_warnings(run: Run, warnings: Sequence[Diagnostic]) -> Run:
    if not warnings:
        return run
    every = sorted([*run.diagnostics, *warnings], key=Diagnostic.sort_key)
    return replace(run, diagnostics=tuple(every))


def _shown(path: Path, project: Project) -> str:
    try:
        return path.relative_to(project.root).as_posix() + "/"
    except ValueError:
        return path.as_posix()


def _refuse_foreign(output: Path) -> None:
    """The output is replaced as a whole, so it must be a site that we wrote, empty, or not there."""
    if not output.exists():
        return
    if not output.is_dir() or (any(output.iterdir()) and not (output / MARK).is_file()):
        raise InputError(
            Diagnostic(
                Pos.whole(output.as_posix()),
                "not-a-site",
                "the output folder holds something that no build wrote, and building would replace it",
                "name an empty or new folder with --output",
            )
        )


def _keys(
    project: Project, templates: Sequence[Path], pdf: bool, environ: Mapping[str, str], how: How | None
) -> dict[str, str]:
    settings = {
        "pdf": str(pdf),
        "epoch": environ.get("SOURCE_DATE_EPOCH", ""),
        "fonts": _fonts() if pdf else "",
    }
    policy = how.policy if how else Policy()

    def more(slug: str) -> dict[str, str]:
        fails_on = policy.over(project.settings.of(slug)).fails_on
        # A suppression runs out with the day.
        dated = b"suppress" in (project.reports / slug / "incident.yaml").read_bytes()
        return {"fails on": str(sorted(fails_on)), "today": today().isoformat() if dated else ""}

    return {
        slug: report_key(project.reports / slug, project.evidence / slug, templates, settings | more(slug))
        for slug in project.slugs
    }


def _fonts() -> str:
    """A hash of the installed fonts' names: other fonts make another PDF."""
    try:
        listed = subprocess.run(["fc-list"], capture_output=True, check=False, timeout=60).stdout
    except (OSError, subprocess.TimeoutExpired):
        listed = b""
    return hashlib.sha256(b"\n".join(sorted(listed.splitlines()))).hexdigest()


def _state(path: Path, output: Path) -> dict[str, Any]:
    """What the last build into this folder left; empty if there was none or it cannot be understood."""
    try:
        state = json.loads(path.read_text("utf-8"))
        if state["output"] == str(output) and isinstance(state["keys"], dict) and isinstance(state["files"], dict):
            return dict(state)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return {}


def _intact(output: Path, files: Mapping[str, str], slugs: Sequence[str] | Mapping[str, str]) -> bool:
    """Whether the site, or some reports' folders in it, still are what was written."""
    names = [""] if isinstance(slugs, Mapping) else list(slugs)
    return all(files.get(name) == tree_digest([output / name]) for name in names)


def _write(
    runs: Sequence[Run],
    output: Path,
    templates: Sequence[Path],
    reusable: set[str],
    pdf: bool,
    say: Callable[[str], Any],
    environ: Mapping[str, str],
    same_certificates: Container[str] = (),
) -> list[Diagnostic]:
    from affidavit.render.data import certificates_csv, facts_parquet, verdicts_json
    from affidavit.render.pages import render_report, report_pages, site_pages

    warnings: list[Diagnostic] = []
    with replacing_folder(output) as new:

        def put(name: str, content: bytes) -> None:
            path = new / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

        put(
            MARK,
            f"written by affidavit; replaced as a whole by the next build ({program_digest()[:12]})\n".encode(),
        )
        for name, content in site_pages(runs, templates):
            put(name, content)
        for run in runs:
            if run.slug in reusable:
                say(f"{run.slug}: unchanged")
                shutil.copytree(output / run.slug, new / run.slug)
                continue
            say(f"{run.slug}: writing pages")
            folder = output / run.slug / "certificates"
            if run.slug in same_certificates and folder.is_dir():
                shutil.copytree(folder, new / run.slug / "certificates", copy_function=_linked)
                put(f"{run.slug}/index.html", render_report(run, "screen", templates, pdf=pdf).encode())
            else:
                for name, content in report_pages(run, templates, pdf=pdf):
                    put(name, content)
            put(f"{run.slug}/verdicts.json", verdicts_json(run))
            put(f"{run.slug}/certificates.csv", certificates_csv(run))
            put(f"{run.slug}/incident.yaml", run.report.text.encode())
            for name, content in facts_parquet(run):
                put(f"{run.slug}/facts/{name}", content)
            if pdf:
                say(f"{run.slug}: writing the PDF")
                warnings += _pdf(run, templates, environ, put)
    return warnings


def _linked(source: str, target: str) -> str:
    """A second name for a file, which is never changed in place; a copy where the file system has no such thing."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target


def _pdf(
    run: Run, templates: Sequence[Path], environ: Mapping[str, str], put: Callable[[str, bytes], None]
) -> list[Diagnostic]:
    from affidavit.render.pages import render_report
    from affidavit.render.pdf import report_pdf

    made = report_pdf(run, render_report(run, "print", templates), list(templates), environ)
    put(f"{run.slug}/report.pdf", made.data)
    return [w for w in made.warnings if w.severity is Severity.WARNING]
