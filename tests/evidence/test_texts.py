"""Texts without PEM marks are told by markers of their content, near misses not; nothing takes long."""

import gzip
import json
import mmap
import time
from base64 import b64encode, encodebytes
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from affidavit.evidence import forms
from testpki.build import Authority
from testpki.ct import Log, log_list
from tests.evidence import test_archives as made
from tests.evidence.corpora import shared, zlint_files

ROOT = Authority.root("Test Root")
LEAF = ROOT.issue("a.example")
SHA256 = "3b51df8c0d2ba5b4f2385f85fec5c1b888257f420ff58d9f5f6ac1d38454278b"
ENTRY = {"leaf_input": "AAAAAAE9pCDoYwAAAAOG", "extra_data": "AAA="}
CRTSH = {"issuer_ca_id": 1, "issuer_name": "CN=x", "common_name": "a", "name_value": "a\nb", "id": 7,
         "entry_timestamp": None, "not_before": "2024-01-01T00:00:00", "serial_number": "05"}  # fmt: skip
ZLINT = {"e_basic_constraints_not_critical": {"result": "pass"}, "w_ct_sct_policy_count_unsatisfied": {"result": "NA"}}
PKILINT = {"results": [{"node_path": "certificate", "validator": "V", "finding_descriptions": []}]}
V2 = {"operators": [{"name": "x", "email": ["a@b"], "logs": [{"key": "MFkw", "mmd": 86400, "log_id": "sh4="}]}]}
CHECKPOINT = (
    "log.example/2024\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "\u2014 log.example/2024 Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE\n"
)
CSV = "Precertificate SHA-256 hash,Certificate SHA-256 hash,Subject,Issuer\n" + f"{SHA256},{SHA256},CN=a,CN=b\n"

KINDS: list[tuple[str, str]] = [
    ("get-entries", json.dumps({"entries": [ENTRY]})),
    ("get-entries", json.dumps({"entries": [ENTRY] * 3}, indent=2) + "\n"),
    ("get-entries", '{"entries":[]}'),
    ("get-entries", json.dumps({"entries": [ENTRY] * 9})[:-40]),  # cut: its reader says so
    ("log list", log_list([Log("A")])),
    ("log list", json.dumps(V2)),
    ("crt.sh json", json.dumps([CRTSH, CRTSH])),
    ("crt.sh json", "\ufeff" + json.dumps([CRTSH], indent=1)),
    ("crt.sh csv", "issuer_ca_id,issuer_name,name_value,id,entry_timestamp\n1,CN=x,a,7,\n"),
    ("crt.sh csv", '"crt.sh ID","Logged At","Not Before","Common Name"\n7,2024-01-01,2024-01-01,a\n'),
    ("ccadb csv", CSV),
    ("ccadb csv", "\ufeff" + CSV.replace(",", ";").replace("hash", "Hash").replace("\n", "\r\n")),
    ("ccadb csv", "Certificate SHA-256 Hash\tSerial #\n"),
    ("fingerprints", SHA256 + "\n"),
    ("fingerprints", "\n".join([SHA256.upper()] * 5)),
    ("fingerprints", "\r\n".join([":".join(SHA256[i : i + 2] for i in range(0, 64, 2))] * 3)),
    ("fingerprints", f"# affected\nhttps://crt.sh/?sha256={SHA256}\nhttps://crt.sh/?id=12345\nhttps://crt.sh/?q={SHA256}\n"),
    ("fingerprints", f"sha256\n{SHA256}\n{SHA256[:-1]}\n{SHA256}\n"),  # one is damaged: its reader says so
    ("fingerprints", "\n".join(f'- "{SHA256}",' for _ in range(3))),
    ("linter results", json.dumps(ZLINT)),
    ("linter results", "\n".join(json.dumps({"zlint": {"lints": ZLINT}}) for _ in range(3))),
    ("linter results", json.dumps({"version": 3, "timestamp": 0, "lints": ZLINT}, indent=4)),
    ("linter results", json.dumps(PKILINT)),
    ("linter results", '{"results": []}\n'),
    ("checkpoint", CHECKPOINT),
    ("checkpoint", CHECKPOINT.replace("\n\n", "\nan extension line\n\n")),
    ("text", "hello, world\n"),
    ("text", "12345"),
    ("text", "0 is how this begins"),
    ("text", "Grüße, 你好\n" * 2000),
    ("text", "-- \nsigned off\n--\n"),
]  # fmt: skip
NEAR: list[str] = [
    '{"entries": [{"leaf": "x"}]}',
    '{"entries": {}}',
    '["entries", "leaf_input"]',
    '{"operators": []}',
    '{"operators": [], "logs": []}',
    '[{"issuer_ca_id": 1}]',
    "[]",
    '{"results": [1]}',
    '{"e_basic": {"status": "pass"}}',
    '{"x_basic": {"result": "pass"}}',
    "Certificate SHA-256 hash\nwas found to be wrong\n",
    "issuer_ca_id,other\n1,2\n",
    SHA256[:-1] + "\n",
    SHA256 + "0\n",
    f"We found {SHA256} on Monday.\n",
    f"https://crt.sh/?id=7\nand then\nwe saw\n{SHA256} there\n",
    "https://example.com/?sha256=" + SHA256,
    CHECKPOINT.replace("20852163", "020852163"),
    CHECKPOINT.replace("2I=", "2="),
    CHECKPOINT.replace("\u2014", "-"),
    CHECKPOINT.replace("\n\n", "\n"),
]


