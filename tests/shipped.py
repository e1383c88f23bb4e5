"""The reports that ship, each checked once for all tests that only read what came of it."""

from functools import cache
from pathlib import Path

from affidavit.run import Run, check_report

ROOT = Path(__file__).resolve().parents[1]


@cache
def shipped(slug: str) -> Run:
    """A report of this checkout, checked with all that its pages show."""
    return check_report(ROOT / "reports" / slug / "incident.yaml", ROOT / "evidence", ROOT)
