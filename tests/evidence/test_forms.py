"""What stands in a file is told from its content; nothing in it is passed over unseen, and no private key gets by."""

import json
from collections.abc import Callable
from functools import cache

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)

from affidavit.evidence import forms
from testpki import asn1
from testpki.build import Authority, bundle
from testpki.crl import Revoked
from tests.openssl import openssl

ROOT = Authority.root("Test Root")
LEAF = ROOT.issue("a.example")
CRL = ROOT.crl([Revoked(5, "2024-02-01T00:00:00Z")], this_update="2024-02-02T00:00:00Z")


def kinds(data: bytes | str) -> list[tuple[int, str, str]]:
    return [(item.position, item.kind, item.fault) for item in forms.items(as_bytes(data))]


def as_bytes(data: bytes | str) -> bytes:
    return data.encode() if isinstance(data, str) else data


@pytest.mark.parametrize(
    "change",
    [
        lambda pem: pem,
        lambda pem: pem.replace("\n", "\r\n"),
        lambda pem: pem.replace("\n", "\r"),
        lambda pem: pem.rstrip("\n"),
        lambda pem: "Certificate:\n    Data:\n        Version: 3 (0x2)\n" + pem + "\nthe end -- of it\n",
        lambda pem: "\ufeff" + pem,
        lambda pem: pem.encode("utf-16"),
        lambda pem: pem.replace("-----\n", "-----   \n"),
        lambda pem: "".join(f"    {line}\n" for line in pem.splitlines()),
        lambda pem: pem.replace("BEGIN CERTIFICATE-----\n", "BEGIN CERTIFICATE-----\nfriendlyName: a leaf\n\n"),
        lambda pem: pem.replace(" CERTIFICATE", " X509 CERTIFICATE"),
        lambda pem: "0 is the first octet of this text\n" + pem,
    ],
)
def test_one_certificate_in_every_dress_of_pem(change: Callable[[str], str | bytes]) -> None:
    found = list(forms.items(as_bytes(change(LEAF.pem()))))
    assert [(item.position, item.kind, item.data) for item in found] == [(1, "certificate", LEAF.der)]


def test_der_is_read_whatever_it_is_called() -> None:
    assert kinds(LEAF.der) == [(1, "certificate", "")]
    assert kinds(CRL.der) == [(1, "crl", "")]


def test_the_label_does_not_decide() -> None:
    assert kinds(asn1.pem(CRL.der, "CERTIFICATE")) == [(1, "crl", "")]
    assert kinds(asn1.pem(LEAF.der, "X509 CRL")) == [(1, "certificate", "")]


def test_many_certificates_with_text_between() -> None:
    text = "one\n" + LEAF.pem() + "two -- a line\n" + CRL.pem() + "three\n" + ROOT.certificate.pem()
    assert kinds(text) == [(1, "certificate", ""), (2, "crl", ""), (3, "certificate", "")]


def test_files_put_together_without_a_newline_between() -> None:
    text = LEAF.pem().rstrip("\n") + ROOT.certificate.pem()
    assert [item.data for item in forms.items(text.encode())] == [LEAF.der, ROOT.certificate.der]


@cache
def fifty() -> list[str]:
    return [ROOT.issue(f"n{number}.example").pem() for number in range(1, 51)]


