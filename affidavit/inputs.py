"""What a built report rests on, as one hash: its files, its evidence, the templates, the program itself."""

import hashlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from zoneinfo import TZPATH

from affidavit import __version__

_LIBRARIES = (
    "certifi", "cryptography", "duckdb", "jinja2", "markdown", "nh3", "numpy", "pikepdf", "pyarrow", "pydantic",
    "pyyaml", "sqlglot", "tzdata", "weasyprint",
)  # fmt: skip
_OPTIONAL = ("badkeys", "pkilint")


def tree_digest(folders: Iterable[Path]) -> str:
    """SHA-256 over the names and contents of all files below some folders; links are followed as files.

    Where a link leads is part of it: one to a folder is not walked into, and files may be read through it.
    """
    whole = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            if path.is_symlink():
                whole.update(
                    b"\xfe" + f"{path.relative_to(folder)}\0{path.readlink()}\0".encode(errors="surrogateescape")
                )
            compiled = path.parent.name == "__pycache__" and path.suffix == ".pyc"
            if path.is_file() and not compiled:
                name = path.relative_to(folder).as_posix().encode()
                content = hashlib.sha256(path.read_bytes()).digest()
                whole.update(len(name).to_bytes(4, "big") + name + content)
        whole.update(b"\xff" * 4)
    return whole.hexdigest()


@cache
def program_digest() -> str:
    """SHA-256 over the program's code and data, and the versions of the libraries that verdicts and pages rest on."""
    whole = hashlib.sha256(f"{__version__} {sys.version}".encode())
    package = Path(__file__).resolve().parent
    for path in sorted(_files(str(package))):
        with open(path, "rb") as stream:  # noqa: PTH123 - some hundred files at each start: a Path each is felt
            whole.update(path[len(str(package)) :].encode() + b"\0" + stream.read())
    versions = _versions((*_LIBRARIES, *_OPTIONAL))
    for name in (*_LIBRARIES, *_OPTIONAL):
        whole.update(f"{name}={versions.get(name)}\n".encode())
    for folder in TZPATH:
        whole.update(_zones(Path(folder)))
    return whole.hexdigest()


def _files(folder: str) -> Iterator[str]:
    """The program's code and data."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir() and entry.name != "__pycache__":
                yield from _files(entry.path)
            elif entry.name.endswith((".py", ".csv")):
                yield entry.path


def _versions(names: Iterable[str]) -> dict[str, str]:
    """The versions of those of some libraries that are installed.

    The names of installed libraries' folders say them (Binary distribution format, "The .dist-info directory"); only
    where none does is the library asked, since that takes longer than all else that is done here.
    """
    left, found = set(names), dict[str, str]()
    for place in filter(os.path.isdir, sys.path):
        for entry in os.listdir(place):  # noqa: PTH208
            if entry.endswith(".dist-info"):
                name, _, version = entry.removesuffix(".dist-info").partition("-")
                name = name.lower().replace("_", "-")
                if name in left:
                    left.remove(name)
                    found[name] = version
    for name in sorted(left.intersection(_LIBRARIES)):
        from importlib import metadata

        found[name] = metadata.version(name)
    return found


def _zones(folder: Path) -> bytes:
    """The hash of a folder of time zones: of the source that they were compiled from where it lies there, else of all.

    The system's come before those of the library `tzdata`, and where a day begins rests on them.
    """
    source = folder / "tzdata.zi"
    if source.is_file():
        return hashlib.sha256(source.read_bytes()).digest()
    return bytes.fromhex(tree_digest([folder]))


def report_key(report: Path, evidence: Path, templates: Iterable[Path], settings: Mapping[str, str]) -> str:
    """The hash that a report's outputs are a function of.

    ``report`` and ``evidence`` are its two folders; ``settings`` whatever else changes the output.
    """
    parts = [program_digest(), tree_digest([report]), tree_digest([evidence]), tree_digest(templates)]
    parts += [f"{name}={value}" for name, value in sorted(settings.items())]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
