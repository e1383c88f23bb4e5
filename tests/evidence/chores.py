"""What the tests of workers have done in other processes; light to import."""

import os
import signal
import sys
import time
import warnings
from pathlib import Path


def double(number: int) -> int:
    return 2 * number


def together(one: int, other: int) -> int:
    return one + other


def pid(_: object) -> int:
    return os.getpid()


def fill(octets: int) -> int:
    return len(bytearray(octets))


def fill_by_arrow(octets: int) -> int:
    import pyarrow as pa

    return int(pa.allocate_buffer(octets).size)


def nap(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def spin(_: object) -> None:
    while True:
        pass


def die(number: int) -> None:
    os.kill(os.getpid(), number)


def leave(status: int) -> None:
    os._exit(status)


def fail(words: str) -> None:
    raise ValueError(words)


def fail_with_what_no_pipe_takes(_: object) -> None:
    class Local(Exception):
        pass

    raise Local("only here")


def babble(_: object) -> str:
    warnings.warn("a raw warning", stacklevel=1)
    print("a raw line")
    sys.stderr.write("a raw line\n" * 100_000)
    return sys.stdin.read()


def limits(_: object) -> dict[str, object]:
    import resource

    import pyarrow as pa

    return {
        "core": resource.getrlimit(resource.RLIMIT_CORE),
        "data": resource.getrlimit(resource.RLIMIT_DATA)[0],
        "cpu": resource.getrlimit(resource.RLIMIT_CPU)[0],
        "pool": pa.default_memory_pool().backend_name,
    }


def loaded(_: object) -> list[str]:
    return sorted(name for name in ("numpy", "pyarrow", "cryptography", "duckdb") if name in sys.modules)


def chore(task: tuple[str, float]) -> object:
    what, number = task
    if what == "nap":
        return nap(number)
    if what == "fill":
        return fill(int(number))
    if what == "die":
        die(signal.SIGSEGV)
    if what == "spin":
        spin(None)
    if what == "fail":
        fail("no such thing")
    return number


def leak(octets: int, held: list[bytearray] = []) -> int:  # noqa: B006 - what a process holds on to is the point
    held.append(bytearray(octets))
    return len(held)


def read_arrow(source: Path | bytes) -> list[list[bytes | None]]:
    from affidavit.evidence import arrowfile

    groups = [number for number, _ in arrowfile.plan(source).groups]
    return [array.to_pylist() for array in arrowfile.batches(source, groups)]


def read_arrow_sizes(source: Path) -> int:
    from affidavit.evidence import arrowfile

    groups = [number for number, _ in arrowfile.plan(source).groups]
    return sum(array.nbytes for array in arrowfile.batches(source, groups))


def fill_and_stay(octets: int) -> None:
    held = b"x" * octets
    time.sleep(20 + len(held) * 0)


def drip(_: object) -> None:
    """Answer octet by octet, as no sound child does; its second argument is the pipe of results."""
    results = int(sys.argv[2])
    os.write(results, b"d" + (10**6).to_bytes(8))
    while True:
        os.write(results, b"x")
        time.sleep(0.01)


def lint_or_die(task: object) -> object:
    """As pkilint, but that a certificate with `die.example` in it brings the process down."""
    from affidavit.evidence import pkilinter

    assert isinstance(task, pkilinter.Task)
    if any(b"die.example" in der for der in task.ders):
        os._exit(3)
    return pkilinter.lint(task)


def plan_or_end(path: str) -> list[int] | str:
    """What planning gives, but for files whose names say otherwise: a library that crashes or never returns."""
    from affidavit.evidence import gather

    if "crash" in path:
        die(signal.SIGSEGV)
    if "hang" in path:
        spin(None)
    return gather.plan_data_file(path)
