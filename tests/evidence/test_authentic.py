"""Evidence is what a trusted certificate's key signed, directly or through CAs; nothing else is."""

import warnings
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes

from affidavit.evidence import verify
from affidavit.evidence.authentic import Authorities
from affidavit.evidence.certificate import read_certificate
from affidavit.evidence.facts import Facts
from affidavit.evidence.signatures import why_not
from affidavit.evidence.verify import MAX_KEYS, verify_batch
from testpki import asn1, extensions
from testpki.build import Authority, Certificate
from testpki.crl import Revoked
from testpki.ct import Log, log_list
from testpki.keys import ec_key, rsa_key
from tests.evidence.case import Content, facts_of, row_of, rows
from tests.evidence.corpora import VECTORS

ROOT = Authority.root("Test Root")
RSA = Authority.root("Test RSA Root", key="rsa")


def judged(folder: Path, root: Authority, *others: Authority | Certificate, **more: Any) -> Facts:
    files: dict[str, Content] = {f"c/{number}.pem": one for number, one in enumerate(others)}
    return facts_of(folder, {"trust/root.pem": root, **files}, **more)


@pytest.mark.parametrize("hash", ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"])
def test_every_hash_of_rsa_signatures_is_verified(tmp_path: Path, hash: str) -> None:
    leaf = RSA.issue(hash=hash)
    row = row_of(judged(tmp_path, RSA, leaf), leaf)
    assert row["authentic"] is True
    assert row["issued_by"] == RSA.certificate.sha256
    assert row["issuer_spki_sha256"] == asn1_sha256(RSA.key.spki)


def asn1_sha256(data: bytes) -> str:
    from hashlib import sha256

    return sha256(data).hexdigest()


@pytest.mark.parametrize(
    ("key", "options"),
    [
        ("rsa", {"pss": True}), ("rsa", {"pss": True, "hash": "sha1"}), ("ec", {"hash": "sha1"}),
        ("ec", {"hash": "sha384"}), ("ed25519", {}),
    ],
)  # fmt: skip
def test_other_signature_schemes(tmp_path: Path, key: Any, options: dict[str, Any]) -> None:
    root = Authority.root("Another Root", key=key)
    leaf = root.issue(**options)
    assert row_of(judged(tmp_path, root, leaf), leaf)["authentic"] is True


def test_a_chain_through_two_intermediates_in_the_evidence(tmp_path: Path) -> None:
    first = RSA.intermediate("First", hash="sha1", key="rsa")
    second = first.intermediate("Second", hash="md5", key="rsa")
    leaf = second.issue(hash="sha1")
    facts = judged(tmp_path, RSA, leaf, second, first)
    assert [row["authentic"] for row in rows(facts)] == [True] * 3
    assert row_of(facts, leaf)["issued_by"] == second.certificate.sha256


def test_without_the_intermediate_there_is_no_chain(tmp_path: Path) -> None:
    leaf = ROOT.intermediate("First").issue()
    row = row_of(judged(tmp_path, ROOT, leaf), leaf)
    assert (row["authentic"], row["issued_by"], row["issuer_spki_sha256"]) == (False, None, None)


def test_an_intermediate_of_another_collection_serves(tmp_path: Path) -> None:
    middle = ROOT.intermediate("First")
    leaf = middle.issue()
    files: dict[str, Content] = {"trust/root.pem": ROOT, "a/leaf.pem": leaf, "b/middle.pem": middle}
    facts = facts_of(tmp_path, files, {"a": {"files": "a/*"}, "b": {"files": "b/*"}})
    assert row_of(facts, leaf)["authentic"] is True


@pytest.mark.parametrize(
    "options",
    [
        {"signed_by": ec_key("a stranger")},
        {"signature": b""},
        {"signature": b"junk"},
        {"tbs_algorithm": ec_key("x").algorithm("sha384")},  # the outer algorithm is not signed
        {"algorithm": ec_key("x").algorithm("sha384"), "tbs_algorithm": ec_key("x").algorithm("sha384")},
    ],
)
def test_a_wrong_signature_is_not_authentic(tmp_path: Path, options: dict[str, Any]) -> None:
    leaf = ROOT.issue(**options)
    assert row_of(judged(tmp_path, ROOT, leaf), leaf)["authentic"] is False


@pytest.mark.parametrize("root", [ROOT, RSA], ids=["ec", "rsa"])
def test_a_changed_outside_makes_no_second_certificate(tmp_path: Path, root: Authority) -> None:
    """What is outside of the signed part may not be altered into another certificate that counts."""
    leaf = root.issue()
    signature = root.key.sign(leaf.tbs)
    identifier = asn1.oid({"ec": "1.2.840.10045.4.3.2", "rsa": "1.2.840.113549.1.1.11"}[root.key.kind])
    # The parameters NULL put in, or left out: the same meaning, other octets.
    other = asn1.sequence(identifier, asn1.null()) if root.key.kind == "ec" else asn1.sequence(identifier)
    same = asn1.sequence(leaf.tbs, root.key.algorithm(), asn1.bit_string(signature))
    assert same == leaf.der
    changed = asn1.sequence(leaf.tbs, other, asn1.bit_string(signature))
    unused = asn1.sequence(leaf.tbs, root.key.algorithm(), asn1.bit_string(signature, unused=1))
    files: dict[str, Content] = {"trust/r.pem": root, "c/1.der": leaf.der, "c/2.der": changed, "c/3.der": unused}
    found = rows(facts_of(tmp_path, files))
    assert len(found) == 3
    assert [row["sha256"] for row in found if row["authentic"]] == [leaf.sha256]


def test_one_bit_of_the_certificate_changed(tmp_path: Path) -> None:
    leaf = ROOT.issue("a.example")
    changed = leaf.der.replace(b"a.example", b"b.example")
    facts = facts_of(tmp_path, {"trust/root.pem": ROOT, "c/1.der": changed})
    assert [(row["authentic"], row["subject_cn"]) for row in rows(facts)] == [(False, "b.example")]


def test_a_leaf_that_issues_is_no_issuer(tmp_path: Path) -> None:
    leaf = ROOT.issue("mallory.example")
    forged = Authority(leaf, leaf.key).issue("bank.example")
    facts = judged(tmp_path, ROOT, leaf, forged)
    assert row_of(facts, leaf)["authentic"] is True
    assert row_of(facts, forged)["authentic"] is False


@pytest.mark.parametrize(
    "options",
    [
        {"key_usage": ["digitalSignature"]},
        {"key_usage": ["cRLSign"]},
        {"key_usage": []},  # a keyUsage that allows nothing
        {"basic_constraints": None},
        {"version": 1},
        {
            "extensions": [asn1.sequence(asn1.oid("2.5.29.19"), asn1.octet_string(asn1.sequence()))]
        },  # twice: not readable
        {"key_usage": None, "extensions": [asn1.sequence(asn1.oid("2.5.29.15"), asn1.octet_string(b"junk"))]},
    ],
)
def test_an_intermediate_that_may_not_issue_is_no_issuer(tmp_path: Path, options: dict[str, Any]) -> None:
    middle = ROOT.intermediate("Middle", **options)
    leaf = middle.issue()
    facts = judged(tmp_path, ROOT, middle, leaf)
    assert row_of(facts, middle)["authentic"] is True
    assert row_of(facts, leaf)["authentic"] is False


def test_an_intermediate_without_key_usage_may_issue(tmp_path: Path) -> None:
    middle = ROOT.intermediate("Middle", key_usage=None)
    leaf = middle.issue()
    assert row_of(judged(tmp_path, ROOT, middle, leaf), leaf)["authentic"] is True


def test_a_trust_anchor_needs_no_extensions(tmp_path: Path) -> None:
    old = Authority.root("Old Root", version=1)
    leaf = old.issue()
    assert row_of(judged(tmp_path, old, leaf), leaf)["authentic"] is True


def test_the_same_name_with_another_key_is_another_ca(tmp_path: Path) -> None:
    twin = Authority.root("Test Root", key=ec_key("a twin"))
    leaf, forged = ROOT.issue("a.example"), twin.issue("b.example")
    facts = judged(tmp_path, ROOT, leaf, forged, twin)
    assert [row_of(facts, one)["authentic"] for one in (leaf, forged, twin)] == [True, False, False]
    assert row_of(facts, forged)["issued_by"] == twin.certificate.sha256


def test_one_key_certified_twice_is_trusted_through_either(tmp_path: Path) -> None:
    other = Authority.root("Other Root")
    by_root = ROOT.intermediate("Shared", key=rsa_key("shared"))
    by_other = other.intermediate("Shared", key=rsa_key("shared"))
    leaf = by_other.issue()
    facts = judged(tmp_path, ROOT, leaf, by_root, by_other)
    assert row_of(facts, leaf)["authentic"] is True
    assert row_of(facts, leaf)["issued_by"] == by_root.certificate.sha256  # an authentic issuer before others
    assert row_of(facts, by_other)["authentic"] is False


def test_two_cas_that_certify_each_other_do_not_trust_themselves(tmp_path: Path) -> None:
    first, second = Authority.root("One"), Authority.root("Two")
    crossed = [first.intermediate("Two", key=second.key), second.intermediate("One", key=first.key)]
    facts = judged(tmp_path, ROOT, *crossed, first.issue())
    assert [row["authentic"] for row in rows(facts)] == [False] * 3


def test_expiry_does_not_make_evidence_inauthentic(tmp_path: Path) -> None:
    root = Authority.root("Gone Root", not_before="2000-01-01", not_after="2001-01-01")
    leaf = root.issue(not_before="2016-01-01", not_after="2016-02-01")
    assert row_of(judged(tmp_path, root, leaf), leaf)["authentic"] is True


def test_trust_none_makes_nothing_authentic_and_a_collection_may_have_its_own(tmp_path: Path) -> None:
    leaf, other = ROOT.issue(), RSA.issue("b.example")
    files: dict[str, Content] = {
        "trust/root.pem": ROOT,
        "more/rsa.pem": RSA,
        "a/1.pem": leaf,
        "b/1.pem": leaf,
        "c/1.pem": other,
    }
    evidence = {
        "a": {"files": "a/*"},
        "b": {"files": "b/*", "trust": "none"},
        "c": {"files": "c/*", "trust": "more/*"},
    }
    facts = facts_of(tmp_path, files, evidence)
    assert {row["collection"]: row["authentic"] for row in rows(facts)} == {"a": True, "b": False, "c": True}


def test_small_and_strange_keys_verify_or_not_but_never_crash(tmp_path: Path) -> None:
    spki = asn1.sequence(asn1.sequence(asn1.oid("1.2.3.4")), asn1.bit_string(b"x"))
    strange = Authority.root("Strange", spki=spki)
    small = Authority.root("Small", key=rsa_key("small", 512))
    facts = judged(tmp_path, ROOT, strange, strange.issue("b.example"), small, small.issue("c.example", hash="md5"))
    assert not any(row["authentic"] for row in rows(facts))


# --- the links of authorities, joined with those of other certificates ------------------------------------------------


def read(*made: Authority | Certificate) -> list[Any]:
    ders = [one.certificate.der if isinstance(one, Authority) else one.der for one in made]
    return [read_certificate(der) for der in ders]


def joined(anchors: list[Authority], issuers: list[Any], *leaves: Certificate) -> list[tuple[bool, str | None]]:
    """For each leaf whether it is authentic and what issued it, by the tables that an assembly joins."""
    authorities = Authorities.among(read(*anchors, *issuers))
    trusted = frozenset(one.certificate.sha256 for one in anchors)
    table = {(row["subject_der_sha256"], row["spki_sha256"]): row for row in authorities.table(trusted)}
    links = verify_batch([leaf.der for leaf in leaves], authorities.keys(trusted))
    found = []
    for leaf, link in zip(read(*leaves), links, strict=True):
        row = table.get((leaf.row["issuer_der_sha256"], link.spki_sha256))
        found.append((row is not None and row["authentic"], row["issuer"] if row else None))
    return found


def authentic(anchors: list[Authority], *others: Authority | Certificate) -> list[bool]:
    """Whether each of some certificates is authentic, all of them being at hand as issuers."""
    found = Authorities.among(read(*anchors, *others)).authentic(frozenset(a.certificate.sha256 for a in anchors))
    return [(one.certificate if isinstance(one, Authority) else one).sha256 in found for one in others]


def test_a_leaf_is_linked_through_intermediates_whatever_their_order() -> None:
    first = RSA.intermediate("First", hash="sha1", key="rsa")
    second = first.intermediate("Second", hash="md5", key="rsa")
    leaf = second.issue(hash="sha1")
    for given in ([first, second], [second, first]):
        assert joined([RSA], given, leaf) == [(True, second.certificate.sha256)]
        assert authentic([RSA], *given, leaf) == [True, True, True]
    assert joined([RSA], [second], leaf) == [(False, second.certificate.sha256)]
    assert joined([RSA], [first], leaf) == [(False, None)]
    assert joined([RSA], [], first.certificate) == [(True, RSA.certificate.sha256)]


def test_a_leaf_posing_as_a_ca_links_but_makes_nothing_authentic() -> None:
    leaf = ROOT.issue("mallory.example")
    forged = Authority(leaf, leaf.key).issue("bank.example")
    assert joined([ROOT], [leaf], forged, leaf) == [(False, leaf.sha256), (True, ROOT.certificate.sha256)]
    assert authentic([ROOT], leaf, forged) == [True, False]


@pytest.mark.parametrize(
    "options",
    [
        {"key_usage": ["cRLSign"]},
        {"key_usage": []},
        {"basic_constraints": None},
        {"version": 1},
        {"key_usage": None, "extensions": [asn1.sequence(asn1.oid("2.5.29.15"), asn1.octet_string(b"junk"))]},
    ],
)
def test_an_intermediate_that_may_not_issue_makes_nothing_authentic(options: dict[str, Any]) -> None:
    middle = ROOT.intermediate("Middle", **options)
    assert joined([ROOT], [middle], middle.issue()) == [(False, middle.certificate.sha256)]
    # As a trust anchor it may.
    assert joined([middle], [], middle.issue()) == [(True, middle.certificate.sha256)]


def test_constraints_of_path_validation_do_not_make_evidence_inauthentic() -> None:
    """The CA's key signed it: that it lies beyond a constraint is what an incident may be about."""
    permitted = asn1.explicit(0, asn1.sequence(asn1.implicit(2, b"permitted.example")))
    constraint = extensions.extension("2.5.29.30", asn1.sequence(permitted), critical=True)
    narrow = ROOT.intermediate("Narrow", path_length=0, extensions=[constraint], not_after="2001-01-01")
    below = narrow.intermediate("Below")
    leaf = below.issue("elsewhere.example")
    assert joined([ROOT], [narrow, below], leaf) == [(True, below.certificate.sha256)]


def test_a_cross_signed_ca_is_trusted_through_either_and_the_authentic_certificate_is_named() -> None:
    other = Authority.root("Other Root")
    by_root = ROOT.intermediate("Shared", key=rsa_key("shared"))
    by_other = other.intermediate("Shared", key=rsa_key("shared"))
    leaf = by_other.issue()
    for anchor, named in ((ROOT, by_root), (other, by_other)):
        assert joined([anchor], [by_root, by_other], leaf) == [(True, named.certificate.sha256)]
    lesser = set()
    for serial in range(1, 16):
        by_root = ROOT.intermediate("Shared", key=rsa_key("shared"), serial=serial)
        by_other = other.intermediate("Shared", key=rsa_key("shared"), serial=serial)
        may_not = ROOT.intermediate("Shared", key=rsa_key("shared"), key_usage=["cRLSign"], serial=serial)
        assert joined([ROOT], [may_not, by_other], leaf) == [(False, may_not.certificate.sha256)]
        assert joined([ROOT], [may_not, by_root], leaf) == [(True, by_root.certificate.sha256)]
        lesser |= {(n, may_not.certificate.sha256 < c.certificate.sha256) for n, c in enumerate((by_other, by_root))}
    assert len(lesser) == 4  # whichever fingerprint comes first


def test_two_cas_of_one_name_are_two() -> None:
    twin = Authority.root("Test Root", key=ec_key("a twin"))
    leaves = [ROOT.issue("a.example"), twin.issue("b.example")]
    assert joined([ROOT], [twin], *leaves) == [(True, ROOT.certificate.sha256), (False, twin.certificate.sha256)]
    # The name alone, without its key, is nobody.
    stranger = Authority.root("Test Root", key=ec_key("a third")).issue("c.example")
    assert joined([ROOT], [twin], stranger) == [(False, None)]


def test_cas_that_certify_each_other_in_a_loop_need_an_anchor() -> None:
    first, second = Authority.root("One"), Authority.root("Two")
    crossed = [first.intermediate("Two", key=second.key), second.intermediate("One", key=first.key)]
    leaf = first.issue()
    assert authentic([ROOT], *crossed, leaf) == [False] * 3
    assert authentic([first], *crossed, leaf) == [True] * 3
    # Another anchor reaches into the loop.
    bridge = ROOT.intermediate("Two", key=second.key)
    assert authentic([ROOT], *crossed, bridge, leaf) == [True] * 4


def test_an_old_and_expired_root_is_an_anchor_all_the_same() -> None:
    old = Authority.root("Old Root", version=1, not_before="1999-01-01", not_after="2000-01-01")
    assert joined([old], [], old.issue(), old.certificate) == [(True, old.certificate.sha256)] * 2
    assert authentic([], old) == [False]


def test_one_key_in_two_encodings_is_one_authority() -> None:
    point = ROOT.key.spki[-65:]
    algorithm = asn1.sequence(asn1.oid("1.2.840.10045.2.1"), asn1.oid("1.2.840.10045.3.1.7"))
    short = asn1.sequence(algorithm, asn1.bit_string(bytes([2 + point[-1] % 2]) + point[1:33]))
    again = RSA.intermediate("Test Root", spki=short)
    leaf = ROOT.issue()
    ((trusted, named),) = joined([RSA], [ROOT, again], leaf)
    assert trusted
    assert named in (ROOT.certificate.sha256, again.certificate.sha256)  # ROOT's own is signed by that key, too
    assert joined([RSA], [ROOT], leaf) == [(False, ROOT.certificate.sha256)]
    assert joined([ROOT], [again], leaf) == [(True, ROOT.certificate.sha256)]


def test_a_strangers_keys_under_a_cas_name_come_after_the_cas() -> None:
    """Where no key identifier tells them apart, those that lead to an anchor are tried first."""
    strangers = [Authority.root("Test Root", key=ec_key(f"stranger {n}")) for n in range(MAX_KEYS + 5)]
    authorities = Authorities.among(read(*strangers, ROOT))
    name, anchors = ROOT.certificate.subject, frozenset({ROOT.certificate.sha256})
    assert authorities.keys(anchors)[name][0] == ROOT.key.spki
    assert len(set(authorities.keys()[name])) == MAX_KEYS + 6
    assert joined([ROOT], strangers, ROOT.issue(aki=None)) == [(True, ROOT.certificate.sha256)]
    (link,) = verify_batch([ROOT.issue(aki=None).der], {name: authorities.keys(anchors)[name][::-1]})
    assert link.capped  # in another order it is beyond the limit


def test_the_cost_of_many_cas_of_one_name_is_that_of_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def counted(spki: bytes, algorithm: Any) -> Any:
        def check(signature: bytes, signed: bytes) -> Any:
            tried.append(spki)
            return why_not(spki, algorithm, signature, signed)

        return check

    monkeypatch.setattr(verify, "verifier", counted)
    crowd = [Authority.root("One of many", key=ec_key(f"crowd {n}")) for n in range(150)]
    authorities = Authorities.among(read(*crowd))
    assert len(tried) == 150  # each with its own key, which its key identifier tells
    assert all(link.spki_sha256 for link in authorities.links.values())
    tried.clear()
    forged = [one.intermediate("One of many", key=one.key, aki=None, signed_by=ec_key("nobody")) for one in crowd]
    Authorities.among(read(*forged))
    assert len(tried) <= 150 * MAX_KEYS


def test_nist_hierarchy_is_judged_as_the_library_judges_it() -> None:
    """Each certificate of PKITS; the judge: the library's verification pair by pair, and its reading of extensions."""
    loaded = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for path in sorted((VECTORS / "PKITS_data/certs").glob("*.crt")):
            try:
                one = x509.load_der_x509_certificate(path.read_bytes())
            except ValueError:
                continue  # DSA parameters that are inherited
            loaded[one.fingerprint(hashes.SHA256()).hex()] = one
    anchor = x509.load_der_x509_certificate((VECTORS / "PKITS_data/certs/TrustAnchorRootCertificate.crt").read_bytes())
    marked = {anchor.fingerprint(hashes.SHA256()).hex()}
    todo = list(marked)
    while todo:
        issuer = loaded[todo.pop()]
        if issuer != anchor and not _issues(issuer):
            continue
        for digest, one in loaded.items():
            if digest not in marked and one.issuer.public_bytes() == issuer.subject.public_bytes() and _by(one, issuer):
                marked.add(digest)
                todo.append(digest)
    certificates = [read_certificate(path.read_bytes()) for path in (VECTORS / "PKITS_data/certs").glob("*.crt")]
    found = Authorities.among(certificates).authentic(frozenset({anchor.fingerprint(hashes.SHA256()).hex()}))
    # The library refuses SHA-1 with DSA; of that there is one here, which openssl verifies.
    (more,) = found & loaded.keys() - marked
    assert "Valid DSA Signatures" in loaded[more].subject.rfc4514_string()
    assert marked < found
    assert 300 < len(marked) < len(loaded)


def _by(one: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        one.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _issues(one: x509.Certificate) -> bool:
    try:
        if not one.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return False
        return one.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound as missing:
        return missing.oid == x509.KeyUsage.oid


# --- CRLs -------------------------------------------------------------------------------------------------------------

WHEN = "2016-09-01T00:00:00Z"


def test_entries_with_and_without_reasons(tmp_path: Path) -> None:
    revoked = [
        Revoked(0x0A, "2016-08-29T10:00:00Z", "keyCompromise"),
        Revoked(0x0B, "2016-08-30T10:00:00Z"),
        Revoked(-1, "2050-01-01T00:00:00Z", "superseded"),
    ]
    crl = ROOT.crl(revoked, this_update=WHEN, next_update="2016-10-01T00:00:00Z")
    found = rows(facts_of(tmp_path, {"trust/root.pem": ROOT, "c/list.crl": crl}), "revocations")
    assert [(row["serial"], row["revoked_at"], row["reason"]) for row in found] == [
        ("-01", datetime(2050, 1, 1), "superseded"),
        ("0A", datetime(2016, 8, 29, 10), "keyCompromise"),
        ("0B", datetime(2016, 8, 30, 10), "unspecified"),
    ]
    for row in found:
        assert row["authentic"] is True
        assert row["issuer"] == "CN=Test Root"
        assert row["issuer_spki_sha256"] == asn1_sha256(ROOT.key.spki)
        assert (row["this_update"], row["next_update"]) == (datetime(2016, 9, 1), datetime(2016, 10, 1))
        assert (row["source"], row["collection"]) == ("c/list.crl", "all")


@pytest.mark.parametrize(
    ("signer", "options"),
    [
        (Authority.root("Test Root", key=ec_key("a twin")), {}),  # the name, another key
        (ROOT, {"signature": b"junk"}),
        (Authority.root("Someone"), {"issuer": "Test Root"}),
        (Authority.root("Someone"), {}),
        (ROOT, {"issuer": "Another name"}),
    ],
)
def test_a_forged_crl_is_not_authentic(tmp_path: Path, signer: Authority, options: dict[str, Any]) -> None:
    crl = signer.crl([Revoked(5, WHEN)], this_update=WHEN, **options)
    (row,) = rows(facts_of(tmp_path, {"trust/root.pem": ROOT, "c/list.crl": crl}), "revocations")
    assert (row["authentic"], row["issuer_spki_sha256"]) == (False, None)


def test_a_leaf_and_a_ca_without_crl_sign_sign_no_crl(tmp_path: Path) -> None:
    leaf = ROOT.issue("Test CA")
    middle = ROOT.intermediate("Middle", key_usage=["keyCertSign"])
    crls = [one.crl([Revoked(5, WHEN)], this_update=WHEN) for one in (Authority(leaf, leaf.key), middle)]
    files: dict[str, Content] = {
        "trust/root.pem": ROOT,
        "c/1.pem": leaf,
        "c/2.pem": middle,
        "c/a.crl": crls[0],
        "c/b.crl": crls[1],
    }
    assert [row["authentic"] for row in rows(facts_of(tmp_path, files), "revocations")] == [False, False]


def test_an_intermediates_crl_is_authentic_through_its_chain(tmp_path: Path) -> None:
    middle = ROOT.intermediate("Middle")
    crl = middle.crl([Revoked(5, WHEN)], this_update=WHEN)
    with_it = facts_of(tmp_path / "1", {"trust/r.pem": ROOT, "c/m.pem": middle, "c/a.crl": crl})
    without = facts_of(tmp_path / "2", {"trust/r.pem": ROOT, "c/a.crl": crl})
    assert [rows(facts, "revocations")[0]["authentic"] for facts in (with_it, without)] == [True, False]


def test_a_serial_listed_twice_is_two_rows(tmp_path: Path) -> None:
    revoked = [Revoked(5, "2016-08-29", "keyCompromise"), Revoked(5, "2016-08-30")]
    crl = ROOT.crl(revoked, this_update=WHEN)
    found = rows(facts_of(tmp_path, {"trust/root.pem": ROOT, "c/a.crl": crl}), "revocations")
    assert {(row["serial"], row["revoked_at"].day, row["reason"]) for row in found} == {
        ("05", 29, "keyCompromise"),
        ("05", 30, "unspecified"),
    }


def test_an_empty_crl_has_no_rows_and_no_problem(tmp_path: Path) -> None:
    facts = facts_of(tmp_path, {"trust/root.pem": ROOT, "c/a.crl": ROOT.crl(this_update=WHEN)})
    assert rows(facts, "revocations") == []
    assert facts.problems == ()


@pytest.mark.parametrize(
    ("entry", "field", "values"),
    [
        (asn1.sequence(asn1.integer(5), asn1.utc_time("99")), "entry 2", ("05", None, "unspecified")),
        (asn1.sequence(asn1.integer(5)), "entry 2", None),
        (asn1.sequence(), "entry 2", None),
        (asn1.sequence(asn1.integer(b""), asn1.utc_time("160101000000Z")), "entry 2", None),
    ],
)
def test_a_bad_entry_costs_itself_alone(tmp_path: Path, entry: bytes, field: str, values: Any) -> None:
    good = asn1.sequence(asn1.integer(7), asn1.time(WHEN))
    facts = facts_of(tmp_path, {"c/a.crl": raw_crl(good, entry)})
    found = [(row["serial"], row["revoked_at"], row["reason"]) for row in rows(facts, "revocations")]
    assert found == sorted([("07", datetime(2016, 9, 1), "unspecified"), *([values] if values else [])])
    assert [(p.file, p.position, p.field) for p in facts.problems] == [("c/a.crl", 1, field)]


@pytest.mark.parametrize("value", [asn1.enumerated(7), asn1.enumerated(99), asn1.integer(1), b"", b"\x0a\x00"])
def test_a_reason_that_is_not_defined_is_null_and_a_problem(tmp_path: Path, value: bytes) -> None:
    extension = asn1.sequence(asn1.oid("2.5.29.21"), asn1.octet_string(value))
    entry = asn1.sequence(asn1.integer(5), asn1.time(WHEN), asn1.sequence(extension))
    facts = facts_of(tmp_path, {"c/a.crl": raw_crl(entry)})
    (row,) = rows(facts, "revocations")
    assert (row["serial"], row["revoked_at"], row["reason"]) == ("05", datetime(2016, 9, 1), None)
    assert [p.field for p in facts.problems] == ["entry 1"]


def raw_crl(*entries: bytes) -> bytes:
    algorithm = ROOT.key.algorithm()
    listed = asn1.sequence(*entries)
    tbs = asn1.sequence(asn1.integer(1), algorithm, asn1.name("Test Root"), asn1.time(WHEN), listed)
    return asn1.sequence(tbs, algorithm, asn1.bit_string(ROOT.key.sign(tbs)))


def test_a_crl_whose_algorithms_disagree_is_not_authentic(tmp_path: Path) -> None:
    inner, outer = ROOT.key.algorithm("sha384"), ROOT.key.algorithm()
    entry = asn1.sequence(asn1.sequence(asn1.integer(5), asn1.time(WHEN)))
    tbs = asn1.sequence(asn1.integer(1), inner, ROOT.certificate.subject, asn1.time(WHEN), entry)
    crl = asn1.sequence(tbs, outer, asn1.bit_string(ROOT.key.sign(tbs)))
    facts = facts_of(tmp_path, {"trust/root.pem": ROOT, "c/a.crl": crl})
    assert [row["authentic"] for row in rows(facts, "revocations")] == [False]
    assert [p.field for p in facts.problems] == ["signature_algorithm"]


# --- SCTs -------------------------------------------------------------------------------------------------------------

LOG, RSA_LOG, UNKNOWN = Log("Log one"), Log("Log two", rsa_key("log")), Log("Log three")
AT = 1_451_908_800_123


def signatures(folder: Path, *certificates: Certificate, trust: Authority | None = ROOT) -> list[tuple[Any, str]]:
    files: dict[str, Any] = {f"c/{number}.pem": one for number, one in enumerate(certificates)}
    files |= {"logs.json": log_list([LOG, RSA_LOG])} | ({"trust/r.pem": trust} if trust else {})
    return [(row["log"], row["signature"]) for row in rows(facts_of(folder, files, ct_logs="logs.json"), "scts")]


@pytest.mark.parametrize("log", [LOG, RSA_LOG])
def test_a_true_sct_is_valid(tmp_path: Path, log: Log) -> None:
    leaf = ROOT.issue(scts=[log.sct(AT), log.sct(AT + 1, extensions=b"abc")])
    assert signatures(tmp_path, leaf) == [(log.name, "valid")] * 2


def test_an_sct_is_valid_under_an_issuer_that_is_not_trusted(tmp_path: Path) -> None:
    other = Authority.root("Someone")
    leaf = other.issue(scts=[LOG.sct(AT)])
    assert signatures(tmp_path, leaf, other.certificate) == [("Log one", "valid")]


def test_of_an_unknown_log_or_without_the_issuer_nothing_is_said(tmp_path: Path) -> None:
    assert signatures(tmp_path / "1", ROOT.issue(scts=[UNKNOWN.sct(AT)])) == [(None, "unknown log")]
    assert signatures(tmp_path / "2", ROOT.issue(scts=[LOG.sct(AT)]), trust=None) == [("Log one", "no issuer")]


def test_any_bit_of_an_sct_changed_makes_it_invalid(tmp_path: Path) -> None:
    from affidavit.evidence.certificate import read_certificate

    leaf = ROOT.issue(scts=[LOG.sct(AT)])
    (sct,) = read_certificate(leaf.der).scts
    whole = bytes([0]) + bytes.fromhex(sct.log_id) + sct.milliseconds.to_bytes(8) + bytes(2)
    whole += bytes([4, 3]) + len(sct.signature).to_bytes(2) + sct.signature
    places = {0: 1, 40: 1, 43: 1, 44: 2, len(whole) - 1: 1, 47 + 10: 0x80}  # version, time, algorithms, signature
    changed = [whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :] for at, bit in places.items()]
    made = [ROOT.issue(scts=[one]) for one in changed]
    assert signatures(tmp_path / "good", ROOT.issue(scts=[whole])) == [("Log one", "valid")]
    assert signatures(tmp_path / "bad", *made) == [("Log one", "invalid")] * len(places)


def test_an_sct_of_another_certificate_or_version_is_invalid(tmp_path: Path) -> None:
    from affidavit.evidence.certificate import read_certificate

    (sct,) = read_certificate(ROOT.issue("b.example", scts=[LOG.sct(AT)]).der).scts
    borrowed = ROOT.issue("a.example", scts=[LOG.sct(AT, signature=sct.signature)])
    assert signatures(tmp_path / "1", borrowed) == [("Log one", "invalid")]
    assert signatures(tmp_path / "2", ROOT.issue(scts=[LOG.sct(AT, version=1)])) == [("Log one", "invalid")]


@pytest.mark.parametrize("critical", [True, False])
def test_an_entry_with_a_critical_extension_that_is_not_understood_is_no_entry_of_ours(
    tmp_path: Path, critical: bool
) -> None:
    # What it says of the entry is not known: it may be about another CA's certificate.
    parts = [
        asn1.oid("1.3.6.1.4.1.99999.1"),
        *([bytes.fromhex("0101ff")] if critical else []),
        asn1.octet_string(b"\x30\x00"),
    ]
    entry = asn1.sequence(asn1.integer(5), asn1.time(WHEN), asn1.sequence(asn1.sequence(*parts)))
    facts = facts_of(tmp_path, {"c/a.crl": raw_crl(entry)})
    assert len(rows(facts, "revocations")) == (0 if critical else 1)
    assert [p.field for p in facts.problems] == (["entry 1"] if critical else [])
