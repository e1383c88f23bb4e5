"""The documents that a report quotes: text files below its evidence folder, each pinned by its SHA-256."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from affidavit.evidence import files
from affidavit.incident import schema
from affidavit.types import Diagnostic, InputError, Pos

if TYPE_CHECKING:
    from affidavit.passages import Words

MAX_OCTETS = 4 * 1024 * 1024
_HTML = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_ENCODED_MAIL = re.compile(r"^Content-Transfer-Encoding:\s*(?:base64|quoted-printable)\b", re.IGNORECASE | re.MULTILINE)
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Document:
    """A document as it was read: what it is called, whose it is, its file, and its text.

    ``file`` is relative to the evidence folder; ``date`` as the incident file writes it, empty where it does not.
    """

    name: str
    title: str
    by: str
    date: str
    file: str
    octets: int
    sha256: str
    text: str = field(repr=False)

    @cached_property
    def words(self) -> "Words":
        """Its text, taken apart for finding quotes in it."""
        from affidavit.passages import Words

        return Words(self.text)


def read_text(data: bytes) -> str:
    """The text of a document's bytes; ValueError says why they are none that words can be found in."""
    if len(data) > MAX_OCTETS:
        raise ValueError(f"it is larger than {MAX_OCTETS:,} octets; keep the part that is quoted")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not UTF-8 text (octet {error.start + 1:,}); save it as UTF-8 text") from None
    if "\0" in text:
        raise ValueError("it is not text: it holds null characters")
    if _HTML.match(text):
        raise ValueError("it is HTML, in which words can stand that nobody sees; save the page's text")
    head = text[:20_000].replace("\r\n", "\n").split("\n\n", 1)[0]
    if _ENCODED_MAIL.search(head):
        raise ValueError("it is a mail in transfer encoding; save the message's text")
    return text


def read_documents(
    stated: Mapping[str, "schema.Document"], folder: Path, place: Callable[..., Pos]
) -> tuple[dict[str, Document], list[Diagnostic]]:
    """The documents of a report by name, and what is wrong with the others.

    ``folder`` is the report's evidence folder; ``place`` tells where a value of the incident file stands.
    """
    found: dict[str, Document] = {}
    problems: list[Diagnostic] = []
    for name, one in stated.items():
        where = place("documents", name, "file")
        try:
            hits = files.find(folder, [(one.file, where)])
            if len(hits) != 1:
                message = f"{one.file!r} names {len(hits)} files"
                raise InputError(Diagnostic(where, "not-one-file", message, "a document is one file"))
            data = files.read(hits[0], where)
        except InputError as error:
            problems += error.diagnostics
            continue
        digest = sha256(data).hexdigest()
        if (wrong := _unpinned(name, one, digest, place)) is not None:
            problems.append(wrong)
            continue
        try:
            text = read_text(data)
        except ValueError as error:
            problems.append(Diagnostic(where, "not-a-text", f"the document {name!r} cannot be read: {error}"))
            continue
        found[name] = Document(
            name, one.title, one.by or "", one.date or "", hits[0].name, len(data), digest, text
        )  # fmt: skip
    return found, problems


def _unpinned(
    name: str, one: "schema.Document", digest: str, place: Callable[..., Pos]
) -> Diagnostic | None:  # fmt: skip
    """What is wrong with a document's pin: there is none, it is no hash, or the file is no longer what it was."""
    if one.sha256 is None:
        message = f"nothing pins the document {name!r}: it could be changed unseen"
        return Diagnostic(place("documents", name, key=True), "not-pinned", message, f"write `sha256: {digest}`")
    where = place("documents", name, "sha256")
    pinned = one.sha256.replace(":", "").strip().lower()
    if not _SHA256.fullmatch(pinned):
        return Diagnostic(where, "bad-value", f"{one.sha256!r} is no SHA-256", f"write `sha256: {digest}`")
    if pinned != digest:
        hint = (
            "put the file back as it was; or, if it has to be another, read again what is quoted of it and write "
            f"`sha256: {digest}`"
        )
        return Diagnostic(where, "document-changed", f"the document {name!r} is not the one that was pinned", hint)
    return None
