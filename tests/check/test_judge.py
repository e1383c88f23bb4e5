"""Where a claim's outcome is decided: what comes before what, and what one claim's failure does to others."""

from typing import Any

import pytest

from affidavit.check import run as check_run
from affidavit.check.compile import compile_claims
from affidavit.check.engine import DuckDb
from affidavit.check.judge import rule
from affidavit.check.run import Checker
from affidavit.types import Counts, Finding, LimitReached, Outcome, Position
from tests.check.case import at, certificate, facts_of, head, hints, outcome, report_of, revocation, run, sct, verdict

YES = Finding("count", Outcome.VERIFIED, "1", "1")
NO = Finding("every", Outcome.REFUTED, "x", "y", code="every")
OPEN = Finding("same", Outcome.UNPROVEN, "x", "y", code="single-row")
FULL = {"scope": 2, "considered": 2}


@pytest.mark.parametrize(
    ("counts", "findings", "more", "expected"),
    [
        (FULL, [YES], {}, ("verified", "")),
        (FULL, [YES, NO], {}, ("refuted", "every")),
        (FULL, [OPEN, NO], {}, ("refuted", "every")),
        (FULL, [YES, OPEN], {}, ("unproven", "single-row")),
        (FULL, [], {}, ("unproven", "nothing-checked")),
        (FULL, [Finding("x", Outcome.UNCHECKED, "", "")], {}, ("unproven", "nothing-checked")),
        (FULL, [YES], {"error": "KeyError"}, ("unproven", "check-failed")),
        (FULL, [YES], {"limit": "4 s"}, ("unproven", "limit-reached")),
        (FULL, [YES], {"limit": "4 s", "error": "KeyError"}, ("unproven", "check-failed")),
        (FULL | {"unreadable": 1}, [YES], {}, ("unproven", "unreadable-evidence")),
        (FULL | {"unreadable": 1}, [NO], {}, ("unproven", "unreadable-evidence")),
        (FULL | {"excused": 1}, [YES], {}, ("verified", "")),
        (FULL | {"excused": 1}, [YES], {"complete": True}, ("unproven", "unreadable-evidence")),
        (FULL | {"undecided": 1}, [NO], {}, ("unproven", "undecided-rows")),
        (FULL, [YES], {"blank": ("b",)}, ("unproven", "no-evidence")),
        ({"considered": 2}, [YES], {}, ("unproven", "empty-scope")),
        ({"considered": 2}, [YES], {"size_only": True}, ("verified", "")),
        ({}, [YES], {"size_only": True}, ("unproven", "no-evidence")),
        ({"not_authentic": 3}, [YES], {"size_only": True}, ("unproven", "not-authentic")),
        ({"other_kind": 3}, [YES], {"size_only": True}, ("unproven", "other-kind")),
    ],
)
def test_what_comes_before_what(counts: Any, findings: Any, more: Any, expected: tuple[str, str]) -> None:
    found = rule(Counts(**counts), findings, **({"size_only": False} | more))
    assert (found.outcome.value, found.code) == expected


def test_positions_fit() -> None:
    fits = {(p.value, o.value) for p in Position for o in Outcome if p.fits(o)}
    assert fits == {
        ("true", "verified"), ("true", "unchecked"), ("false", "refuted"), ("unproven", "unproven"),
    }  # fmt: skip
    for stands, count, passes in (
        ("true", "1", True),
        ("true", "2", False),
        ("false", "2", True),
        ("false", "1", False),
    ):
        found = run({"one": {"over": "a", "count": count, "stands": stands}}, [certificate()])
        assert found.passes is passes
        assert (not found.diagnostics) is passes
    assert run({"one": {"over": "b", "count": "1", "stands": "unproven"}}, [certificate()]).passes
    assert not run({"one": {"over": "b", "count": "1", "stands": "false"}}, [certificate()]).passes


