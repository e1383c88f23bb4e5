"""Calls in child processes with limits of memory and time: a call that dies or overruns costs itself alone.

A fresh interpreter is started for each worker (no fork, no second run of the main module), told over a pipe what to
call, and answers over another. It has no standard input, its output and warnings go nowhere, it writes no core dump.
These are limits against files that exhaust or crash a library; they are no sandbox against code that runs.

Memory is limited by RLIMIT_DATA on Linux: private writable memory, so that neither shared libraries nor a mapped file
count. Arrow's own allocators reserve a gibioctet or twice what is used, so the C library's is chosen for children
(ARROW_DEFAULT_MEMORY_POOL). Elsewhere a thread of the child looks at its resident size and ends it.
"""

import contextlib
import os
import pickle
import selectors
import signal
import struct
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

MEMORY = 2 * 1024**3
SECONDS = 300.0
_START_SECONDS = 60.0
_HEADER = struct.Struct(">cQ")
_BEGUN, _DONE, _RAISED = b"b", b"d", b"r"
_MAX_RESULT = 1024**3
_CHUNK = 1024 * 1024
_TOO_MUCH = 86
"""Exit status of a child that found its resident size beyond its limit."""
_ENVIRONMENT = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "2",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONWARNINGS": "ignore",
}
_MAIN = "from affidavit.evidence import workers; workers.serve()"


class Reason(StrEnum):
    """Why a call has no result."""

    MEMORY = "memory"
    TIME = "time"
    CRASH = "crash"
    RAISED = "raised"


@dataclass(frozen=True, slots=True)
class Failure:
    """A call without a result: why, in plain words, and what the function raised if it did."""

    kind: Reason
    reason: str
    error: Exception | None = None


class Confined(Exception):
    """A confined call has no result; the message says why, ``failure`` holds the details."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


def run_confined(function: Callable[..., R], *args: Any, memory: int = MEMORY, seconds: float = SECONDS) -> R:
    """What a function of a module returns, called in a child with so many octets and seconds. Raises Confined."""
    with Pool(1, memory, seconds) as pool:
        for _, result in pool.map(_Call(function), [args]):
            if isinstance(result, Failure):
                raise Confined(result) from result.error
            return result
    raise AssertionError("a call gives one result")


@dataclass(frozen=True, slots=True)
class _Call(Generic[R]):
    """A function that takes its arguments as one tuple."""

    function: Callable[..., R]

    def __call__(self, args: tuple[Any, ...]) -> R:
        return self.function(*args)


class Pool:
    """Child processes that take one task at a time; started when there is something to do, replaced when they die."""

    def __init__(self, processes: int, memory: int = MEMORY, seconds: float = SECONDS) -> None:
        if processes < 1:
            raise ValueError("a pool has at least one process")
        self._processes, self._memory, self._seconds = processes, memory, seconds
        self._idle: list[_Worker] = []
        self._busy: dict[_Worker, Any] = {}

    def __enter__(self) -> "Pool":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all children, whatever they are doing."""
        workers = [*self._idle, *self._busy]
        self._idle, self._busy = [], {}
        for worker in workers:
            worker.end()

    def map(self, function: Callable[[T], R], tasks: Iterable[T]) -> Iterator[tuple[T, R | Failure]]:
        """Each task with the function's result for it, or the reason why there is none, as they are completed.

        ``function`` stands at the top level of a module; tasks and results are pickled. One map at a time.
        """
        waiting = deque((task, False) for task in tasks)
        try:
            while waiting or self._busy:
                while waiting and len(self._busy) < self._processes:
                    task, afresh = waiting.popleft()
                    worker = self._worker(afresh=afresh)
                    self._busy[worker] = task
                    worker.send(function, task)
                for worker, result in self._completed():
                    task = self._busy.pop(worker)
                    if isinstance(result, Failure) and result.kind in (Reason.MEMORY, Reason.CRASH):
                        worker.end()
                        if worker.calls > 1:  # perhaps an earlier task's doing: only a fresh process can tell
                            waiting.appendleft((task, True))
                            continue
                    if worker.is_alive:
                        self._idle.append(worker)
                    yield task, result
        finally:  # an interrupt, or a caller that wants no more: what still runs is of no use
            busy, self._busy = list(self._busy), {}
            for worker in busy:
                worker.end()

    def _worker(self, *, afresh: bool) -> "_Worker":
        """A worker that waits for a task; a new one where it must be, or where none waits."""
        while self._idle and not afresh:
            worker = self._idle.pop()
            if worker.is_running():
                return worker
            worker.end()
        if self._idle:
            self._idle.pop().end()  # no more children than there may be
        return _Worker(self._memory, self._seconds)

    def _completed(self) -> list[tuple["_Worker", Any]]:
        """The workers that have ended their call, one way or the other; at least one."""
        found: list[tuple[_Worker, Any]] = []
        with selectors.DefaultSelector() as selector:
            for worker in self._busy:
                selector.register(worker.results, selectors.EVENT_READ, worker)
            while not found:
                wait = min(worker.deadline for worker in self._busy) - time.monotonic()
                ready = [key.data for key, _ in selector.select(max(0.0, wait))]
                now = time.monotonic()
                for worker in self._busy:
                    outcome = worker.receive() if worker in ready else None
                    if outcome is not None:
                        found.append((worker, outcome[0]))
                    elif now >= worker.deadline:
                        found.append((worker, worker.overrun()))
        return found


