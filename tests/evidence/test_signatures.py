"""Signatures over bytes: every algorithm that certificates carry, and near misses of each."""

import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from affidavit.evidence import forms
from affidavit.evidence.certificate import Certificate, read_certificate
from affidavit.evidence.parts import Algorithm
from affidavit.evidence.signatures import MAX_KEY_OCTETS, Why, same_key, sct_verifies, verifies, why_not
from testpki import asn1
from testpki.keys import Key, ec_key, ed25519_key, rsa_key
from tests.evidence.corpora import VECTORS

DATA = b"what was signed"
RSA, EC, ED = rsa_key("signer"), ec_key("signer"), ed25519_key("signer")
RSA_ENCRYPTION, PSS, MGF1 = "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10", "1.2.840.113549.1.1.8"
EC_PUBLIC_KEY = "1.2.840.10045.2.1"
HASHES = {"sha1": "1.3.14.3.2.26", "sha256": "2.16.840.1.101.3.4.2.1", "sha384": "2.16.840.1.101.3.4.2.2"}


def algorithm(oid: str, parameters: bytes = b"") -> Algorithm:
    return Algorithm(oid, "", None, parameters)


def flipped(octets: bytes, at: int = -1) -> bytes:
    changed = bytearray(octets)
    changed[at] ^= 1
    return bytes(changed)


# OIDs of RFC 3279, RFC 4055, RFC 5758, RFC 8410; the second of SHA-1 with RSA is OIW's.
SCHEMES = [
    (RSA, "md5", "1.2.840.113549.1.1.4"),
    (RSA, "sha1", "1.2.840.113549.1.1.5"),
    (RSA, "sha1", "1.3.14.3.2.29"),
    (RSA, "sha224", "1.2.840.113549.1.1.14"),
    (RSA, "sha256", "1.2.840.113549.1.1.11"),
    (RSA, "sha384", "1.2.840.113549.1.1.12"),
    (RSA, "sha512", "1.2.840.113549.1.1.13"),
    (EC, "sha1", "1.2.840.10045.4.1"),
    (EC, "sha224", "1.2.840.10045.4.3.1"),
    (EC, "sha256", "1.2.840.10045.4.3.2"),
    (EC, "sha384", "1.2.840.10045.4.3.3"),
    (EC, "sha512", "1.2.840.10045.4.3.4"),
    (ED, "", "1.3.101.112"),
]


@pytest.mark.parametrize(("key", "hash", "oid"), SCHEMES)
def test_each_algorithm_verifies_and_one_bit_off_does_not(key: Key, hash: str, oid: str) -> None:
    signature = key.sign(DATA, hash)
    assert verifies(key.spki, algorithm(oid), signature, DATA)
    assert why_not(key.spki, algorithm(oid), signature, DATA) is Why.NONE
    assert why_not(key.spki, algorithm(oid), signature, flipped(DATA)) is Why.WRONG
    assert why_not(key.spki, algorithm(oid), flipped(signature), DATA) is Why.WRONG
    assert why_not(key.spki, algorithm(oid), b"", DATA) is Why.WRONG


@pytest.mark.parametrize(("key", "hash", "oid"), SCHEMES)
def test_an_algorithm_of_another_hash_or_key_does_not_verify(key: Key, hash: str, oid: str) -> None:
    signature = key.sign(DATA, hash)
    for other, other_hash, other_oid in SCHEMES:
        if other.kind != key.kind:
            assert why_not(key.spki, algorithm(other_oid), signature, DATA) is Why.OTHER_KEY
        elif other_hash != hash:
            assert why_not(key.spki, algorithm(other_oid), signature, DATA) is Why.WRONG


@pytest.mark.parametrize(
    "oid", ["1.2.840.113549.1.1.2", "1.2.840.113549.1.1.3", "1.2.156.10197.1.501", "1.2.3", RSA_ENCRYPTION, ""]
)  # MD2 and MD4 with RSA, SM2, none at all, a key's OID, nothing
def test_what_the_library_has_no_algorithm_for_is_said_to_be_unknown(oid: str) -> None:
    assert why_not(RSA.spki, algorithm(oid), RSA.sign(DATA), DATA) is Why.UNKNOWN_ALGORITHM


