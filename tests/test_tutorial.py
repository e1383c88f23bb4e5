"""The tutorial's commands, run in order in an empty folder; what it says they print, they print."""

import os
import re
import subprocess
import sys
from pathlib import Path

from testpki.build import Authority

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^```(\w+)(?: (\w+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def place(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """An empty folder, and an environment in which the program is `affidavit`."""
    program = tmp_path / "bin" / "affidavit"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m affidavit "$@"\n')
    program.chmod(0o755)
    work = tmp_path / "work"
    work.mkdir()
    return work, {**os.environ, "CHECKOUT": str(ROOT), "PATH": f"{program.parent}:{os.environ['PATH']}",
                  "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}  # fmt: skip


def test_the_readme_alone_leads_from_certificates_to_a_report(tmp_path: Path) -> None:
    """Three claims that are right and one that is wrong, found, explained and put right."""
    root = Authority.root("Example CA")
    made = [root.issue(f"{days}.example", not_after=f"2026-{month}-01T00:00:00Z", not_before="2026-01-01T00:00:00Z")
            for days, month in ((31, "02"), (59, "03"), (151, "06"))]  # fmt: skip
    (tmp_path / "certificates").mkdir()
    for number, one in enumerate([root.certificate, *made]):
        (tmp_path / f"certificates/{number}.pem").write_text(one.pem())
    work, environment = place(tmp_path)
    incident = work / "reports/my-incident/incident.yaml"
    section = (ROOT / "README.md").read_text("utf-8").partition("## Your own certificates")[2].partition("\n## ")[0]
    said: list[tuple[str, int, str]] = []
    for kind, _, content in BLOCK.findall(section):
        if kind == "yaml":
            incident.write_text(incident.read_text("utf-8").replace("claims:\n", f"claims:\n{content}", 1), "utf-8")
            continue
        for command in content.splitlines():
            done = subprocess.run(["sh", "-c", command], cwd=work, env=environment, capture_output=True, text=True,
                                  check=False, timeout=120)  # fmt: skip
            said.append((command, done.returncode, done.stdout + done.stderr))
    assert len(said) < 10
    drafted, found, explained, applied, again, built = said
    assert drafted[1] == again[1] == built[1] == 0, said
    assert found[1] == explained[1] == 1
    assert "claim 'long' is refuted" in found[2]
    assert "stated: count: 2; observed: 1; 1 fewer than stated" in found[2]
    assert "1 refuted; 1 error" in found[2].splitlines()[-1]
    assert "151.example" in explained[2]
    assert "+    says: 1 of them are valid for more than 90 days." in applied[2]
    assert "my-incident: passes" in again[2]
    assert (work / "site/my-incident/report.pdf").is_file()


def test_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    work, environment = place(tmp_path)
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
