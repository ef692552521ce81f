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
"""Until this much was handed on, every new count is, because rules count to small numbers."""

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
    times: int = 1,
) -> tuple[Storms, tuple[Signal, ...]]:
    """Count one event, or `times` equal ones; see `Tally.count`."""
    tally = Tally(storms)
    told = tally.count(group, detail, at.mono, signal, times)
    return tally.storms(), told


def settle(storms: Storms, now: Instant) -> tuple[Storms, tuple[Signal, ...]]:
    """Hand on counts that are due, and close what is over. To be called once a second until all is calm."""
    groups: dict[Hashable, Mapping[Hashable, Storm]] = {}
    told: list[Signal] = []
    for group, details in storms.groups.items():
        kept: dict[Hashable, Storm] = {}
        for detail, storm in details.items():
            running = _Running(storm, detail)
            if running.is_over(now.mono):
                told.extend(running.last_word())
            else:
                told.extend(running.tell(now.mono))
                kept[detail] = running.storm()
        if kept:
            groups[group] = kept
    return Storms(groups), tuple(told)


class Tally:
    """A fold over many events: begins with some storms, and gives those that are open after them.

    It is for one batch and one caller; what lies between batches are `Storms`.
    """

    __slots__ = ("_groups", "_running")

    def __init__(self, storms: Storms) -> None:
        self._groups = dict(storms.groups)
        self._running: dict[tuple[Hashable, Hashable], _Running] = {}

    def count(
        self,
        group: Hashable,
        detail: Hashable,
        mono: float,
        signal: Callable[[], Signal],
        times: int = 1,
    ) -> tuple[Signal, ...]:
        """Count an event, or `times` equal ones, that ended at `mono` (monotonic seconds).

        Events of one `group` with one `detail` are equal. `signal` makes the signal of a first one, and is
        called only for it. Returned are the signals to hand on now: none for most of a storm.
        """
        running = self._running.get((group, detail))
        if running is None:
            running = self._find(group, detail)
            if running is None:
                return (*self._make_room(), *self._begin(group, detail, mono, signal, times))
        if running.is_over(mono):
            return (*running.last_word(), *self._begin(group, running.detail, mono, signal, times))
        running.count += times
        running.last = max(running.last, mono)
        return running.tell(mono)

    def amend(
        self,
        group: Hashable,
        detail: Hashable,
        change: Callable[[Signal], Signal],
    ) -> tuple[Signal, ...]:
        """Let an open storm's first event say more, and hand it on again where it then does.

        `change` is given the first event with the count so far. Nothing comes of it once the storm is over.
        """
        running = self._running.get((group, detail)) or self._find(group, detail)
        if running is None:
            return ()
        known = replace(running.first, count=running.count)
        changed = change(known)
        if changed == known:
            return ()
        running.first, running.told = changed, running.count
        return (changed,)

    def storms(self) -> Storms:
        """The storms that are open now."""
        changed: dict[Hashable, dict[Hashable, Storm]] = {}
        for (group, _), running in self._running.items():
            if group not in changed:
                changed[group] = dict(self._groups.get(group, {}))
            changed[group][running.detail] = running.storm()
        return Storms({**self._groups, **changed})

    def _find(self, group: Hashable, detail: Hashable) -> "_Running | None":
        """The storm that the event belongs to; beyond a bound, details share one."""
        details = self._groups.get(group, {})
        if detail not in details and len(details) >= DETAILS:
            detail = _OTHERS
        running = self._running.get((group, detail))
        if running is None and detail in details:
            running = self._running[group, detail] = _Running(details[detail], detail)
        return running

    def _begin(
        self,
        group: Hashable,
        detail: Hashable,
        mono: float,
        signal: Callable[[], Signal],
        times: int,
    ) -> tuple[Signal, ...]:
        details = self._groups.get(group, {})
        if detail not in details and len(details) >= DETAILS:
            detail = _OTHERS
        first = replace(signal(), count=times)
        storm = Storm(signal=first, count=times, told=times, told_at=mono, last=mono)
        self._groups[group] = {**details, detail: storm}
        self._running[group, detail] = _Running(storm, detail)
        return (first,)

    def _make_room(self) -> tuple[Signal, ...]:
        """Drop the group that was opened first when there are too many; its counts are handed on."""
        if len(self._groups) < GROUPS:
            return ()
        group = next(iter(self._groups))
        details = self._groups.pop(group)
        told: list[Signal] = []
        for detail, storm in details.items():
            running = self._running.pop((group, detail), _Running(storm, detail))
            told.extend(running.last_word())
        return tuple(told)


class _Running:
    """A storm while it is being counted."""

    __slots__ = ("count", "detail", "first", "last", "told", "told_at")

    def __init__(self, storm: Storm, detail: Hashable) -> None:
        self.detail = detail
        self.first = storm.signal
        self.count = storm.count
        self.told = storm.told
        self.told_at = storm.told_at
        self.last = storm.last

    def is_over(self, mono: float) -> bool:
        """Whether an event at `mono` no longer belongs here."""
        return mono - self.last > QUIET_S or mono - self.first.at.mono > SPAN_S

    def tell(self, mono: float) -> tuple[Signal, ...]:
        """The count, where it is to be handed on again."""
        if self.count == self.told or (self.told >= PROMPT and mono - self.told_at < PACE_S):
            return ()
        self.told, self.told_at = self.count, mono
        return (replace(self.first, count=self.count),)

    def last_word(self) -> tuple[Signal, ...]:
        """The final count, where it was not handed on yet."""
        return (replace(self.first, count=self.count),) if self.count > self.told else ()

    def storm(self) -> Storm:
        """The same as a value."""
        return Storm(
            signal=self.first,
            count=self.count,
            told=self.told,
            told_at=self.told_at,
            last=self.last,
        )
