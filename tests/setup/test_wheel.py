"""A wheel carries all that the program reads, and runs without the checkout."""

import json
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

from testpki.build import Authority, bundle

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


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program of a new environment with the wheel in it; its libraries are those of this environment."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    # Without a pip of its own: to put one in takes longer than all the rest.
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, capture_output=True)
    python = folder / "bin/python"
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "-q",
        "--no-index",
        "--no-deps",
        "--disable-pip-version-check",
        wheel,
    ]
    subprocess.run(command, check=True, capture_output=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    # A line of a .pth file adds that folder alone: this checkout, which is installed there by another, stays unseen.
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    where = subprocess.run([python, "-c", "import affidavit; print(affidavit.__file__)"], cwd=folder,
                           check=True, capture_output=True, text=True)  # fmt: skip
    assert Path(where.stdout.strip()).is_relative_to(packages)
    return folder / "bin/affidavit"


def test_installed_alone_it_drafts_checks_and_builds(installed: Path, tmp_path: Path) -> None:
    root = Authority.root("Test Root")
    (tmp_path / "in").mkdir()
    (tmp_path / "in/leaves.pem").write_text(bundle([root.issue(f"{n}.example") for n in range(3)]))
    (tmp_path / "in/root.pem").write_text(bundle([root.certificate]))
    project = tmp_path / "empty"
    project.mkdir()
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path / "home"), "LANG": "C.UTF-8"}

    def affidavit(*arguments: str) -> str:
        done = subprocess.run([installed, *arguments], cwd=project, env=environ, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "affidavit" in affidavit("--version")
    assert "all verified" in affidavit("new", "mine", "--from", str(tmp_path / "in"))
    assert "mine: passes" in affidavit("check", "--strict")
    affidavit("build")
    site = project / "site"
    assert (site / "mine/report.pdf").read_bytes().startswith(b"%PDF-")
    assert json.loads((site / "mine/verdicts.json").read_text())["passes"] is True
    assert "Verdicts on" in (site / "mine/index.html").read_text()
    assert (site / "style.css").stat().st_size > 1000
    # The draft's first line names the schema for editors: it has to be there.
    first = (project / "reports/mine/incident.yaml").read_text().splitlines()[0]
    schema = project / "reports/mine" / first.partition("$schema=")[2]
    assert json.loads(schema.read_text())["title"] == "Affidavit incident file"


def test_its_types_are_seen_by_who_installs_it(installed: Path, tmp_path: Path) -> None:
    program = tmp_path / "notebook.py"
    program.write_text(
        "from affidavit import api\n"
        'run = api.check("mine", pages=True)\n'
        'outcome: api.Outcome = run.verdicts["a"].outcome\n'
        "page: str = api.html(run)\n"
        "wrong: int = api.pdf(run)\n"
    )
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "mypy",
        "--strict",
        "--no-incremental",
        "--cache-dir",
        tmp_path / "cache",
    ]
    command += ["--python-executable", installed.parent / "python", program]
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    (line,) = [line for line in done.stdout.splitlines() if "error:" in line]
    assert line.startswith("notebook.py:5:")
    assert 'expression has type "bytes", variable has type "int"' in line


def test_the_source_distribution_builds_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    build: list[str | Path] = [sys.executable, "-P", "-m", "hatchling", "build", "--directory", tmp_path, "--target"]
    subprocess.run([*build, "sdist"], cwd=ROOT, check=True, capture_output=True)
    (packed,) = tmp_path.glob("affidavit-*.tar.gz")
    with tarfile.open(packed) as archive:
        archive.extractall(tmp_path / "src", filter="data")
    (source,) = (tmp_path / "src").iterdir()
    for name in ("LICENSE", "CHANGELOG.md", "SECURITY.md", "CONTRIBUTING.md", "README.md", "Makefile",
                 "affidavit.schema.json", "templates/report.html", "docs/guide.md", "tests/conftest.py"):  # fmt: skip
        assert (source / name).is_file(), name
    subprocess.run([*build, "wheel"], cwd=source, check=True, capture_output=True)
    (again,) = tmp_path.glob("affidavit-*.whl")

    def contents(path: Path) -> dict[str, bytes]:
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    assert contents(again) == contents(wheel)
    assert any(name.endswith("licenses/LICENSE") for name in contents(wheel))
