"""Links of many certificates to the keys that signed them, and SCTs under the keys of logs."""

import hashlib
import json
import pickle
import random
from base64 import b64decode
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import pyarrow as pa
import pytest
from cryptography import x509

from affidavit.evidence import forms
from affidavit.evidence.certificate import read_certificate
from affidavit.evidence.der import DerError
from affidavit.evidence.sctverify import MAX_SCTS, verify_scts
from affidavit.evidence.verify import ALGORITHMS_DIFFER, MAX_KEYS, NO_ISSUER, Link, slices, verify_batch
from testpki import asn1, extensions
from testpki.build import Authority
from testpki.ct import Log
from testpki.keys import Key, ec_key, rsa_key
from tests.evidence.corpora import VECTORS, shared, vector_certificates

ROOT = Authority.root("Test Root")
RSA = Authority.root("Test RSA Root", key="rsa")


def spki_sha256(key: Key) -> str:
    return hashlib.sha256(key.spki).hexdigest()


def keys_of(*authorities: Authority) -> dict[bytes, tuple[bytes, ...]]:
    found: dict[bytes, tuple[bytes, ...]] = {}
    for one in authorities:
        name = one.certificate.subject
        found[name] = (*found.get(name, ()), one.key.spki)
    return found


def link_of(der: bytes, *authorities: Authority) -> Link:
    (found,) = verify_batch([der], keys_of(*authorities))
    return found


# --- slices -----------------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore")  # of the library, about certificates that are odd
def test_slices_are_what_the_library_has() -> None:
    compared = 0
    for name, der in vector_certificates():
        try:
            loaded = x509.load_der_x509_certificate(der)
            wanted = (loaded.tbs_certificate_bytes, loaded.signature, loaded.issuer.public_bytes())
        except (ValueError, x509.InvalidVersion):
            continue
        if der.endswith(loaded.signature) and der[-len(loaded.signature) - 1]:
            continue  # unused bits, which the library hands out as if they were part of a signature
        found = slices(der)
        assert (found.tbs, found.signature, found.issuer_der) == wanted, name
        assert found.algorithm_der in der[len(found.tbs) :]
        compared += 1
    assert compared > 400


def test_slices_are_what_the_careful_reader_has_or_none_whatever_is_changed() -> None:
    """In all places octets are changed, cut or put in: never another TBS, signature or issuer than the reader's."""
    leaf = RSA.issue("a.example", scts=[Log("x").sct(5)]).der
    chance = random.Random("slices")
    both = 0
    for turn in range(3000):
        at, octet = chance.randrange(len(leaf)), bytes([chance.choice([0, 1, 0x1F, 0x7F, 0x80, 0x81, 0x84, 0xFF])])
        changed = leaf[:at] + octet + leaf[at + (turn % 3 != 0) :] if turn % 5 else leaf[:at]
        try:
            found = slices(changed)
        except DerError:
            continue
        try:
            careful = read_certificate(changed)
        except DerError:
            continue
        assert (found.tbs, found.issuer_der) == (careful.tbs, careful.issuer_der)
        assert found.signature == careful.signature
        if careful.algorithm is not None:
            assert found.algorithm_der == found.inner_algorithm_der
        identifier = careful.row["authority_key_id"]
        assert identifier is None or found.authority_key_id == bytes.fromhex(identifier)
        both += 1
    assert both > 1000


@pytest.mark.parametrize(
    "spoilt",
    [
        b"",
        b"\x30",
        b"\x30\x80\x00\x00",
        b"\x30\x83\x00\x00\x05\x30\x03\x02\x01\x00",
        ROOT.issue().der + b"\0",
        ROOT.issue().der[:-1],
        asn1.sequence(ROOT.issue().tbs, ROOT.key.algorithm()),
        asn1.sequence(ROOT.issue().tbs, ROOT.key.algorithm(), asn1.bit_string(b"x"), asn1.null()),
        asn1.sequence(ROOT.issue().tbs, ROOT.key.algorithm(), asn1.octet_string(b"x")),
        asn1.sequence(ROOT.issue().tbs, ROOT.key.algorithm(), asn1.bit_string(b"x", unused=1)),
        asn1.sequence(ROOT.issue().tbs, ROOT.key.algorithm(), b"\x03\x00"),
        asn1.sequence(asn1.sequence(asn1.integer(1)), ROOT.key.algorithm(), asn1.bit_string(b"x")),
        # An issuer that reaches beyond the TBSCertificate, though not beyond the certificate.
        asn1.sequence(
            asn1.sequence(asn1.integer(1), ROOT.key.algorithm(), b"\x30\x09ab"),
            ROOT.key.algorithm(),
            asn1.bit_string(b"x"),
        ),
    ],
)
def test_what_has_not_the_outline_of_a_certificate_is_named(spoilt: bytes) -> None:
    with pytest.raises(DerError):
        slices(spoilt)
    found = link_of(spoilt, ROOT)
    assert (found.spki_sha256, found.capped) == (None, False)
    assert found.reason.startswith("not readable: ")


