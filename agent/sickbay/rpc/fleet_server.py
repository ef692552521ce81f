"""What operators ask of the coordinator, over FleetOperations."""

from collections.abc import AsyncIterator

import grpc

from sickbay.core.ids import IncidentId, NodeName, RuleId
from sickbay.core.incidents import Incident
from sickbay.core.remediation import Remediation
from sickbay.rpc.boundary import Context, answered, end, ending
from sickbay.rpc.convert_fleet import wire_fleet, wire_incident_detail, wire_node, wire_summary
from sickbay.rpc.convert_incidents import wire_incident
from sickbay.rpc.convert_observations import wire_event
from sickbay.rpc.convert_outcomes import wire_outcome
from sickbay.rpc.convert_remediation import wire_remediation
from sickbay.rpc.convert_rules_view import CHANGES, wire_rules
from sickbay.rpc.convert_values import limit, seconds
from sickbay.rpc.fleet_ports import FleetOperations, OrderOperations, RuleOperations
from sickbay.rpc.order_server import OrderQuestions
from sickbay.rpc.ports import EventQuery, Refused
from sickbay.v1 import fleet_pb2 as pb
from sickbay.v1.fleet_pb2_grpc import add_FleetServiceServicer_to_server


class FleetService(OrderQuestions):
    """`FleetService` of the contract over the coordinator's own operations; goes into an RpcServer."""

    def __init__(
        self,
        operations: FleetOperations,
        rules: RuleOperations | None = None,
        orders: OrderOperations | None = None,
    ) -> None:
        """NotFound and Refused reach the caller as such; anything else as an internal error with an id.

        Without `rules` or `orders` what is asked of them is refused.
        """
        super().__init__(orders)
        self._operations = operations
        self._rules = rules

    def attach(self, server: grpc.aio.Server) -> None:
        """Add the service to a server that has not started."""
        add_FleetServiceServicer_to_server(self, server)

    @answered
    async def GetFleet(self, _request: pb.GetFleetRequest) -> pb.GetFleetResponse:
        """The fleet in a dozen figures."""
        return wire_fleet(await self._operations.fleet())

    @answered
    async def ListNodes(self, _request: pb.ListNodesRequest) -> pb.ListNodesResponse:
        """Every known node."""
        nodes = await self._operations.nodes()
        return pb.ListNodesResponse(nodes=[wire_summary(node) for node in nodes])

    @answered
    async def GetNode(self, request: pb.GetNodeRequest) -> pb.GetNodeResponse:
        """One node, whole."""
        return wire_node(await self._operations.node(NodeName(request.node)))

    @answered
    async def ListIncidents(self, request: pb.ListIncidentsRequest) -> pb.ListIncidentsResponse:
        """Open first, then the most recently closed."""
        incidents = await self._operations.incidents(
            node=NodeName(request.node),
            include_closed=request.include_closed,
            limit=limit(request.limit),
        )
        return pb.ListIncidentsResponse(incidents=[wire_incident(incident) for incident in incidents])

    @answered
    async def GetIncident(self, request: pb.GetIncidentRequest) -> pb.GetIncidentResponse:
        """One incident, whole."""
        return wire_incident_detail(await self._operations.incident(IncidentId(request.id)))

    @answered
    async def ListEvents(self, request: pb.ListEventsRequest) -> pb.ListEventsResponse:
        """Oldest first."""
        query = EventQuery(
            node=NodeName(request.node),
            since=seconds(request.since),
            limit=limit(request.limit),
        )
        events = await self._operations.events(query)
        return pb.ListEventsResponse(events=[wire_event(event) for event in events])

    async def WatchFleet(
        self,
        request: pb.WatchFleetRequest,
        context: Context,
    ) -> AsyncIterator[pb.FleetChange]:
        """All that is open, then every change, for as long as the caller listens."""
        try:
            async for change in self._operations.watch(NodeName(request.node)):
                yield _wire_change(change)
        except Exception as error:  # noqa: BLE001 - the RPC boundary; `ending` logs what nobody foresaw
            await end(context, ending(error, "WatchFleet"))

    @answered
    async def CordonNode(self, request: pb.CordonNodeRequest) -> pb.OperatorResponse:
        """A person's cordon."""
        outcome = await self._operations.cordon(
            NodeName(request.node),
            reason=request.reason,
            operator=request.operator,
        )
        return pb.OperatorResponse(outcome=wire_outcome(outcome))

    @answered
    async def ReturnNode(self, request: pb.ReturnNodeRequest) -> pb.OperatorResponse:
        """A person's return."""
        outcome = await self._operations.give_back(NodeName(request.node), operator=request.operator)
        return pb.OperatorResponse(outcome=wire_outcome(outcome))

    @answered
    async def GetRules(self, _request: pb.GetRulesRequest) -> pb.GetRulesResponse:
        """The rules of the fleet."""
        return wire_rules(await self._rule_operations.rules())

    @answered
    async def ChangeRollout(self, request: pb.ChangeRolloutRequest) -> pb.OperatorResponse:
        """A person's word on a roll-out."""
        if not CHANGES.knows(request.change):
            raise Refused(f"this coordinator does not know the change {request.change}; it is older than you")
        outcome = await self._rule_operations.change_rollout(
            CHANGES.core(request.change),
            operator=request.operator,
            reason=request.reason,
        )
        return pb.OperatorResponse(outcome=wire_outcome(outcome))

    @answered
    async def ConfirmRules(self, request: pb.ConfirmRulesRequest) -> pb.OperatorResponse:
        """A person's word that built-in rules may act."""
        rules = [RuleId(ident) for ident in request.ids]
        outcome = await self._rule_operations.confirm_rules(rules, operator=request.operator)
        return pb.OperatorResponse(outcome=wire_outcome(outcome))

    @property
    def _rule_operations(self) -> RuleOperations:
        if self._rules is None:
            raise Refused("this coordinator hands out no rules")
        return self._rules


def _wire_change(change: Incident | Remediation) -> pb.FleetChange:
    if isinstance(change, Incident):
        return pb.FleetChange(at=change.updated_at, incident=wire_incident(change))
    return pb.FleetChange(at=change.updated_at, remediation=wire_remediation(change))
