# ruff: noqa: E501 (tables of cases)
"""Expressions: literals typed by their column, and nothing dangerous let through."""

from pathlib import Path

import pytest
from sqlglot import exp

from affidavit.check.base import statement
from affidavit.check.conditions import ValueProblem
from affidavit.check.expressions import query_expression
from affidavit.check.nulls import null_only_with
from affidavit.tables import CERTIFICATES
from affidavit.types import InputError, Outcome
from tests.check.case import Row, at, certificate, outcome, revocation, sct, serial_of

ROW = certificate(not_before=at("2015-12-19 17:00"))
SHORT = serial_of(1).lstrip("0").lower()


def every(expression: str, zone: str = "UTC", row: Row = ROW) -> str:
    return outcome({"every": expression, "timezone": zone}, [row]).value


@pytest.mark.parametrize(
    ("expression", "zone", "expected"),
    [
        # A bare day is a day of the claim's zone: 17:00 UTC on the 19th is the 20th in Shanghai.
        ("not_before = '2015-12-19'", "UTC", "verified"),
        ("not_before = '2015-12-19'", "Asia/Shanghai", "refuted"),
        ("not_before = '2015-12-20'", "Asia/Shanghai", "verified"),
        ("not_before = DATE '2015-12-20'", "Asia/Shanghai", "verified"),
        ("'2015-12-20' = not_before", "Asia/Shanghai", "verified"),
        ("not_before <> '2015-12-20'", "Asia/Shanghai", "refuted"),
        ("not_before > '2015-12-19'", "UTC", "refuted"),
        ("not_before > '2015-12-19'", "Asia/Shanghai", "verified"),
        ("'2015-12-19' < not_before", "Asia/Shanghai", "verified"),
        ("not_before >= '2015-12-20'", "UTC", "refuted"),
        ("'2015-12-20' >= not_before", "UTC", "verified"),
        ("not_before BETWEEN '2015-12-18' AND '2015-12-19'", "UTC", "verified"),
        ("not_before BETWEEN '2015-12-18' AND '2015-12-19'", "Asia/Shanghai", "refuted"),
        ("not_before NOT BETWEEN '2015-12-18' AND '2015-12-19'", "Asia/Shanghai", "verified"),
        ("not_before IN ('2015-12-19', '2016-01-01')", "UTC", "verified"),
        ("not_before IN ('2015-12-19', '2016-01-01')", "Asia/Shanghai", "refuted"),
        ("NOT not_before IN ('2015-12-19')", "Asia/Shanghai", "verified"),
        ("not_before IS NOT DISTINCT FROM '2015-12-20'", "Asia/Shanghai", "verified"),
        ("not_before = '2015-12-19T17:00Z'", "Asia/Shanghai", "verified"),
        ("not_before = '2015-12-20T01:00+08:00'", "UTC", "verified"),
        # Serial numbers are numbers, hashes octets.
        (f"serial = '{SHORT}'", "UTC", "verified"),
        (f"serial <> '{SHORT}'", "UTC", "refuted"),
        (f"serial IN ('1', '0x{SHORT}')", "UTC", "verified"),
        (f"serial IS DISTINCT FROM '{SHORT}'", "UTC", "refuted"),
        (f"serial LIKE '{SHORT[:6]}%'", "UTC", "verified"),
        (f"serial NOT LIKE '{SHORT[:6]}%'", "UTC", "refuted"),
        (f"sha256 = '{ROW['sha256'].upper()}'", "UTC", "verified"),
        # Numbers, durations, booleans.
        ("key_bits >= 2048 AND 2048 <= key_bits", "UTC", "verified"),
        ("key_bits > 2048", "UTC", "refuted"),
        ("validity_seconds BETWEEN '366 days' AND '367 days'", "UTC", "verified"),
        ("is_ca = false AND NOT is_ca", "UTC", "verified"),
        ("list_contains(dns_names, 'WWW.EXAMPLE.COM')", "UTC", "verified"),
        ("len(dns_names) = 2", "UTC", "verified"),
        ("strpos(issuer_cn, 'x') >= 0 AND len(list_distinct(list_sort(dns_names))) = 2", "UTC", "verified"),
        ("not coalesce(is_ca, false) AND (is_ca OR key_bits IN (2048))", "UTC", "verified"),
        ("CASE WHEN signature_hash = 'sha1' THEN true ELSE false END", "UTC", "verified"),
    ],
)  # fmt: skip
def test_literals_are_typed_by_their_column(expression: str, zone: str, expected: str) -> None:
    assert every(expression, zone) == expected


