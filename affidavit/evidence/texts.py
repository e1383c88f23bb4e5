"""What a text without PEM marks is, told by markers of its content: captures of logs, lists, results, base64, prose.

Only the beginning is looked at, and only for what the form cannot be without; the readers say what is wrong inside.
What was meant as a certificate, base64 without PEM lines say, is never taken for prose.
"""

import base64
import binascii
import codecs
import re
from collections.abc import Callable, Iterator

from affidavit.evidence import values
from affidavit.evidence.item import Item, ItemKind
from affidavit.evidence.keys import refuse_base64, refuse_binary
from affidavit.evidence.octets import Buffer, windows

HEAD = 1024 * 1024
_SAMPLE = 1000
_UNPRINTABLE = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]+={0,2}")
#: The base64 of a certificate or CRL, quoted or damaged perhaps: a line that begins as a SEQUENCE of 128 octets or more
#: does, the end of a mark, or much base64 that is not hex: 160 letters, or four lines of 64 or 76 one after another.
_MEANT = re.compile(
    rb"^[ \t>|]*MI[^\s]{40,}[ \t\r]*$"
    rb"|(?:CERTIFICATE|CRL|PKCS7|CMS)-{2,}[ \t\r]*$"
    rb"|(?=[0-9A-Fa-f]{0,150}[G-Zg-z+/])[A-Za-z0-9+/]{160}"
    rb"|(?:^[ \t>|]{0,8}(?=[^\n]{0,75}[g-zG-Z+/])[A-Za-z0-9+/]{64}(?:[A-Za-z0-9+/]{12})?[ \t\r]*\n){4}",
    re.MULTILINE,
)
_ZLINT = re.compile(rb'"[ewn]_[a-z0-9_]+"\s*:\s*\{\s*"(?:result|details)"\s*:')
_EMPTY = re.compile(rb'\{\s*"(entries|results)"\s*:\s*\[\s*\]\s*\}\s*')
_LOG = re.compile(rb'"(?:log_id|mmd|maximum_merge_delay)"\s*:')
_FINGERPRINT = re.compile(
    r"[\s\"'*<-]*(?:(?:sha-?256\s*(?:fingerprint)?\s*[:=]\s*)?[0-9a-f]{2}(?::?[0-9a-f]{2}){31}"
    r"|https?://(?:www\.)?crt\.sh/?\?(?:id|q|sha256|d|serial)=[0-9a-f:%]+[^\s,;]*)[\s\"',;>]*",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"\s*(?:#|//|;)")
_LIST_HEADINGS = {"sha256", "sha-256", "fingerprint", "fingerprints", "sha256 fingerprint", "sha-256 fingerprint"}
_CRTSH = {"issuer_ca_id", "name_value", "entry_timestamp", "logged_at", "matching_identities", "crt.sh_id"}
_CCADB = re.compile(r"\b(?:pre)?certificate sha-?256 (?:hash|fingerprint)", re.IGNORECASE)
_CHECKPOINT = re.compile(rb"[^\n]+\n(?:0|[1-9][0-9]{0,19})\n[A-Za-z0-9+/]{43}=\n(?:[^\n]+\n)*\n\xe2\x80\x94 ")


def readable(head: bytes) -> bool:
    """Whether the first octets of a file are UTF-8 text without control characters."""
    if _UNPRINTABLE.search(head):
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def items(data: Buffer) -> Iterator[Item]:
    """What a text without PEM marks is. Raises PrivateKeyFound."""
    refuse_base64(data)
    head = bytes(data[:HEAD])
    for kind, told in _FORMS:
        if told(head):
            yield Item(0, kind, bytes(data))
            return
    found = list(_bare(data, head))
    if found:
        yield from found
    elif not _is_utf8(data):
        yield Item(0, ItemKind.UNKNOWN, fault="neither PEM nor DER, nor a text in UTF-8: nothing was recognised")
    elif any(_MEANT.search(window) for window in windows(data, overlap=1000)):
        fault = "base64 as of a certificate stands here without the PEM lines BEGIN and END round it"
        yield Item(0, ItemKind.UNKNOWN, fault=fault)
    else:
        yield Item(0, ItemKind.TEXT, bytes(data))


def _is_utf8(data: Buffer) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for window in windows(data):
            decoder.decode(window)
            if _UNPRINTABLE.search(window):
                return False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


# --- forms ------------------------------------------------------------------------------------------------------------


def _is_json(head: bytes, opening: bytes = b"{[") -> bool:
    return head.lstrip()[:1] in [opening[i : i + 1] for i in range(len(opening))]


