"""OCSP responses: what is read of them is what openssl reads, and who signed them is judged as openssl judges it."""

import base64
import re
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from affidavit.evidence import ocsp
from affidavit.evidence.der import DerError
from affidavit.serials import show_serial
from testpki import asn1, extensions
from testpki.build import Authority, Certificate
from testpki.keys import ec_key, rsa_key
from testpki.ocsp import Response, Single, answer, archive_cutoff, nonce
from tests.evidence.case import Content, facts_of, rows
from tests.evidence.corpora import VECTORS, shared, zlint_files

CA = Authority.root("Test CA")
OTHER = Authority.root("Other CA")
SERIAL = 0x1234


def responder(ca: Authority = CA, name: str = "Responder", **options: Any) -> Authority:
    """A delegated responder's certificate and key."""
    usual = {"extended_key_usage": ["OCSPSigning"], "dns": None, "days": 4000}
    certificate = ca.issue(name, **usual | options)
    return Authority(certificate, certificate.key)


RESPONDER = responder()


# --- what is read -----------------------------------------------------------------------------------------------------


def openssl_text(der: bytes, folder: Path) -> str:
    path = folder / "r.der"
    path.write_bytes(der)
    done = subprocess.run(
        ["openssl", "ocsp", "-respin", str(path), "-resp_text", "-noverify"],
        capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    return done.stdout.decode("utf-8", "replace")


def moment(text: str) -> datetime:
    return datetime.strptime(" ".join(text.split()), "%b %d %H:%M:%S %Y GMT")


def judged(text: str) -> list[dict[str, Any]]:
    """What openssl says of each single response."""
    produced = re.search(r"Produced At: (.*)", text)
    found = []
    for part in text.split("Certificate ID:")[1:]:
        part = part.partition("Signature Algorithm:")[0]

        def one(name: str, part: str = part) -> str | None:
            match = re.search(rf"{name}: (\S.*)", part)
            return match[1] if match else None

        row: dict[str, Any] = {
            "hash_algorithm": one("Hash Algorithm"), "issuer_name_hash": (one("Issuer Name Hash") or "").lower(),
            "issuer_key_hash": (one("Issuer Key Hash") or "").lower(),
            "serial": show_serial(int(one("Serial Number") or "", 16)), "status": one("Cert Status"),
            "reason": (one("Revocation Reason") or "").split(" ")[0] or None,
        }  # fmt: skip
        names = {"revoked_at": "Revocation Time", "this_update": "This Update", "next_update": "Next Update"}
        row |= {key: moment(value) if (value := one(name)) else None for key, name in names.items()}
        row["produced_at"] = moment(produced[1]) if produced else None
        found.append(row)
    return found


def ours(der: bytes) -> list[dict[str, Any]]:
    """The same of what is read here; a reason only where it is given, as openssl shows it."""
    found = []
    for row in ocsp.read(der).rows["ocsp"]:
        keys = ("hash_algorithm", "issuer_name_hash", "issuer_key_hash", "serial", "status", "revoked_at",
                "this_update", "next_update", "produced_at")  # fmt: skip
        one = {key: row.get(key) for key in keys}
        found.append(one | {"reason": row.get("reason") if row.get("reason_given") else None})
    return found


MADE: dict[str, Response] = {
    "good": Response(CA, [Single(CA, SERIAL)]),
    "revoked": Response(CA, [Single(CA, SERIAL, "revoked", "2024-01-31T10:00:00Z", "keyCompromise")]),
    "revoked without a reason": Response(CA, [Single(CA, SERIAL, "revoked", "2024-01-31T10:00:00Z")]),
    "unknown": Response(CA, [Single(CA, SERIAL, "unknown")]),
    "by key": Response(CA, [Single(CA, SERIAL)], by_key=True),
    "SHA-256": Response(CA, [Single(CA, SERIAL, hash="sha256")]),
    "no next update": Response(CA, [Single(CA, SERIAL, next_update=None)]),
    "nonce": Response(CA, [Single(CA, SERIAL)], extensions=[nonce(bytes(range(16)))]),
    "archive cutoff": Response(CA, [Single(CA, SERIAL, extensions=[archive_cutoff("2017-01-01T00:00:00Z")])]),
    "several": Response(
        CA,
        [
            Single(CA, 1), Single(CA, 2, "revoked", "2024-01-30T00:00:00Z", "superseded", hash="sha256"),
            Single(OTHER, 3, "unknown"), Single(CA, 0xFF00, "revoked", "2024-01-29T00:00:00Z", "certificateHold"),
        ],
    ),
    "certificates inside": Response(RESPONDER, [Single(CA, SERIAL)], certificates=[RESPONDER.certificate]),
}  # fmt: skip


@pytest.mark.parametrize("name", MADE)
def test_what_is_read_is_what_openssl_reads(tmp_path: Path, name: str) -> None:
    der = MADE[name].der()
    text = openssl_text(der, tmp_path)
    assert len(judged(text)) == len(MADE[name].singles)
    assert ours(der) == judged(text)
    assert not ocsp.read(der).faults


def test_the_vectors_are_read_as_openssl_reads_them(tmp_path: Path) -> None:
    compared, differences = 0, []
    paths = [*sorted((VECTORS / "ocsp").glob("*resp*.der")), *sorted(shared("evidence-samples/ocsp").glob("*.der"))]
    files = [(path.name, path.read_bytes()) for path in paths]
    # Two of zlint's, each as DER and as base64.
    of_zlint = [(name, data) for name, data in zlint_files() if "/ocspThisUpdate" in name]
    assert len(of_zlint) == 4
    files += [(name, base64.b64decode(data) if data[:1] != b"0" else data) for name, data in of_zlint]
    assert all(judged(openssl_text(data, tmp_path)) for _, data in files[-4:])
    for name, data in files:
        text = openssl_text(data, tmp_path)
        wanted = judged(text)
        try:
            found = ours(data)
        except DerError:
            found = []
        if wanted:
            compared += 1
            if found != wanted:
                differences.append((name, found, wanted))
    print(f"{compared} of {len(files)} responses compared, {len(differences)} differences")
    assert differences == []
    assert compared >= 16


def test_nonce_and_archive_cutoff_are_columns(tmp_path: Path) -> None:
    (row,) = ocsp.read(MADE["nonce"].der()).rows["ocsp"]
    assert row["nonce"] == "000102030405060708090a0b0c0d0e0f"
    assert "000102030405060708090A0B0C0D0E0F" in openssl_text(MADE["nonce"].der(), tmp_path).replace(":", "")
    (row,) = ocsp.read(MADE["archive cutoff"].der()).rows["ocsp"]
    assert row["archive_cutoff"] == datetime(2017, 1, 1)
    assert "Jan  1 00:00:00 2017 GMT" in openssl_text(MADE["archive cutoff"].der(), tmp_path)
    # Before RFC 8954 the octets stood there as they were.
    bare = extensions.extension("1.3.6.1.5.5.7.48.1.2", b"\xab\xcd\xef")
    (row,) = ocsp.read(Response(CA, [Single(CA, 1)], extensions=[bare]).der()).rows["ocsp"]
    assert row["nonce"] == "abcdef"
    bad = extensions.extension("1.3.6.1.5.5.7.48.1.6", asn1.integer(1))
    read = ocsp.read(Response(CA, [Single(CA, 1, extensions=[bad])]).der())
    assert read.rows["ocsp"][0].get("archive_cutoff") is None
    assert [(f.field, f.irregular) for f in read.faults] == [("response 1", False)]


@pytest.mark.parametrize(
    ("response", "field", "irregular", "statuses"),
    [
        # A critical extension that is not understood (RFC 6960 4.4): of the single response, then of the whole.
        (Response(CA, [Single(CA, 1, extensions=[extensions.extension("1.2.3", b"", critical=True)]), Single(CA, 2)]),
         "response 1", False, ["good"]),
        (Response(CA, [Single(CA, 1)], extensions=[extensions.extension("1.2.3", b"", critical=True)]),
         "extensions", False, ["good"]),
        (Response(CA, [Single(CA, 1)], extensions=[nonce(b"a"), nonce(b"b")]), "extensions", False, ["good"]),
        (Response(CA, [Single(CA, 1, extensions=[extensions.extension("2.5.29.21", asn1.enumerated(1))])]),
         "response 1", True, ["good"]),
        (Response(CA, [Single(CA, 1)], version=1), "version", True, ["good"]),
        (Response(CA, [Single(CA, 1)], unused=1), "signature", False, ["good"]),
        (Response(CA, [asn1.sequence(), Single(CA, 2)]), "response 1", False, ["good"]),
        (Response(CA, [asn1.integer(5), Single(CA, 2)]), "response 1", False, ["good"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_and_costs_itself_alone(
    response: Response, field: str, irregular: bool, statuses: list[str]
) -> None:
    der = response.der()
    read = ocsp.read(der)
    assert [row["status"] for row in read.rows["ocsp"]] == statuses
    assert [(fault.field, fault.irregular) for fault in read.faults] == [(field, irregular)]
    ocsp.head(der)  # what signatures rest on can be told wherever rows can


@pytest.mark.parametrize(
    ("octets", "irregular", "expected"),
    [
        (b"\x18\x0f20241301000000Z", False, None),  # no such month
        (b"\x18\x0f20240201000000z", False, None),
        (b"\x18\x0d202402010000Z", True, datetime(2024, 2, 1)),  # no seconds
        (b"\x17\x0d240201000000Z", True, datetime(2024, 2, 1)),  # UTCTime
    ],
)
def test_a_time_of_another_form_is_read_where_it_names_an_instant(
    octets: bytes, irregular: bool, expected: datetime | None
) -> None:
    single = Single(CA, 1, next_update=None).der()
    inside = single[2:].replace(b"\x18\x0f20240201000000Z", octets)
    read = ocsp.read(Response(CA, [asn1.sequence(inside)]).der())
    assert [row["this_update"] for row in read.rows["ocsp"]] == [expected]
    assert [(fault.field, fault.irregular) for fault in read.faults] == [("response 1", irregular)]


def test_positions_count_what_could_not_be_read() -> None:
    read = ocsp.read(Response(CA, [Single(CA, 1), asn1.sequence(), Single(CA, 3)]).der())
    assert [(row["position"], row["serial"]) for row in read.rows["ocsp"]] == [(1, "01"), (3, "03")]
    assert [one and one.serial for one in ocsp.head(Response(CA, [Single(CA, 1), asn1.sequence()]).der()).cert_ids] == [
        "01", None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    "der",
    [
        b"", b"\x30", b"\x30\x00", asn1.sequence(asn1.integer(0)), answer(0) + b"x", answer(0, b""),
        answer(0, b"\x30\x00"),
        answer(0, asn1.sequence(asn1.sequence(), asn1.sequence(), asn1.bit_string(b""))),
        answer(0, asn1.sequence(), kind="1.2.3"), asn1.sequence(asn1.enumerated(0), asn1.explicit(1, asn1.null())),
        asn1.sequence(asn1.enumerated(0), asn1.explicit(0, asn1.sequence(asn1.oid("1.2.3")))),
        Response(CA, [], responder=asn1.explicit(3, asn1.null())).der(),
        Response(CA, [], responder=asn1.explicit(2, asn1.null())).der(),
    ],
)  # fmt: skip
def test_what_is_no_response_is_an_error_that_says_so(der: bytes) -> None:
    for reader in (ocsp.read, ocsp.head):
        with pytest.raises(DerError):
            reader(der)


def test_any_octet_changed_gives_rows_or_an_error_and_rows_have_a_head() -> None:
    whole = MADE["several"].der()
    readable = 0
    for at in range(0, len(whole), 3):
        for bit in (1, 0x80):
            der = whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :]
            try:
                ocsp.read(der)
            except DerError:
                continue
            ocsp.head(der)
            readable += 1
    assert readable > 100


# --- who signed -------------------------------------------------------------------------------------------------------


def verdict(folder: Path, der: bytes, *others: Certificate | Authority, trust: Authority = CA) -> list[tuple[Any, ...]]:
    """(authentic, delegated, whether a responder's certificate is named) of each single response."""
    files: dict[str, Content] = {"trust/ca.pem": trust, "c/r.der": der}
    files |= {f"c/{number}.pem": one for number, one in enumerate(others)}
    found = rows(facts_of(folder, files), "ocsp")
    return [(row["authentic"], row["delegated"], row["responder_certificate"]) for row in found]


def openssl_verifies(folder: Path, der: bytes, *others: Certificate, serial: int = SERIAL) -> bool:
    """Whether openssl accepts the response for a serial number of the CA."""
    folder.mkdir(exist_ok=True)
    (folder / "ca.pem").write_text(CA.certificate.pem())
    (folder / "others.pem").write_text("".join(one.pem() for one in (*others, CA.certificate)))
    (folder / "r.der").write_bytes(der)
    arguments = ["-respin", "r.der", "-issuer", "ca.pem", "-serial", str(serial), "-CAfile", "ca.pem", "-no_nonce"]
    arguments += ["-verify_other", "others.pem", "-attime", "1706800000"]
    done = subprocess.run(
        ["openssl", "ocsp", *arguments], cwd=folder, capture_output=True, check=False, timeout=60
    )  # fmt: skip
    said = (done.stdout + done.stderr).decode("utf-8", "replace")
    return "Response verify OK" in said


BY_CA = (True, False, CA.certificate.sha256)
NOBODY = (False, None, None)


@pytest.mark.parametrize("name", ["good", "revoked", "unknown", "by key", "SHA-256", "nonce"])
def test_the_cas_own_answer_is_authentic(tmp_path: Path, name: str) -> None:
    der = MADE[name].der()
    assert verdict(tmp_path, der) == [BY_CA]
    assert openssl_verifies(tmp_path / "o", der)


@pytest.mark.parametrize("by_key", [True, False])
@pytest.mark.parametrize("inside", [True, False])
def test_a_responder_that_the_ca_delegated_is_its_word(tmp_path: Path, by_key: bool, inside: bool) -> None:
    given = [RESPONDER.certificate]
    der = Response(RESPONDER, [Single(CA, SERIAL)], by_key, given if inside else []).der()
    # Where its certificate is not inside the response it may stand in a file of its own.
    others = [] if inside else given
    assert verdict(tmp_path, der, *others) == [(True, True, RESPONDER.certificate.sha256)]
    assert openssl_verifies(tmp_path / "o", der, *others)
    if not inside:
        assert verdict(tmp_path / "without", der) == [NOBODY]


PLAIN, ANY = responder(extended_key_usage=["serverAuth"]), responder(extended_key_usage=["any"])
STRANGER, RENAMED = responder(OTHER), responder(issuer="Somebody")
TWIN = responder(Authority.root("Test CA", key=ec_key("a twin")))
NEAR_MISSES: dict[str, tuple[Response, tuple[Authority, ...]]] = {
    "a responder without the extended key usage": (
        Response(PLAIN, [Single(CA, SERIAL)], certificates=[PLAIN.certificate]), (),
    ),
    "a responder with any extended key usage": (
        Response(ANY, [Single(CA, SERIAL)], certificates=[ANY.certificate]), (),
    ),
    "a responder of another CA that is trusted, too": (
        Response(STRANGER, [Single(CA, SERIAL)], certificates=[STRANGER.certificate]), (OTHER,),
    ),
    "a responder of a CA of the same name": (
        Response(TWIN, [Single(CA, SERIAL)], certificates=[TWIN.certificate]), (),
    ),
    "a responder whose issuer is named otherwise, though the CA's key signed it": (
        Response(RENAMED, [Single(CA, SERIAL)], certificates=[RENAMED.certificate]), (),
    ),
    "another CA about this one's certificates": (Response(OTHER, [Single(CA, SERIAL)]), (OTHER,)),
    "the CA's name with another key": (Response(CA, [Single(CA, SERIAL)], key=ec_key("a stranger")), ()),
    "no signature": (Response(CA, [Single(CA, SERIAL)], signature=b""), ()),
    "junk for a signature": (Response(CA, [Single(CA, SERIAL)], signature=b"junk"), ()),
    "the responder's key under another name": (
        Response(RESPONDER, [Single(CA, SERIAL)], certificates=[RESPONDER.certificate],
                 responder=asn1.explicit(1, asn1.name("Somebody"))), (),
    ),
    "another key's hash": (
        Response(RESPONDER, [Single(CA, SERIAL)], certificates=[RESPONDER.certificate],
                 responder=asn1.explicit(2, asn1.octet_string(bytes(20)))), (),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NEAR_MISSES)
def test_a_near_miss_is_nobodys_word(tmp_path: Path, name: str) -> None:
    response, others = NEAR_MISSES[name]
    der = response.der()
    files: dict[str, Content] = {"trust/ca.pem": CA, "c/r.der": der}
    files |= {f"trust/{number}.pem": one for number, one in enumerate(others)}
    (row,) = rows(facts_of(tmp_path, files), "ocsp")
    assert (row["serial"], row["status"]) == ("1234", "good")  # it is read all the same
    assert (row["authentic"], row["delegated"], row["responder_certificate"]) == NOBODY
    assert not openssl_verifies(tmp_path / "o", der)


def test_a_responder_issued_by_an_intermediate_speaks_for_that_alone(tmp_path: Path) -> None:
    """RFC 6960 4.2.2.2: issued directly by the CA that is asked about."""
    middle = CA.intermediate("Middle")
    theirs = responder(middle)
    about_ca = Response(theirs, [Single(CA, SERIAL)], certificates=[theirs.certificate]).der()
    assert verdict(tmp_path / "1", about_ca, middle.certificate) == [NOBODY]
    about_middle = Response(theirs, [Single(middle, SERIAL)], certificates=[theirs.certificate]).der()
    assert verdict(tmp_path / "2", about_middle, middle.certificate) == [(True, True, theirs.certificate.sha256)]
    assert verdict(tmp_path / "3", about_middle) == [NOBODY]  # without the chain


def test_each_single_response_is_judged_by_its_own_ca(tmp_path: Path) -> None:
    response = Response(RESPONDER, [Single(CA, 1), Single(OTHER, 2), Single(CA, 3, hash="sha256")],
                        certificates=[RESPONDER.certificate])  # fmt: skip
    files: dict[str, Content] = {"trust/1.pem": CA, "trust/2.pem": OTHER, "c/r.der": response.der()}
    found = rows(facts_of(tmp_path, files), "ocsp")
    assert [(row["serial"], row["authentic"], row["position"]) for row in found] == [
        ("01", True, 1), ("02", False, 2), ("03", True, 3),
    ]  # fmt: skip


def test_any_octet_of_the_signed_part_changed_makes_it_nobodys_word(tmp_path: Path) -> None:
    der = Response(CA, [Single(CA, SERIAL, "revoked", "2024-01-31T10:00:00Z")]).der()
    files: dict[str, Content] = {"trust/ca.pem": CA, "c/0.der": der}
    places = [der.index(octets) for octets in (b"20240131100000Z", b"20240201000000Z", b"20240201010000Z", b"\x12\x34")]
    for number, at in enumerate(places, 1):
        spot = at + (1 if number == 4 else 6)
        files[f"c/{number}.der"] = der[:spot] + bytes([der[spot] ^ 1]) + der[spot + 1 :]
    found = {row["source"]: row["authentic"] for row in rows(facts_of(tmp_path, files), "ocsp")}
    assert found == {"c/0.der": True, **{f"c/{number}.der": False for number in range(1, 5)}}


def test_a_status_that_is_not_signed_lends_and_takes_no_weight(tmp_path: Path) -> None:
    """responseStatus stands outside of what is signed: an error beside a true response is not that response."""
    der = MADE["revoked"].der()
    at = der.index(b"\x0a\x01\x00")
    tampered = der[: at + 2] + b"\x03" + der[at + 3 :]
    files: dict[str, Content] = {"trust/ca.pem": CA, "c/r.der": tampered, "c/s.der": answer(0), "c/t.der": answer(3)}
    facts = facts_of(tmp_path, files)
    assert [(row["response_status"], row["status"], row["authentic"]) for row in rows(facts, "ocsp")] == [
        ("tryLater", None, False), ("successful", None, False), ("tryLater", None, False),
    ]  # fmt: skip
    assert [(p.file, p.field) for p in facts.problems] == [
        ("c/r.der", "response_status"),
        ("c/s.der", "response_status"),
    ]


def test_a_signature_with_unused_bits_stops_nothing(tmp_path: Path) -> None:
    response = Response(CA, [Single(CA, SERIAL)], unused=1)
    facts = facts_of(tmp_path, {"trust/ca.pem": CA, "c/r.der": response.der()})
    assert [row["authentic"] for row in rows(facts, "ocsp")] == [False]
    assert [p.field for p in facts.problems] == ["signature"]


@pytest.mark.parametrize("hash", ["md5", "sha1", "sha384"])
def test_old_hashes_of_signatures_count(tmp_path: Path, hash: str) -> None:
    ca = Authority.root("RSA CA", key=rsa_key("ocsp"))
    der = Response(ca, [Single(ca, 7)], hash=hash).der()
    assert verdict(tmp_path, der, trust=ca) == [(True, False, ca.certificate.sha256)]


def test_with_trust_none_no_answer_is_authentic(tmp_path: Path) -> None:
    files: dict[str, Content] = {"c/ca.pem": CA, "c/r.der": MADE["good"].der()}
    assert [row["authentic"] for row in rows(facts_of(tmp_path, files, trust="none"), "ocsp")] == [False]


def test_one_key_is_tried_once_however_many_are_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    from affidavit.evidence import status
    from affidavit.evidence.certificate import read_certificate
    from affidavit.evidence.signatures import verifies

    calls = []

    def counted(*arguments: Any) -> bool:
        calls.append(arguments)
        return verifies(*arguments)

    monkeypatch.setattr(status, "verifies", counted)
    der = Response(RESPONDER, [Single(CA, n) for n in range(1, 400)], certificates=[RESPONDER.certificate]).der()
    candidates = status.Candidates([read_certificate(CA.certificate.der)])
    anchors = frozenset({CA.certificate.sha256})
    found = status.ocsp_signers(ocsp.head(der), candidates, anchors, anchors)
    assert [one.authentic for one in found] == [True] * 399
    assert len(calls) == 2  # the response under the responder's key, and the responder's certificate under the CA's
