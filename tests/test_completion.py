"""Completion in shells: commands, reports and claims, asked of click and of a real bash."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import BashComplete, ShellComplete
from click.testing import CliRunner

from affidavit.cli import cli

INCIDENT = """\
title: x
claims:
  # a remark
  same-serial: {says: x, over: a, count: 1}
  second:
    says: not-a-claim
    where:
      serial: 01
  Third: {}
sections:
  other: y
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for slug in ("one", "only", "two"):
        (tmp_path / "reports" / slug).mkdir(parents=True)
        (tmp_path / "reports" / slug / "incident.yaml").write_text(INCIDENT)
    return tmp_path


def offered(arguments: list[str], begun: str) -> list[str]:
    completer: ShellComplete = BashComplete(cli, {}, "affidavit", "_AFFIDAVIT_COMPLETE")
    return [item.value for item in completer.get_completions(arguments, begun)]


@pytest.mark.parametrize(
    ("arguments", "begun", "words"),
    [
        ([], "exp", ["explain"]),
        (["check"], "on", ["one", "only"]),
        (["explain"], "", ["one", "only", "two"]),
        (["explain", "one"], "s", ["same-serial", "second"]),
        (["explain", "one"], "sec", ["second"]),
        (["explain", "nobody"], "", []),
        (["explain", "../one"], "", []),
        (["check"], "--sug", ["--suggest"]),
        (["check", "--format"], "s", ["sarif"]),
        (["check", "--fail-on"], "re", ["refuted"]),
        (["check", "--fail-on"], "loose,r", ["loose,refuted", "loose,rules"]),
    ],
)
def test_what_is_offered(root: Path, arguments: list[str], begun: str, words: list[str]) -> None:
    assert offered(["--root", str(root), *arguments], begun) == words


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(shell: str) -> None:
    done = CliRunner().invoke(cli, ["completion", shell])
    assert done.exit_code == 0
    assert "_AFFIDAVIT_COMPLETE" in done.output


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes_a_claim(root: Path, tmp_path: Path) -> None:
    program = tmp_path / "bin/affidavit"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m affidavit "$@"\n')
    program.chmod(0o755)
    keys = (
        'eval "$(affidavit completion bash)"; COMP_WORDS=(affidavit explain one sec); COMP_CWORD=3;'
        '_affidavit_completion affidavit sec one; echo "${COMPREPLY[@]}"'
    )
    checkout = str(Path(__file__).resolve().parents[1])
    environ = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", "PYTHONPATH": checkout}
    done = subprocess.run(["bash", "-c", keys], cwd=root, env=environ, capture_output=True, text=True)
    assert done.stdout.strip() == "second", done.stderr
