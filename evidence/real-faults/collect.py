"""Make this folder again from the two packages that its files were taken from, byte for byte.

``ORIGINS.csv`` says, for each file, the package, the path inside it and the SHA-256. Files of
cryptography-vectors are copied whole; a root of certifi is the PEM block of its bundle (from
``-----BEGIN`` to the line end after ``-----END CERTIFICATE-----``) whose certificate has the SHA-256 in
the column ``certificate_sha256``.

    python collect.py --certifi certifi-2016.9.26-py2.py3-none-any.whl [--check]

cryptography-vectors is taken from the running Python's packages. With ``--check`` nothing is written:
every file must be there with those bytes, and no other file may stand in the sub-folders. The wheel's
own SHA-256 must be the one in the table. The search that the report calls complete is made here too:
the bundle holds no WoSign or StartCom root other than those in ``roots/``.
"""

import argparse
import base64
import csv
import hashlib
import re
import sys
import zipfile
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

HERE = Path(__file__).resolve().parent
TABLE = HERE / "ORIGINS.csv"
BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----\r?\n(.*?)-----END CERTIFICATE-----\r?\n", re.DOTALL)
#: organizationName of the two CAs, as the bundle's own comment lines write the subject
OWNERS = re.compile(r"^# Subject:.* O=(?:WoSign|StartCom)\b", re.MULTILINE)


class CollectError(Exception):
    """The packages do not hold what the table says; the message names the file."""


def rows() -> list[dict[str, str]]:
    """The table of origins, one mapping for each file."""
    with TABLE.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def sha256(data: bytes) -> str:
    """SHA-256 as lower-case hex."""
    return hashlib.sha256(data).hexdigest()


def from_vectors(path: str) -> bytes:
    """A file of the installed cryptography-vectors; ``path`` begins with the package's folder."""
    package, _, inside = path.partition("/")
    return resources.files(package).joinpath(inside).read_bytes()


def pem_block(bundle: bytes, certificate_sha256: str) -> bytes:
    """The bytes of the one PEM block of a bundle that holds the certificate with that SHA-256."""
    found = [m[0] for m in BLOCK.finditer(bundle) if sha256(base64.b64decode(m[1])) == certificate_sha256]
    if len(found) != 1:
        raise CollectError(f"{len(found)} blocks hold the certificate {certificate_sha256}")
    return found[0]


def from_wheel(row: dict[str, str], wheel: Path) -> bytes:
    """A root out of the certifi wheel, which must be the very file that the table names."""
    if sha256(wheel.read_bytes()) != row["wheel_sha256"]:
        raise CollectError(f"{wheel.name} is not the wheel with SHA-256 {row['wheel_sha256']}")
    with zipfile.ZipFile(wheel) as archive:
        return pem_block(archive.read(row["path"]), row["certificate_sha256"])


def content(row: dict[str, str], wheel: Path | None) -> bytes | None:
    """The bytes that a row's file must have, or None for a certifi file when no wheel was given."""
    if row["package"] == "cryptography-vectors":
        data = from_vectors(row["path"])
    elif wheel is None:
        return None
    else:
        data = from_wheel(row, wheel)
    if sha256(data) != row["sha256"]:
        raise CollectError(
            f"{row['file']}: SHA-256 in {row['package']} is {sha256(data)}, not {row['sha256']}"
        )
    return data


def check_completeness(wheel: Path) -> None:
    """The bundle's roots of the two CAs are as many as there are files under ``roots/``."""
    with zipfile.ZipFile(wheel) as archive:
        bundle = archive.read("certifi/cacert.pem").decode()
    named = len(OWNERS.findall(bundle))
    kept = sum(row["file"].startswith("roots/") for row in rows())
    if named != kept:
        raise CollectError(f"the bundle names {named} WoSign and StartCom roots, roots/ holds {kept}")


def differences(wheel: Path | None) -> Iterator[str]:
    """What in this folder is not as the table and the packages say."""
    table = rows()
    known = {row["file"] for row in table}
    for row in table:
        path = HERE / row["file"]
        data = content(row, wheel)
        if not path.is_file():
            yield f"{row['file']}: missing"
        elif sha256(path.read_bytes()) != row["sha256"] or (data is not None and path.read_bytes() != data):
            yield f"{row['file']}: other bytes than those of {row['package']} {row['version']}"
    for folder in sorted({(HERE / name).parent for name in known}):
        for path in sorted(folder.iterdir()):
            if path.relative_to(HERE).as_posix() not in known:
                yield f"{path.relative_to(HERE).as_posix()}: not in {TABLE.name}"


def write(wheel: Path | None) -> int:
    """Write every file that the packages at hand give; returns how many."""
    written = 0
    for row in rows():
        data = content(row, wheel)
        if data is not None:
            path = HERE / row["file"]
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
            written += 1
    return written


def main() -> int:
    """Command line; returns the exit status: 0 all as the table says, 1 differences, 2 wrong packages."""
    parser = argparse.ArgumentParser(description="Make this evidence folder again from its two packages.")
    parser.add_argument("--certifi", type=Path, metavar="WHEEL", help="the certifi wheel of ORIGINS.csv")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    arguments = parser.parse_args()
    try:
        if arguments.certifi is not None:
            check_completeness(arguments.certifi)
        if not arguments.check:
            print(f"{write(arguments.certifi)} of {len(rows())} files written")
        found = list(differences(arguments.certifi))
    except (CollectError, OSError, KeyError, ModuleNotFoundError, zipfile.BadZipFile) as error:
        print(f"collect.py: {error}", file=sys.stderr)
        return 2
    for line in found:
        print(line, file=sys.stderr)
    if not found and arguments.check:
        left = "" if arguments.certifi else "; give --certifi to compare the roots with their wheel too"
        print(f"{len(rows())} files are as {TABLE.name} says{left}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
