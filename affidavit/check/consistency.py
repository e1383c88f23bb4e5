"""Whether a report agrees with itself: what it says in one place against what it says in another."""

from collections.abc import Iterator, Mapping
from datetime import datetime

import sqlglot
from sqlglot import exp

from affidavit.check.assertions.count import Count
from affidavit.check.compile import CompiledClaim
from affidavit.check.conditions import literal
from affidavit.check.engine import Engine
from affidavit.check.scope import Scope
from affidavit.check.stated import Stated
from affidavit.incident.load import Report
from affidavit.times import Span, day_span, parse_time, show_time
from affidavit.types import Diagnostic, LimitReached, Outcome, Position, Severity, Verdict

MAX_NUMBERS = 200
DIGITS = 12
"""Serial numbers and hashes of fewer digits are too near to each other for a slip of the pen to be told."""


def timeline(report: Report) -> Iterator[Diagnostic]:
    """Events out of order, and events after the report's own date."""
    incident = report.incident
    zone = incident.timezone
    edition = parse_time(incident.date, zone)
    last: Span | None = None
    for index, event in enumerate(incident.timeline):
        span = parse_time(event.at, zone)
        pos = report.pos("timeline", index, "at")
        if span.start >= edition.end:
            message = f"an event of {event.at} stands in a report of {incident.date}"
            yield Diagnostic(pos, "event-after-report", message, "what has not come cannot be told as past",
                             Severity.WARNING)  # fmt: skip
        if last is not None and span.end <= last.start:
            message = f"the timeline is out of order: {event.at} stands after {last.text}"
            hint = "put it in its place, or correct one of the two"
            elsewhere = day_span(span.local_day, "UTC") if span.is_day and zone != "UTC" else span
            if elsewhere.end > last.start:
                hint = f"as a day in UTC it would be in order: a bare day is one in {zone}"
            yield Diagnostic(pos, "timeline-order", message, hint)
        last = span if last is None or span.start > last.start else last
    for name, claim in incident.claims.items():
        if claim.made is None:
            continue
        made = parse_time(claim.made, claim.timezone or zone)
        if made.start >= edition.end:
            pos = report.pos("claims", name, "made")
            message = f"claim {name!r} was made on {claim.made}, and the report is of {incident.date}"
            yield Diagnostic(pos, "made-after-report", message, "correct one of the two dates", claim=name)


def contradictions(
    report: Report, claims: Mapping[str, CompiledClaim], verdicts: Mapping[str, Verdict]
) -> Iterator[Diagnostic]:
    """Claims about the very same rows that give different numbers of them, and that no verdict tells apart."""
    first: dict[object, tuple[str, Count]] = {}
    for name, claim in claims.items():
        verdict = verdicts.get(name)
        if claim.position is not Position.TRUE or verdict is None or verdict.outcome is Outcome.REFUTED:
            continue
        count = next((check for check in claim.checks if isinstance(check, Count)), None)
        if count is None or count.amount.exact is None or not isinstance(claim.scope, Scope):
            continue
        scope = claim.scope
        rows = (scope.table.name, scope.over, scope.kind, scope.where.expression.sql() if scope.where else "")
        other, stated = first.setdefault(rows, (name, count))
        if stated.amount.exact != count.amount.exact:
            message = (
                f"claim {name!r} counts {count.stated} and claim {other!r} counts {stated.stated} of the same rows: "
                "the two cannot both hold"
            )
            hint = "correct one of them, or say which is disputed with `stands: false`"
            yield Diagnostic(report.pos("claims", name, "count"), "claims-contradict", message, hint, claim=name)


def slips(engine: Engine, report: Report, claims: Mapping[str, CompiledClaim]) -> Iterator[Diagnostic]:
    """Serial numbers and fingerprints that no evidence has, and that are one digit off from one that it has."""
    stated: dict[str, str] = {}
    for name, claim in claims.items():
        if claim.position is Position.TRUE and not claim.unchecked:
            for digits in sorted(Stated.of(claim.figures, claim.zone).hexes):
                if len(digits) >= DIGITS:
                    stated.setdefault(digits, name)
    numbers = list(stated.items())[:MAX_NUMBERS]
    known = _known(engine, "serial", [digits for digits, _ in numbers if len(digits) != 64])
    known |= _known(engine, "sha256", [digits for digits, _ in numbers if len(digits) == 64])
    for digits, name in numbers:
        if digits.lstrip("0").upper() in known:
            continue
        column, value = ("sha256", digits.lower()) if len(digits) == 64 else ("serial", digits)
        near = _nearest(engine, column, value)
        if near is None:
            continue
        shown = near.upper() if column == "serial" else near
        message = f"claim {name!r} names {digits}, which no certificate of the evidence has; one has {shown}"
        yield Diagnostic(report.pos("claims", name, key=True), "slip-of-the-pen", message,
                         "they differ by one digit: which of the two is meant?", Severity.WARNING, name)  # fmt: skip


