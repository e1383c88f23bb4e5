"""Certificates in BER, and of odd values, through the whole pipeline: their rows are what openssl says."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from affidavit.evidence import ber, detail, forms
from affidavit.evidence.certificate import read_certificate
from affidavit.evidence.der import DerError
from affidavit.evidence.extract import Facts
from testpki import asn1, extensions
from testpki.ct import Log
from tests.evidence import judge
from tests.evidence.case import facts_of, rows
from tests.evidence.odd_forms import BER, LOOSE, RARE, ROOT, endless, reencoded
from tests.openssl import openssl, x509_text

ALL = {**BER, **LOOSE, **RARE}
#: Where a value is null on purpose: openssl shows none either, or none that holds.
UNREAD = {
    "year-0000": {"not_before"},
    "no-such-day": {"not_before"},
    "two-names": {"dns_names", "email_addresses"},
    # The algorithm is encoded one way inside the TBSCertificate and another way outside.
    "long-lengths-everywhere": {"signature_algorithm"},
}


@cache
def encoded(name: str) -> bytes:
    return ALL[name]()


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Facts:
    files: dict[str, Any] = {f"c/{name}.der": encoded(name) for name in ALL}
    return facts_of(tmp_path_factory.mktemp("odd"), {**files, "trust/root.pem": ROOT})


def row_of(facts: Facts, name: str) -> dict[str, Any]:
    (found,) = [row for row in rows(facts) if row["file"] == f"c/{name}.der"]
    return found


def problems_of(facts: Facts, name: str) -> dict[str, bool]:
    """Whether the value was read all the same, by the field of each problem."""
    return {row["field"]: row["irregular"] for row in rows(facts, "problems") if row["file"] == f"c/{name}.der"}


@pytest.mark.parametrize("name", ALL)
def test_its_row_is_what_openssl_says(name: str, facts: Facts) -> None:
    said = judge.read(encoded(name))
    assert said is not None
    row = row_of(facts, name)
    assert judge.differences(said, row) == []
    unread = {field for field, irregular in problems_of(facts, name).items() if not irregular}
    assert UNREAD.get(name, set()) <= unread
    if name not in BER:
        assert unread <= UNREAD.get(name, set())


@pytest.mark.parametrize("name", BER)
def test_ber_is_named_so_and_the_values_stand(name: str, facts: Facts) -> None:
    problems = problems_of(facts, name)
    assert problems["dns_names" if name == "names-indefinite" else "encoding"] is True
    row = row_of(facts, name)
    assert (row["dns_names"], row["key_bits"], row["policy_oids"]) == (["a.example"], 256, ["2.23.140.1.2.1"])
    assert not {field for field, irregular in problems.items() if not irregular} & {"serial", "subject", "not_before"}


@pytest.mark.parametrize("name", BER)
def test_the_fingerprint_is_of_the_octets_as_they_are(name: str, facts: Facts, tmp_path: Path) -> None:
    (tmp_path / "c.der").write_bytes(encoded(name))
    said = openssl("dgst", "-sha256", tmp_path / "c.der")
    assert row_of(facts, name)["sha256"] == said.split()[-1]


@pytest.mark.parametrize("name", BER)
def test_the_signature_is_over_the_octets_as_they_are(name: str, facts: Facts, tmp_path: Path) -> None:
    der = encoded(name)
    (tmp_path / "root.pem").write_text(ROOT.certificate.pem())
    (tmp_path / "c.der").write_bytes(der)
    # With no purpose or time asked for, what is left to verify is the chain's signatures and names.
    wanted = ("verify", "-no_check_time", "-CAfile", tmp_path / "root.pem", tmp_path / "c.der")
    assert "OK" in openssl(*wanted)
    row = row_of(facts, name)
    if row["issuer_der_sha256"] is None:
        assert row["authentic"] is False  # its issuer's name is in BER: not to be matched by its octets
        assert name in ("all-indefinite", "issuer-indefinite")
    else:
        assert row["authentic"] is True


@pytest.mark.parametrize("name", ["tbs-indefinite", "extensions-indefinite", "values-in-pieces"])
def test_ber_with_an_octet_changed_is_not_authentic(name: str, tmp_path: Path) -> None:
    der = encoded(name).replace(b"a.example", b"b.example")
    (tmp_path / "root.pem").write_text(ROOT.certificate.pem())
    (tmp_path / "c.der").write_bytes(der)
    wanted = ("verify", "-no_check_time", "-CAfile", tmp_path / "root.pem", tmp_path / "c.der")
    openssl(*wanted, fails=True)
    facts = facts_of(tmp_path, {"c/x.der": der, "trust/root.pem": ROOT})
    (row,) = rows(facts)
    assert row["authentic"] is False


def test_what_is_hashed_as_encoded_is_null_where_it_does_not_stand_so() -> None:
    plain = read_certificate(ROOT.issue().der).row
    for name, column in (("subject-indefinite", "subject_der_sha256"), ("key-indefinite", "spki_sha256"),
                         ("issuer-indefinite", "issuer_der_sha256")):  # fmt: skip
        found = read_certificate(encoded(name))
        assert found.row[column] is None
        assert [field for field, _ in found.faults] == [column]
        others = {"subject_der_sha256", "spki_sha256", "issuer_der_sha256"} - {column}
        assert all(found.row[one] == plain[one] for one in others)
    shown = detail.detail(read_certificate(encoded("all-indefinite")))
    assert {field for field, _ in shown.faults} == {
        "signature_algorithm_der", "spki_algorithm_der", "extension_digests"
    } - ({"signature_algorithm_der"} if shown.row["signature_algorithm_der"] else set())  # fmt: skip
    assert shown.row["curve"] == "P-256"
    assert shown.row["subject_attributes"] == ["CN=a.example"]


def test_nothing_is_cut_from_ber() -> None:
    log = Log("Test Log")
    scts = [log.sct("2024-01-01T00:00:00Z")]
    sound = read_certificate(ROOT.issue(scts=scts).der)
    assert sound.row["precert_tbs_sha256"]
    found = read_certificate(reencoded(endless, scts=scts))
    assert (found.row["sct_count"], found.row["precert_tbs_sha256"], found.precert_tbs) == (1, None, b"")
    assert ("precert_tbs_sha256", "not to be hashed: in BER its octets are not those of DER") in found.faults
    plain = read_certificate(reencoded(endless))
    assert plain.precert_tbs == plain.tbs  # nothing was to be cut


# --- the transcoder ---------------------------------------------------------------------------------------------------


def test_octets_of_der_come_back_as_they_are() -> None:
    for der in (ROOT.certificate.der, ROOT.issue(subject=None).der, encoded("long-lengths-everywhere"), b"\x05\0"):
        assert ber.definite(der) == der


@pytest.mark.parametrize(
    ("given", "definite"),
    [
        # X.690 8.14 and 8.6.4.2: the standard's own example of a bit string in pieces, 0A3B5F291CD.
        ("2380030300 0a3b 0305045f291cd0 0000", "0307040a3b5f291cd0"),
        ("2c 09 0c02 6869 0c03 212121", "0c056869212121"),
        ("2480 0402 6869 2480 0401 21 0000 0000", "0403686921"),
        ("3080 0500 3080 0000 0000", "30040500 3000"),
        ("a080 0201 05 0000", "a003020105"),
    ],
)
def test_pieces_and_ends(given: str, definite: str) -> None:
    assert ber.definite(bytes.fromhex(given)) == bytes.fromhex(definite)


@pytest.mark.parametrize(
    "given",
    [
        "", "30", "3080", "308000", "30800500", "3080050000", "0480 0000", "3003 0500", "30020500 00",
        "2480 0502 6869 0000", "2380 0302 0461 0302 0061 0000", "2380 0401 00 0000", "3080" * 40 + "0000" * 40,
        "1f8100", "30800500000000",
    ],
)  # fmt: skip
def test_what_is_no_value_is_refused(given: str) -> None:
    with pytest.raises(DerError):
        ber.definite(bytes.fromhex(given))


def test_it_is_bounded() -> None:
    many = asn1.endless(0x30, b"\x05\0" * 100_001)
    with pytest.raises(DerError, match="more than 100,000 values"):
        ber.definite(many)
    assert ber.readable(many) == many
    deep = b"\x30\x80" * 2_000_000
    with pytest.raises(DerError):
        ber.definite(deep)
    with pytest.raises(DerError, match="at most"):
        read_certificate(deep + b"\0" * 200_000)


def test_openssl_reads_what_is_made() -> None:
    """The values that the transcoder makes are those that openssl shows of the BER itself."""
    for name in BER:
        der = encoded(name)
        found = read_certificate(der)
        if found.readable != der:
            shown = x509_text(found.readable)
            assert shown.partition("Signature Value")[0] == x509_text(der).partition("Signature Value")[0]


def test_a_list_and_a_bundle_of_ber_are_told_by_content() -> None:
    one, two = encoded("outside-indefinite"), encoded("tbs-indefinite")
    assert [(i.kind, i.data) for i in forms.items(one + two)] == [("certificate", one), ("certificate", two)]
    text = asn1.pem(one) + asn1.pem(two)
    assert [(i.kind, i.data) for i in forms.items(text.encode())] == [("certificate", one), ("certificate", two)]
    request = asn1.endless(0x30, asn1.integer(5))
    assert [i.kind for i in forms.items(request)] == ["unknown"]


def test_an_extension_in_ber_that_cannot_be_read_stays_null() -> None:
    found = read_certificate(ROOT.issue(dns=None, extensions=[extensions.extension("2.5.29.17", b"\x30\x80")]).der)
    assert found.row["dns_names"] is None
    assert found.irregular == []
