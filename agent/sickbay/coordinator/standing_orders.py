"""What people, and storms, have said of parts of the fleet: pauses, maintenance, approvals. Durable.

What forbids counts in memory at once and is stored then; what allows is stored first. So whatever moment the
process dies in, the safer of the two is what the next one finds.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace

from sickbay.coordinator.diagnosis import COORDINATOR
from sickbay.coordinator.store import NO_NODE, Batch, LedgerEntry, Store, StoreError
from sickbay.core.approvals import Approval
from sickbay.core.areas import Place
from sickbay.core.ids import IncidentId
from sickbay.core.orders import Order, OrderKind, Standing, standing

_LOG = logging.getLogger(__name__)


class StandingOrders:
    """Every order and approval that counts, those of the configuration included."""

    def __init__(
        self,
        store: Store,
        *,
        configured: Sequence[Order] = (),
        orders: Iterable[Order] = (),
        approvals: Iterable[Approval] = (),
    ) -> None:
        """`orders` and `approvals` as the store has them; `configured` ones are never stored."""
        self._store = store
        self._configured = tuple(configured)
        self._orders = {order.id: order for order in orders}
        self._approvals = {said.incident: said for said in approvals}
        self._unsaved: dict[str, Order] = {}
        self._unsaid: list[LedgerEntry] = []

    @property
    def orders(self) -> tuple[Order, ...]:
        """All of them, over or not, the oldest first."""
        known = (*self._configured, *self._orders.values())
        return tuple(sorted(known, key=lambda order: (order.begins_at, order.id)))

    def over(self, place: Place, now: float) -> Standing:
        """What holds over a node."""
        return standing((*self._configured, *self._orders.values()), place, now)

    def in_force(self, kind: OrderKind, now: float) -> tuple[Order, ...]:
        """The orders of a kind that hold now."""
        return tuple(order for order in self.orders if order.kind is kind and order.is_in_force(now))

    def said_of(self, incident: IncidentId, now: float) -> Approval | None:
        """A person's word on an incident, as long as it counts."""
        said = self._approvals.get(incident)
        return said if said is not None and said.holds(now) else None

    async def give(self, order: Order, *, who: str, at: float) -> None:
        """An order holds from now on. StoreError when it could not be kept: then it does not."""
        self._orders[order.id] = order
        try:
            await self._commit(orders=(order,), ledger=(_entry(order, who, at, order.kind.value),))
        except StoreError:
            del self._orders[order.id]
            raise

    async def end(self, orders: Sequence[Order], *, who: str, at: float, why: str) -> None:
        """These hold no more. StoreError when that could not be kept: then they still do."""
        ended = tuple(order.ended(at) for order in orders)
        ledger = tuple(_entry(order, who, at, f"{order.kind.value} ended", why) for order in ended)
        await self._commit(orders=ended, ledger=ledger)
        for order in ended:
            self._orders[order.id] = order

    async def say(self, said: Approval, *, entry: LedgerEntry) -> None:
        """A person's word on an incident counts from now on."""
        await self._commit(approvals=(said,), ledger=(entry,))
        self._approvals[said.incident] = said

    def put(self, order: Order, *, what: str, why: str, at: float) -> None:
        """Our own order, or its end: holds at once, and is stored by the next `save`."""
        self._orders[order.id] = self._unsaved[order.id] = order
        self._unsaid.append(_entry(order, COORDINATOR, at, what, why))
        _LOG.warning("%s: %s: %s", order.area, what, why)

    def told(self, order: Order) -> None:
        """People were called about it."""
        self._orders[order.id] = self._unsaved[order.id] = replace(self._orders[order.id], told=True)

    async def save(self) -> None:
        """Store what `put` and `told` left. StoreError when that failed; nothing is lost by it."""
        orders, ledger = tuple(self._unsaved.values()), tuple(self._unsaid)
        if orders or ledger:
            await self._commit(orders=orders, ledger=ledger)
            self._unsaid = self._unsaid[len(ledger) :]
            for order in orders:
                if self._unsaved.get(order.id) is order:
                    del self._unsaved[order.id]

    async def forget(self, now: float, *, kept: float, open_incidents: set[IncidentId]) -> None:
        """Let go of orders that were over `kept` seconds ago, and of words on incidents that have ended."""
        orders = tuple(order.id for order in self._orders.values() if order.is_over(now - kept))
        approvals = tuple(ident for ident in self._approvals if ident not in open_incidents)
        if orders or approvals:
            await self._commit(forgotten_orders=orders, forgotten_approvals=approvals)
            for ident in orders:
                self._orders.pop(ident, None)
            for incident in approvals:
                self._approvals.pop(incident, None)

    async def _commit(self, **parts: tuple[object, ...]) -> None:
        await self._store.commit(Batch(**parts))  # type: ignore[arg-type]  # each as its field wants it


def _entry(order: Order, who: str, at: float, what: str, why: str = "") -> LedgerEntry:
    return LedgerEntry(
        at=at,
        who=who,
        what=what,
        node=NO_NODE,
        why=f"{order.area}: {why or order.reason or 'no reason given'}",
        before="",
        after=order.id,
    )
