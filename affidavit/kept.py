"""What is known of a report's claims from an earlier check, each under a hash of all that it rests on.

A verdict rests on the claim as it is written, the claims that it adds up, what the report says of its evidence and
documents, these themselves, and the program. Where all of that is the same, the verdict is, whatever else was edited.
What did not come to its end (a limit, a fault of the program) is never kept. Which figures stand in a text is kept
by the text.
"""

import contextlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlglot import exp

from affidavit.check.bounds import SAID
from affidavit.check.compile import CompiledClaim
from affidavit.check.engine import MAX_ROWS, Engine, sql_of
from affidavit.check.figures import FOUND
from affidavit.check.run import NOT_EXPLAINED
from affidavit.check.seen import Seen
from affidavit.evidence.corpus import Lint, Wanted
from affidavit.incident.load import Report
from affidavit.inputs import program_digest
from affidavit.packed import pack, unpack
from affidavit.store import write_file
from affidavit.types import NOT_CHECKED, Finding, Pos, Verdict

WORDS = frozenset(
    ("title", "claims", "summary", "sections", "questions", "timeline", "corrections", "allow", "suppress")
)
"""Keys of the incident file that no verdict rests on; what a claim states counts with the claim."""
CLAIM_WORDS = frozenset(("says", "by", "note"))
"""Keys of a claim that no verdict rests on: its words are held against what it states, whatever the verdict."""
MOST_QUERIES = 5_000
"""Of so many queries the rows are kept; what a single edit leaves is far less."""
MEMORIES: Mapping[str, Seen[Any]] = {"figures": FOUND, "said": SAID}
"""What was found in texts: their figures, and what the words around figures say of them."""
Places = Mapping[str, Pos]
"""Where the parts of a claim stand, by their names."""


class Kept:
    """What earlier checks of one report found out, and what this one adds to it.

    ``folder``: where it is kept (nowhere if None); ``fresh``: what is there is not used.
    """

    def __init__(self, folder: Path | None, report: Report, claims: Iterable[CompiledClaim], fresh: bool = False):
        place = sha256(str(report.path.resolve()).encode()).hexdigest()[:24]
        self._file = folder / f"{place}.json" if folder else None
        known = {} if fresh or self._file is None else _read(self._file)
        self._known: dict[str, Any] = _mapping(known.get("claims"))
        self._samples: list[Any] = known["samples"] if isinstance(known.get("samples"), list) else []
        self._rows: dict[str, Any] = _mapping(known.get("rows"))
        self._seen = {name: _mapping(known.get(name)) for name in MEMORIES}
        for name, memory in MEMORIES.items():
            memory.begin(self._seen[name])
        self._keys = _claim_keys(report, claims) if folder else {}
        self._used: dict[str, Any] = {}
        self._used_rows: dict[str, Any] = {}
        self._used_samples: dict[tuple[str, ...], int] = {}
        self._unpacked: dict[int, tuple[str, ...]] = {}
        self._added = False

    def needs(self, claim: str) -> Wanted | None:
        """What a claim needs of the evidence; None where that is not known."""
        try:
            needs = self._known[self._keys[claim]]["needs"]
            found = Wanted(**needs | {"lints": tuple(Lint(*lint) for lint in needs["lints"])})
        except (KeyError, TypeError):
            return None
        self._use(claim, "needs", needs)
        return found

    def keep_needs(self, claim: str, wanted: Wanted) -> None:
        """Remember what a claim needs."""
        self._add(claim, "needs", {name: getattr(wanted, name) for name in wanted.__slots__})

    def verdict(self, claim: str, facts: str, places: Places) -> Verdict | None:
        """The verdict on a claim over the facts of some key; None where it is not known."""
        try:
            one = self._known[self._keys[claim]]
            if not facts or one["facts"] != facts:
                return None
            packed, sample, where = one["verdict"]
            found = unpack(packed)
            if not isinstance(found, Verdict) or found.claim != claim:
                return None
            names: list[str | None] = where
            findings = (
                replace(finding, pos=places[name] if name is not None else None)
                for finding, name in zip(found.findings, names, strict=True)
            )
            found = replace(found, findings=tuple(findings), sample=self._sample(sample))
        except (KeyError, TypeError, ValueError, IndexError, AttributeError):
            return None
        self._use(claim, "facts", facts)
        self._use(claim, "verdict", [packed, self._number(found.sample), where])
        return found

    def keep_verdict(self, facts: str, places: Places, verdict: Verdict) -> None:
        """Remember a verdict, if its check came to its end."""
        if not facts or verdict.code in NOT_CHECKED or verdict.claim not in self._keys:
            return
        if NOT_EXPLAINED in verdict.notes:  # it may be once others are settled
            return
        try:
            where = [_name_of(finding, places) for finding in verdict.findings]
            bare = tuple(replace(finding, pos=None) for finding in verdict.findings)
            packed = pack(replace(verdict, findings=bare, sample=()))
        except (TypeError, LookupError):
            return
        self._add(verdict.claim, "facts", facts)
        self._add(verdict.claim, "verdict", [packed, self._number(verdict.sample), where])

    def remembering(self, engine: Engine, facts: str) -> Engine:
        """The engine, whose rows are taken from here where they are known."""
        return _Remembering(engine, facts, self) if self._file and facts else engine

    def rows(self, key: str) -> list[dict[str, Any]] | None:
        """The rows of a query; None where they are not known."""
        try:
            found = unpack(self._rows[key])
        except (KeyError, TypeError, ValueError):
            return None
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            return None
        self._used_rows[key] = self._rows[key]
        return found

    def keep_rows(self, key: str, rows: list[dict[str, Any]]) -> None:
        """Remember the rows of a query."""
        with contextlib.suppress(TypeError):
            self._used_rows[key] = pack(rows)
            self._added = True

    def save(self) -> None:
        """Write what this check used and found out; a folder that cannot be written to costs only time."""
        if self._file is None:
            return
        seen = {name: memory.noted() for name, memory in MEMORIES.items()}
        if not self._added and all(found.keys() <= self._seen[name].keys() for name, found in seen.items()):
            return
        content = {
            **seen,
            "claims": self._used,
            "samples": [list(sample) for sample in self._used_samples],
            "rows": dict(list(self._used_rows.items())[:MOST_QUERIES]),
        }
        with contextlib.suppress(OSError):
            write_file(self._file, json.dumps(content, separators=(",", ":")).encode("ascii"))

    def _use(self, claim: str, name: str, value: Any) -> None:
        self._used.setdefault(self._keys[claim], {})[name] = value

    def _add(self, claim: str, name: str, value: Any) -> None:
        if claim in self._keys:
            self._use(claim, name, value)
            self._added = True

    def _number(self, sample: tuple[str, ...]) -> int:
        """The number of a sample: many claims share one."""
        return self._used_samples.setdefault(sample, len(self._used_samples))

    def _sample(self, number: int) -> tuple[str, ...]:
        if number not in self._unpacked:
            found = tuple(self._samples[number])
            if not all(isinstance(one, str) for one in found):
                raise TypeError("a sample is of text")
            self._unpacked[number] = found
        return self._unpacked[number]


