"""Processes that can neither run nor be killed (state D), and dead ones that nobody has collected (Z).

A process that hangs in a driver call is in state D. Its leader may show as Z when somebody has tried to kill
it, while another of its threads is still in the driver and holds the GPU.

Only `stat` and `wchan` are read, and the open files of the few that are stuck: `cmdline` and `maps` take a
lock that a stuck process may hold for ever.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sickbay.host.kernel_files import content, content_if_any, names_in, raw_content
from sickbay.host.processes import held

_IS_KERNEL_THREAD = 0x00200000
"""PF_KTHREAD (include/linux/sched.h) in the `flags` of stat."""

QUIET_LOAD = 0.5
"""The load average counts every task in state D. One that has been there for a minute adds 1 - 1/e = 0.63 to
the average of that minute, so below this nobody has, and the processes need not be looked through."""

_OF_THE_DRIVER = ("nvidia", "nv_", "_nv0", "nvkms", "uvm_", "rm_", "os_acquire")
"""How functions of NVIDIA's kernel modules begin, as `wchan` shows them; `nvme` is not theirs."""

_NVIDIA = "/dev/nvidia"


@dataclass(frozen=True, slots=True, kw_only=True)
class StuckProcess:
    """A process one of whose threads was in state D. `started` and `ran` are in clock ticks, as in stat(5).

    `waiting_in` is the kernel function, empty where we may not know. `in_driver` None: neither that nor its
    open files may be seen. `since` is the monotonic second at which it was first seen like this, which
    the monitor remembers.
    """

    pid: int
    name: str
    started: int
    ran: int
    is_kernel: bool = False
    waiting_in: str = ""
    in_driver: bool | None = None
    since: float | None = None

    @property
    def identity(self) -> tuple[int, int, int]:
        """The same for as long as the process has not run: a process id is given to others later."""
        return self.pid, self.started, self.ran


@dataclass(frozen=True, slots=True, kw_only=True)
class StatesReading:
    """Who was in state D at one moment; most are only waiting for a disk.

    `zombies` is None when nobody was looked at, because the load average excludes that anything hangs.
    """

    stuck: tuple[StuckProcess, ...] = ()
    zombies: int | None = None


def read_states(proc: Path) -> StatesReading:
    """The processes now.

    Raises:
        OSError: /proc cannot be read.
    """
    load = content(proc / "loadavg").partition(" ")[0]
    if load.replace(".", "", 1).isdecimal() and float(load) < QUIET_LOAD:
        return StatesReading()
    stuck: list[StuckProcess] = []
    zombies = 0
    for pid, line in _suspects(proc):
        zombies += not _is_stuck(line)
        stuck += _stuck(proc, pid, line)
    return StatesReading(stuck=tuple(stuck), zombies=zombies)


def _suspects(proc: Path) -> Iterator[tuple[str, str]]:
    """(pid, its stat) of each in state D or Z. The leader's own file: that of the process adds up first."""
    for pid in filter(str.isdecimal, os.listdir(proc)):  # noqa: PTH208 - no Path for each of 2,000
        try:
            line = raw_content(f"{proc}/{pid}/task/{pid}/stat")
        except OSError:  # It ended meanwhile.
            continue
        if line[line.rfind(b")") + 2 :][:1] in {b"D", b"Z"}:
            yield pid, line.decode(errors="backslashreplace")


def _stuck(proc: Path, pid: str, line: str) -> list[StuckProcess]:
    """The process, by its leader or, where that is dead, by the first of its threads in state D."""
    threads = [line] if _is_stuck(line) else _other_threads(proc, pid)
    hanging = next(filter(_is_stuck, threads), None)
    process = _parsed(hanging) if hanging is not None else None
    return [] if process is None else [_looked_into(proc, pid, process)]


def _other_threads(proc: Path, pid: str) -> list[str]:
    tasks = f"{proc}/{pid}/task"
    return [content_if_any(f"{tasks}/{tid}/stat") or "" for tid in names_in(tasks)]


def _is_stuck(line: str) -> bool:
    return line[line.rfind(")") + 2 :].startswith("D")


def _parsed(line: str) -> StuckProcess | None:
    """`7194 (python 3) D 1 …` (proc(5)): the name may hold spaces and parentheses. None: cut short."""
    name = line[line.find("(") + 1 : line.rfind(")")]
    rest = line[line.rfind(")") + 2 :].split()
    try:
        flags, ran, started = int(rest[6]), int(rest[11]) + int(rest[12]), int(rest[19])
        pid = int(line.partition(" ")[0])
    except (IndexError, ValueError):
        return None
    is_kernel = bool(flags & _IS_KERNEL_THREAD)
    return StuckProcess(pid=pid, name=name, started=started, ran=ran, is_kernel=is_kernel)


def _looked_into(proc: Path, pid: str, process: StuckProcess) -> StuckProcess:
    thread = proc / pid / "task" / str(process.pid)
    where = content_if_any(thread / "wchan") or ""
    where = "" if where == "0" else where  # What others are shown, and those who run.
    return StuckProcess(
        pid=int(pid),
        name=process.name,
        started=process.started,
        ran=process.ran,
        is_kernel=process.is_kernel,
        waiting_in=where,
        in_driver=_in_driver(proc / pid / "fd", where),
    )


def _in_driver(files: Path, where: str) -> bool | None:
    if where.startswith(_OF_THE_DRIVER):
        return True
    devices = held(files, _NVIDIA)
    return None if devices is None else bool(devices)
