"""What the coordinator is told, and how soon: a change of state at once, a moving gauge along with it.

Each message costs the coordinator about the same whatever is in it, and it has thousands of agents. So a
temperature that went up by a degree waits for company, for at most `GAUGES_EVERY` seconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sickbay.core.conditions import Condition
from sickbay.core.devices import Inventory
from sickbay.core.instants import Instant
from sickbay.core.messages import ActionReport, Delta, Event
from sickbay.core.rule_bundles import RulesReport
from sickbay.core.signals import Signal

GAUGES = frozenset({"temperature", "ecc", "clocks"})
"""Kinds whose readings move all the time; what they mean travels as conditions, at once."""

GAUGES_EVERY = 60.0


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
    _readings: dict[tuple[str, str], Signal] = field(default_factory=dict)
    _told_at: float = 0.0

    def tell(
        self,
        now: Instant,
        *,
        changed: Sequence[Condition] = (),
        refreshed: Sequence[Condition] = (),
        readings: Sequence[Signal] = (),
        inventory: Inventory | None = None,
    ) -> None:
        """`changed` conditions, states and a new inventory go at once; the rest within a minute."""
        for condition in refreshed:
            self._conditions[condition.key] = condition
        for signal in readings:
            self._readings[signal.kind, signal.subject.key] = signal
        at_once = changed or inventory is not None or any(s.kind not in GAUGES for s in readings)
        waiting = bool(self._conditions or self._readings)
        if at_once or (waiting and now.mono - self._told_at >= GAUGES_EVERY):
            self._send(now, changed, inventory)

    def pass_on(self, events: Sequence[Event]) -> None:
        """Events that are on the disk."""
        self.link.events(events)

    def tell_rules(self, report: RulesReport) -> None:
        """Which rules run here now."""
        self.link.rules(report)

    def tell_all(self, now: Instant, readings: Sequence[Signal]) -> None:
        """Every reading, asked for or not: somebody waits for fresh ones."""
        for signal in readings:
            self._readings[signal.kind, signal.subject.key] = signal
        self._send(now, (), None)

    def _send(self, now: Instant, changed: Sequence[Condition], inventory: Inventory | None) -> None:
        for condition in changed:
            self._conditions.pop(condition.key, None)
        delta = Delta(
            conditions=(*changed, *self._conditions.values()),
            inventory=inventory,
            readings=tuple(self._readings.values()),
            at=now.wall,
        )
        self._conditions.clear()
        self._readings.clear()
        self._told_at = now.mono
        self.link.delta(delta)
