"""A recorded history through a rule set: what it would have said, then and there.

A history of everything that was judged gives the same conditions at the same times as the live run did. In a
sparse one a reading stands once and went on to be so: it is said again at the moments at which a rule on its
kind could have had enough of it, and nowhere else, so that a quiet month costs next to nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from sickbay.core.conditions import Condition
from sickbay.core.facts import NO_FACTS, Facts
from sickbay.core.history import About, Acted, Began, HistoryEntry, Learnt, Looked, Told, WasReset
from sickbay.core.ids import NodeName
from sickbay.core.instants import Instant
from sickbay.core.rule_book import Explanation
from sickbay.core.rule_engine import Observation, gpu_was_reset, observe, state_after_boot
from sickbay.core.rule_patterns import LONGEST_SILENCE
from sickbay.core.rule_state import EngineState
from sickbay.core.rules import ClearQuiet, ClearWhen, RuleSet
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
    _held: dict[tuple[str, str], Signal] = field(default_factory=dict)
    _again: list[tuple[float, tuple[str, str]]] = field(default_factory=list)
    _moments: Mapping[str, tuple[float, ...]] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        """Work out once when readings of each kind could be enough for some rule."""
        self._moments = moments_of(self.rules) if self.about.sparse else {}

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
                yield from self._look(entry.signals, entry.now)
            case WasReset():
                yield from self.pass_time(entry.now)
                yield from self._absorb(gpu_was_reset(self.state, entry.pci, entry.now), entry.now)
            case Told() | Acted():
                pass

    def pass_time(self, until: Instant) -> Iterator[Change]:
        """What time alone would have brought before `until`: readings that went on, silence that lasted."""
        while (due := self._next_due()) is not None and due < until.mono:
            now = self.now.later(max(due - self.now.mono, 0.0))
            again = [key for at, key in self._again if at <= due]
            self._again = [each for each in self._again if each[0] > due]
            readings = [replace(self._held[key], at=now) for key in dict.fromkeys(again) if key in self._held]
            yield from self._look(tuple(readings), now, heard=False)

    def _begin(self, entry: Began) -> Iterator[Change]:
        if entry.boot_id == self.state.boot_id:
            yield from self.pass_time(entry.now)
        self.facts, self._held, self._again = entry.facts, {}, []
        yield from self._absorb(state_after_boot(self.state, entry.boot_id, entry.now), entry.now)

    def _look(self, signals: Sequence[Signal], now: Instant, *, heard: bool = True) -> Iterator[Change]:
        if heard and self.about.sparse:
            self._hold(signals)
        boot = self.state.boot_id
        seen = observe(self.rules, self.state, signals, now=now, boot_id=boot, facts=self.facts)
        yield from self._absorb(seen, now)

    def _absorb(self, seen: Observation, now: Instant) -> Iterator[Change]:
        self.state, self.now = seen.state, now
        if self.heard is not None:
            self.heard(seen.explanations)
        for condition in seen.conditions_changed:
            yield Change(node=self.node, now=now, condition=condition)

    def _hold(self, signals: Sequence[Signal]) -> None:
        """Readings go on to be so: note when to say them again."""
        for signal in signals:
            moments = self._moments.get(signal.kind, ())
            if signal.is_event or not moments:
                continue
            key = (signal.kind, signal.subject.key)
            self._held[key] = signal
            self._again = [each for each in self._again if each[1] != key]
            self._again += [(signal.at.mono + moment, key) for moment in moments]

    def _next_due(self) -> float | None:
        """When something could happen without a new entry; None when nothing can."""
        quiet = (
            known.quiet_from + clear.quiet + BEAT
            for known in self.state.open.values()
            if isinstance(clear := self.rules.by_id[known.condition.rule].clear, ClearQuiet)
            and self.now.mono < known.quiet_from + clear.quiet + BEAT
        )
        return min((*quiet, *(at for at, _ in self._again)), default=None)


def moments_of(rules: RuleSet) -> Mapping[str, tuple[float, ...]]:
    """Kind -> seconds after a reading at which a rule could have had enough of it.

    A span must be proven by three readings with no long silence between them, and readings within a boot's
    grace are passed over, so that they count from its end.
    """
    spans: dict[str, set[float]] = {}
    for rule in rules.rules:
        if rule.hold or rule.boot_grace:
            spans.setdefault(rule.on, set()).update(_moments(rule.hold, rule.boot_grace))
        if isinstance(rule.clear, ClearWhen) and rule.clear.hold:
            spans.setdefault(rule.clear.on, set()).update(_moments(rule.clear.hold, 0.0))
    return {kind: tuple(sorted(moments)) for kind, moments in spans.items()}


def _moments(hold: float, grace: float) -> Iterator[float]:
    step = min(max(hold / 2, 1.0), LONGEST_SILENCE)
    for begin in {0.0, grace}:
        yield begin
        for count in range(1, int(hold / step) + 1):
            yield begin + count * step
        yield begin + hold
