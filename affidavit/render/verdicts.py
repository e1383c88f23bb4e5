"""The shape of ``verdicts.json``, declared once: file, JSON Schema and documentation derive from it.

Adding a key raises the second number of SCHEMA_VERSION; removing one, or changing what it means, the first.
"""

import json
from typing import Any, Literal

from pydantic import ConfigDict, Field

from affidavit.described import Described

SCHEMA_VERSION: Literal["1.2"] = "1.2"

Cell = str | int | float | bool | list[str] | None
OutcomeName = Literal["verified", "refuted", "unproven", "unchecked"]
Sha256 = Field(pattern="^[0-9a-f]{64}$")


class Model(Described):
    """Base of the models: all keys are always there, and no others."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Program(Model):
    """The program that made the file."""

    name: Literal["affidavit"]
    """Its name."""
    version: str
    """Its version."""


class Place(Model):
    """A place in the report's files."""

    file: str
    """File, relative to the report's folder: `incident.yaml`, or a Markdown file that it includes."""
    line: int = Field(ge=1)
    """Line, from 1."""
    column: int = Field(ge=1)
    """Column, from 1, counted in code points."""


class Report(Model):
    """The report itself."""

    slug: str
    """Name of its folder."""
    title: str
    """Its title."""
    kind: Literal["preliminary", "full", "closure", "analysis"]
    """`preliminary`, `full` or `closure` (CCADB reports), or `analysis`."""
    ca_owner: str | None
    """The CA Owner that it is about."""
    authors: list[str]
    """Who wrote it."""
    date: str
    """Its date: a day (`2026-11-23`), or an instant in RFC 3339 form."""
    timezone: str
    """IANA name of the zone in which a bare day is meant."""
    evidence_note: str | None
    """What the evidence is and is not, in the author's words."""
    incident_sha256: str = Sha256
    """SHA-256 of `incident.yaml` as it was read."""


class Tally(Model):
    """How many claims have which verdict."""

    verified: int
    """The evidence bears them out."""
    refuted: int
    """The evidence contradicts them."""
    unproven: int
    """The evidence cannot tell."""
    unchecked: int
    """Said by the author not to be checkable."""
    total: int
    """All claims."""
    failing: int
    """Claims whose verdict is not the one that the report holds."""
    documented: int
    """Unchecked claims that are quoted from a pinned document: it shows that they were said, not that they are so."""


class Declaration(Model):
    """A declaration that a collection holds everything of some scope, over a window."""

    collection: str
    """The collection."""
    scope: str
    """All of what it is said to hold."""
    start: str
    """First day of the window, as declared."""
    end: str
    """Last day of the window, included, as declared."""
    basis: str
    """On what grounds."""
    by: str
    """Who declares it; empty where the report does not say."""
    derived: bool
    """Whether it follows from log entries among the evidence instead of somebody's word."""


class EvidenceFile(Model):
    """A file of the evidence."""

    name: str
    """Path below the report's evidence folder."""
    octets: int
    """Its size."""
    sha256: str = Sha256
    """SHA-256 of its bytes."""
    collections: list[str]
    """Collections that it belongs to, sorted; empty for trusted roots and the like."""


class Unreadable(Model):
    """A piece of evidence, or part of one, that could not be read."""

    collection: str
    """Collection that the file belongs to."""
    file: str
    """File, relative to the report's evidence folder."""
    position: int
    """Number of the item in the file, from 1; 0 is the file itself."""
    field: str
    """The part that could not be read; empty: the whole item."""
    reason: str
    """What is wrong."""
    certificate: str
    """SHA-256 of the certificate where the rest of it was read, else empty."""
    excused: str
    """The author's reason for keeping it, else empty."""


class Finding(Model):
    """The judgement of one assertion of a claim."""

    assertion: str
    """Name of the assertion, such as `count`; `evidence` where the evidence itself decides."""
    outcome: OutcomeName
    """Its outcome."""
    stated: str
    """What the claim states."""
    observed: str
    """What the evidence shows."""
    hint: str
    """What may explain the difference; empty where there is nothing to say."""
    code: str
    """A word for machines; empty where the assertion holds."""
    place: Place | None
    """Where the assertion stands."""


