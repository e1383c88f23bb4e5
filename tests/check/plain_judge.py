"""A plain judge: the outcome of a claim over lists of rows, in Python without SQL, slow and obvious.

It reads the claim as an incident file states it and knows nothing of the program but the tables' columns. What docs
and design say of a claim is written down here a second time; the two must agree (test_plain_judge.py).
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

V, R, U = "verified", "refuted", "unproven"
Row = dict[str, Any]
Truth = bool | None
"""True, False, or None: nobody can tell."""
LISTS = frozenset(("dns_names", "policy_oids"))
TIMES = frozenset(("not_before", "not_after", "earliest_sct", "revoked_at"))
NUMBERS = frozenset(("key_bits", "sct_count", "validity_seconds", "path_length"))
FIELDS = {
    "version": "version", "serial": "serial", "signature_algorithm": "signature_algorithm",
    "issuer": "issuer_der_sha256", "not_before": "not_before", "not_after": "not_after",
    "subject": "subject_der_sha256", "public_key": "spki_sha256",
}  # fmt: skip


@dataclass
class World:
    """Evidence: rows by table; collections whose rows need no signature; windows declared complete, by collection."""

    certificates: list[Row]
    revocations: list[Row] = field(default_factory=list)
    untrusted: frozenset[str] = frozenset()
    complete: Mapping[str, tuple[datetime, datetime]] = field(default_factory=dict)
    unreadable: frozenset[str] = frozenset()
    """Collections with an item that nobody could read."""
    excused: frozenset[str] = frozenset()
    """The same, listed with a reason."""
    lints: list[Row] = field(default_factory=list)


@dataclass(frozen=True)
class Expr:
    """An SQL expression as text, and what it means of one row."""

    text: str
    truth: Callable[[Row], Truth]


@dataclass(frozen=True)
class Query:
    """An SQL query as text, the columns that it looks at without a word on missing values, and what it returns."""

    text: str
    columns: tuple[str, ...]
    value: Callable[[Sequence[Row]], Any]


def all_of(answers: Iterable[Truth]) -> Truth:
    """Three-valued AND."""
    found = list(answers)
    return False if False in found else None if None in found else True


def any_of(answers: Iterable[Truth]) -> Truth:
    """Three-valued OR."""
    found = list(answers)
    return True if True in found else None if None in found else False


def negated(answer: Truth) -> Truth:
    """Three-valued NOT."""
    return None if answer is None else not answer


def span(text: str, zone: str) -> tuple[datetime, datetime]:
    """A day of a zone, a minute or a second, in UTC; the end is outside."""
    if len(text) == 10:
        first = date.fromisoformat(text)
        ends = [datetime(d.year, d.month, d.day, tzinfo=ZoneInfo(zone)) for d in (first, first + timedelta(days=1))]
        low, high = (moment.astimezone(ZoneInfo("UTC")).replace(tzinfo=None) for moment in ends)
        return low, high
    moment = datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(ZoneInfo("UTC")).replace(tzinfo=None)
    clock = re.sub(r"(Z|[+-]\d\d:\d\d)$", "", text).split("T")[1]
    return moment, moment + (timedelta(minutes=1) if clock.count(":") == 1 else timedelta(seconds=1))


def entry(column: str, text: str) -> str:
    """An entry of a list: DNS names are blind to case."""
    return text.lower() if column == "dns_names" else text


def plain(column: str, value: Any) -> Any:
    """A value such that equal ones are equal: a list is a set."""
    return frozenset(entry(column, one) for one in value) if isinstance(value, list) else value


def equals(column: str, value: Any, text: str, zone: str) -> bool:
    """Whether a value that is there is the one stated."""
    if column in TIMES:
        low, high = span(text, zone)
        return bool(low <= value < high)
    if column == "serial":
        return int(value, 16) == int(text.replace(":", ""), 16)
    if column in NUMBERS:
        return bool(value == int(text.replace(",", "")))
    if column == "is_ca":
        return str(value).lower() == text
    if column.endswith("sha256"):
        return str(value) == text.replace(":", "").lower()
    return bool(value == text)


def like(column: str, value: str, pattern: str) -> bool:
    """Whether a text fits a pattern of ``%`` and ``_``."""
    made = "".join(".*" if c == "%" else "." if c == "_" else re.escape(c) for c in pattern)
    if column == "serial":
        return any(re.fullmatch(zero + made.upper(), value, re.DOTALL) is not None for zero in ("", "0"))
    return re.fullmatch(made, value, re.DOTALL) is not None


def holds(column: str, stated: Any, row: Row, zone: str) -> Truth:
    """Whether a row's value of a column is as stated."""
    value = row[column]
    if stated in ("absent", "present") and column not in LISTS:
        return (value is None) is (stated == "absent")
    if value is None:
        return None
    if stated in ("absent", "present"):
        return (not value) is (stated == "absent")
    if isinstance(stated, str):
        if column in LISTS:
            return bool(plain(column, value) == {entry(column, stated)})
        return equals(column, value, stated, zone)
    if isinstance(stated, list):
        if column in LISTS:
            return bool(plain(column, value) == {entry(column, one) for one in stated})
        return any(equals(column, value, one, zone) for one in stated)
    answers: list[Truth] = []
    for key, one in stated.items():
        if key == "not":
            answers.append(negated(holds(column, one, row, zone)))
        elif key == "contains":
            answers.append(entry(column, one) in plain(column, value))
        elif key == "like":
            answers.append(like(column, value, one))
        elif column in TIMES:
            low, high = span(one, zone)
            after = value >= high if len(one) == 10 else value > low
            answers.append({"from": value >= low, "until": value < high, "after": after, "before": value < low}[key])
        else:
            n = int(one)
            answers.append({"from": value >= n, "at_least": value >= n, "until": value <= n, "at_most": value <= n,
                            "after": value > n, "before": value < n}[key])  # fmt: skip
    return all_of(answers)


