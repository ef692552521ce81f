"""What a running program costs, read from /proc by somebody else: it is not asked and does not know."""

import os
import time
from array import array
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
from tests.bench.figures import NotHereError

PAGE = os.sysconf("SC_PAGE_SIZE")
_ENTRY, _PRESENT, _FRAME = 8, 1 << 63, (1 << 55) - 1
"""An entry of /proc/PID/pagemap: its bytes, the bit that says "in memory", and the page's number."""

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_UTIME, _STIME, _CSTIME = 11, 12, 14
"""Positions after the command's name in /proc/PID/stat: fields 14, 15 and 17 of proc(5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """All processes of a program together, and the processor's share of the first of them alone.

    Bytes are proportional set size and writes to disks.
    """

    processes: int
    pss_bytes: int
    cpu_s: float
    first_cpu_s: float
    written_bytes: int


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    root = psutil.Process(pid)
    return [pid, *(child.pid for child in root.children(recursive=True))]


def cost(pid: int) -> Cost:
    """What a program and its children have used until now."""
    pids = family(pid)
    return Cost(
        processes=len(pids),
        pss_bytes=sum(_pss(each) for each in pids),
        cpu_s=sum(_cpu_s(each) for each in pids),
        first_cpu_s=_cpu_s(pid, with_ended=False),
        written_bytes=sum(_labelled(Path(f"/proc/{each}/io"), "write_bytes") for each in pids),
    )


def alone_bytes(pid: int) -> int:
    """What a program and its children would weigh with nobody else to share pages with.

    Their pages in memory, each counted once, by physical page number: /proc/PID/pagemap, which takes root.
    NotHereError where that does not tell.
    """
    pages: set[int] = set()
    for each in family(pid):
        pages |= _pages(each)
    if pages <= {0}:
        raise NotHereError("physical pages are shown to root only")
    return len(pages) * PAGE


def wait_until(holds: Callable[[], bool], *, deadline_s: float, what: str) -> None:
    """Look until something holds; TimeoutError with `what` after the deadline."""
    end = time.monotonic() + deadline_s
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {deadline_s:.0f} s in vain: {what}")
        time.sleep(0.05)


def _pss(pid: int) -> int:
    return 1024 * _labelled(Path(f"/proc/{pid}/smaps_rollup"), "Pss")


def _pages(pid: int) -> set[int]:
    """The physical pages that a process has in memory; only 0 where the kernel does not tell."""
    found: set[int] = set()
    with Path(f"/proc/{pid}/pagemap").open("rb") as pagemap:
        for line in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").splitlines():
            first, last = (int(end, 16) // PAGE for end in line.split(" ", 1)[0].split("-"))
            if "[vsyscall]" not in line:
                pagemap.seek(first * _ENTRY)
                entries = array("Q", pagemap.read((last - first) * _ENTRY))
                found.update(entry & _FRAME for entry in entries if entry & _PRESENT)
    return found


def _labelled(path: Path, label: str) -> int:
    lines = path.read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{label}:"))


def _cpu_s(pid: int, *, with_ended: bool = True) -> float:
    """User and system time, by default that of children which have ended included."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    last = _CSTIME if with_ended else _STIME
    return sum(map(int, fields[_UTIME : last + 1])) * TICK_S
