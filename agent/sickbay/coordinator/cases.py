"""The facts of one node and one incident, put together for the gates."""

from sickbay.coordinator.node_state import NodeState
from sickbay.coordinator.policy import Policy
from sickbay.core.gates import Case
from sickbay.core.incidents import Incident
from sickbay.core.instants import Instant
from sickbay.core.orchestration import NodeObservation
from sickbay.core.remediation import Action, ActionKind, Remediation


def opening(
    incident: Incident,
    state: NodeState,
    seen: NodeObservation,
    policy: Policy,
    now: Instant,
) -> Case:
    """May a remediation begin for this incident, or may the incident join the one that runs?"""
    active = state.active
    return Case(
        what=f"cordon {state.name} for {incident.reason}",
        rule_mode=policy.mode_of(incident.rule, incident.mode),
        cluster_mode=policy.mode,
        has_remedy=policy.remedy(incident.remedy).acts,
        synthetic=incident.synthetic,
        accept_synthetic=policy.accept_synthetic,
        ownership=seen.ownership,
        foreign_reason=seen.reason or seen.detail,
        obstacle=seen.obstacle,
        incident_open=incident.is_open,
        snoozed=incident.snoozed,
        fault_boot=incident.boot_id,
        node_boot=state.boot_id,
        evidence_age=state.evidence_age(incident, now.mono),
        max_age=policy.max_age,
        silent_for=state.silent_for(now.mono),
        max_silence=policy.max_silence,
        under_way=False,
        active_remediation=None if active is None else active.id,
        this_remediation=None if active is None else active.id,
        quarantined=state.is_quarantined,
        needs_drained=False,
        drained=seen.drained,
    )


def continuing(
    action: Action,
    rem: Remediation,
    state: NodeState,
    seen: NodeObservation,
    policy: Policy,
    now: Instant,
) -> Case:
    """May this harmful action of a remediation be done now? Its own incidents stand for the fault."""
    incident = leading(rem, state, policy)
    return Case(
        what=f"{action.kind.value} {state.name} for {incident.reason if incident else rem.remedy.id}",
        rule_mode=policy.mode if incident is None else policy.mode_of(incident.rule, incident.mode),
        cluster_mode=policy.mode,
        has_remedy=rem.remedy.acts,
        synthetic=incident is not None and incident.synthetic,
        accept_synthetic=policy.accept_synthetic,
        ownership=seen.ownership,
        foreign_reason=seen.reason or seen.detail,
        obstacle=seen.obstacle,
        incident_open=incident is not None and incident.is_open,
        snoozed=incident is not None and incident.snoozed,
        fault_boot=rem.boot_before,
        node_boot=state.boot_id,
        evidence_age=None if incident is None else state.evidence_age(incident, now.mono),
        max_age=policy.max_age,
        silent_for=state.silent_for(now.mono),
        max_silence=policy.max_silence,
        under_way=rem.cordoned,
        active_remediation=None if state.active is None else state.active.id,
        this_remediation=rem.id,
        quarantined=state.is_quarantined,
        needs_drained=action.kind is not ActionKind.CORDON and rem.waits_for_drain,
        drained=seen.drained,
    )


def leading(rem: Remediation, state: NodeState, policy: Policy) -> Incident | None:
    """The incident that speaks for a remediation: the open one that may go furthest."""
    known = [state.incidents[ident] for ident in rem.incidents if ident in state.incidents]
    return max(
        known,
        key=lambda i: (i.is_open, not i.snoozed, i.mode.rank, policy.strength.get(i.remedy, ()), i.id),
        default=None,
    )
