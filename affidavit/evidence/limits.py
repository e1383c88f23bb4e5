"""Limits that depend on the day of issuance, as the rules of the time set them; the figures stand in limits.csv."""

import csv
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

DAY = 86_400


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit for certificates issued from ``first`` (included) until ``last`` (not included), naive UTC.

    ``seconds`` counts both ends of the validity period; ``months`` are by the calendar. One of the two is given.
    """

    what: str
    first: datetime | None
    last: datetime | None
    seconds: int | None
    months: int | None
    source: str


@cache
def limits() -> tuple[Limit, ...]:
    """All limits of the data file."""

    def day(text: str) -> datetime | None:
        return datetime.fromisoformat(text) if text else None

    with Path(__file__).with_name("limits.csv").open(encoding="utf-8", newline="") as stream:
        lines = (line for line in stream if not line.startswith("#"))
        return tuple(
            Limit(
                row["what"], day(row["from"]), day(row["before"]), int(row["days"]) * DAY if row["days"] else None,
                int(row["months"]) if row["months"] else None, row["source"],
            )
            for row in csv.DictReader(lines)
        )  # fmt: skip


def limit(what: str, issued: datetime) -> Limit | None:
    """The limit of a kind on the day of issuance; None where the rules of that day had none."""
    for one in limits():
        if one.what == what and (one.first is None or one.first <= issued) and (one.last is None or issued < one.last):
            return one
    return None


def is_short_lived(seconds: int, issued: datetime) -> bool | None:
    """Whether a validity period (inclusive seconds) is that of a Short-lived Subscriber Certificate (BR 1.6.1)."""
    found = limit("short-lived", issued)
    return found is not None and found.seconds is not None and seconds <= found.seconds
