"""What is computed for each certificate of a part on demand, kept beside the part: links to issuers, details.

Each such file has a row for each row of the part's certificates, in the same order, so that it is joined by number.
The functions here run in worker processes: paths go in, files come out.
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from affidavit.columns import Made
from affidavit.evidence.rawrows import ROW_GROUP
from affidavit.tables import arrow_schema

LINKS = pa.schema([("spki_sha256", pa.string()), ("capped", pa.bool_())])
DETAILS = arrow_schema("certificates", Made.DETAIL)
WEAK = arrow_schema("certificates", Made.WEAK_KEY)
FAULTS = pa.schema(
    [("certificate", pa.string()), ("field", pa.string()), ("reason", pa.string()), ("irregular", pa.bool_())]
)

MORE = {"names": arrow_schema("names", Made.READ), "extensions": arrow_schema("extensions", Made.READ),
        "detail_faults": FAULTS}  # fmt: skip
"""Tables made together with the details; their rows are not one for one."""

Keys = dict[bytes, tuple[bytes, ...]]


_UNREADABLE = (ValueError, IndexError, TypeError, KeyError, OverflowError, RecursionError, AttributeError)
"""What bytes that are not as they should be may come to; a DerError is a ValueError."""


@dataclass(frozen=True, slots=True)
class Job:
    """One part's certificates, what to compute of them, and the file with what it needs."""

    part: str
    name: str
    what: str
    needs: str = ""
    rows: int = 0


def keys_digest(keys: Keys) -> str:
    """SHA-256 over candidate issuers: the outcome of linking a part depends on nothing else."""
    whole = hashlib.sha256()
    for name in sorted(keys):
        for one in (name, *keys[name]):
            whole.update(len(one).to_bytes(4, "big") + one)
        whole.update(b"\xff\xff\xff\xff")
    return whole.hexdigest()[:24]


def run(job: Job) -> int:
    """Compute what a job asks for, unless its file stands there already; the number of rows."""
    target = Path(job.part) / f"{job.name}.parquet"
    if not target.is_file():
        {"links": _links, "details": _details, "weak": _weak}[job.what](job, target)
    return job.rows


def _ders(part: Path, *columns: str) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(part / "certificates.parquet") as file:
        yield from file.iter_batches(batch_size=ROW_GROUP, columns=["der", *columns])


@lru_cache(maxsize=1)
def _loaded(path: str) -> Keys:
    """The candidate keys, loaded once a process."""
    found: dict[bytes, list[bytes]] = {}
    table = pq.read_table(path)
    for name, spki in zip(table["name"].to_pylist(), table["spki"].to_pylist(), strict=True):
        found.setdefault(name, []).append(spki)
    return {name: tuple(some) for name, some in found.items()}


def save_keys(path: Path, keys: Keys) -> None:
    """Write candidate keys for `_loaded`."""
    pairs = [(name, spki) for name in sorted(keys) for spki in keys[name]]
    schema = pa.schema([("name", pa.binary()), ("spki", pa.binary())])
    columns = [pa.array([pair[i] for pair in pairs], pa.binary()) for i in (0, 1)]
    pq.write_table(pa.Table.from_arrays(columns, schema=schema), path)


def _links(job: Job, target: Path) -> None:
    from affidavit.evidence.verify import verify_batch

    keys = _loaded(job.needs)

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in _ders(Path(job.part)):
            links = verify_batch(batch.column(0), keys)
            yield pa.RecordBatch.from_arrays(
                [
                    pa.array([link.spki_sha256 for link in links], pa.string()),
                    pa.array([link.capped for link in links], pa.bool_()),
                ],
                schema=LINKS,
            )

    _write(target, LINKS, batches())


def _details(job: Job, target: Path) -> None:
    """The detail columns; and, in files of their own, the tables of names and extensions and what failed."""
    folder = Path(job.part)
    writers = {name: pq.ParquetWriter(_new(folder / f"{name}.parquet"), schema) for name, schema in MORE.items()}

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in _ders(folder):
            rows: list[dict[str, Any]] = []
            found: dict[str, list[dict[str, Any]]] = {name: [] for name in MORE}
            for octets in batch.column(0).to_pylist():
                row, more = _described(octets)
                rows.append(row)
                for name, some in more.items():
                    found[name] += some
            for name, some in found.items():
                writers[name].write_table(pa.Table.from_pylist(some, schema=MORE[name]))
            yield pa.RecordBatch.from_pylist(rows, schema=DETAILS)

    _write(target, DETAILS, batches(), finish=lambda: _finish(folder, writers))


def _described(octets: bytes) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """The details of one certificate, and its rows of the tables of `MORE`.

    Whatever goes wrong with it costs nothing but what is read there: it is null, or left out, and named.
    """
    from affidavit.evidence import detail
    from affidavit.evidence.certificate import read_certificate

    digest = hashlib.sha256(octets).hexdigest()
    row: dict[str, Any] = dict.fromkeys(DETAILS.names)
    more: dict[str, list[dict[str, Any]]] = {name: [] for name in MORE}

    def fault(name: str, reason: str) -> None:
        found = {"certificate": digest, "field": name, "reason": reason, "irregular": False}
        more["detail_faults"].append(found)

    try:
        certificate = read_certificate(octets)
    except _UNREADABLE as error:
        fault("details", f"cannot be read: {error}")
        return row, more
    try:
        read = detail.detail(certificate)
        row = read.row
        for name, reason in read.faults:
            fault(name, reason)
    except _UNREADABLE as error:
        fault("details", f"cannot be read: {error}")
    for table, of in (("names", detail.names), ("extensions", detail.extensions)):
        try:
            more[table] = list(of(certificate))
        except _UNREADABLE as error:
            fault(table, f"cannot be read: {error}")
    return row, more


def _finish(folder: Path, writers: dict[str, pq.ParquetWriter]) -> None:
    for name, writer in writers.items():
        writer.close()
        _new(folder / f"{name}.parquet").replace(folder / f"{name}.parquet")


def _weak(job: Job, target: Path) -> None:
    def batches() -> Iterator[pa.RecordBatch]:
        for batch in _ders(Path(job.part)):
            found = [_weak_key(octets) for octets in batch.column(0).to_pylist()]
            yield pa.RecordBatch.from_arrays([pa.array(found, WEAK.field(0).type)], schema=WEAK)

    _write(target, WEAK, batches())


def _weak_key(octets: bytes) -> list[str] | None:
    from affidavit.evidence import detail
    from affidavit.evidence.certificate import read_certificate

    try:
        return detail.weak_key(read_certificate(octets))
    except _UNREADABLE:
        return None  # of a key that was not tested nothing is said


def _new(target: Path) -> Path:
    return target.with_name(f".{target.name}.{os.getpid()}")


def _write(target: Path, schema: pa.Schema, batches: Iterator[pa.RecordBatch], finish: Any = None) -> None:
    """Write beside the place and rename, the main file last."""
    new = _new(target)
    with pq.ParquetWriter(new, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)
    if finish is not None:
        finish()
    new.replace(target)


class SctTask(NamedTuple):
    """Certificates whose SCTs are verified: SHA-256, DER, the SubjectPublicKeyInfo of the issuer; the logs' keys."""

    digests: tuple[str, ...]
    ders: tuple[bytes, ...]
    issuers: tuple[bytes | None, ...]
    logs: dict[str, bytes]


def verify_sct_rows(task: SctTask) -> list[list[str]]:
    """The results of the SCTs of each certificate; see `sctverify.verify_scts`."""
    from affidavit.evidence.sctverify import verify_scts

    return verify_scts(task.ders, task.issuers, task.logs)
