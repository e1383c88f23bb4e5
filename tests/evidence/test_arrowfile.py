"""Certificates in Parquet and Arrow files of other programs, and hostile files of that kind."""

import base64
import io
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from affidavit.evidence import arrowfile, forms, gather
from affidavit.evidence.arrowfile import ArrowFileError
from affidavit.evidence.keys import PrivateKeyFound
from affidavit.evidence.workers import Failure, Pool, Reason
from testpki.build import Authority
from tests.evidence import chores
from tests.evidence.case import Content, facts_of, rows

ROOT = Authority.root("Test Root")
LEAVES = [ROOT.issue(f"n{number}.example") for number in range(5)]
DERS = [leaf.der for leaf in LEAVES]
MIB = 1024**2


def parquet(table: Any, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def arrow_file(table: Any, **options: Any) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, table.schema, **options) as writer:
        writer.write_table(table, max_chunksize=2)
    return sink.getvalue()


def arrow_stream(table: Any) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=2)
    return sink.getvalue()


FORMS: dict[str, Callable[[Any], bytes]] = {
    "parquet": lambda table: parquet(table, row_group_size=2),
    "arrow file": arrow_file,
    "arrow stream": arrow_stream,
    "compressed": lambda table: arrow_file(table, options=pa.ipc.IpcWriteOptions(compression="zstd")),
}
TYPES: dict[str, Callable[[], Any]] = {
    "binary": lambda: pa.array(DERS, pa.binary()),
    "large binary": lambda: pa.array(DERS, pa.large_binary()),
    "dictionary": lambda: pa.array(DERS, pa.binary()).dictionary_encode(),
    "pem": lambda: pa.array([leaf.pem() for leaf in LEAVES]),
    "base64": lambda: pa.array([base64.b64encode(der).decode() for der in DERS]),
    "lines of base64": lambda: pa.array([base64.encodebytes(der).decode() for der in DERS]),
}


def cells(data: bytes | Path, groups: list[int] | None = None) -> list[bytes | None]:
    plan = arrowfile.plan(data)
    wanted = groups if groups is not None else [number for number, _ in plan.groups]
    return [cell for array in arrowfile.batches(data, wanted) for cell in array.to_pylist()]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", TYPES)
def test_every_form_and_type_gives_the_certificates(form: str, kind: str, tmp_path: Path) -> None:
    table = pa.table({"n": [1, 2, 3, 4, 5], "der": TYPES[kind](), "other": [b"x"] * 5})
    data = FORMS[form](table)
    assert arrowfile.plan(data) == ("der", [(0, 2), (1, 2), (2, 1)])
    assert cells(data) == DERS
    assert cells(data, [1]) == DERS[2:4]
    path = tmp_path / "file"
    path.write_bytes(data)
    assert cells(path, [0, 2]) == [*DERS[:2], DERS[4]]
    assert [(item.position, item.kind, item.data) for item in forms.items(data)] == [
        (0, "parquet" if form == "parquet" else "arrow", data)
    ]


def test_arrays_are_short_and_of_octets() -> None:
    data = parquet(pa.table({"der": pa.array([DERS[0]] * 20_000)}))
    arrays = list(arrowfile.batches(data, [0]))
    assert [len(array) for array in arrays] == [8192, 8192, 3616]
    assert {str(array.type) for array in arrays} == {"large_binary"}


def test_an_empty_cell_is_null_and_a_damaged_one_its_own_octets() -> None:
    data = parquet(pa.table({"der": pa.array([DERS[0], None, b"", b"\x30\x05ab"], pa.binary())}))
    assert cells(data) == [DERS[0], None, None, b"\x30\x05ab"]
    damaged = LEAVES[1].pem().replace("M", "*")
    text = pa.table({"pem": [LEAVES[0].pem(), None, " \n", "hello, world", damaged]})
    assert cells(parquet(text)) == [DERS[0], None, None, b"hello, world", damaged.encode()]


