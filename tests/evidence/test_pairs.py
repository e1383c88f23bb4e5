"""Precertificates and their certificates, and precertificate signing certificates (RFC 6962 3.1)."""

import hashlib
from typing import Any

import pytest

from affidavit.columns import Made
from affidavit.declared.certificates import PAIRS
from affidavit.evidence import forms
from affidavit.evidence.authentic import Authorities, final_issuer, precert_tbs
from affidavit.evidence.certificate import Certificate, read_certificate
from affidavit.evidence.pairs import first_difference, pairs
from affidavit.evidence.sctverify import verify_scts
from testpki import asn1, build, extensions
from testpki.build import Authority
from testpki.ct import Log
from testpki.keys import ec_key
from tests.evidence.corpora import shared

ROOT = Authority.root("Test Root")
LOG = Log("Log one")
AT = 1_451_908_800_123
POISON, POLICY = extensions.poison(), extensions.policies(["dv"])


def read(*made: build.Certificate) -> list[Certificate]:
    return [read_certificate(one.der) for one in made]


def rows(*made: build.Certificate, signing: Authority | None = None) -> list[tuple[Any, ...]]:
    """(precertificate, certificate, equal, first difference); the certificates by their number among those given."""
    number: dict[str | None, int | None] = {one.sha256: place for place, one in enumerate(made)}
    number[None] = None
    found = pairs(read(*made), read(signing.certificate) if signing else [])
    for row in found:
        assert set(row) == set(PAIRS.made_when(Made.READ))
    keys = ("precertificate", "certificate")
    return sorted(
        [(*(number[row[key]] for key in keys), row["equal"], row["first_difference"]) for row in found], key=str
    )


def difference(mine: dict[str, Any], others: dict[str, Any]) -> str | None:
    """Of a precertificate and a certificate with one serial number that are made with other options."""
    options: dict[str, Any] = {"serial": 5}
    first, second = ROOT.precertificate(**options | mine), ROOT.issue(**options | {"scts": [LOG.sct(AT)]} | others)
    return first_difference(*read(first, second))


# --- which go together ------------------------------------------------------------------------------------------------


def test_a_pair_corresponds() -> None:
    assert rows(*ROOT.pair(scts=[LOG.sct(AT)])) == [(0, 1, True, None)]
    (row,) = pairs(read(*ROOT.pair("a.example", serial=0xAB)))
    assert (row["serial"], row["issuer"]) == ("AB", "CN=Test Root")


def test_what_has_no_partner_stands_alone_unless_nothing_asks_for_one() -> None:
    precertificate, leaf = ROOT.precertificate("a.example"), ROOT.issue("b.example", scts=[LOG.sct(AT)])
    without = ROOT.issue("c.example")
    assert rows(precertificate, leaf, without) == [(0, None, None, None), (None, 1, None, None)]
    assert rows() == []


def test_the_same_serial_of_another_issuer_or_another_serial_is_no_partner() -> None:
    other = Authority.root("Other Root")
    precertificate = ROOT.precertificate(serial=5)
    assert rows(precertificate, other.issue(serial=5)) == [(0, None, None, None)]
    assert rows(precertificate, ROOT.issue(serial=6)) == [(0, None, None, None)]
    assert rows(precertificate, ROOT.issue(serial=-5)) == [(0, None, None, None)]
    # The same number in other octets is the same serial number, and a difference.
    assert rows(precertificate, ROOT.issue(serial=b"\0\5")) == [(0, 1, False, "serial")]


def test_several_precertificates_for_one_certificate() -> None:
    first, leaf = ROOT.pair(serial=5, scts=[LOG.sct(AT)])
    second = ROOT.precertificate(serial=5, policies=["ov"])
    expected = [(0, 1, True, None), (2, 1, False, "certificatePolicies")]
    assert rows(first, leaf, second) == expected


def test_several_certificates_of_one_serial_go_with_the_precertificates_that_they_correspond_to() -> None:
    made = [one for number in range(4) for one in ROOT.pair(f"{number}.example", serial=5, scts=[LOG.sct(AT)])]
    assert rows(*made) == [(2 * number, 2 * number + 1, True, None) for number in range(4)]


