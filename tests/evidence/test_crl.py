"""Certificate revocation lists: what is read of them is what openssl and the library read; what is wrong is named."""

import itertools
import subprocess
import warnings
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from cryptography import x509

from affidavit.evidence import crl, forms
from affidavit.evidence.der import DerError
from testpki import asn1, extensions
from testpki.build import Authority
from testpki.crl import Revoked, delta_of, distribution_point
from testpki.keys import ec_key
from tests.evidence.case import Content, facts_of, rows
from tests.evidence.corpora import VECTORS, shared, zlint_files

CA = Authority.root("Test CA")
OTHER = Authority.root("Other CA")
DAY = "2024-02-02T00:00:00Z"


def made(*revoked: Revoked, extensions: Any = (), this_update: str = DAY, **more: Any) -> bytes:
    return CA.crl(revoked, this_update=this_update, extensions=extensions, **more).der


def head_of(der: bytes) -> dict[str, Any]:
    (row,) = crl.read(der).rows["crls"]
    return row


def entries_of(der: bytes) -> list[dict[str, Any]]:
    return list(crl.read(der).rows["revocations"])


def faults_of(der: bytes) -> list[tuple[str, bool]]:
    return [(fault.field, fault.irregular) for fault in crl.read(der).faults]


def name_hash(authority: Authority) -> str:
    return sha256(authority.certificate.subject).hexdigest()


# --- against others' readings -----------------------------------------------------------------------------------------


