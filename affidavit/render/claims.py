"""Claims and verdicts as pages show them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from affidavit.check.queries import MAX_SAMPLE
from affidavit.render import phrases
from affidavit.render.documents import QuoteView, quote_view
from affidavit.render.markdown import Links, Mark, markdown
from affidavit.render.rows import Rows
from affidavit.render.text import foreign, plural, title_text, words
from affidavit.render.values import Table, cell, certificate_link, label, short_link
from affidavit.run import Run
from affidavit.shown import visible
from affidavit.tables import CERTIFICATES, TABLES
from affidavit.types import Finding, Outcome, Position, Verdict

MAX_LINKED = 12
"""Certificates of a claim that its entry links one by one; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Badge:
    """A verdict's look: word, shape, classes, and whether it is what the report holds."""

    word: str
    shape: str
    classes: str
    passes: bool


@dataclass(frozen=True, slots=True)
class FindingView:
    """One assertion: what it is, stated, observed, what to know besides, and its verdict."""

    name: str
    stated: Markup
    observed: Markup
    hint: Markup
    badge: Badge


@dataclass(frozen=True, slots=True)
class DeclarationView:
    """A declared completeness in words."""

    collection: str
    scope: Markup
    start: str
    end: str
    by: Markup
    basis: Markup


@dataclass(frozen=True, slots=True)
class ClaimView:
    """A claim with its verdict, all strings final."""

    name: str
    anchor: str
    says: Markup
    title: str
    by: Markup
    made: Markup
    badge: Badge
    held: str
    quoted: bool
    result: Markup
    basis: Markup
    note: Markup
    notes: tuple[Markup, ...]
    checked: bool
    findings: tuple[FindingView, ...]
    looked_at: str
    left_out: tuple[str, ...]
    declarations: tuple[DeclarationView, ...]
    examples: Table | None
    query: str
    certificates: tuple[Markup, ...]
    more_certificates: str
    place: str
    quote: QuoteView | None


def badge(outcome: Outcome, passes: bool = True) -> Badge:
    """A verdict's badge."""
    classes = str(outcome) + ("" if passes else " contested")
    return Badge(str(outcome), phrases.SHAPES[outcome], classes, passes)


def claim_anchor(name: str) -> str:
    """The anchor of a claim on its report's page."""
    return f"claim-{name}"


def links(run: Run, prefix: str = "", anchors: tuple[str, ...] = ()) -> Links:
    """How ``claim:`` links of a report's Markdown are shown; ``prefix`` leads to the report's page."""

    def mark(name: str) -> Mark | None:
        verdict = run.verdicts.get(name)
        if verdict is None:
            return None
        spoken = str(verdict.outcome)
        if not verdict.passes:
            spoken += ", and not as the report holds"
        shape = phrases.SHAPES[verdict.outcome] + ("" if verdict.passes else "!")
        one = badge(verdict.outcome, verdict.passes)
        return Mark(f"{prefix}#{claim_anchor(name)}", f"claim {one.classes}", shape, spoken)

    return Links(mark, anchors)


def claim_view(run: Run, rows: Rows, name: str, prefix: str = "certificates/") -> ClaimView:
    """A claim for the report's page; ``prefix`` leads to the certificates' pages."""
    claim, verdict = run.report.incident.claims[name], run.verdicts[name]
    checked = verdict.outcome is not Outcome.UNCHECKED
    shown = verdict.sample[:MAX_LINKED]
    pos = run.report.pos("claims", name, key=True)
    return ClaimView(
        name=name,
        anchor=claim_anchor(name),
        says=words(claim.says),
        title=title_text(claim.says, 120),
        by=words(claim.by),
        made=words(claim.made),
        badge=badge(verdict.outcome, verdict.passes),
        held=phrases.held_words(verdict.position, verdict.passes, verdict.outcome, documented=verdict.documented),
        quoted=verdict.position is not Position.TRUE,
        result=_result(verdict, claim.table),
        basis=foreign(phrases.basis_words(verdict.basis)),
        note=markdown(claim.note, links(run), under=3),
        notes=tuple(foreign(note) for note in verdict.notes),
        checked=checked,
        findings=tuple(_finding(f) for f in verdict.findings) if checked else (),
        looked_at=_looked_at(verdict, claim.table),
        left_out=tuple(phrases.left_out(verdict.counts, claim.table)),
        declarations=tuple(
            DeclarationView(d.collection, words(d.scope), d.start, d.end, words(d.by), words(d.basis))
            for d in verdict.basis.declarations
        ),
        examples=_examples(run, rows, verdict, claim.table, prefix),
        query=query_text(run.query(name)),
        certificates=tuple(
            certificate_link(digest, label(rows.facts[digest]), prefix) + " " + short_link(digest, "", {})
            for digest in shown
            if digest in rows.facts
        ),
        more_certificates=_more(verdict, len(shown)),
        place=f"{pos.file}:{pos.line}",
        quote=quote_view(verdict.quoted),
    )


