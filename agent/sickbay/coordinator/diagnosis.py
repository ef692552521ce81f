"""From what a node says to what its incidents are, in memory; the caller commits."""

from collections.abc import Iterable
from dataclasses import replace

from sickbay.coordinator.fleet import Fleet
from sickbay.coordinator.node_state import NodeState
from sickbay.coordinator.policy import Policy
from sickbay.coordinator.store import LedgerEntry
from sickbay.core.conditions import Condition, Severity
from sickbay.core.incidents import Circumstances, Incident, correlate
from sickbay.core.remediation import Step

COORDINATOR = "coordinator"
"""Who acted, in the ledger, when it was not a person."""


def diagnose(fleet: Fleet, state: NodeState, policy: Policy, now: float) -> bool:
    """Bring the node's incidents up to what it says; returns whether any of them changed.

    Nothing is concluded before the agent has told its full state: what it has not said yet is not absent.
    """
    if not state.has_full_state or state.boot_id is None:
        return False
    active = state.active
    given = Circumstances(
        node=state.name,
        boot_id=state.boot_id,
        strength=policy.strength,
        active=None if active is None or active.step is Step.PROPOSED else active.id,
        snoozed=state.snoozed_families(now),
    )
    before = dict(state.incidents)
    found = correlate(before.values(), _as_taken(state, policy), given=given, now=now)
    for incident in found.changed:
        state.put_incident(incident)
        _note(fleet, state, before.get(incident.id), incident, now)
    _learn(state)
    return bool(found.changed)


def _as_taken(state: NodeState, policy: Policy) -> Iterable[Condition]:
    """The node's conditions; those of rules that await a person come as of a rule that observes."""
    conditions = state.conditions.values()
    if not policy.awaiting:
        return conditions
    return [replace(each, mode=policy.mode_of(each.rule, each.mode)) for each in conditions]


def _note(fleet: Fleet, state: NodeState, before: Incident | None, after: Incident, now: float) -> None:
    was_open = before is not None and before.is_open
    if was_open == after.is_open:
        return
    what = "incident opened" if after.is_open else "incident closed"
    fleet.note(
        state,
        LedgerEntry(
            at=now,
            who=COORDINATOR,
            what=what,
            node=state.name,
            why=f"{after.reason}: {after.message}" if after.is_open else after.closed_because,
            incident=after.id,
            rule=after.rule,
            before="open" if was_open else "",
            after="open" if after.is_open else "closed",
        ),
    )


def _learn(state: NodeState) -> None:
    """Keep what the node has while it is well, to know later what is missing."""
    record = state.record
    if not record.recovery_action_known and _answers_for_recovery(state):
        record = replace(record, recovery_action_known=True)
    # A part that went missing without a condition must not be forgotten by that.
    complete = record.baseline is None or not record.baseline.missing_from(state.inventory)
    if complete and _is_well(state):
        record = replace(record, baseline=state.inventory)
    state.put_record(record)


def _answers_for_recovery(state: NodeState) -> bool:
    return any(
        kind == "recovery_action" and signal.fields.get("action") is not None
        for (kind, _), signal in state.readings.items()
    )


def _is_well(state: NodeState) -> bool:
    """Nothing is wrong, nothing is in doubt, and nobody is at work on the node."""
    grave = any(c.severity.rank >= Severity.WARNING.rank for c in state.conditions.values())
    return not grave and state.active is None and not state.is_quarantined
