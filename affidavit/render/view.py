"""A checked report as plain frozen values for the templates, which compute nothing."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup, escape

from affidavit.check.prose import LOOSE
from affidavit.render import phrases
from affidavit.render.claims import Badge, ClaimView, badge, claim_anchor, claim_view, links
from affidavit.render.documents import documents_table
from affidavit.render.evidence import EvidenceView, evidence_view
from affidavit.render.markdown import Links, markdown, one_line
from affidavit.render.rows import Rows
from affidavit.render.text import foreign, plural, title_text, words
from affidavit.render.values import Table, span_start
from affidavit.run import Run
from affidavit.times import Span, parse_time
from affidavit.types import Outcome, Severity

MAX_DIAGNOSTICS = 100


@dataclass(frozen=True, slots=True)
class TallyLine:
    """A verdict with how many claims have it."""

    badge: Badge
    number: str
    meaning: str


@dataclass(frozen=True, slots=True)
class TallyView:
    """Verdicts counted, and what that means in words."""

    lines: tuple[TallyLine, ...]
    passes: bool
    sentence: str
    quoted: str
    total: str
    documented: str


@dataclass(frozen=True, slots=True)
class Heading:
    """What a report is called, by whom and when."""

    slug: str
    title: Markup
    plain_title: str
    kind: str
    ca_owner: Markup
    date: str
    iso_date: str
    authors: Markup
    zone: str


@dataclass(frozen=True, slots=True)
class SectionView:
    """A part of the narrative."""

    anchor: str
    title: Markup
    html: Markup


@dataclass(frozen=True, slots=True)
class QuestionView:
    """A question, its answer, and what the evidence shows."""

    anchor: str
    number: int
    asked: Markup
    by: Markup
    answered: Markup
    answered_by: Markup
    finding: Markup


@dataclass(frozen=True, slots=True)
class EventView:
    """A line of the timeline: its time in the report's zone, and in UTC where that differs."""

    when: str
    utc: str
    html: Markup


@dataclass(frozen=True, slots=True)
class CorrectionView:
    """A corrected figure: when, of which claim, what it was, what it is, and why."""

    when: str
    href: str
    claim: str
    says: Markup
    was: Markup
    because: Markup


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the table of contents."""

    href: str
    title: Markup
    entries: "tuple[Entry, ...]" = ()


@dataclass(frozen=True, slots=True)
class Aside:
    """A claim that is not verified, in the list that opens the claims."""

    badge: Badge
    href: str
    says: Markup
    documented: bool


@dataclass(frozen=True, slots=True)
class SuppressedView:
    """A message that the report sets aside: where, what, why and until when."""

    place: str
    text: Markup
    reason: Markup
    until: str


@dataclass(frozen=True, slots=True)
class Message:
    """A diagnostic for readers: where, what, and what to do."""

    place: str
    text: Markup
    hint: Markup


@dataclass(frozen=True, slots=True)
class FileLink:
    """A file that stands beside the page."""

    href: str
    title: str


@dataclass(frozen=True, slots=True)
class ReportView:
    """A report's page, all strings final."""

    heading: Heading
    tally: TallyView
    note: Markup
    note_line: str
    summary: Markup
    sections: tuple[SectionView, ...]
    questions: tuple[QuestionView, ...]
    timeline: tuple[EventView, ...]
    claims: tuple[ClaimView, ...]
    asides: tuple[Aside, ...]
    evidence: EvidenceView
    contents: tuple[Entry, ...]
    errors: tuple[Message, ...]
    warnings: tuple[Message, ...]
    loose: tuple[Message, ...]
    files: tuple[FileLink, ...]
    version: str
    documents: Table | None = None
    corrections: tuple[CorrectionView, ...] = ()
    suppressed: tuple[SuppressedView, ...] = ()


def report_view(run: Run, rows: Rows, medium: str, *, pdf: bool = True) -> ReportView:
    """The page of a report; ``medium`` is ``screen`` or ``print``."""
    incident = run.report.incident
    anchors = tuple(f"section-{index}" for index in range(1, len(incident.sections) + 1))
    marked = links(run, "", anchors)
    sections = tuple(
        SectionView(anchor, words(section.title), markdown(run.report.section_text(index), marked, under=2))
        for index, (anchor, section) in enumerate(zip(anchors, incident.sections, strict=True))
    )
    questions = tuple(
        QuestionView(
            f"question-{number}", number, markdown(one.asked, marked, under=3), words(one.by),
            markdown(one.answered, marked, under=3), words(one.answered_by), markdown(one.finding, marked, under=3),
        )
        for number, one in enumerate(incident.questions, 1)
    )  # fmt: skip
    timeline = []
    for event in sorted(incident.timeline, key=lambda one: parse_time(one.at, incident.timezone).start):
        when, utc = span_start(parse_time(event.at, incident.timezone), incident.timezone)
        timeline.append(EventView(when, utc, one_line(event.text, marked, under=2)))
    claims = tuple(claim_view(run, rows, name) for name in run.verdicts)
    evidence = evidence_view(run, rows, medium)
    view = ReportView(
        heading=heading(run),
        tally=tally_view(run),
        note=note(run),
        note_line=note_line(run),
        summary=markdown(incident.summary, marked, under=2),
        sections=sections,
        questions=questions,
        timeline=tuple(timeline),
        claims=claims,
        asides=_asides(run),
        evidence=evidence,
        contents=(),
        errors=_messages(run, Severity.ERROR),
        warnings=_messages(run, Severity.WARNING),
        loose=_messages(run, Severity.WARNING, loose=True),
        files=files(pdf),
        version=run.version,
        documents=documents_table(run),
        corrections=tuple(_corrections(run)),
        suppressed=tuple(
            SuppressedView(
                str(one.diagnostic.pos), foreign(one.diagnostic.message), words(one.reason), one.until.isoformat()
            )
            for one in run.suppressed[:MAX_DIAGNOSTICS]
        ),
    )
    return _with_contents(view)


