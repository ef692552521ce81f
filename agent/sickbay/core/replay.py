"""A recorded history through a rule set: what it would have said, then and there.

A history of everything that was judged gives the same conditions at the same times as the live run did. In a
sparse one a reading stands once and went on to be so (core.held_readings).
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from sickbay.core.conditions import Condition
from sickbay.core.facts import NO_FACTS, Facts
from sickbay.core.held_readings import HeldReadings
from sickbay.core.history import About, Acted, Began, HistoryEntry, Learnt, Looked, Told, WasReset
from sickbay.core.ids import NodeName
from sickbay.core.instants import Instant
from sickbay.core.rule_book import Explanation
from sickbay.core.rule_engine import Observation, gpu_was_reset, observe, state_after_boot
from sickbay.core.rule_state import EngineState
from sickbay.core.rules import ClearQuiet, RuleSet
from sickbay.core.signals import Signal

BEAT = 10.0
"""Seconds within which an agent judges again though nothing was seen (the loop's beat, node/daemon.py)."""


BEFORE_ALL = Instant(mono=0.0, wall=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A condition that opened, changed or cleared on a node, and when the engine said so."""

    node: NodeName
    now: Instant
    condition: Condition


@dataclass(slots=True, kw_only=True)
class NodeReplay:
    """One node on its way through its history. `heard` is handed what the engine said of each look."""

    node: NodeName
    rules: RuleSet
    about: About
    state: EngineState = field(default_factory=EngineState)
    facts: Facts = NO_FACTS
    now: Instant = BEFORE_ALL
    heard: Callable[[Sequence[Explanation]], object] | None = None
    _held: HeldReadings | None = None

    def __post_init__(self) -> None:
        """In a sparse history readings go on."""
        if self.about.sparse:
            self._held = HeldReadings.of(self.rules, interval=self.about.interval)

    def take(self, entry: HistoryEntry) -> Iterator[Change]:
        """What the rules say up to and with an entry, in order."""
        match entry:
            case Began():
                yield from self._begin(entry)
            case Learnt():
                yield from self.pass_time(entry.now)
                self.facts = entry.facts
            case Looked():
                yield from self.pass_time(entry.now)
                if self._held:
                    self._held.keep(entry.signals, entry.now)
                yield from self._look(entry.signals, entry.now)
            case WasReset():
                yield from self.pass_time(entry.now)
                yield from self._absorb(gpu_was_reset(self.state, entry.pci, entry.now), entry.now)
            case Told() | Acted():
                pass

    def pass_time(self, until: Instant) -> Iterator[Change]:
        """What time alone would have brought before `until`: readings that went on, silence that lasted."""
        if self.about.every_look:
            return
        while (due := self._next_due()) < until.mono:
            now = self.now.later(max(due - self.now.mono, 0.0))
            again = self._held.said_again(self.state, now) if self._held else ()
            yield from self._look(again, now)

    def _begin(self, entry: Began) -> Iterator[Change]:
        if entry.state is not None:
            self.state = entry.state
        if entry.goes_on:
            self.facts, self.now = entry.facts, entry.now
            return
        if entry.boot_id == self.state.boot_id:
            yield from self.pass_time(entry.now)
        self.facts = entry.facts
        if self._held:
            self._held.forget()
        yield from self._absorb(state_after_boot(self.state, entry.boot_id, entry.now), entry.now)

    def _look(self, signals: Sequence[Signal], now: Instant) -> Iterator[Change]:
        boot = self.state.boot_id
        seen = observe(self.rules, self.state, signals, now=now, boot_id=boot, facts=self.facts)
        yield from self._absorb(seen, now)

    def _absorb(self, seen: Observation, now: Instant) -> Iterator[Change]:
        self.state, self.now = seen.state, now
        if self.heard is not None:
            self.heard(seen.explanations)
        for condition in seen.conditions_changed:
            yield Change(node=self.node, now=now, condition=condition)

    def _next_due(self) -> float:
        """When something could happen without a new entry; infinity when nothing can."""
        due = self._held.next_due(self.state) if self._held else math.inf
        for known in self.state.open.values():
            rule = self.rules.by_id.get(known.condition.rule)
            clear = rule.clear if rule is not None else None
            if isinstance(clear, ClearQuiet):
                quiet = known.quiet_from + clear.quiet + BEAT
                due = min(due, quiet if self.now.mono < quiet else math.inf)
        return due
