"""Steps 1 to 3 of the flow in one call, and the value that everything later is a function of."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlglot import exp

from affidavit import __version__
from affidavit.check.base import SCOPE
from affidavit.check.compile import CompiledClaim, compile_claims
from affidavit.check.consistency import consistency
from affidavit.check.corrections import Change
from affidavit.check.engine import DuckDb, Engine
from affidavit.check.fixes import fixes_of
from affidavit.check.hosts import known_hosts
from affidavit.check.needs import needs_nothing, wanted_by
from affidavit.check.prose import check_prose, texts
from affidavit.check.queries import query_text, with_scope
from affidavit.check.run import Checker
from affidavit.check.suppress import Suppressed, suppress
from affidavit.evidence.cache import claims_folder
from affidavit.evidence.corpus import Wanted
from affidavit.evidence.extract import extract
from affidavit.evidence.facts import Facts, Progress, quiet
from affidavit.incident.load import Report, load
from affidavit.kept import Kept, places_of
from affidavit.settings import USUAL, Policy
from affidavit.types import (
    NOT_CHECKED,
    Diagnostic,
    InputError,
    LimitReached,
    Outcome,
    Pos,
    Severity,
    Tally,
    Verdict,
)  # fmt: skip

MANY_CLAIMS = 20
FEW_CLAIMS = 3
"""Of so few claims to be judged the rows of single queries are kept, too: their author is at work on them."""


@dataclass(frozen=True)
class How:
    """How evidence is read: with what costly columns, from which cache, and who is told how far it is.

    ``pages``: everything that pages show is wanted, not only what claims need; ``cache``: the folder kept between
    runs (none: everything is read anew); ``fresh``: what it holds is not used; ``policy``: how
    strictly the report is held.
    """

    pages: bool = True
    cache: Path | None = None
    fresh: bool = False
    progress: Progress = quiet
    policy: Policy = field(default_factory=Policy)


@dataclass(frozen=True, repr=False)
class Run:
    """A checked report: all that a verdict, a page or a file about it rests on."""

    report: Report
    facts: Facts
    claims: Mapping[str, CompiledClaim]
    verdicts: Mapping[str, Verdict]
    diagnostics: tuple[Diagnostic, ...] = ()
    changes: tuple[Change, ...] = ()
    suppressed: tuple[Suppressed, ...] = ()
    fails_on: frozenset[str] = USUAL
    version: str = field(default=__version__)

    def __repr__(self) -> str:
        counts = ", ".join(f"{number} {outcome}" for outcome, number in self.tally.counts.items() if number)
        return f"<Run {self.slug}: {'passes' if self.passes else 'does not pass'}: {counts or 'no claim'}>"

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from affidavit.render.notebook import verdicts_table

        return verdicts_table(self)

    @property
    def slug(self) -> str:
        """The report's name: its folder under ``reports/``."""
        return self.report.slug

    def query(self, claim: str) -> str:
        """The queries of a claim as people read them; empty for one that is not checked against rows."""
        try:
            return query_text(self.claims[claim])
        except ValueError:  # what cannot be shown must not hide the verdict
            return ""

    @property
    def tally(self) -> Tally:
        """Verdicts counted."""
        return Tally.of(self.verdicts.values())

    @property
    def passes(self) -> bool:
        """Whether every verdict is the one that the report holds, and no figure in words is unsupported."""
        agreed = bool(self.verdicts) and all(verdict.passes for verdict in self.verdicts.values())
        return agreed and not any(d.severity is Severity.ERROR for d in self.diagnostics)

    @property
    def fails(self) -> bool:
        """Whether the check fails for it: `passes`, but for what the report's policy lets through.

        A check that was not made whole is never let through.
        """
        errors = [d for d in self.diagnostics if d.severity is Severity.ERROR]
        return not self.verdicts or any(not d.about or d.about in self.fails_on for d in errors)


def check_report(path: Path, evidence_root: Path, root: Path | None = None, how: How | None = None) -> Run:
    """Load, extract and check one report; InputError where the input is at fault.

    ``path``: its incident file; ``evidence_root``: the folder with ``<slug>/`` below it.
    """
    how = how or How()
    report = load(path, evidence_root, root)
    claims = compile_claims(report)
    kept = Kept(claims_folder(how.cache) if how.cache else None, report, claims.values(), how.fresh)
    wanted = _wanted(report, claims.values(), kept)
    if how.pages:
        wanted = wanted | Wanted.everything()
    facts = extract(report, wanted, cache=how.cache, fresh=how.fresh, progress=how.progress)
    run = check_facts(report, claims, facts, how.policy, kept)
    kept.save()
    return run


