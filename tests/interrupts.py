"""Child processes that heed an interrupt, whatever the tests' own process does."""

import signal


def heeded() -> None:
    """For ``preexec_fn``: what a shell starts in the background ignores interrupts, and so do its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
