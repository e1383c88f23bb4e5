"""Times in expressions: instants made UTC, since the engine skips their offsets; what counts in days of a zone."""

import re
from collections.abc import Iterable

from sqlglot import exp

from affidavit.check.conditions import PLACED, timestamp
from affidavit.times import parse_time

#: Units that are as long in every zone; a day or a week as a length is 24 hours or seven times that.
_CLOCK = frozenset("microsecond millisecond second minute hour".split())
_LENGTHS = _CLOCK | {"day", "week"}
_INSTANT = re.compile(r"\s*\d{4}-\d{1,2}-\d{1,2}[ T]\d.*?(Z|[+-]\d{1,2}(:?\d{2})?)\s*", re.IGNORECASE)


def _unit(node: exp.Expr) -> str:
    unit = node.args.get("unit")
    return str(unit.name).lower().rstrip("s") if unit is not None else ""


def counts_days(node: exp.Expr) -> bool:
    """Whether days or months are counted between times, or a time is moved by months: where they end the zone says."""
    if isinstance(node, exp.DateDiff):
        return _unit(node) not in _CLOCK
    moved = isinstance(node, (exp.Add, exp.Sub))
    return moved and any(_unit(one) not in _LENGTHS for one in node.find_all(exp.Interval))


def instant(node: exp.Expr) -> exp.Expr:
    """An instant beside something else than a column, as the UTC time that it is: the engine skips offsets."""
    if not isinstance(node, exp.Literal) or not node.is_string or not _INSTANT.fullmatch(node.this):
        return node
    if any(above.meta.get(PLACED) for above in _ancestors(node)):
        return node
    try:
        return timestamp(parse_time(node.this, "UTC").start)
    except ValueError:
        return node


def _ancestors(node: exp.Expr) -> Iterable[exp.Expr]:
    above = node.parent
    while above is not None:
        yield above
        above = above.parent
