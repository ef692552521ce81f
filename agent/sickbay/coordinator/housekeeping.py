"""What has to happen to standing orders as time goes by, whether or not anything is decided."""

import logging
from dataclasses import dataclass

from sickbay.coordinator.fleet import Fleet
from sickbay.coordinator.paging import Pager
from sickbay.coordinator.standing_orders import StandingOrders
from sickbay.coordinator.store import StoreError
from sickbay.coordinator.storm_watch import StormWatch
from sickbay.host.clock import Clock

_LOG = logging.getLogger(__name__)

_PACE = 2.0


@dataclass(slots=True, kw_only=True)
class Housekeeping:
    """`kept`: orders that have ended are remembered for so many seconds, so that no backlog is worked off."""

    fleet: Fleet
    orders: StandingOrders
    storms: StormWatch
    pager: Pager
    clock: Clock
    kept: float

    async def run(self) -> None:
        """For ever."""
        while True:
            await self.once()
            await self.clock.sleep(_PACE)

    async def once(self) -> None:
        """Look for storms, store and tell what came of it, and forget what is over."""
        now = self.clock.now().wall
        self.storms.look(now)
        try:
            await self.orders.save()
            await self.pager.call()
            await self.orders.save()
            open_incidents = {incident.id for incident in self.fleet.incidents()}
            await self.orders.forget(now, kept=self.kept, open_incidents=open_incidents)
        except StoreError as error:
            _LOG.error("standing orders could not be stored, they hold all the same: %s", error)
