"""DER values alone and one after another, PKCS #7 in DER and BER, base64 without PEM lines, tiles."""

import gzip
import struct
import warnings
from base64 import b64encode, encodebytes
from collections.abc import Callable
from pathlib import Path

import cryptography_vectors
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509 import load_der_x509_certificate
from hypothesis import given, settings
from hypothesis import strategies as st

from affidavit.evidence import forms, pem, values
from affidavit.evidence.item import Item
from testpki import asn1
from testpki.build import Authority
from testpki.crl import Revoked
from tests.openssl import openssl

ROOT = Authority.root("Test Root")
LEAVES = [ROOT.issue(f"n{number}.example") for number in range(4)]
LEAF = LEAVES[0]
CRL = ROOT.crl([Revoked(5, "2024-02-01T00:00:00Z")], this_update="2024-02-02T00:00:00Z")
VECTORS = Path(cryptography_vectors.__file__).parent
OCSP = (VECTORS / "x509/ocsp/resp-sha256.der").read_bytes()


def found(data: bytes) -> list[tuple[int, str, bytes, str]]:
    return [(item.position, str(item.kind), item.data, item.fault) for item in forms.items(data)]


def kinds(data: bytes) -> list[tuple[int, str]]:
    return [(position, kind) for position, kind, _, _ in found(data)]


# --- DER --------------------------------------------------------------------------------------------------------------


def test_values_one_after_another() -> None:
    data = LEAF.der + CRL.der + OCSP + ROOT.certificate.der
    expected = [(1, "certificate", LEAF.der, ""), (2, "crl", CRL.der, ""), (3, "ocsp", OCSP, "")]
    assert found(data) == [*expected, (4, "certificate", ROOT.certificate.der, "")]
    assert found(data + b"\r\n\0\0")[:4] == found(data)
    assert found(data + b"\r\n")[4][3].startswith(f"2 octets follow at octet {len(data):,} that are no DER value")


def test_a_damaged_value_costs_itself_alone() -> None:
    damaged = b"\x30\x82\xff\xff" + LEAVES[1].der[4:]
    first, second, third = found(LEAF.der + damaged + LEAVES[2].der)
    assert first[:3] == (1, "certificate", LEAF.der)
    assert second[:2] == (2, "unknown")
    said = f"{len(damaged):,} octets follow at octet {len(LEAF.der):,} that are no DER value: truncated"
    assert second[3].startswith(said)
    assert third == (3, "certificate", LEAVES[2].der, "")


def test_octets_that_are_no_der_are_named_wherever_they_stand() -> None:
    assert [item[:2] for item in found(LEAF.der + b"hello\x01" + CRL.der)] == [
        (1, "certificate"), (2, "unknown"), (3, "crl")
    ]  # fmt: skip
    assert found(LEAF.der + b"x")[1][3].startswith("1 octets follow at octet")
    assert kinds(LEAF.der + CRL.der[:-9]) == [(1, "certificate"), (2, "certificate")]  # cut: its reader says so


def test_small_values_are_told_apart() -> None:
    request = openssl("req", "-new", "-newkey", "rsa:1024", "-nodes", "-keyout", "/dev/null", "-subj", "/CN=a")
    data = found(request.encode())
    assert data[0][3] == "a PEM block of CERTIFICATE REQUEST is no evidence that is known"
    from cryptography.x509 import load_pem_x509_csr

    csr = load_pem_x509_csr(request.encode()).public_bytes(Encoding.DER)
    assert found(csr)[0][1::2] == ("unknown", "a certificate request (PKCS #10): neither a certificate nor a CRL")


def test_ocsp_responses() -> None:
    for path in sorted((VECTORS / "x509/ocsp").glob("resp-*.der")):
        assert kinds(path.read_bytes()) == [(1, "ocsp")], path.name
    for path in sorted((VECTORS / "x509/ocsp").glob("req-*.der")):
        assert kinds(path.read_bytes()) == [(1, "unknown")], path.name
    assert kinds(asn1.pem(OCSP, "OCSP RESPONSE").encode()) == [(1, "ocsp")]
    assert kinds(b64encode(OCSP)) == kinds(encodebytes(OCSP)) == [(1, "ocsp")]
    inner = OCSP[OCSP.index(bytes.fromhex("06092b0601050507300101")) + 11 :]
    basic = inner[4:] if inner[1] == 0x82 else inner[3:]
    assert "a BasicOCSPResponse without the OCSPResponse" in found(basic)[0][3]