def test_names_and_text_that_are_no_utf8_are_faults_or_octets() -> None:
    data = parquet(pa.table({"derx": pa.array(DERS)}), store_schema=False)
    with pytest.raises(ArrowFileError, match="utf-8"):
        arrowfile.plan(data.replace(b"derx", b"de\xffx"))
    strings = pa.StringArray.from_buffers(1, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe"))
    assert cells(parquet(pa.table({"der": strings}))) == [b"\xff\xfe"]


@pytest.mark.parametrize(
    ("columns", "chosen"),
    [
        ({"der": "b"}, "der"),
        ({"Certificate": "b", "tbs": "b"}, "Certificate"),
        ({"Cert-DER": "t", "sig": "b"}, "Cert-DER"),
        ({"name": "t", "blob": "b"}, "blob"),
        ({"raw": "b", "der": "b"}, "der"),
        ({"pem": "t"}, "pem"),
    ],
)
def test_the_column_is_found(columns: dict[str, str], chosen: str) -> None:
    made = {name: pa.array(DERS if kind == "b" else [leaf.pem() for leaf in LEAVES]) for name, kind in columns.items()}
    for form in FORMS.values():
        assert arrowfile.plan(form(pa.table(made))).column == chosen


@pytest.mark.parametrize(
    "columns",
    [{"one": "b", "two": "b"}, {"name": "t"}, {"number": "n"}, {"der": "n"}],
)
def test_a_column_that_cannot_be_told_is_a_fault_with_the_columns(columns: dict[str, str]) -> None:
    made = {name: {"b": DERS, "t": ["x"] * 5, "n": [1] * 5}[kind] for name, kind in columns.items()}
    for form in FORMS.values():
        with pytest.raises(ArrowFileError, match="no one column of octets that holds certificates") as raised:
            arrowfile.plan(form(pa.table(made)))
        assert all(f"{name} (" in str(raised.value) for name in columns)


def test_two_columns_of_one_name_are_not_guessed_between() -> None:
    table = pa.Table.from_arrays([pa.array(DERS), pa.array(DERS)], names=["der", "der"])
    for form in (arrow_file, arrow_stream):
        with pytest.raises(ArrowFileError, match=r"der \(binary\), der \(binary\)"):
            arrowfile.plan(form(table))


@pytest.mark.parametrize("form", FORMS)
def test_a_private_key_in_a_cell_is_refused(form: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    octets = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    for columns in (
        {"der": pa.array([DERS[0], octets])},
        {"pem": [LEAVES[0].pem(), text]},
        {"pem": [LEAVES[0].pem() + text]},
        {"pem": [base64.b64encode(octets).decode()]},
        {"der": pa.array([text.encode()])},
    ):
        with pytest.raises(PrivateKeyFound):
            cells(FORMS[form](pa.table(columns)))


# --- hostile files, in confined children ------------------------------------------------------------------------------


def words(result: object) -> str:
    return result.reason if isinstance(result, Failure) else ""


def test_a_dictionary_bomb_is_a_matter_of_memory(tmp_path: Path) -> None:
    # One value of 4 MiB, said 4,000 times by a few octets: 16 GiB.
    value = pa.array([bytes(4 * MIB)])
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 4000, pa.int32()), value)
    table = pa.table({"der": column})
    files = {"bomb.parquet": parquet(table, compression="zstd"), "bomb.arrow": arrow_file(table.combine_chunks())}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        assert len(data) < 6 * MIB
    with Pool(1, 700 * MIB, 60) as pool:
        found = dict(pool.map(chores.read_arrow_sizes, [tmp_path / "bomb.parquet"]))
        assert words(found[tmp_path / "bomb.parquet"]) == "it needed more memory than is allowed"
        assert [result for _, result in pool.map(chores.double, [4])] == [8]


def test_flipped_bits_give_a_reason_or_rows_and_never_an_end(tmp_path: Path) -> None:
    table = pa.table({"der": pa.array(DERS * 20, pa.binary()), "n": list(range(100))})
    rolls = random.Random(4)
    paths = []
    for name, data in {"p": parquet(table), "f": arrow_file(table), "s": arrow_stream(table)}.items():
        for number in range(40):
            damaged = bytearray(data)
            # Metadata stand at the end of Parquet, at both ends of Arrow: most of the flips go there.
            near = rolls.choice([len(data), 600])
            for _ in range(rolls.randint(1, 4)):
                at = len(data) - 1 - rolls.randrange(near) if rolls.random() < 0.7 else rolls.randrange(near)
                damaged[at] ^= 1 << rolls.randrange(8)
            path = tmp_path / f"{name}{number}"
            path.write_bytes(damaged)
            paths.append(path)
    for cut in (5, 12, 100, 1000):
        path = tmp_path / f"cut{cut}"
        path.write_bytes(parquet(table)[:-cut])
        paths.append(path)
    with Pool(1, 700 * MIB, 30) as pool:
        found = dict(pool.map(chores.read_arrow, paths))
        assert list(pool.map(chores.double, [4])) == [(4, 8)]
    assert set(found) == set(paths)
    kinds = {path.name: result.kind for path, result in found.items() if isinstance(result, Failure)}
    assert all(kinds[f"cut{cut}"] == Reason.RAISED for cut in (5, 12, 100, 1000))
    assert sum(1 for kind in kinds.values() if kind == Reason.RAISED) > 20
    for result in found.values():
        if isinstance(result, Failure) and result.kind == Reason.RAISED:
            assert isinstance(result.error, (ArrowFileError, PrivateKeyFound)), result
            assert "\n" not in result.reason


