"""The program as a process: it runs the command line, and ends with a message and a status whatever happens."""

import errno
import gc
import io
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType

INPUT_FAULT = 2
"""The input or the call is at fault."""
INTERRUPTED = 130
"""128 and the number of SIGINT, as shells have it."""
BROKEN_PIPE = 141
"""128 and the number of SIGPIPE: who read what is printed went away."""


def main(args: Sequence[str] | None = None) -> None:
    """Run a command line (none: the process's own), and leave with its exit status."""
    # What a check makes it keeps to its end; looking through it for cycles again and again takes a third of its time.
    gc.set_threshold(200_000, 20, 20)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what a terminal cannot show is no reason to stop
            stream.reconfigure(errors="backslashreplace")
    interrupts: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        interrupts.append(number)
        signal.default_int_handler(number, frame)

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, interrupt)
    try:
        status = _run(args)
        sys.stdout.flush()
    except KeyboardInterrupt:  # also while modules are being loaded
        status = _interrupted()
    except BrokenPipeError:
        status = BROKEN_PIPE
    except Exception as error:
        # Libraries make errors of their own of an interrupt that reaches them.
        status = _interrupted() if interrupts else _fault(error)
    if signal.getsignal(signal.SIGINT) is interrupt:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # all is said: from here on it ends the process without a word
    try:
        sys.stdout.flush()
    except OSError:  # what can no longer be written would be tried once more at exit, and told of
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(status)


def _run(args: Sequence[str] | None) -> int:
    import click

    from affidavit.cli import cli

    output = sys.stdout
    try:
        status = cli.main(list(args) if args is not None else None, "affidavit", standalone_mode=False)
    except click.Abort:
        return _interrupted()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except SystemExit as error:
        # Where a pipe was closed, click puts something silent in the output's place and leaves with 1.
        status = BROKEN_PIPE if sys.stdout is not output else error.code
    return status if isinstance(status, int) else 0


def _interrupted() -> int:
    print("interrupted", file=sys.stderr)
    return INTERRUPTED


def _fault(error: Exception) -> int:
    """Tell of an error that no command foresaw; the exit status."""
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        print(f"affidavit: {error.filename or 'the output'}: cannot be written: {error.strerror}", file=sys.stderr)
        return INPUT_FAULT
    if os.environ.get("AFFIDAVIT_TRACEBACK"):
        raise error
    from affidavit.shown import visible

    words = visible(f"{type(error).__name__}: {error}", 500)
    print(f"affidavit: a fault of the program itself: {words}", file=sys.stderr)
    print("please report it; AFFIDAVIT_TRACEBACK=1 shows where it happened", file=sys.stderr)
    return INPUT_FAULT
