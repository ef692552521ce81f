"""Standing orders: what keeps hands off a part of the fleet for a while, at a person's word or a storm's.

A pause and a maintenance window come from people, a storm from the storm gate. All three hold harmful actions
alike, and all three leave the same behind: what was seen before they ended must be seen again to be acted on,
so that no backlog is worked off.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum

from sickbay.core.areas import Place
from sickbay.core.decisions import Finding, held_back, let_through
from sickbay.core.instants import format_duration
from sickbay.core.maintenance import Recurrence


class OrderKind(Enum):
    """Who holds, and what for."""

    PAUSE = "pause"
    MAINTENANCE = "maintenance"
    STORM = "storm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One of them, over `area` (see `sickbay.core.areas`). Times are Unix seconds.

    In force from `begins_at` to `ends_at` (None: until somebody ends it), or whenever `recurs` says.
    `ended_at` is when somebody did. `told` says that people were called, for an order that calls them.
    """

    id: str
    kind: OrderKind
    area: str
    by: str
    reason: str
    begins_at: float
    ends_at: float | None = None
    recurs: Recurrence | None = None
    ended_at: float | None = None
    told: bool = False

    def ends(self, now: float) -> float | None:
        """When what holds at `now` ends by itself; None when nothing holds, or nothing ends it."""
        if self.recurs is None:
            return self.ends_at
        return self.recurs.open_until(now) if self.begins_at <= now else None

    def is_in_force(self, now: float) -> bool:
        """Whether it holds at `now`."""
        if now < self.begins_at or (self.ended_at is not None and now >= self.ended_at):
            return False
        if self.recurs is not None:
            return self.recurs.open_until(now) is not None
        return self.ends_at is None or now < self.ends_at

    def is_over(self, now: float) -> bool:
        """Whether it will never hold again."""
        if self.ended_at is not None and now >= self.ended_at:
            return True
        return self.recurs is None and self.ends_at is not None and now >= self.ends_at

    def released_at(self, now: float) -> float | None:
        """When it last stopped to hold, at `now` or before; None: never, or it holds now."""
        if self.is_in_force(now):
            return None
        until = now if self.ended_at is None else min(now, self.ended_at)
        if until < self.begins_at:
            return None
        if self.recurs is None:
            end = until if self.ends_at is None else min(until, self.ends_at)
            return end if end > self.begins_at else None
        if self.ended_at is not None and self.ended_at <= now and self.recurs.open_until(self.ended_at):
            return self.ended_at
        last = self.recurs.last_end(until)
        return None if last is None or last <= self.begins_at else last

    def ended(self, at: float) -> "Order":
        """The same order, ended at somebody's word."""
        return replace(self, ended_at=at)

    def words(self, now: float) -> str:
        """For people: by whom, over what, why, and for how long still."""
        until = self.ends(now)
        left = "until it is ended" if until is None else f"for {format_duration(max(until - now, 0.0))} more"
        return f"{self.area}, by {self.by}, {left}: {self.reason or 'no reason given'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The orders that hold over a node at `at`; `released_ago`: seconds since one last ceased to, or None."""

    at: float
    orders: tuple[Order, ...] = ()
    released_ago: float | None = None

    @property
    def holds(self) -> bool:
        """Whether any does."""
        return bool(self.orders)


def standing(orders: Iterable[Order], place: Place, now: float) -> Standing:
    """What holds over the node at `place`."""
    there = [order for order in orders if place.is_in(order.area)]
    released = [at for order in there if (at := order.released_at(now)) is not None]
    return Standing(
        at=now,
        orders=tuple(order for order in there if order.is_in_force(now)),
        released_ago=now - max(released) if released else None,
    )


def pause_gate(found: Standing) -> Finding:
    """A person said: do nothing here for now."""
    return _gate(found, OrderKind.PAUSE, "nobody has paused the node, its domain, its pool or the fleet")


def maintenance_gate(found: Standing) -> Finding:
    """Somebody works here by plan: faults are recorded, and nothing is done about them."""
    return _gate(found, OrderKind.MAINTENANCE, "no maintenance window is open here")


def storm_gate(found: Standing) -> Finding:
    """More goes wrong at once than nodes do by themselves: a person should look before we act on it."""
    return _gate(found, OrderKind.STORM, "no more goes wrong than usual")


def _gate(found: Standing, kind: OrderKind, otherwise: str) -> Finding:
    holding = [order.words(found.at) for order in found.orders if order.kind is kind]
    return held_back(kind.value, "; ".join(holding)) if holding else let_through(kind.value, otherwise)