class _Remembering:
    """An engine whose rows are kept by the query's text and the facts' key."""

    def __init__(self, engine: Engine, facts: str, kept: Kept) -> None:
        self._engine = engine
        self._facts = facts
        self._kept = kept

    def run(self, query: exp.Query, limit: int = MAX_ROWS, seconds: float | None = None) -> list[dict[str, Any]]:
        """See `Engine.run`."""
        key = _digest([self._facts, limit, sql_of(query)])
        return self._known(key, lambda: self._engine.run(query, limit, seconds))

    def ask(self, words: Sequence[object], query: Callable[[], exp.Query], limit: int) -> list[dict[str, Any]]:
        """See `Engine.ask`."""
        return self._known(_digest([self._facts, limit, list(words)]), lambda: self._engine.run(query(), limit))

    def _known(self, key: str, ask: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
        found = self._kept.rows(key)
        if found is None:
            found = ask()
            self._kept.keep_rows(key, found)
        return found


def places_of(report: Report, claim: CompiledClaim) -> dict[str, Pos]:
    """Where the parts of a claim stand that findings are about."""
    found = {check.key: report.pos("claims", claim.name, check.key) for check in claim.checks}
    found |= {"": report.pos("claims", claim.name, key=True), "where": report.pos("claims", claim.name, "where")}
    if claim.quote is not None:
        found["quote"] = claim.quote.pos
    return found


def _claim_keys(report: Report, claims: Iterable[CompiledClaim]) -> dict[str, str]:
    """Of each claim the hash of all that its verdict rests on, but for the facts."""
    tree = report.tree.plain()
    assert isinstance(tree, dict)
    stated = tree["claims"]
    around = _digest(
        [
            program_digest(),
            str(report.evidence_dir.resolve()),
            {key: value for key, value in tree.items() if key not in WORDS},
            {name: document.sha256 for name, document in report.documents.items()},
        ]
    )
    found = {}
    for claim in claims:
        parts = [claim.name, *(stated[claim.name].get("total") or ())]
        found[claim.name] = _digest([around, *([part, _bare(stated[part])] for part in parts)])
    return found


def _bare(claim: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in claim.items() if key not in CLAIM_WORDS}


def _digest(parts: list[Any]) -> str:
    return sha256(json.dumps(parts, separators=(",", ":")).encode("ascii")).hexdigest()


def _name_of(finding: Finding, places: Places) -> str | None:
    """The part of the claim that a finding is placed at; LookupError where it is none of these."""
    if finding.pos is None:
        return None
    for name in (finding.assertion, *places):
        if places.get(name) == finding.pos:
            return name
    raise LookupError(finding.pos)


def _read(file: Path) -> dict[str, Any]:
    try:
        return _mapping(json.loads(file.read_text("ascii")))
    except (OSError, ValueError, RecursionError):
        return {}


def _mapping(found: Any) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}
