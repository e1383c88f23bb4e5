"""Odd certificates: each field is read by itself; what cannot be read is null and named among the faults."""

from datetime import datetime
from typing import Any

import pytest

from affidavit.evidence.certificate import Certificate, read_certificate
from affidavit.evidence.der import DerError
from affidavit.tables import CERTIFICATES, Made
from testpki import asn1, extensions
from testpki.build import Authority
from testpki.ct import Log
from testpki.keys import ec_key
from tests.evidence.corpora import shared
from tests.openssl import openssl, x509_field, x509_text

ROOT = Authority.root("Test Root")
RSA = Authority.root("Test RSA Root", key="rsa")


def read(**options: Any) -> Certificate:
    return read_certificate(ROOT.issue(**options).der)


def test_a_sound_certificate_has_every_field_and_no_fault() -> None:
    found = read()
    assert found.faults == []
    row = found.row
    assert row["kind"] == "certificate"
    assert row["version"] == 3
    assert (row["not_before"], row["not_after"]) == (datetime(2024, 1, 1), datetime(2024, 3, 30, 23, 59, 59))
    assert row["validity_seconds"] == 90 * 86400
    assert row["dns_names"] == ["a.example"]
    assert row["ip_addresses"] == []
    assert (row["is_ca"], row["path_length"]) == (False, None)
    assert row["key_usage"] == ["digitalSignature"]
    assert row["extended_key_usage"] == ["serverAuth", "clientAuth"]
    assert (row["policy_oids"], row["validation"]) == (["2.23.140.1.2.1"], "DV")
    assert (row["key_type"], row["key_bits"]) == ("EC", 256)
    assert (row["signature_algorithm"], row["signature_hash"]) == ("ecdsa-with-SHA256", "sha256")
    assert row["sct_count"] == 0
    assert row["precert_tbs_sha256"]


def test_each_column_is_filled_or_filled_later() -> None:
    assert list(read().row) == CERTIFICATES.made_when(Made.READ)


# --- serial numbers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("serial", "shown", "octets", "der_octets", "bits"),
    [
        (0, "00", 1, 1, 0),
        (1, "01", 1, 1, 1),
        (-1, "-01", 1, 1, 1),
        (-128, "-80", 1, 1, 8),
        (128, "80", 1, 2, 8),
        (0x0D3BBDC3A0175E38F9D0070CD050986A, "0D3BBDC3A0175E38F9D0070CD050986A", 16, 16, 124),
        # 20 octets as a number, 21 as an INTEGER because of the sign bit.
        (0x88D27CBF0003174B1C7EE0208EDB668BE7A06199, "88D27CBF0003174B1C7EE0208EDB668BE7A06199", 20, 21, 160),
        (1 << 160, "01" + "00" * 20, 21, 21, 161),
        (b"\x00\x00\x05", "05", 1, 3, 3),  # not the shortest form
    ],
)
def test_serial_numbers(serial: int | bytes, shown: str, octets: int, der_octets: int, bits: int) -> None:
    issued = ROOT.issue(serial=serial)
    row = read_certificate(issued.der).row
    assert (row["serial"], row["serial_octets"], row["serial_bits"]) == (shown, octets, bits)
    assert row["serial_der_octets"] == der_octets
    if not isinstance(serial, bytes):
        assert int(x509_field(issued.der, "-serial"), 16) == int(shown, 16)


def test_a_serial_without_octets_costs_the_serial_alone() -> None:
    found = read(serial=b"")
    assert found.row["serial"] is None
    assert [name for name, _ in found.faults] == ["serial"]
    assert found.row["subject"] == "CN=a.example"


