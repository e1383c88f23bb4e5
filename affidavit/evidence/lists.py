"""Lists that name certificates without holding them: crt.sh's answers, the CCADB's appendix, fingerprints, links.

Such a list is somebody's word. What it says is kept as it says it; a value that cannot be read is null, with a fault.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from affidavit.evidence.der import DerError
from affidavit.evidence.item import Fault, Read
from affidavit.serials import parse_serial, show_serial

CRTSH_CAP = 10_000
"""crt.sh shows at most so many rows: a random subset of what there is beyond, and it says so in its HTML alone."""
MAX_ROWS = 2_000_000
MAX_CELL = 1_000_000
_SHA256 = re.compile(r"[0-9a-f]{64}")
_ID = re.compile(r"[0-9]{1,18}")
_NOTHING = {"", "n/a", "na", "none", "-", "null", "&nbsp;", "not applicable"}


class _Listed:
    """The rows of one list, and what of it cannot be read."""

    def __init__(self, form: str) -> None:
        self.form = form
        self.read = Read(rows={"lists": []}, source={"form": form})

    def row(self, position: int, values: Mapping[str, Any]) -> None:
        self.read.rows["lists"].append({"form": self.form, "dns_names": [], **values, "position": position})

    def fault(self, position: int, field: str, reason: str) -> None:
        self.read.faults.append(Fault(position, field, reason))

    def value(self, position: int, field: str, text: object, reader: Callable[[str], Any]) -> Any:
        """A cell's value; null where it holds none, and where it cannot be read, which is a fault."""
        if text is None or str(text).strip().lower() in _NOTHING:
            return None
        try:
            return reader(str(text).strip())
        except ValueError as error:
            self.fault(position, field, str(error))
            return None

    def capped(self) -> Read:
        """The list, marked where it may be cut at crt.sh's cap; more rows than that come of several answers."""
        self.read.source["capped"] = len(self.read.rows["lists"]) >= CRTSH_CAP
        return self.read


def fingerprint(text: str) -> str:
    """A SHA-256 in lower-case hex from the ways people write it; ValueError."""
    bare = re.sub(r"[:\s]", "", text).lower().removeprefix("'")
    if not _SHA256.fullmatch(bare):
        raise ValueError(f"{text[:80]!r} is no SHA-256: 64 hexadecimal digits are wanted")
    return bare


def _serial(text: str) -> str:
    return show_serial(parse_serial(text.removeprefix("'")))


def _id(text: str) -> int:
    if not _ID.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is no crt.sh ID")
    return int(text)


def _utc(text: str) -> datetime:
    """A time as naive UTC; one without a zone is meant in UTC, as crt.sh and the CCADB's appendix write it."""
    try:
        found = datetime.fromisoformat(text.removesuffix(" UTC").removesuffix(" GMT"))
    except ValueError:
        raise ValueError(f"{text[:40]!r} is no date or time as ISO 8601 has it") from None
    try:
        return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found
    except OverflowError:
        raise ValueError(f"{text[:40]!r} lies outside the calendar") from None


def _names(text: str) -> list[str]:
    return [name for name in re.split(r"[\s,;]+", text.removeprefix("'")) if name]


_CRTSH: dict[str, tuple[str, Callable[[str], Any]]] = {
    "id": ("crtsh_id", _id),
    "serial_number": ("serial", _serial),
    "common_name": ("subject", str),
    "issuer_name": ("issuer", str),
    "name_value": ("dns_names", lambda text: text.split("\n")),
    "not_before": ("not_before", _utc),
    "not_after": ("not_after", _utc),
    "entry_timestamp": ("logged_at", _utc),
}


