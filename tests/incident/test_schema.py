"""The JSON Schema that editors use, judged by an independent validator on YAML as editors read it."""

import datetime
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from affidavit.tables import TABLES

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "affidavit.schema.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def as_an_editor_reads(path: Path) -> object:
    def plain(value: object) -> str:
        assert isinstance(value, datetime.date)
        return value.isoformat()

    return json.loads(json.dumps(yaml.safe_load(path.read_text("utf-8")), default=plain))


@pytest.mark.parametrize("path", sorted((ROOT / "reports").glob("*/incident.yaml")), ids=lambda p: p.parent.name)
def test_the_shipped_incident_files_are_valid(path: Path):
    assert [error.message for error in VALIDATOR.iter_errors(as_an_editor_reads(path))] == []


def test_the_schema_is_one_of_its_draft():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"titel": "x"}, ""),
        ({"kind": "novel"}, "kind"),
        ({"claims": {"a": {"says": "x", "cuont": 3}}}, "claims.a"),
        ({"claims": {"a": {"says": "x", "count": {"at_lest": 3}}}}, "claims.a.count"),
        ({"claims": {"a": {"says": "x", "stands": "perhaps"}}}, "claims.a.stands"),
        ({"claims": {"a": {"count": 3}}}, "claims.a"),
        ({"evidence": {"A B": {"files": "x"}}}, "evidence"),
    ],
)
def test_a_slip_is_shown_where_it_stands(change: dict[str, object], where: str):
    sound = {"title": "x", "kind": "analysis", "date": "2026-01-01", "evidence": {}, "claims": {}}
    assert VALIDATOR.is_valid(sound)
    errors = list(VALIDATOR.iter_errors({**sound, **change}))
    assert errors
    assert where in {".".join(map(str, error.absolute_path)) for error in errors}


def test_each_key_of_a_claim_is_described():
    claim = SCHEMA["$defs"]["Claim"]["properties"]
    assert len(claim) > 20
    assert [name for name, field in claim.items() if not field.get("description")] == []


def keys(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every key of the incident file with its schema; columns apart."""
    for name, model in (("Incident", schema), *schema["$defs"].items()):
        properties = model.get("properties") or model.get("anyOf", [{}])[0].get("properties", {})
        if name != "Columns":
            yield from ((f"{name}.{key}", field) for key, field in properties.items())


def test_each_key_says_what_it_is_and_shows_a_value() -> None:
    found = dict(keys(SCHEMA))
    assert len(found) > 100
    assert [name for name, field in found.items() if not field.get("description")] == []
    shown = {name: bool({"examples", "enum", "$ref"} & field.keys()) for name, field in found.items()}
    assert [name for name, any_ in shown.items() if not any_] == []


@pytest.mark.parametrize(
    ("field", "example"), [(field, one) for _, field in keys(SCHEMA) for one in field.get("examples", [])]
)
def test_each_example_is_a_value_of_its_key(field: dict[str, Any], example: object) -> None:
    validator = jsonschema.Draft202012Validator({**field, "$defs": SCHEMA["$defs"]})
    assert [error.message for error in validator.iter_errors(example)] == []


def test_no_key_is_offered_without_a_value() -> None:
    assert '"null"' not in json.dumps(SCHEMA)


def test_columns_are_offered_by_name_with_what_they_hold() -> None:
    columns = SCHEMA["$defs"]["Columns"]["properties"]
    assert {column.name for table in TABLES.values() for column in table.columns} == columns.keys()
    assert all(column["description"] for column in columns.values())
    assert "sha1" in columns["signature_hash"]["anyOf"][0]["enum"]
    assert columns["is_ca"]["anyOf"][0]["enum"] == [True, False]


@pytest.mark.parametrize("key", ["where", "every", "none", "some", "earliest", "latest", "between", "distinct"])
def test_a_column_that_there_is_not_is_shown(key: str) -> None:
    def errors(stated: object) -> list[str]:
        claim = {"says": "x", "over": "a", key: stated}
        whole = {"title": "x", "kind": "analysis", "date": "2026-01-01", "evidence": {}, "claims": {"a": claim}}
        return [error.message for error in VALIDATOR.iter_errors(whole)]

    assert errors({"key_bits": 1}) == []
    assert errors({"keybits": 1})
