"""The report's words held against its claims.

A ``[words](claim:name)`` link ties a statement to a claim: the figures in its words must be figures that
the claim states in machine form, and so must the algorithms and the evidence's host names in them. The same holds of
a claim's own sentence (``says``). Figures in prose that stand in no such link are loose facts; they are reported, in
titles, too, where no link can stand.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from affidavit.check.compile import CompiledClaim
from affidavit.check.figures import NUMBERS, Figure, find_figures
from affidavit.check.hosts import find_hosts, is_typo
from affidavit.check.stated import Stated, plain_values
from affidavit.check.unsaid import unsaid
from affidavit.incident.load import Prose, Report
from affidavit.times import Span, parse_time, show_duration
from affidavit.types import Diagnostic, Fix, Severity, did_you_mean, nearest

LINK = re.compile(
    r"\[(?P<words>(?:[^\[\]\\]|\\.)*)\]\(\s*<?claim:(?P<claim>[^)\s>]*)>?(?:\s+\"[^\"]*\")?\s*\)", re.DOTALL
)
_OTHER_LINK = re.compile(
    r"(?<=\])\([^)\s]{0,2000}\)|<https?://[^>\s]{0,2000}>|^[ \t]{0,3}\[[^\]\n]{1,300}\]:[ \t]+\S{1,2000}"
    r"(?:[ \t]+(?:\"[^\"\n]*\"|'[^'\n]*'|\([^)\n]*\)))?[ \t]*$",
    re.MULTILINE,
)
_FENCE = re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.DOTALL | re.MULTILINE)
#: Before a number that ranks or labels; in narrative prose it is no fact, in a claim's own words it may be one.
LOOSE = "loose-fact"
"""Code of what prose says without a claim."""
#: Marks between digits: "3*1*3" is shown as one number, its middle in italics.
_SET = re.compile(r"(?<=\d)[*`]+(?=\d)")
_RANK = re.compile(r"\b(?:class|version)\s+\Z", re.IGNORECASE)
_LIST_NUMBER = re.compile(r"[ \t]{0,3}\d{1,2}[.)](?=\s|\Z)")


@dataclass(frozen=True, slots=True)
class ClaimLink:
    """A link from words to a claim: where it stands in its prose."""

    claim: str
    words: str
    start: int
    end: int


def claim_links(text: str) -> list[ClaimLink]:
    """The claim links of a Markdown text."""
    return [ClaimLink(m["claim"], m["words"], m.start(), m.end()) for m in LINK.finditer(text)]


def texts(report: Report) -> list[str]:
    """Everything that a report says in words: its claims' sentences and its prose."""
    return [claim.says for claim in report.incident.claims.values()] + [prose.text for prose in report.prose()]


