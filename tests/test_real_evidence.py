"""The real certificates: every file is the one that its table of origins names, byte for byte."""

import base64
import csv
import hashlib
import importlib.util
import re
import shutil
import sys
import zipfile
from importlib import resources
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).resolve().parent.parent / "evidence" / "real-faults"
with (FOLDER / "ORIGINS.csv").open(newline="", encoding="utf-8") as _stream:
    ROWS = list(csv.DictReader(_stream))
VECTORS = [row for row in ROWS if row["package"] == "cryptography-vectors"]
BUNDLED = [row for row in ROWS if row["package"] == "certifi"]


def sha256(data: bytes) -> str:
    """SHA-256 as lower-case hex."""
    return hashlib.sha256(data).hexdigest()


def collector(folder: Path) -> ModuleType:
    """The folder's own script, loaded from a copy of the folder."""
    spec = importlib.util.spec_from_file_location("real_faults_collect", folder / "collect.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the evidence folder that a test may spoil."""
    leave = shutil.ignore_patterns("__pycache__")
    return Path(shutil.copytree(FOLDER, tmp_path / "real-faults", ignore=leave))


def test_the_table_names_every_file_once() -> None:
    names = [row["file"] for row in ROWS]
    assert len(names) == len(set(names))
    folders = {(FOLDER / name).parent for name in names}
    present = {path.relative_to(FOLDER).as_posix() for folder in folders for path in folder.iterdir()}
    assert present == set(names)
    assert len(VECTORS) == 26
    assert len(BUNDLED) == 13


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["file"])
def test_file_has_the_hash_of_the_table(row: dict[str, str]) -> None:
    assert sha256((FOLDER / row["file"]).read_bytes()) == row["sha256"]


@pytest.mark.parametrize("row", VECTORS, ids=lambda row: row["file"])
def test_file_is_that_of_the_installed_package(row: dict[str, str]) -> None:
    package, _, inside = row["path"].partition("/")
    assert (FOLDER / row["file"]).read_bytes() == resources.files(package).joinpath(inside).read_bytes()


@pytest.mark.parametrize("row", BUNDLED, ids=lambda row: row["file"])
def test_bundled_root_is_one_pem_block_of_that_certificate(row: dict[str, str]) -> None:
    data = (FOLDER / row["file"]).read_bytes()
    assert data.startswith(b"-----BEGIN CERTIFICATE-----\n")
    assert data.endswith(b"-----END CERTIFICATE-----\n")
    assert data.count(b"-----BEGIN") == 1
    assert sha256(base64.b64decode(b"".join(data.splitlines()[1:-1]))) == row["certificate_sha256"]


def test_each_row_names_its_wheel() -> None:
    wheels = {(row["package"], row["version"], row["wheel_sha256"]) for row in ROWS}
    assert {name for name, _, _ in wheels} == {"certifi", "cryptography-vectors"}
    assert len(wheels) == 2
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for _, _, digest in wheels)


def test_no_private_key_is_among_the_files() -> None:
    for row in ROWS:
        assert b"PRIVATE KEY" not in (FOLDER / row["file"]).read_bytes()


def test_collect_check_accepts_the_folder(
    copy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["collect.py", "--check"])
    assert collector(copy).main() == 0
    assert "39 files are as ORIGINS.csv says" in capsys.readouterr().out


def test_collect_check_names_a_changed_a_missing_and_a_strange_file(
    copy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = copy / "roots" / "wosign.pem"
    changed.write_bytes(changed.read_bytes().replace(b"M", b"N", 1))
    (copy / "faults" / "badasn1time.pem").unlink()
    (copy / "badssl" / "another.pem").write_bytes(b"")
    monkeypatch.setattr(sys, "argv", ["collect.py", "--check"])
    assert collector(copy).main() == 1
    errors = capsys.readouterr().err
    assert "roots/wosign.pem: other bytes" in errors
    assert "faults/badasn1time.pem: missing" in errors
    assert "badssl/another.pem: not in ORIGINS.csv" in errors


def test_collect_writes_the_vectors_again(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(copy / "letsencrypt")
    monkeypatch.setattr(sys, "argv", ["collect.py"])
    assert collector(copy).main() == 0
    for row in VECTORS:
        assert sha256((copy / row["file"]).read_bytes()) == row["sha256"]


def test_collect_refuses_another_wheel(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = tmp_path / "certifi-2016.9.26-py2.py3-none-any.whl"
    subject = "# Subject: CN=x O=WoSign CA Limited\n"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("certifi/cacert.pem", subject * 7)
    monkeypatch.setattr(sys, "argv", ["collect.py", "--certifi", str(wheel), "--check"])
    assert collector(copy).main() == 2
    assert "is not the wheel with SHA-256" in capsys.readouterr().err


def test_completeness_counts_the_roots_that_the_bundle_names(copy: Path, tmp_path: Path) -> None:
    module = collector(copy)
    wheel = tmp_path / "bundle.whl"
    lines = ["# Subject: CN=a O=WoSign CA Limited"] * 4 + ["# Subject: CN=b O=StartCom Ltd. OU=c"] * 4
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("certifi/cacert.pem", "\n".join(lines))
    with pytest.raises(module.CollectError, match=r"names 8 .* holds 7"):
        module.check_completeness(wheel)