DAMAGES: dict[str, tuple[Callable[[str], str], str]] = {
    "a stranger's letter": (lambda pem: pem.replace("M", "*", 1), "not base64"),
    "a letter missing": (lambda pem: pem.replace("MI", "M", 1), "not base64"),
    "no END line": (lambda pem: pem.replace("-----END CERTIFICATE-----\n", ""), "no line END CERTIFICATE"),
    "no BEGIN line": (lambda pem: pem.replace("-----BEGIN CERTIFICATE-----\n", ""), "no line BEGIN"),
    "four dashes": (lambda pem: pem.replace("-----BEGIN", "----BEGIN"), "not as RFC 7468 has it"),
    "dashes missing": (lambda pem: pem.replace("BEGIN CERTIFICATE-----", "BEGIN CERTIFICATE"), "not as RFC 7468"),
    "a mail's quote": (lambda pem: "".join(f"> {line}\n" for line in pem.splitlines()), "not as RFC 7468"),
    "another label at its end": (lambda pem: pem.replace("END CERT", "END X509 CERT"), "no line END CERTIFICATE"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_one_damaged_of_fifty_costs_itself_alone(damage: str) -> None:
    change, reason = DAMAGES[damage]
    listed = list(fifty())
    listed[16] = change(listed[16])
    found = list(forms.items("".join(listed).encode()))
    assert [item.position for item in found] == list(range(1, 51))
    good = [item.position for item in found if item.kind == "certificate"]
    assert [(item.position, reason in item.fault) for item in found if item.fault] == [(17, True)]
    assert len(good) == 49


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b" \n\t\r\n", "the file is empty"),
        (b"\x00\x01\x02\x03" * 40, "neither PEM nor DER"),
        (b"a letter in Latin-1: \xe9 t \xe9\n", "nor a text in UTF-8"),
        (b"half of UTF-8: \xc3", "nor a text in UTF-8"),
        (b"words and a bell \x07", "neither PEM nor DER"),
        ("words in UTF-16".encode("utf-16-le"), "neither PEM nor DER"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "neither PEM nor DER"),
        (b"\x30", "cannot be read"),
        (b"\x30\xff" + b"\x30" * 9, "cannot be read"),
        (b"\x30\x82\x30", "cannot be read"),
        (b"\x30\x03\x02\x01\x07", "neither a certificate nor a CRL"),
        (b"see -----BEGIN CERTIFICATE----- for how", "no line that begins a block"),
        (b"-----BEGIN CERTIFICATE-----", "no line END"),
        (b"-----BEGIN ", "no line that begins a block"),
        (b"-----END CERTIFICATE-----\n", "no line BEGIN"),
        (asn1.pem(b"\x30\x00", "PUBLIC KEY").encode(), "PUBLIC KEY is no evidence that is known"),
        (asn1.pem(b"\x30\x00", "PKCS7").encode(), "block of PKCS7 holds no PKCS #7 structure"),
        (b"BZh91AY&SY" + bytes(30), "a bzip2 file is not opened"),
        (b"\xfd7zXZ\x00" + bytes(30), "an xz file is not opened"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(30), "a 7z archive is not opened"),
        (b"Rar!\x1a\x07\x00" + bytes(30), "a rar archive is not opened"),
    ],
)
def test_what_is_no_evidence_is_named(data: bytes, reason: str) -> None:
    found = list(forms.items(data))
    assert len(found) == 1
    assert reason in found[0].fault


def test_a_truncated_certificate_is_still_taken_for_one() -> None:
    for size in (40, 200, len(LEAF.der) - 1):
        assert [item.kind for item in forms.items(LEAF.der[:size])] == ["certificate"]


def test_random_octets_never_crash() -> None:
    from testpki.keys import stream

    for number in range(400):
        noise = stream(f"noise {number}", 3 + number % 90)
        for data in (noise, b"\x30" + noise, b"\x30\x82" + noise, b"\x30\x80" + noise, b"-----BEGIN " + noise):
            list(forms.items(data))


def test_openssls_trusted_form_is_its_certificate() -> None:
    trusted = openssl("x509", "-addtrust", "serverAuth", "-setalias", "x", "-trustout", given=LEAF.pem().encode())
    assert "BEGIN TRUSTED CERTIFICATE" in trusted
    assert [(item.kind, item.data) for item in forms.items(trusted.encode())] == [("certificate", LEAF.der)]


# --- private keys -----------------------------------------------------------------------------------------------------

PASSWORD = BestAvailableEncryption(b"a word to pass")


@cache
def private_keys() -> dict[str, bytes]:
    """Private keys in every form, made afresh; none is written to a file."""
    rsa_key = rsa.generate_private_key(65537, 1024)
    ec_key = ec.generate_private_key(ec.SECP256R1())
    dsa_key = dsa.generate_private_key(1024)
    edwards = ed25519.Ed25519PrivateKey.generate()
    found: dict[str, bytes] = {}

    def put(name: str, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | dsa.DSAPrivateKey, form: str) -> None:
        encryption: KeySerializationEncryption = PASSWORD if "encrypted" in form else NoEncryption()
        style = PrivateFormat.PKCS8 if "pkcs8" in form else PrivateFormat.TraditionalOpenSSL
        found[f"{name} {form} pem"] = key.private_bytes(Encoding.PEM, style, encryption)
        if form != "traditional encrypted":  # no such form in DER
            found[f"{name} {form} der"] = key.private_bytes(Encoding.DER, style, encryption)

    for name, key in (("rsa", rsa_key), ("ec", ec_key), ("dsa", dsa_key)):
        for form in ("pkcs8", "pkcs8 encrypted", "traditional", "traditional encrypted"):
            put(name, key, form)
    found["ed25519 pkcs8 der"] = edwards.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    found["openssh pem"] = ec_key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    found["pkcs12"] = pkcs12.serialize_key_and_certificates(b"x", ec_key, None, None, PASSWORD)
    return found


