"""The facts tables of a report as they lie on disk, and the value through which everything later reads them."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affidavit.evidence.cache import Cache, octets, read_part, whole
from affidavit.evidence.corpus import Wanted
from affidavit.types import Problem

if TYPE_CHECKING:
    import pyarrow as pa

LARGE = 250_000
"""Of so many certificates up, tables about them are written part by part, and read where they lie."""

Progress = Callable[[str, int, int], object]
"""Called with what is being done, how much of it is done, and how much there is."""


def quiet(words: str, done: int, total: int) -> None:
    """Progress that nobody is told of."""


@dataclass(frozen=True, slots=True)
class FileFact:
    """An evidence file as it was read: name, size in octets, SHA-256, and the collections that name it."""

    name: str
    octets: int
    sha256: str
    collections: tuple[str, ...]


class Tables(Mapping[str, "pa.Table"]):
    """The facts tables by name, each read from its Parquet file when it is first asked for.

    ``content`` is what was saved with them; ``store`` the cache with the files: a passing one goes with its last user.
    """

    def __init__(self, folder: Path, content: Mapping[str, Any], store: Cache | None = None) -> None:
        self.folder = folder
        self.content = content
        self.rows: dict[str, int] = dict(content["rows"])
        self._store = store
        self._read: dict[str, pa.Table] = {}

    def files(self, name: str) -> list[Path]:
        """The table's Parquet files: one, or one for each part of a large table."""
        return table_files(self.folder, name)

    def __getitem__(self, name: str) -> "pa.Table":
        if name not in self.rows:
            raise KeyError(name)
        if name not in self._read:
            import pyarrow as pa
            import pyarrow.parquet as pq

            from affidavit.tables import arrow_schema

            table = pa.concat_tables([pq.read_table(path) for path in self.files(name)])
            whole = arrow_schema(name)
            schema = pa.schema([whole.field(column) for column in table.schema.names])
            self._read[name] = table.cast(schema).combine_chunks()
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


class Ders(Mapping[str, bytes]):
    """The DER encodings of the certificates at hand by SHA-256, read when the first one is asked for; see `Tables`."""

    def __init__(
        self, files: tuple[Path, ...], wanted: frozenset[str] | None = None, store: Cache | None = None
    ) -> None:
        self._files = files
        self._sources = wanted
        self._store = store

    @cached_property
    def _all(self) -> dict[str, bytes]:
        import pyarrow.parquet as pq

        found: dict[str, bytes] = {}
        for path in self._files:
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(columns=["sha256", "der", "_source"]):
                    columns = (batch.column(i).to_pylist() for i in range(3))
                    for digest, der, source in zip(*columns, strict=True):
                        if self._sources is None or source in self._sources:
                            found.setdefault(digest, der)
        return found

    def __getitem__(self, digest: str) -> bytes:
        return self._all[digest]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._all))

    def __len__(self) -> int:
        return len(self._all)


@dataclass(frozen=True)
class Facts:
    """The facts tables of a report, what could not be read, the files behind them, and the certificates' DER.

    ``key`` is a hash of all that they are a function of; empty where nobody has worked it out.
    """

    tables: Mapping[str, "pa.Table"]
    problems: tuple[Problem, ...]
    files: tuple[FileFact, ...]
    ders: Mapping[str, bytes] = field(default_factory=dict)
    wanted: Wanted = field(default_factory=Wanted.everything)
    key: str = ""

    def sources(self) -> Mapping[str, "pa.Table | Sequence[Path]"]:
        """Where an engine reads each table: its files, or the table itself where it is in memory alone."""
        if isinstance(self.tables, Tables):
            return {name: self.tables.files(name) for name in self.tables}
        return dict(self.tables)

    @property
    def rows(self) -> Mapping[str, int] | None:
        """How many rows each table has, where that is known without reading it."""
        return self.tables.rows if isinstance(self.tables, Tables) else None


def table_files(folder: Path, name: str) -> list[Path]:
    """The files of a facts table: one, or one for each part."""
    one = folder / f"{name}.parquet"
    return [one] if one.is_file() else sorted(folder.glob(f"{name}.[0-9]*.parquet"))


def save(folder: Path, facts: dict[str, Any]) -> None:
    """Write what facts need beside their tables; the last thing written of them."""
    (folder / "facts.json").write_text(json.dumps(facts | {"octets": octets(folder)}), "utf-8")


def saved(folder: Path) -> dict[str, Any] | None:
    """What `save` wrote; None where there is none, or the files that it rests on are gone or cut short."""
    try:
        found = json.loads((folder / "facts.json").read_text("utf-8"))
        if not all(read_part(Path(path).parent) for path in found["ders"]):
            return None
        if not whole(folder, found["octets"]) or not all(table_files(folder, name) for name in found["rows"]):
            return None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return dict(found)


def to_arrow(rows: Mapping[str, list[dict[str, Any]]]) -> dict[str, "pa.Table"]:
    """Rows as Arrow tables of the declared schemas; a table of which nothing is said has no rows."""
    import pyarrow as pa

    from affidavit.tables import TABLES, arrow_schema

    return {name: pa.Table.from_pylist(rows.get(name, []), schema=arrow_schema(name)) for name in TABLES}


def problem_rows(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    """Problems as rows of their table; empty text is null."""
    names = ("file", "position", "field", "reason", "certificate", "collection", "excused")
    return [
        {name: getattr(p, name) if name == "position" else getattr(p, name) or None for name in names}
        | {"irregular": False}
        for p in problems
    ]
