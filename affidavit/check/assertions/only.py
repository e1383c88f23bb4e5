"""``only``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlglot
from sqlglot import exp

from affidavit.check.base import SCOPE, Check, Context, Figures, count_where
from affidavit.check.bounds import time_range
from affidavit.check.conditions import ValueProblem, disjunction, literal, real_weekday, timestamp
from affidavit.incident.fields import KeywordModel, Text
from affidavit.times import Span, parse_time, show_time, to_zone
from affidavit.types import Basis, Declaration, Finding, Outcome

Gap = tuple[datetime, datetime]


class Window(KeywordModel):
    """A window of days or instants, both ends included."""

    from_: Text
    """First day (or instant) of the window."""
    until: Text
    """Last day (or instant) of the window."""


def window_spans(window: Window, zone: str) -> tuple[Span, Span]:
    """Both ends of a window; ValueProblem leads to the end that does not fit."""
    ends = []
    for key, text in (("from", window.from_), ("until", window.until)):
        try:
            ends.append(real_weekday(parse_time(text, zone)))
        except ValueProblem as problem:
            raise problem.below(key) from None
        except ValueError as error:
            raise ValueProblem(str(error), path=(key,)) from None
    if ends[0].start >= ends[1].end:
        raise ValueProblem(f"the window ends ({window.until}) before it begins ({window.from_})", path=("until",))
    return ends[0], ends[1]


def uncovered(
    start: datetime, end: datetime, declared: list[tuple[datetime, datetime]]
) -> list[tuple[datetime, datetime]]:
    """The parts of ``[start, end)`` outside every declared window."""
    gaps, at = [], start
    for low, high in sorted(declared):
        if low > at:
            gaps.append((at, min(low, end)))
        at = max(at, high)
        if at >= end:
            break
    if at < end:
        gaps.append((at, end))
    return [(a, b) for a, b in gaps if a < b]


def days_words(start: datetime, end: datetime, zone: str) -> str:
    """A span of time as days of a zone, both ends included."""
    first = to_zone(start, zone).date()
    last = to_zone(end - timedelta(microseconds=1), zone).date()
    return first.isoformat() if first == last else f"{first.isoformat()} to {last.isoformat()}"


BEGINNING = datetime(1, 1, 1)
MERGE_DELAY = timedelta(hours=24)
"""Maximum merge delay of CT logs (RFC 6962 3): an entry may stand in the log so long after its timestamp."""

_LOOKED_AT = """
SELECT
  (SELECT count(*) FROM sources WHERE capped AND list_contains($over, collection)) AS capped,
  (SELECT list({'collection': collection, 'log': log, 'first_index': first_index, 'last_index': last_index,
     'entries': entries, 'unplaced': unplaced, 'first': first, 'last': last})
   FROM (SELECT collection, coalesce(log, '') AS log, min("index") AS first_index, max("index") AS last_index,
       count(DISTINCT "index") AS entries, count(*) FILTER (WHERE "index" IS NULL OR "timestamp" IS NULL) AS unplaced,
       min("timestamp") AS first, max("timestamp") AS last
     FROM log_entries WHERE list_contains($over, collection) GROUP BY ALL ORDER BY ALL)) AS logs,
  (SELECT list({'collection': collection, 'log': log, 'tree_size': tree_size, 'taken': taken, 'last_index': last_index})
   FROM (SELECT s.collection, coalesce(e.log, '') AS log, s.tree_size, s.taken, max(e."index") AS last_index
     FROM sources s JOIN log_entries e ON e.collection = s.collection AND e.file = s.file
     WHERE s.tree_size IS NOT NULL AND list_contains($over, s.collection) GROUP BY ALL ORDER BY ALL)) AS trees
