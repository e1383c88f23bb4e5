"""Whole corpora, sound and malformed, through the pipeline: each file leaves rows or problems, none a crash."""

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from affidavit.evidence import forms
from affidavit.evidence.certificate import Certificate, read_certificate
from affidavit.evidence.extract import Facts
from tests.evidence.case import facts_of, rows
from tests.evidence.corpora import shared, vector_files, zlint_files


def read_all(folder: Path, files: Iterable[tuple[str, bytes]]) -> tuple[Facts, set[str], set[str]]:
    """The facts of all files but those that hold private keys; the names of the files, and of those left out."""
    kept, keys = {}, set()
    for number, (name, content) in enumerate(files):
        try:
            list(forms.items(content, name))
        except forms.PrivateKeyFound:
            keys.add(name)
            continue
        kept[f"c/{number:04}-{name.replace('/', '-')}"] = content
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        facts = facts_of(folder, kept)
        every = {name: rows(facts, name) for name in facts.tables}
    traces = {row["file"] for name in ("certificates", "problems") for row in every[name]}
    traces |= {row["file"] for row in every["sources"] if {"crl", "ocsp"} & set(row["form"].split(", "))}
    # A file whose certificates all stand in earlier files leaves its trace as their copies.
    held = {row["file"] for row in every["sources"] if row["certificates"]}
    assert set(kept) == traces | held
    for problem in every["problems"]:
        assert problem["reason"]
        assert "index out of range" not in problem["reason"]
    return facts, set(kept), keys


def forms_of(facts: Facts, name: str) -> list[str]:
    """The files that hold things of a form."""
    return [row["file"] for row in rows(facts, "sources") if name in row["form"].split(", ")]


def count(facts: Facts) -> int:
    """Certificates, each as often as it stands in the files."""
    found: int = sum(row["copies"] for row in rows(facts))
    return found


def test_the_vectors_of_the_library(tmp_path: Path) -> None:
    facts, _, keys = read_all(tmp_path, ((path.name, path.read_bytes()) for path in vector_files()))
    assert count(facts) >= 535
    assert len(forms_of(facts, "crl")) >= 170
    # Three of them hold a key's block beside certificates, though its content is made up.
    assert keys == {
        "cryptography.io.chain_with_garbage.pem",
        "cryptography.io.with_garbage.pem",
        "cryptography.io.with_headers.pem",
        "ca_key.pem",
        "rsa_key.pem",
    }


def test_the_evidence_samples(tmp_path: Path) -> None:
    paths = sorted(p for p in shared("evidence-samples").rglob("*") if p.suffix in (".pem", ".der"))
    facts, _, keys = read_all(tmp_path, ((path.name, path.read_bytes()) for path in paths))
    assert not keys
    assert len(forms_of(facts, "crl")) == 4
    assert len(rows(facts)) >= 30
    problems = {row["file"].partition("-")[2] for row in rows(facts, "problems")}
    assert {"asn1_indefinite_length_encoding.pem", "promise_com.pem", "cert_bad_utf8_subject.pem"} <= problems


def test_the_facts_of_single_samples() -> None:
    folder = shared("evidence-samples/encoding-faults")

    def one(name: str) -> Certificate:
        (item,) = forms.items((folder / name).read_bytes(), name)
        return read_certificate(item.data)

    # What openssl said of them stands in the samples' README.
    long: dict[str, Any] = one("serial-21-octets.pem").row
    assert long["serial"] == "88D27CBF0003174B1C7EE0208EDB668BE7A06199"
    assert (long["serial_octets"], long["serial_der_octets"]) == (20, 21)
    assert one("negative_serial.pem").row["serial"].startswith("-")
    assert one("domain_in_o_component.pem").row["is_ca"] is False
    promise = one("promise_com.pem")
    assert (promise.row["key_bits"], promise.row["signature_hash"]) == (512, "md5")
    # As openssl shows it: Jun 30 03:32:48 2011 GMT.
    assert str(promise.row["not_before"]) == "2011-06-30 03:32:48"
    assert any(name == "not_before" and "110629153248-1200" in reason for name, reason in promise.irregular)
    assert not any(name == "not_before" for name, _ in promise.faults)


def test_the_test_data_of_zlint(tmp_path: Path) -> None:
    facts, files, keys = read_all(tmp_path, zlint_files())
    assert not keys
    # As the folder's README counts them: 1,384 files, of which 1,319 hold a certificate and 61 a CRL.
    holding = [row["file"] for row in rows(facts, "sources") if row["certificates"]]
    assert (len(holding), len(forms_of(facts, "crl")), len(files)) == (1319, 61, 1384)
    assert count(facts) == sum(row["certificates"] for row in rows(facts, "sources")) >= 1319
    assert sum(row["kind"] is None for row in rows(facts)) == 0
