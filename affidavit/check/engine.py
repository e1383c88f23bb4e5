"""Where queries run: DuckDB, in memory, locked, with limits of time and memory.

``Engine`` is the seam behind which another engine may stand: it takes queries in parsed form over the
documented tables and gives rows.
"""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

from sqlglot import exp

from affidavit.types import LimitReached

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

SECONDS = 4.0
GRACE = 0.5
IDLE = 0.5
"""Seconds after which a watch with nothing to watch ends."""
MEMORY = "1GB"
MAX_ROWS = 1000
_TEXT = "affidavit text"
IN_MEMORY = 250_000
"""Files of at most so many rows are loaded; larger ones are read where they lie, a column and a zone at a time."""


class QueryError(ValueError):
    """The engine refuses a query: types that do not fit, a name that it does not know."""


class Engine(Protocol):
    """Runs a parsed query over the facts tables."""

    def run(self, query: exp.Query, limit: int = MAX_ROWS, seconds: float | None = None) -> list[dict[str, Any]]:
        """At most ``limit`` rows, within so many seconds; QueryError or LimitReached."""
        ...

    def ask(self, words: Sequence[object], query: Callable[[], exp.Query], limit: int) -> list[dict[str, Any]]:
        """The rows of a query that ``words`` (values of JSON) tell from every other one.

        It need not be made where its rows are known.
        """
        ...


class _Watch:
    """Interrupts queries that take longer than they may: one thread for all, since a query may take less than a thread.

    It sleeps until the earliest end of those that it knows; only an earlier one wakes it.
    """

    def __init__(self) -> None:
        self._running: dict[int, tuple[float, duckdb.DuckDBPyConnection]] = {}
        self._changed = threading.Condition()
        self._until = 0.0
        self._number = 0
        self._thread: threading.Thread | None = None
        self._closed = False

    def begin(self, connection: "duckdb.DuckDBPyConnection", seconds: float) -> int:
        """Watch a query that begins now; the number to end it by."""
        end = monotonic() + seconds
        with self._changed:
            self._number += 1
            self._running[self._number] = (end, connection)
            if self._thread is None:
                self._until = end
                self._thread = threading.Thread(target=self._work, daemon=True)
                self._thread.start()
            elif end < self._until:
                self._changed.notify()
            return self._number

    def end(self, number: int) -> None:
        """The query has ended."""
        with self._changed:
            self._running.pop(number, None)

    def close(self) -> None:
        """Watch no longer."""
        with self._changed:
            self._closed = True
            self._changed.notify()
            thread = self._thread
        if thread is not None:
            thread.join(IDLE)

    def _work(self) -> None:
        with self._changed:
            while not self._closed:
                now = monotonic()
                for number in [number for number, (end, _) in self._running.items() if end <= now]:
                    # Nothing here keeps a connection beyond this line: what is left at exit, the library tells of.
                    self._running.pop(number)[1].interrupt()
                ends = [end for end, _ in self._running.values()]
                # With nothing to watch it looks once again before it ends: the next query mostly finds it there.
                self._until = min(ends, default=now + IDLE)
                self._changed.wait(max(0.0, self._until - now))
                if not ends and not self._running:
                    break
            self._thread = None


