"""The JSON Schema of the incident file, as editors use it: explained, with examples, columns by name.

It derives from the models; what editors need besides (an example of each key's value, which columns there are and which
words they hold) is added here.
"""

import copy
from collections.abc import Iterator
from typing import Any

import yaml

from affidavit.check.assertions import ASSERTIONS
from affidavit.check.words import known_words
from affidavit.incident.fields import VALUE_SCHEMA
from affidavit.incident.schema import Incident
from affidavit.tables import CERTIFICATES, TABLES, Column, Kind, Table

_HASH = "9f2b5ee1f0c3a7d4b6e8091a2c3d4e5f60718293a4b5c6d7e8f9012345678abc"
_EXAMPLES: dict[str, dict[str, list[Any]]] = {
    "Incident": {
        "title": ["Duplicate serial numbers"], "date": ["2026-11-23"], "ca_owner": ["Example CA"],
        "authors": [["A. Author"]], "timezone": ["UTC", "Europe/Berlin", "Asia/Shanghai"],
        "evidence_note": ["Exported from the CA's database on 2026-11-20."],
        "trust": [["trust/*.pem"], "mozilla", "none"], "ct_logs": [["logs.json"]],
        "documents": [{"reply": {"file": "reply.txt", "title": "The CA's reply"}}],
        "evidence": [{"affected": {"files": "affected/*.pem"}}],
        "claims": [{"how-many": {"says": "12 certificates are affected.", "over": "affected", "count": 12}}],
        "summary": ["[12 certificates](claim:how-many) were issued with one serial number."],
        "sections": [[{"title": "Root cause", "file": "root-cause.md"}]],
        "questions": [[{"asked": "How many?", "answered": "12.", "finding": "[12](claim:how-many)."}]],
        "timeline": [[{"at": "2026-11-20T14:00Z", "text": "The CA is told."}]],
        "corrections": [[{"claim": "how-many", "date": "2026-11-24", "was": "11", "because": "One was left out."}]],
        "allow": [[{"text": "Question 4", "reason": "the number of a question"}]],
        "suppress": [[{"code": "loose-fact", "reason": "claims follow", "until": "2026-12-31"}]],
    },
    "Collection": {
        "files": ["affected/*.pem", ["a.pem", "b.pem"]], "title": ["The certificates affected"],
        "note": ["As the CA delivered them."], "issuers": [["intermediates/*.pem"]],
        "trust": [["trust/*.pem"], "mozilla", "none"], "captures": [{"log.json": {"taken": "2026-11-20T14:00Z"}}],
        "unreadable": [{"broken.pem": "the last lines were lost in an e-mail"}],
    },
    "Complete": {
        "scope": ["SHA-1 TLS certificates"], "derived": ["log entries"], "from": ["2016-01-01"],
        "until": ["2016-06-28"], "basis": ["export of the CA's database"], "by": ["Example CA"],
    },
    "Capture": {
        "taken": ["2026-11-20T14:00Z"], "origin": ["https://ct.example/log/ct/v1/get-entries"],
        "log": ["https://ct.example/log/"], "first_index": [0], "tree_size": [1234567],
    },
    "Document": {
        "file": ["reply.txt"], "title": ["The CA's reply of 2016-09-21"], "by": ["Example CA"], "date": ["2016-09-21"],
        "sha256": [_HASH],
    },
    "Quote": {"document": ["reply"], "text": ["the first 313 certificate serial is ..."]},
    "Claim": {
        "says": ["12 certificates share one serial number."], "by": ["Example CA"], "made": ["2016-09-21"],
        "timezone": ["UTC", "Asia/Shanghai"], "over": ["affected", ["affected", "further"]],
        "where": [{"issuer_cn": "Example CA 1"}, "validity_days > 398 and not is_ca"],
        "note": ["Counted without the CA's own test certificates."],
        "unchecked": ["the validation method is not in the certificate"],
        "quote": [{"document": "reply", "text": "313 certificates"}], "returns": [3],
    },
    "Section": {"title": ["Root cause"], "text": ["It began with ..."], "file": ["root-cause.md"]},
    "Question": {
        "asked": ["How many are there?"], "by": ["A reviewer"], "answered": ["12."], "answered_by": ["Example CA"],
        "finding": ["[12](claim:how-many), as stated."],
    },
    "Event": {"at": ["2026-11-20T14:00Z", "2026-11-20"], "text": ["The CA is told."]},
    "Correction": {
        "claim": ["how-many"], "date": ["2026-11-24"], "was": ["11 certificates"], "because": ["One was left out."],
    },
    "Allowed": {"text": ["Question 4"], "reason": ["the number of a question"]},
    "Suppression": {
        "code": ["loose-fact"], "reason": ["claims follow with the next edition"], "until": ["2026-12-31"],
        "claim": ["how-many"], "text": ["17 of them"],
    },
    "Value": {
        "from": ["2015-12-20"], "until": ["2015-12-31"], "after": ["2015-12-20"], "before": ["2016-01-01"],
        "at_least": [2048, "90 days"], "at_most": [1024, "398 days"], "not": ["sha1"],
        "contains": ["www.example.com"], "like": ["%.example.com"],
    },
    "Bounds": {"at_least": [3], "at_most": [5]},
    "Window": {"from": ["2016-01-01"], "until": ["2016-06-28"]},
    "GapModel": {
        "from": ["not_before"], "to": ["earliest_sct"], "at_least": ["15 days"], "at_most": ["24 hours"],
    },
    "IdenticalModel": {"fields": [["serial", "not_before"]], "by": ["spki_sha256"]},
    "PairsModel": {
        "with": ["counterparts"], "by": [["dns_names", "spki_sha256"]], "where": [{"signature_hash": "sha256"}],
        "count": [3], "every": [{"signature_hash": "sha256"}],
    },
    "ViolatesModel": {
        "rule": ["e_sub_cert_aia_missing", "pkix.certificate_serial_number_out_of_range"],
        "profile": ["serverauth", "pkix", "smime", "etsi"], "version": ["v3.6.4"], "count": [12, 0],
    },
}  # fmt: skip
"""For each model, values of its keys; assertions bring their own."""


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the incident file, for editors."""
    schema = _tidied(Incident.model_json_schema(by_alias=True))
    definitions = schema["$defs"]
    value = _tidied({**copy.deepcopy(VALUE_SCHEMA)})
    for name, model in (("Incident", schema), ("Value", value["anyOf"][0]), *definitions.items()):
        for key, examples in _EXAMPLES.get(name, {}).items():
            model["properties"][key]["examples"] = examples
    claim = definitions["Claim"]["properties"]
    for assertion in ASSERTIONS:
        claim[assertion.key]["examples"] = [_read(assertion.example)[assertion.key]]
    claim["stands"]["default"] = True  # a plain true is what an author writes
    claim["same"] = {**_kept(claim["same"]), "anyOf": [_names(), {"type": "array", "items": _names(), "minItems": 1}]}
    claim["distinct"] = {**_kept(claim["distinct"]), **_mapping(claim["distinct"]["additionalProperties"])}
    definitions |= {"Value": value, "Columns": {**_mapping({"$ref": "#/$defs/Value"}), "minProperties": 1}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "affidavit.schema.json",
        **schema,
        "title": "Affidavit incident file",
    }


def _read(example: str) -> Any:
    """An example's value as JSON has it: days stay text."""

    def typed(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: typed(value) for key, value in node.items()}
        if isinstance(node, list):
            return [typed(one) for one in node]
        return {"true": True, "false": False}.get(node, int(node) if node.isdigit() else node)

    return typed(yaml.load(example, yaml.BaseLoader))  # noqa: S506 - the one loader that makes text of everything


