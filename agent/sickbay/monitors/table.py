"""Every monitor, once. A monitor that is not here does not run; tests/meta holds this against the folder."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from sickbay.core.devices import Inventory
from sickbay.core.signals import Signal
from sickbay.host.nvml.readings import Sweep
from sickbay.monitors import (
    clocks,
    driver_access,
    ecc,
    inventory,
    lost,
    nvlink,
    recovery_action,
    row_remap,
    thermal,
    unresponsive,
)

SweepMonitor = Callable[[Sweep, Sweep | None, Inventory | None], tuple[Signal, ...]]
"""A sweep, the one before it, and what the host had when it was last well: what is to be said of that."""

SWEEP_MONITORS: Mapping[str, SweepMonitor] = MappingProxyType(
    {
        "driver_access": lambda sweep, _previous, _expected: driver_access.signals(sweep),
        "inventory": lambda sweep, _previous, expected: inventory.signals(sweep, expected),
        "lost": lambda sweep, _previous, expected: lost.signals(sweep, expected),
        "unresponsive": lambda sweep, _previous, _expected: unresponsive.signals(sweep),
        "recovery_action": lambda sweep, _previous, _expected: recovery_action.signals(sweep),
        "thermal": lambda sweep, _previous, _expected: thermal.signals(sweep),
        "clocks": lambda sweep, _previous, _expected: clocks.signals(sweep),
        "ecc": lambda sweep, previous, _expected: ecc.signals(sweep, previous),
        "row_remap": lambda sweep, _previous, _expected: row_remap.signals(sweep),
        "nvlink": lambda sweep, _previous, _expected: nvlink.signals(sweep),
    },
)
"""Monitors of what is polled, by the name of their module."""

EVENT_MONITORS = ("kernel_log", "nvml_events", "xid")
"""Monitors of what is told as it happens; sickbay.node.kernel_watch runs them."""
