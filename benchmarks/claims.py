"""What judging claims costs: 1,000 claims of mixed types over one full scan of the table that they are about.

The scan (the floor) is the minimum of every column of `certificates`, through the same engine. Nine claims in ten are
true, as in a report; what is true of the corpus is worked out with pyarrow. ``python -m benchmarks.claims ROWS`` gives
the figure for another number of certificates than 100,000.
"""

import statistics
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import yaml
from sqlglot import exp

from affidavit.check.compile import CompiledClaim, compile_claims
from affidavit.check.engine import DuckDb
from affidavit.check.needs import wanted_by
from affidavit.evidence.extract import extract
from affidavit.incident.load import Report, load
from affidavit.run import check_facts
from affidavit.types import Outcome
from benchmarks import corpus
from benchmarks.__main__ import Figure, seconds

ROWS = 100_000
CLAIMS = 1_000
DAY = timedelta(days=1)
COLUMNS = [
    "sha256",
    "issuer_cn",
    "not_before",
    "not_after",
    "key_type",
    "key_bits",
    "validation",
    "serial",
    "sct_count",
]
Claim = dict[str, Any]


def _scope(draw: Random) -> tuple[Claim, Any]:
    """What a claim is about: as the incident file says it, and as pyarrow does."""
    issuer = f"Benchmark TLS CA {draw.randrange(8)}"
    where: Claim = {"issuer_cn": issuer}
    test = pc.field("issuer_cn") == issuer
    if draw.random() < 0.6:
        start = corpus.START + DAY * draw.randrange(600)
        end = start + DAY * draw.randrange(1, 60)
        where["not_before"] = {"from": f"{start:%Y-%m-%d}", "until": f"{end:%Y-%m-%d}"}
        low, high = (pa.scalar(t.replace(tzinfo=None), pa.timestamp("us")) for t in (start, end + DAY))
        test = test & (pc.field("not_before") >= low) & (pc.field("not_before") < high)
    if draw.random() < 0.4:
        where["validation"] = draw.choice(["OV", "DV"])
        test = test & (pc.field("validation") == where["validation"])
    return where, test


def _stated(kind: int, rows: pa.Table, right: bool) -> Claim:
    """One of seven types of claim about some rows: true, or the next thing to it."""
    off = 0 if right else 1
    first, last = (f(rows["not_before"]).as_py() for f in (pc.min, pc.max))

    def day(moment: datetime) -> str:
        return f"{moment - DAY * off:%Y-%m-%d}"

    return (
        {"count": rows.num_rows + off},
        {"earliest": {"not_before": day(first)}},
        {"count": rows.num_rows, "latest": {"not_before": day(last)}},
        {"distinct": {"serial": pc.count_distinct(rows["serial"]).as_py() + off}},
        {"every": {"sct_count": 2 + off}},
        {"none": {"not_before": {"before": f"{first if right else first + 2 * DAY:%Y-%m-%d}"}}},
        {"some": {"key_type": "EC"}},
    )[kind]


def claims(table: pa.Table, number: int) -> dict[str, Claim]:
    """So many claims about the corpus, from a seed; those about nothing are drawn again."""
    draw, made = Random(2), dict[str, Claim]()
    while len(made) < number:
        where, test = _scope(draw)
        rows = table.filter(test)
        if rows.num_rows:
            right = draw.random() < 0.9
            stated = _stated(draw.randrange(7), rows, right)
            made[f"claim-{len(made)}"] = {"says": "It is so.", "over": "all", "where": where} | stated
    return made


def _report(folder: Path, made: dict[str, Claim]) -> Report:
    path = folder / "reports/bench/incident.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    body = {"title": "Claims", "kind": "analysis", "date": "2026-01-01", "trust": "none"}
    path.write_text(
        yaml.safe_dump({**body, "evidence": {"all": {"files": "*.parquet"}}, "claims": made}, sort_keys=False), "utf-8"
    )
    return load(path, folder / "evidence", folder)


def _outcomes(report: Report, compiled: dict[str, CompiledClaim], facts: Any) -> dict[Outcome, int]:
    return dict(check_facts(report, compiled, facts).tally.counts)


def many(rows: int = ROWS, number: int = CLAIMS, rounds: int = 3) -> list[Figure]:
    """1,000 claims over many rows, over one scan of them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "evidence/bench").mkdir(parents=True)
        corpus.write_parquet(folder / "evidence/bench/der.parquet", rows)
        first = _report(folder, {"all": {"says": "All.", "over": "all", "count": rows}})
        facts = extract(first, wanted_by(compile_claims(first).values()), cache=folder / "cache")
        report = _report(folder, claims(facts.tables["certificates"].select(COLUMNS), number))
        compiled = dict(compile_claims(report))
        engine = DuckDb(facts.sources())
        scan = exp.select(*(exp.Min(this=exp.column(c)) for c in facts.wanted.columns("certificates")))
        scan = scan.from_("certificates")
        engine.run(scan)
        floor = statistics.median(seconds(lambda: engine.run(scan)) for _ in range(5))
        outcomes = _outcomes(report, compiled, facts)
        if not 0.5 < outcomes[Outcome.VERIFIED] / number < 1:
            raise RuntimeError(f"the claims are not what they are meant to be: {outcomes}")
        spent = min(seconds(lambda: check_facts(report, compiled, facts)) for _ in range(rounds))
        engine.close()
    return [Figure(f"{number:,} claims over {rows:,} rows", spent / floor, f"x full scan ({floor * 1e3:.0f} ms)", 60.0)]


def usual(rows: int = 400, number: int = 50) -> list[Figure]:
    """A report's usual claims and rows: seconds of checking."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "evidence/bench").mkdir(parents=True)
        corpus.write_parquet(folder / "evidence/bench/der.parquet", rows)
        first = _report(folder, {"all": {"says": "All.", "over": "all", "count": rows}})
        facts = extract(first, wanted_by(compile_claims(first).values()), cache=folder / "cache")
        report = _report(folder, claims(facts.tables["certificates"].select(COLUMNS), number))
        compiled = dict(compile_claims(report))
        spent = min(seconds(lambda: check_facts(report, compiled, facts)) for _ in range(5))
    return [Figure(f"{number} claims over {rows} rows", spent, "s", 0.25)]


def checking() -> list[Figure]:
    """Both."""
    return [*usual(), *many()]


if __name__ == "__main__":
    for figure in many(*(int(text) for text in sys.argv[1:2])) if sys.argv[1:] else checking():
        print(figure.line(), flush=True)
