"""Both ways of reading many certificates, against each other and against the library's attributes.

``AFFIDAVIT_ORACLE`` sets how many odd certificates are made, in hundreds.
"""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from affidavit.columns import Made
from affidavit.evidence import batch, carrier, forms, wholesale
from affidavit.evidence.batch import Batch
from affidavit.evidence.certificate import read_certificate
from affidavit.tables import arrow_schema
from benchmarks import corpus
from testpki import Authority, Log, asn1, ec_key, ed25519_key, extensions, rsa_key
from testpki.keys import rsa_from_numbers
from tests.evidence import plain
from tests.evidence.corpora import shared, vector_certificates, zlint_files
from tests.evidence.odd import changed

ODD = 100 * int(os.environ.get("AFFIDAVIT_ORACLE", "9"))
PARTS = 3
WOSIGN = Path(__file__).resolve().parents[2] / "evidence/wosign-2016"


def certificates_in(contents: Iterator[tuple[str, bytes]]) -> list[bytes]:
    found = []
    for name, data in contents:
        try:
            found += [item.data for item in forms.items(data, name) if item.kind == "certificate"]
        except forms.PrivateKeyFound:
            continue
    return found


def below(folder: Path) -> Iterator[tuple[str, bytes]]:
    return ((path.name, path.read_bytes()) for path in sorted(folder.rglob("*")) if path.is_file())


@cache
def ordinary(count: int = 300) -> list[bytes]:
    return corpus.certificates(count)


CORPORA: dict[str, Callable[[], list[bytes]]] = {
    "made by code": lambda: corpus.certificates(1500),
    "vectors": lambda: [der for _, der in vector_certificates()],
    "samples": lambda: certificates_in(below(shared("evidence-samples"))),
    "zlint": lambda: certificates_in(zlint_files()),
    "wosign": lambda: certificates_in(below(WOSIGN)),
}
#: How many of each the fast way reads at least: the comparison would say nothing if it read none.
SURE = {"made by code": 1500, "vectors": 440, "samples": 20, "zlint": 650, "wosign": 320}


def fast(ders: list[bytes]) -> wholesale.Part:
    """What the fast way alone makes of some."""
    bounds = np.cumsum([0, *map(len, ders)])
    return wholesale.read(np.frombuffer(b"".join(ders), np.uint8), bounds)


def differences(ours: Batch, theirs: Batch) -> list[tuple[str, Any, Any]]:
    """Where two readings differ: column and both values, for each row."""
    assert ours.index.tolist() == theirs.index.tolist()
    assert ours.certificates.schema == theirs.certificates.schema == arrow_schema("certificates", Made.READ)
    assert ours.scts.schema == theirs.scts.schema == arrow_schema("scts", Made.READ)
    found = []
    for one, other in ((ours.certificates, theirs.certificates), (ours.scts, theirs.scts)):
        one.validate(full=True)
        if not one.equals(other):
            pairs = zip(one.to_pylist(), other.to_pylist(), strict=True)
            found += [(name, a[name], b[name]) for a, b in pairs for name in a if a[name] != b[name]]
            assert found, "the rows are equal and the Arrow arrays are not"
    found += [("faults", a, b) for a, b in zip(ours.faults, theirs.faults, strict=True) if a != b]
    return found


