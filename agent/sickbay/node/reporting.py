"""What the coordinator is told, and how soon: a change of state at once, a moving gauge along with it.

Each message costs the coordinator about the same whatever is in it, and it has thousands of agents. So a
temperature that went up by ten degrees waits for company, for at most `GAUGES_EVERY` seconds, and one that
went up by a degree for `SLIGHT_EVERY`. Of most readings it is told nothing (core.fleet_readings).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sickbay.core.conditions import Condition
from sickbay.core.devices import Inventory
from sickbay.core.fleet_readings import GAUGES, as_told, moved
from sickbay.core.instants import Instant
from sickbay.core.messages import ActionReport, Delta, Event
from sickbay.core.rule_bundles import RulesReport
from sickbay.core.signals import Signal

GAUGES_EVERY = 60.0
SLIGHT_EVERY = 900.0

_Key = tuple[str, str]


class Link(Protocol):
    """The stream to the coordinator, as far as telling goes. Nothing here waits."""

    def delta(self, delta: Delta) -> None:
        """Send what changed."""
        ...

    def events(self, events: Sequence[Event]) -> None:
        """Send events that are in the spool."""
        ...

    def report(self, report: ActionReport) -> None:
        """Send what came of a directive."""
        ...

    def rules(self, report: RulesReport) -> None:
        """Send which rules run here."""
        ...


class NoLink:
    """An agent that works alone: there is nobody to tell."""

    def delta(self, delta: Delta) -> None:
        """Tell nobody."""

    def events(self, events: Sequence[Event]) -> None:
        """Tell nobody."""

    def report(self, report: ActionReport) -> None:
        """Tell nobody."""

    def rules(self, report: RulesReport) -> None:
        """Tell nobody."""


@dataclass(slots=True)
class Reporter:
    """Deltas, at once or with the next. `link` is set once it exists; until then nobody is told."""

    link: Link = field(default_factory=NoLink)
    _conditions: dict[str, Condition] = field(default_factory=dict)
    _readings: dict[_Key, Signal] = field(default_factory=dict)
    _told: dict[_Key, Signal] = field(default_factory=dict)
    _told_at: float = 0.0
    _soon: bool = False

    def tell(
        self,
        now: Instant,
        *,
        changed: Sequence[Condition] = (),
        refreshed: Sequence[Condition] = (),
        readings: Sequence[Signal] = (),
        inventory: Inventory | None = None,
    ) -> None:
        """`changed` conditions, states and a new inventory go at once; the rest waits."""
        for condition in refreshed:
            self._conditions[condition.key] = condition
        # Every reading is to be taken up, so this is no place for a lazy `any`.
        states = [signal for signal in readings if self._take(signal)]
        waits = GAUGES_EVERY if self._soon or self._conditions else SLIGHT_EVERY
        waiting = bool(self._conditions or self._readings)
        if changed or inventory is not None or states or (waiting and now.mono - self._told_at >= waits):
            self._send(now, changed, inventory)

    def pass_on(self, events: Sequence[Event]) -> None:
        """Events that are on the disk."""
        self.link.events(events)

    def tell_rules(self, report: RulesReport) -> None:
        """Which rules run here now."""
        self.link.rules(report)

    def tell_all(self, now: Instant, readings: Sequence[Signal]) -> None:
        """Every reading that is told at all, moved or not: somebody waits for fresh ones."""
        for signal in readings:
            if (told := as_told(signal)) is not None:
                self._readings[told.kind, told.subject.key] = told
        self._send(now, (), None)

    def _take(self, signal: Signal) -> bool:
        """Hold a reading that says something else than was told last; whether it is a state, and urgent."""
        told = as_told(signal)
        if told is None:
            return False
        key = (told.kind, told.subject.key)
        before = self._told.get(key)
        if before is not None and before.fields == told.fields:
            self._readings.pop(key, None)
            return False
        self._readings[key] = told
        self._soon |= moved(before, told)
        return told.kind not in GAUGES

    def _send(self, now: Instant, changed: Sequence[Condition], inventory: Inventory | None) -> None:
        for condition in changed:
            self._conditions.pop(condition.key, None)
        delta = Delta(
            conditions=(*changed, *self._conditions.values()),
            inventory=inventory,
            readings=tuple(self._readings.values()),
            at=now.wall,
        )
        self._told |= self._readings
        self._conditions.clear()
        self._readings.clear()
        self._told_at, self._soon = now.mono, False
        self.link.delta(delta)
