"""Captured evidence through the pipeline: CRLs, OCSP responses, log entries, lists. Expected values are openssl's."""

import json
import re
import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from affidavit.evidence import crl, forms
from affidavit.serials import show_serial
from testpki.build import Authority
from testpki.crl import Revoked
from tests.evidence.case import Content, facts_of, rows
from tests.evidence.corpora import VECTORS, shared, zlint_files


def sample(name: str) -> bytes:
    return shared(f"evidence-samples/{name}").read_bytes()


# --- OCSP (what `openssl ocsp -respin` said stands in the samples' README) --------------------------------------------

RANDOMBIT: dict[str, str] = {
    "c/leaf.pem": "ocsp/randombit.pem",
    "c/good.der": "ocsp/randombit_ocsp.der",
    "c/forged.der": "ocsp/randombit_ocsp_forged_revoked.der",
    "trust/x3.pem": "ocsp/letsencrypt.pem",
}


def ocsp_of(folder: Path, files: dict[str, str]) -> dict[str, dict[str, Any]]:
    read: dict[str, Content] = {name: sample(path) for name, path in files.items()}
    return {row["source"]: row for row in rows(facts_of(folder, read), "ocsp")}


def test_an_answer_signed_by_the_issuer_is_authentic_and_a_strangers_is_not(tmp_path: Path) -> None:
    found = ocsp_of(tmp_path, RANDOMBIT)
    good, forged = found["c/good.der"], found["c/forged.der"]
    assert good["serial"] == forged["serial"] == "03E89ED07A424B72A35FAD167F48A4F25AD2"
    assert (good["status"], good["authentic"], good["delegated"]) == ("good", True, False)
    assert good["produced_at"] == datetime(2016, 11, 18, 12, 16)
    assert (good["this_update"], good["next_update"]) == (datetime(2016, 11, 18, 12), datetime(2016, 11, 25, 12))
    assert (forged["status"], forged["authentic"]) == ("revoked", False)
    assert forged["revoked_at"] == datetime(2016, 11, 18, 12)


def test_a_delegated_responder_needs_its_issuers_signature(tmp_path: Path) -> None:
    files = {"c/chain.pem": "ocsp/akamai-chain.pem", "c/r.der": "ocsp/akamai-2017-06-23.der"}
    with_issuer = ocsp_of(tmp_path / "1", {**files, "trust/chain.pem": "ocsp/akamai-chain.pem"})["c/r.der"]
    assert (with_issuer["status"], with_issuer["authentic"], with_issuer["delegated"]) == ("good", True, True)
    assert with_issuer["serial"] == "63B9EC7EFF988335F113D67D2F864D35"
    assert with_issuer["responder"] == "df4e8dc89de7896a6a4a7f5716a03b881e640565"
    without = ocsp_of(tmp_path / "2", {**files, "trust/x3.pem": "ocsp/letsencrypt.pem"})["c/r.der"]
    assert without["authentic"] is False


def test_one_octet_changed_makes_an_answer_nobodys(tmp_path: Path) -> None:
    read: dict[str, Content] = {name: sample(path) for name, path in RANDOMBIT.items()}
    good = bytes(sample("ocsp/randombit_ocsp.der"))
    at = good.index(bytes.fromhex("03e89ed07a424b72a35fad167f48a4f25ad2"))
    read["c/good.der"] = good[: at + 5] + bytes([good[at + 5] ^ 1]) + good[at + 6 :]
    (changed,) = [row for row in rows(facts_of(tmp_path, read), "ocsp") if row["source"] == "c/good.der"]
    assert changed["serial"] != "03E89ED07A424B72A35FAD167F48A4F25AD2"
    assert changed["authentic"] is False


@pytest.mark.parametrize("status", [1, 2, 3, 5, 6])
def test_an_unsigned_error_proves_nothing(tmp_path: Path, status: int) -> None:
    # OCSPResponse with a status alone (RFC 6960 2.3).
    facts = facts_of(tmp_path, {"c/r.der": bytes([0x30, 3, 0x0A, 1, status])})
    assert not any(row["authentic"] or row["status"] for row in rows(facts, "ocsp"))


