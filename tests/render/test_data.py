import csv
import io
import json
from datetime import datetime
from pathlib import Path

import jsonschema
import pyarrow.parquet as pq
import pytest

from affidavit.check.compile import compile_claims
from affidavit.evidence.extract import Facts, to_arrow
from affidavit.incident.load import load
from affidavit.render import data, verdicts
from affidavit.run import Run, check_facts, check_report
from affidavit.times import rfc3339
from tests.shipped import shipped

ROOT = Path(__file__).parents[2]
REPORTS = sorted(path.parent.name for path in (ROOT / "reports").glob("*/incident.yaml"))

INCIDENT = """\
title: 'Names that spreadsheets run'
kind: analysis
date: 2016-10-01
timezone: Asia/Shanghai
trust: none
evidence:
  all: {files: a.pem}
  some: {files: a.pem}
claims:
  two:
    says: There are 2 certificates.
    made: 2016-09-30
    over: all
    count: 2
  five:
    says: There are 5 certificates.
    over: all
    count: 5
    stands: false
  unseen:
    says: They were made by hand.
    unchecked: no certificate says how it was made
"""
at = datetime.fromisoformat
A, B, P, Q = ("a" * 64, "b" * 64, "c" * 64, "d" * 64)


def row(sha256: str, **more: object) -> dict[str, object]:
    return {
        "sha256": sha256, "kind": "certificate", "serial": "0100", "subject": "CN=x", "issuer": "CN=ca",
        "issuer_der_sha256": "1" * 64, "issuer_spki_sha256": "2" * 64, "dns_names": [], "is_ca": False,
        "not_before": at("2016-01-04T16:00:05"), "not_after": at("2019-01-04T00:00:00"), "authentic": True,
        "collection": "all", "file": "a.pem", "position": 1, "copies": 1,
    } | more  # fmt: skip


Rows = list[dict[str, object]]


def run_with(tmp_path: Path, certificates: Rows, revocations: Rows) -> Run:
    path = tmp_path / "reports" / "small" / "incident.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(INCIDENT, encoding="utf-8")
    report = load(path, tmp_path / "evidence", tmp_path)
    tables = to_arrow({"certificates": certificates, "scts": [], "revocations": revocations, "problems": []})
    return check_facts(report, compile_claims(report), Facts(tables, (), ()))


def csv_of(run: Run) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.certificates_csv(run).decode(), newline=""), strict=True))


@pytest.fixture
def small(tmp_path: Path) -> Run:
    revocation = {
        "issuer": "CN=ca", "issuer_der_sha256": "1" * 64, "issuer_spki_sha256": "2" * 64, "serial": "0100",
        "revoked_at": at("2016-08-30T02:00:00"), "reason": "keyCompromise", "source": "a.crl",
        "authentic": True,
    }  # fmt: skip
    both = {"precert_tbs_sha256": "f" * 64, "dns_names": ["a.example", "b.example"]}
    expired = at("2016-09-30T15:59:59")
    return run_with(
        tmp_path,
        [
            row(A, **both),
            row(P, kind="precertificate", precert_tbs_sha256="f" * 64),
            row(B, serial="02", issuer_spki_sha256=None, not_after=expired, subject='=HYPERLINK("x")', file="-a,b.pem"),
            row(Q, kind="precertificate", serial="-03", precert_tbs_sha256="e" * 64, subject="O=a\r\nb"),
            row(A, **both, collection="some", copies=3),
        ],
        [
            revocation,
            # A later CRL with another date: the earliest counts, as in the assertion `revoked`.
            revocation | {"revoked_at": at("2016-09-01"), "reason": "superseded", "source": "b.crl"},
            # One whose signature does not lead to the issuer is no evidence.
            revocation | {"serial": "02", "authentic": False, "issuer_spki_sha256": None},
        ],
    )


def test_ccadb_columns_come_first_and_in_order(small: Run):
    header = data.certificates_csv(small).decode().split("\r\n")[0]
    # CCADB incident guidelines 3.2, Appendix.
    assert header.startswith(
        "Precertificate SHA-256 hash,Certificate SHA-256 hash,Subject,Issuer,Not before,Not after,Serial #,"
        "dNSNames,Is revoked?,Revocation date,Revocation reason,"
    )


def test_one_line_a_certificate_with_its_precertificate_and_revocation(small: Run):
    first, second, third = csv_of(small)
    assert list(first.values()) == [
        P, A, "CN=x", "CN=ca", "2016-01-04T16:00:05Z", "2019-01-04T00:00:00Z", "0100", "a.example, b.example",
        "Yes", "2016-08-30T02:00:00Z", "keyCompromise", "all; some", "certificate", "No", "Yes", "1; 3",
        "a.pem", "1",
    ]  # fmt: skip
    # Expired one second before the report's day begins in China: 2016-10-01 there is 2016-09-30T16:00:00Z.
    assert [second[key] for key in data.CCADB_COLUMNS[-3:]] == ["N/A", "N/A", "N/A"]
    # A precertificate without its certificate has a line of its own.
    assert (third["Precertificate SHA-256 hash"], third["Certificate SHA-256 hash"]) == (Q, "")
    assert third["Is revoked?"] == third["Revocation date"] == ""


def test_formula_guard_in_free_text_only(small: Run):
    _, second, third = csv_of(small)
    assert second["Subject"] == '\'=HYPERLINK("x")'
    assert second["File"] == "'-a,b.pem"
    assert third["Serial #"] == "-03"
    assert third["Subject"] == "O=a\r\nb"
    for start in "=+-@\t\r\n":
        assert data.guarded(start + "x") == f"'{start}x"
    assert data.guarded("CN=a") == "CN=a"


