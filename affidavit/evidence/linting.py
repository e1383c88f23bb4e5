"""Certificates linted by pkilint where claims ask for it: bounded, in child processes, kept between runs by content.

What pkilint says of a certificate depends on its bytes, the profile and pkilint's version alone; all of it is kept (the
cache is one version's, see `inputs.program_digest`), so that a claim about another rule of the profile costs nothing.
For the tables only the rules asked for are made into rows: one for each finding, or one that says `pass` or `not
applicable`. A certificate that pkilint cannot lint, or not whole, is a fault and passes nothing.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from affidavit.evidence import cache, pkilinter, workers
from affidavit.evidence.assemble import Assembly
from affidavit.evidence.cache import Cache
from affidavit.evidence.corpus import Lint
from affidavit.evidence.database import N, T, W
from affidavit.evidence.facts import Progress
from affidavit.evidence.pkilinter import Linted, Task

BATCH = 64
KEPT_TOGETHER = 8192
"""So many certificates' results are written to the cache at a time: an interrupted run keeps the rest."""
MEMORY = 1024**3

_FINDING = pa.struct([("code", T), ("result", T), ("details", T)])
LINTED = pa.schema(
    [("sha256", T), ("profile", T), ("linted_as", T), ("source", T), ("ran", T), ("failed", T),
     ("findings", pa.list_(_FINDING))]
)  # fmt: skip
"""What is kept of each certificate; ``ran`` is a list in one text, since few different ones occur."""