@pytest.mark.parametrize(
    ("expression", "zone", "words"),
    [
        ("not_before = '2015-12-32'", "UTC", "no day"),
        ("not_before = 'Sunday 2015-12-19'", "UTC", "Saturday"),
        ("not_before > '2015-12-19 17:00'", "UTC", "no zone"),
        ("CAST(not_before AS DATE) = '2015-12-19'", "Asia/Shanghai", "counts in UTC"),
        ("day(not_before) = 19", "Asia/Shanghai", "counts in UTC"),
        ("date_trunc('day', not_before) = not_before", "Asia/Shanghai", "counts in UTC"),
        ("extract(hour FROM not_before) = 17", "Asia/Shanghai", "counts in UTC"),
        ("CAST(not_before AS VARCHAR) LIKE '2015-12-19%'", "Asia/Shanghai", "counts in UTC"),
        ("coalesce(not_before, not_after) < '2015-12-20'", "Asia/Shanghai", "zone is open"),
        ("serial > '01'", "UTC", "not put in order"),
        ("serial BETWEEN '01' AND '02'", "UTC", "bare text"),
        ("coalesce(serial, '') <> '56'", "UTC", "bare text"),
        ("NOT list_contains(['56'], serial)", "UTC", "bare text"),
        ("CASE serial WHEN '56' THEN false ELSE true END", "UTC", "bare text"),
        ("signature_hash = 'SHA-1'", "UTC", "never 'SHA-1'"),
        ("signature_hash <> 'SHA-1'", "UTC", "never 'SHA-1'"),
        ("key_type IN ('rsa')", "UTC", "never 'rsa'"),
        ("key_bits = 'many'", "UTC", "no whole number"),
        ("key_bits BETWEEN 4096 AND 1024", "UTC", "nothing lies"),
        ("dns_names = 'example.com'", "UTC", "is a list"),
        ("1 = 1", "UTC", "names no column"),
        ("true", "UTC", "names no column"),
        ("serail = '1'", "UTC", "'serial'"),
        ("key_bits", "UTC", "no condition"),
        ("NOT key_bits", "UTC", "no condition"),
        ("is_ca OR key_bits", "UTC", "no condition"),
        ("key_bits + 1", "UTC", "no condition"),
        ("length(issuer_cn)", "UTC", "no condition"),
        ("coalesce(key_bits, 1)", "UTC", "no condition"),
        ("CASE WHEN is_ca THEN key_bits ELSE 1 END", "UTC", "no condition"),
        ("if(is_ca, true, key_bits)", "UTC", "no condition"),
        ("certificates.serial = '1'", "UTC", "alone"),
    ],
)
def test_what_would_compare_otherwise_than_it_reads_is_an_error(expression: str, zone: str, words: str) -> None:
    with pytest.raises(ValueProblem) as caught:
        statement(expression, CERTIFICATES, zone)
    assert words in f"{caught.value} {caught.value.hint}"


def test_files_stay_unread_even_where_the_list_would_let_one_through(tmp_path: Path) -> None:
    """The second wall: the connection itself opens no file, no setting and no extension."""
    import duckdb

    from affidavit.check.engine import DuckDb
    from tests.check.case import facts_of

    secret = tmp_path / "secret.csv"
    secret.write_text("secret\n1\n")
    connection = DuckDb(facts_of([ROW]).tables)._connection
    for text in (
        f"SELECT * FROM read_csv('{secret}')", f"SELECT * FROM '{secret}'", f"SELECT * FROM read_text('{secret}')",
        f"COPY certificates TO '{tmp_path / 'out.csv'}'", f"ATTACH '{tmp_path / 'x.db'}'", "LOAD httpfs", "INSTALL httpfs",
        "SET enable_external_access = true", "SET threads = 8", "SET lock_configuration = false", "RESET memory_limit",
        f"EXPORT DATABASE '{tmp_path / 'dump'}'",
    ):  # fmt: skip
        with pytest.raises(duckdb.Error):
            connection.execute(text).fetchall()
    assert [path.name for path in tmp_path.iterdir()] == ["secret.csv"]


