"""The hashes of many TBSCertificates with poison and SCT list cut out of their octets (RFC 6962 3.2)."""

from hashlib import sha256

import numpy as np

from affidavit.evidence import der
from affidavit.evidence.ragged import Ints, Octets
from affidavit.evidence.walk import Outline


def precertificate_digests(data: Octets, at: Outline, cut: tuple[Ints, Ints], rows: Ints) -> list[bytes]:
    """The SHA-256 of each of some rows' TBSCertificate without one extension; **lengths in the octets are changed**.

    ``cut``: where each row's extension begins and ends, the same place for one that has none. Where the lengths round
    the cut keep their size, they are mended where they stand, and what is left is hashed without being copied.
    """
    cut_start, cut_end = cut[0][rows], cut[1][rows]
    end = at.tbs_end[rows]
    contents = [one[rows] for one in (at.tbs_content, at.wrapper_content, at.extensions)]
    less = cut_end - cut_start
    stays = np.ones(len(rows), np.bool_)
    for content in contents:
        before = end - content
        stays &= _octets_of(before) == _octets_of(before - less)
    octets = data.data
    pairs = zip(rows.tolist(), stays.tolist(), strict=True)
    copies = [b"" if fits else _without(octets, at, cut, row) for row, fits in pairs]
    for content in contents:
        place, length = content[stays], (end - content - less)[stays]
        data[place - 1] = length & 0xFF
        long = length > 0xFF
        data[place[long] - 2] = length[long] >> 8
    # Where nothing is cut, the first slice is all of it.
    firsts, seconds = np.where(less == 0, end, cut_start), np.where(less == 0, end, cut_end)
    out = []
    for begin, first, second, stop, copy in zip(
        at.tbs[rows].tolist(), firsts.tolist(), seconds.tolist(), end.tolist(), copies, strict=True
    ):
        digest = sha256(copy or octets[begin:first])
        if second < stop and not copy:
            digest.update(octets[second:stop])
        out.append(digest.digest())
    return out


def _octets_of(length: Ints) -> Ints:
    """How many octets follow the first one of a length; -1 for a length of nothing at all."""
    return np.select([length <= 0, length < 0x80, length <= 0xFF], [-1, 0, 1], 2)


def _without(octets: memoryview, at: Outline, cut: tuple[Ints, Ints], row: int) -> bytes:
    """A TBSCertificate without what is cut from it, in new lengths."""
    kept = bytes(octets[int(at.extensions[row]) : int(cut[0][row])])
    kept += bytes(octets[int(cut[1][row]) : int(at.tbs_end[row])])
    # Without any extension left there is no field of them.
    mended = der.wrap(0xA3, der.wrap(der.SEQUENCE, kept)) if kept else b""
    return der.wrap(der.SEQUENCE, bytes(octets[int(at.tbs_content[row]) : int(at.wrapper[row])]) + mended)
