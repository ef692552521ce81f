"""What a coordinator must provide for its operators: the contract of `sickbay.rpc.fleet_server`."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from sickbay.core.ids import IncidentId, NodeName, RuleId
from sickbay.core.incidents import Incident
from sickbay.core.messages import Event
from sickbay.core.order_views import BudgetView, NewOrder, OrderView
from sickbay.core.outcomes import Outcome
from sickbay.core.remediation import Remediation
from sickbay.core.rules_views import RolloutChange, RulesView
from sickbay.core.views import FleetView, IncidentDetail, NodeDetail, NodeSummary
from sickbay.rpc.questions import EventQuery


class FleetOperations(Protocol):
    """What operators may ask of the coordinator. Unknown names raise NotFound."""

    async def fleet(self) -> FleetView:
        """The fleet in a dozen figures."""
        ...

    async def nodes(self) -> Sequence[NodeSummary]:
        """Every known node, by name."""
        ...

    async def node(self, name: NodeName) -> NodeDetail:
        """One node, whole."""
        ...

    async def incidents(self, *, node: NodeName, include_closed: bool, limit: int) -> Sequence[Incident]:
        """Open first, then the most recently closed."""
        ...

    async def incident(self, ident: IncidentId) -> IncidentDetail:
        """One incident, whole. A unique prefix of an id is enough."""
        ...

    async def events(self, query: EventQuery) -> Sequence[Event]:
        """Oldest first."""
        ...

    def watch(self, node: NodeName) -> AsyncIterator[Incident | Remediation]:
        """All that is open, and then every change as it is committed."""
        ...

    async def cordon(self, node: NodeName, *, reason: str, operator: str) -> Outcome:
        """A person's cordon."""
        ...

    async def give_back(self, node: NodeName, *, operator: str) -> Outcome:
        """A person's return: cancels what runs on the node and snoozes its incidents."""
        ...


class OrderOperations(Protocol):
    """What operators may say of parts of the fleet, and of what would be done to it."""

    async def orders(self) -> Sequence[OrderView]:
        """All that hold, or will."""
        ...

    async def give(self, wanted: NewOrder, *, operator: str) -> OrderView:
        """A pause or a maintenance window. NotFound for an area in which no known node stands."""
        ...

    async def end(self, what: str, *, operator: str, reason: str) -> Sequence[OrderView]:
        """End an order by its id, or every one over exactly an area. NotFound when there is none."""
        ...

    async def approve(self, ident: IncidentId, *, operator: str, reason: str) -> Outcome:
        """What would be done about the incident may be, as far as all other gates go."""
        ...

    async def deny(self, ident: IncidentId, *, operator: str, reason: str) -> Outcome:
        """Nothing is begun for the incident, and what runs for it is left to a person."""
        ...

    async def budgets(self) -> Sequence[BudgetView]:
        """Every group with its budget."""
        ...


class RuleOperations(Protocol):
    """What operators may ask of the rules of a fleet."""

    async def rules(self) -> RulesView:
        """Which are in force where, and how a roll-out stands."""
        ...

    async def change_rollout(self, change: RolloutChange, *, operator: str, reason: str) -> Outcome:
        """Begin, go on, hold, or go back."""
        ...

    async def confirm_rules(self, rules: Sequence[RuleId], *, operator: str) -> Outcome:
        """Let new or changed built-in rules act; no names mean all that wait."""
        ...