def check_prose(
    report: Report, claims: Mapping[str, CompiledClaim], hosts: frozenset[str] = frozenset()
) -> list[Diagnostic]:
    """What is wrong with the report's words: unknown claims, figures that no claim states, loose facts.

    ``hosts``: those of the host names in its words that the evidence holds.
    """
    stated: dict[str, Stated] = {}
    for name, claim in claims.items():
        if not claim.unchecked:
            stated[name] = Stated.of(claim.figures, claim.zone)
        elif claim.quote is not None:  # then the quote is what says it
            stated[name] = Stated.of(claim.quote.figures, claim.zone)
    names = {name: _names(claim) for name, claim in claims.items()}
    words = _Words(stated, names, hosts)
    allowed = [one.text for one in report.incident.allow]
    used: set[str] = set()
    found: list[Diagnostic] = []
    for name, claim in claims.items():
        if name in stated:
            says = report.incident.claims[name].says
            prose = report.located_prose("says", says, ("claims", name, "says"))
            wrong = words.check(prose, says, 0, name, "the sentence")
            found += wrong
            # Where it says another figure, that is what is to be settled first.
            if (
                not wrong
                and not claim.unchecked
                and (more := unsaid(claim, says, find_figures(says, words.names[name])))
            ):
                message = f"claim {name!r} states {', '.join(more[:6])}, which its sentence does not say"
                hint = "say it, or leave it to a claim of its own: a slip would hide behind the other figures"
                found.append(
                    Diagnostic(prose.place(0), "figure-not-said", message, hint, Severity.WARNING, name, about="loose")
                )
        if claim.quote is not None and not claim.unchecked:
            found += _quote_differs(claim, stated[name], allowed, used)
    for prose in report.prose():
        masked = prose.text
        for link in claim_links(prose.text):
            masked = masked[: link.start] + " " * (link.end - link.start) + masked[link.end :]
            if link.claim not in claims:
                message = f"there is no claim {link.claim!r}"
                hint = did_you_mean(link.claim, claims)
                begin = prose.text.index("claim:", link.start + len(link.words)) + len("claim:")
                near = nearest(link.claim, claims, 1) if prose.in_file(begin, begin + len(link.claim)) else []
                place = prose.place(begin)
                fixes = tuple(Fix(place, link.claim, name) for name in near)
                found.append(Diagnostic(prose.place(link.start), "unknown-claim", message, hint, fixes=fixes))
            elif link.claim in stated:
                offset = prose.text.index("[", link.start) + 1
                around = (_plain(prose.text[: link.start]), _plain(prose.text[link.end :]))
                found += words.check(prose, link.words, offset, link.claim, "the link", around)
        found += _loose(prose, masked, allowed, used, words)
    found += _timeline(report, stated, allowed, used)
    for index, one in enumerate(report.incident.allow):
        if one.text not in used:
            message = f"{one.text!r} stands nowhere loose in the prose"
            found.append(
                Diagnostic(report.pos("allow", index, "text"), "unused-allow", message, "remove it", Severity.WARNING)
            )
    return found


def _timeline(report: Report, stated: Mapping[str, Stated], allowed: list[str], used: set[str]) -> list[Diagnostic]:
    """Times of the timeline that none of the claims states which their events name."""
    found = []
    incident = report.incident
    for index, event in enumerate(incident.timeline):
        span = parse_time(event.at, incident.timezone)
        names = [link.claim for link in claim_links(event.text) if link.claim in incident.claims]
        if event.at in allowed:
            used.add(event.at)
        elif not any(name in stated and stated[name].at(span) for name in names) and not _told_then(
            report, names, span
        ):
            named = ", ".join(repr(name) for name in names[:3])
            message = f"the time {event.at!r} of an event is stated by no claim that its text names"
            hint = f"it names {named}" if names else "tie its text to the claim that states the time"
            hint += "; or list the time under `allow` with the reason"
            pos = report.pos("timeline", index, "at")
            found.append(Diagnostic(pos, LOOSE, message, hint, Severity.WARNING, about="loose"))
    return found


def _told_then(report: Report, names: Iterable[str], span: Span) -> bool:
    """Whether one of the claims was made at that time, or is quoted from a document of that day."""
    incident = report.incident
    for name in names:
        claim = incident.claims[name]
        zone = claim.timezone or incident.timezone
        said = [(claim.made, zone)]
        if claim.quote is not None and claim.quote.document in incident.documents:
            said.append((incident.documents[claim.quote.document].date, incident.timezone))
        for text, where in said:
            if text is not None:
                other = parse_time(text, where)
                if other.start <= span.start < other.end or span.start <= other.start < span.end:
                    return True
    return False


def _plain(text: str) -> str:
    """A text around a link, of its other links only the words."""
    return LINK.sub(lambda match: match["words"], text)


def _names(claim: CompiledClaim) -> tuple[str, ...]:
    """Stated values that are words with digits in them, such as a CA's name."""
    return tuple(text for text in claim.figures.names if " " in text or "." in text)


