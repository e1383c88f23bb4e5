"""Certificates that others made read as openssl reads them, and as the library does where it does.

Of zlint's test data every sixth file is taken, unless all are asked for: ``AFFIDAVIT_FULL=1 python -m pytest -s
tests/evidence/test_agreement.py``, which prints the counts.
"""

import os
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes

from affidavit.evidence import batch, forms
from affidavit.evidence.certificate import Certificate, read_certificate
from affidavit.evidence.der import DerError
from testpki.build import Authority
from tests.evidence import judge
from tests.evidence.corpora import vector_certificates, vector_files, zlint_files

ROOT = Authority.root("Test Root")
REFUSALS = (
    ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)  # fmt: skip

NOT_OPENSSL = {
    "custom/invalid_utf8_common_name.pem#1",
    "custom/long-form-name-attribute.pem#1",
    "custom/name_attribute_unsupported_tag.pem#1",
}


def read(der: bytes) -> Certificate:
    return read_certificate(der)


def zlint() -> list[tuple[str, bytes]]:
    found = []
    for name, content in zlint_files():
        listed = [item.data for item in forms.items(content, name) if item.kind == "certificate"]
        found += [(f"{name}#{number}", der) for number, der in enumerate(listed, 1)]
    return found


def vectors(wanted: Callable[[str], bool]) -> list[tuple[str, bytes]]:
    return [(name, der) for name, der in vector_certificates() if wanted(name) and not name.startswith("requests/")]


#: What is compared, how many certificates there are at least, and which of them are taken where not all are asked for.
CORPORA: dict[str, tuple[Callable[[], list[tuple[str, bytes]]], int, int]] = {
    "vectors": (lambda: vectors(lambda name: "PKITS" not in name), 130, 1),
    "PKITS": (lambda: vectors(lambda name: "PKITS" in name), 405, 1),
    "zlint": (zlint, 1319, 6),
}


@pytest.mark.parametrize("name", CORPORA)
def test_rows_equal_what_openssl_says(name: str) -> None:
    listed, least, step = CORPORA[name]
    named = listed()
    assert len(named) >= least
    if not os.environ.get("AFFIDAVIT_FULL"):
        named = named[::step]
    read_ = batch.rows([der for _, der in named])
    rows = dict(zip(read_.index.tolist(), read_.certificates.to_pylist(), strict=True))
    assert len(rows) == len(named)
    with ThreadPoolExecutor(2) as pool:
        theirs = list(pool.map(judge.read, [der for _, der in named]))
    refused = {one for (one, _), said in zip(named, theirs, strict=True) if said is None}
    differences = [
        (named[number][0], *difference)
        for number, said in enumerate(theirs)
        if said is not None
        for difference in judge.differences(said, rows[number])
    ]
    unread = sum(not fault.irregular for _, fault in read_.faults)
    print(f"{name}: {len(rows):,} rows; {unread:,} problems, {len(read_.faults) - unread:,} irregular; "
          f"{len(refused)} refused by openssl; {len(differences)} differences")  # fmt: skip
    assert differences == []
    assert refused == (NOT_OPENSSL if name == "vectors" else set())


def test_a_difference_is_seen() -> None:
    """Each column that is compared: where the row says otherwise, that is a difference."""
    der = ROOT.issue(ips=["192.0.2.1"], ca=True, path_length=3).der
    said, row = judge.read(der), read(der).row
    assert said is not None
    assert judge.differences(said, row) == []
    for column in judge.COMPARED:
        other: Any = {"serial": "7F", "is_ca": False}.get(column, ["x"] if isinstance(row[column], list) else "x")
        assert [name for name, _, _ in judge.differences(said, {**row, column: other})] == [column]


def readable(work: Any) -> Any:
    """What the library says, or None where it refuses."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return work()
        except REFUSALS:
            return None


def library_values(certificate: x509.Certificate) -> Iterator[tuple[str, Any]]:
    def naive(moment: datetime) -> datetime:
        return moment.replace(tzinfo=None)

    yield "not_before", readable(lambda: naive(certificate.not_valid_before_utc))
    yield "not_after", readable(lambda: naive(certificate.not_valid_after_utc))
    yield "key_bits", readable(lambda: getattr(certificate.public_key(), "key_size", None))
    digest = readable(lambda: certificate.signature_hash_algorithm)
    yield "signature_hash", digest.name if digest else None
    yield "sha256", certificate.fingerprint(hashes.SHA256()).hex()
    extensions = readable(lambda: certificate.extensions)
    if extensions is None:
        return
    yield "extension_oids", [one.oid.dotted_string for one in extensions]
    found = {one.oid.dotted_string: one.value for one in extensions}
    if san := found.get("2.5.29.17"):
        yield "dns_names", san.get_values_for_type(x509.DNSName)
        yield "ip_addresses", [str(one) for one in san.get_values_for_type(x509.IPAddress)]
    if constraints := found.get("2.5.29.19"):
        yield "is_ca", constraints.ca
        yield "path_length", constraints.path_length
    if policies := found.get("2.5.29.32"):
        yield "policy_oids", [one.policy_identifier.dotted_string for one in policies]
    if identifier := found.get("2.5.29.14"):
        yield "subject_key_id", identifier.digest.hex()
    if (authority := found.get("2.5.29.35")) and authority.key_identifier:
        yield "authority_key_id", authority.key_identifier.hex()
    if scts := found.get("1.3.6.1.4.1.11129.2.4.2"):
        stamps = [sct.timestamp for sct in scts]
        yield "sct_count", len(stamps)
        yield "earliest_sct", min(stamps) if stamps else None
        yield "latest_sct", max(stamps) if stamps else None


def test_values_equal_those_of_the_library_where_it_reads() -> None:
    differences, compared = [], 0
    for name, der in vectors(lambda _: True):
        certificate = readable(lambda der=der: x509.load_der_x509_certificate(der))
        if certificate is None:
            continue
        compared += 1
        row = read(der).row
        if (serial := readable(lambda c=certificate: c.serial_number)) is not None:
            assert int(row["serial"], 16) == serial, name
        for field, value in library_values(certificate):
            if value is not None and row[field] != value:
                differences.append((name, field, row[field], value))
    assert differences == []
    assert compared >= 500


def test_a_certificate_that_openssl_refuses_has_its_row_and_the_reason() -> None:
    for name, der in vector_certificates():
        if name in NOT_OPENSSL:
            found = read(der)
            assert found.row["serial"], name
            assert {field for field, _ in found.faults} & {"issuer", "subject"}, name


def test_a_request_is_no_certificate() -> None:
    requests = [path.read_bytes() for path in vector_files() if path.match("requests/*.der")]
    assert requests
    for der in requests:
        with pytest.raises(DerError, match="lacks some of"):
            read_certificate(der)
