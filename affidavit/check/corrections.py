"""What changed between two editions of a report, held against the corrections that it gives.

The CCADB's incident guidelines want each correction of a published figure told: what it was, what it is, and why. A
change that no entry under ``corrections`` explains is an error.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from affidavit.check.compile import CompiledClaim
from affidavit.check.figures import find_figures
from affidavit.incident.load import Report
from affidavit.times import Span, parse_time
from affidavit.types import Diagnostic, Severity

SAYS, STANDS, REMOVED, ADDED = "says", "stands", "removed", "added"
ABOUT = ("over", "where", "kind")
"""What tells which rows a claim is about."""
NOTHING = "nothing"
MAX_SHOWN = 300


@dataclass(frozen=True)
class Edition:
    """What an edition of a report states: for each claim what it states by key (`count`, `says`, `stands` ...).

    ``name``: how people know it; ``date``: its own date, as it was written, in its ``zone``.
    """

    name: str
    date: str
    zone: str
    claims: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """A stated fact that another edition states otherwise, or does not state."""

    claim: str
    key: str
    before: str
    after: str

    @property
    def new(self) -> bool:
        """Whether nothing was published that it contradicts."""
        return self.key == ADDED or (self.before == NOTHING and self.key != SAYS) or self.key in ABOUT

    @property
    def words(self) -> str:
        """As people say it."""
        if self.key == ADDED:
            return f"claim {self.claim!r} is new: {_cut(self.after)}"
        if self.key == REMOVED:
            return f"claim {self.claim!r} was stated ({_cut(self.before)}), and is no longer there"
        if self.before == NOTHING:
            return f"claim {self.claim!r} now has {self.key}: {_cut(self.after)}"
        return f"claim {self.claim!r}: {self.key}: {_cut(self.before)} became {_cut(self.after)}"


def edition_of(report: Report, claims: Mapping[str, CompiledClaim], name: str = "this edition") -> Edition:
    """What a report states."""
    found = {}
    for key, claim in claims.items():
        stated = {check.key: check.stated for check in claim.checks}
        about = {name: _written(report, key, name) for name in ABOUT}
        found[key] = {SAYS: report.incident.claims[key].says, STANDS: claim.position.value, **about, **stated}
    return Edition(name, report.incident.date, report.incident.timezone, found)


def _written(report: Report, claim: str, key: str) -> str:
    """A claim's value as it is written, for comparison; empty where it has none."""
    node = report.tree.find(("claims", claim, key))
    value = None if node is None else node.plain()
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) if value else ""


def changes(before: Edition, after: Edition) -> list[Change]:
    """The facts of the earlier edition that the later one does not state as they were, and those that are new.

    Words alone may change: a sentence counts where its figures do.
    """
    found = []
    for name, old in before.claims.items():
        new = after.claims.get(name)
        if new is None:
            found.append(Change(name, REMOVED, old.get(SAYS, ""), ""))
            continue
        for key in sorted({*old, *new}):
            if key in ABOUT and key not in old:
                continue  # a verdicts.json does not tell it
            was, now = old.get(key) or NOTHING, new.get(key) or NOTHING
            same = _figures(was) == _figures(now) if key == SAYS else was == now
            if not same:
                found.append(Change(name, key, was, now))
    found += [
        Change(name, ADDED, "", new.get(SAYS, "")) for name, new in after.claims.items() if name not in before.claims
    ]
    return found


def _figures(text: str) -> list[str]:
    return sorted(repr(figure.value) for figure in find_figures(text))


def explained(report: Report, before: Edition, found: Sequence[Change]) -> list[Diagnostic]:
    """An error for each change that no correction explains; a warning for each correction that nothing needs.

    A correction made before the earlier edition was published explains no change of that edition.
    """
    diagnostics: list[Diagnostic] = []
    published = _day(before.date, before.zone)
    recent: dict[str, list[int]] = {}
    for index, one in enumerate(report.incident.corrections):
        made = _day(one.date, report.incident.timezone)
        if published is None or made is None or made.end > published.start:
            recent.setdefault(one.claim, []).append(index)
    for change in found:
        if change.claim in recent or change.new:
            continue
        known = change.claim in report.incident.claims
        pos = report.pos("claims", change.claim, key=True) if known else report.pos("claims", key=True)
        hint = (
            f"add under `corrections`: {{claim: {change.claim}, date: ..., was: ..., because: ...}}, or state again "
            "what was published"
        )
        message = f"since {before.name}, {change.words}; no correction explains it"
        diagnostics.append(Diagnostic(pos, "unexplained-change", message, hint, claim=change.claim if known else ""))
    changed = {change.claim for change in found if change.key != ADDED}
    for name, indices in recent.items():
        for index in indices if name not in changed else ():
            # On the day of the earlier edition itself it may have been part of that edition.
            made = _day(report.incident.corrections[index].date, report.incident.timezone)
            if made is None or published is None or made.start <= published.start:
                continue
            message = f"claim {name!r} is corrected, and states what {before.name} stated"
            hint = "remove the correction, or name the claim that changed"
            pos = report.pos("corrections", index)
            diagnostics.append(Diagnostic(pos, "needless-correction", message, hint, Severity.WARNING))
    return diagnostics


def _day(text: str, zone: str) -> Span | None:
    try:
        return parse_time(text, zone)
    except ValueError:
        return None


def _cut(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "..."
