"""Check what the set-up needs from the operating system, and install it where that is possible.

WeasyPrint draws text with Pango and friends, which pip cannot install, and with the machine's fonts:
without one that covers Chinese, a CA's name would be a row of boxes in the PDF. Each need is looked at
itself (a library by loading it, a font by asking fontconfig which families have the characters), not
through a package's name, so that any way of installing it will do.

What is missing is installed as root on Debian and Ubuntu; elsewhere the exact command is printed.

Standard library only: this runs before the virtual environment exists.

Exit status: 0 nothing required is missing; 2 something is.
"""

import argparse
import ctypes
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

PANGO_MINIMUM = (1, 44)  # WeasyPrint's documented minimum

# Characters whose presence stands for "Chinese is covered": those of the founding case's CA.
CHINESE = (0x6C83, 0x901A, 0x4E2D)  # 沃 通 中

# Families that claim every character and draw a box for it.
LAST_RESORT = {"lastresort", ".lastresort", "adobe blank", "adobe notdef"}


class Library(Protocol):
    """A loaded shared library: functions as attributes."""

    def __getattr__(self, name: str) -> Callable[[], int]:
        """Return the function called `name`."""


@dataclass(frozen=True)
class System:
    """The parts of the machine that are looked at; a test passes its own.

    `load` raises `OSError` for a library that is not there, as `ctypes.CDLL` does.
    """

    load: Callable[[str], Library] = ctypes.CDLL
    which: Callable[[str], str | None] = shutil.which
    has_module: Callable[[str], bool] = lambda name: importlib.util.find_spec(name) is not None
    is_root: Callable[[], bool] = lambda: hasattr(os, "geteuid") and os.geteuid() == 0
    apt_lists: Path = Path("/var/lib/apt/lists")
    say: Callable[[str], None] = field(default=lambda text: print(text, file=sys.stderr, flush=True))

    def run(self, command: Sequence[str], **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command that may fail; output and errors are captured apart, it is given no input."""
        return subprocess.run(
            command,
            check=False,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={**os.environ, **environment},
        )


@dataclass(frozen=True)
class Need:
    """Something the machine should have.

    `missing` returns what is wrong in a few words, or None. `packages` maps a package manager to what
    to install with it. A need that is not `required` never fails the set-up.
    """

    name: str
    missing: Callable[[System], str | None]
    packages: Mapping[str, tuple[str, ...]]
    required: bool = True


def library(*names: str) -> Callable[[System], str | None]:
    """Look for a shared library under any of its names (Linux, macOS)."""

    def missing(system: System) -> str | None:
        for name in names:
            try:
                system.load(name)
            except OSError:
                continue
            return None
        return f"{names[0]} cannot be loaded"

    return missing


def pango(system: System) -> str | None:
    """Look for Pango, not older than `PANGO_MINIMUM`."""
    for name in ("libpango-1.0.so.0", "libpango-1.0.dylib"):
        try:
            version = system.load(name).pango_version()  # major * 10000 + minor * 100 + micro
        except OSError:
            continue
        found = (version // 10000, version // 100 % 100)
        if found < PANGO_MINIMUM:
            return f"version {found[0]}.{found[1]} is older than {PANGO_MINIMUM[0]}.{PANGO_MINIMUM[1]}"
        return None
    return "libpango-1.0.so.0 cannot be loaded"


def command(name: str) -> Callable[[System], str | None]:
    """Look for a command on PATH."""
    return lambda system: None if system.which(name) else f"no command {name}"


def python_venv(system: System) -> str | None:
    """Look for what makes a virtual environment with pip in it; Debian packages it apart."""
    return None if system.has_module("ensurepip") else "this Python has no module ensurepip"


def families(system: System, pattern: str) -> set[str]:
    """Ask fontconfig for the families that match `pattern`; none if it cannot be asked."""
    fc_list = system.which("fc-list")
    if fc_list is None:
        return set()
    answer = system.run([fc_list, pattern, "family"])
    if answer.returncode != 0:
        return set()
    names = {name.strip() for line in answer.stdout.splitlines() for name in line.split(",")}
    return {name for name in names if name and name.lower() not in LAST_RESORT}


def font_family(*wanted: str) -> Callable[[System], str | None]:
    """Look for at least one of the families."""

    def missing(system: System) -> str | None:
        if any(families(system, family) for family in wanted):
            return None
        return "no font family " + " or ".join(wanted)

    return missing


def chinese_font(system: System) -> str | None:
    """Look for one scalable family with all of `CHINESE`: a bitmap cannot be put into a PDF."""
    points = " ".join(f"{point:x}" for point in CHINESE)
    if families(system, f":charset={points}:scalable=true"):
        return None
    return "no font covers " + " ".join(chr(point) for point in CHINESE)


def fonts(apt: str, dnf: str, brew: str, apk: str) -> dict[str, tuple[str, ...]]:
    """Name the packages of one font family."""
    return {"apt": (apt,), "dnf": (dnf,), "brew": (brew,), "apk": (apk,)}


def linked(apt: str, dnf: str, brew: str, soname: str) -> dict[str, tuple[str, ...]]:
    """Name the packages of one shared library; Alpine knows it by its soname."""
    return {"apt": (apt,), "dnf": (dnf,), "brew": (brew,), "apk": (f"so:{soname}",)}


NEEDS = (
    Need(
        "Python's venv",
        python_venv,
        {
            "apt": (f"python{sys.version_info.major}.{sys.version_info.minor}-venv",),
            "dnf": ("python3-pip",),
            "brew": ("python",),
            "apk": ("py3-pip",),
        },
    ),
    # On Debian the packages of Pango bring GObject, HarfBuzz and fontconfig's library with them.
    Need(
        "GObject",
        library("libgobject-2.0.so.0", "libgobject-2.0.dylib", "libgobject-2.0.0.dylib"),
        linked("libpango-1.0-0", "pango", "pango", "libgobject-2.0.so.0"),
    ),
    Need("Pango", pango, linked("libpango-1.0-0", "pango", "pango", "libpango-1.0.so.0")),
    Need(
        "PangoFT2",
        library("libpangoft2-1.0.so.0", "libpangoft2-1.0.dylib"),
        linked("libpangoft2-1.0-0", "pango", "pango", "libpangoft2-1.0.so.0"),
    ),
    Need(
        "HarfBuzz",
        library("libharfbuzz.so.0", "libharfbuzz.0.dylib"),
        linked("libpango-1.0-0", "harfbuzz", "harfbuzz", "libharfbuzz.so.0"),
    ),
    Need(
        "fontconfig",
        library("libfontconfig.so.1", "libfontconfig.1.dylib"),
        linked("libpangoft2-1.0-0", "fontconfig", "fontconfig", "libfontconfig.so.1"),
    ),
    Need(
        "fontconfig's fc-list",
        command("fc-list"),
        dict.fromkeys(("apt", "dnf", "brew", "apk"), ("fontconfig",)),
    ),
    Need(
        "a serif font",
        font_family("Noto Serif", "DejaVu Serif"),
        fonts("fonts-noto-core", "google-noto-serif-fonts", "font-noto-serif", "font-noto"),
    ),
    Need(
        "a sans-serif font",
        font_family("Noto Sans", "DejaVu Sans"),
        fonts("fonts-noto-core", "google-noto-sans-fonts", "font-noto-sans", "font-noto"),
    ),
    Need(
        "a monospaced font",
        font_family("Noto Sans Mono", "DejaVu Sans Mono"),
        fonts("fonts-noto-mono", "google-noto-sans-mono-fonts", "font-noto-sans-mono", "font-noto"),
    ),
    Need(
        "a font that covers Chinese",
        chinese_font,
        fonts("fonts-noto-cjk", "google-noto-sans-cjk-fonts", "font-noto-sans-cjk", "font-noto-cjk"),
    ),
    # Better with: the subsetter is faster and makes smaller PDFs, the fonts are those designed for.
    Need(
        "HarfBuzz's subsetter",
        library("libharfbuzz-subset.so.0", "libharfbuzz-subset.0.dylib"),
        linked("libharfbuzz-subset0", "harfbuzz", "harfbuzz", "libharfbuzz-subset.so.0"),
        required=False,
    ),
    Need(
        "Noto Serif",
        font_family("Noto Serif"),
        fonts("fonts-noto-core", "google-noto-serif-fonts", "font-noto-serif", "font-noto"),
        required=False,
    ),
    Need(
        "Noto Sans",
        font_family("Noto Sans"),
        fonts("fonts-noto-core", "google-noto-sans-fonts", "font-noto-sans", "font-noto"),
        required=False,
    ),
    Need(
        "Noto Sans Mono",
        font_family("Noto Sans Mono"),
        fonts("fonts-noto-mono", "google-noto-sans-mono-fonts", "font-noto-sans-mono", "font-noto"),
        required=False,
    ),
)

# The tests hold certificates against a second implementation.
TEST_NEEDS = (
    Need(
        "Python's venv",
        python_venv,
        {
            "apt": (f"python{sys.version_info.major}.{sys.version_info.minor}-venv",),
            "dnf": ("python3-pip",),
            "brew": ("python",),
            "apk": ("py3-pip",),
        },
    ),
    Need("openssl", command("openssl"), dict.fromkeys(("apt", "dnf", "brew", "apk"), ("openssl",))),
)

INSTALL = {
    "apt": ("apt-get", "install", "-y", "--no-install-recommends"),
    "dnf": ("dnf", "install", "-y"),
    "brew": ("brew", "install"),
    "apk": ("apk", "add"),
}
PROGRAM = {"apt": "apt-get", "dnf": "dnf", "brew": "brew", "apk": "apk"}


@dataclass(frozen=True)
class Missing:
    """A need that is not met, and how it shows."""

    need: Need
    reason: str


def look(needs: Iterable[Need], system: System) -> list[Missing]:
    """Return the needs that are not met, in their order."""
    return [Missing(need, reason) for need in needs if (reason := need.missing(system)) is not None]


def packages(missing: Iterable[Missing], manager: str) -> list[str]:
    """Return the packages to install with `manager`, each once, in order."""
    return list(dict.fromkeys(name for gap in missing for name in gap.need.packages.get(manager, ())))


def install_command(missing: Iterable[Missing], manager: str, system: System) -> str:
    """Return the exact command line that installs what is missing."""
    names = packages(missing, manager)
    prefix = () if manager == "brew" or system.is_root() else ("sudo",)
    return shlex.join([*prefix, *INSTALL[manager], *names])


def apt_install(names: Sequence[str], system: System) -> str | None:
    """Install Debian packages without a question; return None, or the last words of what failed.

    Where that fails, the package lists may be stale: they are fetched anew, and it is tried once more.
    """
    apt_get = system.which("apt-get")
    if apt_get is None:
        return "no command apt-get"
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    install = [apt_get, *INSTALL["apt"][1:], *names]
    done = system.run(install, **quiet)
    if done.returncode != 0:
        system.run([apt_get, "update"], **quiet)
        done = system.run(install, **quiet)
    if done.returncode == 0:
        return None
    return "\n".join((done.stdout + done.stderr).strip().splitlines()[-3:]) or f"exit status {done.returncode}"


def available(names: Iterable[str], system: System) -> list[str]:
    """Keep the packages that this release of the distribution has (an older one may lack some)."""
    apt_cache = system.which("apt-cache")
    if apt_cache is None:
        return list(names)
    return [name for name in names if system.run([apt_cache, "show", name]).returncode == 0]


def install(missing: list[Missing], system: System) -> None:
    """Install what is missing with apt; say what fails, the next look tells what that means."""
    if not any(system.apt_lists.glob("*_Packages*")) and (apt_get := system.which("apt-get")):
        system.say("system: fetching the package lists ...")
        system.run([apt_get, "update"])  # a fresh container image has none
    wanted = packages([gap for gap in missing if gap.need.required], "apt")
    better = [name for name in packages(missing, "apt") if name not in wanted]
    # Apart, so that a package which only makes things better cannot keep back one that is required.
    for names in (wanted, available(better, system)):
        if not names:
            continue
        system.say(f"system: installing {' '.join(names)} (apt-get, as root) ...")
        failure = apt_install(names, system)
        if failure is not None:
            system.say(f"system: apt-get failed: {failure}")


def report(missing: list[Missing], system: System) -> None:
    """Say what is missing and the command that installs it, for the package manager at hand or for all."""
    for gap in missing:
        weight = "missing" if gap.need.required else "better with"
        system.say(f"system: {weight}: {gap.need.name} ({gap.reason})")
    at_hand = [manager for manager in INSTALL if system.which(PROGRAM[manager])]
    system.say("system: to install:" if at_hand else "system: to install, with your package manager:")
    for manager in at_hand or INSTALL:
        system.say("    " + install_command(missing, manager, system))


def check(needs: Sequence[Need], system: System, *, may_install: bool) -> int:
    """Look, install if allowed and possible, look again; return the exit status."""
    missing = look(needs, system)
    if missing and may_install and system.is_root() and system.which("apt-get"):
        install(missing, system)
        missing = look(needs, system)
    if missing:
        report(missing, system)
    return 2 if any(gap.need.required for gap in missing) else 0


def main(arguments: Sequence[str] | None = None, system: System | None = None) -> int:
    """Run the check; see the module's docstring."""
    parser = argparse.ArgumentParser(description="Check the system packages and fonts that Affidavit needs.")
    parser.add_argument("--tests", action="store_true", help="also what only the tests need")
    parser.add_argument("--required", action="store_true", help="leave out what is only better to have")
    parser.add_argument("--no-install", action="store_true", help="only say what is missing")
    options = parser.parse_args(arguments)
    needs = [need for need in NEEDS if need.required or not options.required]
    if options.tests:
        needs.extend(TEST_NEEDS)
    return check(needs, system or System(), may_install=not options.no_install)


if __name__ == "__main__":
    sys.exit(main())
