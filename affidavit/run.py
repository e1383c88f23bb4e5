"""Steps 1 to 3 of the flow in one call, and the value that everything later is a function of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlglot import exp

from affidavit import __version__
from affidavit.check.base import SCOPE
from affidavit.check.compile import CompiledClaim, compile_claims
from affidavit.check.engine import DuckDb
from affidavit.check.prose import check_prose
from affidavit.check.run import Checker, with_scope
from affidavit.evidence.extract import Facts, extract
from affidavit.incident.load import Report, load
from affidavit.types import Diagnostic, InputError, Outcome, Pos, Severity, Tally, Verdict


@dataclass(frozen=True)
class Run:
    """A checked report: all that a verdict, a page or a file about it rests on."""

    report: Report
    facts: Facts
    claims: Mapping[str, CompiledClaim]
    verdicts: Mapping[str, Verdict]
    diagnostics: tuple[Diagnostic, ...] = ()
    version: str = field(default=__version__)

    @property
    def slug(self) -> str:
        """The report's name: its folder under ``reports/``."""
        return self.report.slug

    @property
    def tally(self) -> Tally:
        """Verdicts counted."""
        return Tally.of(self.verdicts.values())

    @property
    def passes(self) -> bool:
        """Whether every verdict is the one that the report holds, and no figure in words is unsupported."""
        agreed = bool(self.verdicts) and all(verdict.passes for verdict in self.verdicts.values())
        return agreed and not any(d.severity is Severity.ERROR for d in self.diagnostics)


def check_report(path: Path, evidence_root: Path, root: Path | None = None) -> Run:
    """Load, extract and check one report; InputError where the input is at fault.

    ``path``: its incident file; ``evidence_root``: the folder with ``<slug>/`` below it.
    """
    report = load(path, evidence_root, root)
    claims = compile_claims(report)
    facts = extract(report)
    return check_facts(report, claims, facts)


def check_facts(report: Report, claims: Mapping[str, CompiledClaim], facts: Facts) -> Run:
    """Check typed claims against extracted facts."""
    engine = DuckDb(facts.tables)
    positions = {
        name: {"": report.pos("claims", name, key=True), "where": report.pos("claims", name, "where")}
        | {check.key: report.pos("claims", name, check.key) for check in claim.checks}
        for name, claim in claims.items()
    }
    checker = Checker(engine, facts.problems, positions)
    verdicts: dict[str, Verdict] = {}
    faults: list[Diagnostic] = []
    for name, claim in claims.items():
        try:
            verdicts[name] = checker.judge(claim)
        except InputError as error:
            faults += error.diagnostics
    engine.close()
    if faults:
        raise InputError(*sorted(faults, key=Diagnostic.sort_key))
    diagnostics = [failing(report, verdict) for verdict in verdicts.values() if not verdict.passes]
    diagnostics += check_prose(report, claims)
    return Run(report, facts, claims, verdicts, tuple(sorted(diagnostics, key=Diagnostic.sort_key)))


def failing(report: Report, verdict: Verdict) -> Diagnostic:
    """The message about a claim whose verdict is not what the report holds of it."""
    held = {"true": "stands", "false": "does not stand", "unproven": "cannot be proven"}[verdict.position]
    worst = [f for f in verdict.findings if f.outcome is verdict.outcome] or list(verdict.findings)
    first = worst[0]
    parts = [f"claim {verdict.claim!r} is {verdict.outcome}, and the report holds that it {held}"]
    if first.stated:
        parts.append(f"stated: {first.assertion}: {first.stated}")
    if first.observed:
        parts.append(f"observed: {first.observed}")
    if first.hint:
        parts.append(first.hint)
    pos: Pos = first.pos or report.pos("claims", verdict.claim, key=True)
    hint = ""
    if verdict.outcome is Outcome.VERIFIED:
        hint = "the evidence bears it out: remove `stands`, or state what was meant"
    return Diagnostic(pos, first.code or str(verdict.outcome), "; ".join(parts), hint, claim=verdict.claim)


def rows_of_claim(run: Run, claim: str, limit: int) -> list[dict[str, Any]]:
    """The first rows that a claim is about, in the order of what identifies them; none for an unchecked one."""
    scope = run.claims[claim].scope
    if scope is None:
        return []
    engine = DuckDb(run.facts.tables)
    query = exp.select("*").from_(SCOPE).order_by(*(exp.column(name) for name in scope.table.identity)).limit(limit)
    rows = engine.run(with_scope(query, scope), limit)
    engine.close()
    return rows