def test_the_quick_look_agrees_with_the_careful_one() -> None:
    for leaf in LEAVES:
        for at in range(len(leaf.der)):
            changed = bytearray(leaf.der)
            changed[at] ^= 0x01
            data = bytes(changed)
            end = values.certificate_end(data, 0)
            if end > 0:
                assert end == len(data)
                assert values.is_one_value(data)
                assert values.classify(data) == "certificate"
    assert values.certificate_end(LEAF.der, 0) == len(LEAF.der)
    assert values.certificate_end(b"abc" + LEAF.der + b"x", 3) == 3 + len(LEAF.der)
    assert values.certificate_end(LEAF.der[:-1], 0) == -1


# --- PKCS #7 ----------------------------------------------------------------------------------------------------------


def indefinite(tag: int, *content: bytes) -> bytes:
    return bytes([tag, 0x80]) + b"".join(content) + b"\0\0"


DATA = asn1.oid("1.2.840.113549.1.7.1")
SIGNED_DATA = asn1.oid("1.2.840.113549.1.7.2")
Wrap = Callable[..., bytes]


def signed(wrap: Wrap, certificates: bytes = b"", crls: bytes = b"") -> bytes:
    """SignedData of version 1 without content and signers (RFC 5652 5.1)."""
    fields = [asn1.integer(1), wrap(0x31), wrap(0x30, DATA)]
    fields += [wrap(0xA0, certificates)] if certificates else []
    fields += [wrap(0xA1, crls)] if crls else []
    return wrap(0x30, SIGNED_DATA, wrap(0xA0, wrap(0x30, *fields, wrap(0x31))))


@pytest.mark.parametrize("wrap", [asn1.tlv, indefinite])
@pytest.mark.parametrize("dress", ["der", "PKCS7", "CMS", "PKCS #7 SIGNED DATA", "base64"])
def test_pkcs7_gives_its_certificates_and_crls(wrap: Wrap, dress: str) -> None:
    data = signed(wrap, LEAF.der + ROOT.certificate.der, CRL.der)
    read = openssl("pkcs7", "-inform", "DER", "-print_certs", "-noout", given=data)
    assert read.count("subject=") == 2  # it is sound to others
    dressed = data if dress == "der" else b64encode(data) if dress == "base64" else asn1.pem(data, dress).encode()
    expected = [(1, "certificate", LEAF.der, ""), (2, "certificate", ROOT.certificate.der, ""), (3, "crl", CRL.der, "")]
    assert found(dressed) == expected


def test_pkcs7_among_other_blocks_counts_on() -> None:
    block = asn1.pem(signed(asn1.tlv, LEAF.der + LEAVES[1].der), "PKCS7")
    data = LEAVES[2].pem() + block + LEAVES[3].pem()
    assert [(position, data) for position, _, data, _ in found(data.encode())] == [
        (1, LEAVES[2].der), (2, LEAF.der), (3, LEAVES[1].der), (4, LEAVES[3].der)
    ]  # fmt: skip
    assert [one[0] for one in found(LEAF.der + signed(indefinite, LEAF.der, CRL.der) + LEAF.der)] == [1, 2, 3, 4]


@pytest.mark.parametrize("name", ["amazon-roots.der", "amazon-roots.p7b", "isrg.pem"])
def test_real_pkcs7(name: str) -> None:
    data = (VECTORS / "pkcs7" / name).read_bytes()
    load = pkcs7.load_pem_pkcs7_certificates if name == "isrg.pem" else pkcs7.load_der_pkcs7_certificates
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library, too, reads BER
        expected = [certificate.public_bytes(Encoding.DER) for certificate in load(data)]
    assert [one[2] for one in found(data)] == expected


def test_pkcs7_without_certificates_is_a_fault() -> None:
    assert "neither a certificate nor a CRL" in found(signed(asn1.tlv))[0][3]
    enveloped = (VECTORS / "pkcs7/enveloped.pem").read_bytes()
    assert found(enveloped)[0][3] == "PKCS #7 of envelopedData holds no certificates that can be read"
    other = signed(asn1.tlv, LEAF.der + asn1.tlv(0xA1, b"\x02\x01\x01"), asn1.tlv(0xA1, asn1.oid("1.2.3"), b"\x05\0"))
    assert [(position, fault) for position, _, _, fault in found(other)] == [
        (1, ""), (2, "an attribute certificate in the PKCS #7 structure is no evidence that is known"),
        (3, "revocation information of another format in the PKCS #7 structure"),
    ]  # fmt: skip
    ri_ocsp = asn1.tlv(0xA1, asn1.oid("1.3.6.1.5.5.7.16.2"), OCSP)
    assert [(kind, data) for _, kind, data, _ in found(signed(asn1.tlv, b"", ri_ocsp))] == [("ocsp", OCSP)]