def kinds(data: bytes) -> list[tuple[int, str]]:
    return [(item.position, str(item.kind)) for item in forms.items(data)]


@pytest.mark.parametrize(("kind", "text"), KINDS)
def test_the_kind_of_a_text(kind: str, text: str) -> None:
    for data in (text.encode(), text.encode("utf-16"), ("\ufeff" + text).encode()):
        (item,) = forms.items(data)
        assert (item.position, item.kind, item.fault) == (0, kind, "")
        assert item.data == text.removeprefix("\ufeff").encode()
    assert list(forms.items(memoryview(text.encode()))) == list(forms.items(text.encode()))


@pytest.mark.parametrize("text", NEAR)
def test_a_near_miss_is_only_text(text: str) -> None:
    assert kinds(text.encode()) == [(0, "text")]


def test_hex_is_no_base64() -> None:
    for text in ("Modulus=" + "C0FFEE" * 80, f"hash {SHA256 * 2}\n" * 5, "\n".join([SHA256] * 5) + "\nwe saw\n" * 9):
        assert kinds(text.encode()) == [(0, "text")]
    modulus = b64encode(bytes(range(256))).decode()
    for text in (f'{{"raw": "{modulus}"}}', "\n".join(modulus[at : at + 64] for at in range(0, 320, 64)) + "\n"):
        assert [item.fault[:26] for item in forms.items(text.encode())] == ["base64 as of a certificate"]


def test_a_text_that_mentions_pem_is_held_to_it() -> None:
    for text in (json.dumps({"pem": LEAF.pem()}), "see -----BEGIN CERTIFICATE----- there"):
        assert [kind for _, kind in kinds(text.encode())] == ["unknown"]


# --- private keys -----------------------------------------------------------------------------------------------------


def test_private_keys_in_base64_without_pem_lines_are_refused() -> None:
    password = BestAvailableEncryption(b"a word to pass")
    pkcs8, old = PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL
    keys = (rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP256R1()))
    ders = [key.private_bytes(Encoding.DER, form, NoEncryption()) for key in keys for form in (pkcs8, old)]
    ders += [key.private_bytes(Encoding.DER, pkcs8, password) for key in keys]
    ders.append(ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.DER, pkcs8, NoEncryption()))
    dresses: list[Callable[[str], str]] = [
        lambda text: text,
        lambda text: "the key:\n" + text,
        lambda text: json.dumps({"entries": [], "note": text}),
        lambda text: "\n".join(text[i : i + 64] for i in range(0, len(text), 64)),
        lambda text: "my words\n" + "\n".join("> " + text[i : i + 64] for i in range(0, len(text), 64)),
        lambda text: CSV + f'{SHA256},"{text}",x,y\n',
    ]
    for der in ders:
        for dress in dresses:
            with pytest.raises(forms.PrivateKeyFound):
                list(forms.items(dress(b64encode(der).decode()).encode()))


