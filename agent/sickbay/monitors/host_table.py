"""Every monitor of the host itself, once. tests/meta holds this against the folder."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from sickbay.core.signals import Signal
from sickbay.host.host_root import HostRoot
from sickbay.host.host_settings import LONGEST_MOUNT_ANSWER, HostSettings
from sickbay.monitors import (
    cpu,
    disks,
    filesystems,
    infiniband,
    infiniband_errors,
    kernel_modules,
    memory,
    memory_modules,
    mounts,
    pcie_aer,
    services,
    stuck_processes,
    time_sync,
)
from sickbay.monitors.host_known import HostKnown

T = TypeVar("T")

Reader = Callable[[], T]
"""Reads once. It may block, and raises OSError where it cannot see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostMonitor(Generic[T]):
    """One monitor of the host. Spans in seconds.

    `reader` makes the reader of a host (an edge in sickbay.host), which may remember what costs to find out.
    It is run in a thread, never twice at a time; one that is not back within `deadline`, or raises OSError,
    leaves the monitor blind: what it watches is unknown, never faulty.
    `judge` is pure: this reading, the one before it, and what else is known, into signals. It is asked every
    `every` seconds, or `at_rest` after it had nothing to say, for what no host of this kind has.
    `carry` is pure, too: it adds to a reading what must be remembered of those before it.
    A reading that equals the one before is judged only once in `retell` seconds: rules that wait for a span
    want readings, but not each second.
    """

    every: float
    reader: Callable[[HostRoot, HostSettings], Reader[T]]
    judge: Callable[[T, T | None, HostKnown], tuple[Signal, ...]]
    carry: Callable[[T, T | None, HostKnown], T] = lambda reading, _before, _known: reading
    deadline: float = 5.0
    at_rest: float = 60.0
    retell: float = 0.0


def each_time(read: Callable[[HostRoot], T]) -> Callable[[HostRoot, HostSettings], Reader[T]]:
    """The reader of what needs nothing but the host's files, and remembers nothing."""
    return lambda root, _settings: lambda: read(root)


HOST_MONITORS: Mapping[str, HostMonitor[Any]] = MappingProxyType(
    {
        # A port is to be missed within a second, jitter included; its rules need no reading each time.
        "infiniband": HostMonitor(
            every=0.8,
            reader=infiniband.reader,
            judge=infiniband.signals,
            carry=infiniband.carry,
            retell=10.0,
        ),
        "infiniband_errors": HostMonitor(
            every=30.0,
            reader=each_time(infiniband_errors.read),
            judge=infiniband_errors.signals,
            carry=infiniband_errors.carry,
        ),
        "pcie_aer": HostMonitor(
            every=30.0, reader=pcie_aer.reader, judge=pcie_aer.signals, carry=pcie_aer.carry
        ),
        "disks": HostMonitor(
            every=30.0, reader=each_time(disks.read), judge=disks.signals, carry=disks.carry
        ),
        "filesystems": HostMonitor(
            every=60.0, reader=filesystems.reader, judge=filesystems.signals, carry=filesystems.carry
        ),
        "mounts": HostMonitor(
            every=30.0,
            reader=mounts.reader,
            judge=mounts.signals,
            deadline=LONGEST_MOUNT_ANSWER + 5.0,
        ),
        "memory": HostMonitor(
            every=30.0, reader=each_time(memory.read), judge=lambda now, _, known: memory.signals(now, known)
        ),
        "memory_modules": HostMonitor(
            every=60.0,
            at_rest=600.0,
            reader=each_time(memory_modules.read),
            judge=memory_modules.signals,
            carry=memory_modules.carry,
        ),
        "cpu": HostMonitor(every=60.0, reader=each_time(cpu.read), judge=cpu.signals, carry=cpu.carry),
        "time_sync": HostMonitor(
            every=60.0, reader=each_time(time_sync.read), judge=time_sync.signals, carry=time_sync.carry
        ),
        "services": HostMonitor(every=30.0, reader=each_time(services.read), judge=services.signals),
        "kernel_modules": HostMonitor(
            every=60.0,
            reader=kernel_modules.reader,
            judge=lambda now, _, known: kernel_modules.signals(now, known),
        ),
        "stuck_processes": HostMonitor(
            every=60.0,
            reader=each_time(stuck_processes.read),
            judge=lambda now, _, known: stuck_processes.signals(now, known),
            carry=stuck_processes.carry,
        ),
    },
)
"""Monitors of the host, by the name of their module."""

CONFIGURED_MONITORS = ("plugins",)
"""Monitors of what a site has configured; sickbay.node.plugin_watch runs them."""
