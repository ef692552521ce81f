"""What holds for every test: how much hypothesis tries, what runs side by side, and that nothing is left."""

import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, settings
from tests.support import kernel_log

settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile(
    "ci",
    max_examples=300,
    deadline=None,  # the machine is shared; time is measured by `make bench`, not judged here
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))

ONE_AT_A_TIME = ("slurm", "kmsg", "gpu")
"""Marks of tests that use a part which the whole machine shares; they queue in one process."""

RUN = "SICKBAY_TEST_RUN"
LINGER_S = 5.0
_HELD_BY_PYTHON = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests that share a part of the machine to one process, in their order.

    What shares the kernel beyond this machine cannot queue; its tests begin anew when it disturbed them.
    """
    for item in items:
        if any(item.get_closest_marker(mark) for mark in ONE_AT_A_TIME):
            item.add_marker(pytest.mark.xdist_group("machine"))
        if isinstance(item, pytest.Function) and item.get_closest_marker("kmsg") and not kernel_log.why_not():
            item.obj = kernel_log.undisturbed(item.obj)


@pytest.fixture(autouse=True)
def no_process_is_left_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail the test that leaves a child running.

    Slurm's daemons outlive the single test, and a pretended reboot starts one anew; for them the session's
    check below does the same at the end.
    """
    if request.node.get_closest_marker("slurm"):
        yield
        return
    before = _children()
    yield
    left = _wait_for_end(lambda: _children() - before)
    if left:
        pytest.fail(f"left behind: {_end(left)}", pytrace=False)


@pytest.fixture(autouse=True, scope="session")
def interrupts_are_heard() -> None:
    """A suite that a shell started in the background ignores SIGINT, and so would all that it starts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def no_process_outlives_the_session() -> Iterator[None]:
    """Fail the session that leaves a process running, also one that left its parent.

    Whatever a test starts inherits a mark in its environment, and is found by it.
    """
    mark = uuid.uuid4().hex
    os.environ[RUN] = mark
    yield
    left = _wait_for_end(lambda: _marked(f"{RUN}={mark}".encode()))
    if left:
        pytest.fail(f"outlived the tests: {_end(left)}", pytrace=False)


def _children() -> set[int]:
    """The children of this process, straight from the kernel: this is asked twice a test."""
    listed = Path("/proc/self/task").glob("*/children")
    pids = {int(pid) for path in listed for pid in _text_of(path).split()}
    return {pid for pid in pids if _is_alive(pid) and not _is_pythons(pid)}


def _text_of(path: Path) -> str:
    """What the kernel lists there; nothing for a thread that ended meanwhile."""
    try:
        return path.read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _marked(mark: bytes) -> set[int]:
    """Every process whose environment carries the mark, but this one."""
    return {
        process.pid
        for process in psutil.process_iter()
        if process.pid != os.getpid() and mark in _environment(process.pid) and not _is_pythons(process.pid)
    }


def _environment(pid: int) -> list[bytes]:
    """The environment a process was started with; empty when it is gone or not ours to read."""
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []


def _is_alive(pid: int) -> bool:
    """Whether the process still runs; a zombie only waits to be reaped."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _is_pythons(pid: int) -> bool:
    """Whether the process is one that the interpreter keeps for itself until it ends."""
    return any(name in _name(pid) for name in _HELD_BY_PYTHON)


def _name(pid: int) -> str:
    try:
        return " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return ""


def _wait_for_end(running: Callable[[], set[int]]) -> set[int]:
    """What still runs after a short while in which a process may end by itself."""
    deadline = time.monotonic() + LINGER_S
    while (left := running()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


def _end(pids: set[int]) -> str:
    """End what was left, so that the next test starts clean; return what it was."""
    names = "; ".join(f"{pid} {_name(pid)}" for pid in sorted(pids))
    for pid in pids:
        try:
            psutil.Process(pid).kill()
        except psutil.NoSuchProcess:
            continue
    return names
