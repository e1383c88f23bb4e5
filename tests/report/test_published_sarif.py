"""SARIF held against the schema that was published with the standard, where it is at hand."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner

from affidavit.cli import cli
from tests.report.test_formats import INCIDENT, project

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = ROOT / "node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"
WITHOUT = "the published schema of SARIF is not at hand: `make editor` installs it"
FAULTS = {
    "failing": INCIDENT,
    "passing": INCIDENT.partition("  wrong:")[0] + "summary: '[3](claim:right)'\n",
    "set aside": INCIDENT + "suppress: [{code: loose-fact, reason: known, until: 2027-01-01}]\n",
    "unreadable": "title: [",
    "odd words": INCIDENT.replace("A small", "\u202e\U0001f512 ::error::"),
}


@pytest.fixture(scope="module")
def check() -> Any:
    if not PUBLISHED.is_file():
        pytest.skip(WITHOUT)
    return jsonschema.Draft4Validator(json.loads(PUBLISHED.read_text("utf-8")))


@pytest.mark.parametrize("incident", FAULTS.values(), ids=FAULTS)
def test_what_is_written_is_what_was_published(tmp_path: Path, check: Any, incident: str) -> None:
    root = project(tmp_path / "p", incident)
    done = CliRunner().invoke(cli, ["--root", str(root), "check", "--format", f"sarif={tmp_path / 'out.sarif'}"])
    assert done.exit_code in (0, 1, 2)
    whole = json.loads((tmp_path / "out.sarif").read_bytes())
    assert [f"{list(error.path)}: {error.message}" for error in check.iter_errors(whole)] == []
    # The same with a slip: a level that there is none of.
    whole["runs"][0]["results"] = [{"message": {"text": "x"}, "level": "fatal"}]
    assert [list(error.path)[-1] for error in check.iter_errors(whole)] == ["level"]