def read_crtsh_json(data: bytes) -> Read:
    """An answer of crt.sh as JSON: an index, never evidence of a certificate's content."""
    try:
        answer = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DerError(f"no JSON: {error}") from None
    if isinstance(answer, dict):
        answer = [answer]
    if not isinstance(answer, list) or len(answer) > MAX_ROWS:
        raise DerError("no list of records as crt.sh gives it")
    found = _Listed("crt.sh json")
    for position, one in enumerate(answer, 1):
        if not isinstance(one, dict):
            found.fault(position, "", "a record that is no object")
            continue
        row = {
            column: value
            for key, (column, reader) in _CRTSH.items()
            if (value := found.value(position, column, one.get(key), reader)) is not None
        }
        if "crtsh_id" not in row and "serial" not in row:
            found.fault(position, "", "a record with neither ID nor serial number")
            continue
        found.row(position, row)
    return found.capped()


_CRTSH_CSV = {
    "crt.sh id": "id", "id": "id", "logged at": "entry_timestamp", "entry timestamp": "entry_timestamp",
    "not before": "not_before", "not after": "not_after", "common name": "common_name",
    "matching identities": "name_value", "name value": "name_value", "issuer name": "issuer_name",
    "serial number": "serial_number",
}  # fmt: skip


def read_crtsh_csv(data: bytes) -> Read:
    r"""An answer of crt.sh as CSV: dates alone, ``&nbsp;`` for nothing, and quotes as ``\\"``, unlike RFC 4180."""
    found = _Listed("crt.sh csv")
    rows = _table(data, escape="\\")
    keys = [_CRTSH_CSV.get(_plain(name)) for name in next(rows, (0, []))[1]]
    for position, (_, cells) in enumerate(rows, 1):
        row = {}
        for key, cell in zip(keys, cells, strict=False):
            if key is not None:
                column, reader = _CRTSH[key]
                value = found.value(position, column, cell.replace("&nbsp;", " "), reader)
                row.update({column: value} if value is not None else {})
        if "crtsh_id" not in row and "serial" not in row:
            found.fault(position, "", "a row with neither ID nor serial number")
            continue
        found.row(position, row)
    return found.capped()


_YES = {"yes": True, "y": True, "true": True, "1": True, "revoked": True,
        "no": False, "n": False, "false": False, "0": False, "not revoked": False}  # fmt: skip


def _yes_or_no(text: str) -> bool:
    if text.lower() not in _YES:
        raise ValueError(f"{text[:40]!r} is neither yes nor no")
    return _YES[text.lower()]


def _reason(text: str) -> str:
    """A reason by its name in RFC 5280; other words as they stand."""
    from affidavit.evidence.oids import REASONS

    names = {name.lower(): name for name in REASONS.values()}
    bare = re.sub(r"[^a-z]", "", text.lower())
    if re.fullmatch(r"[0-9]{1,2}", text) and int(text) in REASONS:
        return REASONS[int(text)]
    return names.get(bare, text)


# Both spellings in use, of the guidelines 3.x and older; matched without case, blanks and marks.
_CCADB: dict[str, tuple[str, Callable[[str], Any]]] = {
    "subject": ("subject", str),
    "subjectdn": ("subject", str),
    "issuer": ("issuer", str),
    "issuerdn": ("issuer", str),
    "notbefore": ("not_before", _utc),
    "validfrom": ("not_before", _utc),
    "notafter": ("not_after", _utc),
    "validto": ("not_after", _utc),
    "serial": ("serial", _serial),
    "serialnumber": ("serial", _serial),
    "dnsnames": ("dns_names", _names),
    "dnsname": ("dns_names", _names),
    "isrevoked": ("is_revoked", _yes_or_no),
    "revocationdate": ("revoked_at", _utc),
    "revocationreason": ("reason", _reason),
}
_HASHES = {
    "precertificatesha256hash": "precertificate", "precertificatesha256fingerprint": "precertificate",
    "certificatesha256hash": "sha256", "certificatesha256fingerprint": "sha256", "sha256hash": "sha256",
    "sha256": "sha256", "sha256fingerprint": "sha256",
}  # fmt: skip


