"""What operators are shown of the fleet, there and back."""

from sickbay.core.devices import Inventory
from sickbay.core.ids import BootId, NodeName
from sickbay.core.orchestration import Ownership
from sickbay.core.views import FleetView, IncidentDetail, NodeDetail, NodeSummary
from sickbay.rpc.convert_devices import core_inventory, wire_inventory
from sickbay.rpc.convert_incidents import core_incident, wire_incident
from sickbay.rpc.convert_observations import (
    MODES,
    SEVERITIES,
    core_condition,
    core_event,
    core_signal,
    wire_condition,
    wire_event,
    wire_signal,
)
from sickbay.rpc.convert_remediation import core_remediation, wire_remediation
from sickbay.rpc.convert_values import EnumCodec, integer, seconds, text
from sickbay.v1 import fleet_pb2 as fpb
from sickbay.v1 import types_pb2 as pb

OWNERSHIPS = EnumCodec(pb.Ownership, Ownership, prefix="OWNERSHIP", safest=Ownership.UNKNOWN)


def wire_summary(summary: NodeSummary) -> fpb.NodeSummary:
    """One node in a line."""
    worst, remediation = summary.worst, summary.remediation
    return fpb.NodeSummary(
        node=text(summary.node),
        boot_id=text(summary.boot_id),
        version=text(summary.version),
        connected=summary.connected,
        last_seen=summary.last_seen,
        gpus=integer(summary.gpus),
        worst=pb.SEVERITY_UNSPECIFIED if worst is None else SEVERITIES.wire(worst),
        ownership=OWNERSHIPS.wire(summary.ownership),
        schedulable=summary.schedulable,
        scheduler_state=text(summary.scheduler_state),
        scheduler_reason=text(summary.scheduler_reason),
        remediation=None if remediation is None else wire_remediation(remediation),
        open_conditions=integer(summary.open_conditions),
        nvml=text(summary.nvml),
    )


def core_summary(message: fpb.NodeSummary) -> NodeSummary:
    """One node in a line."""
    worst = None if message.worst == pb.SEVERITY_UNSPECIFIED else SEVERITIES.core(message.worst)
    return NodeSummary(
        node=NodeName(message.node),
        boot_id=BootId(message.boot_id),
        version=message.version,
        connected=message.connected,
        last_seen=seconds(message.last_seen),
        gpus=message.gpus,
        worst=worst,
        ownership=OWNERSHIPS.core(message.ownership),
        schedulable=message.schedulable if message.HasField("schedulable") else None,
        scheduler_state=message.scheduler_state,
        scheduler_reason=message.scheduler_reason,
        remediation=core_remediation(message.remediation) if message.HasField("remediation") else None,
        open_conditions=message.open_conditions,
        nvml=message.nvml,
    )


def wire_node(detail: NodeDetail) -> fpb.GetNodeResponse:
    """One node, whole."""
    return fpb.GetNodeResponse(
        summary=wire_summary(detail.summary),
        inventory=wire_inventory(detail.inventory),
        conditions=[wire_condition(condition) for condition in detail.conditions],
        readings=[wire_signal(signal) for signal in detail.readings],
        incidents=[wire_incident(incident) for incident in detail.incidents],
    )


def core_node(message: fpb.GetNodeResponse) -> NodeDetail:
    """One node, whole."""
    return NodeDetail(
        summary=core_summary(message.summary),
        inventory=core_inventory(message.inventory) if message.HasField("inventory") else Inventory(),
        conditions=tuple(core_condition(condition) for condition in message.conditions),
        readings=tuple(core_signal(signal) for signal in message.readings),
        incidents=tuple(core_incident(incident) for incident in message.incidents),
    )


def wire_incident_detail(detail: IncidentDetail) -> fpb.GetIncidentResponse:
    """One incident, whole."""
    remediation = detail.remediation
    return fpb.GetIncidentResponse(
        incident=wire_incident(detail.incident),
        conditions=[wire_condition(condition) for condition in detail.conditions],
        remediation=None if remediation is None else wire_remediation(remediation),
        events=[wire_event(event) for event in detail.events],
    )


def core_incident_detail(message: fpb.GetIncidentResponse) -> IncidentDetail:
    """One incident, whole."""
    return IncidentDetail(
        incident=core_incident(message.incident),
        conditions=tuple(core_condition(condition) for condition in message.conditions),
        remediation=core_remediation(message.remediation) if message.HasField("remediation") else None,
        events=tuple(core_event(event) for event in message.events),
    )


def wire_fleet(view: FleetView) -> fpb.GetFleetResponse:
    """The fleet in a dozen figures."""
    return fpb.GetFleetResponse(
        coordinator=text(view.coordinator),
        version=text(view.version),
        term=integer(view.term),
        mode=MODES.wire(view.mode),
        orchestrator=text(view.orchestrator),
        nodes=integer(view.nodes),
        connected=integer(view.connected),
        open_incidents=integer(view.open_incidents),
        active_remediations=integer(view.active_remediations),
        started_at=view.started_at,
        rules_digest=text(view.rules_digest),
    )


def core_fleet(message: fpb.GetFleetResponse) -> FleetView:
    """The fleet in a dozen figures."""
    return FleetView(
        coordinator=message.coordinator,
        version=message.version,
        term=message.term,
        mode=MODES.core(message.mode),
        orchestrator=message.orchestrator,
        nodes=message.nodes,
        connected=message.connected,
        open_incidents=message.open_incidents,
        active_remediations=message.active_remediations,
        started_at=seconds(message.started_at),
        rules_digest=message.rules_digest,
    )
