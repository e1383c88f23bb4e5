"""Embedded SCTs verified under the keys of logs (RFC 6962 3.2): pure functions, made for worker processes.

What a log signed is rebuilt by cutting the SCT list out of the certificate's bytes, never by encoding it again: the
faults of a certificate are signed along with it. That a log is retired or was rejected does not make its signature
wrong; its key is used as any other.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from affidavit.evidence.certificate import read_certificate
from affidavit.evidence.der import DerError
from affidavit.evidence.sct import Sct, signed_bytes
from affidavit.evidence.signatures import sct_verifies

MAX_SCTS = 100
"""So many SCTs of one certificate are verified; those beyond have no result."""
MAX_TBS = (1 << 24) - 1
"""The longest TBSCertificate that a log entry has room for, in octets (RFC 6962 3.2)."""


class Result(StrEnum):
    """What is said of an SCT's signature."""

    VALID = "valid"
    INVALID = "invalid"
    UNKNOWN_LOG = "unknown log"
    NO_ISSUER = "no issuer"


def verify_scts(ders: Iterable[bytes], issuers: Sequence[bytes | None], logs: Mapping[str, bytes]) -> list[list[str]]:
    """For each certificate the results of its embedded SCTs, in order; empty where it, the list or what they sign
    cannot be read.

    ``issuers``: for each certificate the SubjectPublicKeyInfo of its final issuer, None where that is not at hand.
    ``logs``: log ID, lower-case hex, to the log's SubjectPublicKeyInfo.
    """
    return [_results(data, issuer, logs) for data, issuer in zip(ders, issuers, strict=True)]


def _results(data: bytes, issuer: bytes | None, logs: Mapping[str, bytes]) -> list[str]:
    try:
        certificate = read_certificate(data)
    except (DerError, ValueError, IndexError):
        return []
    if not certificate.precert_tbs:
        return []  # in BER: what the SCTs promise for is not there to be cut
    return [str(_result(sct, certificate.precert_tbs, issuer, logs)) for sct in certificate.scts[:MAX_SCTS]]


def _result(sct: Sct, precert_tbs: bytes, issuer: bytes | None, logs: Mapping[str, bytes]) -> Result:
    log = logs.get(sct.log_id)
    if log is None:
        return Result.UNKNOWN_LOG
    if issuer is None:
        return Result.NO_ISSUER
    # Of another version than v1 nothing but the log ID's place is known (RFC 6962 3.2).
    if sct.version != 0 or not 0 < len(precert_tbs) <= MAX_TBS:
        return Result.INVALID
    signed = signed_bytes(sct, issuer, precert_tbs)
    good = sct_verifies(log, sct.hash_algorithm, sct.signature_algorithm, sct.signature, signed)
    return Result.VALID if good else Result.INVALID
