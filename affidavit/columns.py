"""What a facts table and its columns are; the declarations themselves stand in ``affidavit/declared``."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How a column's values are typed, compared and shown."""

    TEXT = "text"
    HEX = "hex"
    SERIAL = "serial number"
    INTEGER = "integer"
    SECONDS = "seconds"
    BOOLEAN = "true or false"
    TIME = "UTC time"
    TEXTS = "list of text"


class Made(StrEnum):
    """When a column's values come about; the costly ones only where a claim or a page asks for them."""

    READ = "read"
    """Read from the item itself, always."""
    DETAIL = "detail"
    """Read from the item itself, on demand."""
    WEAK_KEY = "weak key"
    """Tests of the public key, on demand."""
    SCT_SIGNATURE = "SCT signature"
    """Log signatures verified, on demand."""
    LINKED = "linked"
    """What other evidence, or the incident file, says about it: issuer, collection, file."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, how it is typed, what it means, and what an empty value means.

    ``event`` marks the times of things that happened: a statement cannot name such a time that lies
    after the statement itself.
    """

    name: str
    kind: Kind
    text: str
    empty: str = ""
    event: bool = False
    made: Made = Made.READ


@dataclass(frozen=True, slots=True)
class Table:
    """A facts table: its columns in order, and the columns that tell one row from another.

    ``made`` is DETAIL for a table that is made on demand as a whole.
    """

    name: str
    text: str
    columns: tuple[Column, ...]
    identity: tuple[str, ...]
    shown: tuple[str, ...]
    made: Made = Made.READ

    def __hash__(self) -> int:
        # Of its name alone: scopes are looked up by the thousand, and a table has sixty columns.
        return hash(self.name)

    def column(self, name: str) -> Column | None:
        """The column of that name, or None."""
        return next((column for column in self.columns if column.name == name), None)

    def made_when(self, *made: Made) -> list[str]:
        """The names of the columns that come about at one of these times, in order."""
        return [column.name for column in self.columns if column.made in made]

    @property
    def names(self) -> list[str]:
        """Column names in order."""
        return [column.name for column in self.columns]
