"""Files written whole or not at all: beside their place, then renamed."""

import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def write_file(path: Path, content: bytes) -> None:
    """Write a file beside its place and rename it there; who may read it is as it was, or as the umask has it.

    A device or pipe is written to as it is, for a file in its place would take it from everybody else; a link is
    replaced, never followed, for a stranger's checkout may hold it. OSError names the file itself, whichever of its
    names could not be written.
    """
    try:
        there = path.lstat() if path.exists() or path.is_symlink() else None
        kind = stat.S_IFMT(there.st_mode) if there else stat.S_IFREG
        if path.is_relative_to("/dev") or kind not in (stat.S_IFREG, stat.S_IFLNK):
            with path.open("wb") as stream:
                stream.write(content)
        else:
            _replace(path, content, stat.S_IMODE(there.st_mode) if there and kind == stat.S_IFREG else None)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None


def _replace(path: Path, content: bytes, mode: int | None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name[:100]}.{secrets.token_hex(8)}")
    # Not mkstemp, whose files are for their owner alone: others are to read a SARIF file or a report, too.
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        if mode is not None:
            beside.chmod(mode)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


@contextmanager
def replacing_folder(target: Path) -> Iterator[Path]:
    """A new folder beside ``target`` that takes its place when the block ends well.

    If the block raises, the folder goes and ``target`` stays as it was. What an interrupted run left
    behind is cleared first; if it was interrupted between the two renames, the old folder is put back.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    old = target.with_name(f".{target.name}.old")
    if old.is_dir():
        if target.exists():
            shutil.rmtree(old)
        else:
            old.rename(target)
    for leftover in target.parent.glob(f".{target.name}.new-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    new = Path(tempfile.mkdtemp(prefix=f".{target.name}.new-", dir=target.parent))
    try:
        yield new
        # mkdtemp makes a folder for its owner alone; a site is for a web server to read.
        new.chmod(0o755)
        if target.exists():
            target.rename(old)
        try:
            new.rename(target)
        except OSError:
            if old.is_dir():
                old.rename(target)
            raise
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    shutil.rmtree(old, ignore_errors=True)
