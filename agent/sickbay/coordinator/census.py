"""Who is out at our word, and who was taken of late: counted as it changes, from what is kept of each node.

A node counts as out from the step in which its cordon was decided, so that two decisions can never share the
last place of a budget: a decision and the count that it changes are one step on the event loop.
"""

from collections import Counter, defaultdict

from sickbay.coordinator.node_state import NodeState
from sickbay.coordinator.places import Places
from sickbay.core.areas import FLEET, Place
from sickbay.core.budgets import Budgets, Claim, Share
from sickbay.core.ids import NodeName
from sickbay.core.incidents import Incident
from sickbay.core.orchestration import Ownership
from sickbay.core.remediation import Step


class Census:
    """The fleet by its places. `changed` goes to `Fleet.on_change` before the fleet is filled."""

    def __init__(self, places: Places, budgets: Budgets) -> None:
        """Nobody, at first."""
        self._where = places
        self._budgets = budgets
        self._places: dict[NodeName, Place] = {}
        self._sizes: Counter[str] = Counter()
        self._out: defaultdict[str, set[NodeName]] = defaultdict(set)
        self._taken: defaultdict[str, dict[NodeName, float]] = defaultdict(dict)

    def changed(self, state: NodeState, _incident: Incident | None) -> None:
        """Count a node anew."""
        out, taken = is_out(state), taken_at(state)
        for group in self._placed(state).groups:
            if out:
                self._out[group].add(state.name)
            else:
                self._out[group].discard(state.name)
            if taken is not None:
                self._taken[group][state.name] = taken
            else:
                self._taken[group].pop(state.name, None)

    def place(self, state: NodeState) -> Place:
        """Where the node stands."""
        return self._places.get(state.name) or self._where.of(state.name, state.record.pool)

    def size(self, area: str) -> int:
        """Known nodes of a group, or of the whole fleet."""
        return len(self._places) if area == FLEET else self._sizes[area]

    @property
    def groups(self) -> tuple[str, ...]:
        """Every group that has a budget, by name."""
        return tuple(sorted(group for group, size in self._sizes.items() if size))

    def claim(self, state: NodeState, now: float) -> Claim:
        """What taking this node would meet. `now` in Unix seconds."""
        groups = self.place(state).groups
        shares = tuple(self.share(group, now, without=state.name) for group in groups)
        return Claim(takes_node=True, shares=shares)

    def share(self, group: str, now: float, *, without: NodeName | None = None) -> Share:
        """What a group has used of its budget, but for one node."""
        budget, out = self._budgets.of(group), self._out[group]
        taken = self._taken[group]
        # Let go of what no budget asks for any more, so that a count stays as quick as it was.
        for name in [name for name, at in taken.items() if at <= now - budget.window]:
            del taken[name]
        return budget.share(
            group,
            size=self._sizes[group],
            out=len(out) - (without in out),
            lately=len(taken) - (without in taken),
        )

    def out_of(self, group: str) -> tuple[NodeName, ...]:
        """The nodes of a group that are out, by name."""
        return tuple(sorted(self._out[group]))

    def _placed(self, state: NodeState) -> Place:
        place, before = self._where.of(state.name, state.record.pool), self._places.get(state.name)
        if place != before:
            for group in before.groups if before is not None else ():
                self._sizes[group] -= 1
                self._out[group].discard(state.name)
                self._taken[group].pop(state.name, None)
            self._sizes.update(place.groups)
            self._places[state.name] = place
        return place


def is_out(state: NodeState) -> bool:
    """Whether the node is out of service at our word, or may be by the time that anybody looks.

    What the scheduler shows as ours counts even where nothing of ours remembers it: the store may be new.
    """
    rem, seen = state.active, state.observation
    taken = rem is not None and (rem.step is not Step.PROPOSED or rem.attempt is not None)
    return taken or state.is_quarantined or (seen is not None and seen.ownership is Ownership.OURS)


def taken_at(state: NodeState) -> float | None:
    """When the node was last taken, or is about to be, in Unix seconds."""
    rem = state.active
    deciding = rem.step_since if rem is not None and rem.step is Step.CORDONING else None
    known = [at for at in (state.record.cordoned_at, deciding) if at is not None]
    return max(known, default=None)