# --- times ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoded", "moment"),
    [
        (asn1.utc_time("491231235959Z"), datetime(2049, 12, 31, 23, 59, 59)),
        (asn1.utc_time("500101000000Z"), datetime(1950, 1, 1)),
        (asn1.utc_time("000229000000Z"), datetime(2000, 2, 29)),
        (asn1.generalized_time("20500101000000Z"), datetime(2050, 1, 1)),
        (asn1.generalized_time("20160104120000Z"), datetime(2016, 1, 4, 12)),  # before 2050: readable all the same
        (asn1.generalized_time("99991231235959Z"), datetime(9999, 12, 31, 23, 59, 59)),
        (asn1.generalized_time("00010101000000Z"), datetime(1, 1, 1)),
    ],
)
def test_times_at_the_edges(encoded: bytes, moment: datetime) -> None:
    issued = ROOT.issue(not_before="1950-01-01T00:00:00Z", not_after=encoded)
    assert read_certificate(issued.der).row["not_after"] == moment
    shown = x509_field(issued.der, "-enddate")
    assert shown.split() == f"{moment:%b} {moment.day} {moment:%H:%M:%S} {moment.year} GMT".split()


@pytest.mark.parametrize(
    "encoded",
    [
        asn1.utc_time("230229000000Z"),  # no such day
        asn1.utc_time("231301000000Z"),
        asn1.utc_time("230101240000Z"),
        asn1.utc_time("230101000060Z"),
        asn1.utc_time("230101000000"),  # no Z
        asn1.utc_time("110629153248-1300"),  # no zone is so far away
        asn1.utc_time("110629153248+0060"),
        asn1.utc_time("500230000000-0100"),
        asn1.utc_time("230101000000.5Z"),
        asn1.utc_time("23010100000\u0660Z".encode().decode("latin-1").encode("ascii", "ignore").decode()),
        asn1.generalized_time("00000101000000Z"),  # the year 0000
        asn1.generalized_time("20230101000000"),
        asn1.generalized_time("2023010100Z"),
        asn1.generalized_time("20230101000000.Z"),
        asn1.generalized_time("00010101000000+0100"),  # before the calendar
        asn1.tlv(0x17),
        asn1.tlv(0x13, b"230101000000Z"),
    ],
)
def test_a_bad_time_is_null_and_a_problem_and_nothing_else(encoded: bytes) -> None:
    found = read(not_after=encoded)
    assert found.row["not_after"] is None
    assert found.row["validity_seconds"] is None
    assert [name for name, _ in found.faults] == ["not_after"]
    assert found.row["not_before"] == datetime(2024, 1, 1)
    assert found.row["dns_names"] == ["a.example"]


def test_the_validity_counts_both_ends() -> None:
    found = read(not_before="2024-01-01T00:00:00Z", not_after="2024-01-01T00:00:00Z")
    assert found.row["validity_seconds"] == 1


# --- names ------------------------------------------------------------------------------------------------------------


def openssl_subject(der: bytes) -> str:
    shown = openssl("x509", "-inform", "DER", "-noout", "-subject", "-nameopt", "RFC2253,-esc_msb,utf8", given=der)
    return shown.removeprefix("subject=").removesuffix("\n")


@pytest.mark.parametrize(
    "subject",
    [
        [("C", "CN"), ("O", "WoSign CA Limited"), ("CN", "CA 沃通根证书")],
        [("CN", "CA 沃通根证书", "bmp")],
        [("CN", "CA 沃通", "universal")],
        [("O", "Caf\xe9", "t61")],
        [("CN", " blanks ")],
        [("CN", "#hash")],
        [("CN", 'a,b+c"d\\e<f>g;h')],
        [[("CN", "a.example"), ("OU", "two in one")], ("O", "x")],
        [[("DC", "com"), ("DC", "example")], ("C", "US")],
        [("2.5.4.20", "+49 30"), ("JURISDICTIONC", "DE"), ("SERIALNUMBER", "HRB 1")],
        [("CN", "")],
        [("CN", "a\x00b\x1bc\x7f")],
        asn1.sequence(asn1.set_of(), asn1.name("x.example")[2:]),
    ],
)
def test_names_are_those_of_openssl(subject: Any) -> None:
    issued = ROOT.issue(subject=subject)
    found = read_certificate(issued.der)
    assert found.row["subject"] == openssl_subject(issued.der)
    assert found.faults == []


def test_an_empty_subject_has_an_empty_name_and_no_common_name() -> None:
    row = read(subject=None).row
    assert (row["subject"], row["subject_cn"]) == ("", None)


def test_the_first_common_name_is_taken() -> None:
    assert read(subject=[("CN", "one"), ("CN", "two")]).row["subject_cn"] == "one"


