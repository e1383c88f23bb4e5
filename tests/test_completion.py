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


def environment(tmp_path: Path) -> dict[str, str]:
    """An environment in which the program is `affidavit`."""
    program = tmp_path / "bin/affidavit"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m affidavit "$@"\n')
    program.chmod(0o755)
    checkout = str(Path(__file__).resolve().parents[1])
    return {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", "PYTHONPATH": checkout}


@pytest.mark.skipif(shutil.which("fish") is None, reason="there is no fish")
def test_fish_completes_words_with_commas_and_shows_whole_sentences(root: Path, tmp_path: Path) -> None:
    asked = "complete -C 'affidavit check --fail-on loose,re'; complete -C 'affidavit check --fre'"
    keys = f"affidavit completion fish | source; {asked}"
    done = subprocess.run(["fish", "-c", keys], cwd=root, env={**environment(tmp_path), "HOME": str(tmp_path)},
                          capture_output=True, text=True)  # fmt: skip
    assert done.stdout.splitlines()[0].split("\t")[0] == "loose,refuted", done.stderr
    assert done.stdout.splitlines()[1].endswith("Read all evidence anew, also what has not changed.")


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes_a_claim(root: Path, tmp_path: Path) -> None:
    keys = (
        'eval "$(affidavit completion bash)"; COMP_WORDS=(affidavit explain one sec); COMP_CWORD=3;'
        '_affidavit_completion affidavit sec one; echo "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", keys], cwd=root, env=environment(tmp_path), capture_output=True, text=True)
    assert done.stdout.strip() == "second", done.stderr
