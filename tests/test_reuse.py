"""What a check said is said again only while nothing that it rests on has changed."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from affidavit import inputs, reuse
from affidavit.cli import cli
from affidavit.places import cache_folder
from tests.report.test_formats import INCIDENT, ROOT, project

PASSING = INCIDENT.partition("  wrong:")[0] + "summary: '[3](claim:right)'\n"


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return project(tmp_path / "p", PASSING)


def run(root: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["--root", str(root), "check", *arguments])


def kept() -> list[Path]:
    folder = cache_folder()
    assert folder is not None
    return sorted((folder / "checked").glob("*.json"))


def marked(root: Path, *arguments: str) -> bool:
    """Whether the next check says again what is kept: a mark is put into what is kept first."""
    for path in kept():
        stated = json.loads(path.read_text())
        stated["outputs"] = [[None, "cmVtZW1iZXJlZA=="]]
        path.write_text(json.dumps(stated))
    return run(root, *arguments).output == "remembered"


def test_the_same_call_over_the_same_content_is_said_again(small: Path) -> None:
    first = run(small)
    assert (first.exit_code, first.output) == (run(small).exit_code, run(small).output)
    assert marked(small)


@pytest.mark.parametrize("arguments", [["--fresh"], ["-v"], ["--strict"], ["--format", "json"], ["small"]])
def test_another_call_is_checked(small: Path, arguments: list[str]) -> None:
    run(small)
    assert not marked(small, *arguments)


def touch_evidence(root: Path) -> None:
    path = root / "evidence/small/leaves.pem"
    text = path.read_text()
    at = text.index("\n") + 10
    path.write_text(text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :])


def touch_incident(root: Path) -> None:
    path = root / "reports/small/incident.yaml"
    path.write_text(path.read_text().replace("count: 3", "count: 4"))


def add_evidence(root: Path) -> None:
    (root / "evidence/small/more.pem").write_text(ROOT.issue("z.example").pem())


def add_document(root: Path) -> None:
    (root / "reports/small/more.md").write_text("more")


@pytest.mark.parametrize("change", [touch_evidence, touch_incident, add_evidence, add_document])
def test_no_stale_verdict_survives_a_changed_byte(small: Path, change: object) -> None:
    run(small)
    assert callable(change)
    change(small)
    assert not marked(small)


@pytest.mark.parametrize("folder", ["words", "__pycache__"])
def test_no_stale_verdict_survives_a_changed_section(small: Path, folder: str) -> None:
    """Be it that its file changes, or that a link to its folder leads elsewhere."""
    report = small / "reports/small"
    for name, words in (("one", "[3](claim:right)\n"), ("two", "[4](claim:right)\n")):
        (report / name).mkdir()
        (report / name / "text.md").write_text(words)
    link = report / folder
    link.symlink_to("one")
    (report / "incident.yaml").write_text(PASSING + f"sections:\n- {{title: T, file: {folder}/text.md}}\n")
    assert run(small).exit_code == 0
    link.unlink()
    link.symlink_to("two")
    assert run(small).exit_code == 1
    link.unlink()
    shutil.copytree(report / "one", link)
    assert run(small).exit_code == 0
    (link / "text.md").write_text("[5](claim:right)\n")
    assert run(small).exit_code == 1


def test_the_program_is_known_by_the_systems_time_zones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a day begins rests on them, and they change while the program stays."""
    digest = inputs.program_digest.__wrapped__
    (tmp_path / "Europe").mkdir()
    (tmp_path / "Europe/Berlin").write_bytes(b"TZif2 one")
    monkeypatch.setattr(inputs, "TZPATH", (str(tmp_path),))
    first = digest()
    assert digest() == first
    (tmp_path / "Europe/Berlin").write_bytes(b"TZif2 two")
    second = digest()
    assert second != first
    (tmp_path / "tzdata.zi").write_text("# version 2026a\n")
    third = digest()
    assert third not in (first, second)
    (tmp_path / "tzdata.zi").write_text("# version 2026b\n")
    assert digest() != third


def test_no_stale_verdict_survives_other_code(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(small)
    monkeypatch.setattr(reuse, "program_digest", lambda: "another program")
    assert not marked(small)


def test_the_program_is_known_by_every_file_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "affidavit"
    shutil.copytree(Path(inputs.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(inputs, "__file__", str(package / "inputs.py"))
    digest = inputs.program_digest.__wrapped__
    first = digest()
    for name in ("check/judge.py", "evidence/limits.csv"):
        before = (package / name).read_bytes()
        (package / name).write_bytes(before + b"\n")
        assert digest() != first, name
        (package / name).write_bytes(before)
    assert digest() == first


def test_faults_and_links_are_not_kept(small: Path, tmp_path: Path) -> None:
    (small / "reports/small/incident.yaml").write_text("title: x\n")
    assert run(small).exit_code == 2
    assert kept() == []
    (small / "reports/small/incident.yaml").write_text(PASSING)
    (small / "evidence/small/real").mkdir()
    (small / "evidence/small/link").symlink_to(small / "evidence/small/leaves.pem")
    run(small)
    assert kept() == []


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"key": 1}', b"\xff"])
def test_a_spoilt_memory_is_passed_over(small: Path, content: bytes) -> None:
    first = run(small)
    for path in kept():
        path.write_bytes(content)
    assert run(small).output == first.output


@pytest.mark.parametrize("kind", ["facts", "parts"])
@pytest.mark.parametrize("how", [lambda path: path.unlink(), lambda path: path.write_bytes(path.read_bytes()[:50])])
def test_what_was_read_is_read_again_where_it_was_spoilt(small: Path, kind: str, how: Callable[[Path], object]) -> None:
    """A file that is lost or cut short would be rows that are missing."""
    first = run(small)
    folder = cache_folder()
    assert folder is not None
    for path in kept():
        path.unlink()
    if kind == "parts":
        shutil.rmtree(next(folder.rglob("facts")))
    spoilt = [path for path in folder.rglob("*.parquet") if path.parent.parent.name == kind]
    assert spoilt
    for path in spoilt:
        how(path)
    assert (first.exit_code, first.output) == (run(small).exit_code, run(small).output)


def test_what_goes_to_files_is_written_again(small: Path, tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    run(small, "--format", f"json={file}")
    first = file.read_bytes()
    file.unlink()
    assert run(small, "--format", f"json={file}").exit_code == 0
    assert file.read_bytes() == first


def test_nothing_heavy_is_loaded_to_say_it_again(small: Path) -> None:
    code = (
        "import sys; from affidavit.program import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "print(sorted({'duckdb', 'pyarrow', 'pydantic', 'sqlglot', 'cryptography', 'yaml'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, "--root", str(small), "check"]
    subprocess.run(command, check=True, capture_output=True)
    again = subprocess.run(command, check=True, capture_output=True, text=True)
    assert again.stdout.splitlines() == ["small: passes: 1 verified", "[]"]