class Linting:
    """Lints what an assembly's claims ask for: tables `own_lints` and `lint_faults`."""

    def __init__(self, assembly: Assembly, store: Cache, progress: Progress, processes: int | None = None) -> None:
        self.assembly = assembly
        self.store = store
        self.progress = progress
        self.processes = processes or os.cpu_count() or 1

    def run(self, asked: Sequence[Lint]) -> None:
        """Make both tables; needs `certificates` and `chosen`. They are empty where nothing is asked for, and where
        pkilint is not installed: then the claims themselves say so.
        """
        self.assembly.small("lint_faults", [], certificate=T, reason=T)
        self.assembly.small(
            "own_lints", [], certificate=T, linter=T, version=T, profile=T, code=T, result=T, source_of_rule=T,
            effective=W, details=T, file=T, position=N, collection=T,
        )  # fmt: skip
        version = pkilinter.version() if asked else None
        if version is None:
            return
        self.assembly.small(
            "lints_asked", [one._asdict() for one in asked], collection=T, kind=T, profile=T, code=T
        )  # fmt: skip
        self.assembly.db.execute(
            """CREATE TABLE lints_wanted AS SELECT DISTINCT a.profile, a.code, c.sha256
            FROM lints_asked a JOIN certificates c ON c.collection = a.collection
              AND (a.kind = 'any' OR c.kind = a.kind)"""
        )
        self._known()
        unkept = self._lint()
        self._known(unkept)
        self._rows(version)

    def _known(self, more: Iterable[dict[str, object]] = ()) -> None:
        """The view `linted`: what the cache holds of the certificates wanted, and what must not be kept."""
        db = self.assembly.db
        files = sorted(self.store.lints_folder.glob("*/linted.parquet"))
        for file in files:
            cache.touch(file.parent)
        self._table("unkept", more)
        held = " UNION ALL BY NAME SELECT * FROM read_parquet([{}])".format(", ".join(map(_quoted, files)))
        db.execute(
            "CREATE OR REPLACE TABLE linted AS SELECT DISTINCT ON (sha256, profile) * FROM (SELECT * FROM unkept"
            f"{held if files else ''}) WHERE (sha256, profile) IN (SELECT (sha256, profile) FROM lints_wanted) "
            "ORDER BY sha256, profile, failed NULLS FIRST"
        )

    def _table(self, name: str, rows: Iterable[dict[str, object]]) -> None:
        db = self.assembly.db
        db.register("incoming", pa.Table.from_pylist(list(rows), schema=LINTED))
        db.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM incoming")
        db.unregister("incoming")

    def _lint(self) -> list[dict[str, object]]:
        """Lint what is not known yet, and keep it; the rows that say more about this run than about a certificate."""
        lacking = """SELECT DISTINCT w.profile, w.sha256 FROM lints_wanted w
            ANTI JOIN linted l ON l.sha256 = w.sha256 AND l.profile = w.profile"""
        ((total,),) = self.assembly.rows(f"SELECT count(*) FROM ({lacking})")
        if not total:
            return []
        query = f"""SELECT m.profile, m.sha256, r.der FROM ({lacking}) m
            JOIN (SELECT sha256, arg_min(found, collection) AS found FROM chosen GROUP BY sha256) h
              ON h.sha256 = m.sha256
            JOIN raw_certificates r ON r.part = h.found.part AND r.row = h.found.row
            ORDER BY m.profile, m.sha256"""
        fresh: list[dict[str, object]] = []
        unkept: list[dict[str, object]] = []
        for done, (digest, profile, said, kept) in enumerate(self._said(self.assembly.batches(query, BATCH)), 1):
            (fresh if kept else unkept).append(_row(digest, profile, said))
            if done % BATCH == 0 or done == total:
                self.progress("linting with pkilint", done, total)
            if len(fresh) >= KEPT_TOGETHER:
                self._keep(fresh)
                fresh = []
        if fresh:
            self._keep(fresh)
        return unkept

    def _keep(self, rows: list[dict[str, object]]) -> None:
        folder = self.store.new_folder()
        table = pa.Table.from_pylist(rows, schema=LINTED)
        pq.write_table(table, folder / "linted.parquet", compression="zstd")
        self.store.keep(folder, self.store.lints_folder / folder.name)

    def _said(self, batches: Iterator[list[tuple[str, str, bytes]]]) -> Iterator[tuple[str, str, Linted, bool]]:
        """SHA-256, profile, what pkilint says, and whether that is to be kept, of each certificate."""
        named: dict[Task, list[str]] = {}

        def tasks() -> Iterator[Task]:
            for some in batches:
                for profile in sorted({row[0] for row in some}):
                    mine = [(digest, bytes(der)) for p, digest, der in some if p == profile]
                    small = [(digest, der) for digest, der in mine if len(der) <= pkilinter.MAX_OCTETS]
                    large.extend((digest, profile) for digest, der in mine if len(der) > pkilinter.MAX_OCTETS)
                    if small:
                        task = Task(profile, tuple(der for _, der in small))
                        named[task] = [digest for digest, _ in small]
                        yield task

        large: list[tuple[str, str]] = []
        again: list[tuple[str, Task]] = []
        with workers.Pool(self.processes, MEMORY, BATCH * pkilinter.SECONDS + 60) as pool:
            waiting = tasks()
            while some := list(islice(waiting, 4 * self.processes)):
                for task, result in pool.map(pkilinter.lint, some):
                    digests = named.pop(task)
                    if isinstance(result, workers.Failure):
                        again += [(d, Task(task.profile, (der,))) for d, der in zip(digests, task.ders, strict=True)]
                        continue
                    for digest, said in zip(digests, result, strict=True):
                        yield digest, task.profile, said, True
            # What brings a process down is found by giving each certificate of its batch a call of its own.
            for digest, task in again:
                for _, result in pool.map(pkilinter.lint, [task]):
                    if isinstance(result, workers.Failure):
                        failed = Linted("", "", (), (), f"pkilint cannot read it: {result.reason}")
                        yield digest, task.profile, failed, False
                    else:
                        yield digest, task.profile, result[0], True
        words = f"it is larger than {pkilinter.MAX_OCTETS:,} octets, and was not linted"
        for digest, profile in large:
            yield digest, profile, Linted("", "", (), (), words), True

    def _rows(self, version: str) -> None:
        """The tables, from what is known."""
        self.assembly.db.execute(
            """CREATE OR REPLACE TABLE own_lints AS
            WITH found AS (
              SELECT w.sha256, w.code, l.source, l.failed, l.linted_as, list_contains(string_split(l.ran, ' '), w.code)
                  AS ran, trim(w.profile || ' ' || l.linted_as) AS profile,
                list_filter(l.findings, lambda one: one.code = w.code) AS hits
              FROM lints_wanted w JOIN linted l ON l.sha256 = w.sha256 AND l.profile = w.profile),
            said AS (
              SELECT * EXCLUDE (hits), unnest(hits) AS hit, generate_subscripts(hits, 1) AS position FROM found
              WHERE len(hits) > 0)
            SELECT sha256 AS certificate, 'pkilint' AS linter, $version AS version, profile, code, hit.result AS result,
              source AS source_of_rule, NULL::TIMESTAMP AS effective, nullif(hit.details, '') AS details,
              NULL::VARCHAR AS file, position, NULL::VARCHAR AS collection
            FROM said
            UNION ALL BY NAME
            SELECT sha256 AS certificate, 'pkilint' AS linter, $version AS version, profile, code,
              CASE WHEN ran THEN 'pass' ELSE 'not applicable' END AS result, source AS source_of_rule,
              CASE WHEN NOT ran THEN 'the rule judges nothing that stands in it' END AS details, 1 AS position
            FROM found WHERE len(hits) = 0 AND failed IS NULL""",
            {"version": version},
        )
        self.assembly.db.execute(
            """CREATE OR REPLACE TABLE lint_faults AS
            SELECT DISTINCT sha256 AS certificate, failed AS reason FROM linted WHERE failed IS NOT NULL"""
        )


def _row(digest: str, profile: str, said: Linted) -> dict[str, object]:
    return {
        "sha256": digest, "profile": profile, "linted_as": said.linted_as, "source": said.source or None,
        "ran": " ".join(said.ran), "failed": said.failed, "findings": [one._asdict() for one in said.findings],
    }  # fmt: skip


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