def test_keys_between_sound_blocks_are_refused() -> None:
    pem = LEAF.pem()
    web = '{"kty": "EC", "crv": "P-256", "x": "AA"'
    for text in (
        pem + "PuTTY-User-Key-File-3: ssh-rsa\n" + pem,
        pem + pem + web + ', "d": "AA"}\n' + pem,
        pem + web + "\n" + pem + ', "d": "AA"}\n' + pem,
        pem + "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n" + pem,
    ):
        with pytest.raises(forms.PrivateKeyFound):
            list(forms.items(text.encode()))
    assert len(list(forms.items((pem + web + "}\n" + pem).encode()))) == 2


# --- the samples and the corpus ---------------------------------------------------------------------------------------

SAMPLES = {
    "ct/all_logs_list.json": "log list",
    "ct/crtsh-bolnews-2026.json": "crt.sh json",
    "ct/get-entries-2014-four.json": "get-entries",
    "ct/get-entries-cert-and-precert.json": "get-entries",
    "lists/appendix-letsencrypt-2023.csv": "ccadb csv",
}
FOLDERS = {"crls": {"crl"}, "ocsp": {"ocsp", "certificate"}, "lists": {"text"}}


def test_the_samples_are_what_their_list_says() -> None:
    folder = shared("evidence-samples")
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        found = list(forms.items(path.read_bytes()))
        assert not any(item.fault for item in found), name
        if path.parent == folder:
            expected = {"text"}
        elif name in SAMPLES:
            expected = {SAMPLES[name]}
        elif path.suffix == ".der":
            expected = {"ocsp"}
        elif name.startswith("ocsp/"):
            expected = {"certificate"}
        else:
            expected = FOLDERS.get(path.parent.name, {"certificate"})
        assert {str(item.kind) for item in found} == expected, name
    assert len(list(forms.items((folder / "wosign/wosign-startcom-cnnic-roots-2016.pem").read_bytes()))) == 8
    assert len(list(forms.items((folder / "ocsp/akamai-chain.pem").read_bytes()))) == 2


def test_the_corpus_of_zlint_is_certificates_crls_and_ocsp_responses() -> None:
    counted = {"certificate": 0, "crl": 0, "ocsp": 0}
    for name, data in zlint_files():
        found = {str(item.kind) for item in forms.items(data)}
        assert not any(item.fault for item in forms.items(data)), name
        (kind,) = found
        counted[kind] += 1
    assert counted == {"certificate": 1319, "crl": 61, "ocsp": 4}


def test_the_corpus_as_it_is_packed() -> None:
    path = shared("corpora/zlint-testdata.tar.gz")
    found = list(forms.items(path.read_bytes()))
    files = dict(zlint_files())
    assert {item.member for item in found} == set(files)
    assert not any(item.fault for item in found)
    assert [item.data for item in found] == [item.data for data in files.values() for item in forms.items(data)]


# --- whatever comes ---------------------------------------------------------------------------------------------------

STARTS = [
    b"", b"0", b"0\x82", b"0\x80", b"\x1f\x8b\x08\0\0\0\0\0\0\xff", b"PK\x03\x04", b"PK\x05\x06", b"\x28\xb5\x2f\xfd",
    b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"PAR1", b"ARROW1", b"{", b"[", b"-----BEGIN CERTIFICATE-----\n",
    b"\n-----END X-----", b"MIIB", b"\0\0\x01\x8b\xcf\xe5\x68\0\0\0\0\0\x05", LEAF.der[:300], LEAF.der,
    b"0\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", bytes(257) + b"ustar\x0000", LEAF.pem().encode()[:200],
]  # fmt: skip
PACKED = [
    made.zipped(made.FILES), made.tarred(made.FILES), made.tarred([("x" * 200, LEAF.der)]), made.zstd(made.PEM),
    made.framed(made.PEM), gzip.compress(made.tarred(made.FILES)), made.nested(2),
]  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(STARTS), st.binary(max_size=600), st.sampled_from(STARTS), st.integers(1, 3))
def test_random_octets_are_faults_or_items_and_end_soon(start: bytes, noise: bytes, end: bytes, times: int) -> None:
    data = start + (noise + end) * times
    began = time.process_time()
    try:
        found = list(forms.items(data))
    except forms.PrivateKeyFound:
        return
    assert time.process_time() - began < 2
    assert found
    for item in found:
        assert item.fault or item.data
        assert item.kind not in ("unknown", "nothing") or item.fault


