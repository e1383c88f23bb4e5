"""Pieces of evidence held against each other through the pipeline: pairs, SCTs, what is kept beside the parts."""

import hashlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow.parquet as pq
import pytest

from affidavit.evidence import beside, detail, linking, workers
from affidavit.evidence.beside import Job
from affidavit.evidence.certificate import read_certificate
from affidavit.evidence.pairs import pairs
from testpki import build, extensions
from testpki.build import Authority
from testpki.ct import Log, log_list
from testpki.keys import ec_key
from tests.evidence.case import Content, facts_of, row_of, rows

ROOT = Authority.root("Test Root")
OTHER = Authority.root("Other Root")
SIGNING = ROOT.intermediate("Precertificate signing", extended_key_usage=["precertificateSigning"])
LOG, UNKNOWN = Log("Log one"), Log("Log two")
AT = 1_451_908_800_123
KEY = ec_key("one key for all")


def found(folder: Path, *made: build.Certificate, **more: Any) -> list[dict[str, Any]]:
    """The table `pairs` over some certificates, in one PEM file."""
    text = "".join(one.pem() for one in made)
    files: dict[str, Content] = {"trust/r.pem": ROOT, "c/all.pem": text, "c/s.pem": SIGNING}
    return rows(facts_of(folder, files, **more), "pairs")


def shown(listed: list[dict[str, Any]], *made: build.Certificate) -> list[tuple[Any, ...]]:
    number: dict[Any, int | None] = {one.sha256: place for place, one in enumerate(made)} | {None: None}
    keys = ("precertificate", "certificate")
    return sorted(
        ((*(number[row[key]] for key in keys), row["equal"], row["first_difference"]) for row in listed), key=str
    )


# --- pairs ------------------------------------------------------------------------------------------------------------


def test_hundreds_of_one_serial_number_are_paired_each_with_its_own(tmp_path: Path) -> None:
    made = [
        one for number in range(313)
        for one in ROOT.pair(f"{number}.example", serial=5, key=KEY, scts=[LOG.sct(AT + number)])
    ]  # fmt: skip
    listed = found(tmp_path, *made)
    assert shown(listed, *made) == sorted(((2 * n, 2 * n + 1, True, None) for n in range(313)), key=str)
    assert all(row["authentic"] for row in listed)


def test_those_that_differ_say_in_what_and_no_row_is_made_for_nothing(tmp_path: Path) -> None:
    made: list[build.Certificate] = []
    for number in range(20):
        made.append(ROOT.precertificate(f"{number}.example", serial=5, key=KEY))
        made.append(ROOT.issue(f"{number}.example", serial=5, key=KEY, policies=["ov"] if number % 2 else ["dv"]))
    different = "certificatePolicies"
    expected = [(2 * n, 2 * n + 1, n % 2 == 0, different if n % 2 else None) for n in range(20)]
    assert shown(found(tmp_path, *made), *made) == sorted(expected, key=str)


def test_what_the_pipeline_pairs_is_what_the_comparison_of_all_pairs(tmp_path: Path) -> None:
    """Equal ones by their hashes, alone ones, families of several, another issuer's, without SCTs, without partner."""
    made = [
        *ROOT.pair("a.example", serial=1, scts=[LOG.sct(AT)]),
        ROOT.precertificate("b.example", serial=2), ROOT.issue("b.example", serial=2, days=91, scts=[LOG.sct(AT)]),
        ROOT.precertificate("c.example", serial=3), ROOT.issue("d.example", serial=4, scts=[LOG.sct(AT)]),
        ROOT.issue("e.example", serial=5),
        *ROOT.pair("f.example", serial=6, scts=[LOG.sct(AT)]), ROOT.issue("f.example", serial=6, policies=["ov"]),
        ROOT.precertificate("g.example", serial=7), ROOT.precertificate("g.example", serial=7, policies=["ov"]),
        ROOT.issue("h.example", serial=8, scts=[LOG.sct(AT)]), ROOT.issue("h.example", serial=8, policies=["ov"]),
        ROOT.precertificate("i.example", serial=9), OTHER.issue("i.example", serial=9),
        *OTHER.pair("j.example", serial=1, scts=[LOG.sct(AT)]), *ROOT.pair("k.example", serial=b"", scts=[LOG.sct(AT)]),
        SIGNING.precertificate("l.example", serial=11), ROOT.issue("l.example", serial=11, scts=[LOG.sct(AT)]),
        SIGNING.precertificate("m.example", serial=12), ROOT.issue("m.example", serial=12, policies=["ov"]),
        SIGNING.precertificate("n.example", serial=13), ROOT.precertificate("n.example", serial=13),
        ROOT.issue("n.example", serial=13, scts=[LOG.sct(AT)]),
    ]  # fmt: skip
    wanted = pairs([read_certificate(one.der) for one in made], [read_certificate(SIGNING.certificate.der)])
    listed = found(tmp_path, *made)
    columns = ("precertificate", "certificate", "serial", "issuer", "equal", "first_difference")
    key = str
    assert sorted([tuple(row[c] for c in columns) for row in listed], key=key) == sorted(
        [tuple(row[c] for c in columns) for row in wanted], key=key
    )
    assert len(wanted) >= 15


