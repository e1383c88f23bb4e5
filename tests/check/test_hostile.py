"""Hostile expressions: each ends in a clear error, or in an ``unproven`` by limit; none reads, writes or proves.

``hostile/expressions.jsonl`` holds one a line: ``as`` says where it is written (``limit``: a query that the
allow-list may let pass, and that a limit must stop), ``because`` what is wrong with it.
"""

import json
import socket
import time
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

from affidavit.check import run as check_run
from affidavit.check.base import statement
from affidavit.check.conditions import ValueProblem
from affidavit.check.engine import GRACE, SECONDS, DuckDb
from affidavit.check.expressions import query_expression
from affidavit.tables import CERTIFICATES, TABLES
from affidavit.types import InputError, LimitReached, Outcome
from tests.check.case import Row, certificate, facts_of, run

CASES: list[dict[str, str]] = [
    json.loads(line) for line in (Path(__file__).parent / "hostile" / "expressions.jsonl").read_text().splitlines()
]
REFUSED = [case for case in CASES if case["as"] != "limit"]
LIMITED = [case for case in CASES if case["as"] == "limit"]
#: Where a case that parses takes minutes instead; a busy machine stays below.
PATIENCE = 5.0


def test_there_are_enough_of_them_and_each_says_why() -> None:
    assert len({case["text"] for case in CASES}) >= 100
    assert {case["as"] for case in CASES} == {"where", "sql", "limit"}
    assert all(case["because"] for case in CASES)


@pytest.fixture
def nothing_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """An empty working folder, a network that answers nobody, an environment with a secret; empty afterwards too."""

    def refuse(*_: Any) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    yield
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("case", REFUSED, ids=range(len(REFUSED)))
def test_refused_before_it_runs(case: dict[str, str]) -> None:
    zone = "Asia/Shanghai" if "zone" in case["because"] else "UTC"
    began = time.process_time()
    read: Any = statement if case["as"] == "where" else query_expression
    with pytest.raises(ValueProblem) as caught:
        read(case["text"], CERTIFICATES if case["as"] == "where" else TABLES, zone)
    message = str(caught.value)
    assert message
    assert "\x1b" not in message
    assert len(message) < 400
    assert time.process_time() - began < PATIENCE


def test_in_a_report_each_is_an_error_with_its_place(nothing_outside: None) -> None:
    """From the file to the exit: one run for all; every claim is named, with its line, and nothing is verified."""
    claims: dict[str, Any] = {}
    for number, case in enumerate(REFUSED):
        text = case["text"]
        if not text.isprintable() or "zone" in case["because"]:
            continue  # YAML itself refuses control characters
        stated = {"where": text, "count": "1"} if case["as"] == "where" else {"sql": text, "returns": "1"}
        claims[f"c{number}"] = {"over": "a"} | stated
    with pytest.raises(InputError) as caught:
        run(claims, [certificate()])
    assert {diagnostic.claim for diagnostic in caught.value.diagnostics} == set(claims)
    assert all(diagnostic.pos.line > 1 for diagnostic in caught.value.diagnostics)


@cache
def many() -> tuple[Row, ...]:
    return tuple(certificate(n) for n in range(300))


@pytest.mark.parametrize("case", LIMITED, ids=[case["because"] for case in LIMITED])
def test_stopped_by_a_limit(case: dict[str, str], nothing_outside: None, monkeypatch: pytest.MonkeyPatch) -> None:
    if case is not LIMITED[0]:  # the first has all the time that a claim has
        monkeypatch.setattr(check_run, "SECONDS", 1.0)
    began = time.monotonic()
    try:
        found = run({"one": {"over": "a", "sql": case["text"], "returns": "1"}}, many()).verdicts["one"]
    except InputError as error:
        assert [diagnostic.claim for diagnostic in error.diagnostics] == ["one"]  # noqa: PT017 - either end is right
    else:
        assert (found.outcome, found.code, found.passes) == (Outcome.UNPROVEN, "limit-reached", False)
        # The engine's own limit, the thread left behind, and what a busy machine adds.
        assert time.monotonic() - began < SECONDS + GRACE + PATIENCE