def moment(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(UTC).replace(tzinfo=None)


def of_library(der: bytes) -> tuple[dict[str, Any], list[tuple[Any, ...]]] | None:
    """What `cryptography` says of a CRL; None where it refuses the whole or a part."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            loaded = x509.load_der_x509_crl(der)
            number = next((e.value.crl_number for e in loaded.extensions if isinstance(e.value, x509.CRLNumber)), None)
            base = next(
                (e.value.crl_number for e in loaded.extensions if isinstance(e.value, x509.DeltaCRLIndicator)), None
            )
            issuer = sha256(loaded.issuer.public_bytes()).hexdigest()
            head = {
                "issuer_der_sha256": issuer, "this_update": moment(loaded.last_update_utc),
                "next_update": moment(loaded.next_update_utc), "entries": len(loaded),
                "crl_number": None if number is None else str(number),
                "base_crl_number": None if base is None else str(base),
            }  # fmt: skip
            entries = []
            for one in loaded:
                said = {type(e.value): e.value for e in one.extensions}
                if x509.CertificateIssuer in said:
                    # It holds for the entries that follow, too (RFC 5280 5.3.3).
                    (name,) = said[x509.CertificateIssuer].get_values_for_type(x509.DirectoryName)
                    issuer = sha256(name.public_bytes()).hexdigest()
                reason, date = said.get(x509.CRLReason), said.get(x509.InvalidityDate)
                entries.append(
                    (
                        one.serial_number, moment(one.revocation_date_utc),
                        reason.reason.value if reason else "unspecified", reason is not None,
                        moment(date.invalidity_date_utc) if date else None, issuer,
                    )
                )  # fmt: skip
    except (ValueError, x509.InvalidVersion, x509.DuplicateExtension):
        return None
    return head, entries


def of_ours(der: bytes) -> tuple[dict[str, Any], list[tuple[Any, ...]]]:
    row = head_of(der)
    keys = ("issuer_der_sha256", "this_update", "next_update", "entries", "crl_number", "base_crl_number")
    columns = ("revoked_at", "reason", "reason_given", "invalidity_date", "issuer_der_sha256")
    entries = [(int(one["serial"], 16), *(one[key] for key in columns)) for one in entries_of(der)]
    return {key: row[key] for key in keys}, entries


def every_crl() -> list[tuple[str, bytes]]:
    """61 of zlint's test data, 173 of NIST's PKITS and others among the vectors, and the samples."""
    files = [*zlint_files(), *((path.name, path.read_bytes()) for path in sorted(VECTORS.rglob("*.crl")))]
    files += [(path.name, path.read_bytes()) for path in sorted((VECTORS / "custom").glob("crl_*.pem"))]
    files += [(path.name, path.read_bytes()) for path in sorted(shared("evidence-samples/crls").iterdir())]
    found = []
    for name, content in files:
        try:
            found += [(name, item.data) for item in forms.items(content, name) if item.kind == "crl"]
        except forms.PrivateKeyFound:
            continue
    return found


#: Where the reading differs from the library's on purpose, and why.
ON_PURPOSE = {
    # A critical entry extension that is not understood: the entry counts for nothing (RFC 5280 5.3).
    "UnknownCRLEntryExtensionCACRL.crl",
    "crl_md2_unknown_crit_entry_ext.pem",
}


def test_issuer_number_dates_and_entries_are_those_that_the_library_reads() -> None:
    compared, refused, entries, differences, met = 0, 0, 0, [], set()
    for name, der in every_crl():
        wanted = of_library(der)
        if wanted is None:
            refused += 1
            continue
        compared += 1
        entries += len(wanted[1])
        if (found := of_ours(der)) != wanted:
            met.add(name)
            if name not in ON_PURPOSE:
                differences.append((name, found, wanted))
    print(f"{compared} CRLs with {entries:,} entries compared, {refused} refused by the library")
    assert differences == []
    assert met == ON_PURPOSE
    assert compared >= 240
    assert refused <= 20


def test_an_issuer_is_written_as_openssl_writes_it() -> None:
    differences = []
    for name, der in every_crl()[::5]:
        command = ["openssl", "crl", "-inform", "DER", "-noout", "-issuer", "-nameopt", "RFC2253,-esc_msb,utf8"]
        done = subprocess.run(command, input=der, capture_output=True, check=False, timeout=60)
        if done.returncode == 0:
            shown = done.stdout.decode().removeprefix("issuer=").removesuffix("\n")
            if shown != head_of(der)["issuer"]:
                differences.append((name, shown, head_of(der)["issuer"]))
    assert differences == []


@pytest.mark.parametrize(
    "der",
    [
        made(),
        made(Revoked(5, DAY), Revoked(6, "2023-01-01", "keyCompromise", "2022-12-24T00:00:00Z")),
        made(Revoked(5, DAY, "certificateHold"), extensions=[delta_of(7)], number=9),
        made(Revoked(5, DAY, "removeFromCRL"), extensions=[delta_of(7), distribution_point("http://a.example/1.crl")]),
        made(Revoked(1, DAY), Revoked(2, DAY, issuer="Other CA"), Revoked(3, DAY), Revoked(4, DAY, issuer="Test CA"),
             extensions=[distribution_point(indirect=True)]),
        made(Revoked(1 << 159, DAY), Revoked(0x80, DAY), number=1 << 150),
        made(Revoked(5, "2051-01-01"), next_update="2052-01-01T00:00:00Z", number=None),
    ],
)  # fmt: skip
def test_made_ones_are_read_as_the_library_reads_them(der: bytes) -> None:
    assert of_ours(der) == of_library(der)
    assert not faults_of(der)


# --- the list ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "scope", "urls"),
    [
        ([], "full", []),
        ([distribution_point("http://a.example/1.crl")], "shard", ["http://a.example/1.crl"]),
        ([distribution_point(only_user=True)], "user certificates", []),
        ([distribution_point(only_ca=True)], "CA certificates", []),
        ([distribution_point(only_attribute=True)], "attribute certificates", []),
        ([distribution_point(reasons=[1, 2])], "some reasons", []),
        ([distribution_point(indirect=True)], "indirect", []),
        ([distribution_point("http://a.example/2.crl", only_user=True, indirect=True)],
         "shard, user certificates, indirect", ["http://a.example/2.crl"]),
        ([delta_of(4)], "delta", []),
        ([delta_of(4), distribution_point(only_ca=True)], "delta, CA certificates", []),
    ],
)  # fmt: skip
def test_the_scope_is_that_of_the_distribution_point(given: list[bytes], scope: str, urls: list[str]) -> None:
    der = made(Revoked(5, DAY), extensions=given)
    row = head_of(der)
    assert (row["scope"], row["idp_urls"], row["base_crl_number"]) == (scope, urls, "4" if "delta" in scope else None)
    assert not faults_of(der)
    # openssl shows the same flags.
    text = subprocess.run(
        ["openssl", "crl", "-inform", "DER", "-noout", "-text"], input=der, capture_output=True, check=True, timeout=60
    ).stdout.decode()
    shown = {"user certificates": "Only User Certificates", "CA certificates": "Only CA Certificates",
             "indirect": "Indirect CRL", "delta": "X509v3 Delta CRL Indicator", "some reasons": "Only Some Reasons",
             "attribute certificates": "Only Attribute Certificates", "shard": "URI:"}  # fmt: skip
    assert {word for word, words in shown.items() if words in text} == set(scope.split(", ")) - {"full"}


def point(*fields: bytes) -> bytes:
    return extensions.extension("2.5.29.28", asn1.sequence(*fields), critical=True)


@pytest.mark.parametrize(
    ("given", "scope", "fault"),
    [
        # A flag that says FALSE, against DER, says nothing; then the extension says nothing at all.
        ([point(asn1.implicit(1, b"\0"))], "full", ("extensions", True)),
        ([point(asn1.implicit(7, b"\xff"))], None, ("extensions", False)),
        ([extensions.extension("2.5.29.28", b"junk", critical=True)], None, ("extensions", False)),
        ([distribution_point(only_ca=True), distribution_point(only_user=True)], None, ("extensions", False)),
        ([extensions.extension("1.2.3.4", b"", critical=True)], None, ("extensions", False)),
        ([extensions.extension("1.2.3.4", b"")], "full", None),
        ([extensions.extension("2.5.29.20", asn1.integer(7))], "full", ("extensions", False)),  # a second cRLNumber
        ([delta_of(1), delta_of(2)], "delta", ("extensions", False)),
    ],
)
def test_a_scope_that_is_not_known_is_null_and_named(
    given: list[bytes], scope: str | None, fault: tuple[str, bool] | None
) -> None:
    der = made(Revoked(5, DAY), extensions=given)
    assert head_of(der)["scope"] == scope
    assert faults_of(der) == ([fault] if fault else [])
    assert [row["serial"] for row in entries_of(der)] == ["05"]


def test_a_number_that_stands_twice_or_is_too_long_is_null() -> None:
    twice = made(extensions=[extensions.extension("2.5.29.20", asn1.integer(7))])
    assert head_of(twice)["crl_number"] is None
    vast = made(number=None, extensions=[extensions.extension("2.5.29.20", asn1.integer(1 << 2000))])
    assert (head_of(vast)["crl_number"], faults_of(vast)) == (None, [("extensions", False)])
    assert head_of(made(number=-3))["crl_number"] == "-3"


def test_pem_and_der_are_one(tmp_path: Path) -> None:
    one = CA.crl([Revoked(5, DAY)], this_update=DAY)
    facts = facts_of(tmp_path, {"c/a.pem": one.pem(), "c/b.crl": one.der})
    (row,) = rows(facts, "crls")
    assert (row["sha256"], row["file"], row["entries"]) == (sha256(one.der).hexdigest(), "c/a.pem", 1)


def wrapped(*fields: bytes) -> bytes:
    """A signed CRL of these fields of its TBSCertList."""
    tbs = asn1.sequence(*fields)
    return asn1.sequence(tbs, CA.key.algorithm(), asn1.bit_string(CA.key.sign(tbs)))


ALGORITHM, NAME, WHEN = CA.key.algorithm(), CA.certificate.subject, asn1.time(DAY)


@pytest.mark.parametrize(
    ("der", "faults"),
    [
        (wrapped(ALGORITHM, NAME, WHEN), []),  # version 1
        (wrapped(asn1.integer(2), ALGORITHM, NAME, WHEN), [("version", True)]),
        (wrapped(asn1.integer(1), ALGORITHM, NAME, asn1.utc_time("991301000000Z")), [("this_update", False)]),
        (wrapped(asn1.integer(1), ALGORITHM, NAME, asn1.utc_time("240202000000+0100")), [("this_update", True)]),
        (wrapped(asn1.integer(1), ALGORITHM, NAME, WHEN, WHEN, asn1.integer(3)), [("", False)]),
        (wrapped(asn1.integer(1), ALGORITHM, asn1.integer(1), WHEN), [("issuer", False)]),
    ],
)
def test_what_is_wrong_with_a_list_is_named(der: bytes, faults: list[tuple[str, bool]]) -> None:
    assert faults_of(der) == faults
    assert head_of(der)["entries"] == 0
    crl.head(der)


@pytest.mark.parametrize(
    "der", [b"", b"\x30\x00", made() + b"x", wrapped(), wrapped(ALGORITHM, NAME), asn1.sequence(asn1.sequence())]
)
def test_what_is_no_list_is_an_error_that_says_so(der: bytes) -> None:
    for reader in (crl.read, crl.head):
        with pytest.raises(DerError):
            reader(der)


def test_any_octet_changed_gives_rows_or_an_error_and_rows_have_a_head() -> None:
    whole = made(
        Revoked(5, DAY, "keyCompromise", "2022-12-24T00:00:00Z"), Revoked(6, DAY, issuer="Other CA"),
        extensions=[distribution_point("http://a.example/", indirect=True)],
    )  # fmt: skip
    readable = 0
    for at, bit in itertools.product(range(0, len(whole)), (1, 0x80)):
        der = whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :]
        try:
            read = crl.read(der)
        except DerError:
            continue
        list(read.rows["revocations"])
        crl.head(der)
        readable += 1
    assert readable > 300


# --- the entries ------------------------------------------------------------------------------------------------------


def test_entries_of_an_indirect_list_are_about_the_ca_named_last() -> None:
    der = made(
        Revoked(1, DAY), Revoked(2, DAY, issuer="Other CA"), Revoked(3, DAY), Revoked(4, DAY, issuer="Test CA"),
        extensions=[distribution_point(indirect=True)],
    )  # fmt: skip
    assert [(row["serial"], row["issuer"], row["issuer_der_sha256"]) for row in entries_of(der)] == [
        ("01", "CN=Test CA", name_hash(CA)), ("02", "CN=Other CA", name_hash(OTHER)),
        ("03", "CN=Other CA", name_hash(OTHER)), ("04", "CN=Test CA", name_hash(CA)),
    ]  # fmt: skip


def test_an_entry_about_another_ca_counts_in_an_indirect_list_alone() -> None:
    der = made(Revoked(1, DAY), Revoked(2, DAY, issuer="Other CA"), Revoked(3, DAY), Revoked(4, DAY, issuer="Test CA"))
    # Nor do those that follow: they would be about that other CA's, too.
    assert [(row["serial"], row["position"]) for row in entries_of(der)] == [("01", 1), ("04", 4)]
    assert faults_of(der) == [("entry 2", False)]
    assert head_of(der)["entries"] == 4


def test_whose_entry_it_is_cannot_be_guessed() -> None:
    """An entry that cannot be read may have named another CA, for itself and those that follow."""
    bad = extensions.extension("2.5.29.29", b"junk", critical=True)
    indirect = [distribution_point(indirect=True)]
    given = (Revoked(1, DAY), Revoked(2, DAY, extensions=[bad]), Revoked(3, DAY), Revoked(4, DAY, issuer="Test CA"))
    assert [row["serial"] for row in entries_of(made(*given, extensions=indirect))] == ["01", "04"]
    unread = (Revoked(1, DAY), Revoked(b"", DAY), Revoked(3, DAY), Revoked(4, DAY, issuer="Test CA"))
    assert [row["serial"] for row in entries_of(made(*unread, extensions=indirect))] == ["01", "04"]
    # In a list that is not indirect it costs itself alone.
    assert [row["serial"] for row in entries_of(made(*unread))] == ["01", "03", "04"]


def test_reasons_and_dates_of_each_kind() -> None:
    names = ("unspecified", "keyCompromise", "cACompromise", "affiliationChanged", "superseded",
             "cessationOfOperation", "certificateHold", "removeFromCRL", "privilegeWithdrawn",
             "aACompromise")  # fmt: skip
    given = [Revoked(number, DAY, name, "2023-05-06T07:08:09Z") for number, name in enumerate(names, 1)]
    found = entries_of(made(*given, Revoked(0x20, DAY)))
    assert [(row["reason"], row["reason_given"]) for row in found] == [
        *((name, True) for name in names), ("unspecified", False),
    ]  # fmt: skip
    assert [row["invalidity_date"] for row in found] == [datetime(2023, 5, 6, 7, 8, 9)] * 10 + [None]


@pytest.mark.parametrize(
    ("extension", "column", "irregular"),
    [
        (extensions.extension("2.5.29.21", asn1.enumerated(7)), "reason", False),  # not used (RFC 5280 5.3.1)
        (extensions.extension("2.5.29.24", asn1.utc_time(DAY)), "invalidity_date", False),
        (extensions.extension("2.5.29.24", asn1.generalized_time(DAY) + b"x"), "invalidity_date", False),
    ],
)
def test_what_an_entry_says_and_cannot_be_read_is_null_and_named(
    extension: bytes, column: str, irregular: bool
) -> None:
    der = made(Revoked(5, DAY, extensions=[extension]), Revoked(6, DAY))
    assert [row["serial"] for row in entries_of(der)] == ["05", "06"]
    assert entries_of(der)[0][column] is None
    assert faults_of(der) == [("entry 1", irregular)]


@pytest.mark.parametrize(
    ("serial", "shown"),
    [(b"\x00\x80", "80"), (b"\x80", "-80"), (b"\x00", "00"), (b"\x00\x00\x05", "05"), (bytes([1]) * 200, "01" * 200)],
)
def test_serial_numbers_of_any_form(serial: bytes, shown: str) -> None:
    assert [row["serial"] for row in entries_of(made(Revoked(serial, DAY)))] == [shown]


def test_batches_are_the_rows() -> None:
    given = [Revoked(1 + n, f"2024-01-{1 + n % 28:02}", "superseded" if n % 3 == 0 else None) for n in range(300)]
    given[100] = Revoked(b"", DAY)
    given[150] = Revoked(0x999, DAY, issuer="Other CA")
    read = crl.read(made(*given, extensions=[distribution_point(indirect=True)]))
    entries: Any = read.rows["revocations"]
    for size in (7, 128, 1000):
        joined = pa.Table.from_batches(entries.batches(size)).to_pylist()
        assert joined == [{name: row[name] for name in joined[0]} for row in entries]
    assert entries[-1] == entries[len(entries) - 1]
    assert entries[2:4] == [entries[2], entries[3]]


def test_more_faults_than_anybody_reads_are_cut() -> None:
    from affidavit.evidence.crlentries import MAX_FAULTS

    entry = asn1.sequence()
    tbs = [asn1.integer(1), ALGORITHM, NAME, WHEN, asn1.sequence(entry * (MAX_FAULTS + 50))]
    faults = crl.read(wrapped(*tbs)).faults
    assert len(faults) == MAX_FAULTS + 1
    assert faults[-1].field == "entries"


# --- through the pipeline ---------------------------------------------------------------------------------------------


def revocations(folder: Path, **files: Content) -> list[dict[str, Any]]:
    every: dict[str, Content] = {"trust/1.pem": CA, "trust/2.pem": OTHER}
    every |= {f"c/{name}.crl": one for name, one in files.items()}
    return rows(facts_of(folder, every), "revocations")


def test_the_first_listing_is_of_that_issuer_and_of_authentic_lists_alone(tmp_path: Path) -> None:
    one = Revoked(5, "2024-01-01")
    stranger = Authority.root("Test CA", key=ec_key("a stranger"))
    found = revocations(
        tmp_path,
        late=made(one, this_update="2024-03-03"),
        early=made(one, this_update="2024-02-02"),
        earlier_of_another_ca=OTHER.crl([one], this_update="2024-01-05").der,
        earlier_and_forged=stranger.crl([one], this_update="2024-01-02").der,
        earlier_without_it=made(Revoked(6, "2024-01-01"), this_update="2024-01-04"),
    )
    first = {(row["source"], row["serial"]): row["first_seen"].date().isoformat() for row in found}
    assert first == {
        ("c/late.crl", "05"): "2024-02-02", ("c/early.crl", "05"): "2024-02-02",
        ("c/earlier_of_another_ca.crl", "05"): "2024-01-05",
        ("c/earlier_and_forged.crl", "05"): "2024-01-02",  # its own: it is nobody's word
        ("c/earlier_without_it.crl", "06"): "2024-01-04",
    }  # fmt: skip
    assert {row["source"] for row in found if not row["authentic"]} == {"c/earlier_and_forged.crl"}


def test_base_delta_and_removal_are_three_words_of_the_ca(tmp_path: Path) -> None:
    found = revocations(
        tmp_path,
        base=made(Revoked(5, "2024-01-01", "certificateHold"), number=1, this_update="2024-01-02"),
        delta=made(
            Revoked(5, "2024-01-01", "removeFromCRL"), number=2, extensions=[delta_of(1)], this_update="2024-01-09"
        ),
    )
    said = [
        (row["crl_number"], row["crl_scope"], row["reason"], row["authentic"], row["first_seen"].day) for row in found
    ]
    assert sorted(said) == [("1", "full", "certificateHold", True, 2), ("2", "delta", "removeFromCRL", True, 2)]


def test_an_indirect_list_tells_of_each_cas_certificates_apart(tmp_path: Path) -> None:
    indirect = made(Revoked(5, DAY), Revoked(5, DAY, issuer="Other CA"), extensions=[distribution_point(indirect=True)])
    found = revocations(tmp_path, list=indirect)
    assert sorted((row["issuer"], row["crl_scope"]) for row in found) == [
        ("CN=Other CA", "indirect"), ("CN=Test CA", "indirect"),
    ]  # fmt: skip
    # Signed by the one key in both rows: to a certificate of the other CA, of another key, the row does not belong.
    assert {row["issuer_spki_sha256"] for row in found} == {sha256(CA.key.spki).hexdigest()}


def test_an_octet_of_any_signed_field_changed_makes_it_nobodys_word(tmp_path: Path) -> None:
    der = made(Revoked(5, "2024-01-01", "keyCompromise"), number=0x0777)
    places = [der.index(octets) + 3 for octets in (b"240101000000Z", b"240202000000Z", b"\x02\x02\x07\x77")]
    places.append(der.index(b"\x0a\x01\x01") + 2)
    files = {f"f{at}": der[:at] + bytes([der[at] ^ 1]) + der[at + 1 :] for at in places}
    found = {row["source"]: row["authentic"] for row in revocations(tmp_path, good=der, **files)}
    assert found == {"c/good.crl": True, **{f"c/{name}.crl": False for name in files}}


def test_of_two_cas_of_one_name_the_one_whose_key_signed_is_told(tmp_path: Path) -> None:
    twin = Authority.root("Test CA", key=ec_key("a twin"))
    files: dict[str, Content] = {"trust/1.pem": CA, "trust/2.pem": twin}
    files |= {"c/1.crl": made(Revoked(5, DAY)), "c/2.crl": twin.crl([Revoked(5, DAY)], this_update=DAY).der}
    found = rows(facts_of(tmp_path, files), "revocations")
    assert {row["source"]: row["issuer_spki_sha256"] for row in found} == {
        "c/1.crl": sha256(CA.key.spki).hexdigest(), "c/2.crl": sha256(twin.key.spki).hexdigest(),
    }  # fmt: skip