class _Worker:
    """One child, seen from its parent."""

    def __init__(self, memory: int, seconds: float) -> None:
        self._seconds = seconds
        self._buffer = bytearray()
        self._begun = False
        self.is_alive = True
        self.calls = 0
        tasks, self._tasks = os.pipe()
        self.results, results = os.pipe()
        self._errors, errors = os.pipe()
        os.set_blocking(errors, False)  # what a library prints beyond the pipe's size is lost; nothing waits for it
        os.set_blocking(self._errors, False)
        os.set_blocking(self.results, False)
        path = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _MAIN, str(tasks), str(results), str(memory), str(seconds)],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors, pass_fds=(tasks, results),
                env={**os.environ, **_ENVIRONMENT, "PYTHONPATH": path},
            )  # fmt: skip
        finally:
            for descriptor in (tasks, results, errors):
                os.close(descriptor)
        self.deadline = time.monotonic()

    def is_running(self) -> bool:
        """Whether the child is there."""
        return self._process.poll() is None

    def send(self, function: Callable[[Any], Any], task: Any) -> None:
        """Have the child call a function. A child that is dead already is found so when its answer is awaited."""
        message = pickle.dumps((function, task), pickle.HIGHEST_PROTOCOL)
        self._begun = False
        self.calls += 1
        self.deadline = time.monotonic() + _START_SECONDS + self._seconds
        with contextlib.suppress(BrokenPipeError):
            _write(self._tasks, _BEGUN, message)

    def receive(self) -> tuple[Any] | None:
        """What the child has answered, in a tuple; None while there is more to come."""
        try:
            found = os.read(self.results, _CHUNK)
        except BlockingIOError:
            return None
        if not found:
            return (self._died(),)
        self._buffer += found
        while len(self._buffer) >= _HEADER.size:
            kind, size = _HEADER.unpack_from(self._buffer)
            if size > _MAX_RESULT:
                self.end()
                return (Failure(Reason.CRASH, f"its result is larger than {_MAX_RESULT:,} octets"),)
            if len(self._buffer) < _HEADER.size + size:
                return None
            message = bytes(self._buffer[_HEADER.size : _HEADER.size + size])
            del self._buffer[: _HEADER.size + size]
            if kind == _BEGUN:
                self._begun = True
                self.deadline = time.monotonic() + self._seconds
                continue
            return (self._answer(kind, message),)
        return None

    def _answer(self, kind: bytes, message: bytes) -> Any:
        try:
            value = pickle.loads(message)  # noqa: S301 - of our own child
        except Exception as error:
            return Failure(Reason.CRASH, f"its result cannot be read: {type(error).__name__}")
        return value

    def overrun(self) -> Failure:
        """End a child that takes too long."""
        begun = self._begun
        self.end()
        words = f"it took longer than {self._seconds:g} s" if begun else "the process that should do it did not start"
        return Failure(Reason.TIME, words)

    def _died(self) -> Failure:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        status = self._process.poll()
        said = b""
        with contextlib.suppress(BlockingIOError):
            said = os.read(self._errors, 65536)
        self.end()
        return _why_dead(status, said)

    def end(self) -> None:
        """End the child, and take leave of it."""
        if not self.is_alive:
            return
        self.is_alive = False
        self._process.kill()
        self._process.wait()
        for descriptor in (self._tasks, self.results, self._errors):
            os.close(descriptor)