def certificates(name: str) -> list[Certificate]:
    found = forms.items((VECTORS / name).read_bytes())
    return [read_certificate(item.data) for item in found if item.kind == "certificate"]


def why(certificate: Certificate, issuer: Certificate) -> Why:
    assert certificate.algorithm is not None
    return why_not(issuer.spki, certificate.algorithm, certificate.signature, certificate.tbs)


@pytest.mark.parametrize(
    ("issuer", "subject", "expected"),
    [
        ("ed25519/root-ed25519.pem", "ed25519/root-ed25519.pem", Why.NONE),
        ("ed448/root-ed448.pem", "ed448/root-ed448.pem", Why.NONE),
        ("ed448/root-ed448.pem", "ed25519/root-ed25519.pem", Why.OTHER_KEY),
        ("PKITS_data/certs/DSACACert.crt", "PKITS_data/certs/ValidDSASignaturesTest4EE.crt", Why.NONE),
        ("PKITS_data/certs/DSACACert.crt", "PKITS_data/certs/DSAParametersInheritedCACert.crt", Why.NONE),
        (
            "PKITS_data/certs/DSAParametersInheritedCACert.crt",
            "PKITS_data/certs/ValidDSAParameterInheritanceTest5EE.crt",
            Why.KEY_UNREADABLE,  # a DSA key without parameters; theirs would be the issuer's (RFC 3279 2.3.2)
        ),
        ("verisign_md2_root.pem", "verisign_md2_root.pem", Why.UNKNOWN_ALGORITHM),
        ("custom/dsa_selfsigned_ca.pem", "custom/dsa_selfsigned_ca.pem", Why.NONE),
        ("letsencryptx3.pem", "cryptography-scts.pem", Why.NONE),
        ("rapidssl_sha256_ca_g3.pem", "cryptography-scts.pem", Why.WRONG),
    ],
)
def test_certificates_that_others_made(issuer: str, subject: str, expected: Why) -> None:
    assert why(certificates(subject)[0], certificates(issuer)[0]) is expected
    found = certificates(subject)[0]
    assert found.algorithm is not None
    signed = flipped(found.tbs)
    assert why_not(certificates(issuer)[0].spki, found.algorithm, found.signature, signed) is not Why.NONE


# --- RSASSA-PSS (RFC 4055 3.1) ----------------------------------------------------------------------------------------


def digest(hash: str, parameters: bytes | None = asn1.null()) -> bytes:
    return asn1.sequence(asn1.oid(HASHES[hash]), parameters or b"")


def pss(
    hash: str = "sha256", mask: str = "sha256", salt: int = 0, trailer: int | None = None, mgf: str = MGF1
) -> bytes:
    fields = [asn1.explicit(0, digest(hash)), asn1.explicit(1, asn1.sequence(asn1.oid(mgf), digest(mask)))]
    fields.append(asn1.explicit(2, asn1.integer(salt)))
    return asn1.sequence(*fields, asn1.explicit(3, asn1.integer(trailer)) if trailer is not None else b"")


def pss_why(parameters: bytes, spki: bytes = RSA.spki, hash: str = "sha256") -> Why:
    return why_not(spki, algorithm(PSS, parameters), RSA.sign(DATA, hash, pss=True), DATA)


def test_pss_verifies_with_its_parameters_and_with_no_others() -> None:
    assert pss_why(pss()) is Why.NONE
    assert pss_why(pss(trailer=1)) is Why.NONE
    assert pss_why(pss("sha1", "sha1"), hash="sha1") is Why.NONE
    assert pss_why(pss("sha384")) is Why.WRONG
    assert pss_why(pss(mask="sha1")) is Why.WRONG
    assert pss_why(pss(salt=32)) is Why.WRONG


