"""The check of system packages: what it looks at, what it installs, what it says."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tools import check_system
from tools.check_system import NEEDS, System, families, look, main, packages

ALL_LIBRARIES = {
    "libgobject-2.0.so.0",
    "libpango-1.0.so.0",
    "libpangoft2-1.0.so.0",
    "libharfbuzz.so.0",
    "libharfbuzz-subset.so.0",
    "libfontconfig.so.1",
}
FONTS = ("Noto Serif", "Noto Sans", "Noto Sans Mono")
CHINESE_PATTERN = ":charset=6c83 901a 4e2d:scalable=true"


class FakeLibrary:
    """A loaded library; Pango answers with its version as 10000 * major + 100 * minor + micro."""

    def __init__(self, version: int):
        self.version = version

    def __getattr__(self, name: str) -> Callable[[], int]:
        assert name == "pango_version"
        return lambda: self.version


@dataclass
class Machine:
    """A machine made up for the test: stub commands that record how they are called."""

    folder: Path
    libraries: set[str] = field(default_factory=lambda: set(ALL_LIBRARIES))
    root: bool = False
    pango_version: int = 15012
    modules: bool = True
    said: list[str] = field(default_factory=list)

    @property
    def bin(self) -> Path:
        return self.folder / "bin"

    @property
    def calls(self) -> list[str]:
        log = self.folder / "calls"
        return log.read_text().splitlines() if log.exists() else []

    def command(self, name: str, body: str = "") -> None:
        self.bin.mkdir(exist_ok=True)
        stub = self.bin / name
        stub.write_text(f'#!/bin/sh\necho "{name} $*" >> "{self.folder}/calls"\n{body}\n')
        stub.chmod(0o755)

    def fonts(self, *names: str, chinese: str = "") -> None:
        """Let fc-list know the families; installing a package adds a line to the file."""
        (self.folder / "fonts").write_text("".join(f"{name}\n" for name in names))
        (self.folder / "chinese").write_text(chinese)
        self.command(
            "fc-list",
            f'case "$1" in :charset*) cat "{self.folder}/chinese" ;;'
            f' *) grep -x -- "$1" "{self.folder}/fonts" ;; esac; exit 0',
        )

    def system(self) -> System:
        def load(name: str) -> FakeLibrary:
            if name not in self.libraries and not (self.folder / "installed" / name).exists():
                raise OSError(name)
            return FakeLibrary(self.pango_version)

        def which(name: str) -> str | None:
            return str(self.bin / name) if (self.bin / name).exists() else None

        return System(
            load=load,
            which=which,
            has_module=lambda _: self.modules,
            is_root=lambda: self.root,
            apt_lists=self.folder / "lists",
            say=self.said.append,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a machine on which nothing is missing."""
    made = Machine(tmp_path)
    made.fonts(*FONTS, chinese="Noto Sans CJK SC\n")
    made.command("openssl")
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "example_main_binary-amd64_Packages.lz4").touch()
    return made


def names(machine: Machine) -> list[str]:
    return [gap.need.name for gap in look(NEEDS, machine.system())]


def test_nothing_missing_says_nothing(machine: Machine) -> None:
    assert main(["--tests"], machine.system()) == 0
    assert machine.said == []


@pytest.mark.parametrize(
    ("library", "need"),
    [
        ("libgobject-2.0.so.0", "GObject"),
        ("libpango-1.0.so.0", "Pango"),
        ("libpangoft2-1.0.so.0", "PangoFT2"),
        ("libharfbuzz.so.0", "HarfBuzz"),
        ("libfontconfig.so.1", "fontconfig"),
    ],
)
def test_each_library_is_looked_at(machine: Machine, library: str, need: str) -> None:
    machine.libraries.remove(library)
    assert names(machine) == [need]
    assert main([], machine.system()) == 2


@pytest.mark.parametrize(("version", "fine"), [(14312, False), (14400, True), (15700, True)])
def test_pango_minimum(machine: Machine, version: int, fine: bool) -> None:
    machine.pango_version = version
    assert (main([], machine.system()) == 0) is fine
    assert fine or "version 1.43 is older than 1.44" in machine.said[0]


def test_the_names_are_those_weasyprint_loads() -> None:
    import weasyprint.text.ffi

    source = Path(weasyprint.text.ffi.__file__).read_text()
    for name in ALL_LIBRARIES:
        assert f"'{name}'" in source


def test_the_fonts_that_are_better_to_have_do_not_fail(machine: Machine) -> None:
    machine.libraries.remove("libharfbuzz-subset.so.0")
    machine.fonts("DejaVu Serif", "DejaVu Sans", "DejaVu Sans Mono", chinese="WenQuanYi Micro Hei\n")
    assert main([], machine.system()) == 0
    assert all("better with" in line for line in machine.said[:4])
    machine.said.clear()
    assert main(["--required"], machine.system()) == 0
    assert machine.said == []


def test_chinese_must_be_covered(machine: Machine) -> None:
    machine.fonts(*FONTS)
    assert names(machine) == ["a font that covers Chinese"]
    assert main(["--no-install"], machine.system()) == 2
    assert f"fc-list {CHINESE_PATTERN} family" in machine.calls


def test_a_font_that_draws_boxes_for_everything_does_not_count(machine: Machine) -> None:
    machine.fonts(*FONTS, chinese="LastResort,.LastResort\n")
    assert names(machine) == ["a font that covers Chinese"]


def test_a_warning_of_fontconfig_is_no_font(machine: Machine) -> None:
    machine.command("fc-list", "echo 'Fontconfig error: No writable cache directories' >&2")
    assert families(machine.system(), "Noto Sans") == set()
    assert main(["--no-install"], machine.system()) == 2


