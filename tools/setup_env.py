"""Make `.venv`, or leave it alone if it is what the pins ask for.

    setup_env.py run    what `make` needs: the program
    setup_env.py dev    what `make test` needs: the program, linters, type checker, tests

The environment is made anew if the Python, the checkout's place or a lock file has changed, so that
nothing left over from before is in it. The comparison is by content, not by time of change: a git
checkout touches files that it does not change. Once made, no network is needed.

Standard library only, and run by the Python that the environment is to have.

Exit status: 0 the environment is ready; 2 it could not be made.
"""

import argparse
import contextlib
import hashlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

Run = Callable[[Sequence[str]], None]


class SetupError(Exception):
    """The environment could not be made; the message says why and what to do."""


def run_quietly(command: Sequence[str]) -> None:
    """Run a command, showing its output only if it fails.

    Raises `SetupError` with the end of its output.
    """
    done = subprocess.run(
        command, check=False, text=True, errors="replace", stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    if done.returncode != 0:
        raise SetupError("\n".join(done.stdout.strip().splitlines()[-15:]))


def digest(*paths: Path) -> str:
    """Hash the files' content, in order; a file that is not there counts as empty."""
    sha256 = hashlib.sha256()
    for path in paths:
        content = path.read_bytes() if path.is_file() else b""
        sha256.update(len(content).to_bytes(8, "big") + content)
    return sha256.hexdigest()


@dataclass(frozen=True)
class Environment:
    """The checkout's virtual environment and how to fill it."""

    root: Path = ROOT
    run: Run = run_quietly
    say: Callable[[str], None] = lambda text: print(text, file=sys.stderr, flush=True)

    @property
    def folder(self) -> Path:
        """Return the environment's folder."""
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        """Return the environment's interpreter."""
        return self.folder / "bin" / "python"

    @property
    def stamp(self) -> Path:
        """Return the file that records what the environment was made from; written last."""
        return self.folder / "affidavit-setup.json"

    def lock(self, kind: str) -> Path:
        """Return the lock file of `run` or `dev`."""
        return self.root / "requirements" / f"{kind}.lock"

    def recorded(self) -> dict[str, str]:
        """Read the stamp; empty if the environment was never finished or its Python is gone."""
        try:
            found = json.loads(self.stamp.read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) and self.python.exists() else {}

    def wanted(self) -> dict[str, str]:
        """Describe the environment as it should be, without the locks."""
        return {"python": f"{sys.version} {sys.executable}", "root": str(self.root)}

    def ensure(self, kind: str) -> bool:
        """Make the environment ready for `run` or `dev`; return whether anything had to be done.

        Raises `SetupError`.
        """
        stamp, wanted = self.recorded(), self.wanted()
        before = dict(stamp)
        # A lock that is installed and has since changed counts as well: nothing left over stays.
        installed = {name: digest(self.lock(name)) for name in ("run", "dev") if name in stamp}
        if {key: stamp.get(key) for key in (*wanted, *installed)} != wanted | installed:
            self.create()
            stamp = dict(wanted)
        if kind not in stamp:
            self.install(self.lock(kind))
            # dev.lock holds all of run.lock.
            for name in ("run", "dev") if kind == "dev" else ("run",):
                stamp[name] = digest(self.lock(name))
        project = digest(self.root / "pyproject.toml", self.root / "affidavit" / "__init__.py")
        if stamp.get("project") != project:
            self.install_project()
            stamp["project"] = project
        if stamp == before:
            return False
        self.stamp.write_text(json.dumps(stamp, indent=1) + "\n", encoding="utf-8")
        return True

    def create(self) -> None:
        """Make an empty environment in place of whatever was there."""
        if self.folder.is_dir() and any(self.folder.iterdir()) and not (self.folder / "pyvenv.cfg").is_file():
            raise SetupError(f"{self.folder} is there but is no virtual environment: move it away")
        version = ".".join(str(part) for part in sys.version_info[:3])
        self.say(f"set-up: making .venv with Python {version} ({sys.executable})")
        if self.folder.exists():
            shutil.rmtree(self.folder)
        self.run([sys.executable, "-m", "venv", str(self.folder)])

    def pip(self, *arguments: str) -> None:
        """Run the environment's pip, without questions and without news about itself."""
        self.run([str(self.python), "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments])

    def install(self, lock: Path) -> None:
        """Install what a lock file pins: these files and no others, no code run to build them."""
        count = sum("==" in line for line in lock.read_text(encoding="utf-8").splitlines())
        self.say(f"set-up: installing {count} pinned packages (requirements/{lock.name}) ...")
        try:
            self.pip("install", "-qq", "--only-binary=:all:", "--require-hashes", "-r", str(lock))
        except SetupError as error:
            raise SetupError(
                f"{error}\nset-up: the pins are tested with Python 3.11 to 3.14 on Linux; with another, "
                "try  make PYTHON=python3.12"
            ) from error

    def install_project(self) -> None:
        """Install the checkout itself, editable: the command `affidavit`, and no copy that could be stale.

        The build backend is among the pins, so that this needs no network.
        """
        self.pip("install", "-qq", "--no-deps", "--no-build-isolation", "--no-index", "-e", str(self.root))


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Keep two set-ups from working on one environment at a time."""
    try:
        import fcntl
    except ImportError:  # not a POSIX system
        yield
        return
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the set-up; see the module's docstring."""
    parser = argparse.ArgumentParser(description="Make the virtual environment that the pins ask for.")
    parser.add_argument("kind", choices=["run", "dev"])
    options = parser.parse_args(arguments)
    environment = Environment()
    started = time.monotonic()
    try:
        with alone(Path(__file__)):
            done = environment.ensure(options.kind)
    except SetupError as error:
        environment.say(f"set-up: failed: {error}")
        return 2
    if done:
        environment.say(f"set-up: .venv is ready ({time.monotonic() - started:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
