"""Near misses explained: what would have been true instead of a claim that is refuted, or of which no row is left.

Looked for only then, each in one query over the same evidence. What is found is said as a hint; no verdict rests on it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlglot import exp

from affidavit.check.assertions.count import Count
from affidavit.check.assertions.rows import Every
from affidavit.check.base import SCOPE, Statement, count_where
from affidavit.check.compile import CompiledClaim
from affidavit.check.conditions import Condition, conjunction, literal
from affidavit.check.hints import in_zone
from affidavit.check.queries import with_scope
from affidavit.check.scope import Scope
from affidavit.tables import CERTIFICATES, Column, Kind
from affidavit.times import show_time
from affidavit.types import Finding, Outcome, nearest

Run = Callable[[exp.Query, int], list[dict[str, Any]]]
MOST = 3
"""So many values or reasons are named."""
NAMES = 500
MAX_TEXT = 80
_EMPTY = ("empty-scope", "no-evidence", "other-kind")
_HASHES = {
    "spki_sha256": "the hash of the public key of",
    "subject_der_sha256": "the hash of the subject's name in",
    "issuer_der_sha256": "the hash of the issuer's name in",
    "signature_sha256": "the hash of the signature of",
    "precert_tbs_sha256": "the hash of the precertificate's signed part of",
}


def explained(run: Run, claim: CompiledClaim, findings: Sequence[Finding], zones: Sequence[str]) -> list[Finding]:
    """The findings with what would have been true instead, where that is found."""
    scope = claim.scope
    if not isinstance(scope, Scope):
        return list(findings)
    checks = {check.key: check for check in claim.checks}
    found = []
    for finding in findings:
        check, hints = checks.get(finding.assertion), list[str]()
        if finding.outcome is Outcome.REFUTED and isinstance(check, Count):
            hints += _other_counts(run, scope, check, zones)
        elif finding.outcome is Outcome.REFUTED and isinstance(check, Every):
            hints += _actual(run, scope, check.what, claim.zone)
            hints += _elsewhere(run, scope, check.what)
        elif finding.code in _EMPTY and scope.where is not None:
            hints += _emptied(run, scope, scope.where)
            hints += _elsewhere(run, scope, scope.where)
        found.append(replace(finding, hint="; ".join(filter(None, [finding.hint, *hints]))) if hints else finding)
    return found


def _count(scope: Scope) -> exp.Expr:
    return exp.select(count_where()).from_(scope.select().subquery("r")).subquery()


def _measured(run: Run, counts: Mapping[str, exp.Expr]) -> dict[str, int]:
    """Some counts, each by its words."""
    if not counts:
        return {}
    query = exp.select(*(exp.alias_(node, f"c{index}") for index, node in enumerate(counts.values())))
    row = run(query, 1)[0]
    return {words: int(row[f"c{index}"] or 0) for index, words in enumerate(counts)}


def _other_counts(run: Run, scope: Scope, check: Count, zones: Sequence[str]) -> Iterator[str]:
    """Ways of counting that give the number stated: other kinds, copies, a condition left out, another zone."""
    wanted = check.amount.exact
    if wanted is None:
        return
    ways: dict[str, exp.Expr] = {}
    if scope.table.column("kind") is not None:
        kinds = {"any": "certificates and precertificates together",
                 "precertificate": "precertificates", "certificate": "certificates"}  # fmt: skip
        kinds.pop(scope.kind)
        ways |= {f"of {words}": _count(replace(scope, kind=kind)) for kind, words in kinds.items()}
    if set(scope.over) - scope.untrusted and scope.table.column("authentic") is not None:
        ways["with those that are not authentic"] = _count(replace(scope, untrusted=frozenset(scope.over)))
    if scope.table.column("copies") is not None:
        rows = scope.select().subquery("r")
        ways["with every copy counted"] = exp.select(exp.Sum(this=exp.column("copies"))).from_(rows).subquery()
    parts = scope.where.parts if scope.where else ()
    for part in parts:
        others = [one for one in parts if one is not part]
        ways[f"without `{part.column.name}` under `where`"] = _count(replace(scope, where=_all(others)))
        for zone in zones:
            moved = in_zone(part, zone)
            if moved is not None:
                tests = conjunction([*(one.expression() for one in others), moved])
                ways[f"if its days were days in {zone}"] = _count(replace(scope, where=Statement(tests, "")))
    right = [words for words, number in _measured(run, ways).items() if number == wanted]
    if right:
        yield f"it is {wanted:,} " + ", or ".join(right[:MOST])


def _all(parts: Sequence[Condition]) -> Statement | None:
    return Statement(conjunction([part.expression() for part in parts]), "", tuple(parts)) if parts else None


def _actual(run: Run, scope: Scope, what: Statement, zone: str) -> Iterator[str]:
    """The values that rows have which say otherwise, the most frequent first."""
    for part in what.parts:
        column = exp.column(part.column.name)
        wrong = exp.Not(this=exp.Paren(this=exp.func("coalesce", part.expression(), exp.true())))
        query = (
            exp.select(exp.alias_(column, "value"), exp.alias_(count_where(), "n"))
            .from_(SCOPE)
            .where(wrong)
            .group_by(exp.column("value"))
            .order_by(exp.column("n").desc(), exp.column("value"))
            .limit(MOST + 1)
        )
        rows = [row for row in run(with_scope(query, scope), MOST + 1) if row["value"] is not None]
        if not rows:
            continue
        told = [f"{_shown(row['value'], zone)} in {int(row['n']):,}" for row in rows[:MOST]]
        yield f"{part.column.name} is {', '.join(told)}" + (" and others" if len(rows) > MOST else "")
        if part.column.name.endswith("octets") and _digits(part, [row["value"] for row in rows]):
            yield "hex digits were called octets: two digits are one"


def _shown(value: object, zone: str) -> str:
    if isinstance(value, datetime):
        return show_time(value, zone)
    if isinstance(value, list):
        value = ", ".join(map(str, value)) or "empty"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}..."


def _digits(part: Condition, values: Sequence[Any]) -> bool:
    """Whether stated octets are the hex digits of the actual ones, with a leading zero or without."""
    stated = {typed.value for typed in part.values if isinstance(typed.value, int)}
    return bool(stated) and all(isinstance(value, int) and {2 * value, 2 * value - 1} & stated for value in values)


def _emptied(run: Run, scope: Scope, where: Statement) -> Iterator[str]:
    """Which single condition leaves no row, and the value nearest to the one that it names."""
    counts = {part.column.name: _count(replace(scope, where=_all([part]))) for part in where.parts}
    alone = _measured(run, counts)
    for part in where.parts:
        if alone[part.column.name]:
            continue
        words = f"no row has {part.column.name} {part.words}"
        stated = [str(typed.value) for typed in part.values]
        if part.operator == "=" and len(stated) == 1 and part.column.kind in (Kind.TEXT, Kind.SERIAL, Kind.HEX):
            near = nearest(stated[0], _values(run, scope.base, part.column), 1)
            words += f"; nearest to it is {near[0]!r}" if near else ""
        yield words
    if where.parts and all(alone.values()):
        yield "each of its conditions has rows, but none fulfils all of them"


def _values(run: Run, scope: Scope, column: Column) -> Iterable[str]:
    node = exp.column(column.name)
    query = exp.select(exp.alias_(node, "value")).distinct().from_(SCOPE).order_by(exp.column("value")).limit(NAMES)
    return [str(row["value"]) for row in run(with_scope(query, scope), NAMES) if row["value"] is not None]


def _elsewhere(run: Run, scope: Scope, what: Statement) -> Iterator[str]:
    """What a stated fingerprint is, where it is another certificate's or another hash than was said."""
    if scope.table is not CERTIFICATES:
        return
    for part in what.parts:
        stated = [str(typed.value) for typed in part.values]
        if part.column.kind is not Kind.HEX or len(stated) != 1 or len(stated[0]) != 64:
            continue
        mine = exp.column(part.column.name)
        names = [name for name in ("sha256", *_HASHES) if name != part.column.name]
        hits = [exp.EQ(this=exp.column(name), expression=literal(stated[0])) for name in names]
        same = exp.EQ(this=mine.copy(), expression=literal(stated[0]))
        query = (
            exp.select("kind", "collection", *dict.fromkeys(("sha256", part.column.name, *names)))
            .from_("certificates")
            .where(exp.or_(same, *hits))
            .order_by("sha256", "collection")
            .limit(1)
        )
        for row in run(query, 1):
            if row[part.column.name] == stated[0]:
                other = row["kind"] if row["kind"] != scope.kind and scope.kind != "any" else ""
                if other:
                    yield f"it is that of a {other}; say `kind: {other}` if that is meant"
                elif row["collection"] not in scope.over:
                    yield f"it is that of a certificate in {row['collection']!r}"
            else:
                name = next(name for name in names if row[name] == stated[0])
                words = _HASHES.get(name, "the fingerprint of")
                yield f"it is {words} {row['sha256']}, not its {part.column.name}"
