# ruff: noqa: E501 (tables of cases)
"""Each assertion: verified where it is so, refuted by a near miss, and the miss explained."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import yaml

from affidavit.check.assertions import ASSERTIONS, BY_KEY
from affidavit.check.compile import compile_claims
from affidavit.types import InputError, Outcome
from tests.check.case import (
    Row,
    at,
    certificate,
    crl,
    digest,
    head,
    hints,
    lint,
    outcome,
    report_of,
    revocation,
    run,
    serial_of,
    verdict,
)

# Two certificates of 2015-12-19 17:00 UTC, which is 2015-12-20 01:00 in Shanghai.
DAY = at("2015-12-19 17:00")
ROWS = [certificate(n, not_before=DAY, earliest_sct=at("2016-01-04 17:00")) for n in (1, 2)]
PARTNERS = [
    certificate(n + 10, collection="b", spki_sha256=digest(f"key {n}"), signature_hash="sha256") for n in (1, 2)
]
ENTRIES = [revocation(1), revocation(2, revoked_at=at("2016-09-01 17:00"))]
LINTS = [lint(1), lint(2), lint(1, code="e_b_rule", result="pass"), lint(2, code="e_b_rule", result="not yet in force")]
PARTS = {"x": {"over": "a", "count": "2"}, "y": {"over": "b", "count": "2"}}
COMPLETE = {"scope": "all", "from": "2016-01-01", "until": "2016-06-28", "basis": "an export"}
TOP = {"evidence": {"a": {"files": "a", "complete": COMPLETE}, "b": {"files": "b"}, "c": {"files": "c"}}}
VERIFIED = [
    "count: 2", "count: {at_least: 2}", "count: {at_most: 2}", "distinct: {serial: 2, issuer: 1}", "same: not_before",
    "same: [issuer, dns_names]", "every: {not_before: 2015-12-19}", "every: {dns_names: [example.com, www.example.com]}",
    "every: {dns_names: {contains: EXAMPLE.com}}", "none: {not_before: 2015-12-20}", "none: {serial: 01}",
    "none: {key_bits: {at_most: 2047}}", f"some: {{serial: {serial_of(1).lstrip('0').lower()}}}", "some: {serial: {like: '5%1'}}",
    "earliest: {not_before: 2015-12-19}", "earliest: {not_before: 2015-12-19T17:00Z}", "latest: {not_before: {until: 2015-12-19}}",
    "latest: {key_bits: 2048}", "between: {not_before: {from: 2015-12-19, until: 2015-12-19}}",
    "between: {key_bits: {at_least: 2048, at_most: 2048}}", "{total: [x, y], count: 4}", "only: {from: 2016-01-01, until: 2016-06-28}",
    "{count: 2, only: {from: 2016-01-04, until: 2016-01-04}}", "only: {from: 2016-01-05, until: 2016-06-28}",
    "{timezone: Asia/Shanghai, count: 2, only: {from: 2016-01-05, until: 2016-06-28}}",
    "{where: {not_before: {from: 2016-01-05}}, count: 0, only: {from: 2016-01-05, until: 2016-06-28}}",
    "identical_except: {fields: [serial, public_key]}", "pairs: {with: b, by: spki_sha256}",
    "pairs: {with: b, by: [spki_sha256, dns_names], every: {signature_hash: sha256}, count: 2}", "revoked: true",
    "revoked: 2016-09-01", "revoked: {reason: keyCompromise, at: {from: 2016-09-01, until: 2016-09-01}}",
    "{where: {serial: " + repr(serial_of(1)) + "}, share: 50 %}", "{where: {serial: absent}, share: 0 %}",
    "share: {at_least: 99.5 %}",
    "gap: {from: not_before, to: earliest_sct, at_least: 16 days}", "gap: {from: not_before, to: earliest_sct, at_most: 16 days}",
    "violates: {rule: e_a_rule}", "violates: {rule: e_b_rule, count: 0}", "violates: {rule: e_a_rule, count: {at_least: 2}}",
    "{sql: SELECT count(*) FROM certificates, returns: 2}", "{sql: SELECT min(not_before) FROM certificates, returns: 2015-12-19}",
]  # fmt: skip
#: What is just missed, and words of the explanation.
MISSES = [
    ("count: 3", "1 fewer than stated"), ("count: 1", "1 more than stated"), ("count: {at_least: 3}", "1 fewer"),
    ("{where: {serial: " + repr(serial_of(1)) + "}, share: 51 %}", "1 percentage points less"),
    ("{where: {serial: " + repr(serial_of(1)) + "}, share: 100 %}", "over that of the others"),
    ("{where: {serial: " + repr(serial_of(1)) + "}, share: {at_least: 50.1 %}}", "less than stated"),
    ("count: {at_most: 1}", "1 more"), ("distinct: {serial: 1}", "serial: 1 more"), ("same: [issuer, serial]", "differs in serial"),
    ("{timezone: Asia/Shanghai, every: {not_before: 2015-12-19}}", "right in UTC, not in Asia/Shanghai"),
    ("every: {not_before: 2015-12-20}", "2 rows say otherwise"),
    (f"every: {{serial: {serial_of(1)}}}", "1 row says otherwise"),
    ("every: {dns_names: example.com}", "2 rows"), ("none: {not_before: 2015-12-19}", "2 rows do"),
    (f"some: {{serial: {'1' + serial_of(1)[1:]}}}", "no row does"),
    ("{timezone: Asia/Shanghai, some: {not_before: 2015-12-19}}", "right in UTC"),
    ("{timezone: Asia/Shanghai, earliest: {not_before: 2015-12-19}}", "right in UTC, not in Asia/Shanghai"),
    ("earliest: {not_before: 2015-12-20}", "7 h before"), ("latest: {not_before: 2015-12-19T16:59Z}", "after the time stated"),
    ("latest: {key_bits: 2047}", "2,048"), ("earliest: {not_before: 2015-12-19T17:00:01Z}", "1 s before"),
    ("{timezone: Asia/Shanghai, between: {not_before: {from: 2015-12-18, until: 2015-12-19}}}", "right in UTC"),
    ("between: {key_bits: {at_least: 2049, at_most: 4096}}", "2 rows"), ("{total: [x, y], count: 5}", "1 fewer"),
    ("{total: [x, z], count: 3}", "1 too many"), ("identical_except: {fields: serial}", "public_key"),
    ("pairs: {with: b, by: serial}", "2 rows have no partner"), ("pairs: {with: b, by: spki_sha256, count: 1}", "1 more"),
    ("pairs: {with: b, by: spki_sha256, every: {signature_hash: sha1}}", "2 partners say otherwise"),
    ("revoked: 2016-08-31", "2 of them are listed otherwise"), ("revoked: {at: 2016-09-01, reason: superseded}", "listed otherwise"),
    ("{timezone: Asia/Shanghai, revoked: {until: 2016-09-01}}", "1 of them is listed otherwise"),
    ("gap: {from: not_before, to: earliest_sct, at_least: 17 days}", "1 day less than stated"),
    ("gap: {from: not_before, to: earliest_sct, at_most: 15 days 23 hours}", "1 h more than stated"),
    ("violates: {rule: e_a_rule, count: 3}", "1 fewer"), ("violates: {rule: e_b_rule}", "1 pass, 1 not yet in force"),
    ("violates: {rule: e_a_rule, count: 0}", "2 more"),
    ("{sql: SELECT count(*) FROM certificates, returns: 3}", "returns 2"),
    ("{timezone: Asia/Shanghai, sql: SELECT min(not_before) FROM certificates, returns: 2015-12-19}", "returns 2015-12-19 17:00"),
]  # fmt: skip
#: What such evidence cannot tell, however it looks.
OPEN = [
    ("only: {from: 2016-01-01, until: 2016-06-29}", "nobody looked at 2016-06-29"),
    ("only: {from: 2015-12-31, until: 2016-06-29}", "2015-12-31, 2016-06-29"),
    ("{timezone: Asia/Shanghai, only: {from: 2016-01-01, until: 2016-06-28}}", "nobody looked at 2016-01-01"),
    ("{over: b, only: {from: 2016-01-01, until: 2016-06-28}}", "cannot show that no others exist"),
    ("{count: 2, only: {from: 2016-01-05, until: 2016-06-28}}", "2 rows counted have no not_before or earliest_sct"),
    ("{timezone: Asia/Shanghai, count: 2, only: {from: 2016-01-06, until: 2016-06-28}}", "in the window"),
    ("{share: 100 %, only: {from: 2016-01-05, until: 2016-06-28}}", "count those of it by `where`"),
    ("{where: {sct_count: 2}, over: b, revoked: true}", "not listed"),
    ("gap: {from: earliest_sct, to: not_before, at_most: 1 day}", "comes before"),
    (f"{{where: {{serial: '{serial_of(1)}'}}, same: issuer}}", "one row alone"),
    (f"{{where: {{serial: '{serial_of(1)}'}}, identical_except: {{fields: serial}}}}", "nothing to be compared with"),
]  # fmt: skip


def judged(claim: str, rows: Sequence[Row] = (*ROWS, *PARTNERS), **more: Any) -> Any:
    parts = PARTS | {"z": {"over": "a", "where": {"serial": serial_of(1)}, "count": "1"}}
    return verdict(claim, rows, others=parts, top=TOP, **({"revocations": ENTRIES, "lints": LINTS} | more))


def key_of(claim: str) -> set[str]:
    return set(yaml.safe_load(claim)) & set(BY_KEY)


@pytest.mark.parametrize("claim", VERIFIED)
def test_verified(claim: str) -> None:
    found = judged(claim)
    assert found.outcome is Outcome.VERIFIED, hints(found)
    assert all(finding.stated and finding.observed for finding in found.findings)


@pytest.mark.parametrize(("claim", "words"), MISSES)
def test_a_near_miss_is_refuted_and_explained(claim: str, words: str) -> None:
    found = judged(claim)
    assert found.outcome is Outcome.REFUTED
    assert words in hints(found)


@pytest.mark.parametrize(("claim", "words"), OPEN)
def test_what_the_evidence_cannot_tell(claim: str, words: str) -> None:
    found = judged(claim)
    assert found.outcome is Outcome.UNPROVEN
    assert words in hints(found)


@pytest.mark.parametrize("assertion", ASSERTIONS, ids=lambda a: a.key)
def test_each_has_its_cases_its_words_and_an_example(assertion: Any) -> None:
    assert any(assertion.key in key_of(claim) for claim in VERIFIED)
    # `only` is never refuted: what nobody declared complete is open.
    missed = [claim for claim, _ in (OPEN if assertion.key == "only" else MISSES)]
    assert any(assertion.key in key_of(claim) for claim in missed)
    assert len((assertion.__doc__ or "").split()) >= 5
    stated = yaml.safe_load(assertion.example)
    assert assertion.key in stated


@pytest.mark.parametrize("assertion", ASSERTIONS, ids=lambda a: a.key)
def test_each_example_compiles(assertion: Any) -> None:
    names = ("a", "b", "counterparts")
    example = "".join(f"    {line}\n" for line in assertion.example.splitlines())
    parts = [f"  {name}: {{says: So., over: a, count: 1}}\n" for name in ("same-serial", "same-serial-chinese")]
    over = "" if assertion.key == "total" else "    over: a\n"
    text = yaml.safe_dump(head(evidence={n: {"files": n} for n in names}), sort_keys=False)
    report = report_of(f"{text}claims:\n{''.join(parts)}  one:\n    says: So.\n{over}{example}")
    compiled = compile_claims(report)["one"]
    assert [check.key for check in compiled.checks] == [assertion.key]


def test_a_dropped_zero_is_noted_and_changes_nothing() -> None:
    found = verdict(f"every: {{serial: {serial_of(1).lstrip('0')}}}", [certificate(1)])
    assert found.outcome is Outcome.VERIFIED
    assert any("leading zero dropped" in note for note in found.notes)


@pytest.mark.parametrize("nibble", range(0, 32, 5))
def test_one_nibble_makes_another_serial_number(nibble: int) -> None:
    text = serial_of(1)
    other = text[:nibble] + ("A" if text[nibble] != "A" else "B") + text[nibble + 1 :]
    assert verdict(f"every: {{serial: '{other}'}}", [certificate(1)]).outcome is Outcome.REFUTED


def _nothing(value: Any) -> Any:
    """Empty text as no value at all, which is what it is in the file."""
    if isinstance(value, dict):
        return {key: _nothing(one) for key, one in value.items()}
    return None if value == "" else value


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        ("every: {not_before: Sunday 2015-12-19}", "is a Saturday"),
        ("only: {from: Monday 2016-01-01, until: 2016-06-28}", "is a Friday"),
        ("{made: Monday 2016-01-01, count: 1}", "is a Friday"),
        ("none: {signature_hash: SHA-1}", "never 'SHA-1'"),
        ("none: {signature_hash: {not: SHA1}}", "never 'SHA1'"),
        ("count: {at_least: 5, at_most: 3}", "more than at_most"),
        ("none: {key_bits: {at_least: 4096, at_most: 1024}}", "nothing lies in this range"),
        ("none: {not_before: {from: 2016-02-01, until: 2016-01-31}}", "nothing lies in this range"),
        ("none: {not_before: {after: 2016-01-31, before: 2016-02-01}}", "nothing lies in this range"),
        ("none: {subject: {like: [a, b]}}", "one pattern"),
        ("none: {dns_names: {contains: [a, b]}}", "one value is wanted"),
        ("none: {serial: {like: 'xyz%'}}", "no hex digit"),
        ("every:", "has no value"),
        ("{count: 1, where: }", "has no value"),
        ("{over: [], count: 1}", "names no collection"),
        ("{total: [x, y], kind: any, count: 4}", "no `kind` here"),
        ("identical_except: {fields: [version, serial, signature_algorithm, issuer, not_before, not_after, subject, "
         "public_key, extensions]}", "nothing is left"),
        ("{over: [a, b], none: {collection: b}}", "state it over one collection"),
        ("revoked: {reason: lost}", "never 'lost'"),
        ("revoked: {reason: }", "no value"),
        ("revoked: false", "proves nothing"),
        ("gap: {from: not_before, to: subject, at_most: 1 day}", "not a time"),
        ("pairs: {with: d, by: serial}", "no collection 'd'"),
        ("distinct: {serail: 1}", "'serial'"),
    ],
)  # fmt: skip
def test_what_says_nothing_is_an_error(claim: str, words: str) -> None:
    stated: Mapping[str, Any] = _nothing(yaml.load(claim, Loader=yaml.BaseLoader))
    with pytest.raises(InputError) as caught:
        run({"one": ({"over": "a"} if "total" not in stated else {}) | dict(stated), **PARTS}, ROWS, top=TOP)
    diagnostic = caught.value.diagnostics[0]
    assert words in f"{diagnostic.message} {diagnostic.hint}"
    assert diagnostic.pos.line > 1


def test_revocations_that_contradict_one_another() -> None:
    row = [certificate(1)]
    two = [revocation(1, source="x"), revocation(1, source="y", revoked_at=at("2016-01-18"), reason="superseded")]
    for claim in ("revoked: 2016-01-18", "revoked: {reason: keyCompromise}", "revoked: {before: 2016-02-01}"):
        assert verdict(claim, row, revocations=two).outcome is Outcome.UNPROVEN, claim
    assert verdict("revoked: {after: 2016-01-01}", row, revocations=two).outcome is Outcome.VERIFIED
    assert verdict("revoked: {after: 2016-10-01}", row, revocations=two).outcome is Outcome.REFUTED
    back = [revocation(1), revocation(1, reason="removeFromCRL", source="y")]
    assert verdict("revoked: true", row, revocations=back).outcome is Outcome.UNPROVEN


@pytest.mark.parametrize(
    "odd",
    [
        {"authentic": False}, {"issuer_spki_sha256": digest("another key")}, {"issuer_spki_sha256": None},
        {"issuer_der_sha256": digest("another name")}, {"serial": serial_of(7)},
    ],
)  # fmt: skip
def test_a_foreign_or_forged_list_revokes_nothing(odd: Mapping[str, Any]) -> None:
    assert verdict("revoked: true", [certificate(1)], revocations=[revocation(1, **odd)]).outcome is Outcome.UNPROVEN


@pytest.mark.parametrize(
    ("reason", "later", "expected"),
    [
        ("certificateHold", {}, "unproven"), ("keyCompromise", {}, "verified"),  # which may leave once it has expired
        ("certificateHold", {"this_update": at("2016-09-02")}, "verified"),  # its own
        ("certificateHold", {"authentic": False}, "verified"), ("certificateHold", {"scope": "shard"}, "verified"),
        ("certificateHold", {"issuer_spki_sha256": digest("another")}, "verified"),
    ],
)  # fmt: skip
def test_what_was_on_hold_and_is_listed_no_more(reason: str, later: Mapping[str, Any], expected: str) -> None:
    second: Row = {"sha256": digest("later"), "file": "later.crl", "this_update": at("2016-09-09"), **later}
    lists = [crl(), crl(**second)]
    found = verdict("revoked: true", [certificate(1)], revocations=[revocation(1, reason=reason)], crls=lists)
    assert found.outcome.value == expected, hints(found)


def test_the_same_letters_in_another_encoding() -> None:
    composed, apart = "Münster CA", "Mu\u0308nster CA"
    for held in (composed, apart):
        for stated in (composed, apart):
            rows = [certificate(1, issuer_cn=held)]
            assert verdict({"none": {"issuer_cn": stated}}, rows).outcome is Outcome.REFUTED
            assert verdict({"every": {"issuer_cn": stated}}, rows).outcome is Outcome.VERIFIED


@pytest.mark.parametrize(
    ("entry", "other"),
    [
        ("dns_names: {like: '%.EXAMPLE.com'}", "dns_names: {like: '%.EXAMPLE.org'}"),
        ("dns_names: {like: 'w\\_w.%'}", "dns_names: {like: 'w\\_x.%'}"),
        ("ip_addresses: {contains: '2001:DB8:0::1'}", "ip_addresses: {contains: '2001:DB8:0::2'}"),
        ("ip_addresses: '2001:db8:0:0:0:0:0:1'", "ip_addresses: '2001:db8:0:0:0:0:1:1'"),
    ],
)
def test_entries_are_found_however_they_are_written(entry: str, other: str) -> None:
    """RFC 4343: host names have no case. RFC 5952: an address has several written forms."""
    rows = [certificate(1, dns_names=["W_W.Example.Com"], ip_addresses=["2001:db8::1"])]
    assert outcome(f"none: {{{entry}}}", rows) is Outcome.REFUTED
    assert outcome(f"none: {{{other}}}", rows) is Outcome.VERIFIED


@pytest.mark.parametrize(
    ("odd", "pattern", "other"),
    [
        ({"serial": "-01"}, "serial: {like: '-1%'}", "serial: {like: '-2%'}"),
        # As openssl writes the encoding of a number whose first bit is set: with the octet of its sign.
        ({"serial": "A1B2"}, "serial: {like: '00:A1:%'}", "serial: {like: '0A:1B:%'}"),
        ({"serial": "56D1"}, "serial: {like: '56%'}", "serial: {like: '05:6D%'}"),
        ({"issuer_cn": "Cafe\u0301 CA"}, "issuer_cn: {like: 'Caf\u00e9%'}", "issuer_cn: {like: 'Cafe%x'}"),
        ({"issuer_cn": "Caf\u00e9 CA"}, "issuer_cn LIKE 'Cafe\u0301%'", "issuer_cn ILIKE 'Cafe\u0300%'"),
    ],
)
def test_patterns_are_as_blind_to_spelling_as_equality(odd: dict[str, str], pattern: str, other: str) -> None:
    def none(stated: str) -> Outcome:
        return outcome({"none": yaml.load(f"{{{stated}}}", yaml.BaseLoader) if ":" in stated else stated}, [row])

    row = certificate(1, **odd)
    assert none(pattern) is Outcome.REFUTED
    assert none(other) is Outcome.VERIFIED


@pytest.mark.parametrize(
    ("right", "share", "would"),
    [(300, "100 %", None), (299, "100 %", "99.7 %"), (299, "99.7 %", None), (1, "0 %", "0.3 %"), (0, "0 %", None),
     (1, "0.3 %", None), (0, "0.1 %", "0.0 %"), (299, "100.0 %", "99.7 %"), (298, "99 %", None)],
)  # fmt: skip
def test_all_and_none_are_not_rounded(right: int, share: str, would: str | None) -> None:
    rows = [certificate(n, key_bits=2048 if n < right else 1024) for n in range(300)]
    found = verdict({"where": {"key_bits": "2048"}, "share": share}, rows)
    assert found.outcome is (Outcome.VERIFIED if would is None else Outcome.REFUTED)
    if would is not None:
        assert found.findings[0].would == ((("share",), would),)


def test_what_was_observed_is_not_rounded_to_all() -> None:
    rows = [certificate(n, key_bits=2048 if n else 1024) for n in range(20_001)]
    found = verdict({"where": {"key_bits": "2048"}, "share": "100 %"}, rows)
    assert "99.995 %" in found.findings[0].observed
    part = [certificate(1, earliest_sct=at("2016-01-04 12:00:01.000500"))]
    late = verdict("gap: {from: not_before, to: earliest_sct, at_most: 1 s}", part)
    assert (late.outcome, late.findings[0].observed) == (Outcome.REFUTED, "1.0005 s")
    assert "0.0005 s more than stated" in hints(late)


def test_half_an_octet_is_no_hash() -> None:
    with pytest.raises(InputError, match="odd number of hex digits"):
        outcome("none: {subject_key_id: ABC}", [certificate(1, subject_key_id="0abc")])
    assert outcome("some: {subject_key_id: '0A:BC'}", [certificate(1, subject_key_id="0abc")]) is Outcome.VERIFIED


@pytest.mark.parametrize("text", ["2.23.140.1.2.02", "ov", "2.23"])
def test_what_is_no_oid_is_never_absent(text: str) -> None:
    claim = f"none: {{policy_oids: {{contains: '{text}'}}}}"
    if text == "2.23":  # an OID, though no policy
        assert outcome(claim, [certificate(1)]) is Outcome.VERIFIED
    else:
        with pytest.raises(InputError, match="is no OID"):
            outcome(claim, [certificate(1)])


def test_pairs_count_rows_and_leave_no_partner_unseen() -> None:
    rows = [certificate(1), certificate(2, collection="b", spki_sha256=digest("key 1"), key_bits=None)]
    where = {"with": "b", "by": "spki_sha256", "where": {"key_bits": "2048"}, "count": "0"}
    assert verdict({"pairs": where}, rows).outcome is Outcome.UNPROVEN
    some = [*rows, certificate(3, collection="b")]
    assert verdict({"pairs": where}, some).code == "undecided-rows"
    forged = {"with": "b", "by": "spki_sha256", "count": "0"}
    assert verdict({"pairs": forged}, [rows[0], rows[1] | {"authentic": False}]).outcome is Outcome.UNPROVEN
    # A certificate is no partner of itself.
    assert verdict("pairs: {with: a, by: serial}", rows[:1]).outcome is Outcome.REFUTED