def test_without_fontconfig_no_font_is_taken_for_granted(machine: Machine) -> None:
    (machine.bin / "fc-list").unlink()
    assert "a font that covers Chinese" in names(machine)
    assert families(machine.system(), "Noto Sans") == set()


def test_debian_without_venv_is_told_the_package(machine: Machine) -> None:
    machine.modules = False
    machine.command("apt-get")
    assert main([], machine.system()) == 2
    assert any("apt-get install -y --no-install-recommends python3." in line for line in machine.said)


def test_openssl_is_for_the_tests_only(machine: Machine) -> None:
    (machine.bin / "openssl").unlink()
    assert main([], machine.system()) == 0
    assert main(["--tests"], machine.system()) == 2


@pytest.mark.parametrize(
    ("program", "command"),
    [
        ("apt-get", "sudo apt-get install -y --no-install-recommends libpango-1.0-0 fonts-noto-cjk"),
        ("dnf", "sudo dnf install -y pango google-noto-sans-cjk-fonts"),
        ("brew", "brew install pango font-noto-sans-cjk"),
        ("apk", "sudo apk add so:libpango-1.0.so.0 font-noto-cjk"),
    ],
)
def test_without_root_the_exact_command_is_printed(machine: Machine, program: str, command: str) -> None:
    machine.libraries.remove("libpango-1.0.so.0")
    machine.fonts(*FONTS)
    machine.command(program)
    assert main([], machine.system()) == 2
    assert machine.said[-1].strip() == command
    assert not [call for call in machine.calls if call.startswith(program)]


def test_no_package_manager_known_names_all(machine: Machine) -> None:
    machine.fonts(*FONTS)
    assert main([], machine.system()) == 2
    assert [line.split()[-1] for line in machine.said[-4:]] == [
        "fonts-noto-cjk",
        "google-noto-sans-cjk-fonts",
        "font-noto-sans-cjk",
        "font-noto-cjk",
    ]


def test_root_on_debian_installs_what_is_missing_and_no_more(machine: Machine) -> None:
    machine.root = True
    machine.fonts(*FONTS)
    machine.libraries.remove("libharfbuzz-subset.so.0")
    folder = machine.folder
    (folder / "installed").mkdir()
    machine.command("apt-cache")
    machine.command(
        "apt-get",
        f'[ "$DEBIAN_FRONTEND" = noninteractive ] || exit 9\n'
        f'case "$*" in *noto-cjk*) echo "Noto Sans CJK SC" > {folder}/chinese ;;'
        f" *subset0*) touch {folder}/installed/libharfbuzz-subset.so.0 ;; esac",
    )
    assert main([], machine.system()) == 0
    assert [call for call in machine.calls if call.startswith("apt-get")] == [
        "apt-get install -y --no-install-recommends fonts-noto-cjk",
        "apt-get install -y --no-install-recommends libharfbuzz-subset0",
    ]


def test_empty_package_lists_are_fetched_first(machine: Machine) -> None:
    machine.root = True
    machine.fonts(*FONTS)
    next((machine.folder / "lists").iterdir()).unlink()
    machine.command("apt-get", f'echo "Noto Sans CJK SC" > {machine.folder}/chinese')
    assert main([], machine.system()) == 0
    assert [call.split()[1] for call in machine.calls if call.startswith("apt-get")] == ["update", "install"]


def test_stale_package_lists_are_fetched_again(machine: Machine) -> None:
    machine.root = True
    machine.fonts(*FONTS)
    updated = machine.folder / "updated"
    machine.command(
        "apt-get",
        f'if [ "$1" = update ]; then touch {updated}; exit 0; fi\n'
        f"[ -e {updated} ] || exit 100\necho 'Noto Sans CJK SC' > {machine.folder}/chinese",
    )
    assert main([], machine.system()) == 0


def test_a_failing_install_says_so_and_fails(machine: Machine) -> None:
    machine.root = True
    machine.fonts(*FONTS)
    machine.command("apt-get", "echo 'E: Unable to locate package' >&2; exit 100")
    assert main([], machine.system()) == 2
    assert any("apt-get failed: E: Unable to locate package" in line for line in machine.said)
    assert machine.said[-1].strip().startswith("apt-get install")


def test_an_install_that_does_not_help_fails(machine: Machine) -> None:
    machine.root = True
    machine.fonts(*FONTS)
    machine.command("apt-get")
    assert main([], machine.system()) == 2


def test_a_package_that_the_release_lacks_keeps_nothing_back(machine: Machine) -> None:
    machine.root = True
    machine.libraries.remove("libharfbuzz-subset.so.0")
    machine.command("apt-get")
    machine.command("apt-cache", "exit 100")
    assert main([], machine.system()) == 0
    assert not [call for call in machine.calls if call.startswith("apt-get")]


def test_no_install_installs_nothing(machine: Machine) -> None:
    machine.root = True
    machine.fonts(*FONTS)
    machine.command("apt-get")
    assert main(["--no-install"], machine.system()) == 2
    assert not [call for call in machine.calls if call.startswith("apt-get")]


def test_every_need_has_a_package_for_every_manager() -> None:
    for manager in check_system.INSTALL:
        for need in (*NEEDS, *check_system.TEST_NEEDS):
            assert packages([check_system.Missing(need, "")], manager), (need.name, manager)


def test_this_machine_has_what_is_required() -> None:
    """The set-up that ran before these tests left nothing required missing."""
    script = Path(check_system.__file__)
    done = subprocess.run(
        ["python3", script, "--no-install", "--required"], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