def test_those_that_correspond_go_together_though_all_have_one_key_and_subject() -> None:
    made = [one for days in range(5) for one in ROOT.pair(serial=5, days=days + 1, scts=[LOG.sct(AT)])]
    assert rows(*made) == [(2 * number, 2 * number + 1, True, None) for number in range(5)]


def test_a_duplicate_without_a_precertificate_of_its_own_is_held_against_another() -> None:
    precertificate, leaf = ROOT.pair(serial=5, scts=[LOG.sct(AT)])
    twin = ROOT.issue(serial=5, scts=[LOG.sct(AT)], not_before="2024-01-02T00:00:00Z")
    assert rows(precertificate, leaf, twin) == [(0, 1, True, None), (0, 2, False, "not_before")]


def test_those_of_one_key_and_subject_are_held_against_each_other() -> None:
    made = []
    for number in range(3):
        made.append(ROOT.precertificate(f"{number}.example", serial=5))
        made.append(ROOT.issue(f"{number}.example", serial=5, policies=["ov"]))
    different = "certificatePolicies"
    assert rows(*made) == [(2 * number, 2 * number + 1, False, different) for number in range(3)]


def test_one_serial_in_hundreds_makes_no_more_rows_than_certificates() -> None:
    key = ec_key("shared")
    made = [ROOT.precertificate("a.example", serial=5, key=key, days=10 + number) for number in range(60)]
    made += [ROOT.issue("a.example", serial=5, key=key, days=100 + number) for number in range(90)]
    found = rows(*made)
    assert len(found) == 90
    assert {row[0] for row in found} | {row[1] for row in found} == set(range(150))
    assert {row[3] for row in found} == {"not_after"}


def test_one_file_twice_is_one_certificate_and_one_without_serial_number_has_no_partner() -> None:
    precertificate, leaf = ROOT.pair(scts=[LOG.sct(AT)])
    assert rows(precertificate, leaf, leaf, precertificate) == [(3, 2, True, None)]
    unreadable = ROOT.pair(serial=b"", scts=[LOG.sct(AT)])
    assert rows(*unreadable) == [(0, None, None, None), (None, 1, None, None)]


# --- where they differ ------------------------------------------------------------------------------------------------


def unique_id(tag: int) -> bytes:
    return asn1.tlv(tag, b"\0x")


@pytest.mark.parametrize(
    ("mine", "others", "expected"),
    [
        ({}, {}, None),
        ({}, {"version": 2}, "version"),
        ({"version": None, "extensions": [POLICY]}, {}, "version"),
        ({}, {"hash": "sha384"}, "tbs_signature_algorithm"),
        ({}, {"issuer": [("CN", "Test Root", "printable")]}, "issuer"),  # the same name in another string type
        ({}, {"not_before": "2024-01-01T00:00:01Z"}, "not_before"),
        ({}, {"days": 91}, "not_after"),
        ({}, {"not_before": asn1.generalized_time("2024-01-01T00:00:00Z")}, "not_before"),
        ({}, {"subject": "A.example"}, "subject"),
        ({}, {"key": ec_key("another"), "ski": b"x"}, "spki"),
        ({}, {"policies": ["ov"]}, "certificatePolicies"),
        ({}, {"dns": ["b.example"]}, "subjectAltName"),
        ({}, {"policies": None}, "certificatePolicies only in the precertificate"),
        ({"policies": None}, {}, "certificatePolicies only in the certificate"),
        ({}, {"extensions": [extensions.extension("1.2.3.4", b"")]}, "1.2.3.4 only in the certificate"),
        ({"extensions": [extensions.extension("1.2.3.4", b"")]}, {}, "1.2.3.4 only in the precertificate"),
        ({}, {"arrange": lambda listed: [listed[1], listed[0], *listed[2:]]}, "order of extensions"),
        ({"extensions": None}, {}, "basicConstraints only in the certificate"),
        (
            {"extensions": [extensions.extension("1.2.3.4", b"a")]},
            {"extensions": [extensions.extension("1.2.3.4", b"a", critical=True)]},
            "critical of 1.2.3.4",
        ),
        (
            {"extensions": [extensions.extension("1.2.3.4", b"a")]},
            {"extensions": [asn1.sequence(asn1.oid("1.2.3.4"), asn1.boolean(False), asn1.octet_string(b"a"))]},
            "encoding of 1.2.3.4",
        ),
        (
            {"extensions": [extensions.extension("1.2.3.4", b"a")]},
            {"extensions": [extensions.extension("1.2.3.4", b"b")]},
            "1.2.3.4",
        ),
        # Two differ: the first in the order of encoding is named.
        ({}, {"days": 91, "policies": ["ov"]}, "not_after"),
    ],
)
def test_the_first_difference_is_named(mine: dict[str, Any], others: dict[str, Any], expected: str | None) -> None:
    assert difference(mine, others) == expected


