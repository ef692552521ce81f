"""What the rule engine knows between two observations: plain frozen values, so that it can be kept on disk.

Everything is bounded by the parts of a host and the rules on it, never by how much they say. Monotonic times
belong to one boot, and so does all of this: `sickbay.core.rule_engine.state_after_boot` ends it.
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from zlib import crc32

from sickbay.core.conditions import Condition
from sickbay.core.devices import Scope, Subject
from sickbay.core.ids import BootId
from sickbay.core.instants import Instant
from sickbay.core.signals import Signal

NO_BOOT = BootId("")
"""The boot of a state that has seen nothing."""

MOST_SEEN = 256
"""Events remembered a source, to know them again. An event older than all of them counts as known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Readings of one part that all said the same. `last` is the monotonic time of the latest of them."""

    since: Instant
    last: float
    readings: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One match towards a count: when (monotonic), how many, which value, and from which event."""

    at: float
    weight: int
    value: str = ""
    event: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Raiser:
    """A part that raised a condition, and the readings since then that say it is well again.

    A condition may stand for a whole GPU while links raise it: it clears when each of them has.
    """

    subject: Subject
    clearing: Run | None = None

    def is_covered_by(self, subject: Subject) -> bool:
        """Whether a reading of `subject` says something about this part."""
        if subject.key == self.subject.key:
            return True
        if subject.scope is Scope.GPU:
            return bool(subject.gpu_key) and subject.gpu_key == self.subject.gpu_key
        return subject.scope is Scope.NODE and not subject.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """An open condition and what its clearing rests on. Times are monotonic.

    `last_match` is the latest evidence of the fault, `quiet_from` the moment from which silence counts,
    `ends_with_reset` whether a reset of its GPU clears it, `xids` the codes whose secondary lines it owns.
    """

    condition: Condition
    raisers: tuple[Raiser, ...]
    last_match: float
    quiet_from: float
    ends_with_reset: bool = False
    xids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One event that was taken in: its sequence, what it said, and how often it had happened by then."""

    sequence: int
    said: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineState:
    """Open conditions by key, progress by rule and part, events by source. Empty on a boot's first look."""

    boot_id: BootId = NO_BOOT
    rules_digest: str = ""
    open: Mapping[str, Open] = field(default_factory=lambda: MappingProxyType({}))
    runs: Mapping[str, Run] = field(default_factory=lambda: MappingProxyType({}))
    hits: Mapping[str, tuple[Hit, ...]] = field(default_factory=lambda: MappingProxyType({}))
    seen: Mapping[str, tuple[Seen, ...]] = field(default_factory=lambda: MappingProxyType({}))
    blind: tuple[str, ...] = ()

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The open conditions, by key."""
        return tuple(self.open[key].condition for key in sorted(self.open))


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What an event says that was not known: `more` happenings (0 for the same one in other words).

    `again` says that its identity was known: what it adds happened after the time that it bears.
    """

    more: int
    again: bool
    memory: tuple[Seen, ...]


def news_of(signal: Signal, sequence: int, memory: tuple[Seen, ...]) -> News | None:
    """What is new in an event, with the memory to keep; None for one that was taken in before.

    The same identity with other fields or a higher count is an update: a line that a second source has put
    into words, or a storm that went on (sickbay.core.storms).
    """
    said = crc32(repr(sorted(signal.fields.items())).encode())
    entry = Seen(sequence=sequence, said=said, count=signal.count)
    at = bisect_left(memory, sequence, key=lambda seen: seen.sequence)
    if at < len(memory) and memory[at].sequence == sequence:
        known = memory[at]
        if known.said == said and signal.count <= known.count:
            return None
        return News(
            more=max(0, signal.count - known.count),
            again=True,
            memory=(*memory[:at], entry, *memory[at + 1 :]),
        )
    if at == 0 and len(memory) >= MOST_SEEN:
        return None
    memory = (*memory[:at], entry, *memory[at:])[-MOST_SEEN:]
    return News(more=signal.count, again=False, memory=memory)