@pytest.mark.parametrize(
    ("attribute", "shown"),
    [
        (("CN", b"\xff\xfe", "utf8"), "CN=#0C02FFFE"),
        (("CN", b"caf\xe9", "printable"), "CN=#1304636166E9"),
        (("CN", b"\x00", "bmp"), "CN=#1E0100"),
        (("CN", asn1.bit_string(b"ab"), "raw"), "CN=#0303006162"),
        (("CN", asn1.integer(5), "raw"), "CN=#020105"),
    ],
)
def test_a_value_that_is_no_string_stands_in_hex_and_is_named(attribute: Any, shown: str) -> None:
    found = read(subject=[("O", "x"), attribute])
    assert found.row["subject"] == f"{shown},O=x"
    assert found.row["subject_cn"] is None
    assert [name for name, _ in found.faults] == ["subject"]


def test_a_name_of_another_structure_is_null() -> None:
    found = read(subject=asn1.sequence(asn1.null()))
    assert found.row["subject"] is None
    assert [name for name, _ in found.faults] == ["subject"]
    assert found.row["issuer"] == "CN=Test Root"


def test_a_hostile_subject_is_kept_as_it_is() -> None:
    text = "<script>alert(1)</script>\x1b[31m\u202e" + "x" * 1_000_000
    found = read(subject=[("CN", text)])
    assert found.row["subject_cn"] == text
    assert "\x1b" not in found.row["subject"]
    assert found.faults == []


def test_a_certificate_of_more_than_four_mebioctets_is_refused() -> None:
    with pytest.raises(DerError, match="octets; at most"):
        read(subject=[("CN", "x" * 4 * 1024 * 1024)])


# --- versions, algorithms, keys ---------------------------------------------------------------------------------------


def test_version_1_has_no_extensions_and_is_no_ca() -> None:
    row = read(version=1).row
    assert (row["version"], row["extension_oids"], row["is_ca"], row["kind"]) == (1, [], False, "certificate")
    assert row["dns_names"] == []


@pytest.mark.parametrize("hash", ["md5", "sha1", "sha256", "sha384", "sha512"])
def test_signature_algorithms_by_openssls_name(hash: str) -> None:
    issued = RSA.issue(hash=hash)
    row = read_certificate(issued.der).row
    assert f"Signature Algorithm: {row['signature_algorithm']}\n" in x509_text(issued.der)
    assert row["signature_hash"] == hash


@pytest.mark.parametrize("hash", ["sha1", "sha256", "sha384"])
def test_the_hash_of_pss_stands_in_its_parameters(hash: str) -> None:
    row = read_certificate(RSA.issue(hash=hash, pss=True).der).row
    assert (row["signature_algorithm"], row["signature_hash"]) == ("rsassaPss", hash)


def test_pss_without_readable_parameters_has_its_name_and_no_hash() -> None:
    algorithm = asn1.sequence(asn1.oid("1.2.840.113549.1.1.10"), asn1.null())
    found = read_certificate(RSA.issue(algorithm=algorithm, tbs_algorithm=algorithm).der)
    assert (found.row["signature_algorithm"], found.row["signature_hash"]) == ("rsassaPss", None)
    assert [name for name, _ in found.faults] == ["signature_hash"]


def test_an_unknown_algorithm_is_shown_by_its_oid() -> None:
    algorithm = asn1.sequence(asn1.oid("1.2.3.4"))
    found = read(algorithm=algorithm, tbs_algorithm=algorithm)
    assert (found.row["signature_algorithm"], found.row["signature_hash"]) == ("1.2.3.4", None)
    assert found.faults == []


def test_algorithms_that_disagree_are_named_and_nothing_verifies_by_them() -> None:
    found = read(tbs_algorithm=ec_key("x").algorithm("sha384"))
    assert found.row["signature_algorithm"] == "ecdsa-with-SHA256"
    assert [name for name, _ in found.faults] == ["signature_algorithm"]
    assert found.algorithm is None


def test_ed25519() -> None:
    row = read_certificate(Authority.root("Ed", key="ed25519").issue(key="ed25519").der).row
    assert (row["signature_algorithm"], row["signature_hash"]) == ("ED25519", None)
    assert (row["key_type"], row["key_bits"]) == ("Ed25519", 256)