def query_text(text: str) -> str:
    """A query for ``<pre>``: its hidden characters visible, its lines kept."""
    return "\n".join(visible(line, 4000) for line in text.split("\n"))


def _result(verdict: Verdict, table: str) -> Markup:
    """One plain sentence: what came of holding the claim against the evidence."""
    if verdict.outcome is Outcome.UNCHECKED:
        return foreign(verdict.findings[0].hint if verdict.findings else "")
    if verdict.outcome is Outcome.VERIFIED:
        told = Markup("; ").join(_told(finding) for finding in verdict.findings)
        if verdict.counts.scope == 0:
            looked = phrases.rows(table, verdict.counts.considered)
            return Markup("As stated, of {} looked at: {}.").format(looked, told)
        return Markup("As stated, of the {} that it is about: {}.").format(
            phrases.rows(table, verdict.counts.scope), told
        )
    worst = [f for f in verdict.findings if f.outcome is verdict.outcome] or list(verdict.findings)
    return Markup(" ").join(_contrary(finding) for finding in worst)


def _contrary(finding: Finding) -> Markup:
    """Stated against observed, and what to know besides."""
    sentences = []
    if finding.stated:
        sentences.append(Markup("Stated: {}.").format(_statement(finding)))
    if finding.observed:
        sentences.append(Markup("Observed: {}.").format(foreign(finding.observed)))
    if finding.hint:
        hint = finding.hint.rstrip(".")
        sentences.append(Markup("{}.").format(foreign(hint[:1].upper() + hint[1:])))
    return Markup(" ").join(sentences)


def _statement(finding: Finding) -> Markup:
    return Markup(phrases.STATEMENTS.get(finding.assertion, "{}")).format(foreign(finding.stated))  # noqa: S704 - ours


def _told(finding: Finding) -> Markup:
    """A statement that holds, with what was observed where that is said otherwise."""
    if finding.observed in ("", finding.stated):
        return _statement(finding)
    return Markup("{} ({})").format(_statement(finding), foreign(finding.observed))


def _finding(finding: Finding) -> FindingView:
    name = phrases.ASSERTIONS.get(finding.assertion, finding.assertion)
    return FindingView(
        name, foreign(finding.stated), foreign(finding.observed), foreign(finding.hint), badge(finding.outcome)
    )


def _looked_at(verdict: Verdict, table: str) -> str:
    counts = verdict.counts
    if counts.scope == counts.considered:
        return f"About {phrases.rows(table, counts.scope)}: all that were looked at."
    return f"About {phrases.rows(table, counts.scope)}, of {counts.considered:,} looked at."


def _more(verdict: Verdict, shown: int) -> str:
    more = len(verdict.sample) - shown
    if more <= 0:
        return ""
    least = "at least " if len(verdict.sample) == MAX_SAMPLE else ""
    return f"and {least}{plural(more, 'more', 'more')}; the evidence below lists them"


def _examples(run: Run, rows: Rows, verdict: Verdict, table_name: str, prefix: str) -> Table | None:
    if not verdict.examples:
        return None
    table = TABLES[table_name]
    zone = run.claims[verdict.claim].zone
    names = list(verdict.examples[0])

    def value(name: str, row: Mapping[str, Any]) -> Markup:
        column = table.column(name) or CERTIFICATES.column(name)
        if name in ("sha256", "certificate") and row[name]:
            return short_link(row[name], prefix, rows.facts)
        return cell(row[name], column, zone)

    refuted = verdict.outcome is Outcome.REFUTED
    caption = "Counter-examples" if refuted else "Rows that leave it open"
    if len(verdict.examples) > 1:
        caption += f" (the first {len(verdict.examples)})" if len(verdict.examples) == 5 else ""
    body = tuple(tuple(value(name, row) for name in names) for row in verdict.examples)
    return Table(caption, tuple(names), body, total=len(body))