"""


@dataclass(frozen=True)
class Only(Check):
    """Nothing else exists in a window: these are all.

    Certificates at hand cannot show that. It needs every collection of the claim to be `complete` over the whole
    window: declared so, and then the report shows whose word that is; or derived from CT log entries without a gap,
    and then it is about what those logs hold. Where the window reaches past it the claim is unproven, and the days
    that nobody looked at are named. A capture that stops at a cap (10,000 rows of crt.sh) leaves the claim unproven,
    whatever is declared. What is counted beside it (`count`, `share`) is counted in the window: a row of which no time
    of an event (notBefore, an SCT, a log entry) lies in it leaves the claim unproven.
    """

    key = "only"
    model = Window
    example = "only: {from: 2016-01-01, until: 2016-06-28}"
    about_size = True
    start: Span
    end: Span
    over: tuple[str, ...]
    declarations: tuple[tuple[Declaration, datetime | None, datetime | None], ...]
    zone: str
    events: tuple[str, ...] = ()
    table: str = "certificates"
    counted: bool = False
    """Whether the claim also says how many there are: these are then those of the window."""

    @classmethod
    def compile(cls, stated: Any, context: Context) -> "Only":
        start, end = window_spans(stated, context.zone)
        declared: list[tuple[Declaration, datetime | None, datetime | None]] = []
        for name in context.over:
            one = context.declarations.get(name)
            if one is not None and one.derived:
                declared.append((one, None, None))
            elif one is not None:
                first, last = (parse_time(text, context.report_zone) for text in (one.start, one.end))
                declared.append((one, first.start, last.end))
        figures = Figures(events=(start, end), ranges=(time_range({"from": start, "until": end}),))
        words = f"nothing else exists from {start.text} until {end.text}"
        events = tuple(column.name for column in context.table.columns if column.event)
        return cls(
            start,
            end,
            context.over,
            tuple(declared),
            context.zone,
            events,
            context.table.name,
            stated=words,
            figures=figures,
        )

    def query(self) -> exp.Query:
        listed = exp.Array(expressions=[literal(name) for name in self.over])
        tree = sqlglot.parse_one(_LOOKED_AT, dialect="duckdb")
        for node in list(tree.find_all(exp.Parameter, exp.Placeholder)):
            node.replace(listed.copy())
        assert isinstance(tree, exp.Select)
        return tree.select(exp.alias_(self._outside().subquery(), "outside")) if self.counted and self.events else tree

    def _outside(self) -> exp.Select:
        """How many of the claim's rows have no time of an event in the window: "only 8 in May" is not said of those."""
        inside: list[exp.Expr] = [exp.func("coalesce", self._within(name), exp.false()) for name in self.events]
        if self.table == "certificates":
            collections = exp.In(this=exp.column("collection"), expressions=[literal(name) for name in self.over])
            logged = (
                exp.select("certificate").from_("log_entries").where(exp.and_(collections, self._within("timestamp")))
            )
            inside.append(exp.In(this=exp.column("sha256"), query=logged.subquery()))
        return exp.select(count_where(exp.Not(this=exp.Paren(this=disjunction(inside))))).from_(SCOPE)

    def _within(self, column: str) -> exp.Expr:
        return exp.and_(
            exp.GTE(this=exp.column(column), expression=timestamp(self.start.start)),
            exp.LT(this=exp.column(column), expression=timestamp(self.end.end)),
        )

    def covered(self, measured: Mapping[str, Any]) -> tuple[list[Declaration], list[str], list[Gap]]:
        """The declarations with their windows, what speaks against one that is derived, and the days not covered."""
        shown, faults, gaps = [], [], []
        for declaration, first, last in self.declarations:
            one = declaration
            if declaration.derived:
                logs, trees = (
                    [one for one in measured.get(name) or () if one["collection"] == declaration.collection]
                    for name in ("logs", "trees")
                )
                fault, window = derived_window(logs, trees)
                if window is None:
                    faults.append(f"{declaration.collection}: {fault}")
                    shown.append(replace(declaration, basis=fault))
                    continue
                first, last = window
                words = (show_time(window[0], self.zone) if window[0] > BEGINNING else "its beginning",
                         show_time(window[1], self.zone))  # fmt: skip
                one = replace(declaration, start=words[0], end=words[1], basis=entries_words(logs, trees))
            shown.append(one)
            if first is not None and last is not None:
                gaps += uncovered(self.start.start, self.end.end, [(first, last)])
        return shown, faults, gaps

    def basis(self, measured: Mapping[str, Any], names: str) -> Basis:
        """What a verdict rests on, given what was looked at."""
        shown = tuple(self.covered(measured)[0])
        if self.judge(measured).outcome is not Outcome.VERIFIED:
            words = f"in the evidence given: {names}; its completeness does not cover the claim's window"
            return Basis("given", words, shown)
        if all(one.derived for one in shown):
            return Basis("derived complete", f"in evidence derived complete from log entries: {names}", shown)
        return Basis("declared complete", f"in evidence declared complete: {names}", shown)

    def judge(self, measured: Mapping[str, Any]) -> Finding:
        missing = [name for name in self.over if name not in {d.collection for d, _, _ in self.declarations}]
        if missing:
            return self.found(
                Outcome.UNPROVEN,
                "not declared complete: " + ", ".join(missing),
                "certificates at hand cannot show that no others exist; declare `complete` if there are grounds",
                "not-complete",
            )
        shown, faults, gaps = self.covered(measured)
        how = "derived" if all(one.derived for one in shown) else "declared"
        observed = f"{how} complete from " + ", ".join(sorted({f"{d.start} until {d.end}" for d in shown if d.start}))
        if faults:
            return self.found(Outcome.UNPROVEN, "completeness cannot be derived", "; ".join(faults), "not-derived")
        capped = int(measured.get("capped") or 0)
        if capped:
            hint = f"{capped:,} file(s) of the evidence stop at a cap: what lies beyond it nobody has seen"
            return self.found(Outcome.UNPROVEN, observed, hint, "capped")
        if gaps:
            days = ", ".join(sorted({days_words(a, b, self.zone) for a, b in gaps}))
            return self.found(Outcome.UNPROVEN, observed, f"nobody looked at {days}", "window-not-covered")
        if outside := int(measured.get("outside") or 0):
            times = " or ".join(self.events)
            hint = f"{outside:,} row(s) counted have no {times} in the window, nor were they logged in it"
            return self.found(Outcome.UNPROVEN, observed, f"{hint}: count those of it by `where`", "outside-window")
        return self.found(Outcome.VERIFIED, observed)