def explicit_p256() -> bytes:
    """A key on P-256 with the curve's parameters written out, made by openssl."""
    import subprocess

    command = ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-param_enc", "explicit"]
    key = subprocess.run(command, capture_output=True, check=True).stdout
    done = subprocess.run(["openssl", "ec", "-pubout", "-outform", "DER"], input=key, capture_output=True, check=True)
    return done.stdout


def test_a_curve_written_out_has_its_bits() -> None:
    spki = explicit_p256()
    assert len(spki) > 200
    row = read(spki=spki).row
    assert (row["key_type"], row["key_bits"]) == ("EC", 256)


@pytest.mark.parametrize("curve", ["p256", "p384", "p521"])
def test_named_curves(curve: Any) -> None:
    assert read(key=ec_key("curve", curve)).row["key_bits"] == int(curve[1:])


@pytest.mark.parametrize(
    "spki",
    [
        asn1.sequence(),
        asn1.sequence(asn1.sequence(), asn1.bit_string(b"")),
        asn1.sequence(asn1.sequence(asn1.oid("1.2.840.113549.1.1.1"), asn1.null()), asn1.bit_string(b"junk")),
        asn1.null(),
    ],
)
def test_a_key_that_cannot_be_read_costs_its_size_alone(spki: bytes) -> None:
    found = read(spki=spki)
    assert found.row["key_bits"] is None
    assert [name for name, _ in found.faults] == ["key"]
    assert "index out of range" not in found.faults[0][1]
    assert "unpack" not in found.faults[0][1]
    assert found.row["spki_sha256"]


def test_an_unknown_key_type_is_shown_by_its_oid() -> None:
    spki = asn1.sequence(asn1.sequence(asn1.oid("1.2.3.4")), asn1.bit_string(b"x"))
    row = read(spki=spki).row
    assert (row["key_type"], row["key_bits"]) == ("1.2.3.4", None)


# --- extensions -------------------------------------------------------------------------------------------------------


def test_two_subject_alternative_names_are_null_and_a_problem() -> None:
    found = read(extensions=[extensions.subject_alt_name(["b.example"])])
    assert found.row["dns_names"] is None
    assert found.row["ip_addresses"] is None
    assert [name for name, _ in found.faults] == ["dns_names"]
    assert found.row["is_ca"] is False


@pytest.mark.parametrize(
    ("oid", "column"),
    [
        ("2.5.29.17", "dns_names"),
        ("2.5.29.19", "is_ca"),
        ("2.5.29.15", "key_usage"),
        ("2.5.29.37", "extended_key_usage"),
        ("2.5.29.32", "policy_oids"),
        ("2.5.29.14", "subject_key_id"),
        ("2.5.29.35", "authority_key_id"),
        ("1.3.6.1.4.1.11129.2.4.2", "scts"),
    ],
)
@pytest.mark.parametrize("value", [b"", b"\x30", b"\x30\x80", b"\x05\x00", b"\x30\x03\x02\x01"])
def test_one_bad_extension_costs_itself_alone(oid: str, column: str, value: bytes) -> None:
    usual = ("dns", "basic_constraints", "key_usage", "extended_key_usage", "policies", "ski", "aki")
    left: dict[str, Any] = dict.fromkeys(usual)
    found = read(**left, extensions=[extensions.extension(oid, value), extensions.extension("1.2.3", b"x")])
    assert found.row["sct_count" if column == "scts" else column] is None
    assert [name for name, _ in found.faults] == [column]
    assert found.row["extension_oids"] == [oid, "1.2.3"]
    assert found.row["kind"] == "certificate"


def test_an_unknown_critical_extension_is_no_fault() -> None:
    found = read(extensions=[extensions.extension("1.2.3", b"anything", critical=True)])
    assert found.faults == []
    assert found.row["extension_oids"][-1] == "1.2.3"


@pytest.mark.parametrize(
    ("names", "addresses", "column"),
    [([], [b"\x7f\x00\x01"], "dns_names"), ([], [b""], "ip_addresses")],
)
def test_an_alternative_name_of_wrong_octets(names: list[bytes], addresses: list[bytes], column: str) -> None:
    found = read(dns=names, ips=addresses)
    assert found.row[column] is None
    assert [name for name, _ in found.faults] == ["dns_names"]


