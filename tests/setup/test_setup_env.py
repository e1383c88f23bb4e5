"""The virtual environment is made once, and anew when and only when what it rests on changes."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tools.setup_env import Environment, SetupError


class Recorder:
    """Stands for running commands: `venv` makes the folder, everything is written down in short."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.fail_on = ""

    def __call__(self, command: Sequence[str]) -> None:
        short = "venv" if "venv" in command else "project" if "-e" in command else Path(command[-1]).name
        if short == self.fail_on:
            raise SetupError("no such luck")
        self.calls.append(short)
        if short == "venv":
            python = Path(command[-1]) / "bin" / "python"
            python.parent.mkdir(parents=True)
            python.touch()
            (python.parent.parent / "pyvenv.cfg").touch()

    def taken(self) -> list[str]:
        calls, self.calls = self.calls, []
        return calls


@pytest.fixture
def run() -> Recorder:
    return Recorder()


@pytest.fixture
def environment(tmp_path: Path, run: Recorder) -> Environment:
    (tmp_path / "requirements").mkdir()
    for name in ("run", "dev"):
        (tmp_path / "requirements" / f"{name}.lock").write_text("click==8.5.1 --hash=sha256:00\n")
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    return Environment(root=tmp_path, run=run, say=lambda _: None)


def test_made_once(environment: Environment, run: Recorder) -> None:
    assert environment.ensure("run")
    assert run.taken() == ["venv", "run.lock", "project"]
    assert not environment.ensure("run")
    assert run.taken() == []


def test_the_tests_tools_are_added_to_what_is_there(environment: Environment, run: Recorder) -> None:
    environment.ensure("run")
    run.taken()
    assert environment.ensure("dev")
    assert run.taken() == ["dev.lock"]
    assert not environment.ensure("run")
    assert not environment.ensure("dev")


def test_dev_alone_needs_one_install(environment: Environment, run: Recorder) -> None:
    environment.ensure("dev")
    assert run.taken() == ["venv", "dev.lock", "project"]


@pytest.mark.parametrize("lock", ["run", "dev"])
def test_a_changed_lock_makes_it_anew(environment: Environment, run: Recorder, lock: str) -> None:
    environment.ensure("dev")
    run.taken()
    left_over = environment.folder / "left-over"
    left_over.touch()
    environment.lock(lock).write_text("click==8.5.2 --hash=sha256:01\n")
    assert environment.ensure("dev")
    assert run.taken() == ["venv", "dev.lock", "project"]
    assert not left_over.exists()


def test_a_lock_that_is_not_installed_does_not_count(environment: Environment, run: Recorder) -> None:
    environment.ensure("run")
    environment.lock("dev").write_text("click==8.5.2 --hash=sha256:01\n")
    assert not environment.ensure("run")


def test_time_of_change_does_not_count(environment: Environment, run: Recorder) -> None:
    environment.ensure("run")
    environment.lock("run").write_bytes(environment.lock("run").read_bytes())
    assert not environment.ensure("run")


def test_another_python_makes_it_anew(environment: Environment, run: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    environment.ensure("run")
    run.taken()
    monkeypatch.setattr("sys.executable", "/usr/bin/python3.99")
    assert environment.ensure("run")
    assert run.taken() == ["venv", "run.lock", "project"]


def test_a_python_that_has_gone_makes_it_anew(environment: Environment, run: Recorder) -> None:
    environment.ensure("run")
    run.taken()
    environment.python.unlink()
    assert environment.ensure("run")
    assert run.taken()[0] == "venv"


def test_a_changed_project_is_only_installed_again(environment: Environment, run: Recorder) -> None:
    environment.ensure("run")
    run.taken()
    (environment.root / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert environment.ensure("run")
    assert run.taken() == ["project"]


@pytest.mark.parametrize("step", ["run.lock", "project"])
def test_a_failure_leaves_no_stamp(environment: Environment, run: Recorder, step: str) -> None:
    run.fail_on = step
    with pytest.raises(SetupError):
        environment.ensure("run")
    run.fail_on = ""
    run.taken()
    assert environment.ensure("run")
    assert run.taken() == ["venv", "run.lock", "project"]


@pytest.mark.parametrize("content", ["", "[]", "{", '"run"'])
def test_a_broken_stamp_makes_it_anew(environment: Environment, run: Recorder, content: str) -> None:
    environment.ensure("run")
    run.taken()
    environment.stamp.write_text(content)
    assert environment.ensure("run")
    assert run.taken()[0] == "venv"


def test_a_folder_that_is_no_environment_is_not_removed(environment: Environment, run: Recorder) -> None:
    environment.folder.mkdir()
    mine = environment.folder / "mine"
    mine.touch()
    with pytest.raises(SetupError, match="no virtual environment"):
        environment.ensure("run")
    assert mine.exists()
