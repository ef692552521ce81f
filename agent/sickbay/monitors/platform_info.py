"""Where a GPU sits: chassis, slot and tray, as its own board tells (nvmlDeviceGetPlatformInfo)."""

from sickbay.core.signals import FieldValue, Signal
from sickbay.host.nvml.readings import GpuSweep, Sweep
from sickbay.monitors.known import Known
from sickbay.monitors.levels import level, seen

_NUMBERS = (
    ("slot", "slot_number"),
    ("tray", "tray_index"),
    ("host_id", "host_id"),
    ("peer_type", "peer_type"),
    ("module", "module_id"),
)
_TEXTS = (("chassis_serial", "chassis_serial"), ("ib_guid", "ib_guid"))
_OF = tuple(name for _, name in (*_NUMBERS, *_TEXTS))


def signals(sweep: Sweep, known: Known) -> tuple[Signal, ...]:
    """One `platform_info` a GPU whose board tells."""
    return tuple(signal for gpu in seen(sweep) for signal in _of(sweep, gpu, known))


def _of(sweep: Sweep, gpu: GpuSweep, known: Known) -> tuple[Signal, ...]:
    fields: dict[str, FieldValue] = {
        "profile": known.profile_of(gpu).id or None,
        **{field: gpu.number(name) for field, name in _NUMBERS},
        **{field: gpu.text(name) or None for field, name in _TEXTS},
    }
    return level(sweep, gpu, "platform_info", fields, of=_OF)