def fits(stated: Any, row: Row, zone: str) -> Truth:
    """Whether a row fulfils a mapping of conditions, or an expression."""
    if stated is None:
        return True
    if isinstance(stated, Expr):
        return stated.truth(row)
    return all_of(holds(column, one, row, zone) for column, one in stated.items())


def amount(stated: Any, number: int) -> bool:
    """Whether a number is as stated."""
    if isinstance(stated, str):
        return number == int(stated)
    return number >= int(stated.get("at_least", number)) and number <= int(stated.get("at_most", number))


def over_of(claim: Mapping[str, Any]) -> list[str]:
    """The collections of a claim."""
    return [claim["over"]] if isinstance(claim["over"], str) else claim["over"]


class _Doubt(Exception):
    """Something keeps the claim from being decided at all."""


class Judge:
    """Judges claims over one world."""

    def __init__(self, world: World, zone: str) -> None:
        self.world = world
        self.zone = zone

    def looked_at(self, over: Sequence[str], kind: str, table: str = "certificates") -> list[Row]:
        """The rows looked at: of one kind, authentic, each certificate once; _Doubt where there is none."""
        rows: dict[Any, Row] = {}
        for name in sorted(over):
            here = [
                row for row in getattr(self.world, table)
                if row["collection"] == name and (row["authentic"] or name in self.world.untrusted)
            ]  # fmt: skip
            if table == "certificates" and kind != "any":
                if any(row["kind"] is None for row in here):
                    raise _Doubt
                here = [row for row in here if row["kind"] == kind]
            if not here:
                raise _Doubt
            for number, row in enumerate(here):
                rows.setdefault(row["sha256"] if table == "certificates" else (name, number), row)
        return list(rows.values())

    def rows(self, claim: Mapping[str, Any], zone: str) -> list[Row]:
        """The rows that a claim is about; _Doubt where that is open for one of them."""
        over = over_of(claim)
        if set(over) & self.world.unreadable:
            raise _Doubt
        found = self.looked_at(over, claim.get("kind", "certificate"), claim.get("table", "certificates"))
        answers = [fits(claim.get("where"), row, zone) for row in found]
        if None in answers:
            raise _Doubt
        return [row for row, answer in zip(found, answers, strict=True) if answer]

    def outcome(self, claim: Mapping[str, Any], others: Mapping[str, Mapping[str, Any]] | None = None) -> str:
        """The outcome of a claim; ``others`` are those that a total may name."""
        zone = claim.get("timezone", self.zone)
        keys = [key for key in claim if key in JUDGES]
        try:
            if "total" in claim:
                parts = [self.rows((others or {})[name], self.zone) for name in claim["total"]]
                whole = {row["sha256"]: row for part in parts for row in part}
                mine = list(whole.values())
                overlap = sum(map(len, parts)) != len(whole)
            else:
                mine, overlap = self.rows(claim, zone), False
            if "only" in claim and self.world.excused & set(over_of(claim)):
                return U
            if "revoked" in claim and self.world.unreadable:
                return U  # a list that nobody can read may name any certificate
            if "pairs" in claim and claim["pairs"]["with"] in self.world.unreadable:
                return U
            if not mine and not set(keys) <= {"count", "share", "total", "only", "sql"}:
                return U
            case = Case(self, claim, mine, zone, overlap)
            outcomes = [JUDGES[key](case, claim[key]) for key in keys]
        except _Doubt:
            return U
        return R if R in outcomes else U if U in outcomes else V


