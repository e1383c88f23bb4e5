"""What a check said, kept until anything that it rests on changes: then nothing need be loaded to say it again.

The key is a hash over the content of everything that a verdict rests on: the reports' folders, their evidence, the
program's code and its libraries' versions, and the call itself. Faults of the input are never kept.
"""

import base64
import contextlib
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from affidavit.clock import today
from affidavit.inputs import program_digest, tree_digest
from affidavit.settings import FILE, read_settings

KEPT = 100
"""So many outcomes are kept, the latest."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """An exit status, and what was written: contents with the files that they went to (None: standard output)."""

    status: int
    outputs: tuple[tuple[str | None, bytes], ...]


def call_key(root: Path, named: Sequence[str], settings: Sequence[str], store: Path) -> str | None:
    """The key of a check of some reports, by name, or of all; None where it cannot be told what it rests on."""
    from affidavit.evidence.files import EvidenceFile
    from affidavit.evidence.manifest import Manifest
    from affidavit.types import AffidavitError, Pos

    reports = root / "reports"
    slugs = sorted(path.parent.name for path in reports.glob("*/incident.yaml"))
    if named and not set(named) <= set(slugs):
        return None
    manifest = Manifest(store / "manifest.json")
    parts = [program_digest(), str(root.resolve()), list(named), list(settings), today().isoformat()]
    whole = hashlib.sha256(json.dumps(parts).encode())
    try:
        stated = read_settings(root)
        for place in (root / FILE, root / "pyproject.toml"):
            whole.update(hashlib.sha256(place.read_bytes()).digest() if place.is_file() else b"-")
        for name in sorted({stated.of(slug).baseline or "" for slug in named or slugs} - {""}):
            whole.update(hashlib.sha256((root / name).read_bytes()).digest())
        for slug in named or slugs:
            whole.update(f"\n{slug} {tree_digest([reports / slug])}\n".encode())
            folder = root / "evidence" / slug
            for path in sorted(folder.rglob("*")):
                if path.is_symlink() or not (path.is_file() or path.is_dir()):
                    return None  # what a link leads to may change unseen
                if path.is_file():
                    name = path.relative_to(folder).as_posix()
                    file = manifest.of(EvidenceFile(path, name), Pos(name))
                    whole.update(f"{name!r} {file.sha256}\n".encode())
    except (AffidavitError, OSError, UnicodeError):
        return None
    return whole.hexdigest()


def kept(store: Path, key: str) -> Outcome | None:
    """What a check of that key said; None where it is not known."""
    try:
        stated = json.loads((store / "checked" / f"{key}.json").read_text("ascii"))
        outputs = tuple((name, base64.b64decode(content, validate=True)) for name, content in stated["outputs"])
        if stated["key"] == key and stated["status"] in (0, 1):
            return Outcome(stated["status"], outputs)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None


def keep(store: Path, key: str, outcome: Outcome) -> None:
    """Remember what a check said; a folder that cannot be written to costs only time."""
    from affidavit.store import write_file

    if outcome.status not in (0, 1):
        return
    outputs = [[name, base64.b64encode(content).decode("ascii")] for name, content in outcome.outputs]
    content = json.dumps({"key": key, "status": outcome.status, "outputs": outputs}).encode()
    folder = store / "checked"
    with contextlib.suppress(OSError):
        write_file(folder / f"{key}.json", content)
        older = sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime, reverse=True)[KEPT:]
        for path in older:
            path.unlink(missing_ok=True)