def test_an_error_or_a_limit_inside_one_claim_leaves_the_others() -> None:
    claims = {"bad": {"says": "So.", "over": "a", "count": "1"}, "good": {"says": "So.", "over": "a", "same": "issuer"}}
    compiled = compile_claims(report_of(head() | {"claims": claims}))
    facts = facts_of([certificate(1), certificate(2)])

    class Failing(DuckDb):
        error: Exception = KeyError("lost")

        def run(self, query: Any, *rest: Any) -> Any:
            if "issuer" not in query.sql() and "good" not in wanted:
                raise self.error
            return super().run(query, *rest)

    engine = Failing(facts.tables)
    checker = Checker(engine, (), {})
    for error, code in ((KeyError("lost"), "check-failed"), (LimitReached("4 s"), "limit-reached")):
        engine.error, wanted = error, ""
        found = checker.judge(compiled["bad"])
        assert (found.outcome, found.code, found.passes) == (Outcome.UNPROVEN, code, False)
        wanted = "good"
        assert checker.judge(compiled["good"]).outcome is Outcome.VERIFIED
    engine.close()


def test_all_queries_of_a_claim_share_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_run, "SECONDS", 0.0)
    assert verdict("count: 1", [certificate()]).code == "limit-reached"


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        ("{made: 2016-09-20, every: {not_before: 2016-01-04}}", "verified"),
        ("{made: 2016-01-04, every: {not_before: 2016-01-04}}", "verified"),
        ("{made: 2016-01-03, every: {not_before: 2016-01-04}}", "refuted"),
        ("{made: 2016-09-20, every: {not_before: {until: 2016-12-31}}}", "refuted"),
        ("{made: 2016-09-20, every: \"not_before <= '2016-12-31'\"}", "refuted"),
        ("{made: 2016-09-20, where: {not_before: {until: 2016-12-31}}, count: 1}", "refuted"),
        ("{made: 2016-09-20, where: \"not_before < '2017-01-01'\", count: 1}", "refuted"),
        # The end of a validity may well lie ahead.
        ("{made: 2016-09-20, every: {not_after: 2017-01-04}}", "verified"),
    ],
)
def test_an_impossible_date_refutes(claim: str, expected: str) -> None:
    found = verdict(claim, [certificate()])
    assert found.outcome == expected
    assert (found.code == "impossible-date") is (expected == "refuted")


def test_the_day_of_a_statement_is_one_of_its_zone() -> None:
    rows = [certificate(not_before=at("2016-01-04 17:00"))]
    claim = "{made: 2016-01-04, timezone: %s, every: {not_before: 2016-01-04T17:00Z}}"
    assert outcome(claim % "UTC", rows) is Outcome.VERIFIED
    assert outcome(claim % "Asia/Shanghai", rows) is Outcome.REFUTED


TOP = {
    "timezone": "Asia/Shanghai",
    "evidence": {
        name: {"files": name, "complete": {"scope": "all", "from": start, "until": end, "basis": "an export"}}
        for name, start, end in (("a", "2016-01-01", "2016-06-28"), ("b", "2016-03-01", "2016-12-31"))
    },
}


@pytest.mark.parametrize(
    ("over", "start", "end", "zone", "days"),
    [
        ("a", "2016-01-01", "2016-06-28", "Asia/Shanghai", ""),
        ("a", "2016-01-01", "2016-06-29", "Asia/Shanghai", "2016-06-29"),
        ("a", "2015-12-31", "2016-06-28", "Asia/Shanghai", "2015-12-31"),
        ("a", "2016-06-01", "2016-08-31", "Asia/Shanghai", "2016-06-29 to 2016-08-31"),
        # The declaration's days are the report's: 2016-06-28 ends at 16:00 UTC.
        ("a", "2016-01-01", "2016-06-28", "UTC", "2016-06-28"),
        ("a", "2016-01-01", "2016-06-28T16:00:00+00:00", "UTC", "2016-06-28"),
        ("a", "2016-01-01", "2016-06-28T15:59:59Z", "UTC", ""),
        # Two collections: each must be complete over the whole, not both together.
        ("ab", "2016-03-01", "2016-06-28", "Asia/Shanghai", ""),
        ("ab", "2016-01-01", "2016-12-31", "Asia/Shanghai", "2016-01-01 to 2016-02-29, 2016-06-29 to 2016-12-31"),
    ],
)
def test_completeness_day_by_day(over: str, start: str, end: str, zone: str, days: str) -> None:
    claim = {"over": list(over), "timezone": zone, "only": {"from": start, "until": end}}
    found = verdict(claim, [certificate(1), certificate(2, collection="b")], top=TOP)
    if days:
        assert found.outcome is Outcome.UNPROVEN
        assert f"nobody looked at {days}" in hints(found)
        assert found.basis.kind == "given"
    else:
        assert found.outcome is Outcome.VERIFIED
        assert found.basis.kind == "declared complete"


