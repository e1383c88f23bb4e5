"""Step 2 of the flow: a report's evidence files to facts tables."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from affidavit.evidence import cache as caches
from affidavit.evidence import facts as kept
from affidavit.evidence.cache import Cache
from affidavit.evidence.corpus import Group, Wanted
from affidavit.evidence.facts import Ders, Facts, FileFact, Progress, Tables, problem_rows, quiet, to_arrow
from affidavit.evidence.files import EvidenceFile, find, read
from affidavit.evidence.loglist import Log, read_log_list
from affidavit.evidence.manifest import Manifest, SourceFile
from affidavit.incident.load import Report
from affidavit.inputs import program_digest
from affidavit.times import parse_time
from affidavit.types import Diagnostic, InputError, Pos, Problem, did_you_mean

__all__ = ["Facts", "FileFact", "extract", "facts_of", "problem_rows", "to_arrow"]

MOZILLA = "mozilla"


def extract(
    report: Report,
    wanted: Wanted | None = None,
    *,
    cache: Path | None = None,
    fresh: bool = False,
    progress: Progress = quiet,
) -> Facts:
    """The facts tables of a report. InputError where files are missing, leave their folder, or hold a private key.

    ``wanted``: which costly columns are asked for (default: all but tests of keys); ``cache``: the folder in which what
    was read is kept between runs, none if None; ``fresh``: read everything anew.
    """
    wanted = Wanted.everything() if wanted is None else wanted
    place = hashlib.sha256(str(report.evidence_dir.resolve()).encode()).hexdigest()[:24]
    manifest = Manifest(cache / f"files-{place}.json" if cache else None, fresh)
    groups = _groups(report, manifest)
    logs = _logs(report)
    manifest.save()
    try:
        found = facts_of(groups, logs, wanted, cache=None if fresh else cache, progress=progress)
    except InputError as error:
        raise InputError(*(_placed(report, groups, one) for one in error.diagnostics)) from None
    _check_trust(report, found, groups)
    _check_excuses(report, found)
    return found


def facts_of(
    groups: Sequence[Group],
    logs: Sequence[Log],
    wanted: Wanted,
    *,
    cache: Path | None = None,
    progress: Progress = quiet,
    processes: int | None = None,
) -> Facts:
    """The facts tables of some collections."""
    store = Cache.at(cache)
    files = _files(groups)
    key = _key(groups, logs, wanted)
    target = store.facts_folder / key
    there = target.is_dir()  # asked first: what another run finishes meanwhile is whole
    content = kept.saved(target)
    if there and content is None:
        store.discard(target)
    if content is None:
        content = _make(groups, logs, wanted, store, target, progress, processes)
    else:
        caches.touch(target)
        for path in content["ders"]:
            caches.touch(Path(path).parent)
    tables = Tables(target, content, store)
    problems = tuple(Problem(**problem) for problem in content["problems"])
    ders = Ders(tuple(Path(path) for path in content["ders"]), frozenset(content["sources"]), store)
    return Facts(tables, problems, files, ders, wanted, key)


def _make(
    groups: Sequence[Group],
    logs: Sequence[Log],
    wanted: Wanted,
    store: Cache,
    target: Path,
    progress: Progress,
    processes: int | None,
) -> dict[str, Any]:
    from affidavit.evidence.assemble import Assembly
    from affidavit.evidence.database import N, T, W
    from affidavit.evidence.gather import gather
    from affidavit.evidence.linking import Linking
    from affidavit.evidence.linting import Linting

    every = {f.sha256: f for g in groups for f in (*g.files, *g.issuers, *(g.trust or ()))}
    parts = sorted(gather(every.values(), store, progress, processes), key=lambda p: (p.sources, p.piece))
    folder = store.new_folder()
    assembly = Assembly(parts, groups, wanted, folder)
    linking = Linking(assembly, progress, processes)
    linking.certificates()
    assembly.choose()
    assembly.certificates()
    keys = linking.logs(logs)
    linking.scts(keys)
    assembly.scts()
    linking.crls()
    assembly.crls()
    assembly.revocations()
    linking.ocsp()
    assembly.ocsp()
    stated = [{"collection": g.name, "file": name, **facts} for g in groups for name, facts in g.stated.items()]
    assembly.small(
        "stated", stated, collection=T, file=T, log=T, first_index=N, tree_size=N, taken=W, origin=T
    )  # fmt: skip
    assembly.log_entries()
    assembly.lists()
    Linting(assembly, store, progress, processes).run(wanted.lints)
    assembly.lints()
    assembly.sources()
    linking.pairs()
    for name in ("names", "extensions"):
        if getattr(wanted, name):
            assembly.of_certificates(name)
    excuses = [{"collection": g.name, "file": n, "reason": r} for g in groups for n, r in g.excused.items()]
    assembly.small("excuses", excuses, collection=T, file=T, reason=T)
    assembly.problems()
    content = {
        "rows": {name: assembly.rows(f"SELECT count(*) FROM {name}")[0][0] for name in wanted.tables()},
        "problems": _problems(assembly),
        "troubled": assembly.rows("SELECT DISTINCT collection, file FROM problems ORDER BY ALL"),
        "trust_faults": assembly.rows(
            "SELECT t.source, r._position, r.reason FROM raw_faults r JOIN trusted t ON t.source = r._source "
            "WHERE coalesce(r.certificate, '') = '' AND NOT coalesce(r.irregular, false) ORDER BY ALL"
        ),
        "anchors": {
            file.sha256: bool(assembly.rows("SELECT 1 FROM raw_certificates WHERE _source = ? LIMIT 1", file.sha256))
            for group in groups
            for file in group.trust or ()
        },
        "ders": [str(part.file("certificates")) for part in parts if "certificates" in part.tables],
        "sources": sorted(every),
    }
    assembly.close()
    kept.save(folder, content)
    store.keep(folder, target)
    store.prune()
    return content


def _problems(assembly: Any) -> list[dict[str, Any]]:
    """What was not read; what was read although its form is odd stands in the table alone."""
    names = ("file", "position", "field", "reason", "certificate", "collection", "excused")
    query = f"SELECT {', '.join(names)} FROM problems WHERE NOT irregular ORDER BY collection, file, position, field"
    return [
        {name: value if name == "position" else value or "" for name, value in zip(names, row, strict=True)}
        for row in assembly.rows(query)
    ]


def _key(groups: Sequence[Group], logs: Sequence[Log], wanted: Wanted) -> str:
    """What facts are a function of: the files by content, what the incident file says of them, and the program."""
    said = [
        {
            "name": g.name,
            "files": [(f.name, f.sha256) for f in g.files],
            "issuers": [f.sha256 for f in g.issuers],
            "trust": None if g.trust is None else [f.sha256 for f in g.trust],
            "stated": {name: {k: str(v) for k, v in facts.items()} for name, facts in g.stated.items()},
            "excused": dict(g.excused),
        }
        for g in groups
    ]
    whole = json.dumps([program_digest(), said, asdict(wanted), [repr(log) for log in logs]], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()[:40]


def _files(groups: Sequence[Group]) -> tuple[FileFact, ...]:
    """The files behind the facts, each with the collections whose evidence it is."""
    named: dict[str, tuple[SourceFile, set[str]]] = {}
    for group in groups:
        for file in group.files:
            named.setdefault(file.name, (file, set()))[1].add(group.name)
        for file in (*group.issuers, *(group.trust or ())):
            named.setdefault(file.name, (file, set()))
    return tuple(
        FileFact(name, file.octets, file.sha256, tuple(sorted(some - {""})))
        for name, (file, some) in sorted(named.items())
    )


def _patterns(report: Report, stated: str | list[str], *path: str | int) -> list[tuple[str, Pos]]:
    if isinstance(stated, str):
        return [(stated, report.pos(*path))]
    return [(pattern, report.pos(*path, index)) for index, pattern in enumerate(stated)]


def _sources(report: Report, manifest: Manifest, stated: str | list[str], *path: str | int) -> tuple[SourceFile, ...]:
    patterns = _patterns(report, stated, *path)
    return manifest.all_of(find(report.evidence_dir, patterns), patterns[0][1])


def _trusted(report: Report, manifest: Manifest, stated: Any, *path: str | int) -> tuple[SourceFile, ...] | None:
    """The files of trusted certificates; None for `none`; those that Mozilla trusts for `mozilla`."""
    if stated == "none":
        return None
    listed = [stated] if isinstance(stated, str) else list(stated)
    found: list[SourceFile] = []
    if MOZILLA in listed:
        found.append(_mozilla(manifest, report.pos(*path)))
    for index, pattern in enumerate(listed):
        if pattern != MOZILLA:
            place = report.pos(*path) if isinstance(stated, str) else report.pos(*path, index)
            found += manifest.all_of(find(report.evidence_dir, [(pattern, place)]), place)
    return tuple(dict.fromkeys(found))


def _mozilla(manifest: Manifest, pos: Pos) -> SourceFile:
    """The roots of Mozilla's programme as the installed release of certifi ships them."""
    import certifi

    return manifest.of(EvidenceFile(Path(certifi.where()), f"Mozilla's roots (certifi {certifi.__version__})"), pos)


