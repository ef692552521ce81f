"""Errors of RDMA ports in the last hour: what a bad cable or connector makes long before it fails."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from sickbay.core.signals import FieldValue, Signal
from sickbay.host.host_root import HostRoot
from sickbay.host.infiniband import PortCounters, read_counters
from sickbay.monitors.counter_hours import CounterHours
from sickbay.monitors.host_known import HostKnown
from sickbay.monitors.infiniband import SOURCES, port_subject

_FIELDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "symbol": ("symbol_error",),
        "recovery": ("link_error_recovery",),
        "downed": ("link_downed", "carrier_down_count"),
        "receive": ("port_rcv_errors", "rx_crc_errors"),
        "integrity": ("local_link_integrity_errors",),
        "overrun": ("excessive_buffer_overrun_errors",),
        "icrc": ("rx_icrc_encapsulated",),
    },
)
"""Field -> the counter that says it: the first on InfiniBand, the second on Ethernet."""

_LARGEST: Mapping[str, int] = MappingProxyType(
    {
        "symbol_error": 0xFFFF,
        "link_error_recovery": 0xFF,
        "link_downed": 0xFF,
        "port_rcv_errors": 0xFFFF,
        "local_link_integrity_errors": 0xF,
        "excessive_buffer_overrun_errors": 0xF,
    },
)
"""PortCounters stop at their largest value (InfiniBand specification, PortCounters; their widths in bits are
in drivers/infiniband/core/sysfs.c, PORT_PMA_ATTR). From there on what they would count is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortErrors:
    """The counters of every port, with those of the last hour by port."""

    ports: tuple[PortCounters, ...]
    hours: Mapping[str, CounterHours] = field(default_factory=lambda: MappingProxyType({}))


def read(root: HostRoot) -> PortErrors:
    """The counters as they are now."""
    return PortErrors(ports=read_counters(root))


def carry(reading: PortErrors, before: PortErrors | None, known: HostKnown) -> PortErrors:
    """The reading with the hour before it. A port that does not show is forgotten."""
    past = before.hours if before is not None else {}
    at = known.now.mono
    hours = {
        port.name: past[port.name].later(port.counters, at)
        if port.name in past
        else CounterHours.first(port.counters, at)
        for port in reading.ports
    }
    return replace(reading, hours=hours)


def signals(reading: PortErrors, _before: PortErrors | None, known: HostKnown) -> tuple[Signal, ...]:
    """One `port_errors` for each port with counters. Of a port that is gone nothing can be counted."""
    return tuple(_signal(name, hours, known) for name, hours in reading.hours.items() if hours.raw)


def _signal(name: str, hours: CounterHours, known: HostKnown) -> Signal:
    saturated = sorted(name for name, value in hours.raw.items() if value >= _LARGEST.get(name, value + 1))
    fields: dict[str, FieldValue] = {
        field: _in_hour(hours, counters, saturated) for field, counters in _FIELDS.items()
    }
    fields["saturated"] = " ".join(saturated)
    return Signal(
        kind="port_errors", subject=port_subject(name), at=known.now, fields=fields, sources=SOURCES
    )


def _in_hour(hours: CounterHours, counters: tuple[str, ...], saturated: list[str]) -> int | None:
    """What was counted in the hour; None where nothing counts, or counts no more."""
    told = [hours.in_hour(name) for name in counters if name not in saturated]
    return next((value for value in told if value is not None), None)