def test_a_certificate_in_two_collections_counts_once() -> None:
    rows = [certificate(1), certificate(1, collection="b"), certificate(2, collection="b")]
    assert outcome("{over: [a, b], count: 2, distinct: {serial: 2}}", rows) is Outcome.VERIFIED
    # An authentic copy is found whichever collection holds it.
    rows[0]["authentic"] = False
    found = verdict("{over: [b, a], count: 2}", [*rows, certificate(3)])
    assert (found.outcome, found.counts.not_authentic) == (Outcome.REFUTED, 1)
    assert outcome("{over: [b, a], count: 3}", [*rows, certificate(3)]) is Outcome.VERIFIED


def test_a_list_in_two_collections_keeps_all_its_entries() -> None:
    """One CRL file may list a number twice; over two collections neither entry may vanish."""
    entries = [
        revocation(1, collection=name, reason=reason) for name in "ab" for reason in ("keyCompromise", "superseded")
    ]
    claim = "{over: %s, table: revocations, every: {reason: %s}}"
    for reason in ("keyCompromise", "superseded"):
        for over in ("a", "[a, b]"):
            assert outcome(claim % (over, reason), revocations=entries) is Outcome.REFUTED
    assert outcome("{over: [a, b], table: revocations, count: 2}", revocations=entries) is Outcome.VERIFIED
    parts = {n: {"over": n[0], "table": "revocations", "count": "2"} for n in ("a1", "b1")}
    assert outcome("{total: [a1, b1], count: 2}", revocations=entries, others=parts) is Outcome.REFUTED
    apart = [revocation(1), revocation(1, reason="superseded"), revocation(1, collection="b", source="other.pem")]
    assert outcome("{total: [a1, b1], count: 3}", revocations=apart, others=parts) is Outcome.VERIFIED


def test_parts_that_overlap_do_not_add_up() -> None:
    rows = [certificate(1), certificate(2, key_bits=4096), certificate(3, key_bits=1024)]
    parts = {
        "large": {"over": "a", "where": {"key_bits": {"at_least": "2048"}}, "count": "2"},
        "small": {"over": "a", "where": {"key_bits": {"at_most": "2048"}}, "count": "2"},
        "smaller": {"over": "a", "where": {"key_bits": {"at_most": "1024"}}, "count": "1"},
    }
    assert outcome("{total: [large, smaller], count: 3}", rows, others=parts) is Outcome.VERIFIED
    found = verdict("{total: [large, small], count: 3}", rows, others=parts)
    assert found.outcome is Outcome.REFUTED
    assert "1 too many" in hints(found)
    assert outcome("{total: [large, small], count: 4}", rows, others=parts) is Outcome.REFUTED


def test_timestamps_of_a_half_read_list_are_open() -> None:
    from tests.check.case import digest, problem

    half = problem("1.pem", "scts", certificate=digest(1))
    assert outcome("{table: scts, count: 1}", scts=[sct()]) is Outcome.VERIFIED
    assert outcome("{table: scts, count: 1}", scts=[sct()], problems=[half]) is Outcome.UNPROVEN
    query = {"sql": "SELECT count(*) FROM scts", "returns": "1"}
    assert outcome(query, [certificate()], scts=[sct()]) is Outcome.VERIFIED
    assert outcome(query, [certificate()], scts=[sct()], problems=[half]) is Outcome.UNPROVEN


def test_an_unreadable_list_anywhere_leaves_revocation_open() -> None:
    from tests.check.case import problem

    broken = problem("crl.der", collection="c")
    assert outcome("revoked: true", [certificate(1)], revocations=[revocation(1)]) is Outcome.VERIFIED
    assert (
        outcome("revoked: true", [certificate(1)], revocations=[revocation(1)], problems=[broken]) is Outcome.UNPROVEN
    )
