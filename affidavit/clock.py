"""Today, the one thing that the program asks a clock: whether a suppression has run out."""

import os
from collections.abc import Mapping
from datetime import UTC, date, datetime


def today(environ: Mapping[str, str] = os.environ) -> date:
    """The day in UTC; that of ``SOURCE_DATE_EPOCH`` where it is set, so that a build can be made again."""
    stated = environ.get("SOURCE_DATE_EPOCH", "")
    if stated.isascii() and stated.isdigit() and len(stated) <= 11:
        return datetime.fromtimestamp(int(stated), UTC).date()
    return datetime.now(UTC).date()
