"""What would have been true instead: said where it is so, and not where a little more is amiss."""

from typing import Any

import pytest

from affidavit.check.amounts import Amount
from affidavit.types import Outcome
from tests.check.case import Row, at, certificate, digest, verdict

EIGHT = [certificate(n) for n in range(8)]
PRE = [certificate(n + 100, kind="precertificate") for n in range(3)]
FALSE = [certificate(n + 200, authentic=False) for n in range(2)]
#: 2015-12-19 17:00 UTC is 2015-12-20 01:00 in Shanghai.
NIGHT = [certificate(n, not_before=at("2015-12-19 17:00")) for n in range(2)]


def hint(claim: str, rows: list[Row], outcome: Outcome = Outcome.REFUTED, **more: Any) -> str:
    """The hints of a claim's verdict, which is of that outcome."""
    found = verdict(claim, rows, **more)
    assert found.outcome is outcome
    return "; ".join(finding.hint for finding in found.findings)


@pytest.mark.parametrize(
    ("claim", "rows", "words"),
    [
        ("count: 11", EIGHT + PRE, "it is 11 of certificates and precertificates together"),
        ("count: 3", EIGHT + PRE, "it is 3 of precertificates"),
        ("count: 10", EIGHT + FALSE, "it is 10 with those that are not authentic"),
        ("count: 9", [*EIGHT[:7], certificate(30, copies=2)], "it is 9 with every copy counted"),
        ("{where: {key_bits: 1024}, count: 8}", EIGHT, "it is 8 without `key_bits` under `where`"),
        ("{timezone: Asia/Shanghai, where: {not_before: 2015-12-19}, count: 2}", NIGHT,
         "if its days were days in UTC"),
        ("every: {signature_hash: sha256}", [*EIGHT, certificate(50, signature_hash="sha384")],
         "signature_hash is sha1 in 8, sha384 in 1"),
        ("every: {serial_octets: [31, 32]}", EIGHT, "serial_octets is 16 in 8; hex digits were called octets"),
        ("every: {serial_octets: 31}", EIGHT, "hex digits were called octets"),
        (f"every: {{sha256: {digest('key 1')}}}", EIGHT[1:2], f"the hash of the public key of {digest(1)}"),
        (f"every: {{spki_sha256: {digest(1)}}}", EIGHT[1:2], f"it is the fingerprint of {digest(1)}"),
    ],
)  # fmt: skip
def test_a_refuted_claim_says_what_would_have_been_true(claim: str, rows: list[Row], words: str) -> None:
    assert words in hint(claim, rows)


@pytest.mark.parametrize(
    ("claim", "rows", "words"),
    [
        ("count: 12", EIGHT + PRE, "together"),
        ("count: 4", EIGHT + PRE, "of precertificates"),
        ("count: 11", EIGHT + FALSE, "not authentic"),
        ("{where: {key_bits: 1024}, count: 7}", EIGHT, "without"),
        ("{timezone: Asia/Shanghai, where: {not_before: 2015-12-18}, count: 2}", NIGHT, "were days in UTC"),
        ("every: {serial_octets: 30}", EIGHT, "called octets"),
        ("every: {serial_octets: 32}", [*EIGHT, certificate(9, serial_octets=15)], "called octets"),
        (f"every: {{sha256: {digest('nobody')}}}", EIGHT[1:2], "it is"),
    ],
)
def test_a_little_more_amiss_and_nothing_is_said(claim: str, rows: list[Row], words: str) -> None:
    assert words not in hint(claim, rows)


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        ("{where: {issuer_cn: CA Onne}, every: {key_bits: 2048}}", "nearest to it is 'CA One'"),
        ("{where: {issuer_cn: Nobody at all}, every: {key_bits: 2048}}", "no row has issuer_cn"),
        ("{where: {issuer_cn: CA One, key_bits: 1024}, every: {version: 3}}", "no row has key_bits"),
        (f"{{where: {{sha256: {digest(100)}}}, every: {{version: 3}}}}", "it is that of a precertificate"),
        (f"{{where: {{sha256: {digest('b')}}}, every: {{version: 3}}}}", "it is that of a certificate in 'b'"),
        (f"{{where: {{sha256: {digest('key 2')}}}, every: {{version: 3}}}}", "the hash of the public key of"),
    ],
)
def test_where_no_row_is_left_it_says_which_condition_leaves_none(claim: str, words: str) -> None:
    rows = [*EIGHT, *PRE, certificate("b", collection="b")]
    assert words in hint(claim, rows, Outcome.UNPROVEN)


def test_each_condition_has_rows_but_none_fulfils_all() -> None:
    rows = [certificate(1, key_bits=1024), certificate(2, version=1)]
    claim = "{where: {key_bits: 1024, version: 1}, every: {key_type: RSA}}"
    assert "none fulfils all of them" in hint(claim, rows, Outcome.UNPROVEN)


@pytest.mark.parametrize(
    ("stated", "number", "words"),
    [
        (313, 3130, "a zero was dropped"), (3130, 313, "a zero was added"), (12, 1200, "2 zeros were dropped"),
        (313, 331, "two digits were exchanged"), (313, 3313, "a digit was dropped"),
        (313, 314, "1 more than stated"), (8, 9, "1 more than stated"),
    ],
)  # fmt: skip
def test_slips_of_the_pen_in_numbers(stated: int, number: int, words: str) -> None:
    assert Amount(stated, stated).off_by(number).endswith(words)


def test_bounds_make_no_slip() -> None:
    assert Amount(None, 313).off_by(3130) == "2,817 more than stated"


def test_what_is_right_gets_no_hint() -> None:
    assert hint("count: 8", EIGHT + PRE, Outcome.VERIFIED) == ""