def derived_window(
    logs: Sequence[Mapping[str, Any]], trees: Sequence[Mapping[str, Any]] = ()
) -> tuple[str, tuple[datetime, datetime] | None]:
    """The time over which entries of some logs are all there are, or why there is none.

    An entry may be merged as long after its timestamp as the log's maximum merge delay, so the ends of a run of
    entries are not covered: what was stamped there may stand before or after it. Where the entries reach the size
    that the log's tree had at a time, it is that time which the end is counted from.
    """
    if not logs:
        return "it holds no log entries", None
    windows = []
    for log in logs:
        name = log["log"] or "an unnamed log"
        if log["unplaced"]:
            return f"{int(log['unplaced']):,} entries of {name} have no index or time; name `first_index`", None
        missing = int(log["last_index"]) - int(log["first_index"]) + 1 - int(log["entries"])
        if missing:
            return f"{missing:,} entries of {name} between the first and the last are not at hand", None
        of_it = [tree for tree in trees if tree["log"] == log["log"]]
        for tree in of_it:
            if tree["last_index"] is not None and tree["last_index"] >= tree["tree_size"]:
                size = f"{int(tree['tree_size']):,}"
                return f"an entry {int(tree['last_index']):,} of {name} is beyond the tree's size of {size}", None
        begin = BEGINNING if not log["first_index"] else log["first"] + MERGE_DELAY
        windows.append((begin, max([log["last"], *_reached(log, of_it)]) - MERGE_DELAY))
    first, last = max(w[0] for w in windows), min(w[1] for w in windows)
    if first >= last:
        return "its log entries span no more than the logs' merge delay of 24 hours", None
    return "", (first, last)


def _reached(log: Mapping[str, Any], trees: Sequence[Mapping[str, Any]]) -> list[datetime]:
    """When the log's tree is stated to have held no more entries than are at hand."""
    return [t["taken"] for t in trees if t["taken"] is not None and t["tree_size"] <= log["last_index"] + 1]


def entries_words(logs: Sequence[Mapping[str, Any]], trees: Sequence[Mapping[str, Any]] = ()) -> str:
    """Which entries a derived completeness rests on, and up to when the tree is stated to have held no others."""
    words = []
    for log in logs:
        name = log["log"] or "an unnamed log"
        reached = _reached(log, [tree for tree in trees if tree["log"] == log["log"]])
        at = f", which were all as of {show_time(max(reached), 'UTC')}" if reached else ""
        words.append(f"entries {int(log['first_index']):,} to {int(log['last_index']):,} of {name}{at}")
    return "; ".join(words)
