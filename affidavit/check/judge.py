"""The one place where a claim's outcome is decided. All assertions pass through it.

Nothing is verified by absence: unreadable evidence, an empty collection, no authentic row, no row left
after ``where``, rows for which ``where`` is null, no finding at all, a limit reached, an error: each gives
``unproven``, before any assertion's own finding counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from affidavit.types import Counts, Finding, Outcome


@dataclass(frozen=True, slots=True)
class Ruling:
    """An outcome with its reason: a code for machines, words for people (empty where findings say all)."""

    outcome: Outcome
    code: str = ""
    reason: str = ""


def rule(
    counts: Counts,
    findings: Sequence[Finding],
    *,
    size_only: bool,
    complete: bool = False,
    blank: Sequence[str] = (),
    limit: str = "",
    error: str = "",
) -> Ruling:
    """The outcome of a claim.

    ``size_only``: all its assertions are of the kind that may hold of no row, because they state how many
    rows there are; they need rows that were looked at all the same. ``complete``: one of them says that there
    is nothing else, which an item that nobody can read leaves open, excused or not. ``blank``: collections that
    the claim names and of which no row was looked at. ``limit`` and ``error``: what stopped the check, if
    anything.
    """
    unproven = Outcome.UNPROVEN
    if error:
        return Ruling(unproven, "check-failed", f"the check itself failed: {error}")
    if limit:
        return Ruling(unproven, "limit-reached", limit)
    if counts.unreadable:
        return Ruling(
            unproven,
            "unreadable-evidence",
            f"{counts.unreadable:,} item(s) of its evidence could not be read; repair them, or list the file under "
            "`unreadable` with the reason",
        )
    if complete and counts.excused:
        return Ruling(
            unproven,
            "unreadable-evidence",
            f"{counts.excused:,} item(s) of its evidence are listed as unreadable: nobody can say that these are all",
        )
    if counts.considered == 0:
        if counts.not_authentic:
            reason = (
                f"none of its {counts.not_authentic:,} row(s) is authentic: no signature leads to a trusted certificate"
            )
            return Ruling(unproven, "not-authentic", reason)
        if counts.other_kind:
            reason = f"its {counts.other_kind:,} row(s) are of another kind; say `kind:` if they are meant"
            return Ruling(unproven, "other-kind", reason)
        return Ruling(unproven, "no-evidence", "there is no row to look at")
    if blank:
        return Ruling(unproven, "no-evidence", "no row was looked at of " + ", ".join(blank))
    if counts.undecided:
        return Ruling(
            unproven,
            "undecided-rows",
            f"for {counts.undecided:,} row(s) it is open whether the claim is about them: "
            "a column that `where` needs has no value there",
        )
    if counts.scope == 0 and not size_only:
        return Ruling(
            unproven,
            "empty-scope",
            f"none of the {counts.considered:,} row(s) looked at is left after `where`",
        )
    if not findings:
        return Ruling(unproven, "nothing-checked", "nothing was checked")
    if any(finding.code == "half-read-null" for finding in findings):
        return Ruling(unproven, "half-read")
    for outcome in (Outcome.REFUTED, Outcome.UNPROVEN):
        for finding in findings:
            if finding.outcome is outcome:
                return Ruling(outcome, finding.code)
    if all(finding.outcome is Outcome.VERIFIED for finding in findings):
        return Ruling(Outcome.VERIFIED)
    return Ruling(unproven, "nothing-checked", "a finding has no outcome that counts")
