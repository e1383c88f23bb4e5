"""The files that set the project up agree with each other and hold nothing of the machine they came from."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

import affidavit
from affidavit.resources import templates_dir

ROOT = Path(__file__).resolve().parents[2]
PIN = re.compile(r"^([a-z0-9-]+)==(\S+)(?: ; [^\\]+)? \\$")


def pins(lock: str) -> dict[str, str]:
    """Read the pins of a lock file, each of which must have a hash."""
    found: dict[str, str] = {}
    hashed: set[str] = set()
    name = ""
    for line in (ROOT / "requirements" / f"{lock}.lock").read_text().splitlines():
        if match := PIN.match(line):
            name, found[match[1]] = match[1], match[2]
        else:
            assert re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?", line), line
            hashed.add(name)
    assert hashed == set(found)
    return found


def normal(requirement: str) -> str:
    return re.split(r"[<>=!~\[; ]", requirement)[0].lower().replace("_", "-")


def test_run_pins_are_among_dev_pins() -> None:
    run, dev = pins("run"), pins("dev")
    assert len(run) > 20
    assert run.items() < dev.items()


def test_all_that_is_required_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    needs = {normal(r) for r in project["project"]["dependencies"] + project["build-system"]["requires"]}
    assert needs <= set(pins("run"))
    extra = {normal(r) for r in project["project"]["optional-dependencies"]["dev"]}
    assert extra <= set(pins("dev"))


def test_the_version_is_stated_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" in project["project"]["dynamic"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", affidavit.__version__)


def test_licence_is_whole() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert text.count("\n") == 202
    assert "Version 2.0, January 2004" in text
    assert text.rstrip().endswith("limitations under the License.")


def test_ci_runs_the_readmes_test_command() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "make test" in script.read_text()
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0


@pytest.mark.parametrize("folder", ["requirements", "tools", ".ci"])
def test_scripts_name_no_place_of_a_machine(folder: str) -> None:
    for path in (ROOT / folder).iterdir():
        if path.is_file():
            assert not re.search(r"/(home|root|Users|tmp|opt)/|index-url =|pypi\.", path.read_text()), path


def run_find_python(path: str, **environment: str) -> subprocess.CompletedProcess[str]:
    script = ROOT / "tools" / "find_python.sh"
    sh = shutil.which("sh") or "/bin/sh"
    return subprocess.run([sh, script], env={"PATH": path, **environment}, check=False, capture_output=True, text=True)


def stub(folder: Path, name: str, body: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{body}\n")
    (folder / name).chmod(0o755)


def test_find_python_takes_the_newest_that_runs(tmp_path: Path) -> None:
    stub(tmp_path, "python3.13", "exit 127")  # a shim of a version manager without that version
    stub(tmp_path, "python3.12", "echo /opt/twelve")
    stub(tmp_path, "python3", "echo /opt/other")
    assert run_find_python(str(tmp_path)).stdout == "/opt/twelve\n"


def test_find_python_obeys_or_fails(tmp_path: Path) -> None:
    stub(tmp_path, "python3.12", "echo /opt/twelve")
    stub(tmp_path, "old", "exit 1")
    assert run_find_python(str(tmp_path), PYTHON="python3.12").stdout == "/opt/twelve\n"
    done = run_find_python(str(tmp_path), PYTHON="old")
    assert done.returncode == 2
    assert "PYTHON=old" in done.stderr


def test_find_python_without_any_says_what_to_do(tmp_path: Path) -> None:
    stub(tmp_path, "python3", "exit 1")
    done = run_find_python(str(tmp_path))
    assert done.returncode == 2
    assert "apt-get install python3" in done.stderr
    assert done.stdout == ""


def test_templates_of_a_checkout(tmp_path: Path) -> None:
    package = tmp_path / "affidavit"
    package.mkdir()
    (tmp_path / "templates").mkdir()
    (tmp_path / "pyproject.toml").touch()
    assert templates_dir(package) == tmp_path / "templates"


def test_templates_of_a_wheel_come_first(tmp_path: Path) -> None:
    (tmp_path / "affidavit" / "_templates").mkdir(parents=True)
    (tmp_path / "templates").mkdir()
    (tmp_path / "pyproject.toml").touch()
    assert templates_dir(tmp_path / "affidavit") == tmp_path / "affidavit" / "_templates"


def test_a_strangers_templates_are_not_ours(tmp_path: Path) -> None:
    package = tmp_path / "affidavit"
    package.mkdir()
    (tmp_path / "templates").mkdir()
    with pytest.raises(FileNotFoundError, match="templates are missing"):
        templates_dir(package)


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_git_keeps_the_bytes_of_evidence(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        subprocess.run(["git", "-C", tmp_path, *arguments], check=True, capture_output=True)

    git("init", "-q")
    (tmp_path / ".gitattributes").write_bytes((ROOT / ".gitattributes").read_bytes())
    content = b"-----BEGIN CERTIFICATE-----\r\nAAAA\n-----END CERTIFICATE-----\r\n"
    paths = [tmp_path / "evidence" / "case" / "answers.txt", tmp_path / "tests" / "x" / "data" / "a.pem"]
    for path in paths:
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    git("-c", "core.autocrlf=true", "add", ".")
    for path in paths:
        path.unlink()
    git("-c", "core.autocrlf=true", "checkout", "--", ".")
    assert [path.read_bytes() for path in paths] == [content, content]