class DuckDb:
    """The default engine: one locked in-memory database that holds the facts tables.

    It is made when the first query comes: where all that is asked is known already, none is needed. ``first``: the
    tables that are loaded then, if not all; a query that reads another one has a database made with all of them.
    ``rows``: how many each has, where that is known.
    """

    def __init__(
        self,
        tables: Mapping[str, "pa.Table | Sequence[Path]"],
        seconds: float = SECONDS,
        memory: str = MEMORY,
        threads: int = 2,
        first: Collection[str] | None = None,
        rows: Mapping[str, int] | None = None,
    ) -> None:
        self.seconds = seconds
        self._tables = tables
        self._memory = memory
        self._threads = threads
        self._rows = rows
        self._local = threading.local()
        self._watch = _Watch()
        self._opening = threading.Lock()
        self._loaded = frozenset(tables) if first is None else frozenset(first) & tables.keys()
        self._opened: list[duckdb.DuckDBPyConnection] = []

    @property
    def _connection(self) -> "duckdb.DuckDBPyConnection":
        with self._opening:
            if not self._opened:
                self._opened.append(self._open({name: self._tables[name] for name in self._loaded}))
            return self._opened[-1]

    def _load(self, query: exp.Query) -> None:
        """Have a database with all tables where a query reads one that was not loaded at first."""
        if len(self._loaded) == len(self._tables):
            return
        if not {table.name for table in query.find_all(exp.Table)} & (self._tables.keys() - self._loaded):
            return
        with self._opening:
            self._loaded = frozenset(self._tables)
            self._opened.append(self._open(self._tables))
            self._local = threading.local()

    def _open(self, tables: "Mapping[str, pa.Table | Sequence[Path]]") -> "duckdb.DuckDBPyConnection":
        import duckdb

        # Told at once: threads begun and extensions looked for first would take as long as the rest.
        config: dict[str, str | bool | int | float | list[str]] = {
            "threads": str(self._threads),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        }
        connection = duckdb.connect(":memory:", config=config)
        folders: set[str] = set()
        rows = self._rows
        if rows is None:
            rows = {n: _rows(connection, files) for n, files in tables.items() if isinstance(files, Sequence)}
        for name, table in tables.items():
            if isinstance(table, Sequence):
                files = [str(path) for path in table]
                if rows[name] > IN_MEMORY:
                    folders.update(str(path.parent) for path in table)
                    connection.read_parquet(files).create_view(name)
                else:
                    # Not as a relation: that asks for its schema by itself first, which takes longer than a small file.
                    connection.execute(f"CREATE TABLE {name} AS SELECT * FROM read_parquet(?)", [files])  # noqa: S608
                continue
            connection.from_arrow(table).create(name)
        if folders:
            connection.execute("SET allowed_directories=?", [sorted(folders)])
        for setting in (
            "SET python_enable_replacements=false",
            f"SET memory_limit='{self._memory}'",
            "SET temp_directory=''",
            "SET enable_external_access=false",
            "SET lock_configuration=true",
        ):
            connection.execute(setting)
        return connection

    def run(self, query: exp.Query, limit: int = MAX_ROWS, seconds: float | None = None) -> list[dict[str, Any]]:
        """At most ``limit`` rows as dictionaries; QueryError for a bad query, LimitReached past a bound."""
        self._load(query)
        allowed = self.seconds if seconds is None else min(self.seconds, seconds)
        sql = sql_of(query)
        # In the text, since looking through the tree takes longer; a literal that says so is run apart for nothing.
        return (self._run_apart if "REGEXP" in sql.upper() else self._run_here)(sql, limit, allowed)

    def ask(self, words: Sequence[object], query: Callable[[], exp.Query], limit: int) -> list[dict[str, Any]]:
        """See `Engine.ask`."""
        return self.run(query(), limit)

    def _run_apart(self, sql: str, limit: int, allowed: float) -> list[dict[str, Any]]:
        """Run in a thread that is left behind if it does not end.

        The engine heeds no interrupt inside one batch of rows, and a pattern over long texts can keep it there.
        """
        outcome: list[Any] = []
        own = self._own()

        def work() -> None:
            self._local.connection = own
            try:
                outcome.append(self._run_here(sql, limit, allowed))
            except BaseException as error:  # raised again by who waits for it
                outcome.append(error)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        thread.join(allowed + GRACE)
        if thread.is_alive():
            del self._local.connection
            raise LimitReached(f"the query takes longer than {self.seconds:g} s")
        if isinstance(outcome[0], BaseException):
            raise outcome[0]
        rows: list[dict[str, Any]] = outcome[0]
        return rows

    def _run_here(self, sql: str, limit: int, allowed: float) -> list[dict[str, Any]]:
        import duckdb

        own = self._own()
        watched = self._watch.begin(own, allowed)
        try:
            cursor = own.execute(sql)
            names = [column[0] for column in cursor.description or ()]
            rows = cursor.fetchmany(limit)
        except duckdb.InterruptException:
            raise LimitReached(f"the query takes longer than {self.seconds:g} s") from None
        except duckdb.OutOfMemoryException:
            raise LimitReached("the query needs more memory than it may use") from None
        except duckdb.Error as error:
            raise QueryError(_first_line(str(error))) from None
        finally:
            self._watch.end(watched)
        return [dict(zip(names, row, strict=True)) for row in rows]

    def _own(self) -> "duckdb.DuckDBPyConnection":
        """This thread's own connection to the one database."""
        if not hasattr(self._local, "connection"):
            self._local.connection = self._connection.cursor()
        found: duckdb.DuckDBPyConnection = self._local.connection
        return found

    def close(self) -> None:
        """Give the memory back; a query that was left behind keeps it until it ends."""
        if self._opened:
            import duckdb

            for connection in self._opened:
                with suppress(duckdb.Error):
                    connection.close()
        self._watch.close()


def sql_of(query: exp.Query) -> str:
    """A query's text, made once; it must not change any more."""
    if _TEXT not in query.meta:
        query.meta[_TEXT] = query.sql(dialect="duckdb", copy=False)
    return str(query.meta[_TEXT])


def _rows(connection: "duckdb.DuckDBPyConnection", files: Sequence[Path]) -> int:
    """How many rows some Parquet files have."""
    query = "SELECT sum(num_rows) FROM parquet_file_metadata(?)"
    found = connection.execute(query, [[str(file) for file in files]]).fetchall()
    return int(found[0][0] or 0)


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "the query failed")