def test_a_precertificate_of_a_signing_certificate_goes_with_the_cas_certificate(tmp_path: Path) -> None:
    final = ROOT.issue("a.example", serial=5, scts=[LOG.sct(AT)])
    good, bad = SIGNING.precertificate("a.example", serial=5), SIGNING.precertificate("a.example", serial=5, days=91)
    assert shown(found(tmp_path / "1", final, good), final, good) == [(1, 0, True, None)]
    # Not its issuer, which is another on purpose, but what differs under the final one is named.
    assert shown(found(tmp_path / "2", final, bad), final, bad) == [(1, 0, False, "not_after")]
    forged = SIGNING.precertificate("a.example", serial=5, signed_by=ec_key("a stranger"))
    alone = [(1, None, None, None), (None, 0, None, None)]
    assert shown(found(tmp_path / "3", final, forged), final, forged) == alone


def test_of_a_log_entry_that_cannot_be_rebuilt_nothing_is_said(tmp_path: Path) -> None:
    again = extensions.authority_key_id(ROOT.key.identifier)
    twice = SIGNING.precertificate("a.example", serial=5, extensions=[again])
    final = ROOT.issue("a.example", serial=5, scts=[LOG.sct(AT)])
    assert shown(found(tmp_path, final, twice), final, twice) == [(1, 0, None, None)]


def test_a_pair_is_of_each_collection_in_which_one_of_it_stands_and_trusted_as_there(tmp_path: Path) -> None:
    first, second = ROOT.pair("a.example", scts=[LOG.sct(AT)])
    files: dict[str, Content] = {"trust/r.pem": ROOT, "a/1.pem": first, "a/2.pem": second, "b/1.pem": first,
                                 "b/2.pem": second, "d/2.pem": second}  # fmt: skip
    evidence = {"a": {"files": "a/*"}, "b": {"files": "b/*", "trust": "none"}, "d": {"files": "d/*"}}
    listed = rows(facts_of(tmp_path, files, evidence), "pairs")
    # In `d` the precertificate counts as it does where it stands: not everywhere is it trusted.
    assert [(row["collection"], row["equal"], row["authentic"]) for row in listed] == [
        ("a", True, True), ("b", True, False), ("d", True, False),
    ]  # fmt: skip


# --- SCTs -------------------------------------------------------------------------------------------------------------


def results(folder: Path, *made: build.Certificate, **files: Content) -> list[str]:
    """The results of all SCTs of some certificates, in their order."""
    every: dict[str, Content] = {"trust/r.pem": ROOT, "logs.json": log_list([LOG])}
    every |= files
    every |= {f"c/{number}.pem": one for number, one in enumerate(made)}
    facts = facts_of(folder, every, ct_logs="logs.json")
    by = {(row["certificate"], row["position"]): row["signature"] for row in rows(facts, "scts")}
    return [by[one.sha256, n] for one in made for n in range(1, 1 + sum(c == one.sha256 for c, _ in by))]


def true_sct(issuer: Authority = ROOT, at: int = AT, **options: Any) -> bytes:
    """What the log signs for the certificate `a.example` of these options, as it stands in its list."""
    tbs = read_certificate(issuer.issue("a.example", scts=[LOG.sct(at)], **options).der).precert_tbs
    return LOG.sct(at).sign(tbs, hashlib.sha256(issuer.key.spki).digest())