def _kept(field: dict[str, Any]) -> dict[str, Any]:
    return {key: field[key] for key in ("description", "examples")}


def _tidied(node: Any) -> Any:
    """A schema closed against other names, and without what editors would offer in vain: null, the key as a title."""
    if isinstance(node, list):
        return [_tidied(one) for one in node]
    if not isinstance(node, dict):
        return node
    if node.get("additionalProperties") == VALUE_SCHEMA:
        return {"$ref": "#/$defs/Columns"}
    made = {key: _tidied(value) for key, value in node.items() if not (key == "title" and isinstance(value, str))}
    if made.get("default", made) is None:
        del made["default"]
    if "patternProperties" in made:  # to a JSON Schema names that fit no pattern would be just further keys
        made.setdefault("additionalProperties", False)
    for key in ("anyOf", "oneOf"):
        if isinstance(made.get(key), list):
            # Of several shapes that none fits, editors explain by the first: a wrong key stands in a mapping.
            made[key] = sorted((one for one in made[key] if one != {"type": "null"}), key=_is_scalar)
            if len(made[key]) == 1:
                made |= made.pop(key)[0] | {k: v for k, v in made.items() if k != key}
    return made


def _is_scalar(shape: dict[str, Any]) -> bool:
    return "$ref" not in shape and shape.get("type") != "object"


def _columns() -> Iterator[tuple[Table, Column]]:
    """Every column once by name, as the table of certificates has it where it does."""
    seen = set()
    for table in (CERTIFICATES, *TABLES.values()):
        for column in table.columns:
            if column.name not in seen:
                seen.add(column.name)
                yield table, column


def _names() -> dict[str, Any]:
    """The name of a column."""
    return {"type": "string", "enum": [column.name for _, column in _columns()]}


def _mapping(value: dict[str, Any]) -> dict[str, Any]:
    """A mapping from columns to what is stated of each."""
    properties = {}
    for table, column in _columns():
        words = f"{column.text} ({column.kind})" if table is CERTIFICATES else f"{column.text} (`{table.name}`)"
        offered: list[Any] = []
        if "Value" in value.get("$ref", ""):
            known = known_words(column)
            offered = [True, False] if column.kind is Kind.BOOLEAN else sorted(known.names) if known else []
        one = {"anyOf": [{"enum": offered}, value]} if offered else value
        properties[column.name] = {"description": words, **one}
    return {"type": "object", "properties": properties, "additionalProperties": False}
