"""Where the program keeps what it can make again: outside every project.

What lies in a checkout may come from a stranger's pull request, so nothing in it is ever taken for a result of ours.
"""

import os
from collections.abc import Mapping
from pathlib import Path


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path | None:
    """The program's folder below ``$XDG_CACHE_HOME`` (XDG Base Directory Specification), else ``~/.cache``.

    A relative ``XDG_CACHE_HOME`` is not valid and is passed over. None where there is no home either, or where the
    folder belongs to somebody else.
    """
    stated = environ.get("XDG_CACHE_HOME", "")
    home = environ.get("HOME", "")
    base = Path(stated) if stated and Path(stated).is_absolute() else Path(home) / ".cache" if home else None
    if base is None or not base.is_absolute():
        return None
    folder = base / "affidavit"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if hasattr(os, "getuid") and folder.stat().st_uid != os.getuid():
            return None
    except OSError:
        return None
    return folder


def find_root(start: Path) -> Path:
    """The project that a folder lies in: the nearest one above it that holds ``reports/``, else itself."""
    for folder in (start, *start.parents):
        if (folder / "reports").is_dir():
            return folder
    return start
