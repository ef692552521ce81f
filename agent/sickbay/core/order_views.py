"""What people ask for and are shown of standing orders and budgets."""

from dataclasses import dataclass

from sickbay.core.budgets import Share
from sickbay.core.ids import NodeName
from sickbay.core.maintenance import Recurrence
from sickbay.core.orders import Order, OrderKind


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """What a person wants to hold, from `begins_at` (Unix seconds; None: now) for `length` seconds.

    A `length` of None holds until somebody ends it, or whenever `recurs` says.
    """

    kind: OrderKind
    area: str
    reason: str
    begins_at: float | None = None
    length: float | None = None
    recurs: Recurrence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """An order, whether it holds now, and until when it does (Unix seconds; None: nothing ends it)."""

    order: Order
    in_force: bool
    until: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetView:
    """What a group has used of its budget, and which nodes are out."""

    share: Share
    nodes: tuple[NodeName, ...]
