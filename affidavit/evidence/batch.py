"""Many certificates at once to the rows of ``certificates`` and ``scts``, as Arrow.

There are two ways. The *careful* one reads a certificate after the other with
:func:`affidavit.evidence.certificate.read_certificate`, which is the reference: what it says counts. The *fast* one
walks through all of them together with numpy (:mod:`affidavit.evidence.wholesale`), some thirty nanoseconds a value in
place of a microsecond and more. It takes no decisions of its own: a certificate of which anything at all is out of
the ordinary is handed to the careful way, and values that repeat over a corpus (issuers, algorithms, key usages,
policies) are asked of the careful reader once for each distinct encoding (:mod:`affidavit.evidence.carrier`). What the
fast way makes itself are numbers, times, plain texts, hex and hashes.

So both ways give the same, and which of them is taken is a matter of time alone. A few certificates are read the
careful way outright.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from affidavit.columns import Made
from affidavit.evidence import wholesale
from affidavit.evidence.certificate import Certificate, read_certificate
from affidavit.evidence.der import DerError
from affidavit.evidence.item import Fault
from affidavit.evidence.wholesale import Part
from affidavit.tables import arrow_schema

FEW = 64
"""Fewer certificates than these are read the careful way outright."""
CHUNK = 4096
"""So many are walked through together: their octets stay in the processor's cache."""

Faults = list[tuple[int, Fault]]


@dataclass(frozen=True, slots=True)
class Batch:
    """The rows of some certificates.

    ``certificates`` and ``scts`` have the columns made when read; ``index`` gives for each row of ``certificates`` the
    number of its certificate among those given, from 0, ascending. ``faults`` are (that number, Fault): a part that
    could not be read, or was read although its form is wrong (``irregular``). A certificate of which not even the
    outline can be read has no row and one fault, whose field is empty.
    """

    certificates: pa.RecordBatch
    scts: pa.RecordBatch
    index: npt.NDArray[np.int64]
    faults: Faults


def rows(ders: Sequence[bytes] | pa.BinaryArray | pa.LargeBinaryArray) -> Batch:
    """The rows of certificates given as DER, in their order; never raises on bad bytes."""
    given = ders if isinstance(ders, pa.Array) else pa.array(ders, pa.large_binary())
    if len(given) < FEW:
        return careful(ders if not isinstance(ders, pa.Array) else given.to_pylist())
    if not pa.types.is_large_binary(given.type):
        given = given.cast(pa.large_binary())
    bounds = np.frombuffer(given.buffers()[1], np.int64)[given.offset : given.offset + len(given) + 1]
    octets = np.frombuffer(given.buffers()[2] or b"", np.uint8)
    parts, left = [], []
    for first in range(0, len(given), CHUNK):
        some = bounds[first : first + CHUNK + 1]
        part = wholesale.read(octets, some, first)
        parts.append(part)
        unsure = np.ones(len(some) - 1, np.bool_)
        unsure[part.index - first] = False
        left += (np.flatnonzero(unsure) + first).tolist()
    faults: Faults = []
    if left:
        part, faults = _careful((i, given[i].as_py()) for i in left)
        parts.append(part)
    return _together(parts, faults)


def careful(ders: Iterable[bytes | None]) -> Batch:
    """The same rows, all of them read the careful way."""
    part, faults = _careful(enumerate(ders))
    return _together([part], faults)


def sct_rows(certificate: Certificate) -> list[dict[str, Any]]:
    """The rows of a certificate's SCTs, the columns that are made when read."""
    return [
        {
            "certificate": certificate.row["sha256"],
            "position": position,
            "version": one.version,
            "log_id": one.log_id,
            "timestamp": one.timestamp,
            "leaf_index": one.leaf_index,
            "delivered_by": "embedded",
        }
        for position, one in enumerate(certificate.scts, 1)
    ]


def _careful(numbered: Iterable[tuple[int, bytes | None]]) -> tuple[Part, Faults]:
    read: list[dict[str, Any]] = []
    scts: list[dict[str, Any]] = []
    index: list[int] = []
    scts_of: list[int] = []
    faults: Faults = []
    for number, data in numbered:
        try:
            if data is None:
                raise DerError("there is no certificate")
            found = read_certificate(data)
        except DerError as error:
            faults.append((number, Fault(0, "", str(error))))
            continue
        index.append(number)
        read.append(found.row)
        own = sct_rows(found)
        scts += own
        scts_of += [number] * len(own)
        digest = found.row["sha256"]
        faults += [(number, Fault(0, name, reason, False, digest)) for name, reason in found.faults]
        faults += [(number, Fault(0, name, reason, True, digest)) for name, reason in found.irregular]
    part = Part(
        np.array(index, np.int64), _batch("certificates", read), _batch("scts", scts), np.array(scts_of, np.int64)
    )
    return part, faults


def _schema(name: str) -> pa.Schema:
    return arrow_schema(name, Made.READ)


def _batch(name: str, found: list[dict[str, Any]]) -> pa.RecordBatch:
    schema = _schema(name)
    return pa.RecordBatch.from_arrays([pa.array([r.get(f.name) for r in found], f.type) for f in schema], schema=schema)


def _together(parts: list[Part], faults: Faults) -> Batch:
    index = np.concatenate([part.index for part in parts])
    certificates = pa.concat_batches([part.certificates for part in parts])
    scts = pa.concat_batches([part.scts for part in parts])
    if (np.diff(index) < 0).any():
        order = np.argsort(index)
        index = index[order]
        certificates = certificates.take(pa.array(order))
        scts = scts.take(pa.array(np.argsort(np.concatenate([part.scts_of for part in parts]), kind="stable")))
    return Batch(certificates, scts, index, faults)
