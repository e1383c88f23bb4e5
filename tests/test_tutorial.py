"""The tutorial's commands, run in order in an empty folder; what it says they print, they print."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^```(\w+)(?: (\w+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "affidavit"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m affidavit "$@"\n')
    program.chmod(0o755)
    work = tmp_path / "work"
    work.mkdir()
    environment = {**os.environ, "CHECKOUT": str(ROOT), "PATH": f"{program.parent}:{os.environ['PATH']}",
                   "PYTHONPATH": str(ROOT)}  # fmt: skip
    incident = work / "reports/first-report/incident.yaml"
    said, commands, seen = "", 0, 0
    for kind, name, content in BLOCK.findall((ROOT / "docs/tutorial.md").read_text("utf-8")):
        if kind == "sh":
            done = subprocess.run(
                ["sh", "-c", content],
                cwd=work,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
            )
            said = done.stdout + done.stderr
            assert "Traceback" not in said
            commands += len(content.strip().splitlines())
        elif kind == "text":
            for line in content.splitlines():
                assert line in said, said
                seen += 1
        else:
            text = incident.read_text("utf-8")
            if name == "stands":
                rest = "    over: evidence\n    where: {is_ca: false}\n"
                text = text.replace(f"    by: the CA\n{rest}", f"    by: the CA\n{content}{rest}")
            elif name == "summary":
                text = text.replace("summary: |\n", f"summary: |\n{content}\n")
            elif name == "fix":
                text = re.sub(r"  The CA speaks of .*\n", content.replace("\\", r"\\"), text)
            else:
                text = text.replace("claims:\n", f"claims:\n{content}", 1)
            assert text != incident.read_text("utf-8")
            incident.write_text(text, "utf-8")
    assert commands == 8
    assert seen > 12
    assert (work / "site/first-report/index.html").is_file()
