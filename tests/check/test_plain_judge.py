"""The plain judge itself, on cases worked out by hand: a judge that erred with the program would hide its error."""

from datetime import timedelta
from typing import Any

import pytest

from tests.check.case import Row, at, certificate, digest, lint, revocation
from tests.check.plain_judge import Expr, Judge, Query, World, all_of, any_of, negated, span

ONE = certificate(1, not_before=at("2015-12-19 17:00"))
TWO = certificate(2, not_before=at("2015-12-20 01:00"), key_bits=1024, dns_names=["a.example", "A.EXAMPLE"])
HOLE = certificate(3, key_bits=None, not_before=None)


def said(claim: dict[str, Any], *rows: Row, zone: str = "UTC", **more: Any) -> str:
    return Judge(World(list(rows), **more), zone).outcome({"over": "a"} | claim)


def test_what_nobody_can_tell() -> None:
    assert [all_of(x) for x in ([True, None], [False, None], [True, True], [])] == [None, False, True, True]
    assert [any_of(x) for x in ([True, None], [False, None], [False], [])] == [True, None, False, False]
    assert [negated(x) for x in (True, False, None)] == [False, True, None]


def test_days_begin_where_the_zone_says() -> None:
    assert span("2015-12-19", "Asia/Shanghai") == (at("2015-12-18 16:00"), at("2015-12-19 16:00"))
    # The day on which New York goes to summer time has 23 hours.
    low, high = span("2016-03-13", "America/New_York")
    assert (low, high - low) == (at("2016-03-13 05:00"), timedelta(hours=23))
    assert span("2015-12-19T12:00Z", "UTC") == (at("2015-12-19 12:00"), at("2015-12-19 12:01"))
    assert span("2015-12-19T12:00:00+08:00", "UTC") == (at("2015-12-19 04:00"), at("2015-12-19 04:00:01"))


@pytest.mark.parametrize(
    ("claim", "zone", "expected"),
    [
        ({"count": "2"}, "UTC", "verified"),
        ({"count": "3"}, "UTC", "refuted"),
        ({"count": {"at_least": "1", "at_most": "2"}}, "UTC", "verified"),
        ({"count": "1", "where": {"key_bits": "1024"}}, "UTC", "verified"),
        ({"count": "0", "where": {"key_bits": "512"}}, "UTC", "verified"),
        ({"every": {"key_bits": "512"}, "where": {"key_bits": "512"}}, "UTC", "unproven"),
        ({"distinct": {"key_bits": "2", "issuer_cn": "1"}}, "UTC", "verified"),
        ({"same": ["issuer_cn", "key_bits"]}, "UTC", "refuted"),
        ({"every": {"not_before": "2015-12-20"}}, "UTC", "refuted"),
        ({"every": {"not_before": "2015-12-20"}}, "Asia/Shanghai", "verified"),
        ({"none": {"not_before": {"after": "2015-12-20"}}}, "UTC", "verified"),
        ({"some": {"dns_names": "A.example"}}, "UTC", "verified"),
        ({"some": {"serial": {"like": "5%2"}}}, "UTC", "verified"),
        ({"earliest": {"not_before": "2015-12-19"}, "latest": {"key_bits": "2048"}}, "UTC", "verified"),
        ({"latest": {"not_before": "2015-12-19"}}, "UTC", "refuted"),
        ({"between": {"not_before": {"from": "2015-12-19", "until": "2015-12-20"}}}, "UTC", "verified"),
        ({"only": {"from": "2015-12-19", "until": "2015-12-20"}}, "UTC", "unproven"),
        ({"gap": {"from": "not_before", "to": "not_after", "at_least": "365 days"}}, "UTC", "verified"),
        ({"gap": {"from": "not_after", "to": "not_before", "at_most": "1 days"}}, "UTC", "unproven"),
        ({"identical_except": {"fields": ["serial", "public_key"]}}, "UTC", "refuted"),
        ({"identical_except": {"fields": ["serial", "public_key", "not_before"]}}, "UTC", "verified"),
        ({"pairs": {"with": "a", "by": "issuer_cn"}}, "UTC", "verified"),
        ({"pairs": {"with": "a", "by": "serial"}}, "UTC", "refuted"),
        ({"pairs": {"with": "b", "by": "serial"}}, "UTC", "unproven"),
        ({"revoked": "true"}, "UTC", "unproven"),
        ({"every": Expr("x", lambda r: r["key_bits"] > 1023)}, "UTC", "verified"),
        ({"sql": Query("x", ("key_bits",), len), "returns": "2"}, "UTC", "verified"),
    ],
)
def test_by_hand(claim: dict[str, Any], zone: str, expected: str) -> None:
    assert said(claim, ONE, TWO, zone=zone) == expected


