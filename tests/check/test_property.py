"""Random claims over random evidence: the program says what the plain judge says, claim by claim.

``AFFIDAVIT_WORLDS`` sets how many worlds are drawn; ``python -m benchmarks.truth`` runs the full size.
"""

import os
from collections import Counter

import pytest

from affidavit.check.assertions import BY_KEY
from tests.check.plain_judge import JUDGES, R, U, V
from tests.check.random_claims import Draw, told_apart

WORLDS = int(os.environ.get("AFFIDAVIT_WORLDS", "12"))


@pytest.mark.parametrize("seed", range(WORLDS))
def test_no_wrong_verdict(seed: int) -> None:
    wrong, seen = told_apart(seed, list(BY_KEY))
    assert not wrong, wrong[0]
    assert sum(seen.values()) > 30


def test_every_assertion_is_judged_and_asked() -> None:
    assert set(JUDGES) >= set(BY_KEY), "a new assertion needs a plain judgement, and a random statement"
    draw = Draw(0)
    claims, _ = draw.claims(list(BY_KEY), draw.world())
    assert {key for claim in claims.values() for key in claim} >= set(BY_KEY)


def test_all_outcomes_come_up() -> None:
    """A judge that always said one thing would agree with little; no program is run for this."""
    from tests.check.plain_judge import Judge

    seen: Counter[tuple[str, str]] = Counter()
    for seed in range(150):
        draw = Draw(seed)
        world = draw.world()
        claims, parts = draw.claims(list(BY_KEY), world)
        judge = Judge(world, "UTC")
        seen.update((key, judge.outcome(claim, parts)) for claim in claims.values() for key in set(claim) & set(BY_KEY))
    missing = {(key, outcome) for key in BY_KEY for outcome in (V, R, U)} - set(seen)
    assert not missing
