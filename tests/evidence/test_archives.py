"""Archives are opened within bounds; what is encrypted, damaged, a link or too large is a fault with its name."""

import gzip
import io
import stat
import struct
import tarfile
import time
import zipfile
import zlib
from collections.abc import Iterable

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12

from affidavit.evidence import archives, forms
from affidavit.evidence.archives import Bounds
from testpki.build import Authority

ROOT = Authority.root("Test Root")
LEAF, OTHER = ROOT.issue("a.example"), ROOT.issue("b.example")
PEM = LEAF.pem().encode()
MIB = 1024**2
Found = list[tuple[str, int, str, str]]


def found(data: bytes, **bounds: int) -> Found:
    return [(i.member, i.position, str(i.kind), i.fault) for i in forms.items(data, bounds=Bounds(**bounds))]


def zipped(files: Iterable[tuple[str | zipfile.ZipInfo, bytes]], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", how) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return sink.getvalue()


def tarred(files: Iterable[tuple[str | tarfile.TarInfo, bytes]], form: int = tarfile.PAX_FORMAT) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=form) as archive:
        for name, data in files:
            info = tarfile.TarInfo(name) if isinstance(name, str) else name
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return sink.getvalue()


def zstd(data: bytes) -> bytes:
    return bytes(pa.compress(data, "zstd", asbytes=True))


def framed(data: bytes) -> bytes:
    """A zstd frame without a content size, as streaming writers make them."""
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return bytes(sink.getvalue())


FILES: list[tuple[str, bytes]] = [("x.pem", PEM + OTHER.pem().encode()), ("deep/down/y.der", LEAF.der)]
INSIDE = [("x.pem", 1, "certificate", ""), ("x.pem", 2, "certificate", ""), ("deep/down/y.der", 1, "certificate", "")]


@pytest.mark.parametrize(
    "data",
    [
        zipped(FILES), zipped(FILES, zipfile.ZIP_STORED), tarred(FILES), tarred(FILES, tarfile.USTAR_FORMAT),
        tarred(FILES, tarfile.GNU_FORMAT), gzip.compress(tarred(FILES)), zstd(tarred(FILES)), framed(tarred(FILES)),
        gzip.compress(zipped(FILES)),
    ],
)  # fmt: skip
def test_the_files_in_an_archive(data: bytes) -> None:
    assert found(data) == INSIDE
    assert [item.data for item in forms.items(data)] == [LEAF.der, OTHER.der, LEAF.der]
    assert list(forms.items(memoryview(data))) == list(forms.items(data))


@pytest.mark.parametrize("pack", [gzip.compress, zstd, framed])
def test_a_compressed_file_adds_no_name(pack: object) -> None:
    assert callable(pack)
    assert found(pack(PEM)) == [("", 1, "certificate", "")]
    assert found(zipped([("a.pem.packed", pack(PEM))])) == [("a.pem.packed", 1, "certificate", "")]


def test_archives_in_archives_are_named_by_their_path() -> None:
    inner = gzip.compress(tarred([("x.pem", PEM)]))
    data = zipped([("a.tar.gz", inner), ("b.zip", zipped([("c/y.der", LEAF.der)]))])
    assert found(data) == [("a.tar.gz/x.pem", 1, "certificate", ""), ("b.zip/c/y.der", 1, "certificate", "")]


def test_gzip_members_one_after_another_are_one_file() -> None:
    half = len(PEM) // 2
    data = gzip.compress(PEM[:half]) + gzip.compress(b"") + gzip.compress(PEM[half:])
    assert found(data) == [("", 1, "certificate", "")]
    assert found(data + bytes(512)) == [("", 1, "certificate", "")]
    # What follows the end is named, and costs the content nothing.
    assert found(data + b"more") == [
        ("", 1, "certificate", ""), ("", 0, "unknown", f"damaged: octets after its end, at octet {len(data):,}")
    ]  # fmt: skip
    assert [one[2] for one in found(zipped([("a.gz", data + PEM), ("x.pem", PEM)]))] == [
        "certificate", "unknown", "certificate"
    ]  # fmt: skip
    assert found(zstd(PEM[:half]) + framed(PEM[half:])) == [("", 1, "certificate", "")]


