"""Completeness derived from captures: what entries of a log without a gap show, and near misses that show nothing."""

import json
from base64 import b64encode
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from affidavit.run import check_report
from affidavit.types import Outcome, Verdict
from testpki import asn1
from testpki.build import Authority, Certificate

ROOT = Authority.root("Test Root")
LEAVES = [ROOT.issue(f"n{number}.example") for number in range(10)]
EPOCH = datetime(1970, 1, 1)
# One entry a day at noon, from 2024-03-01.
DAYS = [datetime(2024, 3, 1, 12) + timedelta(days=number) for number in range(10)]


def entry(certificate: Certificate, at: datetime) -> dict[str, str]:
    """An X.509 entry of a log with an empty chain (RFC 6962 3.4, 4.6)."""
    leaf = b"\0\0" + ((at - EPOCH) // timedelta(milliseconds=1)).to_bytes(8) + b"\0\0"
    leaf += len(certificate.der).to_bytes(3) + certificate.der + b"\0\0"
    return {"leaf_input": b64encode(leaf).decode(), "extra_data": b64encode(bytes(3)).decode()}


def entries(first: int = 0, last: int = 9) -> str:
    """An answer to get-entries."""
    return json.dumps({"entries": [entry(LEAVES[n], DAYS[n]) for n in range(first, last + 1)]})


def capture(first: int | None = 0, **more: Any) -> dict[str, Any]:
    place = {} if first is None else {"first_index": str(first)}
    return {"log": "Test Log", **place, **{key: str(value) for key, value in more.items()}}


def claimed(
    folder: Path,
    files: dict[str, str],
    captures: dict[str, Any],
    window: tuple[str, str] = ("2024-03-02", "2024-03-08"),
    complete: dict[str, str] | None = None,
    counted: dict[str, Any] | None = None,
) -> Verdict:
    """The verdict of the claim that nothing else exists in a window, and what is ``counted`` in it."""
    base = folder / "evidence" / "small"
    (folder / "reports" / "small").mkdir(parents=True)
    base.mkdir(parents=True)
    for name, text in files.items():
        (base / name).write_text(text)
    complete = complete or {"scope": "all of the log", "derived": "log entries"}
    only = {"from": window[0], "until": window[1]}
    incident = {
        "title": "A test", "kind": "analysis", "date": "2026-01-01", "timezone": "UTC", "trust": "none",
        "evidence": {"all": {"files": "*", "captures": captures, "complete": complete}},
        "claims": {"these": {"says": "There is no other.", "over": "all", "only": only, **(counted or {})}},
    }  # fmt: skip
    path = folder / "reports" / "small" / "incident.yaml"
    path.write_text(yaml.safe_dump(incident, sort_keys=False))
    return check_report(path, folder / "evidence", folder).verdicts["these"]


def words(verdict: Verdict) -> str:
    return " / ".join([*(f"{one.observed} {one.hint}" for one in verdict.findings), str(verdict.basis)])


def test_entries_without_a_gap_are_complete_but_for_the_merge_delay(tmp_path: Path) -> None:
    found = claimed(tmp_path, {"e.json": entries()}, {"e.json": capture()})
    assert found.outcome is Outcome.VERIFIED, words(found)
    assert found.basis.kind == "derived complete"
    assert "entries 0 to 9 of Test Log" in words(found)


def test_what_is_counted_beside_it_was_logged_in_the_window(tmp_path: Path) -> None:
    """None of the certificates is valid from a day of the window: when they were logged is what places them."""
    files, captures = {"e.json": entries()}, {"e.json": capture(tree_size=10, taken="2024-06-01T00:00:00Z")}
    whole, short = ("2024-03-01", "2024-03-10"), ("2024-03-01", "2024-03-09")
    for name, window, number, outcome in (
        ("all", whole, 10, Outcome.VERIFIED),
        ("miscounted", whole, 9, Outcome.REFUTED),
        ("outside", short, 10, Outcome.UNPROVEN),
    ):
        found = claimed(tmp_path / name, files, captures, window, counted={"count": str(number)})
        assert found.outcome is outcome, (name, words(found))


def test_two_captures_that_meet_are_one_run(tmp_path: Path) -> None:
    files = {"a.json": entries(0, 4), "b.json": entries(4, 9)}
    assert claimed(tmp_path, files, {"a.json": capture(), "b.json": capture(4)}).outcome is Outcome.VERIFIED


@pytest.mark.parametrize(
    ("window", "outcome"),
    [
        # The last entry is of 2024-03-10 12:00: a day before it everything is merged (RFC 6962 3).
        (("2024-03-02", "2024-03-08"), Outcome.VERIFIED),
        (("2024-03-02", "2024-03-09T11:59:59Z"), Outcome.VERIFIED),
        (("2024-03-02", "2024-03-09T12:00:00Z"), Outcome.UNPROVEN),
        (("2024-03-02", "2024-03-09"), Outcome.UNPROVEN),
        (("2024-03-02", "2024-03-10"), Outcome.UNPROVEN),
        # From the log's first entry on, nothing stands before it.
        (("2020-01-01", "2024-03-08"), Outcome.VERIFIED),
    ],
)
def test_the_window_ends_a_merge_delay_before_the_last_entry(
    window: tuple[str, str], outcome: Outcome, tmp_path: Path
) -> None:
    found = claimed(tmp_path, {"e.json": entries()}, {"e.json": capture()}, window)
    assert found.outcome is outcome, words(found)


@pytest.mark.parametrize(("begin", "outcome"), [("2024-03-05", Outcome.VERIFIED), ("2024-03-04", Outcome.UNPROVEN)])
def test_a_run_that_begins_later_covers_from_a_merge_delay_on(begin: str, outcome: Outcome, tmp_path: Path) -> None:
    # Entry 2 is of 2024-03-03 12:00.
    found = claimed(tmp_path, {"e.json": entries(2)}, {"e.json": capture(2)}, (begin, "2024-03-08"))
    assert found.outcome is outcome, words(found)


@pytest.mark.parametrize(
    ("files", "missing"),
    [
        ({"a.json": (0, 4), "b.json": (6, 9)}, "1 entries of Test Log between the first and the last are not at hand"),
        ({"a.json": (0, 1), "b.json": (5, 9)}, "3 entries of Test Log"),
    ],
)
def test_a_gap_of_one_index_leaves_it_unproven(files: dict[str, tuple[int, int]], missing: str, tmp_path: Path) -> None:
    captures = {name: capture(first) for name, (first, _) in files.items()}
    found = claimed(tmp_path, {name: entries(*span) for name, span in files.items()}, captures)
    assert found.outcome is Outcome.UNPROVEN
    assert missing in words(found)


def test_entries_without_an_index_leave_it_unproven(tmp_path: Path) -> None:
    found = claimed(tmp_path, {"e.json": entries()}, {"e.json": capture(None)})
    assert found.outcome is Outcome.UNPROVEN
    assert "10 entries of Test Log have no index" in words(found)


def test_an_entry_that_cannot_be_read_leaves_it_unproven(tmp_path: Path) -> None:
    listed = json.loads(entries())
    listed["entries"][4]["leaf_input"] = "AAAA"
    found = claimed(tmp_path, {"e.json": json.dumps(listed)}, {"e.json": capture()})
    assert found.outcome is Outcome.UNPROVEN


UNTIL_MAY = ("2024-03-02", "2024-05-30")


@pytest.mark.parametrize(
    ("size", "taken", "outcome", "reason"),
    [
        # All ten were the whole tree on June 1st: nothing was merged until then, or stamped until May 31st.
        (10, "2024-06-01T00:00:00Z", Outcome.VERIFIED, "which were all as of 2024-06-01"),
        (10, "2024-05-31T23:59:59Z", Outcome.UNPROVEN, "nobody looked at 2024-05-30"),  # taken too early
        (11, "2024-06-01T00:00:00Z", Outcome.UNPROVEN, "nobody looked at 2024-03-09"),  # one entry is not at hand
        (9, "2024-06-01T00:00:00Z", Outcome.UNPROVEN, "an entry 9 of Test Log is beyond the tree's size of 9"),
        (10, None, Outcome.UNPROVEN, "nobody looked at 2024-03-09"),  # of no time
    ],
)
def test_the_size_of_the_tree_says_up_to_when_there_were_no_others(
    size: int, taken: str | None, outcome: Outcome, reason: str, tmp_path: Path
) -> None:
    more: dict[str, Any] = {"tree_size": size} | ({"taken": taken} if taken else {})
    found = claimed(tmp_path, {"e.json": entries()}, {"e.json": capture(**more)}, UNTIL_MAY)
    assert found.outcome is outcome, words(found)
    assert reason in words(found)


def test_two_logs_cover_what_both_cover(tmp_path: Path) -> None:
    captures = {"a.json": capture(), "b.json": {**capture(), "log": "Other Log"}}
    files = {"a.json": entries(), "b.json": entries(0, 5)}
    # Other Log's last entry is of 2024-03-06 12:00.
    assert claimed(tmp_path / "1", files, captures, ("2024-03-02", "2024-03-04")).outcome is Outcome.VERIFIED
    found = claimed(tmp_path / "2", files, captures)
    assert found.outcome is Outcome.UNPROVEN
    assert "nobody looked at 2024-03-05 to 2024-03-08" in words(found)


def crtsh(number: int) -> str:
    one = {"issuer_ca_id": 1, "issuer_name": "CN=Test Root", "common_name": "a", "name_value": "a.example",
           "entry_timestamp": "2024-03-02T12:08:19.1", "not_before": "2024-03-02T11:09:47",
           "not_after": "2024-06-12T11:09:46", "serial_number": "05", "result_count": 2}  # fmt: skip
    return json.dumps([one | {"id": n} for n in range(number)])


@pytest.mark.parametrize(("number", "outcome"), [(9_999, Outcome.VERIFIED), (10_000, Outcome.UNPROVEN)])
@pytest.mark.parametrize("sworn", [True, False])
def test_an_export_that_stops_at_its_cap_leaves_it_unproven(
    number: int, outcome: Outcome, sworn: bool, tmp_path: Path
) -> None:
    complete = {"scope": "all", "from": "2024-03-01", "until": "2024-03-31", "basis": "an export"} if sworn else None
    files = {"e.json": entries(), "list.json": crtsh(number)}
    found = claimed(tmp_path, files, {"e.json": capture()}, complete=complete)
    assert found.outcome is outcome, words(found)
    if outcome is Outcome.UNPROVEN:
        assert "stop at a cap" in words(found)


def test_certificates_alone_derive_nothing(tmp_path: Path) -> None:
    files = {f"{n}.pem": asn1.pem(leaf.der) for n, leaf in enumerate(LEAVES)}
    found = claimed(tmp_path, files, {})
    assert found.outcome is Outcome.UNPROVEN
    assert "it holds no log entries" in words(found)
