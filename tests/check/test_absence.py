"""Nothing is verified by absence: every assertion over evidence that is not there, or cannot be read."""

from collections.abc import Mapping
from typing import Any

import pytest

from affidavit.check.assertions import ASSERTIONS, BY_KEY
from affidavit.types import Outcome
from tests.check.case import Row, certificate, digest, lint, problem, revocation, run, verdict

COMPLETE = {"scope": "all", "from": "2015-01-01", "until": "2016-12-31", "basis": "an export", "by": "Example"}
TOP = {"evidence": {n: {"files": f"{n}/*.pem", "complete": COMPLETE} for n in ("a", "b", "c")}}
PARTS: dict[str, dict[str, Any]] = {
    "x": {"over": "a", "where": {"key_bits": "2048"}, "count": "1"},
    "y": {"over": "b", "count": "1"},
}

#: For each assertion statements that are true of `GOOD`, so that only what is missing can change the verdict.
TRUE: dict[str, list[dict[str, Any]]] = {
    "count": [{"count": "2"}, {"count": {"at_most": "2"}}],
    "share": [
        {"share": "100 %", "where": {"signature_hash": "sha1"}},
        {"share": {"at_least": "50 %"}, "where": {"signature_hash": "sha1"}},
    ],
    "distinct": [{"distinct": {"signature_hash": "1"}}, {"distinct": {"signature_hash": {"at_most": "1"}}}],
    "same": [{"same": "signature_hash"}, {"same": ["dns_names", "signature_hash"]}],
    "every": [
        {"every": {"signature_hash": "sha1"}},
        {"every": {"signature_hash": {"not": "md5"}}},
        {"every": "signature_hash <> 'md5'"},
        {"every": "CASE WHEN signature_hash = 'md5' THEN false ELSE true END"},
        {"every": "concat('x', signature_hash) <> 'xmd5'"},
        {"every": "NOT signature_hash IN ('md5', 'md2')"},
        {"every": {"signature_hash": {"like": "%"}}},
    ],
    "none": [
        {"none": {"signature_hash": "md5"}},
        {"none": {"signature_hash": {"not": "sha1"}}},
        {"none": "signature_hash <> 'sha1'"},
        {"none": "if(signature_hash = 'sha1', false, true)"},
        {"none": "greatest(signature_hash, 'md5') = 'md5'"},
    ],
    "some": [{"some": {"signature_hash": "sha1"}}],
    "earliest": [{"earliest": {"not_before": "2016-01-04"}}],
    "latest": [{"latest": {"not_before": {"until": "2016-01-04"}}}],
    "between": [{"between": {"not_before": {"from": "2016-01-01", "until": "2016-06-28"}}}],
    "total": [{"total": ["x", "y"]}, {"total": ["x", "y"], "count": {"at_most": "4"}}],
    "only": [
        {"only": {"from": "2016-01-01", "until": "2016-06-28"}, "every": {"signature_hash": "sha1"}},
    ],
    "identical_except": [
        {"identical_except": {"fields": ["serial", "public_key"]}},
        {"identical_except": {"fields": ["serial", "public_key"], "by": "signature_hash"}},
    ],
    "pairs": [
        {"pairs": {"with": "b", "by": "signature_hash"}},
        {"pairs": {"with": "b", "by": "issuer", "every": {"signature_hash": "sha1"}}},
        {"pairs": {"with": "b", "by": "issuer", "where": {"signature_hash": "sha1"}, "count": "2"}},
    ],
    "revoked": [{"revoked": "true"}, {"revoked": {"at": "2016-09-01", "reason": "keyCompromise"}}],
    "gap": [{"gap": {"from": "not_before", "to": "earliest_sct", "at_most": "1 day"}}],
    "violates": [
        {"violates": {"rule": "e_a_rule"}},
        {"violates": {"rule": "e_a_rule", "count": "2"}},
        {"violates": {"rule": "e_b_rule", "count": "0"}},
        {"violates": {"rule": "e_b_rule", "count": {"at_most": "2"}}},
    ],
    "sql": [{"sql": "SELECT count(*) FROM certificates WHERE signature_hash = 'sha1'", "returns": "2"}],
}
GOOD = [certificate(n, collection=c) for c, n in (("a", 1), ("a", 2), ("b", 3), ("b", 4))]
ENTRIES = [revocation(n) for n in (1, 2)]
LINTS = [one for n in (1, 2) for one in (lint(n), lint(n, code="e_b_rule", result="pass"))]
CASES = [
    pytest.param(key, stated, id=f"{key}-{number}")
    for key, statements in TRUE.items()
    for number, stated in enumerate(statements)
]
#: The column that each assertion compares, where it is another than the hash.
COMPARED = {
    "earliest": "not_before", "latest": "not_before", "between": "not_before", "gap": "earliest_sct",
    "violates": "sha256",
}  # fmt: skip