class Basis(Model):
    """What a verdict rests on."""

    kind: Literal["given", "declared complete", "derived complete", "none"]
    """`given`: the certificates at hand, no more. `declared complete`: all there is, on somebody's word. `derived
    complete`: all there is of some CT logs, shown by their entries."""
    words: str
    """The same in words."""
    declarations: list[Declaration]
    """The declarations of completeness that were looked at."""


class Quote(Model):
    """A claim's quote, looked for in its document."""

    document: str
    """The document, by its name in the incident file."""
    text: str
    """The words."""
    found: bool
    """Whether they stand in the document. That shows that they were said, not that they are so."""
    line: int | None
    """Line of the document on which they begin, from 1; of words not found, that of the nearest passage or null."""
    last_line: int | None
    """Line on which they end; null if they were not found."""
    passage: str
    """The document's own text there, a long one cut in its middle."""


class Document(Model):
    """A document that claims quote."""

    id: str
    """Its name in the incident file."""
    title: str
    """What it is."""
    by: str | None
    """Whose words it holds."""
    date: str | None
    """When it was sent or published: a day, or an instant in RFC 3339 form."""
    file: str
    """Path below the report's evidence folder."""
    octets: int
    """Its size."""
    sha256: str = Sha256
    """SHA-256 of its bytes, which pins it."""


class Counts(Model):
    """How many rows stand behind a verdict, and how many were left aside, and why."""

    scope: int
    """Rows that the claim is about."""
    considered: int
    """Rows looked at, before `where`."""
    not_authentic: int
    """Left aside: no signature leads to a trusted certificate."""
    other_kind: int
    """Left aside: precertificates where the claim is about certificates, or the other way round."""
    copies: int
    """Further copies of certificates that were counted once."""
    undecided: int
    """Rows of which it is open whether the claim is about them."""
    unreadable: int
    """Items of its evidence that could not be read."""
    excused: int
    """Unreadable items that the author lists with a reason."""


class Claim(Model):
    """A claim with its verdict."""

    id: str
    """Name of the claim in the incident file."""
    says: str
    """The statement as a sentence."""
    by: str | None
    """Whose statement it is."""
    made: str | None
    """When it was made: a day, or an instant in RFC 3339 form."""
    stands: Literal["true", "false", "unproven"]
    """What the report holds of it."""
    outcome: OutcomeName
    """The verdict."""
    passes: bool
    """Whether the verdict is the one that the report holds."""
    code: str
    """A word for machines that says why the claim is not verified; empty where it is."""
    over: list[str]
    """Collections that it is about."""
    table: str | None
    """Facts table whose rows it is about; null where nothing was checked."""
    findings: list[Finding]
    """Its assertions, each with what was stated and what was observed."""
    quote: Quote | None
    """Its quote; null where it has none."""
    basis: Basis
    """What the verdict rests on."""
    counts: Counts
    """Rows looked at and left aside."""
    query: str
    """The queries over the facts tables (DuckDB's dialect) that gave the verdict."""
    examples: list[dict[str, Cell]]
    """Up to five rows that contradict the claim, or could not be compared; columns as in docs/tables.md."""
    certificates: list[str]
    """SHA-256 of certificates that the claim is about, sorted; at most 1,000."""
    certificates_capped: bool
    """Whether there may be more of them than are listed."""
    notes: list[str]
    """What the program has to say about how the claim is worded."""
    place: Place
    """Where the claim stands."""


class Edit(Model):
    """An edit that a message proposes: at a place, one text instead of another."""

    place: Place
    """Where the old text stands."""
    was: str
    """The old text."""
    now: str
    """The new one."""


class Message(Model):
    """What the check reports to the author."""

    severity: Literal["error", "warning"]
    """An error fails the check."""
    code: str
    """A word for machines."""
    message: str
    """What is wrong."""
    hint: str
    """What to do about it; may be empty."""
    claim: str
    """The claim that it is about; empty where it is about none."""
    place: Place
    """Where."""
    edits: list[Edit]
    """What could be written instead: all of them together; empty where nobody can know."""