def _is_entries(head: bytes) -> bool:
    """RFC 6962 4.6; an answer without entries is one, too."""
    if not _is_json(head, b"{"):
        return False
    return (b'"entries"' in head and b'"leaf_input"' in head) or _only(head, b"entries")


def _only(head: bytes, name: bytes) -> bool:
    found = _EMPTY.fullmatch(head.strip())
    return found is not None and found[1] == name


def _is_log_list(head: bytes) -> bool:
    return _is_json(head, b"{") and b'"operators"' in head and b'"logs"' in head and _LOG.search(head) is not None


def _is_lints(head: bytes) -> bool:
    """The output of zlint (one object, or one a line) or of pkilint."""
    if not _is_json(head):
        return False
    pkilint = b'"finding_descriptions"' in head and b'"node_path"' in head
    return pkilint or _ZLINT.search(head) is not None or _only(head, b"results")


def _is_crtsh_json(head: bytes) -> bool:
    return _is_json(head) and b'"issuer_ca_id"' in head and (b'"name_value"' in head or b'"serial_number"' in head)


def _heading(head: bytes) -> list[str]:
    """The cells of a table's first line, in lower case."""
    line = head.lstrip().split(b"\n", 1)[0][:10_000].decode("utf-8", "replace")
    separator = max(",;\t", key=line.count)
    return [cell.strip().strip("\"'").strip().lower() for cell in line.split(separator)]


def _is_ccadb(head: bytes) -> bool:
    cells = _heading(head)
    return len(cells) > 1 and any(_CCADB.match(cell) for cell in cells)


def _is_crtsh_csv(head: bytes) -> bool:
    return len(_CRTSH.intersection(cell.replace(" ", "_") for cell in _heading(head))) > 1


def _is_fingerprints(head: bytes) -> bool:
    """Whether most lines hold one fingerprint or one link to crt.sh, and nothing else; a damaged one among them."""
    lines = head.decode("utf-8", "replace").splitlines()
    if len(head) == HEAD:
        lines = lines[:-1]
    told = [line for line in lines[: 2 * _SAMPLE] if line.strip() and not _COMMENT.match(line)][:_SAMPLE]
    if told and told[0].strip().strip('"').lower() in _LIST_HEADINGS:
        if len(told) == 1:
            return True
        told = told[1:]
    return sum(1 for line in told if len(line) < 300 and _FINGERPRINT.fullmatch(line)) * 2 > len(told) > 0


def _is_checkpoint(head: bytes) -> bool:
    """A note with origin, tree size, root hash and signatures (C2SP tlog-checkpoint and signed-note)."""
    return _CHECKPOINT.match(head[:100_000].replace(b"\r\n", b"\n")) is not None


_FORMS: list[tuple[ItemKind, Callable[[bytes], bool]]] = [
    (ItemKind.ENTRIES, _is_entries),
    (ItemKind.LOG_LIST, _is_log_list),
    (ItemKind.CRTSH_JSON, _is_crtsh_json),
    (ItemKind.LINTS, _is_lints),
    (ItemKind.CHECKPOINT, _is_checkpoint),
    (ItemKind.CCADB, _is_ccadb),
    (ItemKind.CRTSH_CSV, _is_crtsh_csv),
    (ItemKind.FINGERPRINTS, _is_fingerprints),
]


# --- base64 without PEM lines -----------------------------------------------------------------------------------------


def _bare(data: Buffer, head: bytes) -> Iterator[Item]:
    """The values of a file that is base64 of DER and nothing else: in one piece, or one value a line."""
    start = head.strip().strip(b'"')[:64]
    if not re.match(rb"M[A-P]", start) or not all(_BASE64.fullmatch(word) for word in start.split()):
        return
    words = bytes(data).strip().strip(b'"').split()
    if not all(_BASE64.fullmatch(word) for word in words):
        return  # other text; lines that were meant as base64 are looked for there
    lines = [_decoded(word) for word in words]
    if len(words) > 1 and all(line and values.is_one_value(line) for line in lines):
        content = b"".join(lines)
    else:
        content = _decoded(b"".join(words))
    if content:
        refuse_binary(content)
    meant = start.startswith(b"MI") and len(start) > 40
    if content and (values.is_one_value(content) or meant):
        yield from values.concatenated(content)
    elif meant:
        yield Item(0, ItemKind.UNKNOWN, fault="base64 as of a certificate, but damaged: it cannot be decoded")


def _decoded(text: bytes) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
