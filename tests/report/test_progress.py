"""Progress: one line on a terminal that is taken back, a line now and then elsewhere, nothing of what is quick."""

import io
from collections.abc import Callable

import pytest

from affidavit.report.progress import Teller, saying


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def told(stream: io.StringIO, times: list[float]) -> Teller:
    """Told of three quarters at each of some times since the beginning."""
    clock: Callable[[], float] = iter([0.0, *times]).__next__
    teller = Teller(stream, clock)
    for _ in times:
        teller("reading", 3, 4)
    return teller


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")


def test_what_is_quick_is_not_spoken_of() -> None:
    for stream in (Screen(), io.StringIO()):
        told(stream, [0.5, 1.9]).close()
        assert stream.getvalue() == ""


def test_a_terminal_s_line_is_renewed_and_taken_back() -> None:
    stream = Screen()
    teller = told(stream, [3.0, 3.05, 3.2])
    assert stream.getvalue() == "\rreading [###############.....] 75 % (3 s)" * 2  # ten times a second, not more
    teller.close()
    assert stream.getvalue().endswith("\r" + " " * 41 + "\r")
    before = stream.getvalue()
    teller.close()
    assert stream.getvalue() == before


def test_it_is_no_longer_than_the_terminal_is_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    stream = Screen()
    told(stream, [3.0])
    assert stream.getvalue() == "\rreading [##########"


@pytest.mark.parametrize("dumb", [False, True])
def test_elsewhere_there_is_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch, dumb: bool) -> None:
    stream = io.StringIO()
    if dumb:
        monkeypatch.setenv("TERM", "dumb")
        stream = Screen()
    told(stream, [9.0, 11.0, 12.0, 22.0]).close()
    assert stream.getvalue() == "reading ... 75 % (11 s)\nreading ... 75 % (22 s)\n"


def test_what_is_said_meanwhile_stands_on_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    stream = Screen()
    saying(told(stream, [3.0]))("small: writing pages")
    assert stream.getvalue().endswith(" \r")
    assert capsys.readouterr().out == "small: writing pages\n"
