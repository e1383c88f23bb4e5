"""The report's words held against its claims.

A ``[words](claim:name)`` link ties a statement to a claim: the figures in its words must be figures that
the claim states in machine form. The same holds of a claim's own sentence (``says``). Figures in prose that
stand in no such link are loose facts; they are reported.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from affidavit.check.compile import CompiledClaim
from affidavit.check.figures import Figure, Stated, find_figures
from affidavit.incident.load import Prose, Report
from affidavit.types import Diagnostic, Severity, did_you_mean

LINK = re.compile(
    r"\[(?P<words>(?:[^\[\]\\]|\\.)*)\]\(\s*<?claim:(?P<claim>[^)\s>]*)>?(?:\s+\"[^\"]*\")?\s*\)", re.DOTALL
)
_OTHER_LINK = re.compile(
    r"(?<=\])\([^)\s]{0,2000}\)|<https?://[^>\s]{0,2000}>|^[ \t]{0,3}\[[^\]\n]{1,300}\]:[ \t].*$", re.MULTILINE
)
_FENCE = re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.DOTALL | re.MULTILINE)
#: Before a number that ranks or labels; in narrative prose it is no fact, in a claim's own words it may be one.
_RANK = re.compile(r"\b(?:class|version)\s+\Z", re.IGNORECASE)
_LIST_NUMBER = re.compile(r"^\s{0,3}\d{1,3}[.)](?=\s)", re.MULTILINE)


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


def check_prose(report: Report, claims: Mapping[str, CompiledClaim]) -> list[Diagnostic]:
    """What is wrong with the report's words: unknown claims, figures that no claim states, loose facts."""
    stated = {name: Stated.of(claim.figures, claim.zone) for name, claim in claims.items() if not claim.unchecked}
    names = {name: _names(claim) for name, claim in claims.items()}
    found: list[Diagnostic] = []
    for name, claim in claims.items():
        if claim.unchecked:
            continue
        says = report.incident.claims[name].says
        prose = report.located_prose("says", says, ("claims", name, "says"))
        found += _words(prose, says, 0, name, stated[name], names[name], "the sentence")
    allowed = [one.text for one in report.incident.allow]
    used: set[str] = set()
    for prose in report.prose():
        masked = prose.text
        for link in claim_links(prose.text):
            masked = masked[: link.start] + " " * (link.end - link.start) + masked[link.end :]
            if link.claim not in claims:
                message = f"there is no claim {link.claim!r}"
                hint = did_you_mean(link.claim, claims)
                found.append(Diagnostic(prose.place(link.start), "unknown-claim", message, hint))
            elif link.claim in stated:
                offset = prose.text.index("[", link.start) + 1
                found += _words(
                    prose,
                    link.words,
                    offset,
                    link.claim,
                    stated[link.claim],
                    names[link.claim],
                    "the link",
                )
        found += _loose(prose, masked, allowed, used, stated, {n for group in names.values() for n in group})
    for index, one in enumerate(report.incident.allow):
        if one.text not in used:
            message = f"{one.text!r} stands nowhere loose in the prose"
            found.append(
                Diagnostic(report.pos("allow", index, "text"), "unused-allow", message, "remove it", Severity.WARNING)
            )
    return found


def _names(claim: CompiledClaim) -> tuple[str, ...]:
    """Stated values that are words with digits in them, such as a CA's name."""
    return tuple(text for text in claim.figures.names if " " in text or "." in text)


def _words(
    prose: Prose,
    words: str,
    offset: int,
    claim: str,
    stated: Stated,
    names: tuple[str, ...],
    what: str,
) -> list[Diagnostic]:
    found = []
    # In a claim's own words a figure set as code is a figure all the same.
    words = words.replace("`", " ")
    for figure in find_figures(words, names):
        if not stated.covers(figure, words):
            found.append(
                Diagnostic(
                    prose.place(offset + figure.start),
                    "figure-not-stated",
                    f"{what} says {figure.text!r}, which claim {claim!r} does not state",
                    _what_is_stated(stated, figure),
                    claim=claim,
                )
            )
    return found


def _what_is_stated(stated: Stated, figure: Figure) -> str:
    if figure.kind in ("number", "word", "one"):
        values = [f"{n:,}" for n in sorted(stated.numbers)][:8]
    elif figure.kind == "hex":
        values = sorted(stated.hexes)[:3]
    else:
        values = [d.isoformat() for d in sorted(stated.days)][:6]
    return "it states " + ", ".join(values) if values else "it states no such figure in machine form"


def _inside(figure: Figure, allowed: str, text: str) -> bool:
    """Whether a figure is, or lies in, a place where an allowed text stands."""
    places = re.finditer(rf"(?<!\w){re.escape(allowed)}(?!\w)", text)
    return any(place.start() <= figure.start and figure.end <= place.end() for place in places)


def _loose(
    prose: Prose,
    masked: str,
    allowed: list[str],
    used: set[str],
    stated: Mapping[str, Stated],
    names: set[str],
) -> list[Diagnostic]:
    """Figures outside every claim link, with the claim that would cover each."""
    if prose.role.endswith(".says"):
        return []
    for pattern in (_FENCE, _OTHER_LINK, _LIST_NUMBER):
        masked = pattern.sub(lambda m: " " * len(m[0]), masked)
    found = []
    for figure in find_figures(masked, names):
        if _RANK.search(masked, 0, figure.start):
            continue
        around = masked[max(0, figure.start - 80) : figure.end + 80]
        near = next((text for text in allowed if _inside(figure, text, masked)), None)
        if near is not None:
            used.add(near)
            continue
        covering = [name for name, one in stated.items() if one.covers(figure, around)]
        hint = (
            f"claim {covering[0]!r} states it: write [{figure.text}](claim:{covering[0]})"
            if covering
            else ("tie it to a claim, or list it under `allow` with the reason")
        )
        message = f"the loose fact {figure.text!r} is tied to no claim"
        found.append(Diagnostic(prose.place(figure.start), "loose-fact", message, hint, Severity.WARNING))
    return found
