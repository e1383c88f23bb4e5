"""A whole check over evidence of any size: linear in time, bounded in memory, and hardly anything the second time.

Each run is the program as a user starts it, with a cache of its own; the memory is that of all its processes together,
read from ``/proc`` 20 times a second (proportional set size: what they share counts once). ``python -m
benchmarks.pipeline COUNT`` measures another number of certificates than 1,000,000.
"""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import corpus
from benchmarks.__main__ import PYTHON, ROOT, Figure

SMALL, LARGE = 10_000, 1_000_000
MEBIBYTE = 1 << 20
INCIDENT = """\
title: Many certificates
kind: analysis
date: 2026-01-01
trust: none
evidence:
  all: {files: "der.*"}
claims:
  how-many: {says: All of them., over: all, count: COUNT, every: {sct_count: 2}, distinct: {serial: COUNT}}
summary: "[All](claim:how-many)"
"""


@dataclass(frozen=True)
class Spent:
    """Wall time in seconds and the peak of memory in octets."""

    seconds: float
    peak: int


def _family(parent: int) -> list[int]:
    found = [parent]
    for task in Path(f"/proc/{parent}/task").glob("*/children"):
        try:
            listed = task.read_text().split()
        except OSError:
            continue
        for child in listed:
            found += _family(int(child))
    return found


def _memory(parent: int) -> int:
    whole = 0
    for pid in _family(parent):
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        whole += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return whole


def measured(arguments: list[str], environment: dict[str, str]) -> Spent:
    """A run of the program that must pass."""
    peak, ended = 0, threading.Event()
    start = time.perf_counter()
    process = subprocess.Popen(
        [PYTHON, "-m", "affidavit", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )

    def watch() -> None:
        nonlocal peak
        while not ended.wait(0.05):
            peak = max(peak, _memory(process.pid))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    output, _ = process.communicate()
    spent = time.perf_counter() - start
    ended.set()
    watcher.join()
    if process.returncode:
        raise RuntimeError(output.decode(errors="replace")[-2000:])
    return Spent(spent, peak)


def checked(count: int, write: Callable[[Path, int], None], name: str) -> tuple[Spent, Spent]:
    """A first and a second check over so many certificates."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for place in ("evidence/many", "reports/many"):
            (root / place).mkdir(parents=True)
        (root / "reports/many/incident.yaml").write_text(INCIDENT.replace("COUNT", str(count)), "utf-8")
        write(root / "evidence/many" / name, count)
        environment = {**os.environ, "XDG_CACHE_HOME": str(root / "cache"), "NO_COLOR": "1"}
        run = ["--root", str(root), "check"]
        return measured(run, environment), measured(run, environment)


def pipeline(large: int = LARGE) -> list[Figure]:
    """Linear time, memory and the second check, for Parquet and for PEM."""
    figures = []
    for name, write in (("der.parquet", corpus.write_parquet), ("der.pem", corpus.write_pem)):
        form = name.rpartition(".")[2]
        small, _ = checked(SMALL, write, name)
        first, second = checked(large, write, name)
        each = (first.seconds / large) / (small.seconds / SMALL)
        figures += [
            Figure(f"{form}: cost each at {large:,}", each, f"x that at {SMALL:,} ({first.seconds:.1f} s)", 1.15),
            Figure(f"{form}: peak memory at {large:,}", first.peak / MEBIBYTE, "MiB", 1536),
            Figure(f"{form}: second check at {large:,}", second.seconds / first.seconds, "x the first", 0.05),
        ]
    return figures


if __name__ == "__main__":
    for figure in pipeline(*(int(text) for text in sys.argv[1:2])):
        print(figure.line(), flush=True)
