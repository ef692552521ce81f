"""A fleet's history through a candidate rule set, beside what the rules of that time made of it."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from sickbay.core.conditions import Mode
from sickbay.core.history import About, Acted, HistoryEntry, Looked, Told
from sickbay.core.ids import NodeName
from sickbay.core.rehearsal import NodeRehearsal, Rehearsed
from sickbay.core.remedies import Remedy
from sickbay.core.replay import Change, NodeReplay
from sickbay.core.rules import RuleSet

MOST_LISTED = 10_000
"""Actions kept one by one; beyond that they are only counted, so that memory stays bounded."""


@dataclass(slots=True, kw_only=True)
class Tally:
    """What one rule set made of a history. `by_rule`: conditions opened, a rule."""

    conditions: int = 0
    incidents: int = 0
    by_rule: Counter[str] = field(default_factory=Counter)
    actions: Counter[str] = field(default_factory=Counter)
    nodes: set[NodeName] = field(default_factory=set)
    listed: list[Rehearsed] = field(default_factory=list)

    def opened(self, change: Change) -> None:
        """Count a change of a condition; only opening counts."""
        self.conditions += 1
        self.by_rule[change.condition.rule] += 1

    def did(self, rehearsed: Rehearsed) -> None:
        """Count what would have been done."""
        self.actions[rehearsed.what] += 1
        self.nodes.add(rehearsed.node)
        if len(self.listed) < MOST_LISTED:
            self.listed.append(rehearsed)


@dataclass(slots=True, kw_only=True)
class FleetReplay:
    """The candidate beside the record. Entries of one node come in their order; nodes may be mixed.

    `recorded` is a rehearsal of the conditions that the live rules told, under the same ideal cluster, so
    that the two differ by the rules alone; `acted` counts what was really done. `unseen` counts the rules of
    the candidate on kinds of signals that the record never holds: of those nothing can be said. Of a node
    that `holds` does not hold only the times are taken.
    """

    rules: RuleSet
    remedies: Mapping[str, Remedy]
    about: About
    mode: Mode = Mode.ACT
    holds: Callable[[NodeName], bool] = lambda _node: True
    candidate: Tally = field(default_factory=Tally)
    recorded: Tally = field(default_factory=Tally)
    acted: Counter[str] = field(default_factory=Counter)
    signals: int = 0
    entries: int = 0
    first: float | None = None
    last: float | None = None
    kinds: Counter[str] = field(default_factory=Counter)
    _replays: dict[NodeName, NodeReplay] = field(default_factory=dict)
    _would: dict[NodeName, NodeRehearsal] = field(default_factory=dict)
    _did: dict[NodeName, NodeRehearsal] = field(default_factory=dict)
    _open: set[tuple[NodeName, str]] = field(default_factory=set)
    _was_open: set[tuple[NodeName, str]] = field(default_factory=set)

    def take(self, entry: HistoryEntry) -> None:
        """One entry more."""
        wall = entry.now.wall
        if self.first is None or wall < self.first:
            self.first = wall
        if self.last is None or wall > self.last:
            self.last = wall
        if not self.holds(entry.node):
            return
        self.entries += 1
        if isinstance(entry, Looked):
            self.signals += len(entry.signals)
            for signal in entry.signals:
                self.kinds[signal.kind] += 1
        if isinstance(entry, Acted):
            self.acted[entry.what] += 1
        if isinstance(entry, Told):
            change = Change(node=entry.node, now=entry.now, condition=entry.condition)
            self._count((change,), self.recorded, self._did, self._was_open)
        else:
            self._count(self._replay(entry.node).take(entry), self.candidate, self._would, self._open)

    def finish(self) -> None:
        """Let the time pass that the record still covers, on nodes that said nothing more."""
        for replay in self._replays.values():
            if self.last is not None:
                until = replay.now.later(max(self.last - replay.now.wall, 0.0))
                self._count(replay.pass_time(until), self.candidate, self._would, self._open)
        for tally, rehearsals in ((self.candidate, self._would), (self.recorded, self._did)):
            tally.incidents = sum(rehearsal.opened for rehearsal in rehearsals.values())

    @property
    def nodes(self) -> int:
        """Nodes that the record speaks of."""
        return len(self._replays.keys() | self._did.keys())

    @property
    def unseen(self) -> tuple[str, ...]:
        """Rules on kinds of signals that never occur in the record."""
        return tuple(rule.id for rule in self.rules.rules if rule.on not in self.kinds)

    def _replay(self, node: NodeName) -> NodeReplay:
        if node not in self._replays:
            self._replays[node] = NodeReplay(node=node, rules=self.rules, about=self.about)
        return self._replays[node]

    def _count(
        self,
        changes: Iterable[Change],
        tally: Tally,
        rehearsals: dict[NodeName, NodeRehearsal],
        known: set[tuple[NodeName, str]],
    ) -> None:
        for change in changes:
            key = (change.node, change.condition.key)
            if change.condition.is_open and key not in known:
                known.add(key)
                tally.opened(change)
            elif not change.condition.is_open:
                known.discard(key)
            for rehearsed in self._rehearsal(rehearsals, change.node).take(change):
                tally.did(rehearsed)

    def _rehearsal(self, rehearsals: dict[NodeName, NodeRehearsal], node: NodeName) -> NodeRehearsal:
        if node not in rehearsals:
            strength = {name: remedy.strength for name, remedy in self.remedies.items()}
            rehearsals[node] = NodeRehearsal(
                node=node, remedies=self.remedies, strength=strength, mode=self.mode
            )
        return rehearsals[node]