class Suppressed(Model):
    """A message that the report sets aside for a while."""

    message: Message
    """The message."""
    reason: str
    """Why it is set aside."""
    until: str
    """The last day of it, YYYY-MM-DD."""


class Verdicts(Model):
    """A checked report in machine form."""

    schema_version: Literal["1.2"]
    """Version of this format: a new key raises the second number, any other change the first."""
    program: Program
    """The program that checked the report."""
    report: Report
    """The report."""
    passes: bool
    """Whether every verdict is the one that the report holds, and no figure in its words is unsupported."""
    tally: Tally
    """Verdicts counted."""
    claims: list[Claim]
    """The claims, in the order of the incident file."""
    documents: list[Document]
    """The documents that claims quote, in the order of the incident file."""
    evidence: list[EvidenceFile]
    """Every evidence file that was read, sorted by name."""
    unreadable: list[Unreadable]
    """What could not be read of it."""
    messages: list[Message]
    """What the check reports, in the order of the files."""
    suppressed: list[Suppressed]
    """What it would report, and the report sets aside."""


def verdicts_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of ``verdicts.json``."""
    schema = Verdicts.model_json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "verdicts.schema.json",
        **schema,
        "title": "Affidavit verdicts",
    }


def schema_text() -> str:
    """The text of ``docs/verdicts.schema.json``."""
    return json.dumps(verdicts_schema(), indent=2, ensure_ascii=False) + "\n"


def verdicts_markdown() -> str:
    """The text of ``docs/verdicts.md``: the schema for people."""
    schema = verdicts_schema()
    lines = [
        "# `verdicts.json`",
        "",
        "<!-- Generated by `make generate` from affidavit/render/verdicts.py; do not edit. -->",
        "",
        "Beside every report stands `verdicts.json`: each claim with its verdict and what that rests on.",
        f"This is version {SCHEMA_VERSION}; `verdicts.schema.json` is its JSON Schema (2020-12).",
        "",
        "The file is one JSON object in ASCII (other characters are written as `\\u` escapes, so that",
        "nothing in a certificate can change how a terminal shows it), keys sorted, with a line feed at",
        "the end. The same input gives the same bytes. All keys are always there. Times are UTC in RFC",
        "3339 form, hashes lower-case hex, serial numbers upper-case hex with whole octets.",
    ]
    sections = [("The whole file", schema)]
    sections += [(name, schema["$defs"][name]) for name in _in_order(schema)]
    for name, part in sections:
        title = name if part is schema else f"`{name}`"
        lines += ["", f"## {title}", "", part["description"], "", "| key | type | meaning |", "|---|---|---|"]
        for key, value in part["properties"].items():
            lines.append(f"| `{key}` | {_type(value)} | {value.get('description', '')} |")
    return "\n".join(lines) + "\n"


def _in_order(schema: dict[str, Any]) -> list[str]:
    """Names of the definitions, each after the first that refers to it."""
    found: list[str] = []

    def visit(part: dict[str, Any]) -> None:
        named = [
            word.removeprefix("#/$defs/")
            for word in json.dumps(part["properties"]).split('"')
            if word.startswith("#/$defs/")
        ]
        for name in named:
            if name not in found:
                found.append(name)
                visit(schema["$defs"][name])

    visit(schema)
    return found


def _type(value: dict[str, Any]) -> str:
    if "$ref" in value:
        name = str(value["$ref"]).removeprefix("#/$defs/")
        return f"[`{name}`](#{name.lower()})"
    if "const" in value:
        return f"`{value['const']}`"
    if "enum" in value:
        return ", ".join(f"`{one}`" for one in value["enum"])
    if "anyOf" in value:
        return " or ".join(_type(one) for one in value["anyOf"])
    if value.get("type") == "array":
        return f"list of {_type(value['items'])}"
    if value.get("type") == "object":
        return f"object of {_type(value['additionalProperties'])}"
    return str(value["type"])
