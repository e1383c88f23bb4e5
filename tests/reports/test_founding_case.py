"""The verdicts of the founding case are exactly those that its figures deserve, each with its basis.

The expected values stand here as the case was told; nothing of them is taken from the incident file.
"""

from datetime import datetime
from pathlib import Path

import pytest

from affidavit.run import Run
from affidavit.types import Outcome, Verdict
from tests.shipped import shipped

ROOT = Path(__file__).resolve().parents[2]
VERIFIED, REFUTED, UNPROVEN, UNCHECKED = Outcome.VERIFIED, Outcome.REFUTED, Outcome.UNPROVEN, Outcome.UNCHECKED

#: claim: outcome, basis, rows that it is about
EXPECTED = {
    "english-serial": (VERIFIED, "given", 313),
    "chinese-serial": (VERIFIED, "given", 27),
    "english-serial-short": (VERIFIED, "given", 313),
    "chinese-serial-short": (VERIFIED, "given", 27),
    "hex-digits": (VERIFIED, "given", 340),
    "octets": (VERIFIED, "given", 340),
    "bytes": (REFUTED, "given", 340),
    "english-issuer": (VERIFIED, "given", 313),
    "chinese-issuer": (VERIFIED, "given", 27),
    "both-serials": (VERIFIED, "given", 340),
    "period": (VERIFIED, "given", 340),
    "same-period": (VERIFIED, "given", 340),
    "none-after-fix": (VERIFIED, "given", 12),
    "only-8": (VERIFIED, "declared complete", 8),
    "eight-by-sct": (VERIFIED, "given", 6),
    "eight-by-notbefore": (VERIFIED, "given", 2),
    "none-in-summer": (UNPROVEN, "given", 8),
    "other-api": (VERIFIED, "given", 2),
    "remaining": (VERIFIED, "given", 62),
    "under-discussion": (VERIFIED, "given", 64),
    "sunday-in-china": (VERIFIED, "given", 62),
    "nineteenth-in-utc": (VERIFIED, "given", 22),
    "twentieth-in-utc": (VERIFIED, "given", 40),
    "both-days": (VERIFIED, "given", 62),
    "one-span": (VERIFIED, "given", 62),
    "e-mail": (UNCHECKED, "none", 0),
    "six-back-dated": (VERIFIED, "given", 6),
    "six-logged": (VERIFIED, "given", 12),
    "gap": (VERIFIED, "given", 6),
    "precertificates": (VERIFIED, "given", 6),
    "counterparts": (VERIFIED, "given", 6),
    "impossible-date": (REFUTED, "given", 6),
    "revoked-in-august": (VERIFIED, "given", 6),
    "revoked-with-the-fix": (REFUTED, "given", 6),
}


def founding_case() -> Run:
    return shipped("wosign-2016")


def verdict(claim: str) -> Verdict:
    return founding_case().verdicts[claim]


def words(claim: str) -> str:
    return " ".join(f"{f.stated} {f.observed} {f.hint}" for f in verdict(claim).findings)


def test_no_claim_is_missing_and_none_is_unexpected():
    assert set(founding_case().verdicts) == set(EXPECTED)


@pytest.mark.parametrize("claim", EXPECTED)
def test_verdict_and_basis(claim: str):
    found = verdict(claim)
    assert (found.outcome, found.basis.kind, found.counts.scope) == EXPECTED[claim]
    assert found.passes


def test_the_report_passes_without_a_message():
    assert founding_case().passes
    assert founding_case().diagnostics == ()


def test_dropped_zeros_are_noted_and_change_nothing():
    assert "056D1570DA645BF6B44C0A7077CC6769" in " ".join(verdict("english-serial-short").notes)
    assert "0D3BBDC3A0175E38F9D0070CD050986A" in " ".join(verdict("chinese-serial-short").notes)


def test_the_search_that_ended_carries_only_itself():
    declared = verdict("only-8").basis.declarations
    assert [(d.start, d.end, d.by) for d in declared] == [("2016-01-01", "2016-06-28", "WoSign")]
    assert "2016-06-29 to 2016-08-31" in words("none-in-summer")


def test_the_impossible_date_is_refuted_as_such():
    assert verdict("impossible-date").code == "impossible-date"
    assert "lies after the statement itself" in words("impossible-date")


def test_the_days_differ_by_the_zone_alone():
    rows = founding_case().facts.tables["certificates"].to_pylist()
    sunday = [
        row["not_before"]
        for row in rows
        if row["collection"] == "suspects" and row["issuer_cn"] != "Reconstructed API Server CA"
    ]
    # Sunday 2015-12-20 in China, eight hours ahead of UTC.
    assert all(datetime(2015, 12, 19, 16) <= at < datetime(2015, 12, 20, 16) for at in sunday)
    assert sum(at < datetime(2015, 12, 20) for at in sunday) == 22
    assert sum(at >= datetime(2015, 12, 20) for at in sunday) == 40


def test_revoked_after_the_discussion_began_and_not_with_the_fix():
    assert "2016-08-" in words("revoked-with-the-fix")
    assert "2016-08-" in words("revoked-in-august")


def test_the_gap_is_computed():
    assert "15 days" in words("gap")
