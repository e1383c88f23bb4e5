"""How fast certificates become rows: each figure over what their hashes and the library's bare load cost.

The floor is one process, DER in memory: ``sha256(der).hexdigest()`` and ``load_der_x509_certificate(der)`` for each.
"""

import hashlib
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from cryptography.x509 import load_der_x509_certificate

from affidavit.evidence import batch
from affidavit.evidence.certificate import read_certificate
from benchmarks import corpus
from benchmarks.__main__ import Figure, ratio

COUNT = 20_000
CAREFUL = 3_000
MANY = 200_000
UNIT = "x sha256 + load"


def floor(ders: Sequence[bytes]) -> Callable[[], None]:
    """Hash and load each, once."""

    def run() -> None:
        for der in ders:
            hashlib.sha256(der).hexdigest()
            load_der_x509_certificate(der)

    return run


def to_arrow(rounds: int = 7) -> list[Figure]:
    """DER in memory to Arrow, one process; and the careful way alone, to its own rows."""
    ders = corpus.certificates(COUNT)
    few = ders[:CAREFUL]
    array = pa.array(ders, pa.large_binary())

    def careful() -> None:
        for der in few:
            read_certificate(der)

    batch.rows(ders[:256])  # what is loaded and remembered at first use
    return [
        Figure("certificates to Arrow", ratio(lambda: batch.rows(array), floor(ders), rounds), UNIT, 5.0),
        Figure("certificates, careful way", ratio(careful, floor(few), rounds), UNIT, 12.0),
    ]


def write_part(source: str, group: int, target: str) -> int:
    """One row group of DER to two Parquet files of rows; how many certificates it held."""
    read = batch.rows(pq.ParquetFile(source).read_row_group(group, columns=["der"]).column(0).combine_chunks())
    for name, found in (("certificates", read.certificates), ("scts", read.scts)):
        table = pa.Table.from_batches([found])
        pq.write_table(table, f"{target}/{name}-{group:05d}.parquet", compression="lz4")
    return len(read.index)


def two_processes(source: Path, target: Path) -> None:
    """All row groups of a file of DER to Parquet files of rows, by two processes that are started for it."""
    groups = pq.ParquetFile(source).num_row_groups
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        made = list(pool.map(write_part, [str(source)] * groups, range(groups), [str(target)] * groups))
    if sum(made) != pq.ParquetFile(source).metadata.num_rows:
        raise RuntimeError(f"{sum(made)} rows were made")


def to_parquet(rounds: int = 3, count: int = MANY) -> list[Figure]:
    """A Parquet file of DER to Parquet files of rows, wall time of two processes, their start included."""
    sample = corpus.certificates(COUNT)
    again = count // COUNT

    def many() -> None:
        for _ in range(again):
            once()

    once = floor(sample)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "der.parquet"
        corpus.write_parquet(source, again * COUNT)
        value = ratio(lambda: two_processes(source, Path(folder)), many, rounds)
    name = f"{again * COUNT:,} certificates, Parquet to Parquet, 2 processes"
    return [Figure(name, value, UNIT, 4.5)]


def extraction() -> list[Figure]:
    """All of them."""
    return [*to_arrow(), *to_parquet()]


if __name__ == "__main__":
    for figure in extraction():
        print(figure.line(), flush=True)