def test_the_connection_answers_again_after_a_limit() -> None:
    engine = DuckDb(facts_of([certificate(n) for n in range(300)]).tables, seconds=0.2)
    with pytest.raises(LimitReached):
        engine.run(query_expression(LIMITED[0]["text"], TABLES, "UTC"))
    # One batch of rows that takes seconds, in which the engine heeds no interrupt: past the list on purpose.
    slow = (
        "WITH t AS (SELECT repeat(subject, 256) AS s FROM certificates) "
        "SELECT count(*) FROM t WHERE regexp_matches(s, '(.{1,500}w){1,2}#')"
    )
    began = time.monotonic()
    tree = sqlglot.parse_one(slow, read="duckdb")
    assert isinstance(tree, exp.Query)
    with pytest.raises(LimitReached):
        engine.run(tree)
    assert time.monotonic() - began < PATIENCE
    query = query_expression("SELECT count(*) FROM certificates WHERE regexp_matches(subject, '^CN')", TABLES, "UTC")
    for _ in range(2):
        assert list(engine.run(query, seconds=5)[0].values()) == [300]
    engine.close()


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        # An offset is part of the instant, also where no column stands beside it.
        ("coalesce(not_before, not_after) = '2016-01-04T20:00+08:00'", "verified"),
        ("coalesce(not_before, not_after) = '2016-01-04T12:00+08:00'", "refuted"),
        ("coalesce(not_before, not_after) = '2016-01-04T12:00Z'", "verified"),
        ("not_before - INTERVAL 1 HOUR = TIMESTAMP '2016-01-04T19:00+08:00'", "verified"),
        # What is unknown is neither true nor false, however it is asked.
        ("(path_length = 1) IS NOT TRUE", "unproven"),
        ("NOT ((path_length = 1) IS TRUE)", "unproven"),
        ("is_ca IS NOT TRUE", "verified"),
        ("path_length IS NULL", "verified"),
        ("path_length IS DISTINCT FROM 1", "verified"),
        ("path_length <> 1", "unproven"),
        ("NOT path_length IN (1, 2)", "unproven"),
        ("concat(subject, path_length) <> 'x'", "unproven"),
        ("regexp_matches(subject, '^CN=w{3}[.]')", "verified"),
        ("regexp_matches(sha256, '[0-9a-f]{8}[0-9a-f]{24}[0-9a-f]{32}')", "verified"),
    ],
)
def test_what_a_query_would_pass_over(claim: str, expected: str) -> None:
    assert run({"one": {"over": "a", "every": claim}}, [certificate()]).verdicts["one"].outcome == expected


@pytest.mark.parametrize(
    ("query", "returns", "expected"),
    [
        ("SELECT count(*) FROM certificates WHERE key_bits = 2048", "1", "unproven"),
        ("SELECT count(*) FROM certificates WHERE key_bits IS NOT NULL AND key_bits = 2048", "1", "verified"),
        ("SELECT max(key_bits) FROM certificates", "2048", "unproven"),
        ("SELECT count(key_bits) FROM certificates", "1", "verified"),
        ("SELECT count(*) FROM certificates WHERE (sct_count = 2) IS NOT TRUE", "0", "verified"),
        ("SELECT max(sct_count) FROM certificates", "2.0", "verified"),
        ("SELECT max(sct_count) FROM certificates", "two", "unproven"),
        ("SELECT max(sct_count) FROM certificates", "1_0", "unproven"),
        ("SELECT 310 + max(sct_count) FROM certificates", "3,12", "unproven"),
        ("SELECT max(not_after - not_before) FROM certificates", "366 days", "verified"),
        ("SELECT max(not_after - not_before) FROM certificates", "365 days", "refuted"),
        ("SELECT min(serial) FROM certificates", "5000000000000000000000000000001", "verified"),
        ("SELECT min(serial) FROM certificates", "5000000000000000000000000000002", "refuted"),
        ("SELECT bool_and(is_ca) FROM certificates", "0", "unproven"),
        ("SELECT bool_and(is_ca) FROM certificates", "false", "verified"),
        ("SELECT min(not_before) FROM certificates", "then", "unproven"),
    ],
)  # fmt: skip
def test_what_a_query_returns_is_compared_as_what_it_is(query: str, returns: str, expected: str) -> None:
    rows = [certificate(1), certificate(2, key_bits=None)]
    found = run({"one": {"over": "a", "sql": query, "returns": returns}}, rows).verdicts["one"]
    assert found.outcome == expected, found.findings


def test_the_environment_stays_unread(nothing_outside: None) -> None:
    """The second wall: what the list refuses, the locked connection refuses too, or gives no secret."""
    import duckdb

    connection = DuckDb(facts_of([certificate()]).tables)._connection
    for text in ("SELECT * FROM read_text('/etc/hostname')", f"COPY certificates TO '{Path.cwd()}/x'", "LOAD httpfs",
                 "SET threads = 8", "ATTACH 'x.db'", "CREATE SECRET (TYPE s3)"):  # fmt: skip
        with pytest.raises(duckdb.Error):
            connection.execute(text).fetchall()


ODD = ["'", "''", "\\", "\\'", "a\nb", "$$", "$1", "?", "%", "_", "--", "/*", "*/", ";", "\u2028",
       "{x}", ":x", "E'\\x41'", "U&'x'", '"',
       "'; DROP TABLE certificates; --", "\u202etxt", "\U0001f512"]  # fmt: skip


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_odd_texts_are_compared_letter_by_letter(text: str) -> None:
    """What is stated reaches the engine as text, whatever it holds; a letter more is another text."""
    quoted = text.replace("'", "''")
    claims: dict[str, Any] = {
        "same": {"every": {"subject_cn": text}},
        "other": {"some": {"subject_cn": text + "x"}},
        "written": {"every": f"subject_cn = '{quoted}'"},
        "asked": {"sql": f"SELECT count(*) FROM certificates WHERE subject_cn = '{quoted}'", "returns": "1"},
    }
    found = run({name: {"over": "a"} | claim for name, claim in claims.items()}, [certificate(subject_cn=text)])
    outcomes = [found.verdicts[name].outcome.value for name in claims]
    assert outcomes == ["verified", "refuted", "verified", "verified"]
