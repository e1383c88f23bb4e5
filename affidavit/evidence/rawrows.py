"""Raw rows: what was read of files, before anything is known of collections, trust or other evidence.

Each raw table has the columns made when read (``Made.READ``), and where the row comes from: ``_source`` (SHA-256 of
the file), ``_member`` (path inside an archive, else empty) and ``_position``. They pass between steps, processes and
runs as Parquet files in a folder.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from affidavit.columns import Made
from affidavit.tables import arrow_schema

WHERE = (("_source", pa.string()), ("_member", pa.string()), ("_position", pa.int64()))
ROW_GROUP = 8192

_OWN = {
    # A certificate that is no evidence itself but may have issued some.
    "issuers": (("sha256", pa.string()), ("subject_der_sha256", pa.string()), ("der", pa.large_binary())),
    # What signatures and keys are read from again when evidence is linked.
    "blobs": (("kind", pa.string()), ("sha256", pa.string()), ("der", pa.large_binary())),
    "faults": (
        ("field", pa.string()), ("reason", pa.string()), ("irregular", pa.bool_()), ("certificate", pa.string()),
    ),
}  # fmt: skip
RAW_TABLES = (
    "certificates", "scts", "crls", "revocations", "ocsp", "log_entries", "lists", "lints", "sources", *_OWN,
)  # fmt: skip


@cache
def raw_schema(name: str) -> pa.Schema:
    """The schema of a raw table."""
    if name in _OWN:
        fields = [pa.field(*one) for one in _OWN[name]]
    else:
        fields = list(arrow_schema(name, Made.READ))
    if name == "certificates":
        fields.append(pa.field("der", pa.large_binary()))
    if name in ("revocations", "ocsp"):
        fields.append(pa.field("_entry", pa.int64()))
    return pa.schema([*fields, *(pa.field(*one) for one in WHERE)])


class RawWriter:
    """Writes raw tables as Parquet into a folder, a row group at a time; a table without rows has no file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._waiting: dict[str, list[pa.RecordBatch]] = {}
        self._sizes: dict[str, int] = {}

    def add(self, name: str, batch: pa.RecordBatch) -> None:
        """Add rows of the raw schema."""
        if not batch.num_rows:
            return
        self._waiting.setdefault(name, []).append(batch)
        self._sizes[name] = self._sizes.get(name, 0) + batch.num_rows
        if self._sizes[name] >= ROW_GROUP:
            self._flush(name)

    def rows(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows given as mappings; columns that they lack are empty."""
        if rows:
            self.add(name, pa.RecordBatch.from_pylist(list(rows), schema=raw_schema(name)))

    def _flush(self, name: str) -> None:
        waiting, self._waiting[name], self._sizes[name] = self._waiting[name], [], 0
        writer = self._writers.get(name)
        if writer is None:
            # DER hardly compresses; trying to would cost more than reading it did.
            packed = {one: "NONE" if one == "der" else "LZ4" for one in _leaves(raw_schema(name))}
            writer = pq.ParquetWriter(self.folder / f"{name}.parquet", raw_schema(name), compression=packed)
            self._writers[name] = writer
        writer.write_table(pa.Table.from_batches(waiting), row_group_size=2 * ROW_GROUP)

    def close(self) -> None:
        """Write what waits, and finish the files."""
        for name in [name for name, size in self._sizes.items() if size]:
            self._flush(name)
        for writer in self._writers.values():
            writer.close()


def _leaves(schema: pa.Schema) -> list[str]:
    """Column paths as Parquet names them: a list's values stand below it."""
    return [f"{f.name}.list.element" if pa.types.is_list(f.type) else f.name for f in schema]