@pytest.mark.parametrize("wrap", [asn1.tlv, indefinite])
def test_pkcs7_that_is_cut_or_changed_is_a_fault(wrap: Wrap) -> None:
    data = signed(wrap, LEAF.der + ROOT.certificate.der)
    for size in (30, 200, len(data) - 3):
        assert found(asn1.pem(data[:size], "PKCS7").encode())[-1][3].startswith("the PKCS #7 structure cannot be read")
        assert found(data[:size])[0][3]  # what is whole in it is found all the same
    assert [one[1:3] for one in found(data[:-3])[1:2]] == [("certificate", LEAF.der)]
    for at in range(40):
        changed = bytearray(data)
        changed[at] ^= 0x20
        found(bytes(changed))
    assert len(found(b"\x30\x80" * 5000)) == 1


# --- base64 without PEM lines -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dress", [b64encode, encodebytes, lambda data: b'"' + b64encode(data) + b'"\n'])
def test_base64_alone_is_read(dress: Callable[[bytes], bytes]) -> None:
    assert found(dress(LEAF.der)) == [(1, "certificate", LEAF.der, "")]
    assert found(dress(CRL.der)) == [(1, "crl", CRL.der, "")]


def test_a_base64_value_a_line() -> None:
    lines = b"\n".join(b64encode(leaf.der) for leaf in LEAVES)
    assert [(position, data) for position, _, data, _ in found(lines)] == [
        (number, leaf.der) for number, leaf in enumerate(LEAVES, 1)
    ]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-3],
        lambda text: text[1:],
        lambda text: text.replace(b"MI", b"**", 1),
        lambda text: text.replace(b"A", b"*", 3),
        lambda text: b"my certificate:\n" + text,
        lambda text: b"> " + text.replace(b"\n", b"\n> "),
        lambda text: b"BEGIN CERTIFICATE\n" + text + b"END CERTIFICATE\n",
    ],
)
def test_base64_that_was_meant_as_a_certificate_is_no_prose(change: Callable[[bytes], bytes]) -> None:
    ((position, kind, data, fault),) = found(change(encodebytes(LEAF.der)))
    # Cut, it is still what the reader of certificates can name the fault of.
    assert fault.startswith("base64 as of a certificate") or (kind, position) == ("certificate", 1)
    assert not data or data == LEAF.der[: len(data)]
    assert data != LEAF.der


def test_words_that_look_like_base64_are_words() -> None:
    for text in (b"Main\n", b"MAJOR", b"Much ado about nothing", b"MIIA", b"M" * 30):
        assert kinds(text) == [(0, "text")]


# --- tiles ------------------------------------------------------------------------------------------------------------


def leaf_of_tile(entry_type: int = 0, time: int = 1_700_000_000_000, data: bytes = LEAF.der, length: int = -1) -> bytes:
    """The beginning of a TileLeaf (C2SP static-ct-api): TimestampedEntry of RFC 6962 3.4."""
    head = struct.pack(">QH", time, entry_type) + (bytes(range(32)) if entry_type else b"")
    return head + (len(data) if length < 0 else length).to_bytes(3) + data + b"\0\0\0\0"


def test_data_tiles() -> None:
    for entry_type, content in ((0, LEAF.der), (1, LEAF.tbs)):
        tile = leaf_of_tile(entry_type, data=content)
        assert found(tile) == found(gzip.compress(tile)) == [(0, "data tile", tile, "")]


@pytest.mark.parametrize(
    "near",
    [
        leaf_of_tile(2), leaf_of_tile(time=1_000_000_000), leaf_of_tile(time=1 << 60), leaf_of_tile(length=77),
        leaf_of_tile(data=b"\x31" + LEAF.der[1:]), leaf_of_tile(1)[:44], leaf_of_tile()[:-40],
    ],
)  # fmt: skip
def test_what_is_nearly_a_tile_is_a_fault(near: bytes) -> None:
    ((_, kind, _, fault),) = found(near)
    assert (kind, bool(fault)) == ("unknown", True)


# --- PEM, the quick way and the careful one ---------------------------------------------------------------------------


def careful(text: str) -> list[Item]:
    return list(pem._careful(text.encode(), 1))


