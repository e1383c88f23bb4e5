"""Certificates that others made: the vectors of ``cryptography``, and samples kept beside the checkout."""

import tarfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import cryptography_vectors
import pytest

from affidavit.evidence import forms

SHARED = Path(__file__).resolve().parents[3] / "shared"
VECTORS = Path(cryptography_vectors.__file__).parent / "x509"


@cache
def vector_files() -> tuple[Path, ...]:
    """Every file below ``x509/`` that may hold a certificate or CRL, sorted."""
    wanted = {".pem", ".der", ".crt", ".cer", ".crl"}
    return tuple(sorted(path for path in VECTORS.rglob("*") if path.suffix in wanted))


@cache
def vector_certificates() -> tuple[tuple[str, bytes], ...]:
    """Name and DER of each certificate that stands in them."""
    found = []
    for path in vector_files():
        try:
            listed = list(forms.items(path.read_bytes()))
        except forms.PrivateKeyFound:
            continue
        name = path.relative_to(VECTORS).as_posix()
        found += [(f"{name}#{item.position}", item.data) for item in listed if item.kind == "certificate"]
    return tuple(found)


def shared(name: str) -> Path:
    """A file or folder of the samples; the test is skipped where they are not at hand."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"the samples are not at hand: {name} is not in the folder 'shared' beside the checkout")
    return path


def zlint_files() -> Iterator[tuple[str, bytes]]:
    """Name and content of each file of zlint's test data."""
    with tarfile.open(shared("corpora/zlint-testdata.tar.gz")) as archive:
        for member in archive:
            if stream := archive.extractfile(member):
                yield member.name, stream.read()