def test_each_result_of_a_signature(tmp_path: Path) -> None:
    leaf = ROOT.issue("a.example", scts=[true_sct(), UNKNOWN.sct(AT), LOG.sct(AT, signature=b"junk")])
    assert results(tmp_path / "1", leaf) == ["valid", "unknown log", "invalid"]
    strange = OTHER.issue("a.example", scts=[LOG.sct(AT), UNKNOWN.sct(AT)])
    assert results(tmp_path / "2", strange) == ["no issuer", "unknown log"]


def test_near_misses_of_a_true_sct(tmp_path: Path) -> None:
    sct = true_sct()
    later = sct[:33] + (AT + 1).to_bytes(8) + sct[41:]
    twin = Authority.root("Test Root", key=ec_key("a twin"))
    made = [
        ROOT.issue("a.example", scts=[sct]),
        ROOT.issue("a.example", scts=[later]),  # the time, by one millisecond
        # One octet of an extension, under a new signature of the CA; serial numbers are kept.
        ROOT.issue("a.example", scts=[sct], dns=["b.example"], serial=ROOT.issue("a.example").serial),
        ROOT.issue("a.example", scts=[sct], days=91, serial=ROOT.issue("a.example").serial),
        # The same name with another key: the log signed over the hash of the first one's.
        twin.issue("a.example", scts=[sct], aki=ROOT.key.identifier, serial=ROOT.issue("a.example").serial),
    ]
    assert read_certificate(made[4].der).precert_tbs == read_certificate(made[0].der).precert_tbs
    found = results(tmp_path, *made, **{"c/twin.pem": twin})
    assert found == ["valid", "invalid", "invalid", "invalid", "invalid"]
    # For what that key issued the log's word would be another.
    assert results(tmp_path / "2", twin.issue("a.example", scts=[true_sct(twin)]), **{"c/t.pem": twin}) == ["valid"]


def test_an_octet_changed_without_the_ca_leaves_no_issuer(tmp_path: Path) -> None:
    leaf = ROOT.issue("a.example", scts=[true_sct()])
    der = leaf.der.replace(b"a.example", b"b.example")
    assert len(der) == len(leaf.der)
    changed = build.Certificate(der, leaf.tbs, leaf.serial, leaf.subject, leaf.key)
    assert results(tmp_path, changed) == ["no issuer"]


def test_the_issuer_is_found_in_a_chain_whether_or_not_it_is_trusted(tmp_path: Path) -> None:
    middle = OTHER.intermediate("Middle")
    leaf = middle.issue("a.example", scts=[LOG.sct(AT)])
    assert results(tmp_path / "1", leaf) == ["no issuer"]
    assert results(tmp_path / "2", leaf, **{"c/m.pem": middle}) == ["valid"]


def test_many_are_verified_by_several_processes_to_the_same_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [ROOT.issue(f"{n}.example", scts=[LOG.sct(AT + n), *([UNKNOWN.sct(AT)] * (n % 2))]) for n in range(9)]
    made.append(ROOT.issue("a.example", scts=[true_sct(at=AT + 5), LOG.sct(AT, signature=b"junk")]))
    alone = results(tmp_path / "1", *made)
    asked = []

    def counting(processes: int, *limits: Any) -> workers.Pool:
        asked.append(processes)
        return workers.Pool(processes, *limits)

    monkeypatch.setattr(linking, "IN_PROCESS", 0)
    monkeypatch.setattr(linking, "SCT_BATCH", 2)
    monkeypatch.setattr(linking, "os", SimpleNamespace(cpu_count=lambda: 2))
    monkeypatch.setattr(linking, "workers", SimpleNamespace(Pool=counting, Failure=workers.Failure))
    assert results(tmp_path / "2", *made) == alone
    assert alone.count("valid") == 10
    assert alone.count("unknown log") == 4
    assert alone[-1] == "invalid"
    assert 2 in asked


# --- beside the parts -------------------------------------------------------------------------------------------------


