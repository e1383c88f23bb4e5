"""One report with 10,000 claims of mixed types over a few hundred certificates: time and memory of a check as JSON."""

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.__main__ import PYTHON, ROOT, Figure

CLAIMS = 10_000
HEAD = """\
title: A report of many claims
kind: analysis
date: 2026-11-23
timezone: Asia/Shanghai
trust: [trust/root.pem]
evidence:
  english: {files: issue-h/english.pem, issuers: intermediates/*.pem}
  chinese: {files: issue-h/chinese.pem, issuers: intermediates/*.pem}
claims:
"""
#: Sentences with their claims; ``{n}`` makes each another one.
FORMS = (
    "says: There are 313., over: english, count: 313, every: {{key_bits: {{at_most: {big}}}}}",
    "says: Not one of them has it., over: english, none: {{subject_cn: host-{n}.example}}",
    "says: They have keys in plenty., over: [english, chinese], distinct: {{spki_sha256: {{at_most: {big}}}}}",
    "says: They begin before it., over: chinese, latest: {{not_before: {{before: '{year}-01-01T00:00:00Z'}}}}",
    "says: There are 27., over: chinese, where: {{key_bits: {{at_most: {big}}}}}, count: 27",
    "says: All of them., over: english, every: {{serial_octets: {{at_most: {big}}}, version: 3}}",
    "says: A share of them., over: english, where: {{key_bits: {{at_least: {big}}}}}, share: 0 %",
)


def incident(number: int = CLAIMS) -> str:
    """An incident file of so many claims, no two of them alike."""
    lines = [HEAD]
    for n in range(number):
        body = FORMS[n % len(FORMS)].format(n=n, big=10_000 + n, year=2100 + n % 800)
        lines.append(f"  claim-{n}: {{{body}}}\n")
    return "".join(lines)


def project(folder: Path, number: int = CLAIMS) -> Path:
    """A project with that report over the evidence of the founding case."""
    (folder / "reports/many").mkdir(parents=True)
    shutil.copytree(ROOT / "evidence/wosign-2016", folder / "evidence/many")
    (folder / "reports/many/incident.yaml").write_text(incident(number), "utf-8")
    return folder


#: Run by a process of its own: a child of a large process has that one's size for its peak until it begins its work.
APART = """
import os, subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, used = os.wait4(child.pid, 0)
print(os.waitstatus_to_exitcode(status), used.ru_maxrss)
"""


def measure() -> list[Figure]:
    """Seconds and MiB of a whole process that checks all of them anew."""
    with tempfile.TemporaryDirectory() as name:
        root = project(Path(name))
        command = [PYTHON, "-m", "affidavit", "--root", str(root), "check", "--fresh", "--format", "json"]
        began = time.perf_counter()
        done = subprocess.run([PYTHON, "-c", APART, *command], cwd=ROOT, check=True, capture_output=True, text=True)
        spent = time.perf_counter() - began
        status, peak = (int(word) for word in done.stdout.split())
        if status != 0:
            raise RuntimeError("the check of many claims failed")
    return [Figure("claims_10k", spent, "s", 10.0), Figure("claims_10k_memory", peak / 1024, "MiB", 500.0)]


if __name__ == "__main__":
    for figure in measure():
        print(figure.line())
    sys.exit(0)
