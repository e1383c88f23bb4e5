"""The action, the pre-commit hook and the GitLab template: run as far as that can be done without their hosts."""

import json
import os
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from testpki.build import Authority, bundle

ROOT = Path(__file__).resolve().parents[2]
INCIDENT = """\
title: A small incident
kind: analysis
date: 2026-01-10
trust: none
evidence:
  affected: {files: "*.pem"}
claims:
  how-many: {says: NUMBER certificates are affected., over: affected, count: NUMBER}
summary: There are 17.
"""


def stated(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text("utf-8"))


def project(folder: Path, number: int = 3) -> Path:
    authority = Authority.root("Test Root")
    (folder / "evidence/small").mkdir(parents=True)
    (folder / "reports/small").mkdir(parents=True)
    leaves = [authority.issue(f"{n}.example") for n in "abc"]
    (folder / "evidence/small/leaves.pem").write_text(bundle(leaves))
    (folder / "reports/small/incident.yaml").write_text(INCIDENT.replace("NUMBER", str(number)))
    return folder


def action(folder: Path, **inputs: str) -> tuple[int, str, dict[str, str]]:
    """Run the action's second step as its host would; exit status, output, and the step's outputs."""
    step = stated("action.yml")["runs"]["steps"][1]
    defaults = {name: one["default"] for name, one in stated("action.yml")["inputs"].items()}
    given = {**defaults, **inputs}
    names = {variable: text.removeprefix("${{ inputs.").removesuffix(" }}") for variable, text in step["env"].items()}
    output = folder.parent / "output"
    output.write_text("")
    environment = {
        **os.environ, **{variable: given[name] for variable, name in names.items()},
        "GITHUB_ACTION_PATH": str(ROOT), "GITHUB_OUTPUT": str(output), "AFFIDAVIT_COMMAND": str(wrapper(folder.parent)),
        "GITHUB_STEP_SUMMARY": str(folder.parent / "summary.md"),
    }  # fmt: skip
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    outputs = dict(line.split("=", 1) for line in output.read_text().splitlines())
    return done.returncode, done.stdout + done.stderr, outputs


def wrapper(folder: Path) -> Path:
    path = folder / "affidavit"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m affidavit "$@"\n')
    path.chmod(0o755)
    return path


def test_the_action_is_of_its_hosts_form() -> None:
    whole = stated("action.yml")
    assert {"name", "description", "runs", "inputs", "outputs"} <= set(whole)
    assert whole["runs"]["using"] == "composite"
    for name, one in whole["inputs"].items():
        assert one["description"], name
        assert isinstance(one["default"], str), name
    for one in whole["outputs"].values():
        assert one["value"].startswith("${{ steps.check.outputs.")
    for step in whole["runs"]["steps"]:
        assert step["shell"] == "bash"
        # Text that a stranger may choose never becomes part of a script.
        assert "${{" not in step["run"]
    used = {text for step in whole["runs"]["steps"] for text in step["env"].values()}
    assert used == {f"${{{{ inputs.{name} }}}}" for name in whole["inputs"]}


def test_the_action_passes_and_fails_with_its_reports(tmp_path: Path) -> None:
    good = project(tmp_path / "good")
    status, _, outputs = action(good, sarif="out.sarif", junit="out.xml")
    assert (status, outputs) == (0, {"passes": "true", "sarif": "out.sarif"})
    assert json.loads((good / "out.sarif").read_text())["version"] == "2.1.0"
    assert (good / "out.xml").read_bytes().startswith(b"<?xml")
    assert "### small: passes" in (tmp_path / "summary.md").read_text()
    status, said, outputs = action(project(tmp_path / "bad", 4))
    assert (status, outputs["passes"]) == (1, "false")
    assert "::error file=reports/small/incident.yaml,line=8" in said
    assert action(good, strict="true")[0] == 1
    assert action(good, paths="small\n")[0] == 0
    assert action(good, paths="smal")[0] == 2


@pytest.mark.parametrize("text", ["$(touch trap)", "`touch trap`", "; touch trap", "--output=trap", "\n--fresh\n"])
def test_inputs_start_nothing(tmp_path: Path, text: str) -> None:
    folder = project(tmp_path / "p")
    for name in ("paths", "since", "baseline", "root"):
        status, _, _ = action(folder, **{name: text})
        assert status != 0, name
    assert not list(tmp_path.rglob("trap"))


