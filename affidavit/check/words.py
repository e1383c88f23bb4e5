"""Columns that only ever hold certain words. A value outside them is a slip of the pen, never a fact."""

from collections.abc import Iterable
from dataclasses import dataclass

from affidavit.evidence import oids
from affidavit.tables import CERTIFICATES, REVOCATIONS, SCTS, Column, Table


@dataclass(frozen=True, slots=True)
class Words:
    """The words that a column holds; ``oids`` says whether it holds dotted OIDs beside them."""

    names: frozenset[str]
    oids: bool = False


def _column(table: Table, name: str) -> Column:
    column = table.column(name)
    if column is None:
        raise KeyError(name)
    return column


def _words(table: Table, name: str, names: Iterable[str], *, beside_oids: bool = False) -> tuple[Column, Words]:
    return _column(table, name), Words(frozenset(names), beside_oids)


_KINDS = ("certificate", "precertificate")
_HASHES = {*oids.HASHES.values(), *(hashed for _, hashed in oids.SIGNATURES.values() if hashed)}
_WORDS: dict[Column, Words] = dict(
    (
        _words(CERTIFICATES, "kind", _KINDS),
        _words(SCTS, "kind", _KINDS),
        _words(CERTIFICATES, "signature_hash", _HASHES),
        _words(CERTIFICATES, "signature_algorithm", (name for name, _ in oids.SIGNATURES.values()), beside_oids=True),
        _words(CERTIFICATES, "key_type", oids.KEYS.values(), beside_oids=True),
        _words(CERTIFICATES, "validation", oids.VALIDATION.values()),
        _words(CERTIFICATES, "key_usage", oids.KEY_USAGES),
        _words(CERTIFICATES, "extended_key_usage", oids.EXTENDED_KEY_USAGES.values(), beside_oids=True),
        _words(SCTS, "signature", ("valid", "invalid", "unknown log", "no issuer")),
        _words(REVOCATIONS, "reason", oids.REASONS.values()),
    )
)


def known_words(column: Column) -> Words | None:
    """The words that a column holds, where they are a closed set; None else."""
    return _WORDS.get(column)
