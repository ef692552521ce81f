"""Writing to the machine's own kernel log, for tests and measurements that need the real one."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

DEVICE = Path("/dev/kmsg")
LIMIT = Path("/proc/sys/kernel/printk_devkmsg")


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
    LIMIT.write_text("on\n", encoding="ascii")
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
