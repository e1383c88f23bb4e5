"""The domain's values, frozen, and the one error tree. This module imports nothing of ours.

The flow is load -> extract -> check -> render -> report; what passes from one step to the next is
made of the types here (and, for the tables, of Arrow).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal


@dataclass(frozen=True, slots=True, order=True)
class Pos:
    """A place in a text file: path as shown to people, line and column from 1, in code points.

    Line 0 means a file or folder as a whole, or a word of the command line.
    """

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file

    @classmethod
    def whole(cls, name: str) -> "Pos":
        """A file or folder as a whole, or a word of the command line."""
        return cls(name, 0, 0)


class Severity(StrEnum):
    """How much a diagnostic weighs: an error fails the check, a warning is shown."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Fix:
    """An edit that a message proposes: at a place of a file, ``now`` instead of ``was``."""

    pos: Pos
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One message for people: where, what is wrong, and what to do about it.

    ``fixes``: edits that together would settle it. They change what the report states; nobody makes them unasked.
    ``about``: which of the things that a check can fail on it is (settings.py); empty for what is never let through.
    ``line``: the text of the line that it is about, where the file is no loaded report's.
    """

    pos: Pos
    code: str
    message: str
    hint: str = ""
    severity: Severity = Severity.ERROR
    claim: str = ""
    fixes: tuple[Fix, ...] = ()
    about: str = "rules"
    line: str = field(default="", compare=False)

    def sort_key(self) -> tuple[Pos, str, str]:
        """Order of output: by place, then code, then text."""
        return (self.pos, self.code, self.message)


class AffidavitError(Exception):
    """Base of every error that this program raises on purpose; carries diagnostics for people."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__("\n".join(f"{d.pos}: {d.message}" + (f" ({d.hint})" if d.hint else "") for d in diagnostics))
        self.diagnostics: tuple[Diagnostic, ...] = diagnostics


class InputError(AffidavitError):
    """The input is at fault: the incident file, an expression or the evidence (exit status 2)."""


class LimitReached(Exception):
    """A bound of time or memory was reached; what depends on it is unproven, never verified."""


class Outcome(StrEnum):
    """What the evidence says of a claim (design.md, section 4)."""

    VERIFIED = "verified"
    REFUTED = "refuted"
    UNPROVEN = "unproven"
    UNCHECKED = "unchecked"


NOT_CHECKED = ("check-failed", "limit-reached")
"""Codes of verdicts on claims whose check did not come to its end."""


