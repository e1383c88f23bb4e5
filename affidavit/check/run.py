"""Step 3 of the flow: claims to verdicts, over an engine that holds the facts."""

import contextlib
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from time import monotonic
from typing import Any

from sqlglot import exp

from affidavit.check.assertions.only import Only
from affidavit.check.assertions.sql import Sql
from affidavit.check.base import SCOPE
from affidavit.check.compile import CompiledClaim
from affidavit.check.engine import MAX_ROWS, SECONDS, Engine, QueryError
from affidavit.check.judge import Ruling, rule
from affidavit.check.nearly import explained
from affidavit.check.nulls import null_only_with
from affidavit.check.queries import MAX_SAMPLE, SAMPLE, measuring_query, own_query, sampled, sampling, with_scope
from affidavit.check.scope import Scope, Union
from affidavit.check.together import MAX_ROWS as FEW_ROWS
from affidavit.check.together import batches, query_of, rows_of
from affidavit.shown import agree
from affidavit.tables import TABLES, Table
from affidavit.times import show_time
from affidavit.types import (
    Basis,
    Counts,
    Diagnostic,
    Finding,
    InputError,
    LimitReached,
    Outcome,
    Pos,
    Problem,
    Verdict,
)  # fmt: skip

MAX_EXAMPLES = 5
MOST_EXPLAINED = 100
"""Of so many claims that do not verify it is looked for what would have been true instead."""
NOT_EXPLAINED = f"What would have been true instead was looked for of the first {MOST_EXPLAINED} such claims, not here."
LINTS = "lints"
"""Field of problems that say that a linter failed: what was read of the certificate itself was read whole."""


def relevant_problems(problems: Iterable[Problem], collections: Iterable[str], table: Table) -> list[Problem]:
    """The problems that leave a claim over some collections in doubt.

    A whole item that could not be read always does. A certificate read in part does so through its null
    columns, and for other tables if the part would have given their rows.
    """
    names = set(collections)
    found = []
    for problem in problems:
        if problem.collection not in names:
            continue
        whole = not problem.certificate
        if whole or (table.name == "scts" and problem.field in ("scts", "extensions")):
            found.append(problem)
    return found


def _quoting(claim: CompiledClaim, verdict: Verdict) -> Verdict:
    """The verdict on an unchecked claim with its quote, if it has one: words that stand nowhere leave it unproven."""
    if claim.quote is None:
        return verdict
    finding, quoted = claim.quote.look()
    if finding.outcome is Outcome.VERIFIED:
        return replace(verdict, findings=(*verdict.findings, finding), quoted=quoted)
    return replace(
        verdict, outcome=finding.outcome, findings=(finding, *verdict.findings), code=finding.code, quoted=quoted
    )


def _named(problems: Sequence[Problem]) -> str:
    """The first of the items that could not be read, each with its reason."""
    ordered = sorted(problems, key=lambda p: (p.file, p.position, p.reason))
    first = [f"{p.file}{f', item {p.position}' if p.position else ''}: {p.reason}" for p in ordered[:3]]
    more = len(problems) - len(first)
    return "; ".join(first) + (f"; and {more:,} more" if more else "")


