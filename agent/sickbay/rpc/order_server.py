"""The part of `FleetService` in which people say what holds, and what may be done."""

from sickbay.core.areas import parse_area
from sickbay.core.ids import IncidentId
from sickbay.core.order_views import NewOrder
from sickbay.core.orders import OrderKind
from sickbay.rpc.boundary import answered
from sickbay.rpc.convert_orders import KINDS, core_new_order, wire_budget, wire_order
from sickbay.rpc.convert_outcomes import wire_outcome
from sickbay.rpc.fleet_ports import OrderOperations
from sickbay.rpc.ports import Refused
from sickbay.v1 import fleet_pb2 as pb
from sickbay.v1.fleet_pb2_grpc import FleetServiceServicer

_A_WEEK = 7
_A_DAY = 86_400.0


class OrderQuestions(FleetServiceServicer):
    """Questions about standing orders, approvals and budgets. Without `orders` each is refused."""

    def __init__(self, orders: OrderOperations | None) -> None:
        """NotFound and Refused reach the caller as such."""
        self._orders = orders

    @answered
    async def ListOrders(self, _request: pb.ListOrdersRequest) -> pb.OrdersResponse:
        """All that hold, or will."""
        found = await self._order_operations.orders()
        return pb.OrdersResponse(orders=[wire_order(view) for view in found])

    @answered
    async def GiveOrder(self, request: pb.GiveOrderRequest) -> pb.OrdersResponse:
        """A pause, or a maintenance window."""
        if not KINDS.knows(request.kind) or KINDS.core(request.kind) is OrderKind.STORM:
            raise Refused("people give pauses and maintenance windows")
        given = await self._order_operations.give(_understood(request), operator=request.operator)
        return pb.OrdersResponse(orders=[wire_order(given)])

    @answered
    async def EndOrders(self, request: pb.EndOrdersRequest) -> pb.OrdersResponse:
        """By id, or by area."""
        ended = await self._order_operations.end(
            request.what,
            operator=request.operator,
            reason=request.reason,
        )
        return pb.OrdersResponse(orders=[wire_order(view) for view in ended])

    @answered
    async def ApproveIncident(self, request: pb.ApproveIncidentRequest) -> pb.OperatorResponse:
        """A person's yes or no."""
        operations = self._order_operations
        say = operations.approve if request.granted else operations.deny
        outcome = await say(IncidentId(request.id), operator=request.operator, reason=request.reason)
        return pb.OperatorResponse(outcome=wire_outcome(outcome))

    @answered
    async def ListBudgets(self, _request: pb.ListBudgetsRequest) -> pb.ListBudgetsResponse:
        """Every group with its budget."""
        found = await self._order_operations.budgets()
        return pb.ListBudgetsResponse(budgets=[wire_budget(view) for view in found])

    @property
    def _order_operations(self) -> OrderOperations:
        if self._orders is None:
            raise Refused("this coordinator takes no standing orders")
        return self._orders


def _understood(request: pb.GiveOrderRequest) -> NewOrder:
    """The order, if it is one that can hold."""
    wanted = core_new_order(request)
    try:
        parsed = parse_area(wanted.area)
    except ValueError as error:
        raise Refused(str(error)) from error
    if parsed != wanted.area:
        raise Refused(f"{wanted.area!r} is no part of a fleet; did you mean {parsed}?")
    recurs = wanted.recurs
    if recurs is not None and not (
        recurs.days
        and all(0 <= day < _A_WEEK for day in recurs.days)
        and 0 <= recurs.start < _A_DAY
        and 0 < recurs.length <= _A_DAY
    ):
        raise Refused("a window that recurs needs days of the week, and a time and a length within a day")
    return wanted