def _wanted(report: Report, claims: Iterable[CompiledClaim], kept: Kept) -> Wanted:
    """What some claims of a report need of the evidence."""
    whole = Wanted()
    for claim in claims:
        needs = kept.needs(claim.name)
        if needs is None:
            written = report.tree.find(("claims", claim.name))
            text = json.dumps(written.plain() if written else None)
            needs = Wanted() if needs_nothing(claim, text) else wanted_by([claim])
            kept.keep_needs(claim.name, needs)
        whole = whole | needs
    return whole


def check_facts(
    report: Report,
    claims: Mapping[str, CompiledClaim],
    facts: Facts,
    policy: Policy | None = None,
    kept: Kept | None = None,
) -> Run:
    """Check typed claims against extracted facts; ``policy``: how strictly; ``kept``: what an earlier check found.

    InputError where the engine refuses a claim's expression.
    """
    fails_on = (policy or Policy()).fails_on
    kept = kept or Kept(None, report, ())
    places = {name: places_of(report, claim) for name, claim in claims.items()}
    known = {name: verdict for name in claims if (verdict := kept.verdict(name, facts.key, places[name])) is not None}
    left = [claim for name, claim in claims.items() if name not in known]
    # Many small queries go quickest with a thread each, a few large ones with all threads in each.
    threads = 2 if len(left) >= MANY_CLAIMS else 1
    few = len(left) <= FEW_CLAIMS
    engine = DuckDb(
        facts.sources(), threads=1 if threads > 1 else 2, first=_tables(left) if few else None, rows=facts.rows
    )
    remembering = kept.remembering(engine, facts.key)
    checker = Checker(remembering if few else engine, facts.problems, places)
    judged: dict[str, Verdict] = {}
    faults: list[Diagnostic] = []
    for claim, found in zip(left, checker.judge_all(left, threads), strict=True):
        if isinstance(found, InputError):
            faults += found.diagnostics
        else:
            judged[claim.name] = found
            kept.keep_verdict(facts.key, places[claim.name], found)
    judged |= known
    verdicts = {name: judged[name] for name in claims if name in judged}
    hosts, more = _hosts(remembering, report)
    more += consistency(remembering, report, claims, verdicts)
    engine.close()
    if faults:
        raise InputError(*sorted(faults, key=Diagnostic.sort_key))
    diagnostics = [failing(report, verdict) for verdict in verdicts.values() if not verdict.passes]
    diagnostics += [misquoted(verdict) for verdict in verdicts.values() if verdict.passes and _misquotes(verdict)]
    others, suppressed = suppress(report, [*check_prose(report, claims, hosts), *more])
    diagnostics += others
    if "loose" in fails_on:
        diagnostics = [replace(d, severity=Severity.ERROR) if d.about == "loose" else d for d in diagnostics]
    diagnostics.sort(key=Diagnostic.sort_key)
    return Run(report, facts, claims, verdicts, tuple(diagnostics), suppressed=suppressed, fails_on=fails_on)


def _tables(claims: Iterable[CompiledClaim]) -> set[str]:
    """The tables that some claims most likely read; what else is read is loaded then."""
    return {"certificates", *(claim.scope.table.name for claim in claims if claim.scope is not None)}


def _hosts(engine: Engine, report: Report) -> tuple[frozenset[str], list[Diagnostic]]:
    """The host names in a report's words that its evidence holds, or the warning that nobody looked."""
    try:
        return known_hosts(engine, texts(report)), []
    except LimitReached as limit:
        message = f"the host names in its words were not looked for in the evidence: {limit}"
        return frozenset(), [Diagnostic(Pos(report.shown), "hosts-not-checked", message, "", Severity.WARNING)]


def _misquotes(verdict: Verdict) -> bool:
    return verdict.quoted is not None and not verdict.quoted.found


def misquoted(verdict: Verdict) -> Diagnostic:
    """The message about a quote that stands nowhere, of a claim whose verdict is what the report holds all the same."""
    finding = next(f for f in verdict.findings if f.code == "quote-not-found")
    message = f"the quote of claim {verdict.claim!r} does not stand in its document; {finding.observed}"
    return Diagnostic(finding.pos or Pos(""), finding.code, message, finding.hint, claim=verdict.claim)


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
    code, fixes = first.code or str(verdict.outcome), fixes_of(report, verdict)
    about = "unproven" if verdict.outcome in (Outcome.UNPROVEN, Outcome.UNCHECKED) else "refuted"
    if verdict.code in NOT_CHECKED:
        about = ""
    return Diagnostic(pos, code, "; ".join(parts), hint, claim=verdict.claim, fixes=fixes, about=about)


def rows_of_claim(run: Run, claim: str, limit: int) -> list[dict[str, Any]]:
    """The first rows that a claim is about, in the order of what identifies them; none for an unchecked one."""
    scope = run.claims[claim].scope
    if scope is None:
        return []
    engine = DuckDb(run.facts.sources())
    query = exp.select("*").from_(SCOPE).order_by(*(exp.column(name) for name in scope.table.identity)).limit(limit)
    rows = engine.run(with_scope(query, scope), limit)
    engine.close()
    return rows