def test_a_tar_of_before_posix_is_known_by_its_checksum() -> None:
    data = bytearray(tarred([("x.pem", PEM)], tarfile.USTAR_FORMAT))
    data[257:265] = bytes(8)
    data[148:156] = b"        "
    data[148:156] = b"%06o\0 " % sum(data[:512])
    assert found(bytes(data)) == [("x.pem", 1, "certificate", "")]
    data[0] ^= 1
    assert found(bytes(data))[0][2:] != ("certificate", "")


# --- bounds -----------------------------------------------------------------------------------------------------------


def nested(depth: int) -> bytes:
    data = PEM
    for _ in range(depth):
        data = zipped([("z", data)])
    return data


def test_depth() -> None:
    assert found(nested(3), depth=3) == [("z/z/z", 1, "certificate", "")]
    assert found(nested(4), depth=3) == [("z/z/z", 0, "unknown", "more than 3 archives inside one another: not opened")]
    assert found(gzip.compress(tarred(FILES)), depth=2) == INSIDE
    assert "more than 1 archives" in found(gzip.compress(tarred(FILES)), depth=1)[0][3]


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_members(pack: object) -> None:
    assert callable(pack)
    data = pack([(f"{number}.der", LEAF.der) for number in range(5)])
    assert [one[3] for one in found(data, members=5)] == [""] * 5
    last = found(data, members=4)[-1]
    assert last[3].startswith("more than 4 members in archives; ")
    assert [one[0] for one in found(data, members=4)][:-1] in ([], [f"{number}.der" for number in range(4)])
    # Counted over all archives of a file together.
    both = zipped([("a", pack([("x", LEAF.der)] * 1)), ("b", pack([("x", LEAF.der)]))])
    assert [one[3] for one in found(both, members=4)] == ["", ""]
    assert found(both, members=3)[-1][3].startswith("more than 3 members")


@pytest.mark.parametrize("pack", [gzip.compress, zstd, framed, lambda data: zipped([("x", data)])])
def test_ratio(pack: object) -> None:
    assert callable(pack)
    data = pack(b"\n" * (2 * MIB - len(PEM)) + PEM)
    packed = len(data) if data[:2] != b"PK" else zipfile.ZipFile(io.BytesIO(data)).infolist()[0].compress_size
    ratio = 2 * MIB // packed  # the greatest that it is not beyond
    assert found(data, ratio=ratio + 1)[0][2] == "certificate"
    bomb = found(data, ratio=ratio - 1)
    assert [one[2] for one in bomb] == ["unknown"]
    assert f"more than {ratio - 1:,} times its size" in bomb[0][3]
    assert "bomb" in found(data, ratio=100)[0][3]
    small = pack(b"\n" * (MIB - len(PEM)) + PEM)
    assert found(small, ratio=1)[0][2] == "certificate"  # it cannot hurt


def test_octets() -> None:
    files = [(f"{number}.der", LEAF.der) for number in range(3)]
    for data in (zipped(files), tarred(files)):
        assert len(found(data, octets=3 * len(LEAF.der))) == 3
        *rest, last = found(data, octets=3 * len(LEAF.der) - 1)
        assert [one[2] for one in rest] == ["certificate"] * 2
        assert last[3].startswith("archives hold more than")
        assert "larger than" in found(data, member_octets=len(LEAF.der) - 1)[0][3]
        assert len(found(data, member_octets=len(LEAF.der))) == 3
    packed = gzip.compress(tarred(files))
    assert found(packed, octets=len(tarred(files)) + 3 * len(LEAF.der))[-1][2] == "certificate"
    assert found(packed, octets=len(tarred(files)) + 3 * len(LEAF.der) - 1)[-1][3].startswith("archives hold more")


def test_a_bomb_ends_at_once() -> None:
    packer = zlib.compressobj(9, wbits=31)
    zeros = bytes(16 * MIB)
    bomb = b"".join(packer.compress(zeros) for _ in range(4)) + packer.flush()
    for data in (bomb, zipped([("a", bomb)]), gzip.compress(bomb) * 3, b"".join([gzip.compress(b"")] * 5000) + bomb):
        assert "bomb" in found(data)[0][3] or "times its size" in found(data)[0][3]