@dataclass(frozen=True)
class Case:
    """What an assertion is judged by."""

    judge: Judge
    claim: Mapping[str, Any]
    rows: list[Row]
    zone: str
    overlap: bool


def _yes(truth: bool) -> str:
    return V if truth else R


def _count(case: Case, stated: Any) -> str:
    return _yes(amount(stated, len(case.rows)))


def _share(case: Case, stated: Any) -> str:
    claim = case.claim
    if "total" in claim:
        raise _Doubt
    kind, table = claim.get("kind", "certificate"), claim.get("table", "certificates")
    whole = len(case.judge.looked_at(over_of(claim), kind, table))
    if not whole:
        raise _Doubt

    def percent(text: str) -> Decimal:
        return Decimal(text.removesuffix("%").strip())

    if isinstance(stated, str):
        # Rounded by hand at the place to which it is stated; half rounds up.
        place = Decimal(1).scaleb(percent(stated).as_tuple().exponent)  # type: ignore[arg-type]
        share = Fraction(100 * len(case.rows), whole)
        if share in (0, 100) or percent(stated) in (0, 100):
            return _yes(share == percent(stated))
        rounded = math.floor(share / Fraction(place) + Fraction(1, 2)) * place
        return _yes(rounded == percent(stated))
    low, high = (percent(stated[key]) if key in stated else None for key in ("at_least", "at_most"))
    held = low is None or 100 * len(case.rows) >= low * whole
    return _yes(held and (high is None or 100 * len(case.rows) <= high * whole))


def _distinct(case: Case, stated: Any) -> str:
    if any(row[column] is None for column in stated for row in case.rows):
        return U
    return _yes(all(amount(n, len({plain(c, row[c]) for row in case.rows})) for c, n in stated.items()))


def _same(case: Case, stated: Any) -> str:
    columns = [stated] if isinstance(stated, str) else stated
    if any(row[column] is None for column in columns for row in case.rows) or len(case.rows) == 1:
        return U
    return _yes(all(len({plain(c, row[c]) for row in case.rows}) == 1 for c in columns))


def _answers(case: Case, stated: Any) -> list[Truth]:
    return [fits(stated, row, case.zone) for row in case.rows]


def _every(case: Case, stated: Any) -> str:
    answer = all_of(_answers(case, stated))
    return U if answer is None else _yes(answer)


def _none(case: Case, stated: Any) -> str:
    answer = any_of(_answers(case, stated))
    return U if answer is None else _yes(not answer)


def _some(case: Case, stated: Any) -> str:
    answer = any_of(_answers(case, stated))
    return U if answer is None else _yes(answer)


def _extreme(pick: Callable[[list[Any]], Any]) -> Callable[[Case, Any], str]:
    def judged(case: Case, stated: Any) -> str:
        if any(row[column] is None for column in stated for row in case.rows):
            return U
        ends = {column: pick([row[column] for row in case.rows]) for column in stated}
        return _yes(fits(stated, ends, case.zone) is True)

    return judged


def _total(case: Case, stated: Any) -> str:
    return R if case.overlap else V if case.rows else U


def _only(case: Case, stated: Any) -> str:
    start, end = span(stated["from"], case.zone)[0], span(stated["until"], case.zone)[1]
    world = case.judge.world
    for name in over_of(case.claim):
        if name not in world.complete:
            return U
        low, high = world.complete[name]
        if start < low or end > high:
            return U
    if {"count", "share"} & set(case.claim):
        # What is counted is of the window: it begins there, or was logged there.
        for row in case.rows:
            times = [row[name] for name in ("not_before", "earliest_sct", "latest_sct") if row[name] is not None]
            if not any(start <= time < end for time in times):
                return U
    return V


def _identical(case: Case, stated: Any) -> str:
    free = [stated["fields"]] if isinstance(stated["fields"], str) else stated["fields"]
    by = stated.get("by", [])
    by = [by] if isinstance(by, str) else by
    columns = [column for name, column in FIELDS.items() if name not in free]

    def extensions(row: Row) -> Any:
        return tuple(d for d in row["extension_digests"] if d.split("=")[0] not in free)

    if any(row[column] is None for row in case.rows for column in [*columns, *by]):
        return U
    groups: dict[Any, list[Any]] = {}
    for row in case.rows:
        key = tuple(plain(column, row[column]) for column in by)
        content = (*(row[column] for column in columns), None if "extensions" in free else extensions(row))
        groups.setdefault(key, []).append(content)
    if any(len(set(group)) > 1 for group in groups.values()):
        return R
    return U if any(len(group) == 1 for group in groups.values()) else V