def test_absent_fields_are_the_defaults_sha1_and_20() -> None:
    only_salt = asn1.sequence(asn1.explicit(2, asn1.integer(0)))
    assert pss_why(only_salt, hash="sha1") is Why.NONE
    assert pss_why(asn1.sequence(), hash="sha1") is Why.WRONG  # a salt of 20 octets is the default


@pytest.mark.parametrize(
    "parameters",
    [
        pss(trailer=2),
        pss(mgf="1.2.840.113549.1.1.9"),
        pss(salt=-1),
        pss(salt=1 << 40),
        pss(salt=1 << 70),
        asn1.null(),
        pss() + b"\0",
        asn1.sequence(asn1.explicit(2, asn1.integer(0)), asn1.explicit(0, digest("sha256"))),  # out of order
        asn1.sequence(asn1.explicit(0, digest("sha256")), asn1.explicit(0, digest("sha256"))),
        asn1.sequence(asn1.explicit(4, asn1.integer(0))),
        asn1.sequence(asn1.explicit(0, digest("sha256", asn1.integer(1)))),
        asn1.sequence(asn1.explicit(0, asn1.sequence(asn1.oid("1.2.3")))),
        asn1.sequence(asn1.explicit(0, digest("sha256"), asn1.null())),
        asn1.sequence(asn1.explicit(1, digest("sha256"))),
        b"\x30\x82" + bytes(20_000),
    ],
)
def test_pss_parameters_that_are_not_understood_verify_nothing(parameters: bytes) -> None:
    assert pss_why(parameters) is Why.BAD_PARAMETERS


def bound_to_pss(parameters: bytes = b"") -> bytes:
    numbers = load_der_public_key(RSA.spki)
    assert isinstance(numbers, rsa.RSAPublicKey)
    n = numbers.public_numbers()
    bits = asn1.bit_string(asn1.sequence(asn1.integer(n.n), asn1.integer(n.e)))
    return asn1.sequence(asn1.sequence(asn1.oid(PSS), parameters), bits)


def test_a_key_bound_to_pss_signs_with_nothing_else() -> None:
    """RFC 4055 1.2, 3.3: the key's parameters are a minimum for the salt, and fix the hashes."""
    plain = algorithm("1.2.840.113549.1.1.11")
    assert why_not(bound_to_pss(), plain, RSA.sign(DATA), DATA) is Why.OTHER_KEY
    assert pss_why(pss(), bound_to_pss()) is Why.NONE
    assert pss_why(pss(), bound_to_pss(pss())) is Why.NONE
    assert pss_why(pss(), bound_to_pss(pss(salt=1))) is Why.OTHER_KEY
    assert pss_why(pss(), bound_to_pss(pss("sha384"))) is Why.OTHER_KEY
    assert pss_why(pss(), bound_to_pss(pss(mask="sha1"))) is Why.OTHER_KEY
    assert pss_why(pss(), bound_to_pss(asn1.null())) is Why.OTHER_KEY


def test_pss_as_openssl_signs_it(tmp_path: Path) -> None:
    """A salt and a mask hash of other sizes, by another implementation; its key is thrown away."""
    key, data = tmp_path / "key.pem", tmp_path / "data"
    data.write_bytes(DATA)
    options = ["rsa_padding_mode:pss", "rsa_pss_saltlen:17", "rsa_mgf1_md:sha1"]
    calls = [
        ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024", "-out", str(key)],
        ["pkey", "-in", str(key), "-pubout", "-outform", "DER", "-out", str(tmp_path / "spki")],
        ["dgst", "-sha256", "-sign", str(key), "-out", str(tmp_path / "signature")]
        + [word for option in options for word in ("-sigopt", option)]
        + [str(data)],
    ]
    for call in calls:
        subprocess.run(["openssl", *call], check=True, capture_output=True)
    spki, signature = (tmp_path / "spki").read_bytes(), (tmp_path / "signature").read_bytes()
    assert why_not(spki, algorithm(PSS, pss(mask="sha1", salt=17)), signature, DATA) is Why.NONE
    assert why_not(spki, algorithm(PSS, pss(mask="sha1", salt=18)), signature, DATA) is Why.WRONG
    assert why_not(spki, algorithm(PSS, pss(mask="sha256", salt=17)), signature, DATA) is Why.WRONG