def tbs_with(certificate: build.Certificate, more: bytes) -> build.Certificate:
    """The certificate with a field put in before the extensions."""
    at = certificate.tbs.index(b"\xa3")
    body = certificate.tbs[4:at] + more + certificate.tbs[at:]
    tbs = asn1.sequence(body)
    whole = asn1.sequence(tbs, ROOT.key.algorithm(), asn1.bit_string(b"x"))
    return build.Certificate(whole, tbs, certificate.serial, certificate.subject, certificate.key)


@pytest.mark.parametrize(
    ("more", "expected"),
    [(b"\x81\x02\x00x", "issuer_unique_id"), (b"\x82\x02\x00x", "subject_unique_id"), (b"\x85\x00", "field 8")],
)
def test_fields_that_hardly_ever_stand_there(more: bytes, expected: str) -> None:
    precertificate, leaf = ROOT.pair(scts=[LOG.sct(AT)])
    assert first_difference(*read(precertificate, tbs_with(leaf, more))) == expected
    assert first_difference(*read(tbs_with(precertificate, more), tbs_with(leaf, more))) is None


def test_a_length_in_a_longer_form_is_a_difference_though_nothing_else_is() -> None:
    precertificate, leaf = ROOT.pair(scts=[LOG.sct(AT)])
    at = leaf.tbs.index(POLICY)
    long = b"\x30\x81" + POLICY[1:]
    tbs = leaf.tbs[:at] + long + leaf.tbs[at + len(POLICY) :]
    for head in (tbs.index(b"\xa3\x82"), tbs.index(b"\xa3\x82") + 4, 0):  # one octet more in each that is around it
        size = int.from_bytes(tbs[head + 2 : head + 4]) + 1
        tbs = tbs[: head + 2] + size.to_bytes(2) + tbs[head + 4 :]
    odd = asn1.sequence(tbs, ROOT.key.algorithm(), asn1.bit_string(b"x"))
    (first,) = read(precertificate)
    assert first_difference(first, read_certificate(odd)) == "encoding of certificatePolicies"


@pytest.mark.parametrize(("which", "equal", "named"), [("good", True, None), ("bad", False, "certificatePolicies")])
def test_the_pairs_of_the_incident_of_2023(which: str, equal: bool, named: str | None) -> None:
    folder = shared("evidence-samples/letsencrypt-2023")
    ders = [item.data for n in ("precert", "final") for item in forms.items((folder / f"{which}-{n}.pem").read_bytes())]
    (row,) = pairs([read_certificate(der) for der in ders])
    assert (row["equal"], row["first_difference"]) == (equal, named)
    hashes = [hashlib.sha256(der).hexdigest() for der in ders]
    assert [row["precertificate"], row["certificate"]] == hashes


# --- precertificate signing certificates ------------------------------------------------------------------------------

SIGNING = ROOT.intermediate("Precertificate signing", extended_key_usage=["precertificateSigning"])
IDENTIFIER = extensions.authority_key_id(ROOT.key.identifier)


def final_and_signed(**options: Any) -> tuple[build.Certificate, build.Certificate]:
    """A certificate of the CA, and its precertificate by the signing certificate."""
    final = ROOT.issue("a.example", serial=5, scts=[LOG.sct(AT)], **options)
    return final, SIGNING.precertificate("a.example", serial=5, **options)


