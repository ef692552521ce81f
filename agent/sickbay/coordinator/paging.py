"""Calling people: a program or a webhook of the site, told once of every storm, and again if that was lost.

A call that fails never holds up a decision; it is tried again for as long as the storm lasts.
"""

import asyncio
import json
import logging
import urllib.error
import urllib.request
from dataclasses import dataclass, field

from sickbay.coordinator.standing_orders import StandingOrders
from sickbay.core.orders import Order, OrderKind
from sickbay.host.clock import Clock
from sickbay.host.commands import CommandResult, CommandRunner

_LOG = logging.getLogger(__name__)

_AGAIN = 30.0
"""Seconds before a call that failed is tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PagingSettings:
    """Whom to call; `deadline` in seconds for each. Neither: the ledger, the log and the metric must do."""

    command: tuple[str, ...] = ()
    webhook: str = ""
    deadline: float = 10.0


@dataclass(slots=True, kw_only=True)
class Pager:
    """Tells of every storm that nobody was told of. `coordinator` names us to whoever is called."""

    orders: StandingOrders
    commands: CommandRunner
    clock: Clock
    coordinator: str
    settings: PagingSettings = field(default_factory=PagingSettings)
    _next_try: float = 0.0

    async def call(self) -> None:
        """Call for all that is new. The caller stores that people were told."""
        now = self.clock.now()
        untold = [order for order in self.orders.in_force(OrderKind.STORM, now.wall) if not order.told]
        if not untold or now.mono < self._next_try:
            return
        for order in untold:
            if await self._told(order):
                self.orders.told(order)
            else:
                self._next_try = self.clock.now().mono + _AGAIN

    async def _told(self, order: Order) -> bool:
        body = json.dumps(self._message(order)).encode()
        troubles = [await self._command(body), await self._webhook(body)]
        for trouble in filter(None, troubles):
            _LOG.error("nobody could be called about %s (%s): %s", order.id, order.reason, trouble)
        return not any(troubles)

    def _message(self, order: Order) -> dict[str, str | float]:
        return {
            "what": "storm gate tripped",
            "coordinator": self.coordinator,
            "id": order.id,
            "area": order.area,
            "why": order.reason,
            "at": order.begins_at,
            "next": f"look at the fleet, then: sickbay resume {order.area}",
        }

    async def _command(self, body: bytes) -> str:
        """What went wrong; empty when nothing did."""
        if not self.settings.command:
            return ""
        result = await self.commands.run(self.settings.command, deadline=self.settings.deadline, stdin=body)
        if not isinstance(result, CommandResult):
            return str(result)
        said = result.stderr.strip() or result.stdout.strip()
        return f"{result.argv[0]} ended with {result.exit_code}: {said}" if result.exit_code else ""

    async def _webhook(self, body: bytes) -> str:
        if not self.settings.webhook:
            return ""
        request = urllib.request.Request(  # noqa: S310 - the configuration lets only http and https through
            self.settings.webhook, data=body, headers={"Content-Type": "application/json"}, method="POST"
        )
        return await asyncio.to_thread(_posted, request, self.settings.deadline)


def _posted(request: urllib.request.Request, deadline: float) -> str:
    try:
        with urllib.request.urlopen(request, timeout=deadline):  # noqa: S310 - as above
            return ""
    except (urllib.error.URLError, OSError, ValueError) as error:
        return f"{request.host}: {error}"
