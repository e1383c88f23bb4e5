"""The entries of a certificate revocation list (RFC 5280 5.1.2.6 and 5.3), many of them, as columns.

A CRL may list hundreds of thousands of certificates. Nearly all entries have one form, and their dates and extensions
repeat octet for octet: a tight loop notes where each serial number stands and looks the rest up. An entry of any other
form goes to `_Careful`, which says what is wrong with it. Rows are made when asked for, one by one or as Arrow batches.
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, overload

from affidavit.evidence import der, parts
from affidavit.evidence.crlextensions import EntryExtensions, Issuer, Named, Said, Wrong, of_entry
from affidavit.evidence.der import DerError, Tlv
from affidavit.serials import show_serial

if TYPE_CHECKING:
    import pyarrow as pa

MAX_FAULTS = 10_000
_MAX_MEMO = 65_536
BATCH = 65_536

_EPOCH = datetime(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)
_NONE = -(1 << 63)
"""Stands for a date that cannot be read."""


class Fact(NamedTuple):
    """What is wrong with an entry, or with the entries from one on; ``irregular``: it was read all the same."""

    field: str
    reason: str
    irregular: bool = False


class Entries(Sequence[dict[str, Any]]):
    """The entries of one CRL that could be read: rows of the table ``revocations``, with ``position`` from 1.

    ``common``: the columns that are the CRL's. ``entries``: the number of all entries, None where the list breaks off.
    """

    def __init__(self, data: bytes, issuer: Issuer, common: Mapping[str, Any]) -> None:
        self.common = common
        self.entries: int | None = 0
        self.faults: list[Fact] = []
        self._data = data
        self._positions = array("I")
        self._serials = array("Q")
        """Where the content of each serial number begins; its length stands one octet before, or in ``_long``."""
        self._long: dict[int, int] = {}
        self._times = array("q")
        self._said_of = array("I")
        self._said = [Said()]
        self._issuer_from: list[tuple[int, Issuer]] = [(0, issuer)]
        """From which row on the rows are about certificates of which CA (RFC 5280 5.3.3)."""

    def __len__(self) -> int:
        return len(self._positions)

    @overload
    def __getitem__(self, index: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> list[dict[str, Any]]: ...
    def __getitem__(self, index: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        row = range(len(self))[index]
        said, moment = self._said[self._said_of[row]], self._times[row]
        issuer = next(one for first, one in reversed(self._issuer_from) if first <= row)
        return {
            **self.common,
            "issuer": issuer.text,
            "issuer_der_sha256": issuer.der_sha256,
            "serial": self._serial(row),
            "revoked_at": None if moment == _NONE else _EPOCH + moment * _MICROSECOND,
            **said._asdict(),
            "position": self._positions[row],
        }

    def batches(self, size: int = BATCH) -> "Iterator[pa.RecordBatch]":
        """The rows as Arrow record batches: the columns of ``revocations`` made when read, and ``position``."""
        import pyarrow as pa
        import pyarrow.compute as pc

        from affidavit.columns import Made
        from affidavit.tables import arrow_schema

        schema = arrow_schema("revocations", Made.READ).append(pa.field("position", pa.int64()))
        bounds = [first for first, _ in self._issuer_from] + [len(self)]
        meanings = {
            name: pa.array([getattr(one, name) for one in self._said], schema.field(name).type) for name in Said._fields
        }
        for (first, last), (_, issuer) in zip(pairwise(bounds), self._issuer_from, strict=True):
            constant = {**self.common, "issuer": issuer.text, "issuer_der_sha256": issuer.der_sha256}
            for at in range(first, last, size):
                end = min(last, at + size)
                moments = pa.array(self._times[at:end], pa.int64())
                columns = {
                    "serial": pa.array(map(self._serial, range(at, end)), pa.string()),
                    "revoked_at": pc.if_else(pc.equal(moments, _NONE), None, moments).cast("timestamp[us]"),
                    "position": pa.array(self._positions[at:end], pa.int64()),
                }
                chosen = pa.array(self._said_of[at:end], pa.uint32())
                columns |= {name: values.take(chosen) for name, values in meanings.items()}
                columns |= {
                    name: pa.repeat(pa.scalar(value, schema.field(name).type), end - at)
                    for name, value in constant.items()
                }
                yield pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema)

    def _serial(self, row: int) -> str:
        at = self._serials[row]
        octets = self._data[at : at + (self._long.get(row) or self._data[at - 1])]
        if octets[0] < 0x80 and (octets[0] or len(octets) == 1):
            return octets.hex().upper()
        return show_serial(int.from_bytes(octets, "big", signed=True))

    def add(self, number: int, serial: Tlv, moment: int, said: int) -> None:
        """Note an entry, by its number, the place of its serial number, its date and its extensions."""
        if serial.content - serial.start > 2:
            self._long[len(self)] = serial.end - serial.content
        self._serials.append(serial.content)
        self._times.append(moment)
        self._said_of.append(said)
        self._positions.append(number)

    def note(self, said: Said) -> int:
        """The number under which what some extensions say is noted."""
        if said == self._said[0]:
            return 0
        self._said.append(said)
        return len(self._said) - 1

    def issued_by(self, issuer: Issuer) -> None:
        """The entries added from now on are about certificates of another CA."""
        self._issuer_from.append((len(self), issuer))


def read(data: bytes, listed: Tlv | None, issuer: Issuer, common: Mapping[str, Any], indirect: bool | None) -> Entries:
    """The entries of ``revokedCertificates``; what is wrong with them is noted among their ``faults``.

    ``indirect``: whether the CRL says that it lists certificates of other CAs, too; None where that cannot be read.
    """
    found = Entries(data, issuer, common)
    if listed is not None:
        _walk(found, _Careful(data, issuer, found, indirect), data, listed)
    return found


def _walk(found: Entries, careful: "_Careful", data: bytes, listed: Tlv) -> None:
    at, limit, number = listed.content, listed.end, 0
    moments, known = careful.moments.get, careful.noted.get
    positions, serials = found._positions.append, found._serials.append
    times, said_of = found._times.append, found._said_of.append
    while at < limit:
        number += 1
        # SEQUENCE, INTEGER, UTCTime of 13 octets, and perhaps extensions. What is looked at lies inside `data` although
        # perhaps not inside the entry, for algorithm and signature follow.
        end, serial = at + 2 + data[at + 1], at + 4
        date = serial + data[at + 3]
        behind = date + 15
        if data[at] == 0x30 and data[at + 2] == 2 and serial < date and behind <= end <= limit and end - at < 130:
            octets = data[date:behind]
            moment = moments(octets)
            if moment is None:
                moment = careful.moment(octets)
            said: int | None = 0
            if behind < end:
                octets = data[behind:end]
                said = known(octets)
                if said is None:
                    said = careful.said(octets)
            if moment is not None and said is not None and careful.attributed:
                positions(number)
                serials(serial)
                times(moment)
                said_of(said)
                at = end
                continue
        after = careful.entry(at, limit, number)
        if after is None:
            found.entries = None
            return
        at = after
    found.entries = number


class _Careful:
    """Reads an entry of whatever form; remembers dates and extensions for the quick way."""

    def __init__(self, data: bytes, issuer: Issuer, found: Entries, indirect: bool | None) -> None:
        self.data = data
        self.own = issuer
        self.found = found
        self.indirect = indirect
        self.attributed = True
        """Whether it is known whose certificates the entries are about."""
        self.moments: dict[bytes, int] = {}
        self.noted: dict[bytes, int] = {}
        self._faults = 0

    def moment(self, octets: bytes) -> int | None:
        """Microseconds since 1970 of a UTCTime of 15 octets; None where it is none that is readable."""
        if octets[:2] != b"\x17\x0d":
            return None
        try:
            moment = (parts.time(octets, Tlv(der.UTC_TIME, 0, 2, 15)) - _EPOCH) // _MICROSECOND
        except DerError:
            return None
        return _keep(self.moments, octets, moment)

    def said(self, octets: bytes) -> int | None:
        """The number under which noted is what extensions say; None where not all is well with them."""
        try:
            value = der.read(octets, 0, len(octets))
            read = of_entry(octets, value)
        except DerError:
            return None
        if value.end != len(octets) or read.wrong.unread or read.wrong.irregular or read.named is not None:
            return None
        return _keep(self.noted, octets, self.found.note(read.said))

    def fault(self, name: str, reason: str, *, irregular: bool = False) -> None:
        self._faults += 1
        if self._faults <= MAX_FAULTS:
            self.found.faults.append(Fact(name, reason, irregular))
        elif self._faults == MAX_FAULTS + 1:
            reason = f"more than {MAX_FAULTS:,} entries have something wrong; those after {name} are not named"
            self.found.faults.append(Fact("entries", reason))

    def entry(self, at: int, limit: int, number: int) -> int | None:
        """Read the entry at an offset; where the next one begins, or None where that cannot be told."""
        name = f"entry {number}"
        try:
            entry = der.read(self.data, at, limit)
        except DerError as error:
            self.fault(name, f"neither this entry nor those after it can be read: {error}")
            return None
        try:
            wrong = self._read(entry, number)
        except DerError as error:
            if self.indirect is not False and self.attributed:
                self.attributed = False  # it may have named another CA, which would hold for those that follow
                error = DerError(f"{error}; it is unknown about whose certificates those after it are")
            self.fault(name, str(error))
        else:
            if wrong.unread or wrong.irregular:
                self.fault(name, "; ".join(wrong.unread + wrong.irregular), irregular=not wrong.unread)
        return entry.end

    def _read(self, entry: Tlv, number: int) -> Wrong:
        data = self.data
        values = der.children(data, entry)
        if entry.tag != der.SEQUENCE or not 2 <= len(values) <= 3:
            raise DerError("not of a serial number, a date and perhaps extensions")
        serial, date = values[:2]
        if serial.tag != der.INTEGER or serial.content == serial.end:
            raise DerError(f"no serial number at octet {serial.start}")
        read = of_entry(data, values[2]) if len(values) > 2 else EntryExtensions(Said(), None, Wrong([], []))
        if read.named is not None:
            self._attribute(read.named, read.wrong)
        elif not self.attributed:
            return Wrong([], [])  # the fault of an entry before says so
        try:
            revoked_at, odd = parts.any_time(data, date)
            if odd:
                read.wrong.irregular.append(odd)
            moment = (revoked_at - _EPOCH) // _MICROSECOND
        except DerError as error:
            read.wrong.unread.append(str(error))
            moment = _NONE
        self.found.add(number, serial, moment, self.found.note(read.said))
        return read.wrong

    def _attribute(self, named: Named, wrong: Wrong) -> None:
        """Hold this entry and those that follow to be about the CA named (RFC 5280 5.3.3)."""
        issuer = named.issuer
        if issuer is None:
            if not named.critical:
                wrong.irregular.append(f"{named.reason}; it is not critical and was ignored")
                return
            self.attributed = False
            raise DerError(f"{named.reason}: it is unknown about whose certificates this entry and those after it are")
        self.attributed = self.indirect is not False or issuer.der_sha256 == self.own.der_sha256
        if not self.attributed:
            raise DerError(
                f"names another CA, {issuer.text}, in a CRL that is not indirect (RFC 5280 5.3.3): "
                "neither this entry nor those after it count"
            )
        self.found.issued_by(issuer)


def _keep(memo: dict[bytes, int], octets: bytes, value: int) -> int:
    if len(memo) >= _MAX_MEMO:
        memo.clear()
    memo[octets] = value
    return value