def test_the_log_entry_has_the_final_issuer_and_its_key_identifier() -> None:
    final, precertificate = final_and_signed()
    ordinary = ROOT.precertificate("a.example", serial=5)
    (mine, other, signing, whole) = read(precertificate, ordinary, SIGNING.certificate, final)
    # Built by other code: what a log would sign for the CA's own precertificate.
    assert precert_tbs(mine, signing) == other.precert_tbs == whole.precert_tbs
    assert mine.precert_tbs != other.precert_tbs
    assert first_difference(mine, whole) == "issuer"
    assert first_difference(mine, whole, signing) is None
    assert verify_scts([final.der], [ROOT.key.spki], {LOG.log_id.hex(): LOG.key.spki}) == [["valid"]]
    assert verify_scts([final.der], [SIGNING.key.spki], {LOG.log_id.hex(): LOG.key.spki}) == [["invalid"]]


def test_a_pair_is_found_through_the_signing_certificate_that_signed() -> None:
    final, precertificate = final_and_signed()
    assert rows(final, precertificate, signing=SIGNING) == [(1, 0, True, None)]
    alone = [(1, None, None, None), (None, 0, None, None)]
    assert rows(final, precertificate) == alone
    forged = SIGNING.precertificate("a.example", serial=5, signed_by=ec_key("a stranger"))
    assert rows(final, forged, signing=SIGNING) == alone
    ordinary = ROOT.intermediate("Precertificate signing")  # without the extended key usage
    assert rows(final, precertificate, signing=ordinary) == alone
    bad = SIGNING.precertificate("a.example", serial=5, policies=["ov"])
    assert rows(final, bad, signing=SIGNING) == [(1, 0, False, "certificatePolicies")]


def test_an_authority_key_identifier_that_one_of_the_two_lacks() -> None:
    """Left out or put last, as in the first implementation (certificate-transparency-go, BuildPrecertTBS)."""
    bare = Authority(
        ROOT.issue("Signing", ca=True, aki=None, extended_key_usage=["precertificateSigning"], dns=None),
        ec_key("Signing"),
    )
    lacking = read(bare.precertificate(serial=5), bare.certificate, ROOT.precertificate(serial=5, aki=None))
    assert precert_tbs(*lacking[:2]) == lacking[2].precert_tbs
    added = read(SIGNING.precertificate(serial=5, aki=None), SIGNING.certificate)
    wanted = ROOT.precertificate(serial=5, aki=None, extensions=[IDENTIFIER])
    assert precert_tbs(*added) == read(wanted)[0].precert_tbs


def test_what_cannot_be_put_together_is_none_and_no_pair_is_called_equal() -> None:
    twice = SIGNING.precertificate("a.example", serial=5, extensions=[IDENTIFIER])
    assert precert_tbs(*read(twice, SIGNING.certificate)) is None
    final, _ = final_and_signed()
    assert rows(final, twice, signing=SIGNING) == [(1, 0, None, None)]


def test_the_final_issuer_is_who_issued_the_signing_certificate() -> None:
    root, signing, other = read(ROOT.certificate, SIGNING.certificate, Authority.root("Other").certificate)
    authorities = Authorities.among([root, signing, other])
    found = final_issuer(signing, authorities)
    assert found is not None
    assert found.row["sha256"] == ROOT.certificate.sha256
    assert final_issuer(root, authorities) is None
    lesser = set()
    for serial in range(1, 20):  # one that may issue is named before another, whichever fingerprint comes first
        may_not = Authority.root("Test Root", key=ROOT.key, key_usage=["cRLSign"], serial=serial)
        may = Authority.root("Test Root", key=ROOT.key, serial=serial)
        both = read(may_not.certificate, may.certificate)
        found = final_issuer(signing, Authorities.among([*both, signing]))
        assert found is not None
        assert found.row["sha256"] == may.certificate.sha256
        lesser.add(may_not.certificate.sha256 < may.certificate.sha256)
    assert lesser == {True, False}
    assert final_issuer(signing, Authorities.among([signing, other])) is None
    # A leaf with that usage is none, whoever issued it.
    (leaf,) = read(ROOT.issue("leaf.example", extended_key_usage=["precertificateSigning"]))
    assert final_issuer(leaf, Authorities.among([root, leaf])) is None
    # Nor is one that signed itself.
    (own,) = read(Authority.root("Own", extended_key_usage=["precertificateSigning"]).certificate)
    assert final_issuer(own, Authorities.among([own])) is None