def _groups(report: Report, manifest: Manifest) -> list[Group]:
    incident = report.incident
    shared: tuple[SourceFile, ...] | None = None
    if incident.trust is not None:
        shared = _trusted(report, manifest, incident.trust, "trust")
    groups = []
    for name, stated in incident.evidence.items():
        place = ("evidence", name)
        trust = shared
        if stated.trust is not None:
            trust = _trusted(report, manifest, stated.trust, *place, "trust")
        issuers = _sources(report, manifest, stated.issuers, *place, "issuers") if stated.issuers else ()
        files = _sources(report, manifest, stated.files, *place, "files")
        said = _stated(report, name, {file.name for file in files})
        groups.append(Group(name, files, issuers, trust, said, dict(stated.unreadable)))
    return groups


def _stated(report: Report, name: str, files: set[str]) -> dict[str, dict[str, Any]]:
    """What the incident file says of the captures of a collection, typed."""
    found = {}
    for file, said in report.incident.evidence[name].captures.items():
        path = ("evidence", name, "captures", file)
        if file not in files:
            message = f"{file!r} is no file of this collection"
            hint = did_you_mean(file, files)
            raise InputError(Diagnostic(report.pos(*path, key=True), "no-such-capture", message, hint))
        row: dict[str, Any] = {"log": said.log, "origin": said.origin}
        if said.taken is not None:
            row["taken"] = parse_time(said.taken, report.incident.timezone).start
        for key in ("first_index", "tree_size"):
            text = getattr(said, key)
            if text is not None:
                row[key] = _number(text, report.pos(*path, key))
        found[file] = row
    return found


