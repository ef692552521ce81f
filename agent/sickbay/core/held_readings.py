"""Readings of a sparse history, which stand once and went on to be so until the next of their kind and part.

A reading that says nothing new changes nothing, so it is said again only where the engine is on the way to
something that rests on it: a span that is not yet proven, the end of a boot's grace, or a condition of
another kind that this reading would clear. So a quiet month costs next to nothing.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sickbay.core.devices import Subject
from sickbay.core.ids import RuleId
from sickbay.core.instants import Instant
from sickbay.core.reading_log import LEAST_APART
from sickbay.core.rule_state import EngineState, Open, Run
from sickbay.core.rule_turn import of_its_monitor
from sickbay.core.rules import ClearWhen, RuleSet
from sickbay.core.signals import Signal

Key = tuple[str, str]
"""A reading's kind, and the key of the part that it speaks of."""

_HAIR = 0.001
"""Seconds by which the end of a span is passed, so that no rounding falls short of it."""


@dataclass(slots=True, kw_only=True)
class HeldReadings:
    """What a node read last of each part, for the kinds on which something can rest.

    `graces`: kind -> the ends of boot graces, rising. `settle`: seconds after a fault before a reading that
    was kept earlier says something of it, because a change is only kept some time after it came about.
    """

    rules: RuleSet
    kinds: frozenset[str]
    graces: Mapping[str, tuple[float, ...]]
    settle: float
    _last: dict[Key, Signal] = field(default_factory=dict)
    _early: set[Key] = field(default_factory=set)
    _heard: float = -math.inf

    @classmethod
    def of(cls, rules: RuleSet, *, interval: float) -> "HeldReadings":
        """None held yet, for a history whose readings were taken every `interval` seconds."""
        clearing = {rule.clear.on for rule in rules.rules if isinstance(rule.clear, ClearWhen)}
        lasting = {rule.on for rule in rules.rules if rule.hold or rule.boot_grace}
        graces: dict[str, set[float]] = {}
        for rule in rules.rules:
            if rule.boot_grace:
                graces.setdefault(rule.on, set()).add(rule.boot_grace)
        return cls(
            rules=rules,
            kinds=frozenset(clearing | lasting),
            graces={kind: tuple(sorted(ends)) for kind, ends in graces.items()},
            settle=interval + LEAST_APART,
        )

    def forget(self) -> None:
        """Another boot, or nobody was looking: nothing is known to have gone on."""
        self._last, self._early = {}, set()

    def keep(self, signals: Iterable[Signal], now: Instant) -> None:
        """What was heard at `now`. Events happened once, and do not go on."""
        self._heard = now.mono
        for signal in signals:
            if signal.kind in self.kinds and not signal.is_event:
                key = (signal.kind, of_its_monitor(signal).subject.key)
                self._last[key] = signal
                if signal.at.mono < self.graces.get(signal.kind, (0.0,))[-1]:
                    self._early.add(key)

    def next_due(self, state: EngineState) -> float:
        """The earliest monotonic time at which a held reading, said again, could change something."""
        if not (state.runs or state.open or self._early):
            return math.inf
        return min((at for at, _ in self._due(state)), default=math.inf)

    def said_again(self, state: EngineState, now: Instant) -> Sequence[Signal]:
        """The readings that are due by `now`, as they would have been taken then."""
        keys = dict.fromkeys(key for at, key in self._due(state) if at <= now.mono)
        for key in keys:
            self._last[key] = replace(self._last[key], at=now)
        return tuple(self._last[key] for key in keys)

    def _due(self, state: EngineState) -> Iterator[tuple[float, Key]]:
        if self._early:
            yield from self._ends_of_grace()
        for progress, run in state.runs.items():
            yield from self._towards_opening(progress, run)
        for known in state.open.values():
            yield from self._towards_clearing(known)

    def _ends_of_grace(self) -> Iterator[tuple[float, Key]]:
        for key in tuple(self._early):
            at = self._last[key].at.mono
            end = next((end for end in self.graces[key[0]] if end > at), None)
            if end is None:
                self._early.discard(key)
            else:
                yield end, key

    def _towards_opening(self, progress: str, run: Run) -> Iterator[tuple[float, Key]]:
        name, _, part = progress.partition("|")
        rule = self.rules.by_id.get(RuleId(name))
        if rule is not None:
            yield from self._moments(run, rule.hold, (rule.on, part))

    def _towards_clearing(self, known: Open) -> Iterator[tuple[float, Key]]:
        rule = self.rules.by_id[known.condition.rule]
        if not isinstance(rule.clear, ClearWhen):
            return
        for raiser in known.raisers:
            for part in _covering(raiser.subject):
                key = (rule.clear.on, part)
                if raiser.clearing is not None:
                    yield from self._moments(raiser.clearing, rule.clear.hold, key)
                elif rule.clear.on != rule.on and self._is_older(key, known):
                    yield known.last_match + self.settle, key

    def _is_older(self, key: Key, known: Open) -> bool:
        """Whether a reading was said before a fault that was heard of, and not since."""
        reading = self._last.get(key)
        return reading is not None and reading.at.mono < known.last_match <= self._heard

    def _moments(self, run: Run, hold: float, key: Key) -> Iterator[tuple[float, Key]]:
        """A span needs a reading at its end, and one between; none of its own is as long as a silence."""
        reading = self._last.get(key)
        if reading is None:
            return
        middle, end = run.since.mono + hold / 2, run.since.mono + hold + _HAIR
        if reading.at.mono < end:
            yield (middle if reading.at.mono < middle else end), key


def _covering(subject: Subject) -> tuple[str, ...]:
    """The keys of parts whose readings say something about `subject` (Raiser.is_covered_by)."""
    gpu = (f"gpu/{subject.gpu_key}",) if subject.gpu_key else ()
    return tuple(dict.fromkeys((subject.key, *gpu, "node")))
