"""``make bench``: one line a figure, ``name value unit (goal ...) ok`` or ``... SHORT``.

``python -m benchmarks GROUP...`` measures some groups only. The exit status is 1 where a goal is not reached.

Only ratios count: a floor is measured in turn with the thing itself, several times, and the median of the
ratios of neighbours is taken. Machines differ; ratios within one run do so far less.
"""

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from itertools import count
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


EDITS = {
    "words": ("says: 313 certificates", "says: Edition {} of 313 certificates"),
    "figure": ("count: 313", "count: {}"),
    "rows": ("count: 313", "where: validity_seconds > {}\n    count: 313"),
}
"""What is edited in a claim, each time into something that no check has seen."""


def start_up() -> list[Figure]:
    """What each use feels before any work is done."""
    floor = process("-c", "import click")
    figures = [Figure("help", ratio(process("build.py", "--help"), floor, 7), "x import click", 2.0)]
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "project"
        for name in ("reports", "evidence"):
            shutil.copytree(ROOT / name, copy / name)
        check_arguments = ["-m", "affidavit", "--root", str(copy), "check", "wosign-2016"]
        check = process(*check_arguments)
        check()
        same = ratio(check, process("-c", "import click, yaml"), 7)
        figures.append(Figure("check, nothing changed", same, "x import click, yaml", 3.0))
        incident = copy / "reports/wosign-2016/incident.yaml"
        text = incident.read_text("utf-8")
        floor = process("-c", "import duckdb, pyarrow, pydantic, sqlglot, yaml")
        for what, (was, now) in EDITS.items():
            if was not in text:
                raise RuntimeError(f"there is no {was!r} to change")
            numbers = count(1)

            def changed(was: str = was, now: str = now, numbers: Iterator[int] = numbers) -> None:
                incident.write_text(text.replace(was, now.format(next(numbers)), 1), "utf-8")
                # A claim that no longer holds is what such an edit is for: the check says 1.
                if (
                    subprocess.run([PYTHON, *check_arguments], cwd=ROOT, check=False, capture_output=True).returncode
                    > 1
                ):
                    raise RuntimeError("the check fails")

            changed()
            name = f"check, one claim's {what} changed"
            figures.append(Figure(name, ratio(changed, floor, 9), "x import of its libraries", 1.5))
    return figures


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


GROUPS: dict[str, str] = {
    "extraction": "extraction",
    "claims": "checking",
    "authenticity": "authenticity",
    "manyclaims": "measure",
    "pipeline": "pipeline",
}
"""Modules of this package with what in them measures, each loaded when it comes to be its turn."""


def main(wanted: Sequence[str]) -> int:
    """Measure and print, each figure as soon as it is known; how many goals were not reached."""
    groups: dict[str, Callable[[], list[Figure]]] = {"start": start_up, "build": building}
    for module, name in GROUPS.items():
        groups[module] = partial(_imported, module, name)
    if unknown := [name for name in wanted if name not in groups]:
        print(f"no such group: {', '.join(unknown)}; there are {', '.join(groups)}", file=sys.stderr)
        return 2
    short = 0
    for group in wanted or groups:
        for figure in groups[group]():
            print(figure.line(), flush=True)
            short += figure.value > figure.goal
    return 1 if short else 0


def _imported(module: str, name: str) -> list[Figure]:
    made: list[Figure] = getattr(import_module(f"benchmarks.{module}"), name)()
    return made


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
