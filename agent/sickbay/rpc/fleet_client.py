"""A blocking client of the coordinator for commands: quick to import, quick to fail."""

from collections.abc import Iterator, Sequence

from sickbay.core.ids import IncidentId, NodeName, RuleId
from sickbay.core.incidents import Incident
from sickbay.core.messages import Event
from sickbay.core.order_views import BudgetView, NewOrder, OrderView
from sickbay.core.outcomes import Outcome
from sickbay.core.remediation import Remediation
from sickbay.core.rules_views import RolloutChange, RulesView
from sickbay.core.views import FleetView, IncidentDetail, NodeDetail, NodeSummary
from sickbay.rpc.calling import Calling
from sickbay.rpc.convert_fleet import core_fleet, core_incident_detail, core_node, core_summary
from sickbay.rpc.convert_incidents import core_incident
from sickbay.rpc.convert_observations import core_event
from sickbay.rpc.convert_orders import core_budget, core_order, wire_new_order
from sickbay.rpc.convert_outcomes import core_outcome
from sickbay.rpc.convert_remediation import core_remediation
from sickbay.rpc.convert_rules_view import CHANGES, core_rules
from sickbay.rpc.convert_values import text
from sickbay.rpc.questions import EventQuery
from sickbay.rpc.serving import DEFAULT_PORT, LOCAL_ONLY, Security, check_plaintext
from sickbay.v1 import fleet_pb2 as pb
from sickbay.v1.fleet_pb2_grpc import FleetServiceStub

DEFAULT_TARGET = f"127.0.0.1:{DEFAULT_PORT}"

_OPERATOR_PATIENCE = 10.0
"""A cordon goes through a scheduler that takes its time; the usual time-out is for looking."""


class FleetClient(Calling):
    """FleetOperations from afar. Each call raises Unreachable, Refused or NotFound of `sickbay.rpc.ports`."""

    def __init__(
        self,
        target: str = DEFAULT_TARGET,
        *,
        timeout: float = 3.0,
        security: Security = LOCAL_ONLY,
    ) -> None:
        """Dials on the first call; `timeout` in seconds a call. BadAddress for what we may not dial."""
        check_plaintext(target, security)
        super().__init__(
            target,
            whom="coordinator",
            remedy="start one with `sickbay-coordinator`, or name another one's host:port",
            timeout=timeout,
        )
        self._stub = FleetServiceStub(self._channel)

    def fleet(self) -> FleetView:
        """The fleet in a dozen figures."""
        return core_fleet(self._ask(self._stub.GetFleet, pb.GetFleetRequest()))

    def nodes(self) -> tuple[NodeSummary, ...]:
        """Every known node, by name."""
        response = self._ask(self._stub.ListNodes, pb.ListNodesRequest())
        return tuple(core_summary(node) for node in response.nodes)

    def node(self, name: NodeName) -> NodeDetail:
        """One node, whole."""
        return core_node(self._ask(self._stub.GetNode, pb.GetNodeRequest(node=text(name))))

    def incidents(
        self,
        *,
        node: NodeName = NodeName(""),
        include_closed: bool = False,
        limit: int = 100,
    ) -> tuple[Incident, ...]:
        """Open first, then the most recently closed."""
        request = pb.ListIncidentsRequest(node=text(node), include_closed=include_closed, limit=limit)
        response = self._ask(self._stub.ListIncidents, request)
        return tuple(core_incident(incident) for incident in response.incidents)

    def incident(self, ident: IncidentId) -> IncidentDetail:
        """One incident, whole. A unique prefix of an id is enough."""
        return core_incident_detail(self._ask(self._stub.GetIncident, pb.GetIncidentRequest(id=text(ident))))

    def events(self, query: EventQuery) -> tuple[Event, ...]:
        """Oldest first."""
        request = pb.ListEventsRequest(node=text(query.node), since=query.since, limit=query.limit)
        response = self._ask(self._stub.ListEvents, request)
        return tuple(core_event(event) for event in response.events)

    def watch(self, node: NodeName = NodeName("")) -> Iterator[Incident | Remediation]:
        """All that is open, and then every change; raises Unreachable when the coordinator goes."""
        for change in self._follow(self._stub.WatchFleet, pb.WatchFleetRequest(node=text(node))):
            match change.WhichOneof("what"):
                case "incident":
                    yield core_incident(change.incident)
                case "remediation":
                    yield core_remediation(change.remediation)
                case _:
                    # A newer coordinator's kind of change; those that this version knows go on.
                    continue

    def cordon(self, node: NodeName, *, reason: str, operator: str) -> Outcome:
        """A person's cordon."""
        request = pb.CordonNodeRequest(node=text(node), reason=text(reason), operator=text(operator))
        response = self._ask(self._stub.CordonNode, request, patience=_OPERATOR_PATIENCE)
        return core_outcome(response.outcome)

    def give_back(self, node: NodeName, *, operator: str) -> Outcome:
        """A person's return."""
        request = pb.ReturnNodeRequest(node=text(node), operator=text(operator))
        response = self._ask(self._stub.ReturnNode, request, patience=_OPERATOR_PATIENCE)
        return core_outcome(response.outcome)

    def orders(self) -> tuple[OrderView, ...]:
        """Pauses, maintenance windows and storms that hold, or will."""
        response = self._ask(self._stub.ListOrders, pb.ListOrdersRequest())
        return tuple(core_order(order) for order in response.orders)

    def give_order(self, wanted: NewOrder, *, operator: str) -> OrderView:
        """A pause or a maintenance window."""
        response = self._ask(self._stub.GiveOrder, wire_new_order(wanted, operator))
        return core_order(response.orders[0])

    def end_orders(self, what: str, *, operator: str, reason: str) -> tuple[OrderView, ...]:
        """End an order by its id, or every one over exactly an area."""
        request = pb.EndOrdersRequest(what=text(what), operator=text(operator), reason=text(reason))
        return tuple(core_order(order) for order in self._ask(self._stub.EndOrders, request).orders)

    def approve(self, ident: IncidentId, *, granted: bool, operator: str, reason: str) -> Outcome:
        """A person's yes or no to what would be done about an incident."""
        request = pb.ApproveIncidentRequest(
            id=text(ident), granted=granted, operator=text(operator), reason=text(reason)
        )
        return core_outcome(self._ask(self._stub.ApproveIncident, request).outcome)

    def budgets(self) -> tuple[BudgetView, ...]:
        """Every group with its budget."""
        response = self._ask(self._stub.ListBudgets, pb.ListBudgetsRequest())
        return tuple(core_budget(budget) for budget in response.budgets)

    def rules(self) -> RulesView:
        """The rules of the fleet."""
        return core_rules(self._ask(self._stub.GetRules, pb.GetRulesRequest()))

    def change_rollout(self, change: RolloutChange, *, operator: str, reason: str) -> Outcome:
        """A person's word on a roll-out."""
        request = pb.ChangeRolloutRequest(
            change=CHANGES.wire(change), operator=text(operator), reason=text(reason)
        )
        return core_outcome(self._ask(self._stub.ChangeRollout, request).outcome)

    def confirm_rules(self, rules: Sequence[RuleId], *, operator: str) -> Outcome:
        """A person's word that built-in rules may act; no names mean all that wait."""
        request = pb.ConfirmRulesRequest(ids=[text(rule) for rule in rules], operator=text(operator))
        return core_outcome(self._ask(self._stub.ConfirmRules, request).outcome)