def test_a_reader_that_fails_on_one_certificate_costs_its_neighbours_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [ROOT.issue(f"{number}.example") for number in range(5)]
    real = {name: getattr(detail, name) for name in ("detail", "names", "extensions")}
    broken: dict[str, build.Certificate] = {"detail": made[1], "names": made[2], "extensions": made[3]}

    def failing(name: str) -> Any:
        def read(certificate: Any) -> Any:
            if certificate.row["sha256"] == broken[name].sha256:
                raise IndexError("made to fail")
            return real[name](certificate)

        return read

    for name in broken:
        monkeypatch.setattr(detail, name, failing(name))
    files: dict[str, Content] = {"trust/r.pem": ROOT, "c/all.pem": "".join(one.pem() for one in made)}
    facts = facts_of(tmp_path, files)
    wanted = [row_of(facts, one) for one in made]
    assert [row["authentic"] for row in wanted] == [True] * 5
    named = {table: {row["certificate"] for row in rows(facts, table)} for table in ("names", "extensions")}
    assert named["names"] == {one.sha256 for one in made} - {made[2].sha256}
    assert named["extensions"] == {one.sha256 for one in made} - {made[3].sha256}
    alike = {one.sha256 for one in made if any(row_of(facts, one)[c] is not None for c in beside.DETAILS.names)}
    assert alike == {one.sha256 for one in made} - {made[1].sha256}
    assert sorted((p.certificate, p.field) for p in facts.problems) == sorted(
        [(made[1].sha256, "details"), (made[2].sha256, "names"), (made[3].sha256, "extensions")]
    )


def part(folder: Path, ders: list[bytes]) -> Path:
    """A part's file of certificates, as far as what is computed beside it needs it."""
    import pyarrow as pa

    folder.mkdir(exist_ok=True)
    pq.write_table(pa.table({"der": pa.array(ders, pa.large_binary())}), folder / "certificates.parquet")
    return folder


def test_files_beside_a_part_have_a_row_for_each_of_its_rows_even_of_junk(tmp_path: Path) -> None:
    good = [ROOT.issue("a.example").der, OTHER.issue("b.example").der]
    ders = [good[0], b"junk", good[1], b"", good[0][:-1]]
    folder = part(tmp_path / "part", ders)
    beside.save_keys(tmp_path / "keys.parquet", {ROOT.certificate.subject: (ROOT.key.spki,)})
    jobs = [
        Job(str(folder), "links-x", "links", str(tmp_path / "keys.parquet"), 5),
        Job(str(folder), "details", "details"),
        Job(str(folder), "weak", "weak"),
    ]
    for job in jobs:
        beside.run(job)
    spki = hashlib.sha256(ROOT.key.spki).hexdigest()
    assert pq.read_table(folder / "links-x.parquet")["spki_sha256"].to_pylist() == [spki, None, None, None, None]
    assert pq.read_table(folder / "details.parquet").num_rows == pq.read_table(folder / "weak.parquet").num_rows == 5
    faults = pq.read_table(folder / "detail_faults.parquet").to_pylist()
    assert [row["certificate"] for row in faults] == [hashlib.sha256(ders[n]).hexdigest() for n in (1, 3, 4)]
    assert {row["field"] for row in faults} == {"details"}
    names = set(pq.read_table(folder / "names.parquet")["certificate"].to_pylist())
    assert names == {hashlib.sha256(der).hexdigest() for der in good}
    assert not list(folder.glob(".*"))  # nothing half written is left


def test_what_stands_beside_a_part_is_not_computed_again(tmp_path: Path) -> None:
    folder = part(tmp_path / "part", [ROOT.issue("a.example").der])
    job = Job(str(folder), "weak", "weak", rows=1)
    assert beside.run(job) == 1
    before = (folder / "weak.parquet").stat().st_mtime_ns
    assert beside.run(job) == 1
    assert (folder / "weak.parquet").stat().st_mtime_ns == before


def test_links_are_a_function_of_the_keys_alone() -> None:
    one: beside.Keys = {b"a": (b"1", b"2")}
    other: beside.Keys = {b"a": (b"1",), b"2": ()}
    same: dict[bytes, tuple[bytes, ...]] = {b"b": (b"3",), b"a": (b"1",)}
    assert beside.keys_digest(same) == beside.keys_digest(dict(reversed(same.items())))
    assert len({beside.keys_digest(keys) for keys in (one, other, same, {})}) == 4
