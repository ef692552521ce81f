"""Who computes on each GPU, and for which job."""

from sickbay.core.signals import FieldValue, Signal
from sickbay.host.nvml.readings import GpuSweep, Sweep
from sickbay.monitors.gpu_memory import pids_of
from sickbay.monitors.known import Known
from sickbay.monitors.levels import level, seen

_MOST = 16


def signals(sweep: Sweep, known: Known) -> tuple[Signal, ...]:
    """One `gpu_processes` a GPU. Names of programs and of users are nobody's business here."""
    return tuple(signal for gpu in seen(sweep) for signal in _of(sweep, gpu, known))


def _of(sweep: Sweep, gpu: GpuSweep, known: Known) -> tuple[Signal, ...]:
    pids = pids_of(gpu)
    jobs = _jobs(pids, known)
    fields: dict[str, FieldValue] = {
        "count": None if pids is None else len(pids),
        "pids": None if pids is None else ",".join(str(pid) for pid in sorted(pids)[:_MOST]),
        "jobs": None if jobs is None else ",".join(sorted(set(jobs) - {""})[:_MOST]),
        "without_job": None if jobs is None else jobs.count(""),
    }
    return level(sweep, gpu, "gpu_processes", fields, of=("compute_pids",))


def _jobs(pids: list[int] | None, known: Known) -> list[str] | None:
    """The job of each living process, empty for none; None where processes cannot be looked up."""
    processes = known.kernel.processes
    if pids is None or processes is None or not all(pid in processes for pid in pids):
        return None
    return [processes[pid].job for pid in pids if processes[pid].exists]
