"""Where queries run: DuckDB, in memory, locked, with limits of time and memory.

``Engine`` is the seam behind which another engine may stand: it takes queries in parsed form over the
documented tables and gives rows.
"""

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import duckdb
from sqlglot import exp

from affidavit.types import LimitReached

if TYPE_CHECKING:
    import pyarrow as pa

SECONDS = 4.0
MEMORY = "1GB"
MAX_ROWS = 1000


class QueryError(ValueError):
    """The engine refuses a query: types that do not fit, a name that it does not know."""


class Engine(Protocol):
    """Runs a parsed query over the facts tables."""

    def run(self, query: exp.Query, limit: int = MAX_ROWS, seconds: float | None = None) -> list[dict[str, Any]]:
        """At most ``limit`` rows, within so many seconds; QueryError or LimitReached."""
        ...


class DuckDb:
    """The default engine: one locked in-memory database that holds the facts tables."""

    def __init__(self, tables: Mapping[str, "pa.Table"], seconds: float = SECONDS, memory: str = MEMORY) -> None:
        self.seconds = seconds
        self._connection = duckdb.connect(":memory:")
        connection = self._connection
        for name, table in tables.items():
            connection.register("incoming", table)
            connection.sql("SELECT * FROM incoming").create(name)
            connection.unregister("incoming")
        for setting in (
            "SET python_enable_replacements=false",
            "SET autoinstall_known_extensions=false",
            "SET autoload_known_extensions=false",
            "SET threads=2",
            f"SET memory_limit='{memory}'",
            "SET temp_directory=''",
            "SET enable_external_access=false",
            "SET lock_configuration=true",
        ):
            connection.execute(setting)

    def run(self, query: exp.Query, limit: int = MAX_ROWS, seconds: float | None = None) -> list[dict[str, Any]]:
        """At most ``limit`` rows as dictionaries; QueryError for a bad query, LimitReached past a bound."""
        allowed = self.seconds if seconds is None else min(self.seconds, seconds)
        timer = threading.Timer(allowed, self._connection.interrupt)
        timer.start()
        try:
            cursor = self._connection.execute(query.sql(dialect="duckdb"))
            names = [column[0] for column in cursor.description or ()]
            rows = cursor.fetchmany(limit)
        except duckdb.InterruptException:
            raise LimitReached(f"the query takes longer than {self.seconds:g} s") from None
        except duckdb.OutOfMemoryException:
            raise LimitReached("the query needs more memory than it may use") from None
        except duckdb.Error as error:
            raise QueryError(_first_line(str(error))) from None
        finally:
            timer.cancel()
        return [dict(zip(names, row, strict=True)) for row in rows]

    def close(self) -> None:
        """Give the memory back."""
        self._connection.close()


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "the query failed")