# --- CRLs -------------------------------------------------------------------------------------------------------------


#: Where the reading differs from openssl's on purpose, and why.
ON_PURPOSE = {
    # An extension that stands twice tells nothing.
    ("zlint-testdata/crl_with_duplicate_ext.pem", "number"),
    # A critical entry extension that is not understood: the entry counts for nothing (RFC 5280 5.3).
    ("UnknownCRLEntryExtensionCACRL.crl", "entries"),
}


def crl_text(der: bytes) -> str | None:
    done = subprocess.run(
        ["openssl", "crl", "-inform", "DER", "-noout", "-text"], input=der, capture_output=True, check=False, timeout=60
    )
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None


def openssl_time(text: str) -> datetime | None:
    try:
        return datetime.strptime(" ".join(text.split()), "%b %d %H:%M:%S %Y GMT")
    except ValueError:
        # Years of less than four digits, as openssl prints them.
        short = re.fullmatch(r"(\w{3} +\d+ [\d:]{8}) (\d{1,3}) GMT", text.strip())
        return openssl_time(f"{short[1]} {int(short[2]):04} GMT") if short else None


def judged(text: str) -> dict[str, Any]:
    """What openssl says of a CRL: entries as (serial, time), both updates, and its number."""
    entries = re.findall(r"Serial Number: (-?[0-9A-F]+)\n\s+Revocation Date: (.*)", text)
    number = re.search(r"X509v3 CRL Number:(?: critical)?\s*\n\s+(\S+)", text)
    this, following = (re.search(rf"{name} Update: (.*)", text) for name in ("Last", "Next"))
    return {
        "entries": [(show_serial(int(serial, 16)), openssl_time(at)) for serial, at in entries],
        "this_update": openssl_time(this[1]) if this else None,
        "next_update": openssl_time(following[1]) if following else None,
        "number": int(number[1], 0) if number and re.fullmatch(r"0x[0-9A-Fa-f]+|\d+", number[1]) else None,
    }


def crls() -> list[tuple[str, bytes]]:
    found = []
    files = [*zlint_files(), *((p.name, p.read_bytes()) for p in sorted(VECTORS.rglob("*.crl")))]
    files += [(p.name, p.read_bytes()) for p in sorted(shared("evidence-samples/crls").iterdir())]
    for name, content in files:
        try:
            found += [(name, item.data) for item in forms.items(content, name) if item.kind == "crl"]
        except forms.PrivateKeyFound:
            continue
    return found


def test_crls_say_what_openssl_reads() -> None:
    compared, refused, differences = 0, 0, []
    for name, der in crls():
        text = crl_text(der)
        if text is None:
            refused += 1
            continue
        compared += 1
        wanted = judged(text)
        read = crl.read(der)
        (head,) = read.rows["crls"]
        entries = [(row["serial"], row["revoked_at"]) for row in read.rows.get("revocations", [])]
        ours = {"entries": entries, "this_update": head["this_update"], "next_update": head["next_update"]}
        if wanted["number"] is not None:
            ours["number"] = head["crl_number"] and int(head["crl_number"])
        differences += [
            (name, key, value, wanted[key])
            for key, value in ours.items()
            if value != wanted[key] and (name, key) not in ON_PURPOSE
        ]
    print(f"{compared} CRLs compared, {refused} refused by openssl, {len(differences)} differences")
    assert differences == []
    # 61 of zlint's, 173 of NIST's PKITS and four samples.
    assert compared >= 230
    assert refused <= 3


ROOT = Authority.root("Test Root")
OTHER = Authority.root("Other Root")


def revocations(folder: Path, *crls_: Any, **more: Content) -> list[dict[str, Any]]:
    files: dict[str, Content] = {"trust/r.pem": ROOT, "c/leaf.pem": ROOT.issue("a.example", serial=5)}
    files |= {f"c/{n}.crl": one for n, one in enumerate(crls_)} | more
    return rows(facts_of(folder, files), "revocations")