@pytest.mark.parametrize(
    "claim",
    [
        {"distinct": {"key_bits": "1"}}, {"same": "key_bits"}, {"every": {"key_bits": {"not": "1"}}},
        {"none": {"key_bits": "1"}}, {"earliest": {"not_before": "2015-12-19"}},
        {"count": "1", "where": {"key_bits": "1"}},
        {"sql": Query("x", ("key_bits",), len), "returns": "2"}, {"pairs": {"with": "a", "by": "key_bits"}},
        {"gap": {"from": "not_before", "to": "not_after", "at_least": "1 days"}},
    ],
)  # fmt: skip
def test_a_missing_value_leaves_it_open(claim: dict[str, Any]) -> None:
    assert said(claim, ONE, HOLE) == "unproven"
    assert said({"count": "2"}, ONE, HOLE) == "verified"


def test_what_is_looked_at() -> None:
    assert said({"count": "0"}) == "unproven"
    assert said({"count": "1"}, ONE | {"authentic": False}) == "unproven"
    assert said({"count": "1"}, ONE | {"authentic": False}, untrusted=frozenset("a")) == "verified"
    assert said({"count": "1"}, ONE, unreadable=frozenset("a")) == "unproven"
    assert said({"count": "1"}, ONE, TWO | {"kind": "precertificate"}) == "verified"
    assert said({"count": "2", "kind": "any"}, ONE, TWO | {"kind": "precertificate"}) == "verified"
    assert said({"count": "1", "over": ["a", "b"]}, ONE, ONE | {"collection": "b"}) == "verified"
    assert said({"count": "1", "over": ["a", "b"]}, ONE) == "unproven"
    declared = {"a": (at("2015-12-19"), at("2015-12-21"))}
    window = {"only": {"from": "2015-12-19", "until": "2015-12-20"}}
    assert said(window, ONE, complete=declared) == "verified"
    assert said(window, ONE, complete=declared, zone="Asia/Shanghai") == "unproven"
    assert said(window, ONE, complete=declared, excused=frozenset("a")) == "unproven"


def test_lints() -> None:
    def judged(stated: dict[str, Any], *results: str) -> str:
        lints = [lint(n, result=result) for n, result in enumerate(results, 1) if result]
        return said({"violates": {"rule": "e_a_rule"} | stated}, ONE, TWO, lints=lints)

    assert judged({}, "error", "warn") == "verified"
    assert judged({}, "error", "pass") == "refuted"
    assert [judged({}, "error", one) for one in ("", "fatal")] == ["unproven", "unproven"]
    assert [judged({"count": "0"}, "pass", one) for one in ("not yet in force", "", "error")] == [
        "verified", "unproven", "refuted",
    ]  # fmt: skip
    assert judged({"count": {"at_most": "2"}}, "error") == "unproven"
    assert judged({"count": {"at_least": "1"}}, "error") == "verified"
    assert judged({"count": "2", "version": "v1"}, "error", "error") == "unproven"


def test_revocations_and_totals() -> None:
    both = [revocation(1), revocation(1, revoked_at=at("2016-09-02"))]
    assert said({"revoked": "2016-09-01"}, ONE, revocations=both[:1]) == "verified"
    assert said({"revoked": "2016-09-02"}, ONE, revocations=both[:1]) == "refuted"
    assert said({"revoked": "2016-09-01"}, ONE, revocations=both) == "unproven"
    assert said({"revoked": "true"}, ONE, revocations=[revocation(1, issuer_spki_sha256=digest("x"))]) == "unproven"
    judge = Judge(World([ONE, TWO]), "UTC")
    parts = {name: {"over": "a", "where": {"key_bits": bits}} for name, bits in (("x", "1024"), ("y", "2048"))}
    parts["z"] = {"over": "a", "where": {"key_bits": {"at_most": "2048"}}}
    assert judge.outcome({"total": ["x", "y"], "count": "2"}, parts) == "verified"
    assert judge.outcome({"total": ["x", "z"], "count": "2"}, parts) == "refuted"