@pytest.mark.parametrize(("octets", "shown"), [(b"caf\xe9.example", "caf\\xe9.example"), ("é.b".encode(), "é.b")])
def test_a_dns_name_beyond_ascii_is_shown_and_named_irregular(octets: bytes, shown: str) -> None:
    found = read(dns=["a.example", octets], ips=["192.0.2.1"])
    assert (found.row["dns_names"], found.row["ip_addresses"]) == (["a.example", shown], ["192.0.2.1"])
    assert found.faults == []
    assert found.irregular == [("dns_names", "a dNSName that is not ASCII (RFC 5280 4.2.1.6)")]


@pytest.mark.parametrize("tag", [0x30, 0x16, 0x89, 0xA1, 0xA2, 0xA7])
def test_what_is_no_general_name_is_not_passed_over(tag: int) -> None:
    found = read(other_names=[asn1.tlv(tag, b"a.example"), asn1.implicit(1, b"a@b")])
    assert (found.row["dns_names"], found.row["ip_addresses"]) == (None, None)
    assert [name for name, _ in found.faults] == ["dns_names"]
    kept = read(other_names=[asn1.implicit(1, b"a@b"), asn1.implicit(4, asn1.name("x"), constructed=True)])
    assert (kept.row["dns_names"], kept.faults) == (["a.example"], [])


def test_addresses_and_odd_dns_names_are_kept_as_they_are() -> None:
    row = read(dns=["*.Example", "a\x00b", "<b>"], ips=["192.0.2.1", "2001:db8::1"]).row
    assert row["dns_names"] == ["*.Example", "a\x00b", "<b>"]
    assert row["ip_addresses"] == ["192.0.2.1", "2001:db8::1"]


def test_octets_after_the_extensions_are_refused() -> None:
    issued = ROOT.issue()
    tbs = _with_tail(issued.tbs, b"\x05\x00")
    found = read_certificate(asn1.sequence(tbs, ROOT.key.algorithm(), asn1.bit_string(b"x")))
    assert [name for name, _ in found.faults] == ["extensions"]
    assert found.row["precert_tbs_sha256"] is None


def _with_tail(tbs: bytes, tail: bytes) -> bytes:
    """A TBSCertificate with octets put after its extensions, inside their tag."""
    from affidavit.evidence import der

    outer = der.read(tbs, 0, len(tbs))
    last = der.children(tbs, outer)[-1]
    return asn1.sequence(tbs[outer.content : last.start], asn1.tlv(0xA3, der.content(tbs, last), tail))


@pytest.mark.parametrize("policies", [["dv", "ov"], ["1.2.3"], []])
def test_validation_is_null_where_the_policies_do_not_settle_it(policies: list[str]) -> None:
    assert read(policies=policies).row["validation"] is None


# --- the outline ------------------------------------------------------------------------------------------------------


def test_every_truncation_is_refused_or_never_complete() -> None:
    issued = ROOT.issue().der
    for size in range(len(issued)):
        with pytest.raises(DerError):
            read_certificate(issued[:size])


def test_octets_after_the_certificate_are_refused() -> None:
    with pytest.raises(DerError, match="2 octets follow"):
        read_certificate(ROOT.issue().der + b"\n\n")


def test_every_single_octet_changed_gives_a_row_or_an_error_of_ours() -> None:
    log = Log("one")
    issued = ROOT.issue(scts=[log.sct("2024-01-01T00:00:00Z")], ips=["192.0.2.1"]).der
    rows = 0
    for at in range(len(issued)):
        for flip in (0x01, 0x80, 0xFF):
            changed = issued[:at] + bytes([issued[at] ^ flip]) + issued[at + 1 :]
            try:
                rows += read_certificate(changed).row["sha256"] is not None
            except DerError:
                continue
    assert rows > len(issued)


# --- precertificates --------------------------------------------------------------------------------------------------


def precert_tbs(der: bytes) -> str:
    found: str = read_certificate(der).row["precert_tbs_sha256"]
    assert found
    return found