def _corrections(run: Run) -> Iterator[CorrectionView]:
    incident = run.report.incident
    for one in sorted(incident.corrections, key=lambda c: parse_time(c.date, incident.timezone).start):
        when, _ = span_start(parse_time(one.date, incident.timezone), incident.timezone)
        now = incident.claims.get(one.claim)
        # What had been stated is held against nothing, so no link in it may show a verdict.
        yield CorrectionView(
            when, f"#{claim_anchor(one.claim)}" if now else "", one.claim, words(now.says if now else None),
            one_line(one.was, Links(), under=2), one_line(one.because, Links(), under=2),
        )  # fmt: skip


def heading(run: Run) -> Heading:
    """What a report is called."""
    incident = run.report.incident
    date = parse_time(incident.date, incident.timezone)
    return Heading(
        slug=run.slug,
        title=words(incident.title),
        plain_title=title_text(incident.title),
        kind=phrases.KINDS[incident.kind],
        ca_owner=words(incident.ca_owner),
        date=_date(date),
        iso_date=date.local_day.isoformat(),
        authors=words(", ".join(incident.authors)),
        zone=incident.timezone,
    )


def _date(span: Span) -> str:
    day = span.local_day
    return f"{day.day} {day:%B} {day.year:04d}"


def note(run: Run, prefix: str = "", under: int = 1) -> Markup:
    """The words about the evidence that stand wherever evidence is shown; empty if there are none."""
    return markdown(run.report.incident.evidence_note, links(run, prefix), under)


def note_line(run: Run) -> str:
    """The first sentence about the evidence as plain text, for the foot of printed pages."""
    text = run.report.incident.evidence_note or ""
    return title_text(re.split(r"(?<=[.;!?])\s", " ".join(text.split()), maxsplit=1)[0], 160).rstrip(";")


def tally_view(run: Run) -> TallyView:
    """The verdicts of a run counted."""
    tally = run.tally
    lines = tuple(
        TallyLine(badge(outcome), f"{tally.counts[outcome]:,}", phrases.MEANINGS[outcome]) for outcome in Outcome
    )
    held = [v for v in run.verdicts.values() if v.passes]
    refuted = sum(v.outcome is Outcome.REFUTED for v in held)
    unproven = sum(v.outcome is Outcome.UNPROVEN for v in held)
    sentence = phrases.passing_words(tally)
    if not tally.failing and not run.passes:
        number = sum(d.severity is Severity.ERROR for d in run.diagnostics)
        sentence = (
            f"This report does not pass: its verdicts are what it holds, but {plural(number, 'thing')} that its words "
            f"say or quote {'is' if number == 1 else 'are'} not borne out."
        )
    return TallyView(
        lines, run.passes, sentence, phrases.quoted_words(refuted, unproven), plural(tally.total, "claim"),
        phrases.documented_words(tally.documented),
    )  # fmt: skip


def _asides(run: Run) -> tuple[Aside, ...]:
    order = [Outcome.REFUTED, Outcome.UNPROVEN, Outcome.UNCHECKED, Outcome.VERIFIED]
    chosen = [v for v in run.verdicts.values() if v.outcome is not Outcome.VERIFIED or not v.passes]
    chosen.sort(key=lambda v: (v.passes, order.index(v.outcome), v.documented))
    says = {name: words(claim.says) for name, claim in run.report.incident.claims.items()}
    return tuple(
        Aside(badge(v.outcome, v.passes), f"#{claim_anchor(v.claim)}", says[v.claim], v.documented) for v in chosen
    )


def _messages(run: Run, severity: Severity, *, loose: bool = False) -> tuple[Message, ...]:
    found = [d for d in run.diagnostics if d.severity is severity]
    if severity is Severity.WARNING:
        found = [d for d in found if (d.code == LOOSE) is loose]
    return tuple(Message(str(d.pos), foreign(d.message), foreign(d.hint)) for d in found[:MAX_DIAGNOSTICS])


def files(pdf: bool) -> tuple[FileLink, ...]:
    """The files that are published beside a report's page."""
    found = [
        FileLink("verdicts.json", "Verdicts (JSON)"),
        FileLink("certificates.csv", "Certificates (CSV)"),
        FileLink("incident.yaml", "Source (YAML)"),
    ]
    return (FileLink("report.pdf", "This report (PDF)"), *found) if pdf else tuple(found)


def _with_contents(view: ReportView) -> ReportView:
    entries: list[Entry] = []
    if view.summary:
        entries.append(Entry("#summary", Markup("Summary")))
    entries += [Entry(f"#{s.anchor}", s.title) for s in view.sections]
    if view.questions:
        inner = tuple(Entry(f"#{q.anchor}", escape(f"Question {q.number}")) for q in view.questions)
        entries.append(Entry("#questions", Markup("Questions and answers"), inner))
    if view.timeline:
        entries.append(Entry("#timeline", Markup("Timeline")))
    if view.corrections:
        entries.append(Entry("#corrections", Markup("Corrections")))
    entries.append(Entry("#claims", Markup("Claims")))
    collections: Sequence[Entry] = [Entry(f"#{c.anchor}", c.title) for c in view.evidence.collections]
    entries.append(Entry("#evidence", Markup("Evidence"), tuple(collections)))
    if view.loose:
        entries.append(Entry("#loose", Markup("Figures tied to no claim")))
    if view.warnings:
        entries.append(Entry("#remarks", Markup("Remarks of the check")))
    if view.suppressed:
        entries.append(Entry("#suppressed", Markup("Set aside")))
    return replace(view, contents=tuple(entries))
