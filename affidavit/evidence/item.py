"""What passes from the recognition of forms to the readers, and from the readers to the facts tables."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple


class ItemKind(StrEnum):
    """What a piece of a file is, told from its content."""

    CERTIFICATE = "certificate"
    ISSUER = "issuer"
    """A certificate that only helps to link others: a chain's in a log entry, a responder's in an OCSP response."""
    CRL = "crl"
    OCSP = "ocsp"
    ENTRIES = "get-entries"
    TILE = "data tile"
    CHECKPOINT = "checkpoint"
    LOG_LIST = "log list"
    CRTSH_JSON = "crt.sh json"
    CRTSH_CSV = "crt.sh csv"
    CCADB = "ccadb csv"
    FINGERPRINTS = "fingerprints"
    LINTS = "linter results"
    PARQUET = "parquet"
    ARROW = "arrow"
    TEXT = "text"
    NOTHING = "nothing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing in a file: its number from 1 (0: the file itself), what it is, and its octets, or why they are none.

    ``member`` is its path inside an archive; positions then count within that member.
    """

    position: int
    kind: str
    data: bytes = b""
    fault: str = ""
    member: str = ""


class Fault(NamedTuple):
    """What is wrong with an item or a part of it; ``irregular``: it was read all the same."""

    position: int
    field: str
    reason: str
    irregular: bool = False
    certificate: str = ""


@dataclass(slots=True)
class Read:
    """What a reader makes of one item.

    ``rows``: by table, the columns made when read (``Made.READ``), and ``position`` where the table has it.
    ``certificates``: position and DER of the certificates inside, to be read as evidence in turn; ``issuers``: DER of
    such as only help to link. ``source``: columns of the table ``sources`` that the content tells.
    """

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    certificates: list[tuple[int, bytes]] = field(default_factory=list)
    issuers: list[bytes] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    source: dict[str, Any] = field(default_factory=dict)
