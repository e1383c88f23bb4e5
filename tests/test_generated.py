"""No derived text has been left behind by the code that it derives from."""

from pathlib import Path

import pytest

from affidavit.check.assertions import ASSERTIONS
from affidavit.columns import Made
from affidavit.reference import DERIVED
from affidavit.tables import TABLES

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("name", DERIVED)
def test_derived_text_is_up_to_date(name: str):
    assert (ROOT / name).read_text("utf-8") == DERIVED[name](), "run `make generate`"


def test_each_assertion_and_each_column_is_documented():
    reference = (ROOT / "docs/reference.md").read_text("utf-8")
    tables = (ROOT / "docs/tables.md").read_text("utf-8")
    assert ASSERTIONS
    for assertion in ASSERTIONS:
        assert f"### `{assertion.key}`" in reference
        assert assertion.__doc__
    for table in TABLES.values():
        for column in table.columns:
            costly = column.made not in (Made.READ, Made.LINKED)
            assert f"| `{column.name}`{' *' if costly else ''} |" in tables
            assert column.text.endswith((".", "`"))
