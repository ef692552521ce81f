"""Whether the kernel has the modules that GPUs need, and whether it is still sound."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from sickbay.core.devices import NODE
from sickbay.core.signals import FieldValue, Signal
from sickbay.host.host_root import HostRoot
from sickbay.host.host_settings import HostSettings
from sickbay.host.kernel_modules import ModulesReading, modules_of
from sickbay.monitors.host_known import HostKnown
from sickbay.monitors.parts import said

_TAINTS: Mapping[int, str] = MappingProxyType(
    {
        0: "proprietary module",
        1: "module forced in",
        2: "processor out of specification",
        3: "module forced out",
        4: "machine check",
        5: "bad page",
        6: "asked for by a program",
        7: "oops",
        8: "ACPI table overridden",
        9: "warning",
        10: "staging driver",
        11: "firmware bug worked around",
        12: "module from outside the kernel",
        13: "unsigned module",
        14: "soft lock-up",
        15: "live patch",
        16: "auxiliary, by the distribution",
        17: "randomised structures",
        18: "in-kernel test",
        19: "firmware control",
    },
)
"""Documentation/admin-guide/tainted-kernels.rst, by bit."""

_MACHINE_CHECK, _BAD_PAGE, _OOPS, _SOFT_LOCKUP = 4, 5, 7, 14


def reader(root: HostRoot, _settings: HostSettings) -> Callable[[], ModulesReading]:
    """See `sickbay.host.kernel_modules.modules_of`."""
    return modules_of(root.proc, root.sys)


def signals(reading: ModulesReading, known: HostKnown) -> tuple[Signal, ...]:
    """One `kernel_modules` for the node where it has GPUs, and one `kernel_taint`."""
    return (*_of_gpus(reading, known), _taint(reading.taint, known))


def _of_gpus(reading: ModulesReading, known: HostKnown) -> tuple[Signal, ...]:
    """Nothing where the bus shows no GPU of ours and no driver is loaded: then no module is missing."""
    if not reading.gpus and "nvidia" not in reading.loaded and not _has_condition(known):
        return ()
    fields: dict[str, FieldValue] = {
        "gpus": reading.gpus,
        "infiniband": reading.infiniband,
        "driver": reading.driver or None,
        "open": reading.is_open,
        "nvidia": "nvidia" in reading.loaded,
        "uvm": "nvidia_uvm" in reading.loaded,
        "modeset": "nvidia_modeset" in reading.loaded,
        "peermem": "nvidia_peermem" in reading.loaded,
        "nouveau": "nouveau" in reading.loaded,
    }
    return (_of_node("kernel_modules", fields, known),)


def _has_condition(known: HostKnown) -> bool:
    return NODE in known.concerned


def _taint(mask: int | None, known: HostKnown) -> Signal:
    fields: dict[str, FieldValue] = {
        "mask": mask,
        "words": None if mask is None else ", ".join(_words(mask)),
        "oops": _has(mask, _OOPS),
        "bad_page": _has(mask, _BAD_PAGE),
        "machine_check": _has(mask, _MACHINE_CHECK),
        "soft_lockup": _has(mask, _SOFT_LOCKUP),
    }
    return _of_node("kernel_taint", fields, known)


def _of_node(kind: str, fields: dict[str, FieldValue], known: HostKnown) -> Signal:
    return said(kind, NODE, known, fields, ("sysfs",))


def _words(mask: int) -> list[str]:
    """A bit that this list does not have keeps its number: kernels go on adding some."""
    return [_TAINTS.get(bit, f"bit {bit}") for bit in range(mask.bit_length()) if mask >> bit & 1]


def _has(mask: int | None, bit: int) -> bool | None:
    return None if mask is None else bool(mask >> bit & 1)