def test_queries_see_the_claims_collections_only() -> None:
    rows = [
        certificate(1),
        certificate(2, collection="b"),
        certificate(3, authentic=False),
        certificate(4, kind="precertificate"),
    ]
    claim = {"sql": "SELECT count(*) FROM certificates", "returns": "1"}
    assert outcome(claim, rows) is Outcome.VERIFIED
    joined = "SELECT count(*) FROM certificates c JOIN revocations r ON c.serial = r.serial"
    entries = [revocation(1), revocation(1, collection="b"), revocation(1, authentic=False)]
    assert outcome({"sql": joined, "returns": "1"}, rows, revocations=entries) is Outcome.VERIFIED
    # A table without a row that was looked at proves nothing, in a join least of all.
    missing = (
        "SELECT count(*) FROM certificates c LEFT JOIN revocations r ON c.serial = r.serial WHERE r.serial IS NULL"
    )
    assert outcome({"sql": missing, "returns": "1"}, rows) is Outcome.UNPROVEN
    assert outcome({"sql": missing, "returns": "0"}, rows, revocations=entries) is Outcome.VERIFIED
    both = "SELECT (SELECT count(*) FROM certificates) + (SELECT count(*) FROM scts)"
    assert outcome({"sql": both, "returns": "1"}, rows) is Outcome.UNPROVEN
    assert outcome({"sql": both, "returns": "2"}, rows, scts=[sct()]) is Outcome.VERIFIED


def test_a_totals_query_sees_the_parts_collections_only() -> None:
    parts = {name: {"over": name, "count": "1"} for name in ("a", "b")}
    rows = [certificate(1), certificate(2, collection="b"), certificate(3, collection="c")]
    scts = [sct(1), sct(2, collection="b"), sct(3, collection="c"), sct(2, position=2, authentic=False)]
    claim = {"total": ["a", "b"], "sql": "SELECT count(*) FROM scts", "returns": "2"}
    assert outcome(claim, rows, scts=scts, others=parts) is Outcome.VERIFIED
    assert outcome(claim | {"returns": "4"}, rows, scts=scts, others=parts) is Outcome.REFUTED


@pytest.mark.parametrize(
    "inner",
    [
        "SELECT count(*) FROM (SELECT serial AS s FROM certificates) AS c WHERE s = '{}'",
        "SELECT count(*) FROM (SELECT (serial) AS t FROM certificates) AS c WHERE t IN ('{}')",
        "WITH c AS (SELECT min(serial) AS s FROM certificates), d AS (SELECT s AS t FROM c) "
        "SELECT count(*) FROM d WHERE t = '{}'",
    ],
)
def test_a_serial_number_by_another_name_is_a_number_all_the_same(inner: str) -> None:
    """Lower case and without its leading zero, it would else be found nowhere, and "none has it" pass."""
    query = inner.format(serial_of(1).lstrip("0").lower())
    assert outcome({"sql": query, "returns": "1"}, [certificate(1)]) is Outcome.VERIFIED
    assert outcome({"sql": query, "returns": "0"}, [certificate(1)]) is Outcome.REFUTED


@pytest.mark.parametrize(
    "query",
    [
        "SELECT count(*) FROM (SELECT serial AS issuer, issuer AS x FROM certificates) AS c WHERE issuer = '01'",
        "WITH c(s) AS (SELECT serial FROM certificates) SELECT count(*) FROM c WHERE s = '01'",
    ],
)
def test_names_that_would_hide_what_a_column_is(query: str) -> None:
    with pytest.raises(InputError):
        outcome({"sql": query, "returns": "0"}, [certificate(1)])


@pytest.mark.parametrize("text", ["concat(not_before, '')", "not_before || ''"])
def test_a_time_made_text_counts_in_utc(text: str) -> None:
    claim = {"every": f"({text}) LIKE '2016-01-04%'"}
    rows = [certificate(1, not_before=at("2016-01-04 20:00"))]  # the fifth in Shanghai
    assert outcome(claim, rows) is Outcome.VERIFIED
    with pytest.raises(InputError, match="counts in UTC"):
        outcome({**claim, "timezone": "Asia/Shanghai"}, rows)


@pytest.mark.parametrize(
    "entry",
    [
        "contains(dns_names, 'www.Example.com')", "list_contains(dns_names, 'www.Example.com')",
        "list_has_all(dns_names, ['www.Example.com'])", "list_has_any(dns_names, ['x.org', 'WWW.example.com'])",
    ],
)  # fmt: skip
def test_names_of_hosts_have_no_case_in_any_function(entry: str) -> None:
    rows = [certificate(1, dns_names=["Www.example.COM"])]
    assert outcome({"none": entry}, rows) is Outcome.REFUTED
    assert outcome({"none": entry.replace("xample", "xample-")}, rows) is Outcome.VERIFIED