@pytest.mark.parametrize("name", CORPORA)
def test_the_fast_way_gives_what_the_careful_way_gives(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # What does not repeat is asked about all the same, so that as much as possible is read the fast way.
    monkeypatch.setattr(carrier, "ALLOWANCE", 10_000)
    ders = CORPORA[name]()
    assert differences(batch.rows(ders), batch.careful(ders)) == []
    assert len(fast(ders).index) >= SURE[name]


@pytest.mark.parametrize("name", CORPORA)
def test_the_fast_way_gives_what_the_library_gives(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrier, "ALLOWANCE", 10_000)
    ders = list(dict.fromkeys(CORPORA[name]()))
    part = fast(ders)
    scts: dict[str, list[Any]] = {}
    for row in part.scts.to_pylist():
        scts.setdefault(row["certificate"], []).append((row["version"], row["log_id"], row["timestamp"]))
    compared = 0
    for number, row in zip(part.index.tolist(), part.certificates.to_pylist(), strict=True):
        wanted = plain.read(ders[number])
        found = {**row, "scts": scts.get(row["sha256"], [])}
        # What the library refuses stands under the refused part's name.
        differing = {key: (found[key], value) for key, value in wanted.items() if key in found and found[key] != value}
        assert differing == {}, row["subject"]
        compared += len(wanted) > 30
    assert compared >= 0.75 * SURE[name]


def against_the_library(ders: list[bytes], read: Batch) -> int:
    """How many certificates the library reads whole; all that it says of these and others must be in the rows.

    But for names of which a value is named as unreadable: the library decodes what is no string, too.
    """
    unread = {(number, fault.field) for number, fault in read.faults if fault.field in ("issuer", "subject")}
    scts: dict[str, list[Any]] = {}
    for row in read.scts.to_pylist():
        scts.setdefault(row["certificate"], []).append((row["version"], row["log_id"], row["timestamp"]))
    compared, differing = 0, []
    for number, row in zip(read.index.tolist(), read.certificates.to_pylist(), strict=True):
        wanted = plain.read(ders[number])
        found = {**row, "scts": scts.get(row["sha256"], [])}
        differing += [
            (number, key, found[key], value)
            for key, value in wanted.items()
            if key in found and found[key] != value and (number, key.removesuffix("_cn")) not in unread
        ]
        compared += len(wanted) > 30
    assert differing == []
    return compared


@pytest.mark.parametrize("number", range(PARTS))
def test_odd_certificates_are_read_as_the_careful_way_reads_them(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrier, "ALLOWANCE", 10_000)
    draw = Random(f"odd {number}")
    sound = [*ordinary(64), *(der for der in CORPORA["vectors"]() if len(der) < 3000)]
    sound = [sound[i] for i in fast(sound).index]
    ders = list(dict.fromkeys(changed(draw, draw.choice(sound)) for _ in range(ODD // PARTS)))
    read = batch.rows(ders)
    assert differences(read, batch.careful(ders)) == []
    compared = against_the_library(ders, read)
    # Of most odd ones the library refuses something; what it does say is the same.
    assert compared >= 0.15 * len(ders)
    left = len(fast(ders).index)
    assert 0.02 * len(ders) < left < 0.9 * len(ders)
    print(f"{len(ders):,} odd certificates, {len(read.index):,} rows, {left:,} of them read the fast way, "
          f"{compared:,} that the library reads whole")  # fmt: skip


ROOT = Authority.root("Test Root")
LOG, OTHER_LOG = Log("log"), Log("other log")
AT = "2024-01-01T00:00:00Z"


def leaf(**options: Any) -> bytes:
    return ROOT.issue("a.example", **options).der


def extra(oid: str, value: bytes, *, critical: bool = False) -> dict[str, Any]:
    return {"extensions": [extensions.extension(oid, value, critical)]}


#: Ordinary in every respect: read the fast way.
SOUND: dict[str, Callable[[], bytes]] = {
    "plain": leaf,
    "rsa": lambda: leaf(key=rsa_key("a")),
    "p384": lambda: leaf(key=ec_key("a", "p384")),
    "ca": lambda: ROOT.intermediate("CA").certificate.der,
    "root": lambda: ROOT.certificate.der,
    "path length 0": lambda: ROOT.intermediate("CA", path_length=0).certificate.der,
    "empty subject": lambda: leaf(subject=None),
    "two common names": lambda: leaf(subject=[("CN", "first"), ("O", "x"), ("CN", "second")]),
    "no common name": lambda: leaf(subject=[("C", "AQ"), ("O", "x")]),
    "extended validation": lambda: leaf(subject=[("BUSINESSCATEGORY", "Private Organization"), ("JURISDICTIONC", "AQ"),
                                                 ("SERIALNUMBER", "1-2"), ("C", "AQ"), ("O", "x"), ("CN", "a.example")],
                                        policies=["ev"]),
    "domain components": lambda: leaf(subject=[("DC", "example"), ("DC", "a"), ("CN", "a")]),
    "teletex issuer": lambda: leaf(issuer=[("O", "caf\u00e9", "t61")]),
    "escaped issuer": lambda: leaf(issuer=[("O", "Trust, Inc."), ("CN", "\u00dcber CA")]),
    "no extensions but one": lambda: ROOT.issue("a", basic_constraints=None, key_usage=None, extended_key_usage=None,
                                                policies=None, ski=None, aki=None).der,
    "precertificate": lambda: ROOT.precertificate("a.example").der,
    "poison among others": lambda: ROOT.precertificate("a.example", arrange=reversed).der,
    "scts": lambda: leaf(scts=[LOG.sct(AT), OTHER_LOG.sct("2023-12-31T23:59:59Z")]),
    "scts first": lambda: leaf(scts=[LOG.sct(AT)], arrange=reversed),
    "sct with leaf index": lambda: leaf(scts=[LOG.sct(AT, extensions=bytes.fromhex("0000050102030405")), LOG.sct(AT)]),
    "sct at the end of the calendar": lambda: leaf(scts=[LOG.sct(253_402_300_799_999)]),
    "lengths shrink with the cut": lambda: ROOT.issue("a", scts=[LOG.sct(AT)], policies=None, ski=None, aki=None).der,
    "leap day": lambda: leaf(not_before="2024-02-29T00:00:00Z", days=366),
    "a leap day in 2000": lambda: leaf(not_before="2000-02-29T23:59:59Z", days=1),
    "1950": lambda: leaf(not_before="1950-01-01T00:00:00Z", days=1),
    "2049": lambda: leaf(not_after="2049-12-31T23:59:59Z"),
    "one second": lambda: leaf(not_before=AT, not_after=AT),
    "serial of 20 octets": lambda: leaf(serial=(1 << 159) - 1),
    "serial with sign octet": lambda: leaf(serial=(1 << 152) - 1),
    "serial one": lambda: leaf(serial=1),
    "unknown extension": lambda: leaf(**extra("1.2.3.4", b"\5\0")),
    "many names": lambda: leaf(dns=[f"h{i}.example" for i in range(15)]),
    "wildcard": lambda: leaf(dns=["*.a.example", "a_b.example"]),
}  # fmt: skip

#: Near misses: the fast way must leave them alone, however they are read then.
ODDITIES: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "one octet": lambda: b"\x30",
    "truncated": lambda: leaf()[:-1],
    "an octet more": lambda: leaf() + b"\0",
    "version 1": lambda: leaf(version=1),
    "no extensions": lambda: leaf(extensions=None),
    "negative serial": lambda: leaf(serial=-5),
    "serial zero": lambda: leaf(serial=b""),
    "padded serial": lambda: leaf(serial=b"\0\1"),
    "serial of 21 octets": lambda: leaf(serial=1 << 160),
    "algorithms differ": lambda: leaf(tbs_algorithm=ec_key("x").algorithm("sha384")),
    "GeneralizedTime": lambda: leaf(not_after="2051-01-01T00:00:00Z"),
    "time with an offset": lambda: leaf(not_before=asn1.utc_time("110629153248-1200")),
    "time without seconds": lambda: leaf(not_before=asn1.utc_time("1106291532Z")),
    "30 February": lambda: leaf(not_before=asn1.utc_time("240230000000Z")),
    "29 February 2023": lambda: leaf(not_before=asn1.utc_time("230229000000Z")),
    "month 13": lambda: leaf(not_before=asn1.utc_time("231301000000Z")),
    "day 0": lambda: leaf(not_before=asn1.utc_time("231200000000Z")),
    "hour 24": lambda: leaf(not_before=asn1.utc_time("231201240000Z")),
    "leap second": lambda: leaf(not_before=asn1.utc_time("231231235960Z")),
    "no digit": lambda: leaf(not_before=asn1.utc_time("2312312359:0Z")),
    "ends before it begins": lambda: leaf(not_before="2024-01-02T00:00:00Z", not_after="2024-01-01T00:00:00Z"),
    "invalid UTF-8": lambda: leaf(subject=[("O", b"a\xff")]),
    "empty value": lambda: leaf(subject=[("O", "")]),
    "value of 128 octets": lambda: leaf(subject=[("O", "a" * 128)]),
    "two attributes in one": lambda: leaf(subject=[[("O", "a"), ("OU", "b")]]),
    "no attribute in one": lambda: leaf(subject=asn1.sequence(asn1.set_of())),
    "not a string": lambda: leaf(subject=[("O", asn1.null(), "raw")]),
    "ed25519": lambda: leaf(key=ed25519_key("a")),
    "p521": lambda: leaf(key=ec_key("a", "p521")),
    "rsa of no parameters": lambda: leaf(spki=rsa_key("a").spki.replace(b"\x01\x01\x05\x00", b"\x01\x01\x02\x00")),
    "even modulus": lambda: leaf(spki=rsa_from_numbers(rsa_modulus() + 1).spki),
    "negative modulus": lambda: leaf(spki=rsa_from_numbers(-rsa_modulus()).spki),
    "exponent 1": lambda: leaf(spki=rsa_from_numbers(rsa_modulus(), 1).spki),
    "huge exponent": lambda: leaf(spki=rsa_from_numbers(rsa_modulus(), (1 << 64) + 1).spki),
    "compressed point": lambda: leaf(spki=ec_key("a").spki.replace(b"\x42\x00\x04", b"\x42\x00\x02")),
    "unique identifier": lambda: unique_id(),
    "no signature": lambda: leaf(signature=b""),
    "an extension twice": lambda: leaf(arrange=lambda all: [*all, all[0]]),
    "unknown extension twice": lambda: leaf(**{"extensions": extra("1.2.3.4", b"\5\0")["extensions"] * 2}),
    "criticality false": lambda: leaf(extensions=[asn1.sequence(asn1.oid("1.2.3"), b"\1\1\0", asn1.octet_string(b""))]),
    "criticality one": lambda: leaf(extensions=[asn1.sequence(asn1.oid("1.2.3"), b"\1\1\1", asn1.octet_string(b""))]),
    "OID padded": lambda: leaf(extensions=[asn1.sequence(b"\6\4\x55\x80\x1d\x99", asn1.octet_string(b""))]),
    "OID cut": lambda: leaf(extensions=[asn1.sequence(b"\6\3\x55\x1d\x99", asn1.octet_string(b""))]),
    "OID empty": lambda: leaf(extensions=[asn1.sequence(b"\6\0", asn1.octet_string(b""))]),
    "extension list empty": lambda: leaf(arrange=lambda all: [b""]),
    "IP address": lambda: leaf(ips=["192.0.2.1"]),
    "IPv6 address": lambda: leaf(ips=["2001:db8::1"]),
    "address and mask": lambda: leaf(ips=[b"\0" * 8]),
    "e-mail name": lambda: leaf(other_names=[asn1.implicit(1, b"a@b.example")]),
    "dns name beyond ASCII": lambda: leaf(dns=["caf\u00e9.example"]),
    "dns name with a blank": lambda: leaf(dns=["a b.example"]),
    "dns name empty": lambda: leaf(dns=[b""]),
    "dns name with a null": lambda: leaf(dns=[b"a.example\0.b.example"]),
    "dns name of 128 octets": lambda: leaf(dns=["a" * 128]),
    "no names": lambda: leaf(dns=None, **extra("2.5.29.17", asn1.sequence())),
    "octets after names": lambda: leaf(dns=None, **extra("2.5.29.17", asn1.sequence(asn1.implicit(2, b"a")) + b"\0")),
    "350 names": lambda: leaf(dns=[f"h{i}" for i in range(350)]),
    "key identifier no string": lambda: leaf(ski=None, **extra("2.5.29.14", b"\5\0")),
    "key identifier empty": lambda: leaf(ski=b""),
    "key usage with octets after": lambda: leaf(key_usage=None, **extra("2.5.29.15", b"\3\2\5\xa0\0")),
    "key usage without bits": lambda: leaf(key_usage=None, **extra("2.5.29.15", b"\3\0")),
    "constraints no sequence": lambda: leaf(basic_constraints=None, **extra("2.5.29.19", b"\5\0")),
    "policies cut": lambda: leaf(policies=None, **extra("2.5.29.32", b"\x30\x05\x30\x03")),
    "SCT list cut": lambda: leaf(**extra(extensions.SCT_LIST, b"\4\3\0\2\0")),
    "SCT list empty": lambda: leaf(**extra(extensions.SCT_LIST, b"\4\2\0\0")),
    "SCT list no string": lambda: leaf(**extra(extensions.SCT_LIST, b"\0\0\0\0")),
    "SCT of version 2": lambda: leaf(scts=[LOG.sct(AT, version=1)]),
    "SCT with odd extensions": lambda: leaf(scts=[LOG.sct(AT, extensions=b"\1\0\5\1\2\3\4\5")]),
    "SCT with more extensions": lambda: leaf(scts=[LOG.sct(AT, extensions=bytes(9))]),
    "SCT beyond the calendar": lambda: leaf(scts=[LOG.sct(253_402_300_800_000)]),
    "SCT at the end of numbers": lambda: leaf(scts=[LOG.sct((1 << 64) - 1)]),
    "poison with a value": lambda: leaf(**extra(extensions.POISON, b"\5\1\0", critical=True)),
    "poison and SCTs": lambda: leaf(scts=[LOG.sct(AT)], extensions=[extensions.poison()]),
    "a megabyte": lambda: leaf(**extra("1.2.3.4", bytes(1 << 20))),
    "17 thousand octets": lambda: leaf(**extra("1.2.3.4", bytes(17_000))),
}  # fmt: skip


#: Subjects that are asked of the careful reader, what RFC 4514 makes of them, and their first common name.
ASKED: dict[str, tuple[Any, str, str | None]] = {
    "comma": ([("C", "AQ"), ("O", "Trust, Inc."), ("CN", "a")], r"CN=a,O=Trust\, Inc.,C=AQ", "a"),
    "plus": ([("O", "a+b")], r"O=a\+b", None),
    "leading blank": ([("CN", " a")], r"CN=\ a", " a"),
    "trailing blank": ([("CN", "a "), ("O", "x")], r"O=x,CN=a\ ", "a "),
    "leading number sign": ([("O", "#a#")], r"O=\#a#", None),
    "beyond ASCII": ([("CN", "caf\u00e9"), ("O", "x"), ("CN", "b")], "CN=b,O=x,CN=caf\u00e9", "caf\u00e9"),
    "beyond ASCII behind": ([("CN", "b"), ("CN", "caf\u00e9")], "CN=caf\u00e9,CN=b", "b"),
    "everything": ([("O", 'a"b;c<d>\\'), ("OU", "x,y"), ("CN", "\u4e2d\u6587,")],
                   "CN=\u4e2d\u6587" + r"\,,OU=x\,y,O=a\"b\;c\<d\>\\", "\u4e2d\u6587,"),
}  # fmt: skip


def rsa_modulus() -> int:
    return int.from_bytes(rsa_key("a").spki[33 : 33 + 256])


def unique_id() -> bytes:
    der = leaf()
    tbs = asn1.sequence  # keeps the line below readable
    at = der.index(b"\xa3", der.index(ec_key("a.example").spki))
    body = der[der.index(b"\xa0\x03\x02") : at] + b"\x81\x02\0\1" + der[at : 4 + 4 + int.from_bytes(der[6:8])]
    return asn1.sequence(tbs(body), der[8 + int.from_bytes(der[6:8]) :])


@pytest.mark.parametrize("name", SOUND)
def test_ordinary_certificates_are_read_the_fast_way(name: str) -> None:
    der = SOUND[name]()
    part = fast([der])
    assert part.index.tolist() == [0]
    ders = [*ordinary(80), der]
    assert differences(batch.rows(ders), batch.careful(ders)) == []


@pytest.mark.parametrize("name", ODDITIES)
def test_odd_certificates_are_left_to_the_careful_way(name: str) -> None:
    der = ODDITIES[name]()
    assert len(fast([der]).index) == 0
    ders = [*ordinary(80)[:40], der, *ordinary(80)[40:]]
    read = batch.rows(ders)
    assert differences(read, batch.careful(ders)) == []
    assert len(fast(ders).index) == 80


@pytest.mark.parametrize("name", ASKED)
def test_subjects_out_of_the_ordinary_are_asked_of_the_careful_reader(name: str) -> None:
    subject, text, common = ASKED[name]
    ders = [leaf(subject=subject), *ordinary(80)]
    part = fast(ders)
    assert part.index.tolist() == list(range(81))
    row = part.certificates.slice(0, 1).to_pylist()[0]
    assert (row["subject"], row["subject_cn"]) == (text, common)
    assert differences(batch.rows(ders), batch.careful(ders)) == []


ANY_WAY = {
    "control character": [("O", "a\0b")],
    "right-to-left override": [("O", "a\u202eb")],
    "asterisk in PrintableString": [("O", "a*b", "printable")],
    "BMPString": [("O", "\u4e2d", "bmp")],
    "TeletexString": [("CN", "caf\u00e9", "t61")],
    "country too long": [("C", "AQQ")],
    "common name too long": [("CN", "a" * 65)],
}


@pytest.mark.parametrize("name", ANY_WAY)
def test_subjects_that_may_be_irregular_are_read_the_same_both_ways(name: str) -> None:
    ders = [leaf(subject=ANY_WAY[name]), *ordinary(80)]
    assert differences(batch.rows(ders), batch.careful(ders)) == []


def test_rows_stand_in_the_order_given_across_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "CHUNK", 70)
    ders = list(ordinary(300))
    ders[10:10] = [b"junk"]
    ders[200:200] = [leaf(scts=[LOG.sct(AT)], ips=["192.0.2.1"]), leaf(serial=-5)]
    read = batch.rows(ders)
    assert differences(read, batch.careful(ders)) == []
    assert read.index.tolist() == [n for n in range(303) if n != 10]
    shown = read.scts.column("certificate").to_pylist()
    digests = read.certificates.column("sha256").to_pylist()
    assert shown == sorted(shown, key=digests.index)
    assert [(number, fault.field, fault.certificate) for number, fault in read.faults if number == 10] == [(10, "", "")]


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
def test_arrow_arrays_are_read_where_they_are_cut(kind: Any) -> None:
    ders = list(ordinary(300))
    array = pa.array([b"x", *ders, b"y"], kind).slice(1, 300)
    assert differences(batch.rows(array), batch.rows(ders)) == []
    assert differences(batch.rows(array.slice(5, 20)), batch.rows(ders[5:25])) == []


def test_a_missing_certificate_is_a_fault() -> None:
    for ders in ([*ordinary(300)[:9], None], [*ordinary(300), None]):
        read = batch.rows(pa.array(ders, pa.large_binary()))
        assert [number for number, _ in read.faults] == [len(ders) - 1] == [len(read.index)]


def test_nothing_gives_no_rows() -> None:
    read = batch.rows([])
    assert (read.certificates.num_rows, read.scts.num_rows, read.faults) == (0, 0, [])
    assert read.certificates.schema == arrow_schema("certificates", Made.READ)


def test_faults_name_the_certificate_and_whether_the_value_was_read() -> None:
    ders = [*ordinary(80), leaf(ips=[b"\0" * 8]), leaf(tbs_algorithm=ec_key("x").algorithm("sha384"))]
    faults = batch.rows(ders).faults
    assert {(number, fault.certificate) for number, fault in faults} == {
        (n, read_certificate(ders[n]).row["sha256"]) for n in (80, 81)
    }
    assert [fault.irregular for number, fault in faults if number == 80] == [False]


def test_values_by_hand() -> None:
    der = leaf(
        serial=0xABC, not_before="2024-02-28T23:59:59Z", not_after="2024-03-01T00:00:00Z",
        subject=[("C", "AQ"), ("O", "Example Ltd."), ("CN", "a.example")], dns=["a.example", "*.b.example"],
        scts=[LOG.sct("2024-02-29T12:00:00Z"), OTHER_LOG.sct(1_709_294_400_001, extensions=b"\0\0\5\0\0\0\1\2")],
    )  # fmt: skip
    part = fast([der])
    (row,), scts = part.certificates.to_pylist(), part.scts.to_pylist()
    assert (row["serial"], row["serial_octets"], row["serial_der_octets"], row["serial_bits"]) == ("0ABC", 2, 2, 12)
    assert (row["subject"], row["subject_cn"]) == ("CN=a.example,O=Example Ltd.,C=AQ", "a.example")
    assert row["dns_names"] == ["a.example", "*.b.example"]
    # 1 s of 28 February, the whole of 29 February, and the first second of 1 March.
    assert (row["validity_seconds"], row["validity_days"]) == (86402, 2)
    assert row["latest_sct"] == datetime(2024, 3, 1, 12, 0, 0, 1000, tzinfo=UTC).replace(tzinfo=None)
    assert [(sct["position"], sct["leaf_index"], sct["log_id"]) for sct in scts] == [
        (1, None, LOG.log_id.hex()),
        (2, 258, OTHER_LOG.log_id.hex()),
    ]


def test_what_a_part_is_put_into_is_sound() -> None:
    sound = read_certificate(carrier.carry(carrier.EXTENSION, b""))
    assert (sound.faults, list(sound.irregular)) == ([], [])


def test_a_part_with_a_fault_has_no_answer() -> None:
    answers = carrier.Answers(carrier.EXTENSION, ("key_usage",))
    good, bad = (extensions.extension("2.5.29.15", value) for value in (b"\3\2\5\xa0", b"\3\2\x09\xa0"))
    assert answers.ask(good) == (["digitalSignature", "keyEncipherment"],)
    assert answers.ask(bad) is None
    assert answers.ask(b"\x30\x80") is None


def test_parts_that_do_not_repeat_are_not_asked_about() -> None:
    # Each with a policy of its own: one carrier a certificate would cost more than reading it.
    ders = [ROOT.issue("a.example", policies=[f"1.2.{i}"]).der for i in range(160)]
    assert len(fast(ders).index) == 0
    assert differences(batch.rows(ders), batch.careful(ders)) == []
    assert len(fast(ders[:60]).index) == 60


def test_parts_that_repeat_are_asked_about_beside_many_that_do_not() -> None:
    ders = [ROOT.issue("a.example", policies=[f"1.3.{i}"]).der for i in range(160)]
    assert fast([*ders, *ders[:1] * 15]).index.tolist() == [0, *range(160, 175)]
