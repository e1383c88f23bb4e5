"""From files to tables: which files are read, what is counted, and what becomes of what cannot be read."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from affidavit.evidence.corpus import Wanted
from affidavit.evidence.inspect import inspect_files
from affidavit.tables import TABLES, arrow_schema
from affidavit.types import Diagnostic, InputError
from testpki import asn1
from testpki.build import Authority, bundle
from testpki.crl import Revoked
from tests.evidence.case import Content, facts_of, row_of, rows

ROOT = Authority.root("Test Root")
LEAF, OTHER = ROOT.issue("a.example"), ROOT.issue("b.example")


def refused(folder: Path, files: dict[str, Content], *args: Any, **more: Any) -> Diagnostic:
    with pytest.raises(InputError) as caught:
        facts_of(folder, files, *args, **more)
    return caught.value.diagnostics[0]


# --- patterns ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pattern",
    [
        "../x.pem",
        "c/../../x.pem",
        "..",
        "/etc/passwd",
        "/etc/*",
        "~/x.pem",
        "~root/x",
        "c\\..\\x.pem",
        "c/*/../../../x",
    ],
)
def test_a_pattern_that_leaves_the_folder_is_refused(tmp_path: Path, pattern: str) -> None:
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "x.pem").write_text(LEAF.pem(), "utf-8")
    found = refused(tmp_path, {"c/1.pem": LEAF}, {"all": {"files": pattern}})
    assert found.code == "path-leaves-folder"
    assert found.pos.file == "reports/small/incident.yaml"
    assert found.pos.line > 1


@pytest.mark.parametrize("pattern", ["c/*", "c/*.pem", "c/out.pem", "**/*.pem"])
def test_a_link_out_of_the_folder_is_refused(tmp_path: Path, pattern: str) -> None:
    base = tmp_path / "evidence" / "small" / "c"
    base.mkdir(parents=True)
    (tmp_path / "outside.pem").write_text(LEAF.pem(), "utf-8")
    (base / "out.pem").symlink_to(tmp_path / "outside.pem")
    assert refused(tmp_path, {}, {"all": {"files": pattern}}).code == "path-leaves-folder"


def test_a_linked_folder_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    base = tmp_path / "evidence" / "small"
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "1.pem").write_text(LEAF.pem(), "utf-8")
    base.mkdir(parents=True)
    (base / "c").symlink_to(tmp_path / "outside")
    assert refused(tmp_path, {}, {"all": {"files": "c/*.pem"}}).code == "path-leaves-folder"


def test_the_evidence_folder_itself_is_no_link_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "outside" / "c").mkdir(parents=True)
    (tmp_path / "outside" / "c" / "1.pem").write_text(LEAF.pem(), "utf-8")
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "small").symlink_to(tmp_path / "outside")
    assert refused(tmp_path, {}).code == "path-leaves-folder"


def test_a_link_within_the_folder_is_followed(tmp_path: Path) -> None:
    base = tmp_path / "evidence" / "small"
    (base / "c").mkdir(parents=True)
    (base / "c" / "link.pem").symlink_to(Path("..") / "real.pem")
    facts = facts_of(tmp_path, {"real.pem": LEAF})
    assert [row["file"] for row in rows(facts)] == ["c/link.pem"]


def test_a_pattern_without_files_names_what_is_there(tmp_path: Path) -> None:
    found = refused(tmp_path, {"c/1.pem": LEAF, "d/2.pem": LEAF}, {"all": {"files": ["c/*", "x/*.crt"]}})
    assert found.code == "no-files"
    assert "'x/*.crt'" in found.message
    assert "c/1.pem, d/2.pem" in found.hint


def test_no_folder_and_an_empty_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        facts_of(tmp_path / "empty", {})
    assert (caught.value.diagnostics[0].code, caught.value.diagnostics[0].hint) == ("no-files", "it is empty")


def test_hidden_files_need_to_be_named(tmp_path: Path) -> None:
    files = {"c/.hidden.pem": LEAF, "c/1.pem": OTHER}
    assert len(rows(facts_of(tmp_path / "1", files))) == 1
    assert len(rows(facts_of(tmp_path / "2", files, {"all": {"files": "c/.hidden.pem"}}))) == 1


def test_a_file_with_brackets_in_its_name_may_be_named(tmp_path: Path) -> None:
    facts = facts_of(tmp_path, {"c/leaf[1].pem": LEAF, "c/leaf1.pem": OTHER}, {"all": {"files": "c/leaf[1].pem"}})
    assert [row["file"] for row in rows(facts)] == ["c/leaf[1].pem"]


def test_a_file_name_that_is_no_utf_8_is_refused(tmp_path: Path) -> None:
    base = tmp_path / "evidence" / "small" / "c"
    base.mkdir(parents=True)
    try:
        Path(os.fsdecode(os.fsencode(base) + b"/\xff.pem")).write_text(LEAF.pem(), "utf-8")
    except OSError:
        pytest.skip("this file system has no such names")
    found = refused(tmp_path, {})
    assert found.code == "bad-file-name"
    found.message.encode("utf-8")


# --- rows, copies, positions ------------------------------------------------------------------------------------------


def test_copies_are_counted_and_the_first_place_is_kept(tmp_path: Path) -> None:
    files: dict[str, Content] = {
        "c/1.pem": bundle([OTHER, LEAF]),
        "c/2.der": LEAF.der,
        "c/3.pem": bundle([LEAF, LEAF]),
        "trust/r.pem": ROOT,
    }
    facts = facts_of(tmp_path, files)
    row = row_of(facts, LEAF)
    assert (row["copies"], row["file"], row["position"]) == (4, "c/1.pem", 2)
    assert row_of(facts, OTHER)["copies"] == 1
    assert len(rows(facts)) == 2


def test_overlapping_patterns_read_a_file_once(tmp_path: Path) -> None:
    facts = facts_of(tmp_path, {"c/1.pem": LEAF}, {"all": {"files": ["c/*", "c/1.pem", "**/1.pem"]}})
    assert [row["copies"] for row in rows(facts)] == [1]


def test_the_same_certificate_in_two_collections_is_a_row_in_each(tmp_path: Path) -> None:
    files: dict[str, Content] = {"c/1.pem": LEAF, "d/1.pem": bundle([LEAF, LEAF])}
    facts = facts_of(tmp_path, files, {"one": {"files": "c/*"}, "two": {"files": ["d/*", "c/*"]}})
    found = {row["collection"]: (row["copies"], row["file"]) for row in rows(facts)}
    assert found == {"one": (1, "c/1.pem"), "two": (3, "c/1.pem")}
    assert {fact.name: fact.collections for fact in facts.files} == {"c/1.pem": ("one", "two"), "d/1.pem": ("two",)}


def test_the_tables_have_the_declared_schemas(tmp_path: Path) -> None:
    facts = facts_of(tmp_path, {"c/1.pem": LEAF, "c/2.pem": "junk"})
    wanted = Wanted.everything()
    assert set(wanted.tables()) == set(TABLES)
    for name in TABLES:
        declared = arrow_schema(name)
        asked = [field for field in declared if field.name in wanted.columns(name)]
        assert facts.tables[name].schema == pa.schema(asked)
        # Only tests of keys are not part of everything.
        assert {field.name for field in declared} - {field.name for field in asked} <= {"weak_key"}


def test_dates_of_the_year_9999_pass_into_the_tables(tmp_path: Path) -> None:
    leaf = ROOT.issue(not_after=asn1.generalized_time("99991231235959Z"))
    assert row_of(facts_of(tmp_path, {"c/1.pem": leaf}), leaf)["not_after"].year == 9999


def test_trust_files_are_no_rows_of_a_collection(tmp_path: Path) -> None:
    facts = facts_of(tmp_path, {"trust/r.pem": ROOT, "c/1.pem": LEAF})
    assert [row["sha256"] for row in rows(facts)] == [LEAF.sha256]
    assert [(fact.name, fact.collections) for fact in facts.files] == [("c/1.pem", ("all",)), ("trust/r.pem", ())]


# --- problems ---------------------------------------------------------------------------------------------------------


def test_one_bad_of_fifty_is_forty_nine_rows_and_one_problem(tmp_path: Path) -> None:
    pems = [ROOT.issue(f"n{number}.example").pem() for number in range(50)]
    pems[16] = pems[16].replace("M", "*", 1)
    facts = facts_of(tmp_path, {"c/all.pem": "".join(pems)})
    assert len(rows(facts)) == 49
    (problem,) = rows(facts, "problems")
    assert (problem["file"], problem["position"], problem["collection"]) == ("c/all.pem", 17, "all")
    assert "not base64" in problem["reason"]
    assert problem["certificate"] is None
    assert sorted(row["position"] for row in rows(facts)) == [n for n in range(1, 51) if n != 17]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"\x00\x01junk" * 9, "neither PEM nor DER"),
        (LEAF.der[:-5], "truncated"),
        (LEAF.der + b"\x00", "1 octets follow"),
        (asn1.pem(LEAF.der[:-5]), "truncated"),
        (asn1.pem(b""), "ends early"),
        (asn1.pem(b"\x30\x80" + LEAF.der[4:]), "indefinite length"),
        (b"\x30\xff" + b"\x30" * 9, "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_problem_and_its_neighbours_are_read(
    tmp_path: Path, content: bytes | str, reason: str
) -> None:
    facts = facts_of(tmp_path, {"c/1.pem": LEAF, "c/2.pem": content, "c/3.pem": OTHER})
    assert len(rows(facts)) == 2
    (problem,) = facts.problems
    assert problem.file == "c/2.pem"
    assert reason in problem.reason


def test_a_part_that_cannot_be_read_names_its_certificate(tmp_path: Path) -> None:
    odd = ROOT.issue(not_after=asn1.utc_time("99"))
    facts = facts_of(tmp_path, {"c/1.pem": bundle([LEAF, odd])})
    assert row_of(facts, odd)["not_after"] is None
    (problem,) = rows(facts, "problems")
    assert (problem["position"], problem["field"], problem["certificate"]) == (2, "not_after", odd.sha256)


def test_a_problem_is_told_for_each_collection(tmp_path: Path) -> None:
    files: dict[str, Content] = {"c/1.pem": LEAF, "c/2.pem": "junk"}
    facts = facts_of(tmp_path, files, {"one": {"files": "c/*"}, "two": {"files": "c/*"}})
    assert [(p.collection, p.file) for p in facts.problems] == [("one", "c/2.pem"), ("two", "c/2.pem")]


def test_an_excuse_stands_with_its_problem(tmp_path: Path) -> None:
    evidence = {"all": {"files": "c/*", "unreadable": {"c/2.pem": "an empty mail"}}, "two": {"files": "c/2.pem"}}
    facts = facts_of(tmp_path, {"c/1.pem": LEAF, "c/2.pem": ""}, evidence)
    assert [(p.collection, p.excused) for p in facts.problems] == [("all", "an empty mail"), ("two", "")]
    assert [row["excused"] for row in rows(facts, "problems")] == ["an empty mail", None]


@pytest.mark.parametrize("name", ["c/1.pem", "c/3.pem", "x"])
def test_an_excuse_for_what_is_readable_or_not_there_is_an_error(tmp_path: Path, name: str) -> None:
    evidence = {"all": {"files": "c/*", "unreadable": {name: "a reason"}}}
    found = refused(tmp_path, {"c/1.pem": LEAF, "c/2.pem": ""}, evidence)
    assert found.code == "not-unreadable"
    assert f"'{name}'" in found.message
    text = (tmp_path / "reports/small/incident.yaml").read_text("utf-8").splitlines()
    assert text[found.pos.line - 1].strip().startswith(name)


# --- trust, logs, private keys ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", ["", "junk", LEAF.der[:-4], ROOT.crl(this_update="2016-01-01")])
def test_trust_files_must_hold_certificates(tmp_path: Path, content: Content) -> None:
    assert refused(tmp_path, {"trust/r.pem": content, "c/1.pem": LEAF}).code == "bad-trust"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "logs.json"),
        ("[]", "version 3"),
        ("{}", "version 3"),
        ("[" * 100_000, "version 3"),
        ("\udcff", "logs.json"),
        ('{"operators": [{"logs": [{"key": "AAAA", "log_id": "AAAA", "description": "x"}]}]}', "another ID"),
        ('{"operators": [{"logs": [{"key": "*", "log_id": "AAAA"}]}]}', "version 3"),
        ('{"operators": [{"logs": 5}]}', "version 3"),
    ],
)
def test_a_bad_log_list_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    content = text.encode("utf-8", "surrogateescape")
    found = refused(tmp_path, {"c/1.pem": LEAF, "logs.json": content}, ct_logs="logs.json")
    assert found.code == "bad-log-list"
    assert reason in found.message


@pytest.mark.parametrize(
    "dress",
    [lambda key: key, lambda key: LEAF.pem().encode() + key, lambda key: b"  " + key.replace(b"\n", b"\n  ")],
)
@pytest.mark.parametrize("place", ["c/some.pem", "trust/some.pem"])
def test_a_private_key_stops_all_and_its_file_is_named(
    tmp_path: Path, dress: Callable[[bytes], bytes], place: str
) -> None:
    key = asn1.pem(asn1.sequence(asn1.integer(1), asn1.octet_string(bytes(32))), "EC PRIVATE KEY").encode()
    found = refused(tmp_path, {"c/1.pem": LEAF, "trust/r.pem": ROOT, place: dress(key)})
    assert found.code == "private-key"
    assert place in found.message
    assert found.pos.file == "reports/small/incident.yaml"


# --- inspect ----------------------------------------------------------------------------------------------------------


def test_inspect_gives_every_table_though_nothing_is_readable(tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_bytes(b"junk")
    found = inspect_files([tmp_path / "x.pem"])
    assert {name: len(listed) for name, listed in found.items()} == {
        name: int(name in ("problems", "sources")) for name in TABLES
    }


def test_inspect_trusts_nothing(tmp_path: Path) -> None:
    crl = ROOT.crl([Revoked(5, "2016-01-01")], this_update="2016-01-01")
    (tmp_path / "x.pem").write_text(bundle([ROOT.certificate, LEAF]) + crl.pem(), "utf-8")
    found = inspect_files([tmp_path / "x.pem"])
    assert [row["authentic"] for row in found["certificates"] + found["revocations"]] == [False] * 3
    assert {row["issued_by"] for row in found["certificates"]} == {ROOT.certificate.sha256}


def test_inspect_names_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        inspect_files([tmp_path / "no.pem"])
    assert caught.value.diagnostics[0].code == "file-missing"
