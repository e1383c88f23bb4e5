"""What claims need of the evidence: the quick answer is never less than the careful one."""

import json
from typing import Any

import pytest

from affidavit.check.assertions import ASSERTIONS
from affidavit.check.compile import CompiledClaim, compile_claims
from affidavit.check.needs import needs_nothing, wanted_by
from affidavit.evidence.corpus import Wanted
from affidavit.tables import TABLES
from tests.check.case import head, report_of
from tests.shipped import shipped


def compiled(claim: dict[str, Any]) -> CompiledClaim:
    report = report_of(head(claims={"it": {"says": "It is so.", "over": "a", **claim}}))
    return compile_claims(report)["it"]


@pytest.mark.parametrize("slug", ["wosign-2016", "real-faults"])
def test_no_claim_of_the_reports_that_ship_is_told_that_it_needs_less(slug: str) -> None:
    run = shipped(slug)
    quick = 0
    for name, claim in run.claims.items():
        written = run.report.tree.find(("claims", name))
        assert written is not None
        if needs_nothing(claim, json.dumps(written.plain())):
            quick += 1
            assert wanted_by([claim]) == Wanted(), name
    assert quick > len(run.claims) / 4


@pytest.mark.parametrize("made", TABLES["certificates"].columns, ids=lambda column: column.name)
@pytest.mark.parametrize("key", ["where", "distinct", "every"])
def test_no_column_is_passed_over(key: str, made: Any) -> None:
    claims: dict[str, dict[str, Any]] = {
        "where": {"where": f"{made.name} is not null", "count": "1"},
        "distinct": {"distinct": {made.name: "1"}},
        "every": {"every": f"{made.name} is not null"},
    }
    claim = claims[key]
    one = compiled(claim)
    assert not needs_nothing(one, json.dumps(claim)) or wanted_by([one]) == Wanted()


@pytest.mark.parametrize(
    ("claim", "nothing"),
    [
        ({"count": "1"}, True),
        ({"every": {"key_bits": "2048"}}, True),
        ({"every": {"weak_key": "roca"}}, False),
        ({"where": "short_lived", "count": "1"}, False),
        ({"table": "names", "count": "1"}, False),
        ({"count": "1", "only": {"from": "2016-01-01", "until": "2016-01-02"}}, False),
    ],
)  # fmt: skip
def test_what_is_told_at_once(claim: dict[str, Any], nothing: bool) -> None:
    assert needs_nothing(compiled(claim), json.dumps(claim)) is nothing


def test_only_assertions_that_read_what_is_named_say_so() -> None:
    """What these read is checked above; an assertion that looks further must not be among them."""
    assert {one.key for one in ASSERTIONS if one.as_named} == {
        "count", "share", "distinct", "same", "every", "none", "some", "between", "earliest", "latest",
    }  # fmt: skip
