"""Certificates in a column of a Parquet or Arrow file of another program.

Such a file is code's input of the worst kind, so nothing here runs but in a confined child
(:mod:`affidavit.evidence.workers`). Arrow's readers are told to use one thread, and what comes from an Arrow file is
validated in full before it is touched: its offsets are taken as they stand otherwise.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from affidavit.evidence.keys import refuse_base64, refuse_binary, refuse_text
from affidavit.shown import visible

ROWS = 8192
"""Rows in one array at most."""
NAMES = (
    "der", "certificate_der", "cert_der", "certificate", "cert", "raw", "leaf_cert", "x509", "raw_certificate",
    "certificate_pem", "cert_pem", "pem",
)  # fmt: skip
"""Names of the column, the first one first; case, spaces and hyphens do not count."""
_MAX_GROUPS = 1_000_000
_MAX_ROWS = 100_000_000
_PEM = re.compile(rb"-----BEGIN [A-Z0-9 ]{1,60}-----([A-Za-z0-9+/=\s]+)-----END [A-Z0-9 ]{1,60}-----")

Source = Path | bytes


class ArrowFileError(ValueError):
    """The file cannot be read, or does not say which column holds certificates."""


class Plan(NamedTuple):
    """The column that holds certificates, and number and rows of each group that can be read apart."""

    column: str
    groups: list[tuple[int, int]]


def plan(source: Source) -> Plan:
    """Which column of a file holds certificates, and its row groups or record batches. Raises ArrowFileError."""
    with _named("the file cannot be read"):
        if _begins(source).startswith(b"PAR"):
            file = _parquet(source)
            column = _column(file.schema_arrow)
            rows = [file.metadata.row_group(i).num_rows for i in range(_groups(file.metadata.num_row_groups))]
        else:
            schema, batches = _batches_of(source, None)
            column = _column(schema)
            rows = [size for size, _ in batches]
    if any(size < 0 for size in rows):
        raise ArrowFileError("the file states a negative number of rows")
    if sum(rows) > _MAX_ROWS:
        raise ArrowFileError(f"the file states {sum(rows):,} rows; at most {_MAX_ROWS:,} are read")
    return Plan(column, list(enumerate(rows)))


def batches(source: Source, groups: Sequence[int]) -> Iterator[Any]:
    """The certificates of some row groups, in order, as ``pa.LargeBinaryArray`` of at most ROWS rows.

    A cell that is empty is null; so is none other: text that is neither PEM nor base64 comes as its own octets, for the
    reader of certificates to name. Raises ArrowFileError; PrivateKeyFound where a cell holds a private key.
    """
    wanted = list(groups)
    with _named("the file cannot be read"):
        if _begins(source).startswith(b"PAR"):
            file = _parquet(source)
            column = _column(file.schema_arrow)
            for number in wanted:
                if not 0 <= number < file.metadata.num_row_groups:
                    raise ArrowFileError(f"there is no row group {number}")
            stated = sum(file.metadata.row_group(number).num_rows for number in wanted)
            stream = file.iter_batches(ROWS, row_groups=wanted, columns=[column], use_threads=False)
            arrays = (batch.column(0) for batch in stream)
        else:
            _, found = _batches_of(source, set(wanted))
            stated = -1  # a record batch cannot hold other than it states
            arrays = (array for _, array in found if array is not None)
        read = 0
        for array in arrays:
            read += len(array)
            for at in range(0, len(array), ROWS):
                yield _binary(array.slice(at, ROWS))
    if stated not in (-1, read):
        raise ArrowFileError(f"the file states {stated:,} rows and holds {read:,}")


class _named:  # noqa: N801 - reads as the words it stands for
    """Turns what Arrow raises on a bad file into ArrowFileError; memory errors stay what they are."""

    def __init__(self, words: str) -> None:
        self._words = words

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        read = (pa.ArrowException, OSError, OverflowError, LookupError, TypeError, UnicodeError)
        if isinstance(error, read) and not isinstance(error, MemoryError):
            first = str(error).strip().split("\n", 1)[0]
            raise ArrowFileError(f"{self._words}: {visible(first, 200) or type(error).__name__}") from None


def _begins(source: Source) -> bytes:
    if isinstance(source, bytes):
        return source[:8]
    with source.open("rb") as stream:
        return stream.read(8)


def _stream(source: Source) -> Any:
    return pa.BufferReader(source) if isinstance(source, bytes) else pa.memory_map(str(source))


def _parquet(source: Source) -> Any:
    import pyarrow.parquet as pq

    if _begins(source).startswith(b"PARE"):
        raise ArrowFileError("the Parquet file is encrypted")
    return pq.ParquetFile(_stream(source), thrift_string_size_limit=64 * 1024**2, page_checksum_verification=True)


def _groups(number: int) -> int:
    if number > _MAX_GROUPS:
        raise ArrowFileError(f"more than {_MAX_GROUPS:,} row groups")
    return number


def _batches_of(source: Source, wanted: set[int] | None) -> tuple[Any, Iterator[tuple[int, Any]]]:
    """Schema, and for each record batch its rows and, if wanted, its column of certificates; of an Arrow file."""
    is_file = _begins(source).startswith(b"ARROW1")
    opener = pa.ipc.open_file if is_file else pa.ipc.open_stream
    schema = opener(_stream(source)).schema
    options = pa.ipc.IpcReadOptions(use_threads=False, included_fields=[schema.get_field_index(_column(schema))])
    reader = opener(_stream(source), options=options)

    def found() -> Iterator[tuple[int, Any]]:
        if is_file:
            for number in range(_groups(reader.num_record_batches)):
                if wanted is None or number in wanted:
                    yield picked(number, reader.get_batch(number))
            return
        for number, batch in enumerate(reader):
            _groups(number)
            yield picked(number, batch)

    def picked(number: int, batch: Any) -> tuple[int, Any]:
        if wanted is None or number not in wanted:
            return batch.num_rows, None
        batch.validate(full=True)
        return batch.num_rows, batch.column(0)

    return schema, found()


# --- the column -------------------------------------------------------------------------------------------------------


def _column(schema: Any) -> str:
    """The name of the column with certificates: by its own name, or the only one of octets."""
    named: dict[str, list[str]] = {}
    octets = []
    for name, kind in zip(schema.names, schema.types, strict=True):
        if _is_octets(kind) or _is_text(kind):
            named.setdefault(re.sub(r"[\s-]+", "_", name.strip().lower()), []).append(name)
        if _is_octets(kind):
            octets.append(name)
    for name in NAMES:
        if len(named.get(name, [])) == 1 and schema.names.count(named[name][0]) == 1:
            return str(named[name][0])
    if len(octets) == 1 and schema.names.count(octets[0]) == 1:
        return str(octets[0])
    listed = ", ".join(
        f"{visible(n, 40)} ({visible(str(k), 30)})" for n, k in list(zip(schema.names, schema.types, strict=True))[:20]
    )
    more = f" and {len(schema.names) - 20:,} more" if len(schema.names) > 20 else ""
    raise ArrowFileError(
        f"no one column of octets that holds certificates; name it `der`. There are: {listed or 'no columns'}{more}"
    )


def _value(kind: Any) -> Any:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _is_octets(kind: Any) -> bool:
    kind = _value(kind)
    views = getattr(pa.types, "is_binary_view", lambda _: False)
    return bool(
        pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind) or views(kind)
    )


def _is_text(kind: Any) -> bool:
    kind = _value(kind)
    views = getattr(pa.types, "is_string_view", lambda _: False)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or views(kind))


def _binary(array: Any) -> Any:
    """A stretch of the column as DER; empty cells as null."""
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    is_text = _is_text(array.type)
    found = array.cast(pa.large_binary())
    if is_text:
        found = pa.array([_der(cell) for cell in found.to_pylist()], pa.large_binary())
    empty = pc.equal(pc.binary_length(found), 0)
    if pc.any(empty).as_py():
        found = pc.if_else(pc.fill_null(empty, False), pa.scalar(None, pa.large_binary()), found)
    _refuse_keys(found)
    return found


def _der(cell: bytes | None) -> bytes | None:
    """The DER of a cell of text: PEM, or base64 alone; else the text's own octets."""
    if cell is None or not cell.strip():
        return None
    refuse_text(cell)
    block = _PEM.search(cell)
    try:
        return base64.b64decode(b"".join((block[1] if block else cell).split()), validate=True) or None
    except (binascii.Error, ValueError):
        refuse_base64(cell)
        return cell


def _refuse_keys(array: Any) -> None:
    """Raise PrivateKeyFound for a cell with a private key: only what does not begin as a certificate is looked at."""
    if not len(array):
        return
    _, offsets, values = array.buffers()
    if values is None:
        return
    starts = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1]
    octets = np.frombuffer(values, np.uint8)
    sizes = np.diff(starts)
    long = sizes >= 8
    first = starts[:-1][long]
    # SEQUENCE in SEQUENCE, both of 256 octets or more: no form of a private key begins so.
    sound = np.zeros(len(array), bool)
    sound[long] = (
        (octets[first] == 0x30) & (octets[first + 1] == 0x82)
        & (octets[first + 4] == 0x30) & (octets[first + 5] == 0x82)
    )  # fmt: skip
    for index in np.flatnonzero(~sound & (sizes > 0)).tolist():
        cell = array[index].as_py()
        if cell is not None:
            refuse_text(cell)
            refuse_binary(cell)
