"""Every monitor, once. A monitor that is not here does not run; tests/meta holds this against the folder."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sickbay.core.signals import Signal
from sickbay.host.nvml.catalogue import (
    C2C,
    CLOCKS,
    ECC,
    FABRIC,
    INFOROM,
    MODES,
    NVLINK,
    NVLINK_ERRORS,
    PCIE,
    PLATFORM,
    POWER,
    PROCESSES,
    RECOVERY_ACTION,
    REPAIR,
    ROW_REMAP,
    SRAM,
    TEMPERATURE,
)
from sickbay.host.nvml.readings import Sweep
from sickbay.monitors import (
    c2c,
    clocks,
    complement,
    driver_access,
    driver_versions,
    ecc,
    fabric,
    gpu_memory,
    inforom,
    inventory,
    lost,
    mig,
    modes,
    nvlink,
    nvlink_errors,
    pcie,
    platform_info,
    power,
    presence,
    processes,
    recovery_action,
    repair,
    retired_pages,
    row_remap,
    sram,
    thermal,
    unresponsive,
)
from sickbay.monitors.known import Known


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepMonitor:
    """One monitor of what is polled.

    `judge` makes signals of a sweep and of what is known beside it; it is asked of sweeps that read `group`,
    or of every sweep when there is none.
    """

    judge: Callable[[Sweep, Known], tuple[Signal, ...]]
    group: str = ""


SWEEP_MONITORS: Mapping[str, SweepMonitor] = MappingProxyType(
    {
        "driver_access": SweepMonitor(judge=lambda sweep, _known: driver_access.signals(sweep)),
        "driver_versions": SweepMonitor(judge=driver_versions.signals),
        "inventory": SweepMonitor(
            judge=lambda sweep, known: inventory.signals(sweep, known.baseline, known.kernel.pci)
        ),
        "presence": SweepMonitor(judge=presence.signals, group=PROCESSES),
        "complement": SweepMonitor(judge=complement.signals, group=MODES),
        "modes": SweepMonitor(judge=lambda sweep, _known: modes.signals(sweep), group=MODES),
        "mig": SweepMonitor(judge=mig.signals, group=MODES),
        "inforom": SweepMonitor(judge=lambda sweep, _known: inforom.signals(sweep), group=INFOROM),
        "gpu_memory": SweepMonitor(judge=gpu_memory.signals, group=PROCESSES),
        "processes": SweepMonitor(judge=processes.signals, group=PROCESSES),
        "platform_info": SweepMonitor(judge=platform_info.signals, group=PLATFORM),
        "lost": SweepMonitor(
            judge=lambda sweep, known: lost.signals(sweep, known.baseline, known.kernel.pci)
        ),
        "unresponsive": SweepMonitor(judge=lambda sweep, _known: unresponsive.signals(sweep)),
        "recovery_action": SweepMonitor(
            judge=lambda sweep, _known: recovery_action.signals(sweep), group=RECOVERY_ACTION
        ),
        "thermal": SweepMonitor(judge=lambda sweep, _known: thermal.signals(sweep), group=TEMPERATURE),
        "clocks": SweepMonitor(
            judge=lambda sweep, known: clocks.signals(sweep, known.previous), group=CLOCKS
        ),
        "power": SweepMonitor(judge=lambda sweep, _known: power.signals(sweep), group=POWER),
        "ecc": SweepMonitor(judge=lambda sweep, known: ecc.signals(sweep, known.previous), group=ECC),
        "sram": SweepMonitor(judge=lambda sweep, _known: sram.signals(sweep), group=SRAM),
        "row_remap": SweepMonitor(judge=lambda sweep, _known: row_remap.signals(sweep), group=ROW_REMAP),
        "repair": SweepMonitor(judge=lambda sweep, _known: repair.signals(sweep), group=REPAIR),
        "retired_pages": SweepMonitor(judge=lambda sweep, _known: retired_pages.signals(sweep), group=REPAIR),
        "nvlink": SweepMonitor(judge=nvlink.signals, group=NVLINK),
        "nvlink_errors": SweepMonitor(judge=nvlink_errors.signals, group=NVLINK_ERRORS),
        "fabric": SweepMonitor(judge=lambda sweep, _known: fabric.signals(sweep), group=FABRIC),
        "c2c": SweepMonitor(judge=c2c.signals, group=C2C),
        "pcie": SweepMonitor(judge=pcie.signals, group=PCIE),
    },
)
"""Monitors of what is polled, by the name of their module."""

EVENT_MONITORS = ("kernel_faults", "kernel_log", "nvml_events", "sxid", "xid")
"""Monitors of what is told as it happens; sickbay.node.kernel_watch runs them."""
