"""Whether the driver can be asked and heard at all: trouble of the watching, never of the hardware."""

from sickbay.core.devices import Scope, Subject
from sickbay.core.signals import FieldValue, Signal
from sickbay.host.nvml.readings import GpuState, GpuSweep, Sweep
from sickbay.monitors.levels import SOURCE

EVENTS = "nvml_events"
"""The name of the driver's events in signals of kind `monitor`."""


def signals(sweep: Sweep) -> tuple[Signal, ...]:
    """One `monitor` for the driver's events. What is polled is told by whoever polls, with `trouble`."""
    detail = sweep.deaf or (sweep.unavailable.reason if sweep.unavailable is not None else "")
    fields: dict[str, FieldValue] = {"name": EVENTS, "healthy": not detail, "detail": detail}
    subject = Subject(scope=Scope.NODE, name=EVENTS)
    return (Signal(kind="monitor", subject=subject, at=sweep.at, fields=fields, sources=(SOURCE,)),)


def trouble(sweep: Sweep) -> str:
    """What stands between us and the driver; empty for nothing. One call that hung is its GPU's matter."""
    if sweep.unavailable is not None:
        return sweep.unavailable.reason
    refused = [f"{_name(gpu)}: {gpu.because}" for gpu in sweep.gpus if _is_refused(gpu)]
    if sweep.broken_off and all(gpu.hang is None for gpu in sweep.gpus):
        refused.append(sweep.broken_off)
    return "; ".join(refused)


def _is_refused(gpu: GpuSweep) -> bool:
    return gpu.state is GpuState.UNSEEN and gpu.code != 0


def _name(gpu: GpuSweep) -> str:
    return gpu.pci or gpu.subject.name
