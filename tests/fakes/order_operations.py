"""Standing orders in memory, as a coordinator answers about them."""

from collections.abc import Sequence

from sickbay.core.budgets import Share
from sickbay.core.ids import IncidentId, NodeName
from sickbay.core.order_views import BudgetView, NewOrder, OrderView
from sickbay.core.orders import Order
from sickbay.core.outcomes import Outcome
from sickbay.rpc.ports import NotFound

NOW = 1_000.0


class FakeOrderOperations:
    """OrderOperations of a fleet in which it is always `NOW`."""

    def __init__(self) -> None:
        self.held: dict[str, Order] = {}
        self.said: list[tuple[str, IncidentId, str, str]] = []

    async def orders(self) -> Sequence[OrderView]:
        return [_view(order) for order in self.held.values()]

    async def give(self, wanted: NewOrder, *, operator: str) -> OrderView:
        begins = NOW if wanted.begins_at is None else wanted.begins_at
        order = Order(
            id=f"{wanted.kind.value}-{len(self.held) + 1}",
            kind=wanted.kind,
            area=wanted.area,
            by=operator,
            reason=wanted.reason,
            begins_at=begins,
            ends_at=None if wanted.length is None else begins + wanted.length,
            recurs=wanted.recurs,
        )
        self.held[order.id] = order
        return _view(order)

    async def end(self, what: str, *, operator: str, reason: str) -> Sequence[OrderView]:
        self.said.append(("end", IncidentId(what), operator, reason))
        ending = [order for order in self.held.values() if what in {order.id, order.area}]
        if not ending:
            raise NotFound(f"no order {what!r}; there is: none")
        for order in ending:
            del self.held[order.id]
        return [_view(order.ended(NOW)) for order in ending]

    async def approve(self, ident: IncidentId, *, operator: str, reason: str) -> Outcome:
        self.said.append(("approve", ident, operator, reason))
        return Outcome.done("reboot for XID_79 on n1")

    async def deny(self, ident: IncidentId, *, operator: str, reason: str) -> Outcome:
        self.said.append(("deny", ident, operator, reason))
        return Outcome.done("XID_79 on n1 is left alone")

    async def budgets(self) -> Sequence[BudgetView]:
        share = Share(
            group="pool:h100", size=40, out=2, out_limit=2, lately=1, lately_limit=2, window=3_600.0
        )
        return [BudgetView(share=share, nodes=(NodeName("n1"), NodeName("n2")))]


def _view(order: Order) -> OrderView:
    return OrderView(order=order, in_force=order.is_in_force(NOW), until=order.ends(NOW))