def test_a_crl_of_the_issuer_is_authentic_and_a_strangers_is_not(tmp_path: Path) -> None:
    own = ROOT.crl([Revoked(5, "2024-02-01")], this_update="2024-02-02")
    strange = OTHER.crl([Revoked(5, "2024-02-01")], this_update="2024-02-02")
    found = {row["issuer"]: row["authentic"] for row in revocations(tmp_path, own, strange)}
    assert found == {"CN=Test Root": True, "CN=Other Root": False}


def test_a_crl_with_an_octet_changed_is_not_authentic(tmp_path: Path) -> None:
    der = forms_der(ROOT.crl([Revoked(5, "2024-02-01")], this_update="2024-02-02").pem())
    at = der.index(b"240201000000Z")
    changed = der[: at + 5] + b"2" + der[at + 6 :]
    (row,) = revocations(tmp_path, changed)
    assert (row["revoked_at"], row["authentic"]) == (datetime(2024, 2, 2), False)


def forms_der(pem: str) -> bytes:
    (item,) = forms.items(pem.encode())
    return item.data


def test_the_first_listing_is_that_of_the_earliest_crl(tmp_path: Path) -> None:
    listed = [ROOT.crl([Revoked(5, "2024-02-01")], this_update=f"2024-02-{day:02}") for day in (9, 3, 6)]
    found = revocations(tmp_path, *listed)
    assert {row["first_seen"] for row in found} == {datetime(2024, 2, 3)}


# --- log entries ------------------------------------------------------------------------------------------------------


def test_log_entries_have_their_times_and_certificates(tmp_path: Path) -> None:
    files: dict[str, Content] = {
        "c/four.json": sample("ct/get-entries-2014-four.json"),
        "c/two.json": sample("ct/get-entries-cert-and-precert.json"),
    }
    facts = facts_of(tmp_path, files)
    serials = {row["sha256"]: row["serial"] for row in rows(facts)}
    epoch = datetime(1970, 1, 1)
    # Timestamps in milliseconds and serial numbers as the README has them.
    assert [(row["timestamp"], serials[row["certificate"]]) for row in rows(facts, "log_entries")] == [
        (epoch + timedelta(milliseconds=stamp), serial)
        for stamp, serial in (
            (1364258252899, "1484F905000000007D3C"),
            (1364288407155, "F63A"),
            (1364288407155, "0A298A5E6349FB08834B6CC9BE0E8B0B672FAEF4"),
            (1364288407156, "1121353F3DECED6C539F16D45E6C2387B421"),
            (1415843953342, "6A5D4161F5C9B68043270B0C"),
            (1422867427528, "0532298C396A3E25FCAA1977E827B5F3"),
        )
    ]
    last = rows(facts, "log_entries")[-1]
    assert (last["kind"], last["tbs_matches"]) == ("precertificate", True)


def test_a_precertificate_that_is_another_than_the_one_logged_is_told(tmp_path: Path) -> None:
    import base64

    whole = json.loads(sample("ct/get-entries-cert-and-precert.json"))
    leaf = bytearray(base64.b64decode(whole["entries"][1]["leaf_input"]))
    at = leaf.index(bytes.fromhex("0532298c396a3e25fcaa1977e827b5f3"))
    leaf[at + 3] ^= 1
    whole["entries"][1]["leaf_input"] = base64.b64encode(leaf).decode()
    facts = facts_of(tmp_path, {"c/two.json": json.dumps(whole)})
    assert [row["tbs_matches"] for row in rows(facts, "log_entries")] == [None, False]


@pytest.mark.parametrize(
    "text", ['{"entries": 5}', '{"entries": [5]}', '{"entries": [{"leaf_input": "AA", "extra_data": ""}]}',
             '{"entries": [{"leaf_input": "AAAA", "extra_data": "!"}]}', '{"entries": [{}]}'],
)  # fmt: skip
def test_bad_log_entries_are_problems_and_no_rows(tmp_path: Path, text: str) -> None:
    facts = facts_of(tmp_path, {"c/x.json": text})
    assert rows(facts, "log_entries") == []
    assert rows(facts, "problems")