DAMAGES: list[Callable[[str], str]] = [
    lambda block: block,
    lambda block: block.replace("M", "*", 1),
    lambda block: block.replace("-----END", "----END"),
    lambda block: block.replace("-----BEGIN", "-----BEGIN "),
    lambda block: block.replace("-----END CERTIFICATE-----\n", ""),
    lambda block: block.replace("-----BEGIN CERTIFICATE-----\n", ""),
    lambda block: block.rstrip("\n"),
    lambda block: block.replace("CERTIFICATE-----\n", "CERTIFICATE-----  \n"),
    lambda block: block.replace("\n", "\n\n"),
    lambda block: block.replace(" CERTIFICATE", " TRUSTED CERTIFICATE"),
    lambda block: " " + block,
    lambda block: "subject: a -- b\n" + block + "words\n",
    lambda block: "words\n" + block,
    lambda block: block.replace("-----\n", "-----\nname: value\n\n", 1),
    lambda block: "-----END CERTIFICATE-----\n" + block,
    lambda block: block + "-----END CERTIFICATE-----\n",
    lambda block: "-----BEGIN CERTIFICATE-----\n" + block,
    lambda block: block.replace("=", ""),
    lambda block: CRL.pem(),
    lambda block: block[:100] + "\n",
]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(DAMAGES)), min_size=1, max_size=8))
def test_the_quick_way_agrees_with_the_careful_one(blocks: list[tuple[int, Callable[[str], str]]]) -> None:
    text = "".join(change(LEAVES[number].pem()) for number, change in blocks)
    expected = careful(text)
    data = text.encode()
    assert list(pem.items(data)) == expected
    assert list(pem.items(memoryview(data))) == expected
    if "\n\n" not in text and not text.startswith("-----END"):
        assert list(pem.items(data.replace(b"\n", b"\r\n"))) == expected


def test_windows_end_where_blocks_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "".join(change(LEAVES[index % 4].pem()) for index, change in enumerate(DAMAGES * 2))
    expected = careful(text)
    assert len(expected) > 2 * len(DAMAGES) - 4
    for size in (1, 100, 700, 5000):
        monkeypatch.setattr(pem, "_WINDOW", size)
        assert list(pem.items(text.encode())) == expected


def test_a_line_of_blanks_costs_no_more_than_its_length() -> None:
    text = ("-----BEGIN" + " " * 400_000 + "x\n" + "-" * 400_000 + "BEGIN\n" + ">" * 400_000 + "\n").encode()
    assert [item.kind for item in forms.items(text + LEAF.pem().encode())][-1] == "certificate"


# --- pieces -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("octets", [1, 700, 2500, 10_000])
@pytest.mark.parametrize("form", ["pem", "pem with words", "crlf", "der", "der with damage"])
def test_pieces_read_apart_are_the_whole(form: str, octets: int, tmp_path: Path) -> None:
    text = "".join(f"{'n -- ' * 9}\n" * (form != "pem") + change(LEAF.pem()) for change in DAMAGES[:6] * 2)
    data = text.encode()
    if form == "crlf":
        data = data.replace(b"\n", b"\r\n")
    if form.startswith("der"):
        data = b"".join(leaf.der for leaf in LEAVES * 4)
    if form == "der with damage":
        data += b"\x30\x82junk" + data
    path = tmp_path / "file"
    path.write_bytes(data)
    ranges = forms.ranges(path, octets)
    assert ranges[0][0] == 0
    assert [begin for begin, _ in ranges[1:]] == [end for _, end in ranges[:-1]]
    assert ranges[-1][1] == len(data)
    assert len(ranges) > 1 or octets == 10_000
    # Long enough but for the last: the work is shared out in pieces worth a process.
    assert all(end - begin >= octets for begin, end in ranges[:-1])
    pieces = [item for begin, end in ranges for item in forms.items(data[begin:end])]

    def told(item: Item) -> tuple[str, bytes, str]:
        return item.kind, item.data, item.fault.split(" at octet")[0]

    assert [told(item) for item in pieces] == [told(item) for item in forms.items(data)]


def test_what_cannot_be_cut_is_one_piece(tmp_path: Path) -> None:
    texts = [b"words and no blocks\n" * 99, gzip.compress(LEAF.der * 9, mtime=0) * 9, b"PAR1" * 999]
    texts += [("\ufeff" + LEAF.pem() * 9).encode("utf-16"), leaf_of_tile() * 9]
    for data in texts:
        (tmp_path / "file").write_bytes(data)
        assert forms.ranges(tmp_path / "file", 100) == [(0, len(data))]
    (tmp_path / "file").write_bytes(LEAF.der)
    assert forms.ranges(tmp_path / "file", 10**6) == [(0, len(LEAF.der))]


def test_the_corpus_of_vectors_is_read_as_before() -> None:
    for path in sorted((VECTORS / "x509").glob("*.pem"))[:80]:
        try:
            certificates = [item for item in forms.items(path.read_bytes()) if item.kind == "certificate"]
        except forms.PrivateKeyFound:
            continue
        for item in certificates:
            try:
                assert load_der_x509_certificate(item.data).public_bytes(Encoding.DER) == item.data
            except ValueError:
                assert values.classify(item.data) == "certificate"
