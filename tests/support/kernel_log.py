"""Writing to the machine's own kernel log, for tests and measurements that need the real one."""

import contextlib
import functools
import inspect
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

DEVICE = Path("/dev/kmsg")
LIMIT = Path("/proc/sys/kernel/printk_devkmsg")
UNLIMITED = "on\n"
FLOODS_BORNE = 10
"""How often a test is begun again because another program flooded the ring."""
RECORD_BYTES = 8192
"""More than the kernel's longest record as `/dev/kmsg` prints it."""


def why_not() -> str:
    """Why the real kernel log cannot be used here; empty when it can."""
    if os.geteuid() != 0:
        return "writing to /dev/kmsg needs root"
    if not os.access(DEVICE, os.R_OK | os.W_OK):
        return f"{DEVICE} is missing or may not be opened"
    return ""


@contextlib.contextmanager
def unlimited() -> Iterator[None]:
    """Let writers write as fast as they like, and put the machine's own setting back.

    By default the kernel takes ten lines in five seconds from one descriptor and drops the rest.
    """
    before = LIMIT.read_text(encoding="ascii").strip()
    LIMIT.write_text(UNLIMITED, encoding="ascii")
    try:
        yield
    finally:
        LIMIT.write_text(f"{before}\n", encoding="ascii")


@contextlib.contextmanager
def writer() -> Iterator[int]:
    """A descriptor to write lines to, each `<level>text` with its newline in one write."""
    descriptor = os.open(DEVICE, os.O_WRONLY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


class Watch:
    """Whether other lines have pushed the ring's older ones out since this watch began.

    The ring is one for the whole machine, and for whatever else runs on its kernel: another's flood can
    take away the lines of a test before they are read.
    """

    def __init__(self) -> None:
        self._descriptor = os.open(DEVICE, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        os.lseek(self._descriptor, 0, os.SEEK_END)

    def close(self) -> None:
        """Let go of the device."""
        os.close(self._descriptor)

    def saw_overrun(self) -> bool:
        """Whether the place where this watch began is gone; the kernel says so with EPIPE, once."""
        try:
            os.read(self._descriptor, RECORD_BYTES)
        except BlockingIOError:
            return False
        except BrokenPipeError:
            return True
        return False


def undisturbed(test: Callable[..., Any]) -> Callable[..., Any]:
    """The test with writers unlimited, begun again for as long as another program spoils it.

    Both the ring and the limit belong to the kernel, not to the container that a test may run in.
    """
    if inspect.iscoroutinefunction(test):

        @functools.wraps(test)
        async def again_async(**arguments: object) -> None:
            for attempt in _attempts():
                with attempt:
                    await test(**arguments)

        return again_async

    @functools.wraps(test)
    def again(**arguments: object) -> None:
        for attempt in _attempts():
            with attempt:
                test(**arguments)

    return again


class _Attempt(contextlib.AbstractContextManager["_Attempt"]):
    """One go at a test: a failure is forgiven when the log was disturbed, and another go is left."""

    def __init__(self, *, is_last: bool) -> None:
        self.passed = False
        self._is_last = is_last

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as opening:
            opening.enter_context(unlimited())
            self._watch = opening.enter_context(contextlib.closing(Watch()))
            self._opened = opening.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, *about: object) -> bool:
        disturbed = self._watch.saw_overrun() or LIMIT.read_text(encoding="ascii") != UNLIMITED
        self._opened.close()
        self.passed = kind is None
        forgivable = kind is not None and issubclass(kind, (AssertionError, LookupError, TimeoutError))
        return forgivable and disturbed and not self._is_last


def _attempts() -> Iterator[_Attempt]:
    for number in range(FLOODS_BORNE + 1):
        attempt = _Attempt(is_last=number == FLOODS_BORNE)
        yield attempt
        if attempt.passed:
            return