# --- keys -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spki",
    [
        b"",
        b"junk",
        asn1.sequence(),
        asn1.sequence(asn1.sequence(asn1.oid("1.2.3.4")), asn1.bit_string(b"x")),
        asn1.sequence(asn1.sequence(asn1.oid(RSA_ENCRYPTION), asn1.null()), asn1.bit_string(b"x")),
        asn1.sequence(
            asn1.sequence(asn1.oid(RSA_ENCRYPTION), asn1.null()),
            asn1.bit_string(asn1.sequence(asn1.integer(-5), asn1.integer(3))),
        ),
        asn1.sequence(asn1.sequence(asn1.oid(EC_PUBLIC_KEY), asn1.oid("1.2.3")), asn1.bit_string(b"\4" + bytes(64))),
        RSA.spki[:-1],
        RSA.spki + bytes(MAX_KEY_OCTETS),
    ],
)  # fmt: skip
def test_a_key_that_cannot_be_read_verifies_nothing(spki: bytes) -> None:
    assert why_not(spki, algorithm("1.2.840.113549.1.1.11"), RSA.sign(DATA), DATA) is Why.KEY_UNREADABLE
    assert same_key(spki) == spki


def test_an_rsa_key_with_other_parameters_than_null_is_the_same_key() -> None:
    odd = RSA.spki.replace(asn1.sequence(asn1.oid(RSA_ENCRYPTION), asn1.null()), b"%s")
    inside = asn1.sequence(asn1.oid(RSA_ENCRYPTION), asn1.integer(4))
    bits = odd[odd.index(b"%s") + 2 :]
    spki = asn1.sequence(inside, bits)
    assert spki != RSA.spki
    assert verifies(spki, algorithm("1.2.840.113549.1.1.11"), RSA.sign(DATA), DATA)
    assert same_key(spki) == same_key(RSA.spki) != same_key(rsa_key("another").spki)


def test_a_compressed_point_is_the_same_key() -> None:
    point = EC.spki[-65:]
    short = bytes([2 + point[-1] % 2]) + point[1:33]
    algorithm_id = asn1.sequence(asn1.oid(EC_PUBLIC_KEY), asn1.oid("1.2.840.10045.3.1.7"))
    assert same_key(asn1.sequence(algorithm_id, asn1.bit_string(short))) == same_key(EC.spki)


@pytest.mark.parametrize(("key", "number"), [(RSA, 1), (EC, 3)])
def test_logs_sign_with_sha256_and_rsa_or_ecdsa_alone(key: Key, number: int) -> None:
    signature = key.sign(DATA)
    assert sct_verifies(key.spki, 4, number, signature, DATA)
    for hash in (0, 2, 3, 5, 6, 8):
        assert not sct_verifies(key.spki, hash, number, signature, DATA)
    for other in {0, 1, 2, 3, 4, 7} - {number}:
        assert not sct_verifies(key.spki, 4, other, signature, DATA)
    assert not sct_verifies(key.spki, 4, number, key.sign(DATA, "sha384"), DATA)


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
def test_signatures_are_judged_as_the_library_judges_them() -> None:
    """Over certificates of NIST's PKITS, right and wrong ones; the library's own verification is the judge."""
    folder = VECTORS / "PKITS_data/certs"
    root = (folder / "TrustAnchorRootCertificate.crt").read_bytes()
    anchor, judged = x509.load_der_x509_certificate(root), {True: 0, False: 0}
    for path in sorted(folder.glob("*.crt"))[::3]:
        certificate = read_certificate(path.read_bytes())
        try:
            x509.load_der_x509_certificate(certificate.der).verify_directly_issued_by(anchor)
            expected = True
        except (ValueError, TypeError, InvalidSignature):
            expected = False
        assert certificate.algorithm is not None
        key = read_certificate(root).spki
        found = verifies(key, certificate.algorithm, certificate.signature, certificate.tbs)
        assert found is expected, path.name
        judged[expected] += 1
    assert min(judged.values()) > 20
