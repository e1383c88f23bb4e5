"""``python -m affidavit``: the same program as ``affidavit`` and ``python build.py``."""

import atexit
import contextlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn


def run(args: Sequence[str] | None = None) -> NoReturn:
    """Run the program as a process of its own, to its end."""
    from affidavit.program import main

    try:
        main(args)
    except SystemExit as done:
        leave(done)
    leave(SystemExit(0))


def leave(done: SystemExit) -> NoReturn:
    """End the process with a status, once everything that wanted to be told of its end has been.

    The interpreter would take apart all that was loaded and made, piece by piece: a fifth of a small check's time.
    """
    if isinstance(done.code, str):
        print(done.code, file=sys.stderr)
    status = done.code if isinstance(done.code, int) else int(done.code is not None)
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        # Where nobody reads any more there is nobody to be told.
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(status & 0xFF)


if __name__ == "__main__":
    run()
