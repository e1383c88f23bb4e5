"""What the careful reader says of a part of a certificate, asked by putting it into a sound one.

Issuer names, algorithms, key usages and the like repeat octet for octet over a corpus. The fast way asks for each
distinct one once, here, and so cannot give another value than the careful way does. Where the careful reader finds
anything wrong with the part, the answer is None, and the certificates that hold it are read carefully themselves.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from affidavit.evidence import der
from affidavit.evidence.certificate import read_certificate
from affidavit.evidence.der import DerError
from affidavit.evidence.parts import Memo

ISSUER, ALGORITHM, EXTENSION, ATTRIBUTE = "issuer", "algorithm", "extension", "attribute"
ALLOWANCE = 64
"""Parts of one kind that are always asked about if a batch has no more of them."""

_ECDSA = bytes.fromhex("300a06082a8648ce3d040302")
_VALIDITY = der.wrap(0x30, der.wrap(0x17, b"240101000000Z") + der.wrap(0x17, b"240330235959Z"))
# P-256 with its base point as key (SEC 2, 2.4.2).
_SPKI = bytes.fromhex(
    "3059301306072a8648ce3d020106082a8648ce3d030107034200"
    "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
)
_NONE_GIVEN = bytes.fromhex("300b0603551d0e040404020102")  # a subject key identifier
_SIGNATURE = bytes.fromhex("0309003006020101020101")


def _name(attribute: bytes) -> bytes:
    """A name of one attribute."""
    return der.wrap(0x30, der.wrap(0x31, der.wrap(0x30, attribute)))


_CN = _name(bytes.fromhex("06035504030c") + b"\x01a")


def carry(kind: str, part: bytes) -> bytes:
    """A certificate that is sound but for one part.

    ``part``: a Name, an AlgorithmIdentifier, an Extension (none at all where it is empty), or type and value of an
    attribute of the subject.
    """
    algorithm = part if kind == ALGORITHM else _ECDSA
    issuer = part if kind == ISSUER else _CN
    subject = _name(part) if kind == ATTRIBUTE else _CN
    extensions = part if kind == EXTENSION and part else _NONE_GIVEN
    tbs = b"".join(
        (
            b"\xa0\x03\x02\x01\x02\x02\x01\x01",
            algorithm, issuer, _VALIDITY, subject, _SPKI,
            der.wrap(0xA3, der.wrap(0x30, extensions)),
        )
    )  # fmt: skip
    return der.wrap(0x30, der.wrap(0x30, tbs) + algorithm + _SIGNATURE)


class Answers:
    """The careful reader's values for parts of one kind, remembered by their octets (a bounded number of them).

    Asking costs half as much as reading a whole certificate carefully. If a batch has more than ALLOWANCE of them, only
    those are asked about that are ``repeated`` so often in it.
    """

    def __init__(self, kind: str, columns: Sequence[str], repeated: int = 16) -> None:
        self._kind = kind
        self._repeated = repeated
        self._columns = tuple(columns)
        self._known = Memo()

    def ask(self, part: bytes) -> tuple[Any, ...] | None:
        """The values of the columns; None where anything is wrong with the part."""
        if part in self._known:
            found: tuple[Any, ...] | None = self._known[part]
            return found
        answer = None
        try:
            read = read_certificate(carry(self._kind, part))
        except DerError:
            pass
        else:
            if not read.faults and not read.irregular:
                answer = tuple(read.row[column] for column in self._columns)
        self._known.keep(part, answer)
        return answer

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that an answer is of."""
        return self._columns

    def to(self, codes: npt.NDArray[np.int32], parts: Sequence[bytes]) -> list[tuple[Any, ...] | None]:
        """The answers to the distinct parts of a batch, None to those that are not worth asking about.

        ``codes``: which one each certificate has.
        """
        worth = np.bincount(codes, minlength=len(parts)) >= (self._repeated if len(parts) > ALLOWANCE else 0)
        pairs = zip(parts, worth.tolist(), strict=True)
        return [self.ask(part) if asks or part in self._known else None for part, asks in pairs]