class Position(StrEnum):
    """What the report holds of a claim: it stands, it does not, or it cannot be known."""

    TRUE = "true"
    FALSE = "false"
    UNPROVEN = "unproven"

    def fits(self, outcome: Outcome) -> bool:
        """Whether a verdict is the one that the report holds; ``unchecked`` only beside ``true``."""
        wanted = {
            Position.TRUE: (Outcome.VERIFIED, Outcome.UNCHECKED),
            Position.FALSE: (Outcome.REFUTED,),
            Position.UNPROVEN: (Outcome.UNPROVEN,),
        }
        return outcome in wanted[self]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something among the evidence that could not be read, or not fully.

    ``position`` is the number of the item in its file, from 1 (0: the file itself); ``field`` names
    the part that failed where the rest of a certificate was read, and ``certificate`` its SHA-256.
    """

    file: str
    position: int
    field: str
    reason: str
    certificate: str = ""
    collection: str = ""
    excused: str = ""


@dataclass(frozen=True, slots=True)
class Declaration:
    """A declared completeness: over which scope and window (days inclusive), on whose word and grounds.

    Where it is ``derived`` from the evidence, the window is empty until that was looked at.
    """

    collection: str
    scope: str
    start: str
    end: str
    basis: str
    by: str
    derived: bool = False


@dataclass(frozen=True, slots=True)
class Basis:
    """What a verdict rests on: the evidence given, or evidence declared (or derived) complete over a window."""

    kind: Literal["given", "declared complete", "derived complete", "none"]
    words: str
    declarations: tuple[Declaration, ...] = ()


@dataclass(frozen=True, slots=True)
class Counts:
    """How the rows behind a verdict came about; nothing is left out unseen.

    ``scope``: rows that the claim is about. ``considered``: rows looked at before ``where``.
    The others say how many rows of the claim's collections were left aside, and why.
    """

    scope: int = 0
    considered: int = 0
    not_authentic: int = 0
    other_kind: int = 0
    copies: int = 0
    undecided: int = 0
    unreadable: int = 0
    excused: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """The judgement of one assertion of a claim.

    ``would``: which of the claim's values would have been right, each by its path below the claim.
    """

    assertion: str
    outcome: Outcome
    stated: str
    observed: str
    hint: str = ""
    code: str = ""
    pos: Pos | None = None
    would: tuple[tuple[tuple[str, ...], str], ...] = ()


@dataclass(frozen=True, slots=True)
class Quoted:
    """A claim's quote and its document: whether it stands there, on which lines, and the passage itself.

    Of a quote that was not found, ``line`` and ``passage`` are those nearest to it, if any is near.
    """

    document: str
    title: str
    by: str
    date: str
    file: str
    sha256: str
    text: str
    found: bool
    line: int | None
    last_line: int | None
    passage: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on a claim, with all that it rests on.

    ``examples`` are up to five rows that contradict the claim (or, for an unproven one, that could not
    be compared); ``sample`` the SHA-256 of certificates that the claim is about, capped.
    """

    claim: str
    outcome: Outcome
    position: Position
    findings: tuple[Finding, ...]
    basis: Basis
    counts: Counts
    examples: tuple[Mapping[str, Any], ...] = ()
    sample: tuple[str, ...] = field(default=(), repr=False)
    notes: tuple[str, ...] = ()
    code: str = ""
    quoted: Quoted | None = None

    @property
    def documented(self) -> bool:
        """Whether no certificate settles it, but a pinned document shows that it was said."""
        return self.outcome is Outcome.UNCHECKED and self.quoted is not None and self.quoted.found

    @property
    def passes(self) -> bool:
        """Whether the verdict is the one that the report holds of the claim.

        A check that failed or was stopped says nothing of the evidence, so no position fits it.
        """
        return self.position.fits(self.outcome) and self.code not in NOT_CHECKED


@dataclass(frozen=True, slots=True)
class Tally:
    """Verdicts counted by outcome, with how many of them are not what the report holds.

    ``documented``: how many of the unchecked ones are quoted from a pinned document.
    """

    counts: Mapping[Outcome, int] = field(default_factory=dict)
    failing: int = 0
    documented: int = 0

    @classmethod
    def of(cls, verdicts: Iterable[Verdict]) -> "Tally":
        """Count verdicts."""
        counts = dict.fromkeys(Outcome, 0)
        failing = documented = 0
        for verdict in verdicts:
            counts[verdict.outcome] += 1
            failing += not verdict.passes
            documented += verdict.documented
        return cls(counts, failing, documented)

    @property
    def total(self) -> int:
        """How many claims were judged."""
        return sum(self.counts.values())


def nearest(word: str, names: Iterable[str], most: int = 3) -> list[str]:
    """The names nearest to ``word``, best first; empty where none is near."""
    import difflib

    known = sorted(set(names))
    close = difflib.get_close_matches(word.lower(), [name.lower() for name in known], n=most, cutoff=0.55)
    by_lower = {name.lower(): name for name in known}
    return [by_lower[name] for name in close]


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """A hint that offers the nearest names, or all of them where there are few."""
    known = sorted(set(names))
    close = nearest(word, known)
    if close:
        return "did you mean " + " or ".join(repr(name) for name in close) + "?"
    if known and len(known) <= 20:
        return "known: " + ", ".join(known)
    return ""
