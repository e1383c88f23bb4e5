"""Each figure of the shipped reports changed in turn: none of the changes may go unnoticed.

A mutation is what goes wrong in real write-ups: a count off by one, a day off by one, a nibble of a serial
number, another hash. The mutated report must not pass, and a message must name claim, file and line.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import pytest

from affidavit.check.compile import compile_claims
from affidavit.evidence.extract import Facts, extract
from affidavit.incident.load import Report, load
from affidavit.incident.nodes import Node
from affidavit.run import check_facts
from affidavit.times import MONTHS
from affidavit.types import InputError, Severity

ROOT = Path(__file__).resolve().parents[2]
SLUGS = ("real-faults", "wosign-2016")

#: A bound may be moved outwards and still hold; what is stated exactly may not.
BOUNDS = {"from", "until", "after", "before", "at_least", "at_most", "like", "not"}
WORDS = {
    "note",
    "by",
    "over",
    "table",
    "kind",
    "stands",
    "made",
    "timezone",
    "sql",
    "unchecked",
    "total",
    "with",
}


@dataclass(frozen=True)
class Mutation:
    """One value of an incident file changed: where it stands, and what stands there instead."""

    slug: str
    claim: str
    path: tuple[str | int, ...]
    line: int
    column: int
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.slug}:{'.'.join(map(str, self.path))}:{self.old[:24]}->{self.new[:24]}".replace(" ", "_")


@cache
def _report(slug: str) -> Report:
    return load(ROOT / "reports" / slug / "incident.yaml", ROOT / "evidence", ROOT)


@cache
def _facts(slug: str) -> Facts:
    facts = extract(_report(slug))
    return replace(facts, tables=dict(facts.tables))  # in memory: they are loaded again for each change


def near_miss(text: str, claim: str = "") -> str | None:
    """The value as a slip of the pen leaves it: off by one, a day later, one nibble changed.

    ``claim``: the claim's whole text; a number that it states elsewhere is no slip that could be told.
    """
    if re.fullmatch(r"[0-9A-Fa-f:]{8,}", text) and not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        middle = len(text) // 2
        middle += text[middle] == ":"
        nibble = "3" if text[middle] != "3" else "4"
        return text[:middle] + nibble + text[middle + 1 :]
    if day := re.search(r"\d{4}-\d\d-\d\d", text):
        later = date.fromisoformat(day[0]) + timedelta(days=1)
        while later.isoformat() in claim:
            later += timedelta(days=1)
        return text.replace(day[0], later.isoformat(), 1)
    if written := re.search(rf"(\d+) ({'|'.join(MONTHS)}) (\d{{4}})", text):
        later = date(int(written[3]), MONTHS.index(written[2]) + 1, int(written[1])) + timedelta(days=1)
        while later.isoformat() in claim:
            later += timedelta(days=1)
        return text.replace(written[0], f"{later.day} {MONTHS[later.month - 1]} {later.year}", 1)
    if number := re.search(r"(?<![\w.-])\d+(?:,\d{3})*(?![\w-]|\.\d)", text):
        value = int(number[0].rstrip(",").replace(",", "")) + 1
        while re.search(rf"\b{value}\b|\b{value:,}\b", claim):
            value += 1
        return text[: number.start()] + str(value) + text[number.end() :]
    swapped = {
        "sha1": "sha256",
        "sha256": "sha1",
        "RSA": "EC",
        "valid": "invalid",
        "true": "false",
        "false": "true",
    }
    return swapped.get(text)


def _leaves(node: Node, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Node]]:
    if isinstance(node.value, dict):
        for key, child in node.value.items():
            yield from _leaves(child, (*path, key))
    elif isinstance(node.value, list):
        for index, child in enumerate(node.value):
            yield from _leaves(child, (*path, index))
    elif isinstance(node.value, str) and not node.literal:
        yield path, node


def _texts(tree: Node) -> Iterator[str]:
    return (str(node.value) for path, node in _leaves(tree, ()) if path[0] != "says")


def mutations(slug: str) -> Iterator[Mutation]:
    """All single-value mutations of what a report's claims state exactly."""
    report = _report(slug)
    claims = report.tree.find(("claims",))
    assert claims is not None
    assert isinstance(claims.value, dict)
    lines = report.text.splitlines()
    for claim, tree in claims.value.items():
        if report.incident.claims[claim].unchecked:
            continue
        for path, node in _leaves(tree, ("claims", claim)):
            if {str(step) for step in path[2:]} & (BOUNDS | WORDS):
                continue
            assert isinstance(node.value, str)
            # A statement that is held to be false may be false in another way; its words are held to it.
            if report.incident.claims[claim].stands != "true" and path[2] != "says":
                continue
            # Of what does not exist, a near miss does not exist either.
            if path[2] == "none":
                continue
            new = near_miss(node.value, "\n".join(_texts(tree)))
            line = lines[node.pos.line - 1]
            if new is None or node.value not in line[node.pos.column - 1 :]:
                continue
            yield Mutation(slug, claim, path, node.pos.line, node.pos.column, node.value, new)


ALL = [mutation for slug in SLUGS for mutation in mutations(slug)]


def test_there_are_many_mutations_of_both_reports():
    for slug in SLUGS:
        assert sum(m.slug == slug for m in ALL) >= 20


@pytest.mark.parametrize("mutation", ALL, ids=str)
def test_no_change_of_a_stated_figure_goes_unnoticed(mutation: Mutation, tmp_path: Path):
    lines = _report(mutation.slug).text.splitlines(keepends=True)
    line = lines[mutation.line - 1]
    at = mutation.column - 1
    lines[mutation.line - 1] = line[:at] + line[at:].replace(mutation.old, mutation.new, 1)
    path = tmp_path / "reports" / mutation.slug / "incident.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("".join(lines), "utf-8")

    try:
        report = load(path, ROOT / "evidence", tmp_path)
        claims = compile_claims(report)
    except InputError as error:
        # A value that is no value of its column any more: refused with its place.
        refused_at = {d.pos.line for d in error.diagnostics}
    else:
        refused_at = set()
    if refused_at:
        assert mutation.line in refused_at
        return
    related = {mutation.claim} | {
        name for name, claim in report.incident.claims.items() if mutation.claim in (claim.total or ())
    }
    some = {name: claims[name] for name in claims if name in related}
    run = check_facts(report, some, _facts(mutation.slug))
    errors = [d for d in run.diagnostics if d.severity is Severity.ERROR]
    about = [d for d in errors if d.claim in related]
    assert about, "the change went unnoticed"
    assert all(d.pos.file.endswith("incident.yaml") and d.pos.line > 0 for d in about)
