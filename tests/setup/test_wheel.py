"""A wheel carries all that the program reads, and runs without the checkout."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel of the checkout, without network."""
    folder = tmp_path_factory.mktemp("wheel")
    # -P: the checkout's build.py must not stand in for a module that the backend may import.
    subprocess.run(
        [sys.executable, "-P", "-m", "hatchling", "build", "--target", "wheel", "--directory", folder],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("affidavit-*.whl")
    return built


def test_it_carries_every_template_and_no_more_than_the_package(wheel: Path) -> None:
    ours = {
        "affidavit/_templates/" + path.relative_to(ROOT / "templates").as_posix()
        for path in (ROOT / "templates").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert ours
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert ours <= names
    assert "affidavit/py.typed" in names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"affidavit"}


def test_unpacked_elsewhere_it_finds_its_templates(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    program = "from affidavit.resources import templates_dir; print(templates_dir())"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert Path(done.stdout.strip()) == tmp_path / "affidavit" / "_templates"
