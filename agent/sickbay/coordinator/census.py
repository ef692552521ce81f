"""Who is out at our word, and who was taken of late: counted as it changes, from what is kept of each node.

A node counts as out from the step in which its cordon was decided, so that two decisions can never share the
last place of a budget: a decision and the count that it changes are one step on the event loop.
"""

from collections import Counter

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
        self._out: set[NodeName] = set()
        self._taken: dict[NodeName, float] = {}

    def changed(self, state: NodeState, _incident: Incident | None) -> None:
        """Count a node anew."""
        self._placed(state)
        if is_out(state):
            self._out.add(state.name)
        else:
            self._out.discard(state.name)
        taken = taken_at(state)
        if taken is None:
            self._taken.pop(state.name, None)
        else:
            self._taken[state.name] = taken

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
        place = self.place(state)
        self._forget(now)
        return Claim(
            takes_node=True,
            shares=tuple(self.share(group, now, without=state.name) for group in place.groups),
        )

    def share(self, group: str, now: float, *, without: NodeName | None = None) -> Share:
        """What a group has used of its budget, but for one node."""
        budget = self._budgets.of(group)
        return budget.share(
            group,
            size=self._sizes[group],
            out=sum(self._counts(name, group, without) for name in self._out),
            lately=sum(
                at > now - budget.window and self._counts(name, group, without)
                for name, at in self._taken.items()
            ),
        )

    def out_of(self, group: str) -> tuple[NodeName, ...]:
        """The nodes of a group that are out, by name."""
        return tuple(sorted(name for name in self._out if self._counts(name, group, None)))

    def _counts(self, name: NodeName, group: str, without: NodeName | None) -> bool:
        return name != without and group in self._places[name].groups

    def _forget(self, now: float) -> None:
        """Let go of cordons that no budget asks for any more, so that a count stays as quick as it was."""
        oldest = now - self._budgets.longest_window
        for name in [name for name, at in self._taken.items() if at <= oldest]:
            del self._taken[name]

    def _placed(self, state: NodeState) -> None:
        place, before = self._where.of(state.name, state.record.pool), self._places.get(state.name)
        if place != before:
            self._sizes.subtract(before.groups if before is not None else ())
            self._sizes.update(place.groups)
            self._places[state.name] = place


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
