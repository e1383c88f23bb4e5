"""Where the parts of many certificates stand, found for all of them at once.

Only what is exactly in the form that nearly every certificate has is accepted: DER's shortest lengths, version 3,
UTCTime, one attribute a relative name, known string types and so on. A certificate of which anything is otherwise is
not *sure*, and the careful reader decides about it. So nothing here needs to know what is wrong.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from affidavit.evidence.ragged import Flags, Ints, Octets, block, ends_of, number16, tlv

PAD = 1024
"""Octets behind the last certificate that may be looked at (and never are part of a value that counts)."""
MOST = 256
"""Values of one list (extensions, attributes, names, SCTs) that are walked through."""
_FEW = 16

_VERSION_3 = np.frombuffer(bytes.fromhex("a003020102"), np.uint8)
_TIMES_AT = np.array([0, 1, 2, 3, 16, 17, 18, 31])
_TIMES = np.frombuffer(bytes.fromhex("301e170d5a170d5a"), np.uint8)
_DIGITS = np.r_[4:16, 19:31]
_MONTH_DAYS = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_BEFORE_MONTH = np.array([0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334])
_EPOCH_DAYS = 1969 * 365 + 1969 // 4


@dataclass
class Outline:
    """The parts of each certificate that has the usual outline; ``row`` is its number among those given."""

    row: Ints
    start: Ints
    end: Ints
    tbs: Ints
    tbs_content: Ints
    tbs_end: Ints
    serial: Ints
    serial_end: Ints
    algorithm: Ints
    algorithm_end: Ints
    issuer: Ints
    issuer_end: Ints
    subject: Ints
    subject_content: Ints
    subject_end: Ints
    spki: Ints
    spki_content: Ints
    spki_end: Ints
    wrapper: Ints
    wrapper_content: Ints
    extensions: Ints
    outer_algorithm: Ints
    outer_algorithm_end: Ints

    def __len__(self) -> int:
        return len(self.row)

    def keep(self, wanted: Flags) -> "Outline":
        """Those that are wanted."""
        if wanted.all():
            return self
        return Outline(*(getattr(self, field.name)[wanted] for field in fields(self)))


def outline(data: Octets, start: Ints, end: Ints) -> Outline:
    """The certificates that have the outline of RFC 5280 4.1, version 3, without unique identifiers."""
    outer = tlv(data, start, end)
    tbs = tlv(data, outer.content, end)
    version = (block(data, tbs.content, 5) == _VERSION_3).all(axis=1)
    serial = tlv(data, tbs.content + 5, tbs.end)
    algorithm = tlv(data, serial.end, tbs.end)
    issuer = tlv(data, algorithm.end, tbs.end)
    subject = tlv(data, issuer.end + 32, tbs.end)  # the validity is 32 octets, or `times` is not sure of it
    spki = tlv(data, subject.end, tbs.end)
    wrapper = tlv(data, spki.end, tbs.end)
    extensions = tlv(data, wrapper.content, wrapper.end)
    outside = tlv(data, tbs.end, end)
    signature = tlv(data, outside.end, end)
    sure = version & (outer.end == end) & (wrapper.end == tbs.end) & (extensions.end == wrapper.end)
    sure &= (signature.end == end) & (signature.end - signature.content > 1) & (data[signature.content] == 0)
    for part, tag in (
        (outer, 0x30), (tbs, 0x30), (serial, 0x02), (algorithm, 0x30), (issuer, 0x30), (subject, 0x30),
        (spki, 0x30), (wrapper, 0xA3), (extensions, 0x30), (outside, 0x30), (signature, 0x03),
    ):  # fmt: skip
        sure &= part.good & (part.tag == tag)
    found = Outline(
        row=np.arange(len(start)),
        start=start, end=end,
        tbs=outer.content, tbs_content=tbs.content, tbs_end=tbs.end,
        serial=serial.content, serial_end=serial.end,
        algorithm=serial.end, algorithm_end=algorithm.end,
        issuer=algorithm.end, issuer_end=issuer.end,
        subject=issuer.end + 32, subject_content=subject.content, subject_end=subject.end,
        spki=subject.end, spki_content=spki.content, spki_end=spki.end,
        wrapper=spki.end, wrapper_content=wrapper.content, extensions=extensions.content,
        outer_algorithm=tbs.end, outer_algorithm_end=outside.end,
    )  # fmt: skip
    return found.keep(sure)


class Times(NamedTuple):
    """Both ends of each validity in seconds since 1970, and whether they are sure."""

    not_before: Ints
    not_after: Ints
    sure: Flags


def times(data: Octets, at: Ints) -> Times:
    """A Validity of two UTCTimes in the one form of RFC 5280 4.1.2.5.1, that of each row at its place."""
    octets = block(data, at, 32)
    sure = (octets[:, _TIMES_AT] == _TIMES).all(axis=1)
    digits = octets[:, _DIGITS] - np.uint8(48)
    sure &= (digits <= 9).all(axis=1)
    # Of other octets than digits the numbers are nonsense, within the octet's range.
    pairs = (digits[:, 0::2] * np.uint8(10) + digits[:, 1::2]).astype(np.int64)
    ends = []
    for year, month, day, hour, minute, second in (pairs[:, :6].T, pairs[:, 6:].T):
        whole = year + np.where(year >= 50, 1900, 2000)
        leap = whole % 4 == 0  # true from 1901 to 2099
        sure &= (month >= 1) & (month <= 12) & (day >= 1) & (hour <= 23) & (minute <= 59) & (second <= 59)
        month = np.where(sure, month, 1)
        sure &= day <= _MONTH_DAYS[month] + (leap & (month == 2))
        days = (
            (whole - 1) * 365 + (whole - 1) // 4 - _EPOCH_DAYS + _BEFORE_MONTH[month] + (leap & (month > 2)) + day - 1
        )
        ends.append(days * 86400 + hour * 3600 + minute * 60 + second)
    return Times(ends[0], ends[1], sure & (ends[0] <= ends[1]))


class Listed(NamedTuple):
    """The values of each row's list, one row after another: where each row's begin (and the last one's end), and
    arrays of what was found of each value; ``sure`` a row.
    """

    bounds: Ints
    found: tuple[Ints, ...]
    sure: Flags

    @property
    def counts(self) -> Ints:
        """How many values each row has."""
        return np.diff(self.bounds)

    @property
    def rows(self) -> Ints:
        """The row of each value."""
        return np.repeat(np.arange(len(self.bounds) - 1), self.counts)


# From places and limits: where the next value begins, whether this one is sure, and what was found of it.
Step = Callable[[Octets, Ints, Ints], tuple[Ints, Flags, tuple[Ints, ...]]]


def listed(data: Octets, start: Ints, limit: Ints, step: Step, width: int) -> Listed:
    """The values between places and limits, the k-th one of all rows at a time; ``width`` arrays are found by a step.

    A row is not sure where a value is not, or where it has far more values than the others.
    """
    size = len(start)
    sure = np.ones(size, np.bool_)
    rows = np.flatnonzero(start < limit)
    at = start[rows]
    parts: list[tuple[Ints, ...]] = []
    for number in range(MOST + 1):
        if not len(rows):
            break
        if number == MOST or (number >= _FEW and len(rows) * 256 < size):
            sure[rows] = False
            break
        after, good, found = step(data, at, limit[rows])
        if not good.all():
            sure[rows[~good]] = False
            rows, after, found = rows[good], after[good], tuple(one[good] for one in found)
        parts.append((rows, np.full(len(rows), number), *found))
        more = after < limit[rows]
        rows, at = rows[more], after[more]
    if not parts:
        return Listed(np.zeros(size + 1, np.int64), (np.zeros(0, np.int64),) * width, sure)
    of_row, number_of, *columns = (np.concatenate(column) for column in zip(*parts, strict=True))
    bounds = ends_of(np.bincount(of_row, minlength=size))
    places = bounds[of_row] + number_of
    out = np.empty((width, len(places)), np.int64)
    for target, column in zip(out, columns, strict=True):
        target[places] = column
    return Listed(bounds, tuple(out), sure)


def extension(data: Octets, at: Ints, limit: Ints) -> tuple[Ints, Flags, tuple[Ints, ...]]:
    """An Extension: where it begins and ends, where its OID begins and ends, where its value begins."""
    whole = tlv(data, at, limit)
    oid = whole.content + 2
    oid_end = oid + data[oid - 1]
    critical = data[oid_end] == 0x01
    value = tlv(data, oid_end + 3 * critical, whole.end)
    good = whole.good & (whole.tag == 0x30) & (data[oid - 2] == 0x06) & (oid_end - oid <= 0x7F)
    good &= value.good & (value.tag == 0x04) & (value.end == whole.end)
    # A false criticality is the default, which DER leaves out (X.690 11.5).
    good &= ~critical | ((data[oid_end + 1] == 1) & (data[oid_end + 2] == 0xFF))
    return whole.end, good, (at, whole.end, oid, oid_end, value.content)


def attribute(data: Octets, at: Ints, limit: Ints) -> tuple[Ints, Flags, tuple[Ints, ...]]:
    """A relative name of one attribute, of short lengths: where its OID begins, where its tag stands, where it ends."""
    oid = at + 4
    tag = oid + 2 + data[oid + 1]
    end = tag + 2 + data[tag + 1]
    short = (data[at + 1] <= 0x7F) & (data[tag + 1] <= 0x7F) & (data[oid + 1] <= 0x7F)
    good = short & (end <= limit) & (data[at] == 0x31) & (data[at + 2] == 0x30) & (data[oid] == 0x06)
    good &= (end == at + 2 + data[at + 1]) & (end == oid + data[at + 3]) & (data[tag + 1] > 0)
    return end, good, (oid, tag, end)


def dns_name(data: Octets, at: Ints, limit: Ints) -> tuple[Ints, Flags, tuple[Ints, ...]]:
    """A dNSName of 1 to 127 octets: where its text begins and ends."""
    size = data[at + 1]
    end = at + 2 + size
    return end, (data[at] == 0x82) & (size > 0) & (size <= 0x7F) & (end <= limit), (at + 2, end)


def sct(data: Octets, at: Ints, limit: Ints) -> tuple[Ints, Flags, tuple[Ints, ...]]:
    """An SCT v1 (RFC 6962 3.2) behind its length: where it begins, and the length of its extensions."""
    size = number16(data, at)
    begin = at + 2
    end = begin + size
    good = (end <= limit) & (size >= 47) & (data[begin] == 0)
    begin = np.where(good, begin, 0)
    extra = number16(data, begin + 41)
    # Extensions: none, or the leaf index of the Static CT API alone.
    good &= ((extra == 0) | (extra == 8)) & (size >= 47 + extra)
    signature = number16(data, np.where(good, begin + 45 + extra, 0))
    good &= (signature > 0) & (size == 47 + extra + signature)
    return end, good, (begin, extra)


def slot(found: Listed, columns: tuple[int, ...], of: npt.NDArray[np.bool_]) -> tuple[Ints, ...]:
    """Of the values that are chosen, at most one a row, some of what was found; zeros where a row has none."""
    rows = found.rows[of]
    out = []
    for column in columns:
        values = np.zeros(len(found.bounds) - 1, np.int64)
        values[rows] = found.found[column][of]
        out.append(values)
    return tuple(out)