def test_a_long_form_of_a_length_is_read_as_it_stands() -> None:
    leaf = ROOT.issue()
    assert leaf.der[1] == 0x82
    long = b"\x30\x83\x00" + leaf.der[2:]
    assert slices(long).tbs == leaf.tbs
    assert link_of(long, ROOT).spki_sha256 == spki_sha256(ROOT.key)


def test_the_authority_key_identifier_is_an_extensions_and_no_octets_elsewhere() -> None:
    hidden = extensions.authority_key_id(b"hidden")
    assert slices(ROOT.issue(aki=b"shown").der).authority_key_id == b"shown"
    assert slices(ROOT.issue(aki=None).der).authority_key_id is None
    inside = ROOT.issue(aki=None, extensions=[extensions.extension("1.2.3", hidden)])
    assert slices(inside.der).authority_key_id is None
    like_one = asn1.sequence(asn1.implicit(0, b"hidden"), asn1.oid("2.5.29.35"))
    inside = ROOT.issue(aki=None, extensions=[extensions.extension("1.2.3", like_one)])
    assert slices(inside.der).authority_key_id is None
    bad = ROOT.issue(aki=None, extensions=[extensions.extension("2.5.29.35", b"junk")])
    assert slices(bad.der).authority_key_id is None


# --- links ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("root", [ROOT, RSA], ids=["ec", "rsa"])
def test_one_bit_of_tbs_or_signature_and_there_is_no_link(root: Authority) -> None:
    leaf = root.issue("a.example")
    assert link_of(leaf.der, root) == Link(spki_sha256(root.key), False, "")
    name, end = leaf.der.index(b"a.example"), len(leaf.der) - 1
    for at in (name, end, end - 20):
        changed = leaf.der[:at] + bytes([leaf.der[at] ^ 1]) + leaf.der[at + 1 :]
        assert link_of(changed, root) == Link(None, False, "signature wrong")


def test_one_bit_of_an_algorithm_and_there_is_no_link() -> None:
    sha256, other = RSA.key.algorithm("sha256"), RSA.key.algorithm("sha384")  # ...0B and ...0C
    outside, inside = RSA.issue(algorithm=other, tbs_algorithm=sha256), RSA.issue(algorithm=sha256, tbs_algorithm=other)
    assert link_of(outside.der, RSA) == Link(None, False, ALGORITHMS_DIFFER)
    assert link_of(inside.der, RSA) == Link(None, False, ALGORITHMS_DIFFER)
    both = RSA.issue(algorithm=other, tbs_algorithm=other, hash="sha256")
    assert link_of(both.der, RSA) == Link(None, False, "signature wrong")


def test_the_second_oid_of_sha1_with_rsa() -> None:
    old = asn1.sequence(asn1.oid("1.3.14.3.2.29"), asn1.null())
    good = RSA.issue(algorithm=old, tbs_algorithm=old, hash="sha1")
    assert link_of(good.der, RSA).spki_sha256 == spki_sha256(RSA.key)
    assert link_of(RSA.issue(algorithm=old, tbs_algorithm=old, hash="sha256").der, RSA).reason == "signature wrong"
    two = RSA.issue(algorithm=old, tbs_algorithm=RSA.key.algorithm("sha1"), hash="sha1")  # two OIDs of one thing
    assert link_of(two.der, RSA).reason == ALGORITHMS_DIFFER


@pytest.mark.parametrize(
    ("algorithm", "reason"),
    [
        (asn1.sequence(asn1.oid("1.2.840.113549.1.1.2"), asn1.null()), "unknown algorithm"),  # MD2
        (asn1.sequence(asn1.oid("1.2.840.113549.1.1.3"), asn1.null()), "unknown algorithm"),  # MD4
        (asn1.sequence(asn1.oid("1.2.840.10045.4.3.2")), "key of another kind"),
        (asn1.sequence(asn1.oid("1.2.840.113549.1.1.10"), asn1.null()), "parameters of the algorithm not readable"),
        (asn1.sequence(), "unknown algorithm"),
    ],
)
def test_why_there_is_no_link(algorithm: bytes, reason: str) -> None:
    assert link_of(RSA.issue(algorithm=algorithm, tbs_algorithm=algorithm).der, RSA) == Link(None, False, reason)


