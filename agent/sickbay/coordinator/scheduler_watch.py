"""Looks at the scheduler: one for the whole fleet at an interval, one for a node where an effect follows.

A look costs the scheduler the same for one node as for all, so those that only wait share one.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sickbay.coordinator.fleet import Fleet
from sickbay.coordinator.node_state import NodeState
from sickbay.core.ids import NodeName
from sickbay.core.orchestration import NodeObservation
from sickbay.host.clock import Clock
from sickbay.orchestrators.protocol import Orchestrator

_AT_MOST_A_FIFTH = 4.0
"""Pauses per look's own length: a scheduler that answers slowly is asked less often."""


@dataclass(slots=True, kw_only=True)
class SchedulerWatch:
    """Keeps every node's observation. `busy` and `idle` are seconds between two looks at the whole fleet.

    `busy` counts while any node is at work or waits for a person. `wake` is called for a node that has news.
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
        while True:
            began = self.clock.now().mono
            await self.look()
            took = self.clock.now().mono - began
            at_work = any(state.is_at_work for state in self.fleet)
            await self.clock.sleep(max(self.busy if at_work else self.idle, took * _AT_MOST_A_FIFTH))

    async def look(self) -> None:
        """One look at all nodes; those at work that have news are woken."""
        names = tuple(self.fleet.nodes)
        if not names:
            return
        began = self.clock.now().mono
        seen = await self.orchestrator.observe_all(names)
        self.looks += 1
        for name, observation in seen.items():
            state = self.fleet.get(name)
            if state is not None and state.take_observation(observation, began) and state.is_at_work:
                self.wake(name)

    async def observed(self, state: NodeState, max_age: float) -> NodeObservation:
        """The node as it was at most `max_age` seconds ago, and not before anything that we did to it."""
        now = self.clock.now().mono
        known = state.observation
        if known is not None and state.observed is not None and now - state.observed <= max_age:
            return known
        observation = await self.orchestrator.observe(state.name)
        state.take_observation(observation, now)
        return observation
