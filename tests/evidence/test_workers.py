"""A call in a child that dies, overruns or fills the memory costs itself alone; the parent says why in plain words."""

import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from affidavit.evidence import workers
from affidavit.evidence.workers import Confined, Failure, Pool, Reason, run_confined
from tests.evidence import chores
from tests.interrupts import heeded

MIB = 1024**2
ROOT = Path(__file__).resolve().parents[2]


def refused(function: object, *args: object, **limits: float) -> Failure:
    with pytest.raises(Confined) as raised:
        run_confined(function, *args, **limits)  # type: ignore[arg-type]
    assert str(raised.value) == raised.value.failure.reason
    return raised.value.failure


def test_a_result_comes_back() -> None:
    assert run_confined(chores.together, 3, 4) == 7


def test_memory_is_limited() -> None:
    for function in (chores.fill, chores.fill_by_arrow):
        assert run_confined(function, 100 * MIB, memory=400 * MIB) == 100 * MIB
        failure = refused(function, 600 * MIB, memory=400 * MIB)
        assert (failure.kind, failure.reason) == (Reason.MEMORY, "it needed more memory than is allowed")


def test_the_watch_of_systems_without_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    main = "import sys; sys.platform = 'other'; " + workers._MAIN
    monkeypatch.setattr(workers, "_MAIN", main)
    assert refused(chores.fill_and_stay, 150 * MIB, memory=100 * MIB).kind == Reason.MEMORY


@pytest.mark.parametrize("function", [chores.nap, chores.spin])
def test_time_is_limited(function: object) -> None:
    began = time.monotonic()
    failure = refused(function, 60, seconds=0.3)
    assert (failure.kind, failure.reason) == (Reason.TIME, "it took longer than 0.3 s")
    assert time.monotonic() - began < 20


def test_a_crash_is_told_by_its_signal() -> None:
    assert refused(chores.die, signal.SIGSEGV).reason == "it crashed (SIGSEGV)"
    assert refused(chores.die, signal.SIGABRT).reason == "it crashed (SIGABRT)"
    assert refused(chores.die, signal.SIGKILL).reason == "it was killed from outside, perhaps for want of memory"
    assert refused(chores.leave, 3).reason == "the process ended with status 3"
    assert refused(chores.die, signal.SIGXCPU).kind == Reason.TIME


def test_what_the_function_raises_is_handed_on() -> None:
    failure = refused(chores.fail, "no such column")
    assert (failure.kind, failure.reason) == (Reason.RAISED, "no such column")
    assert isinstance(failure.error, ValueError)
    failure = refused(chores.fail_with_what_no_pipe_takes, None)
    assert (failure.kind, failure.reason, failure.error) == (Reason.RAISED, "only here", None)


def test_nothing_is_printed_or_read(capfd: pytest.CaptureFixture[str]) -> None:
    assert run_confined(chores.babble, None, seconds=30) == ""
    assert capfd.readouterr() == ("", "")


def test_the_limits_that_a_child_has() -> None:
    found = run_confined(chores.limits, None, memory=512 * MIB, seconds=10)
    assert found["core"] == (0, 0)
    assert found["pool"] == "system"
    assert 10 <= int(str(found["cpu"])) < 10 * (os.cpu_count() or 1) + 20
    if sys.platform == "linux":
        assert found["data"] == 512 * MIB


def test_a_worker_loads_only_what_its_task_needs() -> None:
    assert run_confined(chores.loaded, None) == []


def test_a_pool_does_all_and_says_what_failed() -> None:
    tasks = [("value", number) for number in range(20)]
    tasks[3], tasks[7], tasks[11], tasks[15] = ("die", 0), ("fill", 2**40), ("spin", 0), ("fail", 0)
    with Pool(2, 512 * MIB, 0.7) as pool:
        found = dict(pool.map(chores.chore, tasks))
    assert set(found) == set(tasks)
    failures = {task[0]: result.kind for task, result in found.items() if isinstance(result, Failure)}
    assert failures == {"die": Reason.CRASH, "fill": Reason.MEMORY, "spin": Reason.TIME, "fail": Reason.RAISED}
    assert all(result == task[1] for task, result in found.items() if task[0] == "value")


def test_results_come_as_they_are_completed() -> None:
    with Pool(2, seconds=30) as pool:
        list(pool.map(chores.double, [1, 2]))  # both are there
        order = [task for task, _ in pool.map(chores.nap, [0.6, 0.0, 0.01])]
    assert order[-1] == 0.6


def test_children_are_used_again_and_no_more_than_allowed() -> None:
    with Pool(2) as pool:
        first = {result for _, result in pool.map(chores.pid, range(10))}
        second = {result for _, result in pool.map(chores.pid, range(10))}
    assert first == second
    assert 1 <= len(first) <= 2
    assert os.getpid() not in first


def test_what_earlier_tasks_left_behind_harms_no_later_one() -> None:
    with Pool(1, 200 * MIB) as pool:
        found = [result for _, result in pool.map(chores.leak, [60 * MIB] * 8)]
    assert all(isinstance(result, int) for result in found)
    assert max(int(str(result)) for result in found) < 8


def test_a_child_that_died_while_it_waited_costs_no_task() -> None:
    with Pool(1) as pool:
        ((_, number),) = pool.map(chores.pid, [0])
        os.kill(int(str(number)), signal.SIGKILL)
        time.sleep(0.2)
        assert list(pool.map(chores.double, [4])) == [(4, 8)]


def test_large_tasks_and_results_pass() -> None:
    with Pool(2) as pool:
        found = list(pool.map(len, [bytes(5 * MIB)] * 3))
        assert [result for _, result in found] == [5 * MIB] * 3
        assert [result for _, result in pool.map(bytes, [5 * MIB])] == [bytes(5 * MIB)]


def running(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_caller_that_stops_leaves_no_child_behind() -> None:
    with Pool(2, seconds=60) as pool:
        numbers = [int(str(result)) for _, result in pool.map(chores.pid, range(4))]
        for _ in pool.map(chores.nap, [0.0, 50.0]):
            break
    assert not any(running(number) for number in numbers)


def test_an_interrupt_ends_the_children() -> None:
    code = (
        "from affidavit.evidence.workers import Pool\nfrom tests.evidence import chores\n"
        "with Pool(2) as pool:\n"
        "    for _, number in pool.map(chores.pid, range(4)): print(number, flush=True)\n"
        "    list(pool.map(chores.nap, [50.0, 50.0]))\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=heeded,
    )  # fmt: skip
    try:
        assert parent.stdout is not None
        numbers = {int(parent.stdout.readline()) for _ in range(4)}
        time.sleep(0.3)
        parent.send_signal(signal.SIGINT)
        _, errors = parent.communicate(timeout=20)
    finally:
        parent.kill()
        parent.communicate()
    assert errors.count("KeyboardInterrupt") == 1  # of the parent alone
    assert not any(running(number) for number in numbers)


def test_a_child_that_answers_without_end_is_ended() -> None:
    began = time.monotonic()
    assert refused(chores.drip, None, seconds=0.5).kind == Reason.TIME
    assert time.monotonic() - began < 20


def test_what_cannot_be_sent_is_the_callers_mistake() -> None:
    with Pool(1) as pool:
        with pytest.raises((AttributeError, TypeError, pickle.PicklingError)):
            list(pool.map(lambda task: task, [1]))
        assert list(pool.map(chores.double, [4])) == [(4, 8)]


def test_a_pool_without_processes_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Pool(0)