def claim(stated: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {**({} if "total" in stated else {"over": "a"}), **stated, **more}


_runs: dict[str, Any] = {}


def judged(name: str, key: str, stated: Mapping[str, Any], rows: list[Row], parts: Any = None, **more: Any) -> Any:
    """The verdict on a statement in some situation; all statements are checked in one run for each situation.

    ``keys``: the assertions that are asked about in this situation, if not all.
    """
    whole = more.pop("whole", {})
    keys = more.pop("keys", TRUE)
    more.setdefault("revocations", ENTRIES)
    more.setdefault("lints", LINTS)
    if name not in _runs:
        claims = {
            f"{k}-{n}".replace("_", "-"): claim(one, **({} if k == "total" else whole))
            for k, statements in TRUE.items()
            if k in keys
            for n, one in enumerate(statements)
        }
        _runs[name] = run(claims | (parts or PARTS), rows, top=TOP, **more)
    number = next(n for n, one in enumerate(TRUE[key]) if one == stated)
    return _runs[name].verdicts[f"{key}-{number}".replace("_", "-")]


def changed(**odd: Any) -> list[Row]:
    return [row | odd for row in GOOD]


def test_every_assertion_has_a_case() -> None:
    assert set(TRUE) == set(BY_KEY) == {assertion.key for assertion in ASSERTIONS}


@pytest.mark.parametrize(("key", "stated"), CASES)
def test_the_statement_is_true_of_the_whole_evidence(key: str, stated: Mapping[str, Any]) -> None:
    found = judged("whole", key, stated, GOOD)
    assert found.outcome is Outcome.VERIFIED, found.findings


@pytest.mark.parametrize(("key", "stated"), CASES)
def test_no_row_at_all(key: str, stated: Mapping[str, Any]) -> None:
    found = judged("none", key, stated, [])
    assert (found.outcome, found.code) == (Outcome.UNPROVEN, "no-evidence")


@pytest.mark.parametrize(("key", "stated"), CASES)
def test_only_rows_that_are_not_authentic(key: str, stated: Mapping[str, Any]) -> None:
    found = judged("forged", key, stated, changed(authentic=False))
    assert (found.outcome, found.code) == (Outcome.UNPROVEN, "not-authentic")
    assert found.counts.not_authentic >= 2
    assert judged("unknown", key, stated, changed(authentic=None)).outcome is Outcome.UNPROVEN


@pytest.mark.parametrize(("key", "stated"), CASES)
def test_only_rows_of_the_other_kind(key: str, stated: Mapping[str, Any]) -> None:
    found = judged("kind", key, stated, changed(kind="precertificate"))
    assert (found.outcome, found.code) == (Outcome.UNPROVEN, "other-kind")


@pytest.mark.parametrize(("key", "stated"), CASES)
def test_a_kind_that_could_not_be_read(key: str, stated: Mapping[str, Any]) -> None:
    rows = [*GOOD, certificate(9, kind=None), certificate(10, kind=None, collection="b")]
    found = judged("no kind", key, stated, rows)
    assert (found.outcome, found.code) == (Outcome.UNPROVEN, "undecided-rows")


@pytest.mark.parametrize(("key", "stated"), CASES)
def test_an_item_that_cannot_be_read(key: str, stated: Mapping[str, Any]) -> None:
    found = judged("unreadable", key, stated, GOOD, problems=[problem()])
    assert (found.outcome, found.code) == (Outcome.UNPROVEN, "unreadable-evidence")
    assert found.counts.unreadable == 1


@pytest.mark.parametrize(("key", "stated"), CASES)
def test_an_excused_item_is_counted(key: str, stated: Mapping[str, Any]) -> None:
    found = judged("excused", key, stated, GOOD, problems=[problem(excused="known to be broken")])
    assert (found.counts.unreadable, found.counts.excused) == (0, 1)
    # That nothing else exists cannot be said beside an item that nobody can read.
    assert found.outcome is (Outcome.UNPROVEN if key == "only" else Outcome.VERIFIED)


@pytest.mark.parametrize(("key", "stated"), CASES)
def test_where_leaves_no_row(key: str, stated: Mapping[str, Any]) -> None:
    where = {"where": {"key_bits": "1024"}}
    parts = {name: {**part, **where} for name, part in PARTS.items()}
    found = judged("where", key, stated, GOOD, parts, whole=where)
    if stated == {"count": {"at_most": "2"}}:
        # "At most two" is true of none, where rows were looked at.
        assert found.outcome is Outcome.VERIFIED
        assert found.counts.considered == 2
    else:
        assert found.outcome is not Outcome.VERIFIED


@pytest.mark.parametrize(("key", "stated"), CASES)
@pytest.mark.parametrize("which", [(0,), (0, 1, 2, 3)], ids=["one row", "all rows"])
def test_the_value_compared_is_missing(key: str, stated: Mapping[str, Any], which: tuple[int, ...]) -> None:
    if key == "count":
        pytest.skip("a count compares no value")
    if key == "only":
        key, stated = "every", TRUE["every"][0]
    column = COMPARED.get(key, "key_bits" if key == "total" else "signature_hash")
    missing: dict[str, Any] = {column: None} | ({"key_bits": None} if key == "total" else {})
    # Of pairs it is the partners whose values are compared with what is stated.
    both = (2, 3) if key == "pairs" else (0, 1)
    here: tuple[int, ...] = both[:1] if len(which) == 1 else (0, 1, 2, 3) if key == "pairs" else both
    if key == "identical_except":
        missing = {"signature_algorithm": None, "signature_hash": None}
    rows = [row | (missing if index in here else {}) for index, row in enumerate(GOOD)]
    entries = [
        entry | ({"revoked_at": None, "reason": None} if index in which else {}) for index, entry in enumerate(ENTRIES)
    ]
    # What looks at other columns or rows than most is asked about by itself.
    special = {*COMPARED, "total", "pairs", "identical_except"}
    alone = key in special
    name = f"null {key if alone else sorted(missing)} {here} {len(which)}"
    keys = {key} if alone else TRUE.keys() - special
    found = judged(name, key, stated, rows, revocations=entries, keys=keys)
    if key == "some" and len(which) == 1:
        assert found.outcome is Outcome.VERIFIED  # the other row does
    elif key == "sql":
        assert found.outcome is not Outcome.VERIFIED
    else:
        assert found.outcome is Outcome.UNPROVEN, found.findings


@pytest.mark.parametrize(("key", "stated"), CASES)
def test_where_is_open_for_some_row(key: str, stated: Mapping[str, Any]) -> None:
    rows = [*GOOD, certificate(9, key_bits=None)]
    found = judged("open", key, stated, rows, whole={"where": {"key_bits": "2048"}})
    assert (found.outcome, found.code) == (Outcome.UNPROVEN, "undecided-rows")
    assert found.counts.undecided == 1


@pytest.mark.parametrize(("key", "stated"), CASES)
def test_one_of_two_collections_is_empty_or_forged(key: str, stated: Mapping[str, Any]) -> None:
    whole = {"over": ["a", "c"]}
    empty = [row | {"collection": "a"} for row in GOOD] if key == "total" else GOOD
    keys = {"total"} if key == "total" else TRUE.keys() - {"total"}
    found = judged(f"empty {key == 'total'}", key, stated, empty, whole=whole, keys=keys)
    assert found.outcome is Outcome.UNPROVEN
    forged = [certificate(8, collection="b", authentic=False), certificate(9, collection="c", authentic=False)]
    found = judged(f"half forged {key == 'total'}", key, stated, empty + forged, whole=whole, keys=keys)
    assert found.outcome is Outcome.UNPROVEN


@pytest.mark.parametrize("stated", [{"count": "0"}, {"none": {"signature_hash": "sha1"}}])
def test_no_such_row_needs_rows_that_were_looked_at(stated: Mapping[str, Any]) -> None:
    where = {"where": {"signature_hash": "sha256"}} if "count" in stated else {}
    for rows in ([], [certificate(authentic=False)], [certificate(kind="precertificate")]):
        assert verdict({**stated, **where}, rows).outcome is Outcome.UNPROVEN
    looked_at = [certificate(signature_hash="sha1" if where else "sha256")]
    found = verdict({**stated, **where}, looked_at)
    assert found.outcome is Outcome.VERIFIED
    assert found.counts.considered == 1
    assert verdict({**stated, **where}, looked_at, problems=[problem()]).outcome is Outcome.UNPROVEN


@pytest.mark.parametrize(
    "stated",
    [
        {"every": {"path_length": "absent"}},
        {"none": {"path_length": "present"}},
        {"every": "path_length IS NULL"},
        {"every": "coalesce(path_length, 7) = 7"},
        {"every": "path_length IS DISTINCT FROM 1"},
        {"count": "1", "where": {"path_length": "absent"}},
        {"count": "0", "where": "path_length IS NOT NULL"},
        {"sql": "SELECT count(*) FROM certificates WHERE path_length IS NULL", "returns": "1"},
        {"sql": "SELECT count(path_length) FROM certificates", "returns": "0"},
    ],
)
def test_a_part_that_could_not_be_read_is_no_absent_one(stated: Mapping[str, Any]) -> None:
    row = certificate(is_ca=None, path_length=None)
    assert verdict(stated, [row]).outcome is Outcome.VERIFIED
    half = problem(row["file"], "is_ca", certificate=digest(1))
    assert verdict(stated, [row], problems=[half]).outcome is Outcome.UNPROVEN
    # An excuse explains why the file stands there; it tells nothing about the value.
    excused = problem(row["file"], "is_ca", certificate=digest(1), excused="on purpose")
    assert verdict(stated, [row], problems=[excused]).outcome is Outcome.UNPROVEN
    # Of another certificate the fault says nothing.
    other = problem("other.pem", "is_ca", certificate=digest(5))
    assert verdict(stated, [row], problems=[other]).outcome is Outcome.VERIFIED


def test_half_read_certificates_count_for_what_was_read() -> None:
    half = problem("1.pem", "is_ca", certificate=digest(1))
    rows = [certificate(is_ca=None, path_length=None)]
    assert verdict("{count: 1, every: {signature_hash: sha1}}", rows, problems=[half]).outcome is Outcome.VERIFIED
    assert verdict("every: {is_ca: false}", rows, problems=[half]).outcome is Outcome.UNPROVEN
    assert verdict("every: {signature_hash: md5}", rows, problems=[half]).outcome is Outcome.REFUTED