def test_a_bomb_of_archives_in_archives_ends_with_the_octets_of_all() -> None:
    # Ten of each in each: 10,000 files of 900 KiB, each archive small enough for every other bound.
    data = bytes(900 * 1024)
    for level in range(4):
        data = zipped([(f"{level}-{number}", data) for number in range(10)])
    assert len(data) < MIB
    begun = time.process_time()
    listed = found(zipped([("x.pem", PEM), ("bomb.zip", data)]), octets=64 * MIB, ratio=10**9)
    assert time.process_time() - begun < 10
    assert listed[0] == ("x.pem", 1, "certificate", "")
    assert any("archives hold more than 67,108,864 octets" in one[3] for one in listed)
    assert len(listed) < 200
    # By the bounds that hold unless others are given, it is told by how well it is packed.
    assert "times its size" in found(zipped([("bomb.zip", data)]))[-1][3]
    # With more levels than are opened, nothing of what is inside is unpacked.
    for level in range(3):
        data = zipped([(f"{level}", data)])
    assert found(data, depth=3) == [("2/1/0", 0, "unknown", "more than 3 archives inside one another: not opened")]


def test_a_zip_whose_sizes_are_not_true() -> None:
    sound = zipped([("bad.pem", PEM), ("x.pem", PEM)])
    at = sound.index(b"PK\x01\x02")
    # Of the directory: packed size at 20, size at 24, both of the first member; its offset at 42.
    for place, size in ((20, 3), (24, 3), (24, 1), (42, 2**31), (42, 7)):
        data = bytearray(sound)
        data[at + place : at + place + 4] = size.to_bytes(4, "little")
        members = found(bytes(data))
        assert members[0][2] == "unknown", (place, size)
        assert members[0][3].startswith(("damaged: ", "the zip cannot be read further")), (place, size)
        assert members[-1][:3] == ("x.pem", 1, "certificate") or "cannot be read further" in members[0][3]
    # More than there is: all of it is there, and its checksum holds.
    for place, size in ((20, 2**31), (24, len(PEM) + 1)):
        data = bytearray(sound)
        data[at + place : at + place + 4] = size.to_bytes(4, "little")
        assert [one[2] for one in found(bytes(data))] == ["certificate"] * 2


def frame(header: bytes) -> bytes:
    """A zstd frame of one stored block of one octet (RFC 8878 3.1.1)."""
    return b"\x28\xb5\x2f\xfd" + header + b"\x09\0\0" + b"x"


def test_a_zstd_frame_of_a_huge_window_is_refused() -> None:
    assert found(frame(b"\0\x58"))[0][2] == "text"  # a window of 2 MiB
    for header in (
        b"\0\xf8",  # a window of 2 TiB
        b"\0\xb0",  # of 4 GiB
        b"\xe0" + (2**62).to_bytes(8, "little"),  # one segment of 4 EiB
        b"\xe0" + (2**33).to_bytes(8, "little"),
    ):
        for data in (frame(header), zipped([("a.zst", frame(header)), ("x.pem", PEM)])):
            assert found(data)[0][2] == "unknown"
            assert found(data)[0][3].startswith("damaged: ")
        assert found(data)[1][:3] == ("x.pem", 1, "certificate")


def test_members_that_share_their_octets_are_a_bomb_together() -> None:
    content = bytes(range(256)) * 4096  # one mebioctet
    one = zipped([("0", content)])
    end = one.rindex(b"PK\x05\x06")
    start = int.from_bytes(one[end + 16 : end + 20], "little")
    entry = one[start:end]
    entries = entry * 3000
    tail = bytearray(one[end:])
    struct.pack_into("<HHI", tail, 8, 3000, 3000, len(entries))
    data = one[:start] + entries + bytes(tail)
    assert len(data) < MIB // 2
    assert any("times its size" in one[3] or "overlap" in one[3].lower() for one in found(data, ratio=20))
    assert len(found(data, ratio=20)) < 3001


