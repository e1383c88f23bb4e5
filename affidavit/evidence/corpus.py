"""What facts tables are to be made of: collections of files, and what of them is wanted."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from affidavit.columns import Made
from affidavit.evidence.manifest import SourceFile
from affidavit.tables import TABLES


@dataclass(frozen=True)
class Group:
    """A collection: its files, files whose certificates only help to link, and the files that it trusts.

    ``trust`` is None where it says ``trust: none``; ``stated`` what the incident file says of single files (columns
    of the table ``sources`` by file name), ``excused`` why an unreadable file stands there all the same.
    """

    name: str
    files: tuple[SourceFile, ...]
    issuers: tuple[SourceFile, ...] = ()
    trust: tuple[SourceFile, ...] | None = None
    stated: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    excused: Mapping[str, str] = field(default_factory=dict)


class Lint(NamedTuple):
    """A rule that pkilint is to hold against the certificates of a collection, of one kind (or `any`)."""

    collection: str
    kind: str
    profile: str
    code: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of the costly columns, tables and lints are asked for."""

    detail: bool = False
    weak_key: bool = False
    sct_signature: bool = False
    pairs: bool = False
    names: bool = False
    extensions: bool = False
    lints: tuple[Lint, ...] = ()

    @classmethod
    def everything(cls) -> "Wanted":
        """All but the tests of keys and lints, which few reports are about."""
        return cls(detail=True, sct_signature=True, pairs=True, names=True, extensions=True)

    @classmethod
    def by(cls, tables: Iterable[str], columns: Iterable[str]) -> "Wanted":
        """What claims that name these tables and columns need."""
        named, made = set(tables), {one for name in columns for one in _made().get(name, ())}
        return cls(
            detail=Made.DETAIL in made,
            weak_key=Made.WEAK_KEY in made,
            sct_signature=Made.SCT_SIGNATURE in made,
            pairs="pairs" in named,
            names="names" in named,
            extensions="extensions" in named,
        )

    def __or__(self, other: "Wanted") -> "Wanted":
        flags = {n: getattr(self, n) or getattr(other, n) for n in self.__slots__ if n != "lints"}
        return Wanted(**flags, lints=tuple(sorted({*self.lints, *other.lints})))

    def tables(self) -> list[str]:
        """The facts tables that are made."""
        lacking = {n for n in ("pairs", "names", "extensions") if not getattr(self, n)}
        return [name for name in TABLES if name not in lacking]

    def columns(self, table: str) -> list[str]:
        """The columns of a table that are made, in order."""
        made = {Made.READ, Made.LINKED}
        made |= {Made.DETAIL} if self.detail else set()
        made |= {Made.WEAK_KEY} if self.weak_key else set()
        made |= {Made.SCT_SIGNATURE} if self.sct_signature else set()
        return TABLES[table].made_when(*made)


@cache
def _made() -> dict[str, set[Made]]:
    """How the columns of each name are made."""
    found: dict[str, set[Made]] = {}
    for table in TABLES.values():
        for column in table.columns:
            found.setdefault(column.name, set()).add(column.made)
    return found
