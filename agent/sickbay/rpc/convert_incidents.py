"""Incidents with the gates' answers and the clock of their fault, there and back."""

from sickbay.core.gates import Decision, Finding
from sickbay.core.ids import BootId, IncidentId, NodeName, RemediationId, RuleId
from sickbay.core.incidents import Incident
from sickbay.core.milestones import MARKS, Milestones
from sickbay.rpc.convert_devices import core_subject, wire_subject
from sickbay.rpc.convert_observations import MODES, SEVERITIES, with_severity_noted
from sickbay.rpc.convert_values import maybe_seconds, seconds, text, texts
from sickbay.v1 import types_pb2 as pb


def wire_decision(decision: Decision) -> pb.Decision:
    """All gates' answers at one moment."""
    findings = [
        pb.GateFinding(gate=text(finding.gate), passed=finding.passed, why=text(finding.why))
        for finding in decision.findings
    ]
    return pb.Decision(allowed=decision.allowed, at=decision.at, findings=findings)


def core_decision(message: pb.Decision) -> Decision:
    """All gates' answers at one moment."""
    findings = tuple(
        Finding(gate=finding.gate, passed=finding.passed, why=finding.why) for finding in message.findings
    )
    return Decision(allowed=message.allowed, at=seconds(message.at), findings=findings)


def wire_milestones(milestones: Milestones) -> pb.Milestones:
    """The clock of one fault."""
    return pb.Milestones(**{mark: getattr(milestones, mark) for mark in MARKS})


def core_milestones(message: pb.Milestones) -> Milestones:
    """The clock of one fault."""
    return Milestones(
        **{mark: maybe_seconds(getattr(message, mark)) for mark in MARKS if message.HasField(mark)},
    )


def wire_incident(incident: Incident) -> pb.Incident:
    """A cause and what it explains."""
    return pb.Incident(
        id=text(incident.id),
        node=text(incident.node),
        boot_id=text(incident.boot_id),
        family=text(incident.family),
        subject=wire_subject(incident.subject),
        severity=SEVERITIES.wire(incident.severity),
        reason=text(incident.reason),
        rule=text(incident.rule),
        message=text(incident.message),
        conditions=texts(incident.conditions),
        opened_at=incident.opened_at,
        updated_at=incident.updated_at,
        closed_at=incident.closed_at,
        closed_because=text(incident.closed_because),
        remedy=text(incident.remedy),
        mode=MODES.wire(incident.mode),
        synthetic=incident.synthetic,
        milestones=wire_milestones(incident.milestones),
        decision=None if incident.decision is None else wire_decision(incident.decision),
        remediation=None if incident.remediation is None else text(incident.remediation),
        snoozed=incident.snoozed,
    )


def core_incident(message: pb.Incident) -> Incident:
    """A cause and what it explains."""
    return Incident(
        id=IncidentId(message.id),
        node=NodeName(message.node),
        boot_id=BootId(message.boot_id),
        family=message.family,
        subject=core_subject(message.subject),
        severity=SEVERITIES.core(message.severity),
        reason=message.reason,
        rule=RuleId(message.rule),
        message=with_severity_noted(message.message, message.severity),
        conditions=tuple(message.conditions),
        opened_at=seconds(message.opened_at),
        updated_at=seconds(message.updated_at),
        closed_at=seconds(message.closed_at) if message.HasField("closed_at") else None,
        closed_because=message.closed_because,
        remedy=message.remedy,
        mode=MODES.core(message.mode),
        synthetic=message.synthetic,
        milestones=core_milestones(message.milestones),
        decision=core_decision(message.decision) if message.HasField("decision") else None,
        remediation=RemediationId(message.remediation) if message.HasField("remediation") else None,
        snoozed=message.snoozed,
    )