def test_a_directory_of_millions_is_not_loaded() -> None:
    one = zipped([("x.der", LEAF.der)])
    end = one.rindex(b"PK\x05\x06")
    start = int.from_bytes(one[end + 16 : end + 20], "little")
    entries = one[start:end] * 50_000
    tail = bytearray(one[end:])
    struct.pack_into("<HHI", tail, 8, 50_000, 50_000, len(entries))
    assert found(one[:start] + entries + bytes(tail), members=49_999) == [
        ("", 0, "unknown", "more than 49,999 members in archives; none of it was looked at")
    ]


# --- what is no plain file --------------------------------------------------------------------------------------------


def test_an_encrypted_member_is_a_fault_of_its_own() -> None:
    data = bytearray(zipped([("secret.pem", PEM), ("x.pem", PEM)]))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    assert found(bytes(data)) == [("secret.pem", 0, "unknown", "encrypted"), ("x.pem", 1, "certificate", "")]


def test_a_damaged_member_is_a_fault_of_its_own() -> None:
    data = bytearray(zipped([("bad.pem", PEM), ("x.pem", PEM)], zipfile.ZIP_STORED))
    data[data.index(b"-----BEGIN") + 60] ^= 1
    assert [one[:3] for one in found(bytes(data))] == [("bad.pem", 0, "unknown"), ("x.pem", 1, "certificate")]
    assert found(bytes(data))[0][3].startswith("damaged: Bad CRC-32")
    for whole in (gzip.compress(PEM), zstd(PEM), framed(PEM)):
        assert found(whole[:-5])[0][3].startswith("damaged: ")
    packed = bytearray(gzip.compress(PEM))
    packed[-6] ^= 1
    assert found(bytes(packed))[0][3].startswith("damaged: ")


def test_methods_that_are_not_read() -> None:
    data = zipped([("x.pem", PEM)], zipfile.ZIP_BZIP2)
    assert found(data) == [("x.pem", 0, "unknown", "packed by method 12, which is not read; pack it by deflate")]


def test_a_damaged_archive_says_where_it_ends() -> None:
    data = tarred(FILES)
    cut = data[:1024]
    assert found(cut)[0][3].startswith("damaged: unexpected end of data")
    changed = bytearray(data)
    second = data.index(b"deep/down")
    changed[second] ^= 1
    *rest, last = found(bytes(changed))
    assert [one[2] for one in rest] == ["certificate"] * 2
    assert last[3].startswith(f"the tar cannot be read further: no header at octet {second:,}")
    assert found(data + b"x" * 512)[-1][3].startswith("the tar cannot be read further")
    packed = zipped(FILES)
    assert found(packed[:-30])[0][3].startswith("the zip cannot be read further")
    assert found(packed[:40])[0][3].startswith("the zip cannot be read further")


def test_folders_links_and_devices() -> None:
    folder, link, hard, device = (tarfile.TarInfo(name) for name in ("folder", "link", "hard", "device"))
    folder.type, link.type, hard.type, device.type = tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE
    link.linkname = hard.linkname = "/etc/passwd"
    fault = "a link or a device, not a file"
    data = tarred([(folder, b""), (link, b""), (hard, b""), (device, b""), ("x.pem", PEM)])
    assert found(data) == [
        ("link", 0, "unknown", fault), ("hard", 0, "unknown", fault), ("device", 0, "unknown", fault),
        ("x.pem", 1, "certificate", ""),
    ]  # fmt: skip
    named = zipfile.ZipInfo("link")
    named.external_attr = (stat.S_IFLNK | 0o777) << 16
    assert found(zipped([("folder/", b""), (named, b"/etc/passwd"), ("x.pem", PEM)])) == [
        ("link", 0, "unknown", fault), ("x.pem", 1, "certificate", "")
    ]  # fmt: skip


