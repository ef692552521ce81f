"""Every kind of signal that a monitor may say, by the part of a host that it speaks of."""

from collections.abc import Mapping
from types import MappingProxyType

from sickbay.core.kinds import agent, gpu, host, kernel, kernel_faults, links, memory
from sickbay.core.signal_fields import Field

_ROOMS = (kernel, kernel_faults, gpu, memory, links, host, agent)

KINDS: Mapping[str, Mapping[str, Field]] = MappingProxyType(
    {kind: fields for room in _ROOMS for kind, fields in room.KINDS.items()},
)
"""kind -> field -> declaration. Sources: shared names follow nvml.h; bits are nvmlClocksEventReason*."""

EVENT_KINDS: frozenset[str] = frozenset().union(*(room.EVENTS for room in _ROOMS))
"""Kinds that only ever say that something happened. All others also say that something is not so, or has
ended, so that for them silence proves nothing."""
