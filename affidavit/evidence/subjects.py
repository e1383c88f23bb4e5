"""The subjects of many certificates in RFC 4514 form.

A plain text, with nothing in it to be escaped, is taken from the octets behind its attribute's name. Any other value,
with a comma perhaps or beyond ASCII, is asked of the careful reader as a whole attribute.
"""

from typing import Any, NamedTuple

import numpy as np

from affidavit.evidence.carrier import ATTRIBUTE, Answers
from affidavit.evidence.ragged import Flags, Ints, Octets, distinct, ends_of, gather, octet_sets, strings
from affidavit.evidence.walk import attribute, listed

_ATTRIBUTES = Answers(ATTRIBUTE, ("subject", "subject_cn"), repeated=2)
#: The value that an attribute's name is asked with: within every string type and every limit of RFC 5280 Appendix A.
_TRIED = b"AQ"
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_PLAIN, _PRINTABLE = 1, 2
# What RFC 4514 escapes is in neither set.
_TEXT = octet_sets(_LETTERS + " !#$%&'()*-./:=?@[]^_`{|}~", _LETTERS + " '()-./:=?")
_STRINGS = {0x0C: _PLAIN, 0x13: _PRINTABLE, 0x16: _PLAIN}
_BLANK, _NUMBER_SIGN = 0x20, 0x23


class _Words:
    """Texts that stand between the values: their octets, one after another."""

    def __init__(self) -> None:
        self.octets = b""
        self.start: list[int] = []
        self.size: list[int] = []

    def add(self, text: str) -> None:
        encoded = text.encode()
        self.start.append(len(self.octets))
        self.size.append(len(encoded))
        self.octets += encoded


class Subjects(NamedTuple):
    """Arrow arrays of names and of first common names, and which rows are sure."""

    text: Any
    common_name: Any
    sure: Flags


def subjects(data: Octets, start: Ints, end: Ints) -> Subjects:
    """The subjects whose content stands at some places."""
    found = listed(data, start, end, attribute, 3)
    oid, tag, stop = found.found
    rows, sure = found.rows, found.sure
    begin, sizes = tag + 2, stop - tag - 2
    codes, kinds = distinct(data, oid, begin - 1)
    answers = _ATTRIBUTES.to(codes, [kind + bytes([len(_TRIED)]) + _TRIED for kind in kinds])
    usable = [_STRINGS.get(kind[-1], 0) if answer else 0 for kind, answer in zip(kinds, answers, strict=True)]
    values = gather(data, begin, sizes)
    values_at = ends_of(sizes)[:-1]
    odd = np.zeros(len(rows), np.bool_)
    if len(rows):
        plain = np.bitwise_and.reduceat(_TEXT[values], values_at)
        first, last = data[begin], data[stop - 1]
        odd = (plain & np.array(usable)[codes] == 0) | (first == _BLANK) | (first == _NUMBER_SIGN) | (last == _BLANK)
    # What stands in front of each value, with a comma; for an odd one, the whole attribute, and no value behind it.
    leads, commons = _Words(), _Words()
    for answer in answers:
        leads.add("," + answer[0].removesuffix(_TRIED.decode()) if answer else "")
        commons.add("")
    is_common = [answer is not None and answer[1] is not None for answer in answers]
    if odd.any():
        others, attributes = distinct(data, oid[odd], stop[odd])
        answers = _ATTRIBUTES.to(others, attributes)
        for answer in answers:
            leads.add("," + answer[0] if answer else "")
            commons.add((answer[1] or "") if answer else "")
        is_common += [answer is not None and answer[1] is not None for answer in answers]
        sure[rows[odd][np.array([answer is None for answer in answers])[others]]] = False
        codes = codes.copy()
        codes[odd] = others + len(kinds)
    source = np.concatenate([values, np.frombuffer(leads.octets + commons.octets, np.uint8)])
    lead_start = np.array(leads.start, np.int64) + len(values)
    lead_size = np.array(leads.size, np.int64)
    shown = np.where(odd, 0, sizes)
    # Attributes stand in reversed order; what stands first has no comma in front.
    mirrored = found.bounds[rows] + found.bounds[rows + 1] - 1 - np.arange(len(rows))
    comma = np.zeros(len(rows), np.int64)
    comma[found.bounds[:-1][found.counts > 0]] = 1
    starts = np.stack([lead_start[codes[mirrored]] + comma, values_at[mirrored]], axis=1).ravel()
    lengths = np.stack([lead_size[codes[mirrored]] - comma, shown[mirrored]], axis=1).ravel()
    lengths = np.maximum(lengths, 0)  # what has no answer has no lead
    bounds = ends_of(lengths)
    text = strings(gather(source, starts, lengths, bounds), bounds[2 * found.bounds])
    # The first common name as encoded: of several, assigned in reversed order, the first one stays.
    common = np.flatnonzero(np.array(is_common, np.bool_)[codes])[::-1]
    of_row, chosen = rows[common], codes[common]
    starts, lengths, has = (
        np.zeros(len(start), np.int64),
        np.zeros(len(start), np.int64),
        np.zeros(len(start), np.bool_),
    )
    common_start = np.array(commons.start, np.int64) + len(values) + len(leads.octets)
    starts[of_row] = np.where(odd[common], common_start[chosen], values_at[common])
    lengths[of_row] = np.where(odd[common], np.array(commons.size, np.int64)[chosen], sizes[common])
    has[of_row] = True
    bounds = ends_of(lengths)
    return Subjects(text, strings(gather(source, starts, lengths, bounds), bounds, has), sure)