def test_a_sparse_file_is_not_filled_with_zeros() -> None:
    info = tarfile.TarInfo("sparse")
    info.pax_headers = {"GNU.sparse.major": "0", "GNU.sparse.map": "0,1", "GNU.sparse.size": str(2**50)}
    assert found(tarred([(info, b"x")])) == [("sparse", 0, "unknown", "a sparse file")]


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_names_are_labels_alone_and_shown_safely(pack: object) -> None:
    assert callable(pack)
    names = ["../../etc/x.pem", "/etc/x.pem", "C:\\x.pem", "a\u202efdp.pem", "tab\there.pem", "x" * 2000]
    shown = ["../../etc/x.pem", "/etc/x.pem", "C:\\x.pem", "a<U+202E>fdp.pem", "tab<U+0009>here.pem"]
    members = [one[0] for one in found(pack([(name, PEM) for name in names]))]
    assert members[:5] == shown
    assert members[5] == "x" * 300 + "... (1,700 more characters)"


def test_two_members_of_one_name_stay_two() -> None:
    assert [one[:2] for one in found(tarred([("x", PEM), ("x", LEAF.der)]))] == [("x", 1), ("x (2)", 1)]


def test_what_systems_leave_behind_is_passed_over_if_it_is_nothing_else() -> None:
    double = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        " + bytes(60)
    left = [("__MACOSX/._x.pem", double), ("._y", double), ("a/.DS_Store", b"\0\0\0\1Bud1" + bytes(30)),
            ("Thumbs.db", b"\xd0\xcf\x11\xe0" + bytes(40))]  # fmt: skip
    assert found(zipped([*left, ("x.pem", PEM)])) == [("x.pem", 1, "certificate", "")]
    hidden = [("__MACOSX/x.pem", PEM), (".DS_Store", LEAF.der), ("__MACOSX/._y", double + PEM), ("b/.DS_Store", b"\1")]
    kinds = [(member, kind) for member, _, kind, _ in found(zipped(hidden))]
    assert kinds == [
        ("__MACOSX/x.pem", "certificate"), (".DS_Store", "certificate"), ("__MACOSX/._y", "unknown"),
        ("b/.DS_Store", "unknown"),
    ]  # fmt: skip


def test_archives_without_files_and_of_offices() -> None:
    assert found(zipped([])) == [("", 0, "nothing", "the zip holds no file")]
    assert found(zipped([("a", zipped([])), ("b", b"")])) == [
        ("a", 0, "nothing", "the zip holds no file"), ("b", 0, "nothing", "the file is empty")
    ]  # fmt: skip
    assert "an Office document" in found(zipped([("[Content_Types].xml", b"<x/>"), ("xl/a.xml", b"<x/>")]))[0][3]


def test_faults_inside_carry_their_place() -> None:
    data = zipped([("note.txt", b"hello"), ("bad.pem", PEM.replace(b"M", b"*")), ("x.bin", b"\1\2\3")])
    assert [(member, position, kind) for member, position, kind, _ in found(data)] == [
        ("note.txt", 0, "text"), ("bad.pem", 1, "unknown"), ("x.bin", 0, "unknown")
    ]  # fmt: skip


# --- private keys -----------------------------------------------------------------------------------------------------


def test_private_keys_in_archives_are_refused_and_named() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    words = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    octets = key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    store = pkcs12.serialize_key_and_certificates(b"x", key, None, None, NoEncryption())
    for secret in (words, octets, store, PEM + words, LEAF.der + octets):
        for data in (
            zipped([("x.pem", PEM), ("key\x1b", secret)]),
            tarred([("x.pem", PEM), ("key\x1b", secret)]),
            gzip.compress(tarred([("key\x1b", secret)])),
        ):
            with pytest.raises(forms.PrivateKeyFound, match=r"in key<U\+001B>"):
                list(forms.items(data))
        for data in (gzip.compress(secret), zstd(secret), zipped([("__MACOSX/k", secret)])):
            with pytest.raises(forms.PrivateKeyFound):
                list(forms.items(data))


def test_form_is_told_by_content() -> None:
    assert archives.form(b"PK") is None
    assert archives.form(PEM) is None
    assert archives.form(zipped([])) == "zip"
    assert archives.form(b"\x52\x2a\x4d\x18\0\0\0\0") == "zstd"