def _pairs(case: Case, stated: Any) -> str:
    judge, by = case.judge, stated["by"]
    by = [by] if isinstance(by, str) else by
    chosen = {"over": stated["with"], "kind": stated.get("kind", "certificate"), "where": stated.get("where")}
    try:
        partners = judge.rows(chosen, case.zone)
    except _Doubt:
        return U
    if not partners or any(row[column] is None for row in [*case.rows, *partners] for column in by):
        return U
    paired, answers = 0, []
    for row in case.rows:
        mates = [
            other for other in partners
            if other["sha256"] != row["sha256"] and all(plain(c, other[c]) == plain(c, row[c]) for c in by)
        ]  # fmt: skip
        paired += bool(mates)
        answers += [fits(stated.get("every"), mate, case.zone) for mate in mates]
    if None in answers:
        return U
    right = amount(stated["count"], paired) if "count" in stated else paired == len(case.rows)
    return _yes(right and False not in answers)


def _revoked(case: Case, stated: Any) -> str:
    judge = case.judge
    when = reason = None
    if isinstance(stated, dict) and set(stated) & {"at", "reason"}:
        when, reason = stated.get("at"), stated.get("reason")
    elif stated != "true":
        when = stated
    wanted = {c: s for c, s in (("revoked_at", when), ("reason", reason)) if s is not None}
    needed = ["revoked_at", *(["reason"] if reason is not None else [])]
    outcomes = []
    for row in case.rows:
        entries = [
            one for one in judge.world.revocations
            if one["authentic"] and one["serial"] == row["serial"]
            and all(one[c] is not None and one[c] == row[c] for c in ("issuer_der_sha256", "issuer_spki_sha256"))
        ]  # fmt: skip
        answers = [fits(wanted, one, case.zone) for one in entries]
        unclear = any(one[column] is None for one in entries for column in needed)
        undone = any(one["reason"] == "removeFromCRL" for one in entries)
        if entries and True not in answers and not unclear and not undone:
            outcomes.append(R)
        elif not entries or unclear or undone or not all(answers):
            outcomes.append(U)
        else:
            outcomes.append(V)
    return R if R in outcomes else U if U in outcomes else V


def _gap(case: Case, stated: Any) -> str:
    def length(text: str) -> timedelta:
        number, unit = text.split()
        return timedelta(**{unit: int(number)})

    if any(row[stated[end]] is None for row in case.rows for end in ("from", "to")):
        return U
    gaps = [row[stated["to"]] - row[stated["from"]] for row in case.rows]
    if "at_least" in stated and min(gaps) < length(stated["at_least"]):
        return R
    if "at_most" in stated and max(gaps) > length(stated["at_most"]):
        return R
    return U if min(gaps) < timedelta(0) else V


def _violates(case: Case, stated: Any) -> str:
    words = {"warn": "violates", "error": "violates", "pass": "pass", "not applicable": "na", "not yet in force": "ne"}
    found: list[str | None] = []
    for row in case.rows:
        said = {
            words.get(one["result"])
            for one in case.judge.world.lints
            if row["sha256"] is not None and one["certificate"] == row["sha256"]
            and one["linter"] == "zlint" and one["code"] == stated["rule"]
            and stated.get("version") in (None, one["version"])
        }  # fmt: skip
        found.append(said.pop() if len(said) == 1 else None)
    sure, open_ = found.count("violates"), found.count(None)
    if "count" not in stated:
        return R if set(found) & {"pass", "na", "ne"} else U if open_ else V
    answers = {amount(stated["count"], number) for number in range(sure, sure + open_ + 1)}
    least = "0" if isinstance(stated["count"], str) else stated["count"].get("at_least", "0")
    if open_ and answers == {True} and not int(least.replace(",", "")):
        return U  # "at most", and "at least none", are not shown by what nobody looked at
    return U if len(answers) > 1 else _yes(answers.pop())


def _sql(case: Case, stated: Query) -> str:
    # The claim's `where` and its collections hold for the table that it is about.
    if not case.rows or any(row[column] is None for row in case.rows for column in stated.columns):
        return U
    value = stated.value(case.rows)
    return U if value is None else _yes(str(value).lower() == case.claim["returns"])


JUDGES: dict[str, Callable[[Case, Any], str]] = {
    "count": _count, "share": _share, "distinct": _distinct, "same": _same, "every": _every, "none": _none,
    "some": _some, "between": _every, "earliest": _extreme(min), "latest": _extreme(max), "total": _total,
    "only": _only, "identical_except": _identical, "pairs": _pairs, "revoked": _revoked, "gap": _gap, "sql": _sql,
    "violates": _violates,
}  # fmt: skip
