"""Whether the services run that a GPU host lives by, of those that are to start with it.

A service that is not installed, not enabled or masked is none of this host's, and nothing is said of it.
"""

from sickbay.core.platforms import PlatformProfile
from sickbay.core.signals import FieldValue, Signal
from sickbay.host.host_root import HostRoot
from sickbay.host.service_units import ServicesReading, ServiceUnit, read_services
from sickbay.monitors.host_known import HostKnown
from sickbay.monitors.parts import concerned, part, said

FABRIC_MANAGER = "nvidia-fabricmanager.service"
IMEX = "nvidia-imex.service"
_NEEDED = (
    "nvidia-persistenced.service",
    "slurmd.service",
    "munge.service",
    "kubelet.service",
    "containerd.service",
    "crio.service",
    "docker.service",
)
_OPTIONAL = ("nvidia-dcgm.service", "dcgm-exporter.service", "nvidia-mig-manager.service")
_FAMILY = "service"
UNITS = (FABRIC_MANAGER, IMEX, *_NEEDED, *_OPTIONAL)

_NVLINK_5 = 7
"""NVML_NVLINK_VERSION_5_0 (nvml.h)."""
_ON_A_BASEBOARD = 8


def read(root: HostRoot) -> ServicesReading:
    """The services now; OSError where systemd runs and cannot be seen."""
    return read_services(root, UNITS)


def signals(
    reading: ServicesReading, previous: ServicesReading | None, known: HostKnown
) -> tuple[Signal, ...]:
    """One `service` for each unit that is to run, and for each that is no longer to and has a condition."""
    before = {unit.name: unit for unit in previous.units} if previous is not None else {}
    enabled = [_signal(unit, before.get(unit.name), reading, known) for unit in reading.units]
    gone = concerned(_FAMILY, known) - {unit.name for unit in reading.units}
    return (*enabled, *(_disabled(name, known) for name in sorted(gone)))


def _signal(
    unit: ServiceUnit, before: ServiceUnit | None, reading: ServicesReading, known: HostKnown
) -> Signal:
    fields: dict[str, FieldValue] = {
        "unit": unit.name,
        "enabled": True,
        "up": unit.is_up,
        "started_anew": _started_anew(unit, before),
        "needed": _is_needed(unit.name, reading, known.profile),
    }
    return said("service", part(_FAMILY, unit.name), known, fields, ("systemd",))


def _disabled(name: str, known: HostKnown) -> Signal:
    fields: dict[str, FieldValue] = {"unit": name, "enabled": False, "up": None, "started_anew": False}
    return said("service", part(_FAMILY, name), known, fields, ("systemd",))


def _started_anew(unit: ServiceUnit, before: ServiceUnit | None) -> bool | None:
    """Whether it has another start behind it than at the last look; unknown without a last look."""
    if before is None:
        return None
    return bool(unit.invocation) and bool(before.invocation) and unit.invocation != before.invocation


def _is_needed(name: str, reading: ServicesReading, profile: PlatformProfile) -> bool | None:
    if name == FABRIC_MANAGER:
        return reading.switches > 0 or _is_switched(profile)
    if name == IMEX:
        return reading.imex_peers > 1
    return name in _NEEDED


def _is_switched(profile: PlatformProfile) -> bool | None:
    """Whether the GPUs are joined by NVSwitches that the PCI bus does not show, as on HGX B200 and B300.

    Fabric Manager runs on such a node; where GPUs sit beside a Grace CPU it runs on the switch trays. Unknown
    for a GPU of which no profile says how many make a node.
    """
    if profile.gpus is None or profile.nvlink_version is None:
        return None
    return profile.gpus == _ON_A_BASEBOARD and profile.nvlink_version >= _NVLINK_5 and not profile.c2c_links