def read_ccadb(data: bytes) -> Read:
    """The CCADB's affected-certificates appendix as CSV (incident reporting guidelines 3.x and before).

    Several hashes in one cell, parted by blanks or commas, give a row each. A leading ``'`` (which keeps spreadsheets
    from taking a cell for a formula) is left off.
    """
    found = _Listed("ccadb")
    rows = _table(data)
    header = next(rows, (0, []))[1]
    keys = [re.sub(r"[^a-z0-9]", "", name.lower()) for name in header]
    for position, (_, cells) in enumerate(rows, 1):
        row: dict[str, Any] = {}
        hashes: dict[str, list[str]] = {"sha256": [], "precertificate": []}
        for key, cell in zip(keys, cells, strict=False):
            text = cell.strip().removeprefix("'")
            if key in _HASHES:
                column = _HASHES[key]
                for one in re.split(r"[\s,;]+", text):
                    value = found.value(position, column, one, fingerprint)
                    hashes[column] += [value] if value else []
            elif key in _CCADB:
                column, reader = _CCADB[key]
                value = found.value(position, column, text, reader)
                row.update({column: value} if value is not None else {})
        if not any(hashes.values()) and "serial" not in row:
            found.fault(position, "", "a row with neither hash nor serial number")
            continue
        for index in range(max(1, *(len(some) for some in hashes.values()))):
            named = {column: some[index] for column, some in hashes.items() if index < len(some)}
            found.row(position, {**row, **named})
    return found.read


_LINK = re.compile(r"https?://(?:www\.)?crt\.sh/?\?\S+", re.IGNORECASE)


def read_fingerprints(data: bytes) -> Read:
    """SHA-256 fingerprints or links to crt.sh, one a line; ``#`` begins a comment."""
    text = _text(data)
    found = _Listed("crt.sh links" if _LINK.search(text) else "fingerprints")
    for position, line in enumerate(text.splitlines(), 1):
        bare = re.sub(r"(^|\s)(#|//).*", "", line).strip().strip("\"'<>,;*- \t")
        if not bare or bare.lower() in ("sha256", "sha-256", "fingerprint", "fingerprints", "sha256 fingerprint"):
            continue
        if position > MAX_ROWS:
            raise DerError(f"more than {MAX_ROWS:,} lines")
        try:
            link = _LINK.fullmatch(bare)
            if link is None:
                bare = re.sub(r"^sha-?256\s*(fingerprint)?\s*[:=]\s*", "", bare, flags=re.IGNORECASE)
            found.row(position, _from_link(bare) if link else {"sha256": fingerprint(bare)})
        except ValueError as error:
            found.fault(position, "", str(error))
    return found.read


def _from_link(link: str) -> dict[str, Any]:
    """What a link to crt.sh names."""
    asked = parse_qs(urlsplit(link).query)
    for key in ("sha256", "q", "d", "id", "serial"):
        if key in asked:
            text = unquote(asked[key][0]).strip()
            if key == "serial":
                return {"serial": _serial(text)}
            if key in ("id", "d") or _ID.fullmatch(text):
                return {"crtsh_id": _id(text)}
            return {"sha256": fingerprint(text)}
    raise ValueError(f"{link[:80]!r} names no certificate")


def _text(data: bytes) -> str:
    try:
        return bytes(data).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DerError(f"not UTF-8: {error.reason} at octet {error.start}") from None


def _plain(name: str) -> str:
    return re.sub(r"[\s_]+", " ", name).strip().lower()


def _table(data: bytes, escape: str | None = None) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV with their line numbers; DerError where it is none."""
    text = _text(data)
    csv.field_size_limit(MAX_CELL)
    first = text.lstrip().split("\n", 1)[0]
    separator = max(",;\t", key=first.count)
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=separator, escapechar=escape, doublequote=escape is None
    )
    try:
        for number, cells in enumerate(reader):
            if number > MAX_ROWS:
                raise DerError(f"more than {MAX_ROWS:,} rows")
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise DerError(f"no CSV from line {reader.line_num} on: {error}") from None