KEY_NAMES = [
    *(f"{kind} {form} {code}" for kind in ("rsa", "ec", "dsa") for form in ("pkcs8", "pkcs8 encrypted", "traditional")
      for code in ("pem", "der")),
    "rsa traditional encrypted pem", "ec traditional encrypted pem", "dsa traditional encrypted pem",
    "ed25519 pkcs8 der", "openssh pem", "pkcs12",
]  # fmt: skip


def test_every_key_form_is_tried() -> None:
    assert set(private_keys()) == set(KEY_NAMES)


@pytest.mark.parametrize("name", KEY_NAMES)
def test_a_private_key_is_refused(name: str) -> None:
    data = private_keys()[name]
    with pytest.raises(forms.PrivateKeyFound):
        list(forms.items(data))
    if name.endswith("pem"):
        text = data.decode()
        for dress in (
            LEAF.pem() + text,
            text + LEAF.pem(),
            "".join(f"  {line}\n" for line in text.splitlines()),
            "".join(f"> {line}\n" for line in text.splitlines()),
            text.replace("\n", "\r\n"),
            json.dumps({"key": text}),
            text.splitlines()[0],
        ):
            with pytest.raises(forms.PrivateKeyFound):
                list(forms.items(dress.encode()))
        with pytest.raises(forms.PrivateKeyFound):
            list(forms.items(text.encode("utf-16")))
    else:
        for label in ("CERTIFICATE", "X509 CRL", "PUBLIC KEY", "CERTIFICATE REQUEST", "TRUSTED CERTIFICATE"):
            with pytest.raises(forms.PrivateKeyFound):
                list(forms.items(asn1.pem(data, label).encode()))
        with pytest.raises(forms.PrivateKeyFound):
            list(forms.items(LEAF.der + data))


@pytest.mark.parametrize("name", [n for n in KEY_NAMES if n.endswith("der") and "encrypted" not in n])
def test_a_private_key_that_is_cut_short_is_still_one(name: str) -> None:
    data = private_keys()[name]
    with pytest.raises(forms.PrivateKeyFound):
        list(forms.items(data[:-3]))


def test_a_pkcs12_file_in_ber_is_refused() -> None:
    inside = asn1.integer(3) + b"\x30\x80" + asn1.oid("1.2.840.113549.1.7.1") + b"\x00\x00"
    with pytest.raises(forms.PrivateKeyFound, match="PKCS #12"):
        list(forms.items(b"\x30\x80" + inside + b"\x00\x00"))


@pytest.mark.parametrize(
    "data",
    [
        b"PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n",
        b"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n",
        b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQ==\n",
        b'{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "d": "AA"}',
        b"openssh-key-v1\0" + bytes(40),
        asn1.pem(b"openssh-key-v1\0" + bytes(40)).encode(),
        b"\xfe\xed\xfe\xed\x00\x00\x00\x02" + bytes(40),
    ],
)
def test_keys_of_other_programs_are_refused(data: bytes) -> None:
    with pytest.raises(forms.PrivateKeyFound):
        list(forms.items(data))


def test_a_public_key_and_a_request_are_no_private_keys() -> None:
    key = ROOT.key.spki
    assert [item.kind for item in forms.items(key)] == ["unknown"]
    assert [item.kind for item in forms.items(b'{"kty": "EC", "x": "AA"}')] == ["text"]
    numbers = asn1.sequence(asn1.integer(0xC0FFEE << 1000 | 1), asn1.integer(65537))
    assert [item.kind for item in forms.items(numbers)] == ["unknown"]


def test_a_bundle_holds_what_was_put_in() -> None:
    many = [ROOT.issue(f"m{number}.example") for number in range(5)]
    found = list(forms.items(as_bytes(bundle(many, "five\nof them"))))
    assert [item.data for item in found] == [one.der for one in many]
