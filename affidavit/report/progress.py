"""How far long work is, told on standard error; work of under two seconds is not spoken of."""

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TextIO

import click

PATIENCE = 2.0
BAR = 20
EVERY = 10.0
"""A log file is told so often, in seconds; a terminal's line is renewed ten times a second."""


def saying(progress: Callable[..., object]) -> Callable[[str], None]:
    """What prints lines while somebody is told of progress: they do not run into each other."""
    return progress.say if isinstance(progress, Teller) else click.echo


@dataclass
class Teller:
    """Tells of progress: one line that is renewed on a terminal, a line now and then elsewhere.

    It is called with what is being done, how much of it is done, and how much there is.
    """

    stream: TextIO
    clock: Callable[[], float] = time.monotonic
    terminal: bool = field(init=False)
    _begun: float = field(init=False)
    _last: float = field(init=False)
    _width: int = 0

    def __post_init__(self) -> None:
        self.terminal = self.stream.isatty() and os.environ.get("TERM") != "dumb"
        self._begun = self._last = self.clock()

    def __call__(self, words: str, done: int, total: int) -> None:
        """Tell it, if it is time to."""
        now = self.clock()
        if now - self._begun < PATIENCE or now - self._last < (0.1 if self.terminal else EVERY):
            return
        self._last = now
        share = f" {100 * done // total} %" if total else ""
        text = f"{words} ...{share} ({int(now - self._begun)} s)"
        if self.terminal:
            if total:
                filled = min(BAR, BAR * done // total)
                text = f"{words} [{'#' * filled}{'.' * (BAR - filled)}]{share} ({int(now - self._begun)} s)"
            # A line that is longer than the terminal is wide could not be taken back.
            text = text[: shutil.get_terminal_size().columns - 1]
            self.stream.write("\r" + text.ljust(self._width))
            self._width = len(text)
        else:
            self.stream.write(text + "\n")
        self.stream.flush()

    def say(self, words: str) -> None:
        """Print a line on standard output, in place of the one that tells of progress."""
        self.close()
        click.echo(words)

    def close(self) -> None:
        """Clear the line."""
        if self._width:
            self.stream.write("\r" + " " * self._width + "\r")
            self.stream.flush()
            self._width = 0