def _known(engine: Engine, column: str, values: list[str]) -> set[str]:
    """Those of some numbers that the evidence has, upper case, without the zeros before them."""
    if not values:
        return set()

    def query() -> exp.Query:
        bare = exp.func("upper", exp.Anonymous(this="ltrim", expressions=[exp.column(column), literal("0")]))
        wanted = [literal(value.lstrip("0").upper()) for value in values]
        those = exp.select(exp.alias_(bare, "bare")).distinct().from_("certificates")
        return those.where(exp.In(this=bare.copy(), expressions=wanted))

    return {str(row["bare"]) for row in engine.ask(["known", column, values], query, len(values))}


def _nearest(engine: Engine, column: str, value: str) -> str | None:
    """What the evidence has that differs from a value by one digit; None where there is none."""

    def query() -> exp.Query:
        node = exp.column(column)
        distance = exp.Anonymous(this="damerau_levenshtein", expressions=[node.copy(), literal(value)])
        near = exp.Between(
            this=exp.func("length", node.copy()),
            low=exp.Literal.number(len(value) - 1),
            high=exp.Literal.number(len(value) + 1),
        )
        test = exp.and_(near, exp.LTE(this=distance, expression=exp.Literal.number(1)))
        return exp.select(node).from_("certificates").where(test).order_by(node.copy()).limit(1)

    rows = engine.ask(["nearest", column, value], query, 1)
    return str(rows[0][column]) if rows else None


def impossible_events(engine: Engine, report: Report, claims: Mapping[str, CompiledClaim]) -> Iterator[Diagnostic]:
    """Stated events before the CA itself existed: before every certificate of the issuers at hand begins."""
    begun: dict[tuple[str, ...], datetime | None] = {}
    for name, claim in claims.items():
        if claim.position is not Position.TRUE or not isinstance(claim.scope, Scope):
            continue
        events = list(claim.figures.events)
        if not events or claim.scope.table.name not in ("certificates", "scts"):
            continue
        over = claim.scope.over
        if over not in begun:
            begun[over] = _authorities_begin(engine, over)
        start = begun[over]
        if start is None:
            continue
        for span in events:
            if span.end <= start:
                message = f"claim {name!r} names {span.text}, before any of its issuers existed"
                hint = f"the earliest issuer's certificate at hand begins at {show_time(start, claim.zone)}"
                yield Diagnostic(report.pos("claims", name, key=True), "before-the-ca", message, hint,
                                 Severity.WARNING, name)  # fmt: skip
                break


def _authorities_begin(engine: Engine, over: tuple[str, ...]) -> datetime | None:
    """When the earliest issuer's certificate begins; None unless every issuer is at hand."""

    def query() -> exp.Query:
        whole = sqlglot.parse_one(
            "SELECT min(a.not_before) AS begin, count(*) AS n, count(a.not_before) AS known FROM certificates c "
            "LEFT JOIN (SELECT DISTINCT spki_sha256, not_before FROM certificates WHERE is_ca) a "
            "ON a.spki_sha256 = c.issuer_spki_sha256",
            dialect="duckdb",
        )
        assert isinstance(whole, exp.Select)
        return whole.where(exp.column("collection", "c").isin(*(literal(name) for name in over)))

    row = engine.ask(["authorities", *over], query, 1)[0]
    begin: datetime | None = row["begin"] if row["n"] and row["n"] == row["known"] else None
    return begin


def consistency(
    engine: Engine, report: Report, claims: Mapping[str, CompiledClaim], verdicts: Mapping[str, Verdict]
) -> list[Diagnostic]:
    """All that the report says against itself; what takes too long to look for is told."""
    found = [*timeline(report), *contradictions(report, claims, verdicts)]
    for look in (slips, impossible_events):
        try:
            found += look(engine, report, claims)
        except LimitReached as limit:
            message = f"slips of the pen and impossible dates were not looked for: {limit}"
            found.append(Diagnostic(report.pos("claims", key=True), "consistency-not-checked", message, "",
                                    Severity.WARNING))  # fmt: skip
    return found
