"""No BMC is configured: every verb says so, and the ladder goes on without it."""

from dataclasses import dataclass

from sickbay.core.ids import NodeName
from sickbay.core.outcomes import Outcome
from sickbay.host.clock import Clock
from sickbay.power.protocol import Order, PowerObservation

_NOT_CONFIGURED = "no BMC is configured (power.kind)"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoPower:
    """A `PowerControl` that can do nothing."""

    clock: Clock

    async def observe(self, node: NodeName) -> PowerObservation:
        """See `PowerControl.observe`."""
        at = self.clock.now().wall
        return PowerObservation(node=node, at=at, problem=Outcome.failed(_NOT_CONFIGURED))

    async def restart_gracefully(self, node: NodeName, order: Order) -> Outcome:
        """See `PowerControl.restart_gracefully`."""
        return await self.power_cycle(node, order)

    async def restart_forced(self, node: NodeName, order: Order) -> Outcome:
        """See `PowerControl.restart_forced`."""
        return await self.power_cycle(node, order)

    async def power_cycle(self, node: NodeName, order: Order) -> Outcome:
        """See `PowerControl.power_cycle`."""
        del node, order
        return Outcome.failed(_NOT_CONFIGURED)