class Checker:
    """Judges the claims of one report."""

    def __init__(self, engine: Engine, problems: Iterable[Problem], positions: Mapping[str, Mapping[str, Pos]]) -> None:
        self.engine = engine
        self.problems = tuple(problems)
        self.positions = positions
        self._local = threading.local()
        self._counted: dict[Scope, Mapping[str, Any]] = {}
        self._empties: dict[Scope, dict[str, int]] = {}
        self._measured: dict[str, dict[str, Any]] = {}
        self._samples: dict[tuple[str, ...], tuple[str, ...]] = {}
        # What many claims need alike is found out once, by whichever thread comes first.
        self._lock = threading.Lock()

    def judge_all(self, claims: Sequence[CompiledClaim], threads: int = 1) -> list[Verdict | InputError]:
        """The verdicts on some claims, in order; for one whose wording the engine refuses, the error that says so."""

        def one(claim: CompiledClaim) -> Verdict | InputError:
            try:
                return self.judge(claim)
            except InputError as error:
                return error

        if threads < 2:
            for batch in batches(claims):
                self._measure(batch)
            return self._explained(claims, [one(claim) for claim in claims])
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(self._measure, batches(claims)))
            return self._explained(claims, list(pool.map(one, claims)))

    def _explained(
        self, claims: Sequence[CompiledClaim], verdicts: Sequence[Verdict | InputError]
    ) -> list[Verdict | InputError]:
        """The verdicts with what would have been true instead, of the first of those that do not verify."""
        found: list[Verdict | InputError] = []
        open_ones = 0
        for claim, verdict in zip(claims, verdicts, strict=True):
            if isinstance(verdict, InputError) or verdict.outcome not in (Outcome.REFUTED, Outcome.UNPROVEN):
                found.append(verdict)
                continue
            open_ones += 1
            if open_ones > MOST_EXPLAINED:
                found.append(replace(verdict, notes=(*verdict.notes, NOT_EXPLAINED)))
                continue
            findings: Sequence[Finding] = verdict.findings
            self._local.until = monotonic() + SECONDS
            # It is a courtesy: whatever keeps it from being found out, the verdict stands without it.
            with contextlib.suppress(Exception):
                findings = explained(self._run, claim, findings, claim.other_zones)
            found.append(replace(verdict, findings=tuple(findings)))
        return found

    def _measure(self, batch: Sequence[CompiledClaim]) -> None:
        """Measure some claims in one query; where that fails each is measured by itself, and the fault is its own."""
        scope = batch[0].scope
        assert isinstance(scope, Scope)
        self._local.until = monotonic() + SECONDS
        with contextlib.suppress(LimitReached, QueryError):
            if int(self._base_counts(scope)["considered"]) <= FEW_ROWS:
                found = rows_of(batch, self._run(query_of(batch))[0])
                for measured in found.values():
                    if SAMPLE in measured:
                        measured[SAMPLE] = self._one_of_its_kind(tuple(measured[SAMPLE] or ()))
                self._measured.update(found)

    def judge(self, claim: CompiledClaim) -> Verdict:
        """The verdict on one claim. An error inside is that claim's alone: unproven, with a code."""
        if claim.scope is None:
            basis = Basis("none", "not checked against certificates")
            finding = Finding("unchecked", Outcome.UNCHECKED, "", "", claim.unchecked, "unchecked")
            whole = Verdict(
                claim.name, Outcome.UNCHECKED, claim.position, (finding,), basis, Counts(), code="unchecked"
            )
            return _quoting(claim, whole)
        try:
            return self._checked(claim, claim.scope)
        except LimitReached as limit:
            return self._stopped(claim, rule(Counts(), (), size_only=True, limit=str(limit)))
        except QueryError as error:
            pos = self.positions.get(claim.name, {}).get("where", Pos(""))
            message = f"the expression of claim {claim.name!r} cannot be run: {error}"
            raise InputError(Diagnostic(pos, "bad-expression", message, claim=claim.name)) from None
        except InputError:
            raise
        except Exception as error:  # one claim's failure must not silence the others
            words = f"{type(error).__name__}: {error}"
            return self._stopped(claim, rule(Counts(), (), size_only=True, error=words))

    def _run(self, query: exp.Query, limit: int = MAX_ROWS) -> list[dict[str, Any]]:
        """Rows of a query; all queries of one claim share one allowance of time."""
        left = self._local.until - monotonic()
        if left <= 0:
            raise LimitReached(f"the claim takes longer than {SECONDS:g} s")
        return self.engine.run(query, limit, left)

    def _stopped(self, claim: CompiledClaim, ruling: Ruling) -> Verdict:
        finding = Finding("check", ruling.outcome, "", "", agree(ruling.reason), ruling.code)
        basis = Basis("given", "nothing: the check did not end")
        return Verdict(
            claim.name,
            ruling.outcome,
            claim.position,
            (finding,),
            basis,
            Counts(),
            code=ruling.code,
        )

    def _checked(self, claim: CompiledClaim, scope: Scope | Union) -> Verdict:
        self._local.until = monotonic() + SECONDS
        sample = sampled(scope)
        measured = self._measured.pop(claim.name, None)
        if measured is None:
            measuring = measuring_query(claim)
            measured = self._run(with_scope(measuring.select(sampling()) if sample else measuring, scope))[0]
        own = {c.key: self._run(own_query(c, scope), 2) for c in claim.checks if c.query() is not None}
        counts = self._counts(claim, scope, int(measured["n"]))
        findings = []
        for check in claim.checks:
            prefix = f"{check.key}_"
            values = {name.removeprefix(prefix): v for name, v in measured.items() if name.startswith(prefix)}
            values["n"] = measured["n"]
            values["considered"] = counts.considered
            rows = own.get(check.key, [{}])
            values.update(rows[0] if len(rows) == 1 else {})
            found = check.judge(values)
            pos = self.positions.get(claim.name, {}).get(check.key)
            findings.append(replace(found, pos=pos))
        quoted = None
        if claim.quote is not None:
            finding, quoted = claim.quote.look()
            findings.append(finding)
        findings += self._impossible(claim)
        findings += self._half_read(claim, scope, findings)
        ruling = rule(
            counts,
            findings,
            size_only=all(c.about_size for c in claim.checks),
            complete=any(isinstance(c, Only) for c in claim.checks),
            blank=self._blank(scope),
        )
        if ruling.reason:
            named = _named(self._relevant(claim, scope)) if ruling.code == "unreadable-evidence" else ""
            findings.insert(0, Finding("evidence", ruling.outcome, "", named, agree(ruling.reason), ruling.code))
        examples: tuple[Mapping[str, Any], ...] = ()
        if ruling.outcome in (Outcome.REFUTED, Outcome.UNPROVEN):
            examples = self._examples(claim, scope)
        return Verdict(
            claim.name,
            ruling.outcome,
            claim.position,
            tuple(findings),
            self._basis(claim, scope, own),
            counts,
            examples,
            self._one_of_its_kind(tuple(measured[SAMPLE] or ()) if sample else self._sample(scope)),
            claim.notes,
            ruling.code,
            quoted,
        )

    def _blank(self, scope: Scope | Union) -> tuple[str, ...]:
        """The collections, or a total's parts, of which no row was looked at."""
        found: list[str] = []
        if isinstance(scope, Scope) and len(scope.over) == 1:
            return ()  # the claim's own counts say it
        for number, part in enumerate(scope.parts, 1):
            for one in part.parts:
                if not int(self._base_counts(one)["considered"]):
                    name = f"part {number} ({one.over[0]})" if isinstance(scope, Union) else one.over[0]
                    found.append(name)
        return tuple(dict.fromkeys(found))

    def _half_read(self, claim: CompiledClaim, scope: Scope | Union, findings: Sequence[Finding]) -> list[Finding]:
        """A finding for each assertion (and ``where``) that takes for absent what could not be read.

        Where a certificate was read in part, a missing value may be the part that could not be read. That a
        row contradicts the claim counts all the same, unless the claim asks for what is missing.
        """
        names = set(scope.over)
        half = sorted(
            {p.certificate for p in self.problems if p.certificate and p.collection in names and p.field != LINTS}
        )
        if not half or not ({"sha256", "certificate"} & set(scope.table.names)) or scope.table.name == "problems":
            return []
        parts = scope.parts if isinstance(scope, Union) else (scope,)
        known = set(scope.table.names)
        asked: list[tuple[str, set[str], bool, bool]] = [
            ("where", set(part.where.columns) & known, True, True) for part in parts if part.where
        ]
        outcomes = {finding.assertion: finding.outcome for finding in findings}
        for check in claim.checks:
            trees = [*check.measures().values(), *filter(None, [check.query(), check.contrary()])]
            columns = {c.name for tree in trees for c in tree.find_all(exp.Column)} & known
            decided = outcomes.get(check.key) is Outcome.REFUTED and not check.asks_for_null()
            if not decided:
                asked.append((check.key, columns, False, check.asks_for_null()))
        found = []
        for key, columns, before, asks in asked:
            if not columns:
                continue
            queries = [part.half_read(half, sorted(columns), before_where=before) for part in parts]
            number = sum(int(self._run(query)[0]["half_read"]) for query in queries)
            if number:
                hint = agree(f"{number:,} row(s) of half-read certificates without a value that it needs")
                pos = self.positions.get(claim.name, {}).get(key)
                code = "half-read-null" if asks else "half-read"
                found.append(Finding(key, Outcome.UNPROVEN, "", "", hint, code, pos))
        return found

    def _counts(self, claim: CompiledClaim, scope: Scope | Union, n: int) -> Counts:
        parts = scope.parts if isinstance(scope, Union) else (scope,)
        whole = dict.fromkeys(("considered", "not_authentic", "other_kind", "copies", "undecided", "unknown_kind"), 0)
        seen: set[tuple[Any, ...]] = set()
        for part in parts:
            row = self._base_counts(part)
            whole["undecided"] += self._undecided(part)
            # Parts of a total over the same collections look at the same rows; these are counted once.
            key = (part.over, part.kind, part.table.name)
            if key in seen:
                continue
            seen.add(key)
            for name in ("considered", "not_authentic", "other_kind", "copies", "unknown_kind"):
                whole[name] += int(row.get(name) or 0)
        relevant = self._relevant(claim, scope)
        excused = sum(bool(p.excused) for p in relevant)
        return Counts(
            n, whole["considered"], whole["not_authentic"], whole["other_kind"], whole["copies"],
            whole["undecided"] + whole["unknown_kind"], len(relevant) - excused, excused,
        )  # fmt: skip

    def _relevant(self, claim: CompiledClaim, scope: Scope | Union) -> list[Problem]:
        """What of the claim's evidence could not be read."""
        collections = [*scope.over, *(name for check in claim.checks for name in check.collections())]
        if any(check.key == "revoked" for check in claim.checks):
            collections += [p.collection for p in self.problems]
        tables = [scope.table, *(TABLES[name] for c in claim.checks if isinstance(c, Sql) for name in c.tables)]
        return [
            problem
            for problem in self.problems
            if any(relevant_problems([problem], collections, table) for table in tables)
        ]

    def _base_counts(self, scope: Scope) -> Mapping[str, Any]:
        """What does not depend on ``where``; the same for all claims over the same rows."""
        with self._lock:
            if scope.base not in self._counted:
                self._counted[scope.base] = self._run(scope.base.counts())[0]
            return self._counted[scope.base]

    def _undecided(self, scope: Scope) -> int:
        """For how many rows ``where`` is null; none need be looked at where its columns have no empty value."""
        if scope.where is None:
            return 0
        columns = null_only_with(scope.where.expression)
        if columns is not None:
            with self._lock:
                known = self._empties.setdefault(scope.base, {})
                if unknown := sorted(columns - known.keys()):
                    known.update({name: int(n) for name, n in self._run(scope.empties(unknown))[0].items()})
                if not any(known[name] for name in columns):
                    return 0
        query = scope.undecided()
        return int(self._run(query)[0]["undecided"]) if query is not None else 0

    def _impossible(self, claim: CompiledClaim) -> list[Finding]:
        """Times of events that lie after the statement that names them (claims' ``made``)."""
        if claim.made is None:
            return []
        found = []
        events = [(check.key, span) for check in claim.checks for span in check.figures.events]
        parts = claim.scope.parts if isinstance(claim.scope, Union) else ()
        for where in (claim.where, *(part.where for part in parts)):
            events += [("where", span) for span in where.figures.events] if where else []
        for key, span in events:
            if span.start >= claim.made.end:
                stated = f"{span.text}, said on {claim.made.text}"
                observed = f"{show_time(span.start, claim.zone)} lies after the statement itself"
                hint = "an impossible date: what had not yet come cannot be told as past"
                pos = self.positions.get(claim.name, {}).get(key)
                found.append(Finding("made", Outcome.REFUTED, stated, observed, hint, "impossible-date", pos))
        return list({finding.stated: finding for finding in found}.values())

    def _basis(self, claim: CompiledClaim, scope: Scope | Union, own: Mapping[str, list[dict[str, Any]]]) -> Basis:
        only = next((check for check in claim.checks if isinstance(check, Only)), None)
        names = ", ".join(scope.over)
        if only is not None and only.declarations:
            return only.basis(own[only.key][0], names)
        return Basis("given", f"in the evidence given: {names}")

    def _examples(self, claim: CompiledClaim, scope: Scope | Union) -> tuple[Mapping[str, Any], ...]:
        tests = [test for check in claim.checks if (test := check.contrary()) is not None]
        if not tests:
            return ()
        query = (
            exp.select(*(exp.column(name) for name in self._example_columns(claim, scope.table)))
            .from_(SCOPE)
            .where(exp.or_(*tests))
            .order_by(*(exp.column(name) for name in scope.table.identity))
            .limit(MAX_EXAMPLES)
        )
        return tuple(self._run(with_scope(query, scope)))

    def _example_columns(self, claim: CompiledClaim, table: Table) -> list[str]:
        """The columns shown of a counter-example: those that identify it, and those that the claim names."""
        named = {
            column.name
            for check in claim.checks
            if (test := check.contrary()) is not None
            for column in test.find_all(exp.Column)
        }
        return [name for name in table.names if name in (*table.shown, *named)]

    def _one_of_its_kind(self, sample: tuple[str, ...]) -> tuple[str, ...]:
        """The same sample for all claims that have an equal one: many claims over the same rows need little memory."""
        return self._samples.setdefault(sample, sample)

    def _sample(self, scope: Scope | Union) -> tuple[str, ...]:
        column = "sha256" if scope.table.column("sha256") else "certificate"
        if scope.table.column(column) is None:
            return ()
        node = exp.column(column)
        query = (
            exp.select(node)
            .distinct()
            .from_(SCOPE)
            .where(exp.Not(this=exp.Is(this=node.copy(), expression=exp.Null())))
        )
        query = query.order_by(node.copy()).limit(MAX_SAMPLE)
        return tuple(row[column] for row in self._run(with_scope(query, scope)))
