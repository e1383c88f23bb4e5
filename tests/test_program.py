"""How the process ends: with a status, with words for people, and never with a traceback."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from affidavit import program
from affidavit.cli import cli
from affidavit.store import write_file
from tests.report.test_formats import INCIDENT, project


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (BrokenPipeError(), 141, ""),
        (OSError(errno.ENOSPC, "No space left on device", "out.json"), 2, "out.json: cannot be written: No space"),
        (OSError(errno.ENOSPC, "No space left on device"), 2, "the output: cannot be written: No space"),
        (
            ZeroDivisionError("by \x1b nought"),
            2,
            "a fault of the program itself: ZeroDivisionError: by <U+001B> nought",
        ),
    ],
)
def test_what_ends_it(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    status: int,
    words: str,
) -> None:
    def raising(_: object) -> int:
        raise error

    monkeypatch.setattr(program, "_run", raising)
    with pytest.raises(SystemExit) as ended:
        program.main([])
    assert ended.value.code == status
    said = capsys.readouterr()
    assert words in said.err
    assert bool(said.err) == bool(words)


def test_what_a_library_makes_of_an_interrupt_is_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def raising(_: object) -> int:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise RuntimeError("Query interrupted") from None
        return 0

    monkeypatch.setattr(program, "_run", raising)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(SystemExit) as ended:
            program.main([])
    finally:
        signal.signal(signal.SIGINT, before)
    assert ended.value.code == 130
    assert "fault" not in capsys.readouterr().err


def _affidavit(*arguments: object, **more: object) -> "subprocess.CompletedProcess[bytes]":
    command = [sys.executable, "-m", "affidavit", *map(str, arguments)]
    return subprocess.run(command, check=False, stderr=subprocess.PIPE, **more)  # type: ignore[call-overload, no-any-return]


def test_a_reader_that_goes_away_and_a_full_disk(tmp_path: Path) -> None:
    root = project(tmp_path, INCIDENT)
    for arguments in (["check", "--fresh", "-v"], ["explain", "small", "right"], ["--help"]):
        reading, writing = os.pipe()
        os.close(reading)
        done = _affidavit("--root", root, *arguments, stdout=writing)
        os.close(writing)
        assert done.returncode == 141
        assert done.stderr == b""
    if not Path("/dev/full").exists():
        return
    with Path("/dev/full").open("wb") as full:
        done = _affidavit("--root", root, "explain", "small", "right", stdout=full)
    assert done.returncode == 2
    assert b"cannot be written: No space left" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_terminal_that_lacks_a_character_is_shown_its_number(tmp_path: Path) -> None:
    root = project(tmp_path, INCIDENT.replace("3 certificates are affected", "3 certificates of T\u0131 are affected"))
    environ = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    done = _affidavit("--root", root, "explain", "small", "right", stdout=subprocess.PIPE, env=environ)
    assert b"certificates of T\\u0131 are affected" in done.stdout
    assert done.returncode == 0


def test_what_cannot_be_written_is_called_by_its_own_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device", "/somewhere/.new.json.0123")

    monkeypatch.setattr("affidavit.store.os.open", full)
    with pytest.raises(OSError, match=r"No space left on device: '.*/new\.json'"):
        write_file(tmp_path / "new.json", b"1")


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ("affidavit.build.report_key", "evidence/small/leaves.pem: error: cannot be read: Permission denied"),
        ("affidavit.build.replacing_folder", "site/: error: cannot be written: Permission denied"),
    ],
)
def test_a_build_tells_reading_from_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str, words: str
) -> None:
    root = project(tmp_path, INCIDENT)

    def denied(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(root / "evidence/small/leaves.pem"))

    monkeypatch.setattr(broken, denied)
    found = CliRunner().invoke(cli, ["--root", str(root), "build", "--no-pdf"])
    assert found.exit_code == 2
    assert words in found.output


def test_who_may_read_a_written_file(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_file(tmp_path / "new.json", b"1")
        (tmp_path / "old.json").write_bytes(b"0")
        (tmp_path / "old.json").chmod(0o604)
        write_file(tmp_path / "old.json", b"1")
    finally:
        os.umask(before)
    assert (tmp_path / "new.json").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "old.json").stat().st_mode & 0o777 == 0o604
    assert (tmp_path / "old.json").read_bytes() == b"1"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.json", "old.json"]
