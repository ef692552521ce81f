"""Memory that nobody living holds, and the window into it that others map."""

from sickbay.core.signals import FieldValue, Signal
from sickbay.host.nvml.catalogue import MODES
from sickbay.host.nvml.readings import GpuState, GpuSweep, Sweep
from sickbay.monitors.known import Known
from sickbay.monitors.levels import level, seen

_OF = ("memory_total", "memory_used", "bar1_total")
_OWN_PROCESSES_ONLY = frozenset({0, 1})
"""nvmlGpuVirtualizationMode_t: bare metal, and a GPU passed through whole. Elsewhere guests hold memory."""


def signals(sweep: Sweep, known: Known) -> tuple[Signal, ...]:
    """One `gpu_memory` a GPU."""
    return tuple(signal for gpu in seen(sweep) for signal in _of(sweep, gpu, known))


def _of(sweep: Sweep, gpu: GpuSweep, known: Known) -> tuple[Signal, ...]:
    dead = _dead(gpu, known)
    total, used = gpu.number("bar1_total"), gpu.number("bar1_used")
    fields: dict[str, FieldValue] = {
        "total": gpu.number("memory_total"),
        "used": gpu.number("memory_used"),
        "reserved": gpu.number("memory_reserved"),
        "held": _held(gpu, known),
        "dead": None if dead is None else len(dead),
        "dead_pid": None if dead is None else min(dead, default=0),
        "bar1_total": total,
        "bar1_used": used,
        "bar1_share": used / total if total and used is not None else None,
    }
    return level(sweep, gpu, "gpu_memory", fields, of=_OF)


def pids_of(gpu: GpuSweep) -> list[int] | None:
    """The processes that the driver lists on a GPU; None while one of the lists is not known.

    MPS clients are in a list of their own, which not every driver has: then it is taken for empty.
    """
    compute = gpu.values.get("compute_pids")
    mps = gpu.values.get("mps_pids", ())
    if gpu.state is not GpuState.READ or not isinstance(compute, tuple) or not isinstance(mps, tuple):
        return None
    return [pid for pid in (*compute, *mps) if pid is not None]


def _dead(gpu: GpuSweep, known: Known) -> list[int] | None:
    pids, processes = pids_of(gpu), known.kernel.processes
    if pids is None or processes is None or not all(pid in processes for pid in pids):
        return None
    return [pid for pid in pids if not processes[pid].exists]


def _held(gpu: GpuSweep, known: Known) -> int | None:
    """Memory in use without a process. Unknown where instances or guests may be what holds it."""
    pids, modes = pids_of(gpu), known.last_of(gpu, MODES)
    if pids is None or modes is None or gpu.number("memory_reserved") is None:
        return None
    if modes.number("virtualization_mode") not in _OWN_PROCESSES_ONLY or modes.number("mig_mode") == 1:
        return None
    return 0 if pids else gpu.number("memory_used")
