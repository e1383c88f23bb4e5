"""The JSON Schema that editors use, judged by an independent validator on YAML as editors read it."""

import datetime
import json
from pathlib import Path

import jsonschema
import pytest
import yaml

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
