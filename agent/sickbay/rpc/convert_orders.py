"""Standing orders and budgets, there and back."""

from sickbay.core.budgets import Share
from sickbay.core.ids import NodeName
from sickbay.core.maintenance import Recurrence
from sickbay.core.order_views import BudgetView, NewOrder, OrderView
from sickbay.core.orders import Order, OrderKind
from sickbay.rpc.convert_values import EnumCodec, integer, seconds, text
from sickbay.v1 import fleet_pb2 as pb

KINDS = EnumCodec(pb.OrderKind, OrderKind, prefix="ORDER_KIND", safest=OrderKind.PAUSE)


def wire_order(view: OrderView) -> pb.Order:
    """One order."""
    order = view.order
    return pb.Order(
        id=text(order.id),
        kind=KINDS.wire(order.kind),
        area=text(order.area),
        by=text(order.by),
        reason=text(order.reason),
        begins_at=order.begins_at,
        ends_at=order.ends_at,
        recurs=_wire_recurrence(order.recurs),
        ended_at=order.ended_at,
        in_force=view.in_force,
        until=view.until,
    )


def core_order(message: pb.Order) -> OrderView:
    """One order."""
    order = Order(
        id=message.id,
        kind=KINDS.core(message.kind),
        area=message.area,
        by=message.by,
        reason=message.reason,
        begins_at=seconds(message.begins_at),
        ends_at=seconds(message.ends_at) if message.HasField("ends_at") else None,
        recurs=_core_recurrence(message.recurs) if message.HasField("recurs") else None,
        ended_at=seconds(message.ended_at) if message.HasField("ended_at") else None,
    )
    until = seconds(message.until) if message.HasField("until") else None
    return OrderView(order=order, in_force=message.in_force, until=until)


def wire_new_order(wanted: NewOrder, operator: str) -> pb.GiveOrderRequest:
    """What a person wants to hold."""
    return pb.GiveOrderRequest(
        kind=KINDS.wire(wanted.kind),
        area=text(wanted.area),
        reason=text(wanted.reason),
        operator=text(operator),
        begins_at=wanted.begins_at,
        length=wanted.length,
        recurs=_wire_recurrence(wanted.recurs),
    )


def core_new_order(message: pb.GiveOrderRequest) -> NewOrder:
    """What a person wants to hold."""
    return NewOrder(
        kind=KINDS.core(message.kind),
        area=message.area,
        reason=message.reason,
        begins_at=seconds(message.begins_at) if message.HasField("begins_at") else None,
        length=seconds(message.length) if message.HasField("length") else None,
        recurs=_core_recurrence(message.recurs) if message.HasField("recurs") else None,
    )


def wire_budget(view: BudgetView) -> pb.Budget:
    """One group."""
    share = view.share
    return pb.Budget(
        group=text(share.group),
        size=integer(share.size),
        out=integer(share.out),
        out_limit=integer(share.out_limit),
        lately=integer(share.lately),
        lately_limit=integer(share.lately_limit),
        window=share.window,
        nodes=[text(node) for node in view.nodes],
    )


def core_budget(message: pb.Budget) -> BudgetView:
    """One group."""
    share = Share(
        group=message.group,
        size=message.size,
        out=message.out,
        out_limit=message.out_limit,
        lately=message.lately,
        lately_limit=message.lately_limit,
        window=seconds(message.window),
    )
    return BudgetView(share=share, nodes=tuple(NodeName(node) for node in message.nodes))


def _wire_recurrence(recurs: Recurrence | None) -> pb.Recurrence | None:
    if recurs is None:
        return None
    return pb.Recurrence(days=recurs.days, start=recurs.start, length=recurs.length)


def _core_recurrence(message: pb.Recurrence) -> Recurrence:
    return Recurrence(days=tuple(message.days), start=message.start, length=message.length)
