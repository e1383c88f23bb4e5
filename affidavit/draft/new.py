"""The command ``new``: a folder of evidence to a report that checks clean, written whole or not at all."""

import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from affidavit.draft.observe import Draft, Plain, drafts
from affidavit.evidence.corpus import Wanted
from affidavit.evidence.extract import extract
from affidavit.evidence.facts import Facts
from affidavit.incident.editors import json_schema
from affidavit.incident.load import load, show_path
from affidavit.project import Project
from affidavit.run import How, Run, check_report
from affidavit.store import write_file
from affidavit.types import Diagnostic, InputError, Outcome, Pos

MAX_FILES = 10_000
MAX_ROOTS = 20
NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
COLLECTION = "evidence"
SCHEMA = "affidavit.schema.json"
_TRUST = {
    "mozilla": "# Every certificate leads to a root that Mozilla's programme trusts.",
    "none": "# Signatures are not checked: not all of them lead to Mozilla's roots, or to a root among these files.\n"
    "# To have that checked, name the roots' files here, [trust/root.pem] say, or write mozilla.",
}


@dataclass(frozen=True)
class Made:
    """What ``new`` wrote: the incident file, how many claims it has, and what was left out and why."""

    incident: Path
    claims: int
    left_out: tuple[str, ...]


def new_report(project: Project, slug: str, source: Path | None, how: How) -> Made:
    """Draft ``reports/<slug>`` from a folder; InputError says what is in the way. Existing files are never changed.

    ``source``, a folder or a single file, is copied to ``evidence/<slug>``; without it that folder is taken as it is.
    """
    report, evidence = project.reports / slug, project.evidence / slug
    if not NAME.fullmatch(slug):
        hint = f"for instance {re.sub('[^a-z0-9]+', '-', slug.lower()).strip('-') or 'my-incident'!r}"
        raise _error(slug, "bad-name", "a report's name has small letters, digits and hyphens", hint)
    if (report / "incident.yaml").exists():
        raise _error(report, "report-exists", "the report is there already", "choose another name, or edit it")
    copied = source is not None and source.resolve() != evidence.resolve()
    if copied and evidence.exists() and any(evidence.iterdir()):
        raise _error(evidence, "report-exists", "there is evidence of that name already",
                     f"leave out --from to draft from it: affidavit new {slug}")  # fmt: skip
    if source is None and not evidence.is_dir():
        raise _error(evidence, "no-evidence-folder", "there is no folder of evidence to draft from",
                     f"name one: affidavit new {slug} --from FOLDER")  # fmt: skip
    project.root.mkdir(parents=True, exist_ok=True)
    try:
        place = tempfile.TemporaryDirectory(dir=project.root, prefix=".new-")
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(project.root)) from None
    with place as name:
        work = Path(name)
        folder = work / "evidence" / slug
        if copied:
            _copy(source, folder)  # type: ignore[arg-type]
        made, kept, left_out = _draft(work, slug, folder.parent if copied else project.evidence, how)
        if copied:
            project.evidence.mkdir(exist_ok=True)
            if evidence.is_dir():
                evidence.rmdir()
            folder.rename(evidence)
        report.mkdir(parents=True, exist_ok=True)
        made.rename(report / "incident.yaml")
    schema = project.root / SCHEMA
    if not schema.exists():  # the incident file's first line names it for editors
        write_file(schema, (json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n").encode())
    return Made(report / "incident.yaml", kept, tuple(left_out))


def _error(place: Path | str, code: str, message: str, hint: str) -> InputError:
    shown = show_path(place) if isinstance(place, Path) else place
    return InputError(Diagnostic(Pos.whole(shown), code, message, hint))


def _files(source: Path) -> Iterator[Path]:
    for path in sorted(source.rglob("*")):
        inner = path.relative_to(source)
        if any(part.startswith(".") for part in inner.parts) or path.is_symlink() or not path.is_file():
            continue
        yield inner


def _copy(source: Path, target: Path) -> None:
    if source.is_file():  # an archive, or certificates one after another
        listed, source = [Path(source.name)], source.parent
    elif source.is_dir():
        listed = list(_files(source))
    else:
        raise _error(source, "no-evidence-folder", "there is no such folder", "name the folder with the certificates")
    if not listed:
        raise _error(source, "no-files", "the folder holds no file", "hidden files and links are passed over")
    if len(listed) > MAX_FILES:
        raise _error(source, "too-many-files", f"{len(listed):,} files; at most {MAX_FILES:,} are copied",
                     "put them into one archive or PEM bundle")  # fmt: skip
    for inner in listed:
        (target / inner).parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(source / inner, target / inner)
        except OSError as error:
            raise _error(source / inner, "file-unreadable", f"cannot be copied: {error.strerror}", "") from None


def _draft(work: Path, slug: str, evidence: Path, how: How) -> tuple[Path, int, list[str]]:
    """Write the incident file so that it checks clean; the claims kept, and what was left out."""
    path = work / "reports" / slug / "incident.yaml"
    path.parent.mkdir(parents=True)
    bare = [Draft("certificates", "There is evidence.", {"count": {"at_least": 1}})]
    unreadable: dict[str, str] = {}
    trust = "none"
    facts = _facts(evidence, path, slug, bare, trust, unreadable, how)
    for problem in facts.problems:
        if not problem.certificate:
            unreadable.setdefault(problem.file, problem.reason)
    unreadable = {name: reason for name, reason in unreadable.items() if (evidence / slug / name).is_file()}
    for choice in ("mozilla", _roots(facts)):
        if choice:
            under = _facts(evidence, path, slug, bare, choice, unreadable, how)
            rows = under.tables["certificates"]
            if rows.num_rows and all(rows.column("authentic").to_pylist()):
                facts, trust = under, choice
                break
    found = drafts(facts)
    if not found:
        raise _error(slug, "no-evidence", "no certificate was found in the folder",
                     "`affidavit inspect FILE` shows what is in a file")  # fmt: skip
    left_out: list[str] = []
    while True:
        path.write_text(_text(slug, found, trust, unreadable), "utf-8")
        run = check_report(path, evidence, work, How(pages=False, cache=how.cache))
        wrong = _wrong(run)
        if not wrong:
            return path, len(found), left_out
        left_out += [f"{one.says} ({wrong[one.name]})" for one in found if one.name in wrong]
        found = [one for one in found if one.name not in wrong]
        if not found:
            raise _error(slug, "no-evidence", "nothing that the evidence shows could be proven",
                         "; ".join(left_out)[:500])  # fmt: skip


def _roots(facts: Facts) -> str:
    """The files that hold self-signed CA certificates and nothing else, as the value of `trust`; empty for none."""
    own: dict[str, list[bool]] = {}
    names = ("file", "issued_by", "sha256", "is_ca")
    columns = (facts.tables["certificates"].column(name).to_pylist() for name in names)
    for file, issuer, digest, authority in zip(*columns, strict=True):
        own.setdefault(file, []).append(issuer == digest and bool(authority))
    # A file with anything else in it would make that an anchor, too.
    roots = sorted(file for file, kinds in own.items() if all(kinds) and not re.search(r"[*?\[\]]", file))
    return _flow(roots) if 0 < len(roots) <= MAX_ROOTS else ""


def _wrong(run: Run) -> dict[str, str]:
    """The claims that do not check clean, and why: they are not proposed."""
    found = {}
    for name, verdict in run.verdicts.items():
        if verdict.outcome is not Outcome.VERIFIED:
            why = next((f.observed for f in verdict.findings if f.outcome is verdict.outcome), "")
            found[name] = f"{verdict.outcome}" + (f", {why}" if why else "")
    for diagnostic in run.diagnostics:
        words = run.report.lines[diagnostic.pos.line - 1]
        name = diagnostic.claim or "".join(re.findall(r"claim:([a-z0-9-]+)", words)[:1])
        if name:
            found.setdefault(name, diagnostic.message)
    return found


def _facts(
    evidence: Path, path: Path, slug: str, claims: Sequence[Draft], trust: str, unreadable: dict[str, str], how: How
) -> Facts:
    path.write_text(_text(slug, claims, trust, unreadable), "utf-8")
    report = load(path, evidence, path.parents[2])
    return extract(report, Wanted(pairs=True), cache=how.cache, progress=how.progress)


def _text(slug: str, claims: Sequence[Draft], trust: str, unreadable: dict[str, str]) -> str:
    """The incident file's text."""
    lines = [
        f"# yaml-language-server: $schema=../../{SCHEMA}",
        "# Drafted from the evidence: what follows is what it shows. Say what happened, and state what you claim.",
        f"title: {_title(slug)}",
        "kind: analysis  # or preliminary, full, closure: the CCADB's kinds of incident reports",
        "# ca_owner: the CA Owner, as the CCADB has it",
        f"date: {datetime.now(UTC):%Y-%m-%d}",
        "timezone: UTC  # the zone of bare days; for instance Asia/Shanghai",
        _TRUST.get(trust, "# Self-signed, and found among the evidence: are these the roots that you mean?"),
        f"trust: {trust}",
        "evidence:",
        f"  {COLLECTION}:",
        '    files: "**/*"',
    ]
    if unreadable:
        lines.append("    unreadable:")
        lines += [f"      {_scalar(name)}: {_scalar(reason)}" for name, reason in sorted(unreadable.items())]
    lines.append("claims:")
    for claim in claims:
        lines += [f"  {claim.name}:", f"    says: {_scalar(claim.says)}", f"    over: {COLLECTION}"]
        lines += [f"    {key}: {_flow(value)}" for key, value in claim.body.items()]
    lines += ["summary: |", *(f"  - [{_escaped(claim.says)}](claim:{claim.name})" for claim in claims)]
    return "\n".join(lines) + "\n"


def _title(slug: str) -> str:
    """The name as a title; figures would be facts that no claim states."""
    words = " ".join(word for word in slug.split("-") if not re.search(r"\d", word))
    return _scalar(words.capitalize() or "An incident")


def _flow(value: Any) -> str:
    text: str = yaml.dump(
        value, Dumper=_Dumper, default_flow_style=True, allow_unicode=True, width=10_000, sort_keys=False
    )
    return text.removesuffix("\n...\n").strip()


class _Dumper(yaml.SafeDumper):
    """Quotes what other readers of YAML would take for a number, a day or a truth value, but not our own ones."""


def _plain(dumper: yaml.SafeDumper, value: Plain) -> yaml.ScalarNode:
    tag = dumper.resolve(yaml.ScalarNode, str(value), (True, False))  # type: ignore[no-untyped-call]
    return dumper.represent_scalar(tag, str(value))


_Dumper.add_representer(Plain, _plain)


def _scalar(text: str) -> str:
    return _flow(str(text))


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>|~])", r"\\\1", text)
