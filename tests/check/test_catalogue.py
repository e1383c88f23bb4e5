"""Every type of fact of the catalogue can be stated without SQL, and reads like the sentence that it checks."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from affidavit.catalogue import COLLECTIONS, FACTS, Fact
from affidavit.check.compile import CompiledClaim, compile_claims
from affidavit.check.prose import check_prose
from affidavit.incident.load import Report, load

EVERY = [(section, fact) for section, facts in FACTS.items() for fact in facts]
COMPLETE = {"scope": "all", "from": "2016-01-01", "until": "2016-06-28", "basis": "an export"}
MAIL = b"The message was received on 2016-09-01 and answered.\n"


def compiled(folder: Path, fact: Fact) -> tuple[Report, dict[str, CompiledClaim]]:
    import hashlib

    evidence: dict[str, Any] = {name: {"files": f"{name}/*"} for name in COLLECTIONS}
    evidence["found"]["complete"] = COMPLETE
    claim = {"says": fact.says, **yaml.safe_load(fact.claim)}
    parts = {
        name: {"says": "A part.", "over": "affected", "count": {"at_least": 1}} for name in ("part-one", "part-two")
    }
    mail = {"file": "mail.txt", "title": "A message", "sha256": hashlib.sha256(MAIL).hexdigest()}
    incident = {"title": "One fact", "kind": "analysis", "date": "2026-01-01", "trust": "none", "evidence": evidence,
                "documents": {"mail": mail}, "claims": {"fact": claim, **parts}}  # fmt: skip
    path = folder / "reports/one/incident.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(yaml.safe_dump(incident, allow_unicode=True, width=1000))
    (folder / "evidence/one").mkdir(parents=True)
    (folder / "evidence/one/mail.txt").write_bytes(MAIL)
    report = load(path, folder / "evidence", folder)
    return report, dict(compile_claims(report))


def test_all_75_are_there() -> None:
    assert len(EVERY) == 75
    assert len({fact.name for _, fact in EVERY}) == 75


@pytest.mark.parametrize(("section", "fact"), EVERY, ids=[fact.name for _, fact in EVERY])
def test_it_can_be_stated_and_its_sentence_says_what_it_states(section: str, fact: Fact, tmp_path: Path) -> None:
    assert "sql" not in yaml.safe_load(fact.claim)
    report, claims = compiled(tmp_path, fact)
    found = [d for d in check_prose(report, claims) if d.claim == "fact"]
    assert found == [], section
    claim = claims["fact"]
    assert claim.unchecked or claim.checks
    assert fact.needs
    assert fact.pitfalls


def altered(fact: Fact) -> str | None:
    """The sentence with its first number one higher; None where it has none that a claim could state."""
    import re

    match = re.search(r"(?<![\d.,:-])\d{1,3}(?:,\d{3})*(?![\d.,:-])(?!\.\d)(?= |\.)", fact.says)
    if match is None:
        return None
    number = int(match[0].replace(",", "")) + 1
    return fact.says[: match.start()] + f"{number:,}" + fact.says[match.end() :]


CHANGED = [(fact, text) for _, fact in EVERY if (text := altered(fact)) and "unchecked" not in fact.claim]


@pytest.mark.parametrize(("fact", "says"), CHANGED, ids=[fact.name for fact, _ in CHANGED])
def test_a_sentence_that_is_off_by_one_is_caught(fact: Fact, says: str, tmp_path: Path) -> None:
    report, claims = compiled(tmp_path, fact._replace(says=says))
    found = {d.code for d in check_prose(report, claims) if d.claim == "fact"}
    assert found == {"figure-not-stated"}


def test_most_have_a_figure_to_be_off_by() -> None:
    assert len(CHANGED) > 35


@pytest.mark.parametrize(
    ("pattern", "names", "fits"),
    [
        ("%\\_%", ["a.example", "b_c.example"], True),
        ("%\\_%", ["a.example", "bc.example"], False),
        ("%.example", ["a.example.org"], False),
        ("a.example", ["b.example", "a.example"], True),
        ("%", [], False),
    ],
)
def test_a_pattern_fits_a_list_if_it_fits_an_entry(pattern: str, names: list[str], fits: bool) -> None:
    from tests.check.case import certificate, run

    rows = [certificate(1, dns_names=names)]
    found = run({"one": {"over": "a", "where": {"dns_names": {"like": pattern}}, "count": str(int(fits))}}, rows)
    assert found.verdicts["one"].outcome == "verified"
    off = run({"one": {"over": "a", "where": {"dns_names": {"like": pattern}}, "count": str(int(not fits))}}, rows)
    assert off.verdicts["one"].outcome == "refuted"
    lost = run({"one": {"over": "a", "where": {"dns_names": {"like": pattern}}, "count": "0"}},
               [certificate(1, dns_names=None)])  # fmt: skip
    assert lost.verdicts["one"].outcome == "unproven"
