"""The builder is judged by openssl and by the cryptography library, never by itself."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from testpki import Authority, Log, Revoked, asn1, bundle, ec_key, ed25519_key, rsa_key, rsa_public_key
from testpki.extensions import SCT_LIST, extension
from tests.openssl import openssl, x509_field, x509_text


@pytest.fixture(scope="module")
def root() -> Authority:
    return Authority.root("Test Root")


def verifies(tmp_path: Path, root: Authority, leaf: bytes, *between: Authority, fails: bool = False) -> None:
    (tmp_path / "root.pem").write_text(root.certificate.pem())
    (tmp_path / "between.pem").write_text(bundle(ca.certificate for ca in between))
    (tmp_path / "leaf.pem").write_text(asn1.pem(leaf))
    untrusted: list[str | Path] = ["-untrusted", tmp_path / "between.pem"] if between else []
    chain: list[str | Path] = ["-CAfile", tmp_path / "root.pem", *untrusted, tmp_path / "leaf.pem"]
    openssl("verify", "-auth_level", "0", "-no_check_time", *chain, fails=fails)


def test_usual_certificate(root: Authority, tmp_path: Path) -> None:
    leaf = root.issue("a.example")
    text = x509_text(leaf.der)
    for line in (
        "Version: 3 (0x2)",
        "Signature Algorithm: ecdsa-with-SHA256",
        "Issuer: CN=Test Root",
        "Not Before: Jan  1 00:00:00 2024 GMT",
        "Not After : Mar 30 23:59:59 2024 GMT",  # 90 days with both ends: 31 + 29 + 30
        "Subject: CN=a.example",
        "NIST CURVE: P-256",
        "CA:FALSE",
        "Digital Signature",
        "TLS Web Server Authentication, TLS Web Client Authentication",
        "Policy: 2.23.140.1.2.1",
        "DNS:a.example",
    ):
        assert line in text
    assert int(x509_field(leaf.der, "-serial"), 16) == leaf.serial > 2**119
    assert x509_field(leaf.der, "-fingerprint", "-sha256").replace(":", "").lower() == leaf.sha256
    openssl("x509", "-noout", "-checkhost", "a.example", given=leaf.pem().encode())
    verifies(tmp_path, root, leaf.der)


@pytest.mark.parametrize(
    ("key", "hash", "name"),
    [
        ("rsa", "md5", "md5WithRSAEncryption"),
        ("rsa", "sha1", "sha1WithRSAEncryption"),
        ("rsa", "sha256", "sha256WithRSAEncryption"),
        ("rsa", "sha384", "sha384WithRSAEncryption"),
        ("ec", "sha1", "ecdsa-with-SHA1"),
        ("ec", "sha384", "ecdsa-with-SHA384"),
        ("ed25519", "sha256", "ED25519"),
    ],
)
def test_signature_algorithms(key, hash, name, tmp_path: Path) -> None:
    root = Authority.root("Algorithms", key=key)
    leaf = root.issue("a.example", hash=hash)
    assert x509_text(leaf.der).count(f"Signature Algorithm: {name}") == 2
    verifies(tmp_path, root, leaf.der)


def test_pss(tmp_path: Path) -> None:
    root = Authority.root("Algorithms", key="rsa")
    leaf = root.issue("a.example", pss=True, hash="sha384")
    text = x509_text(leaf.der)
    assert "Signature Algorithm: rsassaPss" in text
    assert "Hash Algorithm: sha384" in text
    verifies(tmp_path, root, leaf.der)


def test_intermediates_and_path_length(root: Authority, tmp_path: Path) -> None:
    first = root.intermediate("Between", path_length=0)
    leaf = first.issue("a.example")
    assert "CA:TRUE, pathlen:0" in x509_text(first.certificate.der)
    verifies(tmp_path, root, leaf.der, first)
    below = first.intermediate("Below").issue("a.example")  # one CA more than the path length allows
    verifies(tmp_path, root, below.der, first, first.intermediate("Below"), fails=True)


def test_wrong_signature_is_wrong(root: Authority, tmp_path: Path) -> None:
    verifies(tmp_path, root, root.issue(signed_by=ec_key("another")).der, fails=True)
    verifies(tmp_path, root, root.issue(signature=b"\x30\x03\x02\x01\x01").der, fails=True)


@pytest.mark.parametrize(
    ("serial", "shown"),
    [
        (0x056D1570DA645BF6B44C0A7077CC6769, "056D1570DA645BF6B44C0A7077CC6769"),
        (0, "00"),
        (-1, "-01"),
        (-128, "-80"),
        (-129, "-81"),  # two octets encoded, FF 7F
        (0x80, "80"),
        (2**159, "80" + "00" * 19),  # 21 octets encoded
    ],
)
def test_serials(root: Authority, serial, shown) -> None:
    parsed = openssl("asn1parse", "-inform", "DER", given=root.issue(serial=serial).der)
    version, number = re.findall(r"INTEGER\s+:(-?[0-9A-F]+)", parsed)[:2]
    assert version == "02"
    assert number == shown
    assert int(shown, 16) == serial


def test_serial_octets(root: Authority) -> None:
    assert b"\x02\x03\x00\x00\x05" in root.issue(serial=b"\x00\x00\x05").der  # octets as given, though not DER
    parsed = openssl("asn1parse", "-inform", "DER", given=root.issue(serial=2**159).der)
    assert re.search(r"l=\s+21 prim:\s+INTEGER", parsed)
    assert re.search(
        r"l=\s+1 prim:\s+INTEGER\s+:-80", openssl("asn1parse", given=root.issue(serial=-128).pem().encode())
    )


def test_times(root: Authority) -> None:
    text = x509_text(root.issue(not_before="2049-12-31T23:59:59Z", not_after="2050-01-01").der)
    assert "Not Before: Dec 31 23:59:59 2049 GMT" in text
    assert "Not After : Jan  1 00:00:00 2050 GMT" in text
    shown = openssl("asn1parse", given=root.issue(not_before="2049-12-31", not_after="2050-01-01").pem().encode())
    assert "UTCTIME           :491231000000Z" in shown
    assert "GENERALIZEDTIME   :20500101000000Z" in shown
    odd = root.issue(not_before=asn1.utc_time("110629153248-1200"), not_after=asn1.generalized_time("2030-01-01"))
    shown = openssl("asn1parse", given=odd.pem().encode())
    assert "UTCTIME           :110629153248-1200" in shown
    assert "GENERALIZEDTIME   :20300101000000Z" in shown
    here = root.issue(not_before=datetime(2015, 12, 20, tzinfo=UTC))
    assert x509_field(here.der, "-startdate") == "Dec 20 00:00:00 2015 GMT"
    assert (
        x509_field(root.issue(not_before="2015-12-20T00:00:00+08:00").der, "-startdate") == "Dec 19 16:00:00 2015 GMT"
    )


def test_names(root: Authority) -> None:
    subject: asn1.Name = [
        ("C", "CN"),
        ("O", "沃通", "bmp"),
        [("OU", "b", "t61"), ("OU", "a", "printable")],
        ("CN", "<script>", "universal"),
        ("2.5.4.97", "odd"),
    ]
    leaf = root.issue(subject=subject)
    shown = openssl("asn1parse", given=leaf.pem().encode())
    for kind in (
        "PRINTABLESTRING   :CN",
        "BMPSTRING",
        "T61STRING         :b",
        "UNIVERSALSTRING",
        "UTF8STRING        :odd",
    ):
        assert kind in shown
    assert "O=沃通" in x509_text(leaf.der)
    assert re.search(r"OU=\w\+OU=\w", x509_text(leaf.der))
    assert x509_field(root.issue(subject=None).der, "-subject") == ""
    assert "Issuer: CN=Nobody" in x509_text(root.issue(issuer="Nobody").der)


def test_extensions_left_out_added_and_arranged(root: Authority) -> None:
    bare = x509_text(root.issue(extensions=None).der)
    assert "X509v3 extensions" not in bare
    assert "Version: 3" in bare
    first = x509_text(root.issue(version=1).der)
    assert "Version: 1" in first
    assert "X509v3 extensions" not in first
    less = x509_text(
        root.issue(
            key_usage=None,
            extended_key_usage=None,
            policies=None,
            ski=None,
            aki=None,
            dns=None,
            basic_constraints=None,
        ).der
    )
    assert "X509v3" not in less
    odd = root.issue(
        extensions=[extension("1.2.3.4", asn1.null(), critical=True)],
        dns=["b.example"],
        ips=["192.0.2.1", "2001:db8::1"],
    )
    assert "1.2.3.4: critical" in x509_text(odd.der)
    assert "DNS:b.example, IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1" in x509_text(odd.der)
    order = re.findall(r"X509v3 ([\w ]+):", x509_text(root.issue(arrange=reversed).der))[1:]
    assert order == re.findall(r"X509v3 ([\w ]+):", x509_text(root.issue().der))[1:][::-1] != []
    assert (
        x509_text(root.issue(arrange=lambda made: [*made, made[-1]]).der).count("X509v3 Subject Alternative Name") == 2
    )
    urls = x509_text(root.issue(crl_url="http://crl.example/a.crl", ocsp_url="http://ocsp.example/").der)
    assert "URI:http://crl.example/a.crl" in urls
    assert "OCSP - URI:http://ocsp.example/" in urls
    usage = root.issue(
        key_usage=["keyAgreement", "decipherOnly"],
        extended_key_usage=["codeSigning", "1.2.3.5"],
        policies=["ev"],
    )
    assert "Key Agreement, Decipher Only" in x509_text(usage.der)
    assert "Code Signing, 1.2.3.5" in x509_text(usage.der)
    assert "Policy: 2.23.140.1.1" in x509_text(usage.der)


def test_pair_differs_in_poison_and_scts_alone(root: Authority) -> None:
    log = Log("Test log")
    before, leaf = root.pair("a.example", scts=[log.sct("2016-01-04T03:12:00.250Z")])
    assert "CT Precertificate Poison: critical" in x509_text(before.der)
    assert "Timestamp : Jan  4 03:12:00.250 2016 GMT" in x509_text(leaf.der)
    drop = ("CT Precertificate", "Signed Certificate Timestamp", "NULL")

    def common(der: bytes) -> str:
        text = x509_text(der).partition("CT Precertificate")[0]
        assert not any(word in text for word in drop)
        return text

    assert common(before.der) == common(leaf.der)
    # The library cuts the SCT list out of the certificate; the same bytes must come of cutting the poison.
    without = x509.load_der_x509_certificate(leaf.der).tbs_precertificate_bytes
    assert without == x509.load_der_x509_certificate(root.issue("a.example").der).tbs_certificate_bytes


def test_sct_verifies_under_the_log_key(root: Authority) -> None:
    log = Log("Test log")
    leaf = x509.load_der_x509_certificate(root.issue(scts=[log.sct("2016-01-04", extensions=b"\0\0\1")]).der)
    scts = leaf.extensions.get_extension_for_class(x509.PrecertificateSignedCertificateTimestamps).value
    (sct,) = list(scts)
    assert sct.log_id == log.log_id
    assert sct.extension_bytes == b"\0\0\1"
    digest = hashes.Hash(hashes.SHA256())
    digest.update(root.key.spki)
    tbs = leaf.tbs_precertificate_bytes
    # RFC 6962 3.2, written out by hand: 1451865600000 ms is 2016-01-04T00:00:00Z (date -u -d @1451865600)
    signed = (
        b"\0\0" + (1451865600000).to_bytes(8) + b"\0\1" + digest.finalize() + len(tbs).to_bytes(3) + tbs + b"\0\3\0\0\1"
    )
    key = serialization.load_der_public_key(log.key.spki)
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(sct.signature, signed, ec.ECDSA(hashes.SHA256()))


def test_raw_and_odd_scts(root: Authority) -> None:
    log = Log("Test log")
    leaf = root.issue(scts=[b"\x00" * 10, log.sct("2016-01-04", signature=b"no signature")])
    assert log.log_id in leaf.der
    assert b"no signature" in leaf.der
    odd = root.issue(extensions=[extension(SCT_LIST, b"\x04\x01\x00")])
    assert "CT Precertificate SCTs" in x509_text(odd.der)


def test_crl(tmp_path: Path) -> None:
    root = Authority.root("Test Root", key="rsa")
    revoked = [
        Revoked(0x0D3B, "2016-08-29T02:14:05Z", "keyCompromise"),
        Revoked(2**159, "2016-08-30T00:00:00Z"),
        Revoked(5, "2050-01-01T00:00:00Z", "superseded"),
    ]
    crl = root.crl(revoked, this_update="2016-09-19", next_update="2016-09-26", number=412, hash="sha1")
    (tmp_path / "root.pem").write_text(root.certificate.pem())
    said = openssl("crl", "-noout", "-text", "-CAfile", tmp_path / "root.pem", given=crl.pem().encode())
    assert "verify OK" in said
    for line in (
        "Version 2 (0x1)",
        "sha1WithRSAEncryption",
        "Last Update: Sep 19 00:00:00 2016 GMT",
        "Next Update: Sep 26 00:00:00 2016 GMT",
        "Serial Number: 0D3B\n        Revocation Date: Aug 29 02:14:05 2016 GMT",
        "Key Compromise",
        "Serial Number: 80" + "00" * 19 + "\n        Revocation Date: Aug 30 00:00:00 2016 GMT\n    Serial",
        "Jan  1 00:00:00 2050 GMT",
        "Superseded",
        "X509v3 CRL Number: \n                412",
    ):
        assert line in said
    empty = root.crl(this_update="2016-09-19", number=None)
    shown = openssl("crl", "-noout", "-text", given=empty.pem().encode())
    assert "No Revoked Certificates" in shown
    assert "CRL Number" not in shown
    wrong = root.crl(this_update="2016-09-19", signature=b"\1" * 256)
    assert "verify failure" in openssl("crl", "-noout", "-CAfile", tmp_path / "root.pem", given=wrong.pem().encode())


def test_keys_are_what_they_say() -> None:
    for bits in (1024, 2048):
        key = serialization.load_der_public_key(rsa_key("bits", bits).spki)
        assert isinstance(key, rsa.RSAPublicKey)
        assert key.key_size == bits
    assert "Key is valid" in openssl(
        "pkey", "-pubin", "-inform", "DER", "-pubcheck", "-noout", given=rsa_key("bits").spki
    )
    moduli = {rsa_public_key(number, pool=5, bits=512).spki for number in range(10)}
    assert len(moduli) == 10
    with pytest.raises(IndexError):
        rsa_public_key(10, pool=5, bits=512)
    assert "P-384" in openssl("pkey", "-pubin", "-inform", "DER", "-text", "-noout", given=ec_key("a", "p384").spki)
    assert "ED25519" in openssl("pkey", "-pubin", "-inform", "DER", "-text", "-noout", given=ed25519_key("a").spki)
    assert ec_key("a").spki != ec_key("b").spki


def test_rsa_primes_are_prime() -> None:
    from testpki.keys import prime

    for seed in ("a", "b", "c"):
        number = prime(seed, 512)
        assert number.bit_length() == 512
        assert "is prime" in openssl("prime", str(number))


def test_always_the_same_bytes(root: Authority) -> None:
    log = Log("Test log")
    first = root.issue("a.example", scts=[log.sct("2016-01-04")]).der
    ec_key.cache_clear()
    assert Authority.root("Test Root").issue("a.example", scts=[Log("Test log").sct("2016-01-04")]).der == first


def test_every_certificate_its_own_serial(root: Authority) -> None:
    made = [
        root.issue("a.example"),
        root.issue("b.example"),
        root.issue("a.example", hash="sha1"),
        root.issue("a.example", not_before="2015-12-20"),
    ]
    assert len({leaf.serial for leaf in made}) == 4