def test_the_right_name_with_a_wrong_key_and_no_name_at_all() -> None:
    twin = Authority.root("Test Root", key=ec_key("a twin"))
    assert link_of(twin.issue().der, ROOT) == Link(None, False, "signature wrong")
    assert link_of(twin.issue().der, RSA) == Link(None, False, NO_ISSUER)
    (link,) = verify_batch([ROOT.issue().der], {ROOT.certificate.subject: [b"junk"]})
    assert link == Link(None, False, "key unreadable")
    for spkis in ([b"junk", RSA.key.spki, ROOT.key.spki], [ROOT.key.spki, b"junk"]):
        # That a usable key does not fit tells more.
        (link,) = verify_batch([twin.issue(aki=None).der], {ROOT.certificate.subject: spkis})
        assert link == Link(None, False, "signature wrong")


def test_two_issuers_of_one_name_are_told_apart() -> None:
    twin = Authority.root("Test Root", key=ec_key("a twin"))
    for aki in (True, None, b"another"):
        for order in ([ROOT, twin], [twin, ROOT]):
            leaves = [one.issue(aki=aki).der for one in (ROOT, twin)]
            found = [link.spki_sha256 for link in verify_batch(leaves, keys_of(*order))]
            assert found == [spki_sha256(ROOT.key), spki_sha256(twin.key)]


def many(count: int, **options: Any) -> list[Authority]:
    return [Authority.root("One of many", key=ec_key(f"many {number}"), **options) for number in range(count)]


def test_of_many_keys_of_one_name_the_identified_one_is_found_and_else_the_cap_is_told() -> None:
    crowd = many(MAX_KEYS + 8)
    keys, last, within = keys_of(*crowd), crowd[-1], crowd[MAX_KEYS - 1]
    found = verify_batch([last.issue().der, last.issue(aki=None).der, within.issue(aki=None).der], keys)
    assert [link.spki_sha256 for link in found] == [spki_sha256(last.key), None, spki_sha256(within.key)]
    assert [link.capped for link in found] == [False, True, False]
    assert "there are more" in found[1].reason
    few = keys_of(*crowd[:MAX_KEYS])
    (link,) = verify_batch([last.issue(aki=None).der], few)
    assert link == Link(None, False, "signature wrong")  # all there are were tried


def test_a_self_signed_certificate_is_tried_with_its_own_key_first() -> None:
    crowd = many(MAX_KEYS + 8, aki=None)
    (link,) = verify_batch([crowd[-1].certificate.der], keys_of(*crowd))
    assert link.spki_sha256 == spki_sha256(crowd[-1].key)
    # An own key that is not among the candidates is none.
    (link,) = verify_batch([crowd[-1].certificate.der], keys_of(*crowd[:5]))
    assert link == Link(None, False, "signature wrong")


def test_key_identifiers_of_other_hashes_are_known() -> None:
    """RFC 5280 4.2.1.2 (2) and RFC 7093 2: computed here by hand from the key's octets."""
    crowd = many(MAX_KEYS + 8)
    last = crowd[-1]
    octets = last.key.spki[-65:]
    sha1 = hashlib.sha1(octets, usedforsecurity=False).digest()
    short = bytes([0x40 | sha1[-8] & 0x0F]) + sha1[-7:]
    for identifier in (short, hashlib.sha256(octets).digest()[:20], hashlib.sha256(octets).digest()):
        (link,) = verify_batch([last.issue(aki=identifier).der], keys_of(*crowd))
        assert link.spki_sha256 == spki_sha256(last.key)
    (link,) = verify_batch([last.issue(aki=bytes(20)).der], keys_of(*crowd))
    assert link.capped


def test_what_stands_twice_in_a_batch_is_judged_alike_and_a_borrowed_signature_is_not() -> None:
    leaf, other = ROOT.issue("a.example"), ROOT.issue("b.example")
    signature = slices(leaf.der).signature
    borrowed = asn1.sequence(other.tbs, ROOT.key.algorithm(), asn1.bit_string(signature))
    batch = [leaf.der, borrowed, leaf.der, other.der, borrowed, leaf.der]
    good = [link.spki_sha256 is not None for link in verify_batch(batch, keys_of(ROOT))]
    assert good == [True, False, True, True, False, True]


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
def test_arrow_arrays_go_in(kind: Any) -> None:
    leaves = [ROOT.issue("a.example").der, RSA.issue("b.example").der]
    array = pa.array([*leaves, None, b"junk"], kind)
    found = verify_batch(array, keys_of(ROOT, RSA))
    assert [link.spki_sha256 for link in found] == [spki_sha256(ROOT.key), spki_sha256(RSA.key), None, None]
    assert verify_batch(array.slice(1, 1), keys_of(ROOT, RSA)) == found[1:2]


