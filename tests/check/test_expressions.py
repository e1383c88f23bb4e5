# ruff: noqa: E501 (tables of cases)
"""Expressions: literals typed by their column, and nothing dangerous let through."""

import time
from functools import cache
from pathlib import Path

import pytest

from affidavit.check.base import statement
from affidavit.check.conditions import ValueProblem
from affidavit.check.expressions import query_expression
from affidavit.tables import CERTIFICATES, TABLES
from affidavit.types import InputError, Outcome
from tests.check.case import Row, at, certificate, outcome, revocation, run, sct, serial_of

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
        ("certificates.serial = '1'", "UTC", "alone"),
    ],
)
def test_what_would_compare_otherwise_than_it_reads_is_an_error(expression: str, zone: str, words: str) -> None:
    with pytest.raises(ValueProblem) as caught:
        statement(expression, CERTIFICATES, zone)
    assert words in f"{caught.value} {caught.value.hint}"


DEEP = 3000
WHERE = [
    # files and network
    "read_csv('/etc/passwd') IS NULL", "subject IN (SELECT column0 FROM read_csv('/etc/passwd'))",
    "EXISTS (SELECT * FROM '/etc/passwd')", "EXISTS (SELECT * FROM read_text('/etc/passwd'))",
    "subject = (SELECT content FROM read_text('/etc/passwd'))", "subject IN (SELECT * FROM glob('*'))",
    "read_blob('/etc/passwd') = subject", "http_get('http://127.0.0.1') = subject", "parquet_scan('x') = subject",
    "subject IN (FROM 'x.csv')", "json_execute_serialized_sql('x') = subject", "load_extension('x')",
    "sniff_csv('/etc/passwd') = subject", "write_log(subject) IS NULL", "read_ndjson(subject) = 1",
    # surroundings and settings
    "getenv('HOME') <> subject", "current_setting('threads') = '1'", "current_user = subject", "user() = subject",
    "session_user = subject", "current_database() = subject", "current_schema() = subject", "version() = subject",
    "current_query() = subject", "pg_backend_pid() = key_bits", "txid_current() > key_bits", "getvariable('x') = 1",
    "in_search_path('a', 'b') OR is_ca", "duckdb_settings() = subject", "pg_typeof(subject) = 'x'",
    # the clock and chance
    "not_before < now()", "not_before < current_timestamp", "not_before < today()", "not_before < current_date",
    "not_before < get_current_timestamp()", "random() > key_bits", "uuid() = subject", "gen_random_uuid() = subject",
    "setseed(0.5) IS NULL", "not_before < localtimestamp", "not_before > ago(INTERVAL 1 DAY)", "age(not_before) = x",
    # statements
    "is_ca; DROP TABLE certificates", "DROP TABLE certificates", "is_ca; COPY certificates TO 'x.csv'",
    "COPY certificates TO 'x'", "ATTACH 'x.db'", "INSTALL httpfs", "LOAD httpfs", "SET threads = 8", "RESET threads",
    "PRAGMA database_list", "CALL pragma_version()", "EXPORT DATABASE 'x'", "IMPORT DATABASE 'x'", "CHECKPOINT",
    "CREATE TABLE x AS SELECT 1", "INSERT INTO certificates VALUES (1)", "DELETE FROM certificates", "VACUUM",
    "UPDATE certificates SET is_ca = true", "CREATE MACRO f(x) AS x", "USE memory", "BEGIN", "EXPLAIN SELECT 1",
    "DESCRIBE certificates", "SUMMARIZE certificates", "SHOW TABLES", "SELECT 1", "EXECUTE x", "PREPARE x AS SELECT 1",
    # comments, placeholders, quoting
    "is_ca /* */; DELETE FROM certificates --", "is_ca = ?", "is_ca = $1", "is_ca = $name", "is_ca = :name",
    '"read_csv"(\'x\') = subject', '"getenv"(\'HOME\') = subject', "main.getenv('HOME') = subject",
    "system.main.getenv('HOME') = subject", "subject.getenv()", "'HOME'.getenv() = subject", "@x = is_ca", "is_ca --\n;;1",
    "$$a$$ = getenv($$b$$)", "E'\\x41' = getenv('A')", "\x00is_ca", "is_ca\x00", "'", "\"", "is_ca /* open", "((((",
    # unicode tricks
    "ｒｅａｄ＿ｃｓｖ('x') = subject", "reаd_csv('x') = subject", "getenv\u200b('HOME') = subject",  # noqa: RUF001
    "get\u00adenv('HOME') = subject", "\u202egetenv('HOME') = subject", "is_сa", "ıs_ca", "is_ca\uff1bDROP TABLE x",  # noqa: RUF001
    # bombs
    "repeat(subject, 1000000000) = subject", "lpad(subject, 2000000000, 'x') = subject", "rpad(subject, 2000000000, 'x') = ''",
    "len(range(10000000000)) > key_bits", "len(generate_series(1, 10000000000)) > key_bits",
    "replace(replace(replace(subject, 'e', 'eeeeeeeeeeeeeeeeee'), 'e', 'eeeeeeeeeeee'), 'e', 'eeeeeeeee') = ''",
    "(" * DEEP + "is_ca" + ")" * DEEP, "NOT " * 1900 + "is_ca", "-" * 1500 + "key_bits = 1", "- " * 1900 + "key_bits = 1",
    "[" * 500 + "1" + "]" * 500 + " = dns_names", "is_ca" + " AND is_ca" * 5000, "CASE WHEN is_ca THEN " * 300 + "1" + " END" * 300,
    "key_bits" + " + 1" * 900 + " = 1", "subject" + " || subject" * 900 + " = ''", "subject IN (" + "'x'," * 4000 + "'x')",
    # lambdas, structs, maps, JSON, brackets, windows, subqueries, types
    "list_transform(dns_names, x -> getenv(x)) = []", "list_filter(dns_names, lambda x: true) = []", "{'a': 1}.a = key_bits",
    "MAP {'a': 1} IS NULL", "struct_pack(a := 1) IS NULL", "json('{}') IS NULL", "json_extract(subject, '$') = 1",
    "subject -> '$.a' = 1", "subject ->> '$.a' = 'x'", "dns_names[1] = 'x'", "row_number() OVER () = 1", "sum(key_bits) OVER () > 1",
    "count(*) > 1", "key_bits = (SELECT 1)", "key_bits IN (SELECT 1)", "EXISTS (SELECT 1)", "key_bits = ANY (SELECT 1)",
    "COLUMNS(*) = 1", "* = 1", "key_bits::HUGEINT = 1", "CAST(subject AS BLOB) = ''", "CAST(subject AS JSON) IS NULL",
    "CAST(key_bits AS VARCHAR[]) = []", "subject::regclass IS NULL", "not_before AT TIME ZONE 'UTC' = not_before",
    "regexp_replace(subject, '(.*)', repeat('x', 99)) = ''", "regexp_extract_all(subject, '.') = []", "subject SIMILAR TO 'x'",
    "subject COLLATE NOCASE = 'x'", "error('x') IS NULL", "sleep_ms(10000) IS NULL", "unnest(dns_names) = 'x'",
    "nextval('s') = 1", "query('SELECT 1') = 1", "query_table('x') = 1", "format('{:>1000000000}', subject) = ''",
    "printf('%1000000000s', subject) = ''", "bar(1, 0, 1, 1000000000) = subject", "list_resize(dns_names, 1000000000) = []",
    "string_agg(subject) = ''", "subject GLOB '/etc/*'", "is_ca ORDER BY 1", "is_ca LIMIT 1", "is_ca UNION SELECT 1",
]  # fmt: skip
SQL = [
    "SELECT count(*) FROM read_csv('/etc/passwd')", "SELECT count(*) FROM '/etc/passwd'", "FROM '/etc/passwd'",
    "SELECT content FROM read_text('/etc/passwd')", "SELECT count(*) FROM glob('/*')", "SELECT count(*) FROM duckdb_settings()",
    "SELECT count(*) FROM certificates, duckdb_settings()", "SELECT count(*) FROM certificates, '/etc/passwd'",
    "SELECT count(*) FROM information_schema.tables", "SELECT count(*) FROM pg_catalog.pg_class",
    "SELECT count(*) FROM certificates, information_schema.columns", "SELECT count(*) FROM sqlite_master",
    "SELECT count(*) FROM certificates, duckdb_tables", "SELECT count(*) FROM main.certificates",
    "SELECT count(*) FROM memory.main.certificates", "SELECT count(*) FROM certificates, pragma_database_list",
    # a name of one's own that outlives its WITH would let a catalog view in
    "SELECT count(*) FROM certificates, (WITH duckdb_tables AS (SELECT 1) SELECT * FROM duckdb_tables) x, duckdb_tables",
    "WITH a AS (SELECT * FROM duckdb_tables), duckdb_tables AS (SELECT 1) SELECT count(*) FROM a, certificates",
    "WITH x AS (SELECT * FROM x) SELECT count(*) FROM x, certificates",
    "WITH \"/etc/passwd\" AS (SELECT * FROM \"/etc/passwd\") SELECT count(*) FROM \"/etc/passwd\", certificates",
    "WITH certificates AS (SELECT 1 AS x) SELECT count(*) FROM certificates",
    "WITH Certificates AS (SELECT 1 AS x) SELECT count(*) FROM certificates",
    "SELECT count(*) FROM scope", "SELECT count(*) FROM generate_series(1, 10), certificates", "SELECT count(*) FROM range(10)",
    "SELECT count(*) FROM certificates, unnest([1, 2])", "SELECT count(*) FROM (VALUES (1), (2))",
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r, certificates",
    "WITH RECURSIVE r AS (SELECT serial FROM certificates UNION SELECT serial || 'x' FROM r) SELECT count(*) FROM r",
    "SELECT count(*) FROM certificates WHERE not_before < now()", "SELECT any_value(subject) FROM certificates",
    "SELECT subject FROM certificates LIMIT 1", "SELECT subject FROM certificates ORDER BY random() LIMIT 1",
    "SELECT getenv('HOME') FROM certificates", "SELECT current_setting('threads') FROM certificates", "SELECT 42",
    "SELECT 42 FROM certificates LIMIT 1", "SELECT max(42) FROM certificates", "SELECT max(serial) OVER () FROM certificates",
    "SELECT list(subject) FROM certificates", "SELECT string_agg(subject, '') FROM certificates",
    "SELECT count(*) FROM certificates TABLESAMPLE 10%", "SELECT count(*) FROM certificates USING SAMPLE 1",
    "PIVOT certificates ON kind", "UNPIVOT certificates ON kind", "SELECT count(*) FROM certificates QUALIFY row_number() OVER () = 1",
    "COPY (SELECT 1) TO 'x'", "SELECT 1; SELECT 2", "SELECT count(*) INTO x FROM certificates", "TABLE certificates",
    "SELECT count(*) FROM certificates; DROP TABLE certificates", "CREATE TABLE x AS SELECT * FROM certificates",
    "SELECT count(*) FROM query('SELECT 1')", "SELECT count(*) FROM query_table('certificates')", "SELECT ? FROM certificates",
    "SELECT count(*) FROM certificates AS OF x", "SELECT * REPLACE (getenv(serial) AS serial) FROM certificates", "SELECT COLUMNS('s.*') FROM certificates",
    "SELECT struct_pack(a := serial) FROM certificates", "SELECT {'a': serial} FROM certificates", "SHOW ALL TABLES",
    "SELECT lpad(subject, 2000000000, 'x') FROM certificates", "SELECT repeat('x', 1000000000) FROM certificates",
    "SELECT count(*) FROM LATERAL (SELECT 1), certificates", "SELECT count(*) FROM certificates, pg_tables",
    "SELECT approx_count_distinct(serial) FROM certificates", "SELECT histogram(serial) FROM certificates",
    "SELECT min(read_text('/etc/passwd')) FROM certificates", "SELECT count(*) FROM certificates WHERE subject = getenv('A')",
    "SELECT count(*) FROM certificates JOIN 'x.parquet' ON true", "SELECT count(*) FROM 'https://127.0.0.1/x.csv', certificates",
    "SELECT count(*) FROM s3://bucket/x", "DESCRIBE SELECT 1", "SUMMARIZE certificates", "SELECT count(*) FROM test_all_types()",
]  # fmt: skip


