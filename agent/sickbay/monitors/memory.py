"""How much memory is left, how long tasks wait for it, and how much of it is broken."""

from sickbay.core.devices import NODE
from sickbay.core.signals import FieldValue, Signal
from sickbay.host.host_root import HostRoot
from sickbay.host.memory_info import MemoryReading, read_memory
from sickbay.monitors.coarse import in_steps, left, power_of_two
from sickbay.monitors.host_known import HostKnown
from sickbay.monitors.parts import said

_PERCENT = 5.0
"""Percentages are told in steps of five."""


def read(root: HostRoot) -> MemoryReading:
    """The host's memory now; OSError where /proc/meminfo cannot be read."""
    return read_memory(root.proc, root.sys)


def signals(reading: MemoryReading, known: HostKnown) -> tuple[Signal, ...]:
    """One `memory` for the node."""
    fields: dict[str, FieldValue] = {
        "total": reading.total,
        "available": power_of_two(reading.available),
        "available_share": left(_share(reading.available, reading.total)),
        "least_node_share": left(reading.least_node_share),
        "swap_total": reading.swap_total,
        "swap_used": power_of_two(_used(reading.swap_free, reading.swap_total)),
        "huge_pages": reading.huge_pages,
        "huge_pages_free": power_of_two(reading.huge_pages_free),
        "poisoned": reading.poisoned,
        "waiting": in_steps(reading.waiting, _PERCENT),
    }
    return (said("memory", NODE, known, fields, ("meminfo",)),)


def _share(part: int | None, whole: int | None) -> float | None:
    return None if part is None or not whole else part / whole


def _used(free: int | None, total: int | None) -> int | None:
    return None if free is None or total is None else total - free
