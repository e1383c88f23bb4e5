"""A run's facts tables as rows, by what pages look them up with. Made once for each run."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from affidavit.evidence.certificate import read_certificate
from affidavit.evidence.detail import detail
from affidavit.run import Run
from affidavit.types import Outcome, Problem

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Rows:
    """Rows of a run's tables.

    ``places`` are a certificate's rows (one for each collection that holds it) by its SHA-256; a trusted
    certificate that is in no collection has none, and its facts in ``facts`` alone. ``counterparts`` are SHA-256 by
    ``precert_tbs_sha256``; ``revocations`` by the issuing key's hash and the serial
    number, ``crl_sources`` the lists' files by that hash; ``claims`` are names by the SHA-256 of
    certificates that they are about.
    """

    by_collection: Mapping[str, list[Row]]
    places: Mapping[str, list[Row]]
    facts: Mapping[str, Row]
    scts: Mapping[str, list[Row]]
    revocations: Mapping[tuple[str, str], list[Row]]
    crl_sources: Mapping[str, list[str]]
    counterparts: Mapping[str, list[str]]
    claims: Mapping[str, list[str]]
    problems: Mapping[str, list[Problem]]
    crl_entries: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, run: Run) -> "Rows":
        """The rows of a run, looked up from here on."""
        by_collection: dict[str, list[Row]] = {name: [] for name in run.report.incident.evidence}
        places: dict[str, list[Row]] = {}
        for row in run.facts.tables["certificates"].to_pylist():
            by_collection[row["collection"]].append(row)
            places.setdefault(row["sha256"], []).append(row)
        facts: dict[str, Row] = {digest: found[0] for digest, found in places.items()}
        for digest in sorted(run.facts.ders.keys() - facts.keys()):
            read = read_certificate(run.facts.ders[digest])
            facts[digest] = {**read.row, **detail(read).row}
        scts: dict[str, list[Row]] = defaultdict(list)
        for row in run.facts.tables["scts"].to_pylist():
            # The same certificate in two collections has its SCTs twice; the page shows each once.
            if all(known["position"] != row["position"] for known in scts[row["certificate"]]):
                scts[row["certificate"]].append(row)
        revocations: dict[tuple[str, str], list[Row]] = defaultdict(list)
        sources: dict[str, set[str]] = defaultdict(set)
        crl_entries: dict[str, int] = defaultdict(int)
        for row in run.facts.tables["revocations"].to_pylist():
            crl_entries[row["collection"]] += 1
            if row["authentic"] and row["issuer_spki_sha256"]:
                revocations[row["issuer_spki_sha256"], row["serial"]].append(row)
                sources[row["issuer_spki_sha256"]].add(row["source"])
        counterparts: dict[str, list[str]] = defaultdict(list)
        for digest, row in sorted(facts.items()):
            if row["precert_tbs_sha256"]:
                counterparts[row["precert_tbs_sha256"]].append(digest)
        claims: dict[str, list[str]] = defaultdict(list)
        for name, verdict in run.verdicts.items():
            if verdict.outcome is not Outcome.UNCHECKED:
                for digest in verdict.sample:
                    claims[digest].append(name)
        problems: dict[str, list[Problem]] = defaultdict(list)
        for problem in run.facts.problems:
            if problem.certificate:
                problems[problem.certificate].append(problem)
        return cls(
            by_collection, places, facts, dict(scts), dict(revocations),
            {spki: sorted(files) for spki, files in sources.items()},
            dict(counterparts), dict(claims), dict(problems), dict(crl_entries),
        )  # fmt: skip

    @property
    def digests(self) -> list[str]:
        """SHA-256 of all certificates that have a page, sorted."""
        return sorted(self.facts)
