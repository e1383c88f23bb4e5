"""Messages that a report sets aside for a while: each with a reason and a last day, and shown in the report.

A claim whose verdict is not what the report holds is never set aside: it has to be corrected, or disputed with
`stands`. Neither are words that say something else than their claim or their document, for the page shows them with
its verdict, nor a change of a published figure that no correction explains.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from affidavit.clock import today
from affidavit.incident.load import Report
from affidavit.times import parse_time
from affidavit.types import Diagnostic, Outcome, Severity, did_you_mean, nearest

NEVER = frozenset(("figure-not-stated", "quote-differs", "unknown-claim"))
ABOUT_ITSELF = frozenset(("suppression-expired", "suppression-too-long", "not-suppressible", "unused-suppression"))
"""What is wrong with one suppression no other sets aside: it would last for ever."""
OF_VERDICTS = frozenset(outcome.value for outcome in Outcome)
LONGEST = timedelta(days=366)
"""For so long a message may be set aside; then somebody has to look at it again."""


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A message that is set aside: why, and until when (that day included)."""

    diagnostic: Diagnostic
    reason: str
    until: date

    @property
    def words(self) -> str:
        """In a line."""
        return f"{self.diagnostic.pos}: {self.diagnostic.message}: until {self.until.isoformat()}, {self.reason}"


def suppress(
    report: Report, found: Sequence[Diagnostic], now: date | None = None
) -> tuple[list[Diagnostic], tuple[Suppressed, ...]]:
    """The messages that stay, with those about the suppressions themselves, and the ones set aside.

    ``now``: the day to be taken for today.
    """
    kept, aside = list(found), []
    there = {d.code for d in found}
    for index, one in enumerate(report.incident.suppress):
        until = parse_time(one.until, report.incident.timezone).local_day
        place = report.pos("suppress", index, "until")
        if until < (now or today()):
            message = f"the suppression of {one.code!r} ran out on {until.isoformat()}"
            hint = "repair what it set aside, or give it a new day if the reason still holds"
            kept.append(Diagnostic(place, "suppression-expired", message, hint))
            continue
        if until > (now or today()) + LONGEST:
            message = f"a message can be set aside for a year at most, not until {until.isoformat()}"
            kept.append(Diagnostic(place, "suppression-too-long", message, "name an earlier day"))
            continue
        why = _never(one.code)
        if why:
            message = f"a message of the code {one.code!r} cannot be set aside: {why}"
            pos = report.pos("suppress", index, "code")
            kept.append(Diagnostic(pos, "not-suppressible", message, "correct the words or the claim"))
            continue
        mine = [d for d in kept if d.code == one.code and _fits(d, one.claim, one.text)]
        if not mine:
            message = f"no message of the code {one.code!r} is there to be set aside"
            pos = report.pos("suppress", index, "code")
            near = did_you_mean(one.code, there) if one.code not in there and nearest(one.code, there) else "remove it"
            kept.append(Diagnostic(pos, "unused-suppression", message, near, Severity.WARNING))
        kept = [d for d in kept if d not in mine]
        aside += [Suppressed(d, one.reason, until) for d in mine]
    return kept, tuple(aside)


def _never(code: str) -> str:
    """Why messages of a code are never set aside; empty where they may be."""
    if code in NEVER:
        return "the words would stand beside a verdict"
    if code in OF_VERDICTS:
        return "a claim is corrected, or disputed with `stands`"
    return "it would never end" if code in ABOUT_ITSELF else ""


def _fits(diagnostic: Diagnostic, claim: str | None, text: str | None) -> bool:
    return (claim is None or diagnostic.claim == claim) and (text is None or text in diagnostic.message)