@dataclass(frozen=True)
class _Words:
    """What words are held against: the claims' figures, names that hold digits, and the evidence's host names."""

    stated: Mapping[str, Stated]
    names: Mapping[str, tuple[str, ...]]
    hosts: frozenset[str]

    def check(
        self, prose: Prose, words: str, offset: int, claim: str, what: str, around: tuple[str, str] = ("", "")
    ) -> list[Diagnostic]:
        """The figures and host names in some words that their claim does not state.

        ``offset``: where the words begin in the prose; ``around``: what stands before and behind them.
        """
        stated = self.stated[claim]
        # In a claim's own words a figure set as code is a figure all the same.
        words = _SET.sub("", words).replace("`", " ")
        hosts = [host for host in find_hosts(words) if self._is_host(str(host.value), stated)]
        masked = _mask(words, hosts)
        return [
            Diagnostic(
                prose.place(offset + figure.start),
                "figure-not-stated",
                f"{what} says {figure.text!r}, which claim {claim!r} does not state",
                _what_is_stated(stated, figure),
                claim=claim,
            )
            for figure in [*hosts, *find_figures(masked, self.names[claim])]
            if not stated.covers(figure, words, *around)
        ]

    def _is_host(self, host: str, stated: Stated) -> bool:
        """Whether a name is one of the evidence's hosts, or of the claim's, perhaps with a slip of the pen."""
        return host in self.hosts or host in stated.hosts or is_typo(host, stated.hosts)

    def covering(self, figure: Figure, text: str) -> list[str]:
        """The claims that state a figure of a text."""
        names: Iterable[str] = self.stated
        if values := plain_values(figure, text):
            by_number, others = self._by_number
            near = {name for value in values for name in by_number.get(value, ())}.union(others)
            names = sorted(near, key=self._order.__getitem__)
        return [name for name in names if self.stated[name].covers(figure, text)]

    @cached_property
    def _order(self) -> Mapping[str, int]:
        return {name: number for number, name in enumerate(self.stated)}

    @cached_property
    def _by_number(self) -> tuple[Mapping[Fraction, list[str]], list[str]]:
        """The claims by each number that they state, and those that may state a number in other ways, too."""
        found: dict[Fraction, list[str]] = {}
        for name, one in self.stated.items():
            for value in one.numbers | one.unitless:
                found.setdefault(value, []).append(name)
        return found, [name for name, one in self.stated.items() if not one.numbers_alone]


def _mask(text: str, figures: list[Figure]) -> str:
    for figure in figures:
        text = text[: figure.start] + "\0" * len(figure.text) + text[figure.end :]
    return text


def _what_is_stated(stated: Stated, figure: Figure) -> str:
    """What the claim states of a figure's kind, for the hint."""
    match figure.kind:
        case kind if kind in NUMBERS:
            values = [f"{float(n):,g}" for n in sorted(stated.numbers)][:8]
            values += [bound.words for bound in stated.bounds if not bound.unit]
        case "length":
            values = [show_duration(float(s)) for s, months in sorted(stated.lengths) if not months][:6]
            values += [bound.shown for bound in stated.bounds if bound.unit]
        case "hex":
            values = sorted(stated.hexes)[:3]
        case "host":
            values = sorted(stated.hosts)[:3]
        case "percent":
            values = [f"{float(n):g} %" for n in sorted(stated.percents)] + [one.percent for one in stated.shares]
        case "algorithm":
            values = []
        case _:
            values = [d.isoformat() for d in sorted(stated.days)][:6]
            values += [span.shown for span in stated.ranges]
    if values:
        return "it states " + ", ".join(values)
    return "it states no such thing in machine form: add a key that does, or leave it out of the words"


#: Which kinds of figures are of one sort, so that a quote's can be told from the claim's.
_SORTS: tuple[frozenset[str], ...] = (NUMBERS, frozenset(("iso", "dmy", "mdy")), frozenset(("hex",)))


