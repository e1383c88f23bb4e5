"""From files to parts: what the cache does not hold is read, on all cores where there is much of it.

A part is a folder of raw rows. Many small files share one, a large file is cut into several pieces. Only paths and
small results pass between processes. Data files of other programs (Parquet, Arrow) are opened in limited child
processes alone.
"""

import mmap
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from affidavit.evidence import cache, forms, workers
from affidavit.evidence.cache import Cache, Part
from affidavit.evidence.facts import Progress
from affidavit.evidence.manifest import SourceFile
from affidavit.evidence.rawrows import RawWriter
from affidavit.evidence.reading import Reading
from affidavit.types import Diagnostic, InputError, Pos

PIECE = 32 * 1024 * 1024
GROUP_OCTETS = 16 * 1024 * 1024
GROUP_FILES = 4096
ALONE = 24 * 1024 * 1024
"""So many octets are read in this process: starting others would take longer."""
WORKER_MEMORY = 4 * 1024**3
WORKER_SECONDS = 900.0
ROWS_A_TASK = 65_536


@dataclass(frozen=True, slots=True)
class Task:
    """What one call reads into one part: whole files, or one piece of one."""

    folder: str
    sources: tuple[tuple[str, str, str], ...]
    """Path, name and SHA-256 of each file."""
    octets: int
    span: tuple[int, int] | None = None
    groups: tuple[int, ...] | None = None
    first: int = 1
    piece: int = 0
    pieces: int = 1


@dataclass(frozen=True, slots=True)
class Refused:
    """A private key stands in a file: nothing is made of such evidence."""

    name: str
    reason: str


def gather(files: Iterable[SourceFile], store: Cache, progress: Progress, processes: int | None = None) -> list[Part]:
    """The parts that hold the raw rows of some files. InputError where one holds a private key."""
    wanted = {file.sha256: file for file in files}
    held = _held(store, wanted)
    missing = [file for digest, file in sorted(wanted.items()) if digest not in held]
    parts = {part.folder: part for found in held.values() for part in found}
    if missing:
        for part in _read_all(missing, store, progress, processes or os.cpu_count() or 1):
            parts[part.folder] = part
    for part in parts.values():
        cache.touch(part.folder)
    return [parts[folder] for folder in sorted(parts)]


def _held(store: Cache, wanted: Iterable[str]) -> dict[str, list[Part]]:
    """The sources that whole parts at hand hold; each in one part, or in all pieces of one cut."""
    found: dict[str, list[Part]] = {}
    pieces: dict[tuple[str, int], dict[int, Part]] = {}
    names = set(wanted)
    for part in store.parts():
        for source in names.intersection(part.sources):
            if part.pieces == 1:
                found.setdefault(source, [part])
            else:
                pieces.setdefault((source, part.pieces), {})[part.piece] = part
    for (source, number), some in pieces.items():
        if len(some) == number and source not in found:
            found[source] = [some[i] for i in range(number)]
    return found


def _read_all(files: Sequence[SourceFile], store: Cache, progress: Progress, processes: int) -> Iterator[Part]:
    total, done = sum(file.octets for file in files), 0
    data_files = [file for file in files if _is_data_file(file.path)]
    plain = [file for file in files if file not in set(data_files)]
    small = sum(file.octets for file in plain) <= ALONE
    tasks = list(_plain_tasks(plain, store, cut=not small))
    ended: list[tuple[Task, str]] = []
    progress("reading evidence", 0, total)
    if small:
        for task in tasks:
            yield _kept(store, task, _checked(read_task(task)))
            done += task.octets
            progress("reading evidence", done, total)
        tasks = []
    with workers.Pool(min(processes, _useful(data_files, tasks)), WORKER_MEMORY, WORKER_SECONDS) as pool:
        planned: list[Task] = []
        for path, plan in pool.map(plan_data_file, [str(file.path) for file in data_files]):
            file = next(f for f in data_files if str(f.path) == path)
            if isinstance(plan, workers.Failure):
                yield _unread(store, file, _why(plan))
            elif isinstance(plan, str):
                yield _unread(store, file, plan)
            else:
                planned += _data_tasks(file, plan, store)
        for task, result in pool.map(read_task, [*planned, *tasks]):
            done += task.octets
            progress("reading evidence", done, total)
            if isinstance(result, workers.Failure):
                ended.append((task, _why(result)))
            else:
                yield _kept(store, task, _checked(result))
        for task, reason in ended:
            shutil.rmtree(task.folder, ignore_errors=True)
            yield from _one_by_one(task, reason, files, store, pool)


def _one_by_one(
    task: Task, reason: str, files: Sequence[SourceFile], store: Cache, pool: "workers.Pool"
) -> Iterator[Part]:
    """What a call that did not end would have read, file by file, so that one file costs only itself."""
    concerned = [file for file in files if any(file.sha256 == digest for _, _, digest in task.sources)]
    if task.span or task.groups is not None or len(concerned) == 1:
        yield _unread(store, concerned[0], reason, task.piece, task.pieces)
        return
    singles = [_task([file], store) for file in concerned]
    for single, result in pool.map(read_task, singles):
        if isinstance(result, workers.Failure):
            file = next(f for f in concerned if f.sha256 == single.sources[0][2])
            yield _unread(store, file, _why(result))
        else:
            yield _kept(store, single, _checked(result))


