"""A baseline: what was wrong when an old report adopted the check. It is let be; only what is new fails.

It holds fingerprints of messages about words (`figure-not-stated`, `loose-fact`). A claim whose verdict is not what
the report holds is never let be: it has to be corrected, or disputed with `stands`.
"""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from affidavit.project import Checked
from affidavit.report.items import said
from affidavit.run import Run
from affidavit.store import write_file
from affidavit.types import Diagnostic, InputError, Pos, Severity

ABOUT_WORDS = frozenset(("figure-not-stated", "figure-not-said", "loose-fact", "unused-allow", "quote-differs"))
MAX_OCTETS = 16 << 20


def read(path: Path, shown: str = "") -> Mapping[str, str]:
    """The fingerprints of a baseline, each with its words; InputError where it cannot be read."""
    try:
        if path.stat().st_size > MAX_OCTETS:
            raise ValueError(f"it is larger than {MAX_OCTETS >> 20} MiB")
        stated = json.loads(path.read_bytes())
        listed = stated["fingerprints"] if isinstance(stated, dict) else None
        if not isinstance(listed, dict) or not all(isinstance(words, str) for words in listed.values()):
            raise ValueError("it is not what --write-baseline writes")
    except (OSError, ValueError, KeyError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        hint = "write it anew with --write-baseline"
        message = f"the baseline cannot be read: {reason}"
        raise InputError(Diagnostic(Pos.whole(shown or path.as_posix()), "bad-baseline", message, hint)) from None
    return listed


def write(path: Path, checked: Checked) -> int:
    """Write what is wrong with the words now; how many messages that are.

    What the file lists of reports that were not checked now (others were named, or their input is at fault) stays.
    """
    checked_now = {run.slug for run in checked.runs}
    others: dict[str, str] = {}
    with suppress(InputError):
        others = {one: words for one, words in read(path).items() if words.split(":")[0] not in checked_now}
    listed = {
        item.fingerprint: f"{item.report}: {item.diagnostic.message}"[:200]
        for item in said(checked).items
        if item.diagnostic.code in ABOUT_WORDS
    }
    content = {"about": "messages that `affidavit check --baseline` lets be", "fingerprints": others | listed}
    write_file(path, (json.dumps(content, indent=1, sort_keys=True) + "\n").encode())
    return len(listed)


def apply(checked: Checked, known: Mapping[str, str], path: Path, slugs: Iterable[str] | None = None) -> Checked:
    """The check without the messages that a baseline knows, and with a warning where it knows more than there is.

    ``slugs``: the reports that it is for; all that were checked where none are named.
    """
    mine = {run.slug for run in checked.runs} if slugs is None else set(slugs)
    # What it lists of reports that were not looked at now may well be there.
    let_be = {fingerprint for fingerprint, words in known.items() if words.split(":")[0] in mine}
    kept: dict[str, list[Diagnostic]] = {run.slug: [] for run in checked.runs}
    met = set()
    for item in said(checked).items:
        if item.report not in kept:
            continue
        if item.report in mine and item.diagnostic.code in ABOUT_WORDS and item.fingerprint in let_be:
            met.add(item.fingerprint)
        else:
            kept[item.report].append(item.diagnostic)
    runs: list[Run] = [replace(run, diagnostics=tuple(kept[run.slug])) for run in checked.runs]
    stale = let_be - met
    if stale and runs and not checked.faults:
        words = f"the baseline lists {len(stale):,} message{'s' if len(stale) > 1 else ''} that are no longer there"
        late = Diagnostic(Pos(path.as_posix()), "stale-baseline", words, "write it anew with --write-baseline",
                          Severity.WARNING)  # fmt: skip
        runs[-1] = replace(runs[-1], diagnostics=(*runs[-1].diagnostics, late))
    return replace(checked, runs=tuple(runs))