def test_rfc_4180_line_ends_and_quotes(small: Run):
    text = data.certificates_csv(small).decode()
    assert text.endswith("\r\n")
    assert '"\'=HYPERLINK(""x"")"' in text
    assert text.replace("\r\n", "").count("\n") == 0


def test_verdicts_of_a_small_report(small: Run):
    whole = json.loads(data.verdicts_json(small))
    assert whole["report"]["date"] == "2016-10-01"
    assert whole["passes"] is True
    assert whole["tally"] == {
        "verified": 1, "refuted": 1, "unproven": 0, "documented": 0, "unchecked": 1, "total": 3, "failing": 0,
    }  # fmt: skip
    two, five, unseen = whole["claims"]
    assert (two["id"], two["outcome"], two["stands"]) == ("two", "verified", "true")
    assert two["made"] == "2016-09-30"
    assert two["place"] == {"file": "incident.yaml", "line": 10, "column": 3}
    assert two["findings"][0]["assertion"] == "count"
    assert two["findings"][0]["place"] == {"file": "incident.yaml", "line": 14, "column": 12}
    assert two["certificates"] == [A, B]
    assert two["counts"]["other_kind"] == 2
    assert two["basis"]["kind"] == "given"
    assert "SELECT" in two["query"]
    assert (five["outcome"], five["stands"], five["passes"]) == ("refuted", "false", True)
    assert (unseen["outcome"], unseen["table"], unseen["over"]) == ("unchecked", None, [])
    assert str(small.report.path.parent) not in json.dumps(whole)


@pytest.mark.parametrize("slug", REPORTS)
def test_shipped_reports_fit_the_schema(slug: str):
    run = shipped(slug)
    schema = json.loads((ROOT / "docs" / "verdicts.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    text = data.verdicts_json(run)
    jsonschema.Draft202012Validator(schema).validate(json.loads(text))
    assert text.isascii()
    assert text.endswith(b"}\n")
    assert text == data.verdicts_json(run)
    assert {c["id"] for c in json.loads(text)["claims"]} == set(run.verdicts)
    tables = dict(data.facts_parquet(run))
    assert tables == dict(data.facts_parquet(run))
    for name, table in run.facts.tables.items():
        read = pq.read_table(io.BytesIO(tables[f"{name}.parquet"]))
        assert read.equals(table)
    metadata = pq.ParquetFile(io.BytesIO(tables["certificates.parquet"])).metadata
    assert metadata.row_group(0).column(0).compression == "ZSTD"
    certificates = {r["sha256"] for r in run.facts.tables["certificates"].to_pylist()}
    told = {line[key] for line in csv_of(run) for key in data.CCADB_COLUMNS[:2]} - {""}
    assert {one for cell in told for one in cell.split("; ")} == certificates


def test_the_schema_refuses_what_is_not_in_it(small: Run):
    validator = jsonschema.Draft202012Validator(verdicts.verdicts_schema())
    whole = json.loads(data.verdicts_json(small))
    assert validator.is_valid(whole)
    assert not validator.is_valid(whole | {"more": 1})
    assert not validator.is_valid({key: value for key, value in whole.items() if key != "tally"})
    whole["claims"][0]["outcome"] = "true"
    assert not validator.is_valid(whole)


def test_generated_documents_are_those_of_the_code():
    assert (ROOT / "docs" / "verdicts.schema.json").read_text(encoding="utf-8") == verdicts.schema_text()
    assert (ROOT / "docs" / "verdicts.md").read_text(encoding="utf-8") == verdicts.verdicts_markdown()


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (at("2016-01-04"), "2016-01-04T00:00:00Z"),
        (at("2016-01-04T01:02:03.040000"), "2016-01-04T01:02:03.04Z"),
        (at("0950-01-01"), "0950-01-01T00:00:00Z"),
    ],
)
def test_times_are_rfc_3339(moment: datetime, text: str):
    assert rfc3339(moment) == text


def test_a_claim_over_any_table_has_its_page(tmp_path):
    from affidavit.render.pages import report_pages
    from affidavit.tables import TABLES
    from testpki.build import Authority, bundle
    from testpki.crl import Revoked

    root = Authority.root("Test Root")
    evidence, report = tmp_path / "evidence/r", tmp_path / "reports/r"
    evidence.mkdir(parents=True)
    report.mkdir(parents=True)
    (evidence / "all.pem").write_text(bundle([root.certificate, *root.pair("a.example")]))
    (evidence / "a.crl").write_text(root.crl([Revoked(5, "2024-03-01")], this_update="2024-04-01").pem())
    (evidence / "list.txt").write_text("https://crt.sh/?sha256=" + "ab" * 32 + "\n")
    (evidence / "junk.bin").write_bytes(b"\x30\x82junk")
    lines = []
    for name, table in TABLES.items():
        test = f"{table.names[0]} = {table.names[0]}"
        lines.append(
            f"  {name.replace('_', '-')}: {{says: None., over: all, table: {name}, kind: any, none: '{test}'}}\n"
        )
    evidence_line = "evidence:\n  all: {files: '*', unreadable: {junk.bin: on purpose}}\n"
    (report / "incident.yaml").write_text(
        "title: T\nkind: analysis\ndate: 2026-01-01\ntrust: none\n" + evidence_line + "claims:\n" + "".join(lines)
    )
    run = check_report(report / "incident.yaml", tmp_path / "evidence", tmp_path)
    pages = dict(report_pages(run, pdf=False))
    for name in TABLES:
        assert f'id="claim-{name.replace("_", "-")}"'.encode() in pages["r/index.html"]
    assert "refuted" in {v.outcome.value for v in run.verdicts.values()}