def _why(failure: "workers.Failure") -> str:
    """The reason of a problem row."""
    from affidavit.evidence.arrowfile import ArrowFileError

    if isinstance(failure.error, ArrowFileError):
        return str(failure.error)
    return f"reading it did not end: {failure.reason}"


def _useful(data_files: Sequence[SourceFile], tasks: Sequence[Task]) -> int:
    """How many processes can have something to do."""
    pieces = sum(1 + file.octets // PIECE for file in data_files)
    return max(1, len(tasks) + pieces)


def _checked(result: int | Refused) -> int:
    if isinstance(result, Refused):
        message = f"{result.name} holds {result.reason}: private keys are no evidence and must not be published"
        hint = "take it out of the evidence folder; treat the key as compromised if it was ever committed"
        raise InputError(Diagnostic(Pos(result.name), "private-key", message, hint))
    return result


def _kept(store: Cache, task: Task, items: int) -> Part:
    folder = Path(task.folder)
    digests = [digest for _, _, digest in task.sources]
    cache.write_part(folder, digests, task.piece, task.pieces, items)
    part = cache.read_part(store.keep(folder, store.parts_folder / folder.name.removeprefix("new-")))
    if part is None:
        raise OSError(f"the cache folder {folder.name} was lost")
    return part


def _unread(store: Cache, file: SourceFile, reason: str, piece: int = 0, pieces: int = 1) -> Part:
    """A part that holds nothing but the reason why there is nothing."""
    task = _task([file], store)
    into = RawWriter(Path(task.folder))
    place = {"_source": file.sha256, "_member": "", "_position": 0}
    into.rows("faults", [{"field": "", "reason": reason, "irregular": False, "certificate": "", **place}])
    into.rows("sources", [{"form": "not read", "items": 0, "certificates": 0, **place}])
    into.close()
    return _kept(store, Task(task.folder, task.sources, 0, piece=piece, pieces=pieces), 0)


def _task(files: Sequence[SourceFile], store: Cache) -> Task:
    sources = tuple((str(file.path), file.name, file.sha256) for file in files)
    return Task(str(store.new_folder()), sources, sum(file.octets for file in files))


def _plain_tasks(files: Sequence[SourceFile], store: Cache, *, cut: bool) -> Iterator[Task]:
    """Small files together, large ones alone; those that can be cut, in pieces."""
    group: list[SourceFile] = []
    for file in files:
        if file.octets > PIECE and cut:
            ranges = forms.ranges(file.path, PIECE)
            for number, span in enumerate(ranges):
                one = _task([file], store)
                yield Task(one.folder, one.sources, span[1] - span[0], span=span, piece=number, pieces=len(ranges))
            continue
        group.append(file)
        if sum(f.octets for f in group) >= GROUP_OCTETS or len(group) >= GROUP_FILES:
            yield _task(group, store)
            group = []
    if group:
        yield _task(group, store)


def _is_data_file(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(6).startswith((b"PAR1", b"PARE", b"ARROW1", b"\xff\xff\xff\xff"))


def plan_data_file(path: str) -> list[int] | str:
    """The numbers of rows of a data file's row groups; or why it cannot be read. For a limited child process."""
    from affidavit.evidence import arrowfile

    try:
        return [rows for _, rows in arrowfile.plan(Path(path))[1]]
    except arrowfile.ArrowFileError as error:
        return str(error)


def _data_tasks(file: SourceFile, rows: Sequence[int], store: Cache) -> Iterator[Task]:
    bundles: list[tuple[list[int], int, int]] = []
    first = 1
    for number, size in enumerate(rows):
        if bundles and bundles[-1][2] + size <= ROWS_A_TASK:
            bundles[-1] = ([*bundles[-1][0], number], bundles[-1][1], bundles[-1][2] + size)
        else:
            bundles.append(([number], first, size))
        first += size
    whole = max(1, sum(rows))
    for piece, (groups, start, size) in enumerate(bundles or [([], 1, 0)]):
        one = _task([file], store)
        yield Task(
            one.folder, one.sources, file.octets * size // whole, groups=tuple(groups), first=start, piece=piece,
            pieces=max(1, len(bundles)),
        )  # fmt: skip


def read_task(task: Task) -> int | Refused:
    """Read what a task names into its folder; the number of items, where positions must be counted on."""
    into = RawWriter(Path(task.folder))
    reading = Reading(into)
    for path, name, digest in task.sources:
        try:
            if task.groups is not None:
                from affidavit.evidence import arrowfile

                reading.arrow(digest, arrowfile.batches(Path(path), task.groups), task.first)
            elif task.span is not None:
                with Path(path).open("rb") as stream:
                    stream.seek(task.span[0])
                    reading.file(digest, stream.read(task.span[1] - task.span[0]), name)
            elif Path(path).stat().st_size > GROUP_OCTETS:
                with (
                    Path(path).open("rb") as stream,
                    mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
                ):
                    reading.file(digest, mapped, name)
            else:
                reading.file(digest, Path(path).read_bytes(), name)
        except forms.PrivateKeyFound as error:
            return Refused(name, str(error))
    reading.close()
    into.close()
    return reading.items if task.groups is None else 0
