"""How far long work is, told on standard error; work of under two seconds is not spoken of."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TextIO

PATIENCE = 2.0
EVERY = 10.0
"""A log file is told so often, in seconds; a terminal's line is renewed ten times a second."""


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
        self.terminal = self.stream.isatty()
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
            self.stream.write("\r" + text.ljust(self._width))
            self._width = len(text)
        else:
            self.stream.write(text + "\n")
        self.stream.flush()

    def close(self) -> None:
        """Clear the line."""
        if self._width:
            self.stream.write("\r" + " " * self._width + "\r")
            self.stream.flush()
            self._width = 0
