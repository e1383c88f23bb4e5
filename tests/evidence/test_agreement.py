"""Each certificate of the vectors read as openssl reads it, and as the library does where it does."""

import warnings
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes

from affidavit.evidence.certificate import Certificate, read_certificate
from affidavit.evidence.der import DerError
from tests.evidence import judge
from tests.evidence.corpora import vector_certificates, vector_files

PARTS = 8
REFUSALS = (
    ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)  # fmt: skip

#: Where the reading differs from openssl's on purpose, and why.
ON_PURPOSE = {
    # A dNSName that is not ASCII breaks RFC 5280 4.2.1.6: null and a problem, where openssl shows UTF-8.
    ("utf8-dnsname.pem#1", "dns_names"),
    ("utf8-dnsname.pem#1", "ip_addresses"),
}
NOT_OPENSSL = {
    "custom/invalid_utf8_common_name.pem#1",
    "custom/long-form-name-attribute.pem#1",
    "custom/name_attribute_unsupported_tag.pem#1",
}


def part(number: int) -> list[tuple[str, bytes]]:
    # Requests have a certificate's outline and nothing of its inside.
    return [one for one in vector_certificates()[number::PARTS] if not one[0].startswith("requests/")]


def read(der: bytes) -> Certificate:
    return read_certificate(der)


@pytest.mark.parametrize("number", range(PARTS))
def test_values_equal_those_of_openssl(number: int) -> None:
    differences, refused = [], set()
    for name, der in part(number):
        theirs = judge.read(der)
        row = read(der).row
        if theirs is None:
            refused.add(name)
            continue
        ours: dict[str, Any] = {field: row[field] for field in ("issuer", "subject", "not_before", "not_after")}
        ours |= {field: row[field] for field in ("dns_names", "extension_oids")}
        ours["serial"] = int(row["serial"], 16)
        ours["signature_algorithm"] = judge.object_names().get(row["signature_algorithm"], row["signature_algorithm"])
        ours["key_bits"] = row["key_bits"] if theirs.key_bits is not None else None
        wanted = {field: getattr(theirs, field) for field in ours}
        wanted["signature_algorithm"] = judge.object_names().get(theirs.signature_algorithm)
        if wanted["signature_algorithm"] is None:
            wanted["signature_algorithm"] = theirs.signature_algorithm
        for field, value in ours.items():
            if value != wanted[field] and (name, field) not in ON_PURPOSE:
                differences.append((name, field, value, wanted[field]))
    assert differences == []
    assert refused <= NOT_OPENSSL


def test_nearly_all_vectors_are_compared() -> None:
    assert len([one for number in range(PARTS) for one in part(number)]) >= 532 + len(NOT_OPENSSL)


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
    for name, der in (one for number in range(PARTS) for one in part(number)):
        certificate = readable(lambda der=der: x509.load_der_x509_certificate(der))
        if certificate is None:
            continue
        compared += 1
        row = read(der).row
        if (serial := readable(lambda c=certificate: c.serial_number)) is not None:
            assert int(row["serial"], 16) == serial, name
        for field, value in library_values(certificate):
            if value is not None and row[field] != value and (name, field) not in ON_PURPOSE:
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