@pytest.mark.parametrize(
    "unit",
    [b"0\x82", b"0\x80", b"0\x82\x01\x000\x81\x80\xa0\x03\x02\x01", b"\n-----BEGIN X", b"-", b">", b" ", b"\x30\0",
     b"\n-----BEGIN CERTIFICATE-----\n", b"-----END CERTIFICATE-----\n", b"MI", b"\nMIIB" + b"A" * 60, b'"M', b"{",
     b"[[", b"a\n0\n", b",", b"\n", b":a", b"=\n", b'"e_a":{', b"01:", b"\r", b"\x1f\x8b\x08", b"PK\x01\x02"],
)  # fmt: skip
def test_repetition_costs_no_more_than_its_length(unit: bytes) -> None:
    for start in (b"", b"0\x82", b"-----BEGIN CERTIFICATE-----\n", b"PK\x03\x04", b"{", b"x\n"):
        began = time.process_time()
        list(forms.items(start + unit * (300_000 // len(unit))))
        assert time.process_time() - began < 3


@pytest.mark.parametrize("letter", [b"!", b"A", b"\n", b"", b"\xff", b" "])
def test_no_one_letter_makes_a_certificate_prose(letter: bytes) -> None:
    pem = LEAF.pem().encode()
    bare = b64encode(LEAF.der)
    for whole in (pem, bare, b"words\n" + encodebytes(LEAF.der)):
        for at in range(len(whole)):
            for item in forms.items(whole[:at] + letter + whole[at + 1 :]):
                assert item.fault or item.kind == "certificate", (at, item)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(range(len(PACKED))),
    st.lists(st.tuples(st.integers(0), st.integers(0, 255)), max_size=6),
    st.integers(0),
)
def test_damaged_archives_are_faults_or_items(which: int, changes: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(PACKED[which])
    for at, octet in changes:
        data[at % len(data)] = octet
    del data[1 + cut % (4 * len(data)) :]
    found = list(forms.items(bytes(data)))
    assert found
    assert all(item.fault or item.data for item in found)


def test_faults_without_end_are_cut_short() -> None:
    for data in (b"\x30\x00" * 30_000, b"-----BEGIN CERTIFICATE-----\n" * 30_000, b"-----END X509 CRL-----\n" * 30_000):
        found = list(forms.items(data))
        assert 10_000 <= len(found) <= 10_003
        assert found[-1].fault.startswith("more than 10,000 things that cannot be read")


def test_a_map_is_read_and_can_be_closed_whatever_is_found(tmp_path: Path) -> None:
    key = b64encode(ec.generate_private_key(ec.SECP256R1()).private_bytes(
        Encoding.DER, PrivateFormat.PKCS8, NoEncryption()
    ))  # fmt: skip
    pem = LEAF.pem().encode()
    secrets = [
        b"words\n" + key,
        b"\xef\xbb\xbf" + pem + b"-----BEGIN PRIVATE KEY-----\n",
        b64encode(LEAF.der) + b"\n" + key,
    ]
    secrets += [pem + b'{"kty": "RSA", "d": "AA"}', LEAF.der + b"0\x82\1\0\2\1\0" + bytes(20)]
    path = tmp_path / "file"
    for data in (*secrets, pem * 3, LEAF.der * 3, CSV.encode(), ("\ufeff" + CSV).encode("utf-16")):
        path.write_bytes(data)
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            if data in secrets[:4]:
                with pytest.raises(forms.PrivateKeyFound):
                    list(forms.items(mapped))
            else:
                assert list(forms.items(mapped)) == list(forms.items(data))


def test_a_path_is_read_by_its_content_alone(tmp_path: Path) -> None:
    assert kinds(LEAF.der) == [(1, "certificate")]
    assert (
        list(forms.items(LEAF.der, "list.csv")) == list(forms.items(LEAF.der, "x.zip")) == list(forms.items(LEAF.der))
    )