def _why_dead(status: int | None, said: bytes) -> Failure:
    if status == _TOO_MUCH or any(word in said for word in (b"bad_alloc", b"MemoryError", b"ut of memory")):
        return Failure(Reason.MEMORY, "it needed more memory than is allowed")
    if status is None or status >= 0:
        return Failure(Reason.CRASH, f"the process ended with status {status}")
    if -status == getattr(signal, "SIGXCPU", 0):
        return Failure(Reason.TIME, "it took more processor time than is allowed")
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    words = "it was killed from outside, perhaps for want of memory" if name == "SIGKILL" else f"it crashed ({name})"
    return Failure(Reason.CRASH, words)


def _write(descriptor: int, kind: bytes, message: bytes) -> None:
    view = memoryview(_HEADER.pack(kind, len(message)) + message)
    while view:
        view = view[os.write(descriptor, view) :]


# --- in the child -----------------------------------------------------------------------------------------------------


def serve() -> None:
    """Take tasks and answer them until the parent closes the pipe. The child's main function."""
    tasks, results, memory, seconds = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it, too, and ends its children
    _limit_memory(memory)
    while (message := _read(tasks)) is not None:
        _limit_time(seconds)
        _write(results, _BEGUN, b"")
        _write(results, *_called(message))
        del message


def _called(message: bytes) -> tuple[bytes, bytes]:
    """The answer to one task."""
    try:
        function, task = pickle.loads(message)  # noqa: S301 - of our own parent
        return _DONE, pickle.dumps(function(task), pickle.HIGHEST_PROTOCOL)
    except MemoryError:  # Arrow's is one, too
        return _RAISED, pickle.dumps(Failure(Reason.MEMORY, "it needed more memory than is allowed"))
    except Exception as error:
        words = str(error) or type(error).__name__
        kept = error.with_traceback(None)
        kept.__cause__ = kept.__context__ = None
        try:
            return _RAISED, pickle.dumps(Failure(Reason.RAISED, words, kept))
        except Exception:
            return _RAISED, pickle.dumps(Failure(Reason.RAISED, words))


def _read(descriptor: int) -> bytes | None:
    header = _exactly(descriptor, _HEADER.size)
    return None if header is None else _exactly(descriptor, _HEADER.unpack(header)[1])


def _exactly(descriptor: int, size: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < size:
        found = os.read(descriptor, min(_CHUNK, size - len(parts)))
        if not found:
            return None
        parts += found
    return bytes(parts)


def _limit_memory(memory: int) -> None:
    import resource

    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
            return
    threading.Thread(target=_watch, args=(memory,), daemon=True).start()


def _watch(memory: int) -> None:
    """End this process when its resident size goes beyond its limit, where the system itself does not."""
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    while resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit <= memory:
        time.sleep(0.05)
    os._exit(_TOO_MUCH)


def _limit_time(seconds: float) -> None:
    """A limit of processor time, for a child whose parent is gone; the parent counts the time that passes."""
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime + seconds * (os.cpu_count() or 1)) + 5
    with contextlib.suppress(ValueError, OSError):
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (limit, hard))
