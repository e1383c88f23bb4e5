"""Near misses explained: what would have been true instead."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlglot import exp

from affidavit.check.base import Statement, count_where
from affidavit.check.conditions import Condition, conjunction, timestamp
from affidavit.times import Span, day_span, show_time


def _days(part: Condition) -> list[Span]:
    return [t.value for t in part.values if isinstance(t.value, Span) and t.value.is_day]


def zone_shift_measures(what: Statement, zones: tuple[str, ...]) -> dict[str, exp.Expr]:
    """Measures of how many rows would fit if each stated day were a day in another zone."""
    if not any(_days(part) for part in what.parts):
        return {}
    return {
        f"shifted_{index}": count_where(conjunction([_shifted(part, zone) for part in what.parts]))
        for index, zone in enumerate(zones)
    }


def in_zone(part: Condition, zone: str) -> exp.Expr | None:
    """The condition with its days as days in another zone; None where it names no day."""
    return _shifted(part, zone) if _days(part) else None


def _shifted(part: Condition, zone: str) -> exp.Expr:
    """The condition with its days taken in another zone, by replacing the limits of its spans."""
    moved: dict[str, exp.Expr] = {}
    for span in _days(part):
        there = day_span(span.local_day, zone)
        moved[timestamp(span.start).sql()] = timestamp(there.start)
        moved[timestamp(span.end).sql()] = timestamp(there.end)

    def change(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Cast) and node.sql() in moved:
            return moved[node.sql()].copy()
        return node

    return part.expression().transform(change)


def zone_shift_words(what: Statement, measured: Mapping[str, Any], zones: tuple[str, ...]) -> str:
    """``; right in UTC, not in Asia/Shanghai`` where that is so of every row; else empty."""
    days = [span for part in what.parts for span in _days(part)]
    for index, zone in enumerate(zones):
        if measured["n"] and measured.get(f"shifted_{index}") == measured["n"]:
            return f"; right in {zone}, not in {days[0].zone}"
    return ""


def other_zone(span: Span, value: datetime, zones: tuple[str, ...]) -> str:
    """Words for a stated day that would be right in another zone; empty where none is."""
    if not span.is_day:
        return ""
    for zone in zones:
        there = day_span(span.local_day, zone)
        if there.start <= value < there.end:
            return f"right in {zone}, not in {span.zone}: it is {show_time(value, span.zone)}"
    return ""
