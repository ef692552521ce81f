"""The facts of one node and one incident, put together for the gates."""

from sickbay.coordinator.node_state import NodeState
from sickbay.coordinator.policy import Policy
from sickbay.coordinator.situation import Situation
from sickbay.core.freshness import Sight
from sickbay.core.gates import Case
from sickbay.core.ids import BootId
from sickbay.core.incidents import Incident
from sickbay.core.instants import Instant
from sickbay.core.orchestration import NodeObservation
from sickbay.core.remediation import Action, ActionKind, Remediation, Step


def opening(
    incident: Incident,
    state: NodeState,
    seen: NodeObservation,
    situation: Situation,
    now: Instant,
) -> Case:
    """May a remediation begin for this incident, or may the incident join the one that runs?"""
    active, policy = state.active, situation.policy
    remedy = policy.remedy(incident.remedy)
    is_out = active is not None and active.step is not Step.PROPOSED
    return Case(
        what=f"cordon {state.name} for {incident.reason}",
        rule_mode=policy.mode_of(incident.rule, incident.mode),
        cluster_mode=policy.mode,
        has_remedy=remedy.acts,
        synthetic=incident.synthetic,
        accept_synthetic=policy.accept_synthetic,
        standing=situation.standing(state, now.wall),
        ownership=seen.ownership,
        foreign_reason=seen.reason or seen.detail,
        obstacle=seen.obstacle,
        quarantined=state.is_quarantined,
        sight=_sight(incident, state, situation, now),
        active_remediation=None if active is None else active.id,
        this_remediation=None if active is None else active.id,
        attempted=situation.attempted(state, incident.family, remedy, now.wall),
        claim=situation.claim(state, now.wall, takes_node=not is_out),
        consent=situation.consent(ActionKind.CORDON, incident, now.wall),
        needs_drained=False,
        drained=seen.drained,
        explained=situation.links.explained(state, incident, now.wall),
    )


def continuing(
    action: Action,
    rem: Remediation,
    state: NodeState,
    seen: NodeObservation,
    situation: Situation,
    now: Instant,
) -> Case:
    """May this harmful action of a remediation be done now? Its own incidents stand for the fault."""
    policy = situation.policy
    incident = leading(rem, state, policy)
    return Case(
        what=f"{action.kind.value} {state.name} for {incident.reason if incident else rem.remedy.id}",
        rule_mode=policy.mode if incident is None else policy.mode_of(incident.rule, incident.mode),
        cluster_mode=policy.mode,
        has_remedy=rem.remedy.acts,
        synthetic=incident is not None and incident.synthetic,
        accept_synthetic=policy.accept_synthetic,
        standing=situation.standing(state, now.wall),
        ownership=seen.ownership,
        foreign_reason=seen.reason or seen.detail,
        obstacle=seen.obstacle,
        quarantined=state.is_quarantined,
        sight=_sight(incident, state, situation, now, rem=rem),
        active_remediation=None if state.active is None else state.active.id,
        this_remediation=rem.id,
        attempted=situation.attempted(state, incident.family if incident else "", rem.remedy, now.wall),
        claim=situation.claim(state, now.wall, takes_node=not rem.cordoned),
        consent=situation.consent(action.kind, incident, now.wall),
        needs_drained=action.kind is not ActionKind.CORDON and rem.waits_for_drain,
        drained=seen.drained,
        explained=situation.links.explained(state, incident, now.wall),
    )


def _sight(
    incident: Incident | None,
    state: NodeState,
    situation: Situation,
    now: Instant,
    *,
    rem: Remediation | None = None,
) -> Sight:
    """What is known of the fault; with `rem`, of the fault that it is there for."""
    said, policy = situation.said_of(incident, now.wall), situation.policy
    boot = rem.boot_before if rem is not None else incident.boot_id if incident is not None else BootId("")
    return Sight(
        incident_open=incident is not None and incident.is_open,
        snoozed=incident is not None and incident.snoozed,
        fault_boot=boot,
        node_boot=state.boot_id,
        evidence_age=None if incident is None else state.evidence_age(incident, now.mono),
        max_age=policy.max_age,
        silent_for=state.silent_for(now.mono),
        max_silence=policy.max_silence,
        under_way=rem is not None and rem.cordoned,
        vouched_ago=max(now.wall - said.at, 0.0) if said is not None and said.granted else None,
    )


def leading(rem: Remediation, state: NodeState, policy: Policy) -> Incident | None:
    """The incident that speaks for a remediation: the open one that may go furthest."""
    known = [state.incidents[ident] for ident in rem.incidents if ident in state.incidents]
    return max(
        known,
        key=lambda i: (i.is_open, not i.snoozed, i.mode.rank, policy.strength.get(i.remedy, ()), i.id),
        default=None,
    )