@pytest.mark.parametrize("scts", [1, 2])
def test_a_precertificate_and_its_certificate_share_the_tbs(scts: int) -> None:
    log = Log("one")
    before, after = ROOT.pair("a.example", scts=[log.sct(1_700_000_000_000 + n) for n in range(scts)])
    kinds = [read_certificate(one.der).row["kind"] for one in (before, after)]
    assert kinds == ["precertificate", "certificate"]
    assert precert_tbs(before.der) == precert_tbs(after.der)
    assert read_certificate(before.der).tbs != read_certificate(after.der).tbs


def test_the_tbs_is_the_same_wherever_the_cut_extension_stands() -> None:
    log = Log("one")
    options: dict[str, Any] = {"scts": [log.sct(1_700_000_000_000)]}
    after = ROOT.issue("a.example", **options)
    first = ROOT.precertificate("a.example", arrange=lambda listed: [listed[-1], *listed[:-1]])
    assert precert_tbs(first.der) == precert_tbs(after.der)


def test_without_poison_and_scts_it_is_the_tbs_itself() -> None:
    issued = ROOT.issue()
    assert read_certificate(issued.der).precert_tbs == issued.tbs


@pytest.mark.parametrize(
    "change",
    [
        {"serial": 7},
        {"not_before": "2024-01-01T00:00:01Z"},
        {"policies": ["ov"]},
        {"dns": ["b.example"]},
        {"key": ec_key("other")},
        {"arrange": reversed},
        {"extensions": [extensions.extension("1.2.3", b"")]},
    ],
)
def test_a_near_miss_differs(change: dict[str, Any]) -> None:
    log = Log("one")
    before = ROOT.precertificate("a.example", serial=5)
    after = ROOT.issue("a.example", **{"serial": 5, "scts": [log.sct(1_700_000_000_000)], **change})
    assert precert_tbs(before.der) != precert_tbs(after.der)


@pytest.mark.parametrize(("name", "equal"), [("good", True), ("bad", False)])
def test_the_real_pairs_of_2023(name: str, equal: bool) -> None:
    folder = shared("evidence-samples/letsencrypt-2023")
    ders = [openssl_der((folder / f"{name}-{kind}.pem").read_bytes()) for kind in ("precert", "final")]
    before, after = (read_certificate(der) for der in ders)
    assert before.row["serial"] == after.row["serial"]
    assert (before.row["kind"], after.row["kind"]) == ("precertificate", "certificate")
    assert (before.row["precert_tbs_sha256"] == after.row["precert_tbs_sha256"]) is equal
    assert after.row["sct_count"] == 2


def openssl_der(pem: bytes) -> bytes:
    from affidavit.evidence import forms

    (item,) = [item for item in forms.items(pem) if item.kind == "certificate"]
    assert "BEGIN CERTIFICATE" in openssl("x509", given=pem)
    return item.data


# --- SCTs as read -----------------------------------------------------------------------------------------------------


def test_sct_times_are_read_to_the_millisecond() -> None:
    log, late = Log("one"), Log("two")
    row = read(scts=[late.sct(1_451_908_800_123), log.sct(1_451_908_800_122)]).row
    assert row["earliest_sct"] == datetime(2016, 1, 4, 12, 0, 0, 122_000)
    assert row["latest_sct"] == datetime(2016, 1, 4, 12, 0, 0, 123_000)
    assert row["sct_count"] == 2


def test_an_sct_outside_the_calendar_is_null_and_a_problem() -> None:
    log = Log("one")
    found = read(scts=[log.sct((1 << 64) - 1), log.sct(0)])
    assert found.row["sct_count"] == 2
    assert (found.row["earliest_sct"], found.row["latest_sct"]) == (None, None)
    assert [name for name, _ in found.faults] == ["scts"]
    assert found.scts[0].timestamp is None


@pytest.mark.parametrize("scts", [[b""], [b"\x00" * 46], [b"\x00" * 60], [b"\x00" * 41 + b"\xff\xff"]])
def test_an_sct_that_is_none_is_a_problem(scts: list[bytes]) -> None:
    found = read(scts=scts)
    assert found.row["sct_count"] is None
    assert [name for name, _ in found.faults] == ["scts"]