# --- lists ------------------------------------------------------------------------------------------------------------


def test_a_ccadb_list_is_held_against_the_certificates_at_hand(tmp_path: Path) -> None:
    files: dict[str, Content] = {"c/list.csv": sample("lists/appendix-letsencrypt-2023.csv")}
    files["c/bad.pem"] = sample("letsencrypt-2023/bad-final.pem")
    found = rows(facts_of(tmp_path, files), "lists")
    assert [(row["serial"], row["held"], row["is_revoked"]) for row in found] == [
        ("03E2267B786B7E338317DDD62E764FCB3C71", True, True),
        ("03D91C3D22B404F20DF3C1631C22E1754B8D", False, None),
    ]
    assert found[0]["revoked_at"] == datetime(2023, 6, 19, 18)


def crtsh(number: int) -> str:
    one = {"issuer_ca_id": 1, "issuer_name": "CN=Test Root", "common_name": "a", "name_value": "a.example\nb.example",
           "id": 7, "entry_timestamp": "2026-07-14T12:08:19.1", "not_before": "2026-07-14T11:09:47",
           "not_after": "2026-10-12T11:09:46", "serial_number": "05", "result_count": 2}  # fmt: skip
    return json.dumps([one | {"id": n} for n in range(number)])


@pytest.mark.parametrize(("number", "capped"), [(1, False), (9_999, False), (10_000, True), (10_001, True)])
def test_ten_thousand_rows_of_crtsh_exactly_are_capped(tmp_path: Path, number: int, capped: bool) -> None:
    facts = facts_of(tmp_path, {"c/x.json": crtsh(number), "c/leaf.pem": ROOT.issue("a.example", serial=5)})
    (source,) = [row for row in rows(facts, "sources") if row["file"] == "c/x.json"]
    assert source["capped"] is capped
    assert facts.tables["lists"].num_rows == number
    # An index, never a certificate.
    assert facts.tables["certificates"].num_rows == 1


def test_fingerprints_count_and_say_that_no_certificate_stands_behind_them(tmp_path: Path) -> None:
    leaf = ROOT.issue("a.example")
    text = f"https://crt.sh/?sha256={leaf.sha256}\nhttps://crt.sh/?sha256={'ab' * 32}\n"
    found = rows(facts_of(tmp_path, {"c/links.txt": text, "c/leaf.pem": leaf}), "lists")
    assert [(row["sha256"], row["held"]) for row in found] == [(leaf.sha256, True), ("ab" * 32, False)]


# --- linter results ---------------------------------------------------------------------------------------------------


def test_zlints_words_are_kept_apart(tmp_path: Path) -> None:
    leaf = ROOT.issue("a.example")
    results = {"e_a_rule": {"result": "error", "details": "why"}, "e_b_rule": {"result": "NA"},
               "w_c_rule": {"result": "NE"}, "e_d_rule": {"result": "pass"}}  # fmt: skip
    one = json.dumps({"sha256": leaf.sha256, "lints": results})
    facts = facts_of(tmp_path, {"c/z.json": one, "c/leaf.pem": leaf, "trust/r.pem": ROOT})
    found = {row["code"]: (row["result"], row["authentic"], row["details"]) for row in rows(facts, "lints")}
    assert found == {
        "e_a_rule": ("error", True, "why"), "e_b_rule": ("not applicable", True, None),
        "w_c_rule": ("not yet in force", True, None), "e_d_rule": ("pass", True, None),
    }  # fmt: skip
    strange = facts_of(tmp_path / "2", {"c/z.json": one, "c/leaf.pem": ROOT.issue("b.example"), "trust/r.pem": ROOT})
    assert {row["authentic"] for row in rows(strange, "lints")} == {False}
