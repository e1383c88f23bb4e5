"""What every assertion must show: a true case, a near miss, another zone, no row, a missing value, its own failure.

An assertion that is new fails here until it has its line in ``CASES``.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from affidavit.check import run as check_run
from affidavit.check.assertions import ASSERTIONS, BY_KEY
from affidavit.types import Outcome
from tests.check.case import Row, at, certificate, digest, lint, revocation, run

DAY = at("2015-12-19 17:00")  # 2015-12-20 01:00 in Shanghai
ROWS = [certificate(n, not_before=DAY, earliest_sct=at("2015-12-21 17:00")) for n in (1, 2)]
PARTNERS = [certificate(n + 10, collection="b", spki_sha256=digest(f"key {n}"), not_before=DAY) for n in (1, 2)]
ENTRIES = [revocation(n, revoked_at=at("2016-09-01 17:00")) for n in (1, 2)]
LINTS = [lint(n) for n in (1, 2)]
COMPLETE = {"scope": "all", "from": "2016-01-01", "until": "2016-06-28", "basis": "an export"}
TOP = {"evidence": {"a": {"files": "a", "complete": COMPLETE}, "b": {"files": "b"}, "c": {"files": "c"}}}
PARTS: dict[str, dict[str, Any]] = {
    "x": {"over": "a", "where": {"not_before": "2015-12-19"}, "count": "2"},
    "y": {"over": "b", "count": "2"},
}
ZONE = "Asia/Shanghai"


@dataclass(frozen=True)
class Meta:
    """Statements of one assertion over ``ROWS``: what is so, what is just not so, what is so in UTC alone.

    ``shifted`` may be a reason why no time is involved. ``missing`` are the columns without which ``so`` is open.
    """

    so: Mapping[str, Any]
    miss: Mapping[str, Any]
    shifted: Mapping[str, Any] | str
    missing: tuple[str, ...]
    shows: Outcome = Outcome.REFUTED
    """What the near miss, and the other zone, come to."""


def pairs(**more: Any) -> dict[str, Any]:
    return {"pairs": {"with": "b", "by": "spki_sha256", "every": {"key_bits": "2048"}} | more}


def returns(query: str, value: str) -> dict[str, str]:
    return {"sql": query, "returns": value}


SPAN = {"from": "2015-12-18", "until": "2015-12-19"}
MOVED = {"from": "2015-12-20", "until": "2015-12-20"}
ENDS = {"from": "not_before", "to": "earliest_sct"}
CASES: dict[str, Meta] = {
    "count": Meta(
        {"count": "2", "where": {"key_bits": "2048"}}, {"count": "3"},
        {"count": "2", "where": {"not_before": "2015-12-19"}}, ("key_bits",),
    ),
    "share": Meta(
        {"share": "100 %", "where": {"key_bits": "2048"}}, {"share": "99.9 %"},
        {"share": "100 %", "where": {"not_before": "2015-12-19"}}, ("key_bits",),
    ),
    "distinct": Meta({"distinct": {"serial": "2"}}, {"distinct": {"serial": "3"}}, "a number of values", ("serial",)),
    "same": Meta({"same": "not_before"}, {"same": "serial"}, "no value is stated", ("not_before",)),
    "every": Meta(
        {"every": {"key_bits": "2048"}}, {"every": {"key_bits": "2049"}}, {"every": {"not_before": "2015-12-19"}},
        ("key_bits",),
    ),
    "none": Meta(
        {"none": {"key_bits": "2049"}}, {"none": {"key_bits": "2048"}}, {"none": {"not_before": "2015-12-20"}},
        ("key_bits",),
    ),
    "some": Meta(
        {"some": {"key_bits": "2048"}}, {"some": {"key_bits": "2049"}}, {"some": {"not_before": "2015-12-19"}},
        ("key_bits",),
    ),
    "earliest": Meta(
        {"earliest": {"not_before": "2015-12-19T17:00:00Z"}}, {"earliest": {"not_before": "2015-12-19T17:00:01Z"}},
        {"earliest": {"not_before": "2015-12-19"}}, ("not_before",),
    ),
    "latest": Meta(
        {"latest": {"not_before": "2015-12-19T17:00:00Z"}}, {"latest": {"not_before": "2015-12-19T16:59:59Z"}},
        {"latest": {"not_before": "2015-12-19"}}, ("not_before",),
    ),
    "between": Meta(
        {"between": {"key_bits": {"at_least": "2048", "at_most": "2048"}}},
        {"between": {"key_bits": {"at_least": "2049", "at_most": "4096"}}}, {"between": {"not_before": SPAN}},
        ("key_bits",),
    ),
    "total": Meta(
        {"total": ["x", "y"], "count": "4"}, {"total": ["x", "y"], "count": "5"}, "its parts state the times",
        ("not_before",),
    ),
    "only": Meta(
        {"only": {"from": "2016-01-01", "until": "2016-06-28"}, "every": {"key_bits": "2048"}},
        {"only": {"from": "2016-01-01", "until": "2016-06-29"}},
        {"only": {"from": "2016-01-01", "until": "2016-06-28"}}, ("key_bits",), Outcome.UNPROVEN,
    ),
    "identical_except": Meta(
        {"identical_except": {"fields": ["serial", "public_key"]}}, {"identical_except": {"fields": ["serial"]}},
        "no value is stated", ("not_before",),
    ),
    "pairs": Meta(
        pairs(), pairs(count="1"), pairs(every={"not_before": "2015-12-19"}), ("spki_sha256",),
    ),
    "revoked": Meta(
        {"revoked": "2016-09-01T17:00Z"}, {"revoked": "2016-09-01T17:01Z"}, {"revoked": "2016-09-01"}, ("serial",),
    ),
    "gap": Meta(
        {"gap": ENDS | {"at_most": "2 days"}}, {"gap": ENDS | {"at_most": "47 hours"}}, "a length has no zone",
        ("earliest_sct",),
    ),
    "violates": Meta(
        {"violates": {"rule": "e_a_rule"}}, {"violates": {"rule": "e_a_rule", "count": "1"}}, "no time is stated",
        ("sha256",),
    ),
    "sql": Meta(
        returns("SELECT max(key_bits) FROM certificates", "2048"),
        returns("SELECT max(key_bits) FROM certificates", "2047"),
        returns("SELECT count(*) FROM certificates WHERE not_before = '2015-12-19'", "2"), ("key_bits",),
    ),
}  # fmt: skip
KEYS = [assertion.key for assertion in ASSERTIONS]


_runs: dict[str, Any] = {}


def judged(
    situation: str, which: str, key: str, rows: list[Row] | None = None, *, keys: Collection[str] = CASES, **more: Any
) -> Any:
    """The verdict on what some field of `Meta` states of an assertion; all (of ``keys``) are checked in one run.

    ``situation`` names the rows and what the claims say besides; ``more`` is the latter.
    """
    name = f"{situation}: {which}"
    if name not in _runs:
        stated = {one: getattr(CASES[one], which) for one in keys}
        claims = {
            one.replace("_", "-"): {"timezone": "UTC"} | ({} if "total" in said else {"over": "a"}) | dict(said) | more
            for one, said in stated.items()
            if not isinstance(said, str)
        }
        evidence = [*ROWS, *PARTNERS] if rows is None else rows
        _runs[name] = run(claims | PARTS, evidence, top=TOP, revocations=ENTRIES, lints=LINTS)
    return _runs[name].verdicts[key.replace("_", "-")]


def test_every_assertion_has_its_case() -> None:
    assert set(CASES) == set(BY_KEY), "a new assertion needs a line in CASES"
    for key, meta in CASES.items():
        assert key in meta.so
        assert key in meta.miss
        assert isinstance(meta.shifted, str) or key in meta.shifted
        assert meta.missing


@pytest.mark.parametrize("key", KEYS)
def test_what_is_so_is_verified(key: str) -> None:
    assert judged("as it is", "so", key).outcome is Outcome.VERIFIED


@pytest.mark.parametrize("key", KEYS)
def test_off_by_one_is_not(key: str) -> None:
    found = judged("as it is", "miss", key)
    assert found.outcome is CASES[key].shows
    assert not found.passes
    assert any(finding.hint for finding in found.findings)


@pytest.mark.parametrize("key", KEYS)
def test_right_in_utc_alone(key: str) -> None:
    shifted = CASES[key].shifted
    if isinstance(shifted, str):
        pytest.skip(shifted)
    assert judged("as it is", "shifted", key).outcome is Outcome.VERIFIED
    assert judged("in another zone", "shifted", key, timezone=ZONE).outcome is CASES[key].shows


@pytest.mark.parametrize("key", KEYS)
def test_no_row_is_no_proof(key: str) -> None:
    others = CASES.keys() - {"total"}
    for which in ("so", "miss"):
        assert judged("no row", which, key, []).outcome is Outcome.UNPROVEN
        if key != "total":
            assert judged("no row of its collection", which, key, keys=others, over="c").outcome is Outcome.UNPROVEN
            nothing = judged("no row of its kind", which, key, keys=others, where={"key_bits": "512"})
            assert nothing.outcome is not Outcome.VERIFIED or BY_KEY[key].about_size


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("share", ["one row", "all rows"])
def test_a_missing_value_is_no_proof(key: str, share: str) -> None:
    missing = dict.fromkeys(CASES[key].missing)
    if key == "some" and share == "one row":
        pytest.skip("the other row does")
    rows = [row | (missing if share == "all rows" or not n else {}) for n, row in enumerate(ROWS)] + PARTNERS
    alike = {other for other, meta in CASES.items() if meta.missing == CASES[key].missing}
    found = judged(f"{share} without {sorted(missing)}", "so", key, rows, keys=alike)
    assert found.outcome is Outcome.UNPROVEN


@pytest.mark.parametrize("key", KEYS)
def test_a_failure_inside_is_that_claims_alone(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception gives ``unproven`` with a code; the claim beside it is judged; the report does not pass."""

    def fail(*_: Any) -> None:
        raise ZeroDivisionError("lost")

    beside = "every" if key != "every" else "count"
    monkeypatch.setattr(BY_KEY[key], "judge", fail)
    stated = {
        "bad": ({} if key == "total" else {"over": "a"}) | dict(CASES[key].so),
        "good": {"over": "a"} | dict(CASES[beside].so),
    }
    parts = PARTS if key == "total" else {}
    if key == "every":  # `between` is a kind of `every`, and nothing here needs it
        stated["good"] = {"over": "a", "count": "2"}
    found = run(stated | parts, [*ROWS, *PARTNERS], top=TOP, revocations=ENTRIES)
    bad = found.verdicts["bad"]
    assert (bad.outcome, bad.code) == (Outcome.UNPROVEN, "check-failed")
    assert "lost" in bad.findings[0].hint
    assert found.verdicts["good"].outcome is Outcome.VERIFIED
    assert not found.passes


@pytest.mark.parametrize("position", ["true", "false", "unproven"])
def test_no_position_makes_a_failure_pass_unseen(position: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """``stands: unproven`` is said of the evidence; a check that failed, or was stopped, has looked at none."""

    def fail(*_: Any) -> None:
        raise ZeroDivisionError("lost")

    monkeypatch.setattr(BY_KEY["count"], "judge", fail)
    assert not run({"one": {"over": "a", "count": "2", "stands": position}}, ROWS).passes
    monkeypatch.undo()
    monkeypatch.setattr(check_run, "SECONDS", 0.0)
    found = run({"one": {"over": "a", "count": "2", "stands": position}}, ROWS)
    assert found.verdicts["one"].code == "limit-reached"
    assert not found.passes
