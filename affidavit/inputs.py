"""What a built report rests on, as one hash: its files, its evidence, the templates, the program itself."""

import hashlib
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from importlib import metadata
from pathlib import Path

from affidavit import __version__

_LIBRARIES = (
    "certifi", "cryptography", "duckdb", "jinja2", "markdown", "nh3", "numpy", "pikepdf", "pyarrow", "pydantic",
    "pyyaml", "sqlglot", "tzdata", "weasyprint",
)  # fmt: skip
_OPTIONAL = ("badkeys", "pkilint")


def tree_digest(folders: Iterable[Path]) -> str:
    """SHA-256 over the names and contents of all files below some folders; links are followed as files."""
    whole = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            if path.is_file() and "__pycache__" not in path.parts:
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
    for path in sorted(path for path in package.rglob("*") if path.suffix in (".py", ".csv")):
        whole.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    for name in _LIBRARIES:
        whole.update(f"{name}={metadata.version(name)}\n".encode())
    for name in _OPTIONAL:
        with suppress(metadata.PackageNotFoundError):
            whole.update(f"{name}={metadata.version(name)}\n".encode())
    return whole.hexdigest()


def report_key(report: Path, evidence: Path, templates: Iterable[Path], settings: Mapping[str, str]) -> str:
    """The hash that a report's outputs are a function of.

    ``report`` and ``evidence`` are its two folders; ``settings`` whatever else changes the output.
    """
    parts = [program_digest(), tree_digest([report]), tree_digest([evidence]), tree_digest(templates)]
    parts += [f"{name}={value}" for name, value in sorted(settings.items())]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
