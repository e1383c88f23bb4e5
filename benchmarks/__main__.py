"""``make bench``: one line a figure, ``name value unit (goal ...) ok`` or ``... SHORT``.

Only ratios count: a floor is measured in turn with the thing itself, several times, and the median of the
ratios of neighbours is taken. Machines differ; ratios within one run do so far less.
"""

import hashlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable


@dataclass(frozen=True)
class Figure:
    """A measured ratio and its goal: at most so much."""

    name: str
    value: float
    unit: str
    goal: float

    def line(self) -> str:
        """As it is printed."""
        verdict = "ok" if self.value <= self.goal else "SHORT"
        return f"{self.name} {self.value:.3g} {self.unit} (goal {self.goal:g}) {verdict}"


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def ratio(work: Callable[[], object], floor: Callable[[], object], rounds: int) -> float:
    """The median over rounds of work's time over the floor's, measured in turn."""
    return statistics.median(seconds(work) / seconds(floor) for _ in range(rounds))


def process(*arguments: str, cwd: Path = ROOT) -> Callable[[], object]:
    """A whole process of this Python; its output is not shown, a failure is raised."""

    def run() -> None:
        subprocess.run([PYTHON, *arguments], cwd=cwd, check=True, capture_output=True)

    return run


def start_up() -> list[Figure]:
    """What each use feels before any work is done."""
    floor = process("-c", "import click")
    return [Figure("help", ratio(process("build.py", "--help"), floor, 7), "x import click", 2.0)]


def building() -> list[Figure]:
    """A second build with nothing changed, over the first; of a copy, so that the checkout's site stays."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "project"
        for name in ("reports", "evidence"):
            shutil.copytree(ROOT / name, copy / name)
        build = process(str(ROOT / "build.py"), "--root", str(copy))
        first = seconds(build)
        second = statistics.median(seconds(build) for _ in range(3))
    return [Figure("second build", second / first, f"x first build ({first:.1f} s)", 0.2)]


def extracting() -> list[Figure]:
    """The row of each certificate of the founding case, over its hash and the library's bare load."""
    from cryptography.x509 import load_der_x509_certificate

    from affidavit.evidence.certificate import read_certificate
    from affidavit.evidence.extract import extract
    from affidavit.incident.load import load

    report = load(ROOT / "reports/wosign-2016/incident.yaml", ROOT / "evidence", ROOT)
    ders = list(extract(report).ders.values())

    def floor() -> None:
        for der in ders:
            hashlib.sha256(der).hexdigest()
            load_der_x509_certificate(der)

    def rows() -> None:
        for der in ders:
            read_certificate(der)

    return [Figure("certificate rows, careful way", ratio(rows, floor, 7), "x sha256 + load", 12.0)]


def checking() -> list[Figure]:
    """All claims of the founding case over extracted facts, over one scan of its certificates a claim."""
    from sqlglot import exp

    from affidavit.check.compile import compile_claims
    from affidavit.check.engine import DuckDb
    from affidavit.evidence.extract import extract
    from affidavit.incident.load import load
    from affidavit.run import check_facts
    from affidavit.tables import CERTIFICATES

    report = load(ROOT / "reports/wosign-2016/incident.yaml", ROOT / "evidence", ROOT)
    claims, facts = compile_claims(report), extract(report)
    scan = exp.select(*(exp.Min(this=exp.column(name)) for name in CERTIFICATES.names)).from_("certificates")
    engine = DuckDb(facts.tables)

    def floor() -> None:
        for _ in claims:
            engine.run(scan)

    value = ratio(lambda: check_facts(report, claims, facts), floor, 5)
    return [Figure("claims of the founding case", value, f"x {len(claims)} full scans", 10.0)]


def main() -> None:
    """Measure and print, each figure as soon as it is known."""
    for group in (start_up, extracting, checking, building):
        for figure in group():
            print(figure.line(), flush=True)


if __name__ == "__main__":
    main()