def test_the_hook_is_of_pre_commits_form_and_runs(tmp_path: Path) -> None:
    (hook,) = stated(".pre-commit-hooks.yaml")
    assert {"id", "name", "entry", "language"} <= set(hook)
    import re

    for name in ("reports/small/incident.yaml", "evidence/small/a.pem", "docs/incidents/evidence/small/a.pem",
                 "affidavit.toml"):  # fmt: skip
        assert re.search(hook["files"], name), name
    assert not re.search(hook["files"], "src/main.py")
    program, *arguments = hook["entry"].split()
    assert program == "affidavit"
    for number, status in ((3, 0), (4, 1)):
        folder = project(tmp_path / str(number), number)
        done = subprocess.run(
            [str(wrapper(tmp_path)), *arguments], cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == status, done.stdout
        assert (done.stdout == "") is (status == 0)
        # What a user's `args` say stands behind the entry.
        below = [str(wrapper(tmp_path)), *arguments, "--root", folder.name]
        assert subprocess.run(below, cwd=tmp_path, capture_output=True, check=False).returncode == status


def test_the_action_writes_its_file_where_nothing_changed_or_the_call_is_wrong(tmp_path: Path) -> None:
    """The next step uploads it, and fails where there is none."""
    folder = project(tmp_path / "p")
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "first"]):
        subprocess.run([*git, *arguments], cwd=folder, check=True)
    status, _, outputs = action(folder, since="HEAD")
    assert (status, outputs) == (0, {"passes": "true", "sarif": "affidavit.sarif"})
    assert json.loads((folder / "affidavit.sarif").read_text())["runs"][0]["results"] == []
    status, said, outputs = action(folder, since="no-such")
    assert (status, outputs) == (2, {"passes": "false", "sarif": "affidavit.sarif"})
    (result,) = json.loads((folder / "affidavit.sarif").read_text())["runs"][0]["results"]
    assert result["ruleId"] == "bad-edition"
    assert "::error file=no-such" in said


def test_the_gitlab_job_calls_what_there_is(tmp_path: Path) -> None:
    job = stated("integrations/gitlab-ci.yml")["affidavit"]
    (line,) = job["script"]
    words = line.replace('"$AFFIDAVIT_ROOT"', str(project(tmp_path / "p"))).replace("$AFFIDAVIT_ARGUMENTS", "").split()
    assert words[0] == "affidavit"
    folder = tmp_path / "out"
    folder.mkdir()
    done = subprocess.run([str(wrapper(tmp_path)), *words[1:]], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(job["artifacts"]["reports"].values()) == {path.name for path in folder.iterdir()}


def vendored(name: str) -> dict[str, Any]:
    """A published schema, as check-jsonschema ships it."""
    place = files("check_jsonschema").joinpath(f"builtin_schemas/vendor/{name}.json")
    schema: dict[str, Any] = json.loads(place.read_text("utf-8"))
    return schema


@pytest.mark.parametrize(
    ("name", "file", "spoil"),
    [
        ("github-actions", "action.yml", lambda whole: whole["runs"]["steps"][0].pop("shell")),
        (
            "gitlab-ci",
            "integrations/gitlab-ci.yml",
            lambda whole: whole["affidavit"].update(artefacts={"when": "always"}),
        ),
    ],
)
def test_the_published_schemas_hold(name: str, file: str, spoil: Any) -> None:
    check = jsonschema.validators.validator_for(vendored(name))(vendored(name))
    whole = stated(file)
    assert [error.message for error in check.iter_errors(whole)] == []
    spoil(whole)
    assert [error.message for error in check.iter_errors(whole)] != []


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "init.defaultBranch=main")
    return subprocess.run(
        ["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_pre_commit_runs_the_hook_on_a_repository(tmp_path: Path) -> None:
    """With pre-commit itself; only the environment that it would make and fill from the network is the one at hand."""
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", hooks)
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "hook")):
        git(hooks, *words)
    scratch = project(tmp_path / "scratch")
    config = {"repos": [{"repo": str(hooks), "rev": git(hooks, "rev-parse", "HEAD"),
                         "hooks": [{"id": "affidavit", "language": "unsupported"}]}]}  # fmt: skip
    (scratch / ".pre-commit-config.yaml").write_text(json.dumps(config))
    (scratch / "main.py").write_text("")
    git(scratch, "init", "-q")
    wrapper(tmp_path)
    environment = os.environ | {"PRE_COMMIT_HOME": str(tmp_path / "home"), "PATH": f"{tmp_path}:{os.environ['PATH']}"}

    def run(*added: str) -> tuple[int, str]:
        git(scratch, "add", *added)
        command = [sys.executable, "-m", "pre_commit", "run", "--color=never"]
        done = subprocess.run(command, cwd=scratch, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    status, said = run("main.py", ".pre-commit-config.yaml")
    assert (status, "no files to check" in said) == (0, True), said
    status, said = run("evidence")
    assert (status, said.rstrip().endswith("Passed")) == (0, True), said
    (scratch / "reports/small/incident.yaml").write_text(INCIDENT.replace("NUMBER", "4"))
    status, said = run("reports")
    assert status == 1
    assert "reports/small/incident.yaml:8" in said
    assert "observed: 3" in said
