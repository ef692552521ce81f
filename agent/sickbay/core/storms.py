"""Many equal events become one with a count, in bounded memory.

A sick GPU can print the same line hundreds of thousands of times. The first of them is handed on at once;
those that follow are counted under the first one's identity and time, and the count is handed on again now
and then. Whoever stores events by their identity therefore keeps one, with the largest count.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from sickbay.core.instants import Instant
from sickbay.core.signals import Signal

QUIET_S = 10.0
"""Seconds of silence after which an equal event is a new one."""

SPAN_S = 600.0
"""Seconds after which a storm that does not end begins anew, so that it stays visible over the hours."""

PROMPT = 8
"""Counts up to this are handed on one by one, because rules count to small numbers."""

PACE_S = 1.0
"""Seconds between two hand-ons of a larger count."""

GROUPS = 256
DETAILS = 16
"""How many storms are told apart: groups in all, and details of a group, beyond which they share a count."""

_OTHERS = "others"


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """Equal events: the first as a signal, how many, how many were handed on, and when."""

    signal: Signal
    count: int
    told: int
    told_at: float
    last: float

    def is_over(self, mono: float) -> bool:
        """Whether an event at `mono` no longer belongs here."""
        return mono - self.last > QUIET_S or mono - self.signal.at.mono > SPAN_S

    def is_due(self, mono: float) -> bool:
        """Whether the count is to be handed on again."""
        return self.count > self.told and (self.count <= PROMPT or mono - self.told_at >= PACE_S)

    def counted(self) -> Signal:
        """The first event, with the count."""
        return replace(self.signal, count=self.count)


@dataclass(frozen=True, slots=True)
class Storms:
    """The storms that are open: group -> detail -> storm."""

    groups: Mapping[Hashable, Mapping[Hashable, Storm]] = field(default_factory=lambda: MappingProxyType({}))

    def is_calm(self) -> bool:
        """Whether nothing is open, so that nobody need call `settle`."""
        return not self.groups


def gather(
    storms: Storms,
    *,
    group: Hashable,
    detail: Hashable,
    at: Instant,
    signal: Callable[[], Signal],
) -> tuple[Storms, tuple[Signal, ...]]:
    """Count one event; `signal` makes its signal, and is called only where the event is a first one.

    Events of one `group` with one `detail` are equal. Returned are the signals to hand on now: none for most
    of a storm.
    """
    details = dict(storms.groups.get(group, {}))
    key = detail if detail in details or len(details) < DETAILS else _OTHERS
    storm = details.get(key)
    if storm is None or storm.is_over(at.mono):
        first = signal()
        details[key] = Storm(signal=first, count=1, told=1, told_at=at.mono, last=at.mono)
        told = (*_last_word(storm), first)
    else:
        details[key], told = _counted(storm, at.mono)
    groups = dict(storms.groups)
    groups[group] = details
    evicted = _evict(groups)
    return Storms(groups), (*told, *evicted)


def settle(storms: Storms, now: Instant) -> tuple[Storms, tuple[Signal, ...]]:
    """Hand on counts that are due, and close what is over. To be called once a second until all is calm."""
    groups: dict[Hashable, Mapping[Hashable, Storm]] = {}
    told: list[Signal] = []
    for group, details in storms.groups.items():
        kept: dict[Hashable, Storm] = {}
        for detail, storm in details.items():
            if storm.is_over(now.mono):
                told.extend(_last_word(storm))
            elif storm.is_due(now.mono):
                kept[detail] = replace(storm, told=storm.count, told_at=now.mono)
                told.append(storm.counted())
            else:
                kept[detail] = storm
        if kept:
            groups[group] = kept
    return Storms(groups), tuple(told)


def _counted(storm: Storm, mono: float) -> tuple[Storm, tuple[Signal, ...]]:
    count, last = storm.count + 1, max(storm.last, mono)
    more = Storm(signal=storm.signal, count=count, told=storm.told, told_at=storm.told_at, last=last)
    if not more.is_due(mono):
        return more, ()
    return replace(more, told=count, told_at=mono), (more.counted(),)


def _last_word(storm: Storm | None) -> tuple[Signal, ...]:
    return (storm.counted(),) if storm is not None and storm.count > storm.told else ()


def _evict(groups: dict[Hashable, Mapping[Hashable, Storm]]) -> tuple[Signal, ...]:
    """Drop the group that was opened first when there are too many; its counts are handed on."""
    if len(groups) <= GROUPS:
        return ()
    dropped = groups.pop(next(iter(groups)))
    return tuple(signal for storm in dropped.values() for signal in _last_word(storm))