def test_there_are_enough_of_them() -> None:
    assert len(set(WHERE)) + len(set(SQL)) >= 200


@pytest.mark.parametrize("expression", WHERE, ids=range(len(WHERE)))
def test_a_hostile_condition_is_an_error(expression: str) -> None:
    began = time.monotonic()
    with pytest.raises(ValueProblem) as caught:
        statement(expression, CERTIFICATES, "UTC")
    assert str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 400
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("query", SQL, ids=range(len(SQL)))
def test_a_hostile_query_is_an_error(query: str) -> None:
    began = time.monotonic()
    with pytest.raises(ValueProblem) as caught:
        query_expression(query, TABLES, "UTC")
    assert str(caught.value)
    assert len(str(caught.value)) < 400
    assert time.monotonic() - began < 5


@cache
def many() -> tuple[Row, ...]:
    return tuple(certificate(n) for n in range(300))


DOUBLED = ", ".join(f"t{n} AS (SELECT s || s AS s FROM t{n - 1})" for n in range(1, 40))
LIMITED = [
    "SELECT count(*) FROM certificates a, certificates b, certificates c, certificates d, certificates e",
    "SELECT count(*) FROM certificates a JOIN certificates b ON a.serial <> b.serial "
    "JOIN certificates c ON b.serial <> c.serial JOIN certificates d ON c.subject || d.serial <> d.subject",
    f"WITH t0 AS (SELECT subject AS s FROM certificates), {DOUBLED} SELECT max(s) FROM t39",
    "SELECT count(*) FROM certificates a, certificates b, certificates c WHERE regexp_matches(a.subject || b.subject, "
    "'(((((((((x?){9})?){9})?){9})?){9})?)' || c.subject)",
]


@pytest.mark.parametrize("query", LIMITED, ids=["cross join", "unequal joins", "doubling", "regex"])
def test_a_query_without_end_is_stopped(query: str) -> None:
    began = time.monotonic()
    try:
        found = run({"one": {"over": "a", "sql": query, "returns": "1"}}, many()).verdicts["one"]
        assert found.outcome is Outcome.UNPROVEN
        assert found.code in ("limit-reached", "check-failed")
    except InputError as error:
        assert [d.claim for d in error.diagnostics] == ["one"]  # noqa: PT017 - either end is right
    assert time.monotonic() - began < 5


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
