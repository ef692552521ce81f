"""Whether the node has as many GPUs as its platform comes with: one that was never there is in no memory."""

from sickbay.core.devices import NODE
from sickbay.core.platforms import PlatformProfile
from sickbay.core.signals import FieldValue, Signal
from sickbay.host.nvml.catalogue import MODES
from sickbay.host.nvml.readings import GpuState, Sweep
from sickbay.monitors.known import Known
from sickbay.monitors.levels import SOURCE

_BARE_METAL = frozenset({0, 3, 4})
"""nvmlGpuVirtualizationMode_t: none, and the two of hypervisors. In a guest, fewer GPUs are the rule."""


def signals(sweep: Sweep, known: Known) -> tuple[Signal, ...]:
    """One `gpu_complement` for a node whose GPUs are all of one known platform and run on bare metal."""
    profile = _platform(sweep, known)
    if profile is None or profile.gpus is None or sweep.unavailable is not None or sweep.broken_off:
        return ()
    present = None if sweep.count is None else sweep.count + _passed_on(known)
    fields: dict[str, FieldValue] = {
        "expected": profile.gpus,
        "present": present,
        "short": None if present is None else max(profile.gpus - present, 0),
        "platform": profile.id,
    }
    return (Signal(kind="gpu_complement", subject=NODE, at=sweep.at, fields=fields, sources=(SOURCE,)),)


def _platform(sweep: Sweep, known: Known) -> PlatformProfile | None:
    read = [gpu for gpu in sweep.gpus if gpu.state is GpuState.READ]
    profiles = {known.profile_of(gpu) for gpu in read}
    modes = [known.last_of(gpu, MODES) for gpu in read]
    is_bare = all(each is not None and each.number("virtualization_mode") in _BARE_METAL for each in modes)
    return profiles.pop() if is_bare and len(profiles) == 1 else None


def _passed_on(known: Known) -> int:
    """GPUs that were handed to virtual machines: here, and not ours."""
    bus = known.kernel.pci
    return 0 if bus is None else len(bus.gpus) - len(bus.own)
