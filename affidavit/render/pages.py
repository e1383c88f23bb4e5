"""Every HTML page of a site as a pure function of checked reports: no clock, no disk but the templates.

Paths are relative to the site's root; links between pages are relative and name files, so that the site works
from a disk as well.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from markupsafe import Markup

from affidavit.render.certificate import certificate_view
from affidavit.render.html import environment, read_file, render
from affidavit.render.rows import Rows
from affidavit.render.text import title_text
from affidavit.render.view import Heading, TallyView, heading, note, report_view, tally_view
from affidavit.report.codes import codes
from affidavit.run import Run
from affidavit.times import parse_time

Medium = Literal["screen", "print"]
Page = tuple[str, bytes]

_FEED = uuid.UUID("6d0f0a3e-4a0b-5a38-9d9c-5f2f1f0d7b55")
"""Namespace of the feed's ids (RFC 9562 5.5): an entry's id is a function of its report's slug, and never changes."""


@dataclass(frozen=True, slots=True)
class ReportCard:
    """A report in the site's list."""

    heading: Heading
    tally: TallyView
    note: Markup
    href: str
    id: str
    updated: str
    authors: str


def render_report(run: Run, medium: Medium = "screen", templates: Sequence[Path] = (), *, pdf: bool = True) -> str:
    """The page of a report as HTML.

    ``print`` is the source of the PDF: cover and contents come first, nothing is folded, long tables are cut, and
    its style sheet is ``print.css`` beside the templates. ``pdf``: whether the page names a PDF beside it.
    """
    return _report(run, Rows.of(run), medium, templates, pdf)


def _report(run: Run, rows: Rows, medium: Medium, templates: Sequence[Path], pdf: bool) -> str:
    view = report_view(run, rows, medium, pdf=pdf)
    style = "print.css" if medium == "print" else "../style.css"
    return render(environment(templates), "report.html", report=view, medium=medium, style=style, root="../")


def report_pages(run: Run, templates: Sequence[Path] = (), *, pdf: bool = True) -> Iterator[Page]:
    """The pages of one report: its own, and one for each certificate; sorted."""
    rows = Rows.of(run)
    env = environment(templates)
    yield f"{run.slug}/index.html", _report(run, rows, "screen", templates, pdf).encode()
    title, words = heading(run), note(run, "../../index.html")
    for digest in rows.digests:
        page = render(
            env,
            "certificate.html",
            certificate=certificate_view(run, rows, digest),
            heading=title,
            note=words,
            version=run.version,
            style="../../../style.css",
            root="../../../",
        )
        yield f"{run.slug}/certificates/{digest}/index.html", page.encode()


def site_pages(runs: Sequence[Run], templates: Sequence[Path] = ()) -> Iterator[Page]:
    """What the site has besides its reports: the list of them, the feed, the style sheet."""
    env = environment(templates)
    cards = [_card(run) for run in runs]
    # Newest first; reports of one day by name.
    cards.sort(key=lambda card: card.heading.slug)
    cards.sort(key=lambda card: card.updated, reverse=True)
    yield "index.html", render(env, "index.html", reports=cards, style="style.css", root="").encode()
    updated = cards[0].updated if cards else "1970-01-01T00:00:00Z"
    feed = render(env, "feed.xml", reports=cards, id=_urn("feed"), updated=updated)
    yield "feed.xml", feed.encode()
    page = render(env, "codes.html", codes=list(codes().values()), style="../style.css", root="../")
    yield "codes/index.html", page.encode()
    yield "style.css", read_file(env, "style.css")
    yield ".nojekyll", b""


def _urn(name: str) -> str:
    return uuid.uuid5(_FEED, name).urn


def _card(run: Run) -> ReportCard:
    incident = run.report.incident
    start = parse_time(incident.date, incident.timezone).start
    return ReportCard(
        heading=heading(run),
        tally=tally_view(run),
        note=note(run, f"{run.slug}/index.html", under=2),
        href=f"{run.slug}/index.html",
        id=_urn(f"report/{run.slug}"),
        updated=f"{start.year:04d}-{start:%m-%dT%H:%M:%SZ}",
        authors=title_text(", ".join(incident.authors)) or "Affidavit",
    )
