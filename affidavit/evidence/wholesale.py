"""The fast way of :mod:`affidavit.evidence.batch`: the columns of those certificates that are nothing but ordinary."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
import pyarrow as pa

from affidavit.columns import Made
from affidavit.evidence import der, oids, walk
from affidavit.evidence.carrier import ALGORITHM, EXTENSION, ISSUER, Answers
from affidavit.evidence.cutting import precertificate_digests
from affidavit.evidence.der import DerError, Tlv
from affidavit.evidence.ragged import (
    Flags,
    Ints,
    Octets,
    block,
    distinct,
    ends_of,
    gather,
    hashes,
    hexadecimal,
    lists,
    number16,
    numbers,
    octet_sets,
    strings,
    tlv,
)  # fmt: skip
from affidavit.evidence.subjects import subjects
from affidavit.evidence.walk import Listed, Outline
from affidavit.tables import arrow_schema

MAX_OCTETS = 16 * 1024
"""A larger certificate is none of the ordinary."""

_ISSUERS = Answers(ISSUER, ("issuer", "issuer_cn", "issuer_der_sha256"))
_ALGORITHMS = Answers(ALGORITHM, ("signature_algorithm", "signature_hash"))
_EXTENSIONS = {
    oids.BASIC_CONSTRAINTS: Answers(EXTENSION, ("is_ca", "path_length")),
    oids.KEY_USAGE: Answers(EXTENSION, ("key_usage",)),
    oids.EXTENDED_KEY_USAGE: Answers(EXTENSION, ("extended_key_usage",)),
    oids.CERTIFICATE_POLICIES: Answers(EXTENSION, ("policy_oids", "validation")),
    oids.AUTHORITY_KEY_ID: Answers(EXTENSION, ("authority_key_id",)),
}

#: The AlgorithmIdentifiers of keys that are ordinary, their names, and the size where the algorithm tells it.
_KEYS: dict[bytes, tuple[str, int]] = {
    bytes.fromhex("300d06092a864886f70d0101010500"): ("RSA", 0),
    bytes.fromhex("301306072a8648ce3d020106082a8648ce3d030107"): ("EC", 256),
    bytes.fromhex("301006072a8648ce3d020106052b81040022"): ("EC", 384),
}
_BITS = np.array([i.bit_length() for i in range(256)])
_LAST_MILLISECOND = 253_402_300_799_999  # of the year 9999
_STATIC_CT = 0x05 << 40  # leaf_index of the Static CT API: type 0, two octets of length, five of number


#: What stands in nearly every dNSName.
_HOST = octet_sets("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.*_")


@dataclass(slots=True)
class Part:
    """Rows of some certificates: their numbers, and for each SCT the number of its certificate."""

    index: Ints
    certificates: pa.RecordBatch
    scts: pa.RecordBatch
    scts_of: Ints


def read(octets: Octets, bounds: Ints, first: int = 0) -> Part:
    """The rows of those that are ordinary, of certificates that stand one after another; numbers from ``first`` on.

    ``bounds``: where each begins, and where the last one ends.
    """
    start, end = bounds[:-1], bounds[1:]
    fits = end - start <= MAX_OCTETS
    if fits.all():
        chosen = octets[bounds[0] : bounds[-1]]
        bounds = bounds - bounds[0]
    else:
        pairs = zip(start[fits].tolist(), end[fits].tolist(), strict=True)
        chosen = np.concatenate([octets[:0], *(octets[begin:stop] for begin, stop in pairs)])
        bounds = ends_of((end - start)[fits])
    # A copy: it has room behind its end, and is written to in the end.
    data = np.concatenate([chosen, np.zeros(walk.PAD, np.uint8)])
    found = walk.outline(data, bounds[:-1], bounds[1:])
    found.row = np.flatnonzero(fits)[found.row]
    return _Reading(data, found).part(first)


def _schema(name: str) -> pa.Schema:
    return arrow_schema(name, Made.READ)


class _Reading:
    """The columns of certificates of the usual outline; each step may find that it is not sure about some."""

    def __init__(self, data: Octets, found: Outline) -> None:
        self._data = data
        self._at = found
        self._size = len(found)
        self._sure = np.ones(self._size, np.bool_)
        self._columns: dict[str, Any] = {}
        self._cut = (np.zeros(0, np.int64), np.zeros(0, np.int64))

    def part(self, first: int) -> Part:
        """The rows of those that are sure."""
        schema = _schema("certificates")
        self._serial()
        at = self._at
        self._ask(_ISSUERS, at.issuer, at.issuer_end)
        self._algorithm()
        self._validity()
        self._subject()
        self._key()
        scts, stamps = self._extensions()
        self._columns["version"] = numbers(np.full(self._size, 3))
        sure = np.flatnonzero(self._sure)
        whole = len(sure) == self._size
        chosen = pa.array(sure)
        columns = {name: one if whole else one.take(chosen) for name, one in self._columns.items()}
        # A quarter of the time goes into hashes, so only those that are sure are hashed.
        columns |= self._hashes(sure)
        certificates = pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema)
        rows = scts.rows
        wanted = self._sure[rows]
        place = np.cumsum(self._sure) - 1
        return Part(
            at.row[sure] + first,
            certificates,
            self._scts(scts, stamps, wanted, columns["sha256"], place[rows[wanted]]),
            at.row[rows[wanted]] + first,
        )

    def _ask(self, answers: Answers, start: Ints, end: Ints) -> None:
        """Columns that the careful reader's answers to a part give."""
        codes, values = distinct(self._data, start, end)
        given = answers.to(codes, values)
        self._sure &= np.array([one is not None for one in given], np.bool_)[codes]
        schema = _schema("certificates")
        for number, column in enumerate(answers.columns):
            values_of = [one[number] if one is not None else None for one in given]
            self._columns[column] = pa.array(values_of, schema.field(column).type).take(pa.array(codes))

    def _serial(self) -> None:
        data, start, end = self._data, self._at.serial, self._at.serial_end
        lead, size = data[start], end - start
        signed = lead == 0  # an octet for the sign alone
        begin = start + signed
        top = data[begin]
        # Positive, in the shortest form, at most 20 octets (RFC 5280 4.1.2.2).
        self._sure &= (size > 0) & (size <= 20) & (lead < 0x80) & ~(signed & ((size < 2) | (top < 0x80)))
        octets = np.maximum(end - begin, 0)
        bounds = ends_of(octets)
        shown = hexadecimal(gather(data, begin, octets, bounds), upper=True)
        self._columns["serial"] = strings(shown, bounds * 2)
        self._columns["serial_octets"] = numbers(octets)
        self._columns["serial_der_octets"] = numbers(size)
        self._columns["serial_bits"] = numbers((octets - 1) * 8 + _BITS[top])

    def _algorithm(self) -> None:
        at = self._at
        both = distinct(
            self._data,
            np.concatenate([at.algorithm, at.outer_algorithm]),
            np.concatenate([at.algorithm_end, at.outer_algorithm_end]),
        )[0]
        self._sure &= both[: self._size] == both[self._size :]
        self._ask(_ALGORITHMS, at.algorithm, at.algorithm_end)

    def _validity(self) -> None:
        found = walk.times(self._data, self._at.issuer_end)
        self._sure &= found.sure
        seconds = found.not_after - found.not_before + 1
        for name, values in (("not_before", found.not_before), ("not_after", found.not_after)):
            self._columns[name] = _moments(values * 1_000_000)
        self._columns["validity_seconds"] = numbers(seconds)
        self._columns["validity_days"] = numbers(-(-seconds // 86400))

    def _subject(self) -> None:
        at = self._at
        text, common, sure = subjects(self._data, at.subject_content, at.subject_end)
        self._columns["subject"], self._columns["subject_cn"] = text, common
        self._sure &= sure

    def _key(self) -> None:
        data, at = self._data, self._at
        algorithm = tlv(data, at.spki_content, at.spki_end)
        codes, values = distinct(data, at.spki_content, algorithm.end)
        known = [_KEYS.get(value) for value in values]
        bits = np.array([one[1] if one else -1 for one in known])[codes]
        key = tlv(data, algorithm.end, at.spki_end)
        sure = algorithm.good & key.good & (key.tag == 0x03) & (key.end == at.spki_end) & (data[key.content] == 0)
        # An uncompressed point: one octet and two coordinates (SEC 1, 2.3.3).
        point = (data[key.content + 1] == 0x04) & (key.end - key.content == 2 + bits // 4)
        sure &= np.where(bits > 0, point, bits == 0)
        rsa = np.flatnonzero(sure & (bits == 0))
        limit = key.end[rsa]
        pair = tlv(data, key.content[rsa] + 1, limit)
        modulus = tlv(data, pair.content, limit)
        exponent = tlv(data, modulus.end, limit)
        lead = data[modulus.content]
        top = data[modulus.content + (lead == 0)]
        power = data[exponent.content]
        good = pair.good & (pair.tag == 0x30) & (pair.end == limit) & (exponent.end == limit)
        good &= modulus.good & (modulus.tag == 0x02) & (lead < 0x80) & ((lead > 0) | (top >= 0x80))
        good &= exponent.good & (exponent.tag == 0x02) & (power > 0) & (power < 0x80)
        good &= (modulus.end - modulus.content >= 64) & (exponent.end - exponent.content <= 4)
        # Both are odd, and the exponent is not 1, in any key that works.
        good &= data[modulus.end - 1] & data[exponent.end - 1] & 1 == 1
        good &= (exponent.end - exponent.content > 1) | (power > 1)
        sure[rsa] = good
        bits[rsa] = (modulus.end - modulus.content - (lead == 0) - 1) * 8 + _BITS[top]
        self._sure &= sure
        names = pa.array([one[0] if one else None for one in known], pa.string())
        self._columns["key_type"] = names.take(pa.array(codes))
        self._columns["key_bits"] = numbers(bits)

    def _extensions(self) -> tuple[Listed, Ints]:
        data, at = self._data, self._at
        found = walk.listed(data, at.extensions, at.tbs_end, walk.extension, 5)
        start, end, oid, oid_end, value = found.found
        codes, encoded = distinct(data, oid, oid_end)
        dotted = [_dotted(one) for one in encoded]
        rows = found.rows
        known = np.array([one is not None for one in dotted], np.bool_)
        self._sure &= found.sure & (found.counts > 0)
        self._sure[rows[~known[codes]]] = False
        ordered = np.sort(rows * len(encoded) + codes)
        self._sure[ordered[1:][ordered[1:] == ordered[:-1]] // max(1, len(encoded))] = False
        texts = pa.array([one or "" for one in dotted], pa.string()).take(pa.array(codes))
        self._columns["extension_oids"] = lists(texts, found.bounds)

        def place(name: str) -> tuple[Ints, Ints, Ints, Flags]:
            """Of an extension: where it begins and ends, where its value begins, and who has it."""
            of = codes == (dotted.index(name) if name in dotted else -1)
            out = np.zeros((3, self._size), np.int64)
            for target, column in zip(out, (start, end, value), strict=True):
                target[rows[of]] = column[of]
            return out[0], out[1], out[2], out[1] > 0

        for name, answers in _EXTENSIONS.items():
            begin, stop, _, _ = place(name)
            self._ask(answers, begin, stop)
        self._key_id(*place(oids.SUBJECT_KEY_ID)[1:])
        self._alternative_names(*place(oids.SUBJECT_ALT_NAME)[1:])
        poison = place(oids.POISON)
        promises = place(oids.SCT_LIST)
        null = (data[poison[2]] == 0x05) & (data[poison[2] + 1] == 0) & (poison[1] - poison[2] == 2)
        self._sure &= ~poison[3] | (null & ~promises[3])
        kinds = pa.array(["certificate", "precertificate"])
        self._columns["kind"] = kinds.take(pa.array(poison[3].astype(np.int8)))
        self._cut = (poison[0] + promises[0], poison[1] + promises[1])
        return self._sct_list(*promises[1:])

    def _key_id(self, end: Ints, value: Ints, has: Flags) -> None:
        size = end - value - 2
        good = (self._data[value] == 0x04) & (self._data[value + 1] == size) & (size > 0) & (size <= 0x7F)
        self._sure &= good | ~has
        length = np.where(good & has, size, 0)
        bounds = ends_of(length)
        octets = hexadecimal(gather(self._data, value + 2, length, bounds))
        self._columns["subject_key_id"] = strings(octets, bounds * 2, has)

    def _alternative_names(self, end: Ints, value: Ints, has: Flags) -> None:
        names = tlv(self._data, value, end)
        good = has & names.good & (names.tag == 0x30) & (names.end == end) & (names.content < end)
        self._sure &= good | ~has
        found = walk.listed(
            self._data, np.where(good, names.content, 0), np.where(good, end, 0), walk.dns_name, 2
        )  # fmt: skip
        self._sure &= found.sure
        begin, stop = found.found
        bounds = ends_of(stop - begin)
        octets = gather(self._data, begin, stop - begin, bounds)
        if len(octets):
            odd = np.bitwise_and.reduceat(_HOST[octets], bounds[:-1]) == 0
            self._sure[found.rows[odd]] = False
        self._columns["dns_names"] = lists(strings(octets, bounds), found.bounds)
        none = np.zeros(1, np.int64)
        self._columns["ip_addresses"] = lists(strings(octets[:0], none), np.zeros(self._size + 1, np.int64))

    def _sct_list(self, end: Ints, value: Ints, has: Flags) -> tuple[Listed, Ints]:
        data = self._data
        wrapped = tlv(data, value, end)
        good = has & wrapped.good & (wrapped.tag == 0x04) & (wrapped.end == end) & (wrapped.content + 2 < end)
        good &= number16(data, wrapped.content) == end - wrapped.content - 2
        self._sure &= good | ~has
        found = walk.listed(data, np.where(good, wrapped.content + 2, 0), np.where(good, end, 0), walk.sct, 2)
        self._sure &= found.sure
        begin, extra = found.found
        stamps = block(data, begin + 33, 8).view(">u8").ravel()
        odd = stamps > _LAST_MILLISECOND
        number = block(data, begin + 43, 8).view(">u8").ravel()
        odd |= (extra == 8) & (number >> np.uint64(40) != _STATIC_CT >> 40)
        rows = found.rows
        self._sure[rows[odd]] = False
        moments: Ints = np.where(odd, 0, stamps).astype(np.int64) * 1000
        some = found.counts > 0
        at = found.bounds[:-1][some]
        for name, reduce in (("earliest_sct", np.minimum), ("latest_sct", np.maximum)):
            values = np.zeros(self._size, np.int64)
            if len(at):
                values[some] = reduce.reduceat(moments, at)
            self._columns[name] = _moments(values, some)
        self._columns["sct_count"] = numbers(found.counts)
        return found, moments

    def _scts(self, scts: Listed, moments: Ints, wanted: Flags, sha256s: Any, place: Ints) -> pa.RecordBatch:
        begin, extra = (one[wanted] for one in scts.found)
        count = len(begin)
        position = np.arange(len(scts.found[0])) - scts.bounds[scts.rows] + 1
        log_ids = hexadecimal(block(self._data, begin + 1, 32).ravel())
        number = block(self._data, begin + 43, 8).view(">u8").ravel() & np.uint64((1 << 40) - 1)
        columns = {
            "certificate": sha256s.take(pa.array(place)),
            "position": numbers(position[wanted]),
            "version": numbers(np.zeros(count, np.int64)),
            "log_id": strings(log_ids, np.arange(count + 1) * 64),
            "timestamp": _moments(moments[wanted]),
            "leaf_index": numbers(number.astype(np.int64), None, extra == 8),
            "delivered_by": pa.repeat("embedded", count),
        }
        schema = _schema("scts")
        return pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema)

    def _hashes(self, sure: Ints) -> dict[str, Any]:
        """The hashes of whole certificates and of parts; the octets are changed by that."""
        data, at = self._data, self._at
        octets = data.data

        def each(start: Ints, end: Ints) -> list[bytes]:
            pairs = zip(start[sure].tolist(), end[sure].tolist(), strict=True)
            return [sha256(octets[begin:stop]).digest() for begin, stop in pairs]

        return {
            "sha256": hashes(each(at.start, at.end)),
            "subject_der_sha256": hashes(each(at.subject, at.subject_end)),
            "spki_sha256": hashes(each(at.spki, at.spki_end)),
            "precert_tbs_sha256": hashes(precertificate_digests(data, at, self._cut, sure)),
        }


def _moments(microseconds: Ints, valid: Flags | None = None) -> Any:
    return numbers(microseconds, pa.timestamp("us"), valid)


def _dotted(octets: bytes) -> str | None:
    """An OID's dotted form; None where it is not in its shortest form, or none at all."""
    arcs = [True, *(octet < 0x80 for octet in octets)]
    if any(octet == 0x80 and begins for octet, begins in zip(octets, arcs, strict=False)):
        return None
    try:
        return der.oid(octets, Tlv(der.OID, 0, 0, len(octets)))
    except DerError:
        return None