def _quote_differs(claim: CompiledClaim, stated: Stated, allowed: list[str], used: set[str]) -> list[Diagnostic]:
    """Figures of a claim's quote that are others than the claim's own.

    A quote may well hold further figures. But where it has none of those that the claim states, and others of their
    sort, the two say different things; and where it lacks one and has another, they may.
    """
    assert claim.quote is not None
    text = claim.quote.text
    own = Stated.of(claim.quote.figures, claim.zone)
    found = []
    for sort in _SORTS:
        figures = [figure for figure in find_figures(text, _names(claim)) if figure.kind in sort]
        others = []
        for figure in figures:
            near = next((one for one in allowed if _inside(figure, one, text)), None)
            if near is not None:
                used.add(near)
            elif not stated.covers(figure, text):
                others.append(figure)
        if sort is NUMBERS:
            missing = {n for n in stated.numbers if n > 1} - own.numbers
            missing |= {Fraction(n) for bound in stated.bounds if not bound.unit for n in bound.ends} - own.numbers
            shown = sorted(f"{float(n):,g}" for n in missing)
        elif sort == _SORTS[1]:
            shown = sorted(day.isoformat() for day in stated.days - own.days)
        else:
            shown = sorted(stated.hexes - own.hexes) if not stated.serials & own.serials else []
        if others and shown:
            texts = ", ".join(figure.text for figure in others)
            message = f"the quote says {texts}, and claim {claim.name!r} states {', '.join(shown[:6])}"
            hint = (
                "state what is quoted, quote what is stated, or list the quote's figure under `allow` with the reason"
            )
            severity = Severity.ERROR if len(others) == len(figures) else Severity.WARNING
            found.append(Diagnostic(claim.quote.pos, "quote-differs", message, hint, severity, claim=claim.name))
    return found


def _inside(figure: Figure, allowed: str, text: str) -> bool:
    """Whether a figure is, or lies in, a place where an allowed text stands."""
    places = re.finditer(rf"(?<!\w){re.escape(allowed)}(?!\w)", text)
    return any(place.start() <= figure.start and figure.end <= place.end() for place in places)


def _loose(prose: Prose, masked: str, allowed: list[str], used: set[str], words: _Words) -> list[Diagnostic]:
    """Figures and host names outside every claim link, with the claims that would cover each."""
    if prose.role.endswith(".says"):
        return []
    for pattern in (_FENCE, _OTHER_LINK):
        masked = pattern.sub(lambda m: " " * len(m[0]), masked)
    masked = _without_list_numbers(masked)
    hosts = [host for host in find_hosts(masked) if host.value in words.hosts]
    names = {name for group in words.names.values() for name in group}
    figures = [one for one in find_figures(_mask(masked, hosts), names) if one.kind not in ("algorithm", "month")]
    found = []
    for figure in sorted([*hosts, *figures], key=lambda one: one.start):
        if figure.kind != "host" and _RANK.search(masked, 0, figure.start):
            continue
        near = next((text for text in allowed if _inside(figure, text, masked)), None)
        if near is not None:
            used.add(near)
            continue
        message = f"the loose fact {figure.text!r} is tied to no claim"
        covering, title = words.covering(figure, masked), prose.role.endswith("title")
        place, hint = prose.place(figure.start), _tie(figure, covering, title=title)
        # Of two claims that state it nobody but the author knows which is meant.
        whole = prose.in_file(figure.start, figure.start + len(figure.text))
        sure = len(covering) == 1 and whole and not title and not set("[]\\") & set(figure.text)
        fixes = (Fix(place, figure.text, f"[{figure.text}](claim:{covering[0]})"),) if sure else ()
        found.append(Diagnostic(place, LOOSE, message, hint, Severity.WARNING, fixes=fixes, about="loose"))
    return found


def _without_list_numbers(text: str) -> str:
    """The text without the numbers of its lists; a line that goes on with a paragraph begins with none."""
    lines, free, listing = [], True, False
    for line in text.split("\n"):
        number = _LIST_NUMBER.match(line) if free else None
        lines.append(" " * number.end() + line[number.end() :] if number else line)
        listing = bool(number) or (listing and bool(line.strip()))
        free = listing or not line.strip() or (free and line[0] in " \t#>*-+|")
    return "\n".join(lines)


def _tie(figure: Figure, covering: list[str], *, title: bool) -> str:
    """What to do about a loose fact."""
    named = ", ".join(repr(name) for name in covering[:3]) + (" and others" if len(covering) > 3 else "")
    states = f"claim {named} states it" if len(covering) == 1 else f"claims {named} state it"
    if title:
        advice = "no link can stand in a title: leave it out, or list it under `allow` with the reason"
        return f"{states}, but {advice}" if covering else advice
    if not covering:
        return "tie it to a claim, or list it under `allow` with the reason"
    return f"{states}: write [{figure.text}](claim:{covering[0]})"
