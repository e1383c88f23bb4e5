"""Whole corpora of malformed files: each gives rows or problems, none a crash, and no warning gets out."""

import warnings
from collections.abc import Iterable
from pathlib import Path

from affidavit.evidence.authentic import Issuers
from affidavit.evidence.certificate import Certificate
from affidavit.evidence.crl import Crl
from affidavit.evidence.extract import Reader
from affidavit.evidence.files import EvidenceFile
from affidavit.tables import TABLES, arrow_schema
from affidavit.types import InputError, Pos
from tests.evidence.corpora import shared, vector_files, zlint_files


def read_all(paths: Iterable[Path]) -> tuple[list[Certificate], list[Crl], set[str], set[str]]:
    """Certificates, CRLs, and the names of the files with problems and with private keys."""
    import pyarrow as pa

    reader = Reader()
    certificates: dict[str, Certificate] = {}
    crls: list[Crl] = []
    keys = set()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for path in paths:
            before = (len(certificates), len(crls), len(reader.problems))
            file = EvidenceFile(path, path.as_posix())
            try:
                for _, parsed in reader.read(file, Pos("x"), ""):
                    if isinstance(parsed, Crl):
                        crls.append(parsed)
                    else:
                        certificates[f"{path}{parsed.row['sha256']}"] = parsed
            except InputError as error:
                keys.add(f"{path.name} {error.diagnostics[0].code}")
                continue
            assert before != (len(certificates), len(crls), len(reader.problems)), f"{path} left no trace"
        issuers = Issuers.among(certificates.values())
        for crl in crls:
            issuers.crl_issuer(crl, frozenset(issuers.certificates), frozenset(issuers.certificates))
    columns = {name: arrow_schema("certificates").field(name) for name in TABLES["certificates"].names}
    listed = [{k: v for k, v in one.row.items() if k in columns} for one in certificates.values()]
    assert pa.Table.from_pylist(listed, schema=arrow_schema("certificates")).num_rows == len(listed)
    for problem in reader.problems:
        assert problem.reason
        assert "index out of range" not in problem.reason
    return list(certificates.values()), crls, {p.file.rpartition("/")[2] for p in reader.problems}, keys


def test_the_vectors_of_the_library() -> None:
    certificates, crls, _, keys = read_all(vector_files())
    assert len(certificates) >= 535
    assert len(crls) >= 170
    # Three of them hold a key's block beside certificates, though its content is made up.
    assert {key.removesuffix(" private-key") for key in keys} == {
        "cryptography.io.chain_with_garbage.pem",
        "cryptography.io.with_garbage.pem",
        "cryptography.io.with_headers.pem",
        "ca_key.pem",
        "rsa_key.pem",
    }


def test_the_evidence_samples() -> None:
    folder = shared("evidence-samples")
    certificates, crls, problems, keys = read_all(sorted(p for p in folder.rglob("*") if p.suffix in (".pem", ".der")))
    assert not keys
    assert len(crls) == 4
    assert len(certificates) >= 30
    assert {"asn1_indefinite_length_encoding.pem", "promise_com.pem", "cert_bad_utf8_subject.pem"} <= problems


def test_the_facts_of_single_samples() -> None:
    folder = shared("evidence-samples/encoding-faults")
    reader = Reader()

    def one(name: str) -> Certificate:
        (parsed,) = [p for _, p in reader.read(EvidenceFile(folder / name, name), Pos("x"), "")]
        assert isinstance(parsed, Certificate)
        return parsed

    # What openssl said of them stands in the samples' README.
    assert one("serial-21-octets.pem").row["serial"] == "88D27CBF0003174B1C7EE0208EDB668BE7A06199"
    assert one("serial-21-octets.pem").row["serial_octets"] == 20
    assert one("serial-21-octets.pem").row["serial_der_octets"] == 21
    assert one("negative_serial.pem").row["serial"].startswith("-")
    assert one("domain_in_o_component.pem").row["is_ca"] is False
    promise = one("promise_com.pem")
    assert (promise.row["key_bits"], promise.row["signature_hash"]) == (512, "md5")
    assert promise.row["not_before"] is None
    assert any(name == "not_before" and "110629153248-1200" in reason for name, reason in promise.faults)


def test_the_test_data_of_zlint(tmp_path: Path) -> None:
    paths = []
    for number, (_, content) in enumerate(zlint_files()):
        paths.append(tmp_path / str(number))
        paths[-1].write_bytes(content)
    certificates, crls, _, keys = read_all(paths)
    assert not keys
    # As the folder's README counts them: 1,384 files, of which 1,319 hold a certificate and 61 a CRL.
    assert (len(certificates), len(crls), len(paths)) == (1319, 61, 1384)
    assert sum(one.row["kind"] is None for one in certificates) == 0