def test_huge_declared_sizes_are_no_matter_for_the_parent(tmp_path: Path) -> None:
    data = parquet(pa.table({"der": pa.array(DERS)}), compression="none", use_dictionary=False)
    size = int.from_bytes(data[-8:-4], "little")
    footer = bytearray(data[-8 - size : -8])
    # Compact thrift: field 3 of FileMetaData (num_rows, i64) follows the schema; 5 is 0x0a in zigzag.
    at = footer.index(b"\x16\x0a\x19")
    grown = footer[: at + 1] + b"\xfe\xff\xff\xff\xff\xff\xff\xff\x7f" + footer[at + 2 :]
    forged = data[: -8 - size] + bytes(grown) + len(grown).to_bytes(4, "little") + b"PAR1"
    beyond = data[:-8] + (2**31 - 1).to_bytes(4, "little") + b"PAR1"
    stream = bytearray(arrow_stream(pa.table({"der": pa.array(DERS)})))
    stream[4:8] = (2**31 - 8).to_bytes(4, "little")
    paths = []
    for name, octets in {"rows": forged, "footer": beyond, "stream": bytes(stream)}.items():
        (tmp_path / name).write_bytes(octets)
        paths.append(tmp_path / name)
    with Pool(1, 700 * MIB, 30) as pool:
        found = {path.name: result for path, result in pool.map(chores.read_arrow, paths)}
    assert isinstance(found["footer"], Failure)
    assert isinstance(found["stream"], Failure)
    # The file's own count is not what the row groups are read by.
    assert found["rows"] == [DERS] or isinstance(found["rows"], Failure)


def test_each_hostile_file_is_a_problem_and_costs_its_neighbours_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = pa.array([bytes(4 * MIB)])
    bomb = pa.DictionaryArray.from_arrays(pa.array([0] * 4000, pa.int32()), value)  # 16 GiB of a few octets
    sound = parquet(pa.table({"der": pa.array(DERS[:2])}))
    files: dict[str, Content] = {
        "c/bomb.parquet": parquet(pa.table({"der": bomb}), compression="zstd"),
        "c/crash.parquet": parquet(pa.table({"der": pa.array(DERS[:2]), "other": [1, 2]})),
        "c/hang.arrow": arrow_file(pa.table({"der": pa.array(DERS[2:4])})),
        "c/cut.parquet": sound[:-9],
        "c/no-column.parquet": parquet(pa.table({"n": [1, 2]})),
        "c/sound.parquet": parquet(pa.table({"der": pa.array([DERS[0], DERS[1]])}), compression="none"),
        "c/leaf.pem": LEAVES[4].pem(),
    }
    monkeypatch.setattr(gather, "plan_data_file", chores.plan_or_end)
    monkeypatch.setattr(gather, "WORKER_MEMORY", 700 * MIB)
    monkeypatch.setattr(gather, "WORKER_SECONDS", 6.0)
    facts = facts_of(tmp_path, files)
    assert {row["sha256"] for row in rows(facts)} == {LEAVES[n].sha256 for n in (0, 1, 4)}
    reasons = {row["file"]: row["reason"] for row in rows(facts, "problems")}
    ended = "reading it did not end: "
    assert reasons.keys() == set(files) - {"c/sound.parquet", "c/leaf.pem"}
    assert reasons["c/bomb.parquet"] == ended + "it needed more memory than is allowed"
    assert reasons["c/crash.parquet"].startswith(ended)
    assert reasons["c/hang.arrow"] == ended + "it took longer than 6 s"
    assert reasons["c/cut.parquet"].startswith("the file cannot be read: ")
    assert "no one column" in reasons["c/no-column.parquet"]


def test_millions_of_empty_rows_are_not_named_one_by_one(tmp_path: Path) -> None:
    empty = pa.concat_arrays([pa.nulls(2_000_000, pa.binary()), pa.array([DERS[0]], pa.binary())])
    data = parquet(pa.table({"der": empty}), compression="zstd", row_group_size=3_000_000)
    assert len(data) < 100_000
    facts = facts_of(tmp_path, {"c/empty.parquet": data})
    (row,) = rows(facts)
    assert (row["sha256"], row["position"]) == (LEAVES[0].sha256, 2_000_001)
    problems = rows(facts, "problems")
    assert len(problems) == 10_001
    nothing = parquet(pa.table({"der": pa.nulls(100_000_001, pa.binary())}), compression="zstd")
    with pytest.raises(ArrowFileError, match="the file states 100,000,001 rows"):
        arrowfile.plan(nothing)
    assert "the row holds no certificate" in {problem["reason"] for problem in problems}
    assert "more such rows may follow: they are not named" in {problem["reason"] for problem in problems}


def test_a_file_that_is_neither_is_a_fault() -> None:
    for data in (b"PAR1", b"PAR1" + bytes(40) + b"PAR1", b"ARROW1\0\0", b"\xff\xff\xff\xff\x10\0\0\0", b"PARE" * 9):
        with pytest.raises(ArrowFileError):
            arrowfile.plan(data)


def test_a_row_group_that_is_not_there() -> None:
    data = parquet(pa.table({"der": pa.array(DERS)}))
    with pytest.raises(ArrowFileError, match="no row group 1"):
        list(arrowfile.batches(data, [1]))