def test_a_query_names_no_event_that_had_not_come() -> None:
    claim = {"sql": "SELECT max(not_before) FROM certificates", "returns": "2016-01-04"}
    assert outcome({**claim, "made": "2016-01-04"}, [certificate(1)]) is Outcome.VERIFIED
    assert outcome({**claim, "made": "2016-01-03"}, [certificate(1)]) is Outcome.REFUTED
    end = {"sql": "SELECT max(not_after) FROM certificates", "returns": "2017-01-04", "made": "2016-01-03"}
    assert outcome(end, [certificate(1)]) is Outcome.VERIFIED


@pytest.mark.parametrize("idle", ["313 = 313", "true", "NOT (1 = 2)", "(2 IN (1, 2))"])
@pytest.mark.parametrize("joined", ["key_bits = 2048 AND {}", "{} OR key_bits = 1024"])
def test_a_part_that_names_no_column_says_nothing(idle: str, joined: str) -> None:
    """Its numbers would pass for ones that the claim states, and "or true" for a condition."""
    with pytest.raises(InputError, match="names no column"):
        every(joined.format(idle))
    assert every(joined.format("version = 3")) == "verified"


@pytest.mark.parametrize(
    "call",
    ["strpos(issuer_cn, 'x')", "list_sort(dns_names)", "list_distinct(dns_names)", "quantile_cont(key_bits, 0.5)"],
)
def test_a_function_that_the_parser_calls_otherwise_is_allowed_under_its_name(call: str) -> None:
    query = query_expression(f"SELECT {call} FROM certificates", ["certificates"], "UTC")
    assert query.sql(dialect="duckdb").lower().startswith(f"select {call.partition('(')[0]}(")


def test_an_outer_join_passes_nothing_over() -> None:
    """A certificate without any SCT has none that is valid."""
    joined = "SELECT count(*) FROM certificates c LEFT JOIN scts s ON s.certificate = c.sha256 WHERE {}"
    rows = {"certificates": [certificate(1), certificate(2)], "scts": [sct(1)]}
    for silent in ("s.signature <> 'valid'", "NOT signature = 'valid'"):
        with pytest.raises(InputError, match="passed over"):
            outcome({"sql": joined.format(silent), "returns": "0"}, **rows)
    told = joined.format("coalesce(s.signature, 'none') <> 'valid'")
    assert outcome({"sql": told, "returns": "1"}, **rows) is Outcome.VERIFIED
    assert outcome({"sql": told, "returns": "0"}, **rows) is Outcome.REFUTED
    inner = joined.replace("LEFT JOIN", "JOIN").format("s.signature <> 'valid'")
    assert outcome({"sql": inner, "returns": "0"}, **rows) is Outcome.VERIFIED
    right = "SELECT count(*) FROM scts s RIGHT JOIN certificates c ON s.certificate = c.sha256 WHERE s.signature = 'invalid'"
    with pytest.raises(InputError, match=r"s\.signature is missing"):
        outcome({"sql": right, "returns": "0"}, **rows)


@pytest.mark.parametrize(
    "text",
    [
        "key_bits = NULL", "key_bits <> null", "key_bits > NULL or key_bits = 5", "key_bits in (1024, NULL)",
        "key_bits not in (1, (NULL))", "key_bits between NULL and 5", "not key_bits = NULL",
    ],
)  # fmt: skip
def test_nothing_is_compared_with_null(text: str) -> None:
    """It is neither true nor false of any row, so "none" and "count: 0" would hold of whatever there is."""
    with pytest.raises(InputError, match="neither true nor false"):
        outcome({"where": text, "count": "0"}, [certificate(1)])
    with pytest.raises(InputError, match="neither true nor false"):
        outcome({"sql": f"SELECT count(*) FROM certificates WHERE {text}", "returns": "0"}, [certificate(1)])


def test_a_missing_value_can_be_asked_for() -> None:
    rows = [certificate(1, path_length=None), certificate(2, path_length=0)]
    assert outcome({"where": "path_length is null", "count": "1"}, rows) is Outcome.VERIFIED
    assert outcome({"where": "path_length is not null", "count": "2"}, rows) is Outcome.REFUTED
    assert outcome({"where": "coalesce(path_length, 9) = 9", "count": "1"}, rows) is Outcome.VERIFIED


def test_null_itself_leaves_it_open_when_an_expression_is_null() -> None:
    column, null = exp.column("key_bits"), exp.Null()
    assert null_only_with(exp.EQ(this=column.copy(), expression=null.copy())) is None
    assert null_only_with(exp.Is(this=column.copy(), expression=null.copy())) == frozenset({"key_bits"})