def test_a_batch_goes_to_another_process_and_back() -> None:
    batch, keys = [ROOT.issue("a.example").der, b"junk"], keys_of(ROOT)
    assert pickle.loads(pickle.dumps(verify_batch(batch, keys))) == verify_batch(batch, keys)
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        assert pool.submit(verify_batch, batch, keys).result() == verify_batch(batch, keys)


# --- SCTs -------------------------------------------------------------------------------------------------------------

LOG, RSA_LOG = Log("Log one"), Log("Log two", rsa_key("log"))
LOGS = {log.log_id.hex(): log.key.spki for log in (LOG, RSA_LOG)}
AT = 1_451_908_800_123


def scts(der: bytes, issuer: bytes | None = ROOT.key.spki) -> list[str]:
    (found,) = verify_scts([der], [issuer], LOGS)
    return found


def shifted(sct: bytes, milliseconds: int) -> bytes:
    return sct[:33] + (int.from_bytes(sct[33:41]) + milliseconds).to_bytes(8) + sct[41:]


def test_scts_are_judged_one_by_one() -> None:
    unknown = Log("Log three").sct(AT)
    leaf = ROOT.issue(scts=[LOG.sct(AT), unknown, RSA_LOG.sct(AT + 1, extensions=b"abc"), LOG.sct(AT, version=1)])
    assert scts(leaf.der) == ["valid", "unknown log", "valid", "invalid"]
    assert scts(leaf.der, None) == ["no issuer", "unknown log", "no issuer", "no issuer"]
    assert scts(leaf.der, RSA.key.spki) == ["invalid", "unknown log", "invalid", "invalid"]
    assert scts(ROOT.issue().der) == []
    assert scts(b"junk") == []


def test_an_sct_shifted_by_a_millisecond_is_invalid() -> None:
    precertificate = read_certificate(ROOT.issue(scts=[LOG.sct(AT)]).der).precert_tbs
    true = LOG.sct(AT).sign(precertificate, hashlib.sha256(ROOT.key.spki).digest())
    assert scts(ROOT.issue(scts=[true]).der) == ["valid"]
    assert scts(ROOT.issue(scts=[shifted(true, 1), true, shifted(true, -1)]).der) == ["invalid", "valid", "invalid"]


def test_a_list_without_end_is_verified_up_to_a_limit() -> None:
    # What is beyond has no result: nothing is said of it.
    one = LOG.sct(AT, signature=b"x").sign(b"", bytes(32))
    assert scts(ROOT.issue(scts=[one] * (MAX_SCTS + 5)).der) == ["invalid"] * MAX_SCTS


def real_logs() -> dict[str, bytes]:
    """The keys of a log list of 2025, retired logs included."""
    listed = json.loads(shared("evidence-samples/ct/all_logs_list.json").read_text("utf-8"))
    keys = [b64decode(log["key"]) for operator in listed["operators"] for log in operator["logs"]]
    return {hashlib.sha256(key).hexdigest(): key for key in keys}


def test_real_scts_of_logs_that_are_retired_since() -> None:
    """A certificate of 2018 with its real issuer: both logs have long been retired, their keys verify."""
    (leaf,) = (item.data for item in forms.items((VECTORS / "cryptography-scts.pem").read_bytes()))
    (issuer,) = (item.data for item in forms.items((VECTORS / "letsencryptx3.pem").read_bytes()))
    (other,) = (item.data for item in forms.items((VECTORS / "rapidssl_sha256_ca_g3.pem").read_bytes()))
    spki, wrong = read_certificate(issuer).spki, read_certificate(other).spki
    logs = real_logs()
    assert verify_scts([leaf, leaf, leaf], [spki, wrong, None], logs) == [
        ["valid", "valid"],
        ["invalid", "invalid"],
        ["no issuer", "no issuer"],
    ]
    assert verify_scts([leaf], [spki], {}) == [["unknown log", "unknown log"]]
    # The octets that were cut are those that the library's vectors have for it.
    assert read_certificate(leaf).precert_tbs == (VECTORS / "cryptography-scts-tbs-precert.der").read_bytes()
