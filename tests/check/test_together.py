"""Claims measured together are judged as each by itself."""

import pytest

from affidavit.check import together
from affidavit.check.assertions import BY_KEY
from affidavit.types import InputError, Outcome
from tests.check.case import certificate, run
from tests.check.random_claims import told_apart


@pytest.mark.parametrize("least", [1, 10**9])
@pytest.mark.parametrize("seed", range(4))
def test_the_plain_judge_agrees_together_and_apart(monkeypatch: pytest.MonkeyPatch, seed: int, least: int) -> None:
    monkeypatch.setattr(together, "LEAST", least)
    wrong, seen = told_apart(seed, list(BY_KEY))
    assert wrong == []
    assert sum(seen.values()) > 10


def test_each_claim_is_held_to_its_own_rows() -> None:
    rows = [certificate(n, key_bits=1024 if n < 2 else 2048) for n in range(5)]
    claims = {
        "two": {"over": "a", "where": {"key_bits": "1024"}, "count": "2", "every": {"version": "3"}},
        "three": {"over": "a", "where": {"key_bits": "2048"}, "count": "3", "distinct": {"serial": "3"}},
        "five": {"over": "a", "count": "5", "latest": {"key_bits": "2048"}},
        "wrong": {"over": "a", "where": {"key_bits": "1024"}, "count": "3"},
        "nobody": {"over": "a", "where": {"key_bits": "512"}, "every": {"version": "3"}},
    }
    found = run(claims, rows).verdicts
    assert {name: verdict.outcome for name, verdict in found.items()} == {
        "two": Outcome.VERIFIED, "three": Outcome.VERIFIED, "five": Outcome.VERIFIED, "wrong": Outcome.REFUTED,
        "nobody": Outcome.UNPROVEN,
    }  # fmt: skip
    assert [len(verdict.sample) for verdict in found.values()] == [2, 3, 5, 2, 0]


def test_a_query_that_cannot_be_run_is_the_fault_of_its_own_claim() -> None:
    # Measured together the cast fails for all four; by itself only for the one that it is about.
    claims = {f"good-{n}": {"over": "a", "count": "2"} for n in range(3)}
    bad = {"over": "a", "every": "CAST(subject_cn AS INTEGER) > 3"}
    with pytest.raises(InputError) as caught:
        run(claims | {"bad": bad}, [certificate(1, subject_cn="1"), certificate(2, subject_cn="x")])
    assert [diagnostic.claim for diagnostic in caught.value.diagnostics] == ["bad"]
