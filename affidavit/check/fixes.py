"""Edits that would make a refuted claim true: of its values, and of the figures in words that state them.

They are proposals: whether the report was wrong or the evidence is incomplete, no program knows.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache

from affidavit.check.assertions import BY_KEY
from affidavit.check.figures import NUMBERS, Figure, find_figures
from affidavit.check.numerals import parse_number
from affidavit.check.prose import claim_links
from affidavit.incident.load import Prose, Report
from affidavit.incident.nodes import Node
from affidavit.times import MONTHS, WEEKDAYS, parse_time
from affidavit.types import Finding, Fix, Outcome, Pos, Position, Verdict

_STATING = frozenset(("where", "returns", *BY_KEY))
_SPACED = re.compile(r"\d{1,3}(?P<by>[,.\u00a0\u202f ])\d{3}")


def fixes_of(report: Report, verdict: Verdict) -> tuple[Fix, ...]:
    """The edits after which the report states what the evidence shows; none where that is not known of every value."""
    if verdict.outcome is not Outcome.REFUTED or verdict.position is not Position.TRUE:
        return ()
    refuted = [finding for finding in verdict.findings if finding.outcome is Outcome.REFUTED]
    if not all(finding.would for finding in refuted):
        return ()
    found: list[Fix] = []
    for finding in refuted:
        for path, right in finding.would:
            node = report.tree.find(("claims", verdict.claim, *path))
            if node is None or not isinstance(node.value, str) or not _own(report, verdict.claim, path, node.value):
                return ()
            if _stated_twice(report, verdict.claim, path, node.value, right, refuted):
                return ()
            words = list(_words(report, verdict.claim, node.value, right))
            if None in words:
                return ()
            found += [Fix(node.pos, node.value, right), *(fix for fix in words if fix is not None)]
    return tuple(dict.fromkeys(found))


def _stated_twice(
    report: Report, claim: str, path: tuple[str, ...], was: str, now: str, refuted: Sequence[Finding]
) -> bool:
    """Whether the claim states the old value in another place, too, where it stays: which one its words mean is open.

    "5 certificates carry 5 serial numbers" would else become 6 and 6, though only the one was wrong.
    """
    changing = {one: text for finding in refuted for one, text in finding.would}
    zone = report.incident.timezone
    todo: list[tuple[tuple[str, ...], Node]] = [((), node)] if (node := report.tree.find(("claims", claim))) else []
    while todo:
        place, node = todo.pop()
        if isinstance(node.value, dict):
            todo += [((*place, key), one) for key, one in node.value.items() if place or key in _STATING]
        elif isinstance(node.value, list):
            todo += [((*place, str(index)), one) for index, one in enumerate(node.value)]
        elif (
            node.value is not None
            and place != path
            and changing.get(place) != now
            and any(_like(figure, was, now, zone) is not None for figure in find_figures(node.value))
        ):
            return True
    return False


def _own(report: Report, claim: str, path: tuple[str, ...], value: str) -> bool:
    """Whether a claim's value stands in the file as it is, and is no other's through an anchor or alias."""
    whole = ("claims", claim, *path)
    sources = [_source(report, report.pos(*whole[:depth])) for depth in range(1, len(whole) + 1)]
    quote = sources[-1][:1] if sources[-1][:1] in ("'", '"') else ""
    shared = any(source.startswith(("&", "*")) for source in sources)
    return not shared and sources[-1].startswith(f"{quote}{value}{quote}")


def _source(report: Report, pos: Pos) -> str:
    return report.lines[pos.line - 1][pos.column - 1 :] if pos.line <= len(report.lines) else ""


def _words(report: Report, claim: str, was: str, now: str) -> Iterator[Fix | None]:
    """The claim's figures in words that state the old value, each in its own form with the new one.

    None for one whose place in the file cannot be told: half a repair is none.
    """
    says = report.located_prose("says", report.incident.claims[claim].says, ("claims", claim, "says"))
    places: list[tuple[Prose, int, str]] = [(says, 0, says.text)]
    places += _links(report).get(claim, ())
    for prose, offset, words in places:
        for figure in find_figures(words):
            other = _like(figure, was, now, report.incident.timezone)
            if other is not None and other != figure.text:
                start = offset + figure.start
                whole = prose.in_file(start, start + len(figure.text))
                yield Fix(prose.place(start), figure.text, other) if whole else None


@lru_cache(maxsize=1)  # asked for every refuted claim of a report
def _links(report: Report) -> dict[str, list[tuple[Prose, int, str]]]:
    """The words of all links by claim, each with its prose and where they begin in it."""
    found: dict[str, list[tuple[Prose, int, str]]] = {}
    for prose in report.prose():
        for link in claim_links(prose.text):
            place = prose, prose.text.index("[", link.start) + 1, link.words
            found.setdefault(link.claim, []).append(place)
    return found


def _like(figure: Figure, was: str, now: str, zone: str) -> str | None:
    """A figure that states ``was``, written as it is, with ``now``; None where it states something else."""
    if figure.kind in NUMBERS:
        return _number(figure, was, now)
    if figure.kind == "percent" and was.rstrip(" %").isascii():
        return now if figure.text.replace(" ", "") == was.replace(" ", "") else None
    try:
        old, new = parse_time(was, zone).local_day, parse_time(now, zone).local_day
    except ValueError:
        return None
    if figure.kind == "instant" and figure.text == was:
        return now
    return _day(figure, old, new)


def _number(figure: Figure, was: str, now: str) -> str | None:
    try:
        same = parse_number(was) == figure.value
        number = int(now)
    except ValueError:
        return None
    if not same:
        return None
    mark = _SPACED.match(figure.text)
    if abs(number) < 10_000 and not mark:
        return str(number)
    return f"{number:,}".replace(",", mark["by"] if mark else ",")


def _day(figure: Figure, old: date, new: date) -> str | None:
    """The new day in the form of the figure, if that is the old one: 4 January 2016, January 4, 2016, 2016-01-04."""
    if figure.kind == "iso":
        return new.isoformat() if figure.value == old else None
    if figure.kind == "weekday":
        return WEEKDAYS[new.weekday()] if figure.value == WEEKDAYS[old.weekday()] else None
    if figure.kind not in ("dmy", "mdy") or not isinstance(figure.value, tuple):
        return None
    year, month, day = figure.value
    if (month, day) != (old.month, old.day) or (year and int(year) != old.year) or (not year and new.year != old.year):
        return None
    name = MONTHS[new.month - 1]
    if figure.kind == "dmy":
        return f"{new.day} {name} {new.year}" if year else f"{new.day} {name}"
    return f"{name} {new.day}, {new.year}" if year else f"{name} {new.day}"