def _number(text: str, pos: Pos) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise InputError(Diagnostic(pos, "bad-value", f"{text!r} is no number of entries", "write digits alone"))
    return int(text)


def _logs(report: Report) -> list[Log]:
    found: dict[str, Log] = {}
    stated = report.incident.ct_logs
    for pattern in _patterns(report, stated, "ct_logs") if stated else ():
        for file in find(report.evidence_dir, [pattern]):
            try:
                logs = read_log_list(read(file, pattern[1]).decode("utf-8"))
            except ValueError as error:
                raise InputError(Diagnostic(pattern[1], "bad-log-list", f"{file.name}: {error}")) from None
            found.update({log.log_id: log for log in logs})
    return list(found.values())


def _check_trust(report: Report, facts: Facts, groups: Sequence[Group]) -> None:
    """Every trust file must be readable and hold certificates."""
    assert isinstance(facts.tables, Tables)
    content = facts.tables.content
    names = {file.sha256: file.name for group in groups for file in group.trust or ()}
    for source, position, reason in content["trust_faults"]:
        if source in names:
            message = f"{names[source]}, item {position}, cannot be read: {reason}"
            raise InputError(Diagnostic(_trust_pos(report, groups, source), "bad-trust", message,
                                        "trust files hold certificates"))  # fmt: skip
    for group in groups:
        if group.trust is not None and not any(content["anchors"].get(file.sha256) for file in group.trust):
            pos = _trust_pos(report, groups, group.trust[0].sha256 if group.trust else "")
            raise InputError(Diagnostic(pos, "bad-trust", "no certificate stands in the trust files"))


def _placed(report: Report, groups: Iterable[Group], found: Diagnostic) -> Diagnostic:
    """A message about an evidence file, at the place of the incident file that names it."""
    for group in groups:
        place = ("evidence", group.name)
        if any(file.name == found.pos.file for file in group.files):
            return replace(found, pos=report.pos(*place, "files"))
        if any(file.name == found.pos.file for file in group.issuers):
            return replace(found, pos=report.pos(*place, "issuers"))
        if any(file.name == found.pos.file for file in group.trust or ()):
            return replace(found, pos=_trust_pos(report, [group], next(
                file.sha256 for file in group.trust or () if file.name == found.pos.file)))  # fmt: skip
    return found


def _trust_pos(report: Report, groups: Iterable[Group], source: str) -> Pos:
    for group in groups:
        own = report.incident.evidence[group.name].trust
        if own is not None and any(file.sha256 == source for file in group.trust or ()):
            return report.pos("evidence", group.name, "trust")
    return report.pos("trust")


def _check_excuses(report: Report, facts: Facts) -> None:
    """A reason for a file that is no problem is an error: it would hide the next one."""
    assert isinstance(facts.tables, Tables)
    for name, collection in report.incident.evidence.items():
        files = {file for of, file in facts.tables.content["troubled"] if of == name}
        for file in collection.unreadable:
            if not any(one == file or one.startswith(f"{file}/") for one in files):
                pos = report.pos("evidence", name, "unreadable", file, key=True)
                message = f"{file!r} is listed as unreadable, but nothing in it was"
                raise InputError(Diagnostic(pos, "not-unreadable", message, did_you_mean(file, files)))
