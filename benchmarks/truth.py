"""``python -m benchmarks.truth [CLAIMS]``: random claims against the plain judge, 10,000 unless told otherwise.

Prints one line; the exit status is 1 where a verdict is wrong, and each wrong one is named with its seed.
"""

import sys
import time

from affidavit.check.assertions import BY_KEY
from tests.check.random_claims import told_apart

CLAIMS = 10_000


def main(wanted: int = CLAIMS) -> int:
    """Draw worlds until so many claims were judged twice."""
    began, asked, seed, errors = time.monotonic(), 0, 0, 0
    while asked < wanted:
        wrong, seen = told_apart(seed, list(BY_KEY))
        for one in wrong:
            print(f"seed {one.seed}: said {one.said}, is {one.right}: {one.claim}")
        asked += sum(seen.values())
        errors += len(wrong)
        seed += 1
    verdict = "SHORT" if errors else "ok"
    spent = time.monotonic() - began
    print(f"wrong_verdicts {errors} of {asked:,} claims in {seed} worlds, {spent:.0f} s (goal 0) {verdict}")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main(*(int(text) for text in sys.argv[1:2])))
