"""The content of one file to raw rows: what it holds is recognised, each thing read by its reader."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from affidavit.evidence import batch, der, forms
from affidavit.evidence.certificate import sha256
from affidavit.evidence.der import DerError
from affidavit.evidence.item import Fault, Item, ItemKind, Read
from affidavit.evidence.rawrows import RawWriter, raw_schema
from affidavit.evidence.values import MAX_FAULTS

BATCH = 8192
_SIGNED = (ItemKind.CRL, ItemKind.OCSP, ItemKind.CHECKPOINT, ItemKind.LOG_LIST)
_POSITIONED = (ItemKind.ENTRIES, ItemKind.TILE, ItemKind.CRTSH_JSON, ItemKind.CRTSH_CSV, ItemKind.CCADB,
               ItemKind.FINGERPRINTS, ItemKind.LINTS)  # fmt: skip
_ENTRIES_OF = {"revocations", "ocsp"}


@cache
def readers() -> dict[str, Callable[[bytes], Read]]:
    """The reader of each kind of item other than certificates; loaded when the first such item is met."""
    from affidavit.evidence import crl, ctlog, lintresults, lists, ocsp

    return {
        ItemKind.CRL: crl.read,
        ItemKind.OCSP: ocsp.read,
        ItemKind.ENTRIES: ctlog.read_entries,
        ItemKind.TILE: ctlog.read_tile,
        ItemKind.CHECKPOINT: ctlog.read_checkpoint,
        ItemKind.CRTSH_JSON: lists.read_crtsh_json,
        ItemKind.CRTSH_CSV: lists.read_crtsh_csv,
        ItemKind.CCADB: lists.read_ccadb,
        ItemKind.FINGERPRINTS: lists.read_fingerprints,
        ItemKind.LINTS: lintresults.read,
    }


@dataclass
class Source:
    """What is known of the file being read: its hash, and what goes into the table ``sources``."""

    sha256: str
    items: int = 0
    certificates: int = 0
    forms: dict[str, None] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


class Reading:
    """Reads files one after the other into raw tables; certificates of many files go through in one batch."""

    def __init__(self, into: RawWriter) -> None:
        self._into = into
        self._ders: list[bytes] = []
        self._places: list[tuple[Source, str, int]] = []
        self._seen_issuers: set[str] = set()
        self._sources: list[Source] = []
        self.items = 0

    def file(self, digest: str, data: Any, name: str = "") -> None:
        """Read a file's bytes (or a memory map of them). Raises PrivateKeyFound."""
        source = Source(digest)
        self._sources.append(source)
        for item in forms.items(data, name):
            self.items = max(self.items, item.position) if not item.member else self.items
            self.item(source, item)

    def item(self, source: Source, item: Item) -> None:
        """Read one item of a file."""
        source.items += bool(item.position)
        if item.fault:
            self._faults(source, item, [Fault(item.position, "", item.fault)])
        elif item.kind == ItemKind.CERTIFICATE:
            self._certificate(source, item.member, item.position, item.data)
        elif item.kind == ItemKind.TEXT:
            reason = "a text in which no evidence is recognised; texts to quote from go under `documents`"
            self._faults(source, item, [Fault(0, "", reason)])
        elif item.kind == ItemKind.LOG_LIST:
            self._blob(source, item)
        elif item.kind in readers():
            self._read(source, item)
        else:
            self._faults(source, item, [Fault(item.position, "", f"a {item.kind} inside another file is not read")])
        source.forms.setdefault("certificates" if item.kind == ItemKind.CERTIFICATE else str(item.kind))

    def arrow(self, digest: str, ders: Iterable[Any], first: int) -> None:
        """Read certificates from Arrow arrays of DER; ``first`` is the number of the first one."""
        source = Source(digest, forms={"parquet": None})
        self._sources.append(source)
        faults_left = MAX_FAULTS
        for array in ders:
            missing = array.is_null()
            if array.null_count:
                kept = np.flatnonzero(~missing.to_numpy(zero_copy_only=False)).tolist()
                if faults_left > 0:
                    places = np.flatnonzero(missing.to_numpy(zero_copy_only=False))[:faults_left].tolist()
                    faults_left -= len(places)
                    faults = [Fault(first + i, "", "the row holds no certificate") for i in places]
                    if not faults_left:
                        faults.append(Fault(first + places[-1], "", "more such rows may follow: they are not named"))
                    self._faults(source, Item(0, ItemKind.PARQUET), faults)
                array = array.take(pa.array(kept, pa.int64()))
            else:
                kept = list(range(len(array)))
            source.items += len(missing)
            source.certificates += len(array)
            self._rows(array, [source.sha256] * len(array), [""] * len(array), [first + i for i in kept])
            first += len(missing)
        self.items = max(self.items, first - 1)

    def close(self) -> None:
        """Read what waits, and describe the sources."""
        self._flush()
        for source in self._sources:
            row = {"form": ", ".join(source.forms) or "nothing", "items": source.items,
                   "certificates": source.certificates, **source.facts}  # fmt: skip
            self._into.rows("sources", [{**row, "_source": source.sha256, "_member": "", "_position": 0}])

    def _certificate(self, source: Source, member: str, position: int, data: bytes) -> None:
        self._ders.append(data)
        self._places.append((source, member, position))
        source.certificates += 1
        if len(self._ders) >= BATCH:
            self._flush()

    def _flush(self) -> None:
        if self._ders:
            ders, places = self._ders, self._places
            self._ders, self._places = [], []
            self._rows(ders, [p[0].sha256 for p in places], [p[1] for p in places], [p[2] for p in places])

    def _rows(self, ders: Any, sources: Sequence[str], members: Sequence[str], positions: Sequence[int]) -> None:
        read = batch.rows(ders)
        index = pa.array(read.index, pa.int64())
        where = [pa.array(sources, pa.string()), pa.array(members, pa.string()), pa.array(positions, pa.int64())]
        der_column = ders if isinstance(ders, pa.Array) else pa.array(ders, pa.large_binary())
        columns = [*read.certificates.columns, der_column.cast(pa.large_binary()).take(index)]
        schema = raw_schema("certificates")
        self._into.add(
            "certificates", pa.RecordBatch.from_arrays([*columns, *(w.take(index) for w in where)], schema=schema)
        )
        if read.scts.num_rows:
            # An SCT's place is not needed: it belongs to the certificate, wherever that stands.
            size = read.scts.num_rows
            nowhere = [pa.nulls(size, pa.string()), pa.nulls(size, pa.string()), pa.nulls(size, pa.int64())]
            batch_of = pa.RecordBatch.from_arrays([*read.scts.columns, *nowhere], schema=raw_schema("scts"))
            self._into.add("scts", batch_of)
        self._into.rows(
            "faults",
            [
                {**fault._asdict(), "_source": sources[i], "_member": members[i], "_position": positions[i]}
                for i, fault in read.faults
            ],
        )

    def _read(self, source: Source, item: Item) -> None:
        try:
            read = readers()[item.kind](item.data)
        except DerError as error:
            self._faults(source, item, [Fault(item.position, "", str(error))])
            return
        except (IndexError, ValueError, OverflowError, RecursionError):
            self._faults(source, item, [Fault(item.position, "", f"not of the form of {item.kind}")])
            return
        if item.kind in _SIGNED:
            self._blob(source, item)
        own = item.kind in _POSITIONED
        for name, rows in read.rows.items():
            placed = []
            for number, row in enumerate(rows, 1):
                position = row.get("position", number) if own else item.position
                place = {"_source": source.sha256, "_member": item.member, "_position": position}
                if name in _ENTRIES_OF:
                    place["_entry"] = row.get("position", number)
                placed.append({**{k: v for k, v in row.items() if k in raw_schema(name).names}, **place})
            self._into.rows(name, placed)
        for position, data in read.certificates:
            self._certificate(source, item.member, position if own else item.position, data)
        for data in read.issuers:
            self._issuer(source, item, data)
        source.facts.update(read.source)
        self._faults(source, item, read.faults if own else [f._replace(position=item.position) for f in read.faults])

    def _issuer(self, source: Source, item: Item, data: bytes) -> None:
        digest = sha256(data)
        if digest in self._seen_issuers:
            return
        self._seen_issuers.add(digest)
        try:
            subject = sha256(_subject(data))
        except (DerError, IndexError):
            return  # a chain's certificate that cannot be read issues nothing
        row = {"sha256": digest, "subject_der_sha256": subject, "der": data}
        place = {"_source": source.sha256, "_member": item.member, "_position": item.position}
        self._into.rows("issuers", [{**row, **place}])

    def _blob(self, source: Source, item: Item) -> None:
        row = {"kind": str(item.kind), "sha256": sha256(item.data), "der": bytes(item.data)}
        place = {"_source": source.sha256, "_member": item.member, "_position": item.position}
        self._into.rows("blobs", [{**row, **place}])

    def _faults(self, source: Source, item: Item, faults: Sequence[Fault]) -> None:
        self._into.rows(
            "faults",
            [
                {**fault._asdict(), "_source": source.sha256, "_member": item.member, "_position": fault.position}
                for fault in faults
            ],
        )


def _subject(data: bytes) -> bytes:
    """The subject name of a certificate as it stands."""
    tbs = der.children(data, der.read(data, 0, len(data)))[0]
    fields = der.children(data, tbs)
    if fields[0].tag == 0xA0:
        del fields[0]
    return der.whole(data, fields[4])
