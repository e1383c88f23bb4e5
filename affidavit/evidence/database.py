"""A database over the raw rows of some parts, in which facts tables are put together within bounded memory.

The SQL is the program's own; no text of a report or of evidence ever becomes part of it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from affidavit.evidence.cache import Part
from affidavit.evidence.corpus import Group, Wanted
from affidavit.evidence.facts import LARGE, table_files
from affidavit.evidence.rawrows import RAW_TABLES, raw_schema
from affidavit.tables import arrow_schema

MEMORY = "768MB"
ROW_GROUP = 16_384

T, N, B, W = pa.string(), pa.int64(), pa.bool_(), pa.timestamp("us")
_SQL_TYPES = {
    T: "VARCHAR", N: "BIGINT", B: "BOOLEAN", W: "TIMESTAMP", pa.large_binary(): "BLOB", pa.list_(T): "VARCHAR[]",
}  # fmt: skip


class Database:
    """The raw tables of some parts as views ``raw_<name>``, small tables beside them, and what is written."""

    def __init__(self, parts: Sequence[Part], groups: Sequence[Group], wanted: Wanted, folder: Path) -> None:
        self.parts = parts
        self.groups = groups
        self.wanted = wanted
        self.folder = folder
        spill = folder / "spill"
        spill.mkdir()
        self.db = duckdb.connect(":memory:")
        for setting in (
            f"SET memory_limit='{MEMORY}'",
            f"SET temp_directory='{_quoted(spill)}'",
            "SET threads=2",
            "SET preserve_insertion_order=false",
        ):
            self.db.execute(setting)
        self._shifts = _shifts(parts)
        self._load_places()
        for name in RAW_TABLES:
            self.raw(name)

    def close(self) -> None:
        """Give memory and disk back."""
        self.db.close()
        for path in (self.folder / "spill").glob("*"):
            path.unlink(missing_ok=True)
        (self.folder / "spill").rmdir()

    def small(self, name: str, rows: Iterable[Mapping[str, Any]], /, **columns: pa.DataType) -> None:
        """Load a small table."""
        listed = list(rows)
        if not listed and _SQL_TYPES.keys() >= set(columns.values()):
            # Most are empty, and to hand over nothing takes as long as to hand over some rows.
            stated = ", ".join(f'"{column}" {_SQL_TYPES[kind]}' for column, kind in columns.items())
            self.db.execute(f"CREATE OR REPLACE TABLE {name} ({stated})")
            return
        schema = pa.schema(list(columns.items()))
        self.db.register("incoming", pa.Table.from_pylist(listed, schema=schema))
        self.db.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM incoming")
        self.db.unregister("incoming")

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return self.db.execute(query, list(values)).fetchall()

    def batches(self, query: str, size: int = 8192) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of a query, some at a time."""
        cursor = self.db.cursor()
        result = cursor.execute(query)
        while rows := result.fetchmany(size):
            yield rows
        cursor.close()

    @property
    def trusts(self) -> list[tuple[Any, ...]]:
        """The distinct lists of trusted files, by number; the empty one of ``trust: none`` first."""
        return list(dict.fromkeys([(), *(group.trust or () for group in self.groups)]))

    def raw(self, name: str, only: int | None = None) -> str:
        """The name of a view of a raw table: of all parts, or of one alone."""
        view = f"raw_{name}" if only is None else f"raw_{name}_{only}"
        # SCTs go with their certificate; what holds it is seen there.
        where = "" if name == "scts" else "WHERE t._source IN (SELECT source FROM wanted)"
        position = "CASE WHEN t._position = 0 THEN 0 ELSE t._position + f.shift END AS _position"
        files = [(n, p.file(name)) for n, p in enumerate(self.parts) if name in p.tables and only in (None, n)]
        self._view(
            view, files, raw_schema(name), f"t.* EXCLUDE (filename, file_row_number, _position), {position}", where
        )
        return view

    def beside(self, name: str, view: str, schema: pa.Schema, only: int | None = None) -> str:
        """The name of a view of files beside the parts' certificates: of all parts, or of one alone."""
        view = view if only is None else f"{view}_{only}"
        files = [
            (n, p.folder / f"{name}.parquet")
            for n, p in enumerate(self.parts)
            if "certificates" in p.tables and only in (None, n)
        ]
        self._view(view, files, schema, "t.* EXCLUDE (filename, file_row_number)")
        return view

    def _view(
        self, view: str, files: Sequence[tuple[int, Path]], schema: pa.Schema, columns: str, where: str = ""
    ) -> None:
        """A view of Parquet files with the number of the part and the row's own, from 0, in its file."""
        if not files:
            self.small(view, [], **{f.name: f.type for f in schema}, part=N, row=N)
            return
        rows = [{"filename": str(path), "part": n, "shift": self._shifts.get(n, 0)} for n, path in files]
        self.small(f"files_of_{view}", rows, filename=T, part=N, shift=N)
        listed = ", ".join(f"'{_quoted(path)}'" for _, path in files)
        self.db.execute(
            f"CREATE OR REPLACE VIEW {view} AS "
            f"SELECT {columns}, f.part AS part, t.file_row_number AS row "
            f"FROM read_parquet([{listed}], filename=true, file_row_number=true) t "
            f"JOIN files_of_{view} f ON t.filename = f.filename {where}"
        )

    def write(self, name: str, query: str) -> None:
        """Write a facts table, and make it readable under its name; ``query`` yields its columns by name."""
        self._copy(name, query, self.folder / f"{name}.parquet")
        self._readable(name)

    def write_by_part(self, name: str, query: Any, *, large: bool) -> None:
        """Write a facts table that grows with the certificates: in one file, or in a sorted file for each part.

        ``query`` makes the SQL for one part by its number, or for all where it is given None.
        """
        if not large:
            self.write(name, query(None))
            return
        for number, part in enumerate(self.parts):
            if "certificates" in part.tables:
                self._copy(name, query(number), self.folder / f"{name}.{number:05}.parquet")
        self._readable(name)

    def _copy(self, name: str, query: str, path: Path) -> None:
        schema = arrow_schema(name)
        cast = ", ".join(f"CAST({c} AS {_sql_type(schema.field(c).type)}) AS {c}" for c in self.wanted.columns(name))
        self.db.execute(
            f"COPY (SELECT {cast} FROM ({query})) TO '{_quoted(path)}' "
            f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP})"
        )

    def _readable(self, name: str) -> None:
        listed = ", ".join(f"'{_quoted(path)}'" for path in table_files(self.folder, name))
        self.db.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM read_parquet([{listed}])")

    def of_part(self, name: str, only: int) -> str:
        """The part of a facts table that was written for one part, as a table in SQL."""
        return f"read_parquet('{_quoted(self.folder / f'{name}.{only:05}.parquet')}')"

    def is_large(self) -> bool:
        """Whether there are so many certificates that tables about them are written part by part."""
        return bool(self.rows("SELECT count(*) FROM chosen")[0][0] > LARGE)

    def _load_places(self) -> None:
        places = [
            {"collection": group.name, "source": file.sha256, "file": file.name, "octets": file.octets}
            for group in self.groups
            for file in group.files
        ]
        self.small("placed", places, collection=T, source=T, file=T, octets=N)
        linking = sorted({f.sha256 for g in self.groups for f in g.issuers})
        trusted = [{"trust": n, "source": f.sha256} for n, files in enumerate(self.trusts) for f in files]
        self.small("trusted", trusted, trust=N, source=T)
        self.small("linking", [{"source": s} for s in linking], source=T)
        trusts = [{"collection": g.name, "trust": self.trusts.index(g.trust or ())} for g in self.groups]
        self.small("collections", trusts, collection=T, trust=N)
        self.db.execute(
            "CREATE TABLE wanted AS SELECT source FROM placed UNION SELECT source FROM trusted "
            "UNION SELECT source FROM linking"
        )


def _shifts(parts: Sequence[Part]) -> dict[int, int]:
    """By how much the positions of each piece of a file that was cut are to be counted on."""
    pieces: dict[tuple[str, ...], list[tuple[int, int, int]]] = {}
    for number, part in enumerate(parts):
        if part.pieces > 1:
            pieces.setdefault(part.sources, []).append((part.piece, number, part.items))
    shifts = {}
    for some in pieces.values():
        done = 0
        for _, number, items in sorted(some):
            shifts[number] = done
            done += items
    return shifts


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _sql_type(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return "VARCHAR[]"
    if pa.types.is_timestamp(kind):
        return "TIMESTAMP"
    if pa.types.is_boolean(kind):
        return "BOOLEAN"
    return "BIGINT" if pa.types.is_int64(kind) else "VARCHAR"
