"""Which job a process belongs to: asked of its control group first, which it cannot change.

Slurm puts `job_4711` into the path, under both versions of control groups; Kubernetes puts the pod's UID
there, with `_` for `-` where systemd made the group. SLURM_JOB_ID in the environment is for clusters that use
no control groups; that file is private to the process's owner, so an agent without privileges often cannot
read it, and then the job is not known.
"""

import os
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

_SLURM = re.compile(r"slurm[^\n]*?/job_(\d+)(?:/|$)", re.MULTILINE)
_POD = re.compile(
    r"kubepods[^\n]*?pod([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}|[0-9a-f]{32})"
)
_ENVIRONMENT = re.compile(rb"(?:^|\0)SLURM_JOB_ID=(\d+)(?:\0|$)")
_MOST_BYTES = 131_072
_MOST_PROCESSES = 256
_FIRST_PID_NAMESPACE = "pid:[4026531836]"
"""PROC_PID_INIT_INO of the kernel's include/linux/proc_ns.h."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessView:
    """One process. `exists` is False for one that the kernel no longer has; `job` is empty for none known."""

    exists: bool
    job: str = ""


class Processes:
    """The processes of this host, by the pids of its first namespace."""

    def __init__(self, root: Path = Path("/proc"), *, answers: "Callable[[int], bool] | None" = None) -> None:
        """`answers` says whether a process exists that `root` hides; None where `root` shows all."""
        self._root = root
        self._answers = answers

    @classmethod
    def of_this_host(cls) -> "Processes | None":
        """The real ones; None within a container, where the driver's pids mean other processes or none."""
        try:
            namespace = os.readlink("/proc/self/ns/pid")  # noqa: PTH115 - `pid:[…]` is no path
        except OSError:
            return None
        return cls(answers=_answers) if namespace == _FIRST_PID_NAMESPACE else None

    def look(self, pids: Collection[int]) -> Mapping[int, ProcessView]:
        """At most 256 of these processes, without those that the driver could not name (pid 0). Blocks."""
        named = sorted({pid for pid in pids if pid > 0})[:_MOST_PROCESSES]
        return {pid: self._view(pid) for pid in named}

    def _view(self, pid: int) -> ProcessView:
        folder = self._root / str(pid)
        if not folder.exists() and not (self._answers is not None and self._answers(pid)):
            return ProcessView(exists=False)
        return ProcessView(exists=True, job=_job(folder))


def _job(folder: Path) -> str:
    groups = _read(folder / "cgroup").decode("utf-8", "replace")
    if (slurm := _SLURM.search(groups)) is not None:
        return f"slurm:{slurm[1]}"
    if (pod := _POD.search(groups)) is not None:
        return f"pod:{pod[1].replace('_', '-')}"
    told = _ENVIRONMENT.search(_read(folder / "environ"))
    return f"slurm:{told[1].decode('ascii')}" if told is not None else ""


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES)
    except OSError:
        return b""


def _answers(pid: int) -> bool:
    # Signal 0 reaches nobody. It finds processes that a /proc mounted with hidepid does not show.
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
