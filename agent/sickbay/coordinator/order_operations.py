"""What people say of parts of the fleet: pause, resume, maintenance, yes and no to what we would do."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sickbay.coordinator.course import Course
from sickbay.coordinator.fleet import Fleet
from sickbay.coordinator.node_state import NodeState
from sickbay.coordinator.situation import Situation
from sickbay.coordinator.store import LedgerEntry, StoreError
from sickbay.core.approvals import Approval
from sickbay.core.areas import FLEET
from sickbay.core.ids import IncidentId, NodeName
from sickbay.core.incidents import Incident
from sickbay.core.order_views import BudgetView, NewOrder, OrderView
from sickbay.core.orders import Order
from sickbay.core.outcomes import Outcome
from sickbay.core.remediation import Step
from sickbay.core.remediation_steps import cancelled, left_to_person
from sickbay.host.clock import Clock
from sickbay.rpc.ports import NotFound, Refused


@dataclass(slots=True, kw_only=True)
class OrderOperations:
    """`sickbay.rpc.fleet_ports.OrderOperations` over the fleet in memory."""

    fleet: Fleet
    course: Course
    situation: Situation
    clock: Clock
    wake: Callable[[NodeName], None]

    async def orders(self) -> Sequence[OrderView]:
        """All that hold or will hold."""
        now = self.clock.now().wall
        found = self.situation.orders.orders
        return [_view(order, now) for order in found if not order.is_over(now)]

    async def give(self, wanted: NewOrder, *, operator: str) -> OrderView:
        """A pause or a maintenance window from now on, or from when it says."""
        now = self.clock.now().wall
        self._somebody_stands_in(wanted.area)
        begins = now if wanted.begins_at is None else wanted.begins_at
        ends = None if wanted.length is None else begins + wanted.length
        if ends is not None and ends <= max(now, begins):
            raise Refused("an order must end after it begins, and not before now")
        order = Order(
            id=f"{wanted.kind.value[:5]}-{secrets.token_hex(3)}",
            kind=wanted.kind,
            area=wanted.area,
            by=operator or "unknown",
            reason=wanted.reason,
            begins_at=begins,
            ends_at=ends,
            recurs=wanted.recurs,
        )
        try:
            await self.situation.orders.give(order, who=_operator(operator), at=now)
        except StoreError as error:
            raise Refused(str(error)) from error
        return _view(order, now)

    async def end(self, what: str, *, operator: str, reason: str) -> Sequence[OrderView]:
        """End an order by its id, or every one over exactly that area."""
        now = self.clock.now().wall
        held = [order for order in self.situation.orders.orders if not order.is_over(now)]
        ending = [order for order in held if what in {order.id, order.area}]
        if not ending:
            others = ", ".join(f"{order.id} over {order.area}" for order in held) or "none"
            raise NotFound(f"no order {what!r}; there is: {others}")
        if any(order.id.startswith("configured-") for order in ending):
            raise Refused(f"{what} stands in the coordinator's configuration, and ends only there")
        try:
            await self.situation.orders.end(ending, who=_operator(operator), at=now, why=reason)
        except StoreError as error:
            raise Refused(str(error)) from error
        self._wake_all()
        return [_view(order.ended(now), now) for order in ending]

    async def approve(self, ident: IncidentId, *, operator: str, reason: str) -> Outcome:
        """A person's yes: what would be done about the incident may be, as far as all other gates go."""
        state, incident = self._open_incident(ident)
        policy = self.situation.policy
        if not policy.may_ever(incident):
            raise Refused(
                f"nothing would be done about {incident.id}, so there is nothing to approve: the rule says "
                f"{incident.mode.value}, the cluster {policy.mode.value}, the remedy is "
                f"{incident.remedy or 'none'}{', and it is snoozed' if incident.snoozed else ''}"
            )
        said = self._said(incident, operator, reason, granted=True)
        await self._kept(said, state, "approved", operator)
        self.wake(state.name)
        return Outcome.done(f"{policy.remedy(incident.remedy).id} for {incident.reason} on {state.name}")

    async def deny(self, ident: IncidentId, *, operator: str, reason: str) -> Outcome:
        """A person's no: nothing is begun for the incident, and what runs for it is left to a person."""
        state, incident = self._open_incident(ident)
        await self._kept(self._said(incident, operator, reason, granted=False), state, "denied", operator)
        rem = state.active
        if rem is not None and incident.id in rem.incidents:
            why = f"{operator} denied it: {reason or 'no reason given'}"
            now = self.clock.now().wall
            is_idle = rem.step is Step.PROPOSED and rem.attempt is None
            self.course.moved(state, (cancelled if is_idle else left_to_person)(rem, now, why))
            try:
                await self.fleet.commit(state)
            except StoreError as error:
                raise Refused(str(error)) from error
        self.wake(state.name)
        return Outcome.done(f"{incident.reason} on {state.name} is left alone")

    async def budgets(self) -> Sequence[BudgetView]:
        """Every group with its budget."""
        now, census = self.clock.now().wall, self.situation.census
        return [
            BudgetView(share=census.share(group, now), nodes=census.out_of(group)) for group in census.groups
        ]

    def _said(self, incident: Incident, operator: str, reason: str, *, granted: bool) -> Approval:
        now = self.clock.now().wall
        return Approval(
            incident=incident.id,
            granted=granted,
            by=operator or "unknown",
            at=now,
            expires_at=now + self.situation.policy.approval_life if granted else None,
            reason=reason,
        )

    async def _kept(self, said: Approval, state: NodeState, what: str, operator: str) -> None:
        entry = LedgerEntry(
            at=said.at,
            who=_operator(operator),
            what=what,
            node=state.name,
            why=said.reason or "no reason given",
            incident=said.incident,
        )
        try:
            await self.situation.orders.say(said, entry=entry)
        except StoreError as error:
            raise Refused(str(error)) from error
        # The gates' last answers were given without this word: the next ones are kept whatever they are.
        state.put_incident(replace(state.incidents[said.incident], decision=None))

    def _open_incident(self, ident: IncidentId) -> tuple[NodeState, Incident]:
        prefix = ident if ident.startswith("inc-") else f"inc-{ident}"
        found = [
            (state, incident)
            for state in self.fleet
            for incident in state.open_incidents
            if incident.id.startswith(prefix)
        ]
        if not found:
            raise NotFound(f"no open incident {ident!r}")
        if len(found) > 1:
            raise Refused(f"more than one open incident begins with {prefix}")
        return found[0]

    def _somebody_stands_in(self, area: str) -> None:
        if area != FLEET and not any(self.situation.census.place(s).is_in(area) for s in self.fleet):
            raise NotFound(f"no known node stands in {area}")

    def _wake_all(self) -> None:
        for state in self.fleet:
            if state.open_incidents or state.active is not None:
                self.wake(state.name)


def _operator(name: str) -> str:
    return f"operator {name or 'unknown'}"


def _view(order: Order, now: float) -> OrderView:
    return OrderView(order=order, in_force=order.is_in_force(now), until=order.ends(now))
