"""Looks at the scheduler: one for the whole fleet at an interval, one for a node where an effect follows.

A look costs the scheduler the same for one node as for all, so those that only wait share one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sickbay.coordinator.fleet import Fleet
from sickbay.coordinator.node_state import NodeState
from sickbay.core.ids import NodeName
from sickbay.core.orchestration import NodeObservation
from sickbay.host.clock import Clock
from sickbay.orchestrators.protocol import Orchestrator

_AT_MOST_A_FIFTH = 4.0
"""Pauses per look's own length: a scheduler that answers slowly is asked less often."""


_SLICE = 500
"""Nodes taken in before others may have the loop: ten thousand at once would hold up every stream."""


@dataclass(slots=True, kw_only=True)
class SchedulerWatch:
    """Keeps every node's observation. `wake` is called for a node at work that has news.

    Nodes that are at work, or wait for a person, are looked at every `busy` seconds, all others every `idle`.
    """

    fleet: Fleet
    orchestrator: Orchestrator
    clock: Clock
    wake: Callable[[NodeName], None]
    busy: float = 1.0
    idle: float = 15.0
    looks: int = 0

    async def run(self) -> None:
        """Look for ever."""
        all_due = self.clock.now().mono
        while True:
            began = self.clock.now().mono
            if began >= all_due:
                await self.look(tuple(self.fleet.nodes))
                all_due = began + self.idle
            else:
                await self.look(tuple(state.name for state in self.fleet if state.is_at_work))
            took = self.clock.now().mono - began
            await self.clock.sleep(max(min(self.busy, self.idle), took * _AT_MOST_A_FIFTH))

    async def look(self, names: Sequence[NodeName]) -> None:
        """One look at these nodes."""
        if not names:
            return
        began = self.clock.now().mono
        seen = await self.orchestrator.observe_all(names)
        self.looks += 1
        for number, (name, observation) in enumerate(seen.items(), start=1):
            state = self.fleet.get(name)
            if state is not None and state.take_observation(observation, began) and state.is_at_work:
                self.wake(name)
            if number % _SLICE == 0:
                await self.clock.sleep(0)

    async def observed(self, state: NodeState, max_age: float) -> NodeObservation:
        """The node as it was at most `max_age` seconds ago, and not before anything that we did to it."""
        now = self.clock.now().mono
        known = state.observation
        if known is not None and state.observed is not None and now - state.observed <= max_age:
            return known
        observation = await self.orchestrator.observe(state.name)
        state.take_observation(observation, now)
        return observation
