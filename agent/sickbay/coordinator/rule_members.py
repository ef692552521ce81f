"""The fleet's nodes as a roll-out of rules sees them."""

from sickbay.coordinator.fleet import Fleet
from sickbay.coordinator.node_state import NodeState
from sickbay.core.conditions import Severity
from sickbay.core.instants import Instant
from sickbay.core.rollout import Member


def members(fleet: Fleet, now: Instant, began: float) -> tuple[Member, ...]:
    """Every node that takes rule sets. `began`: since when this coordinator listens, on its own clock."""
    return tuple(member_of(state, now, began) for state in fleet if state.record.rules.takes)


def member_of(state: NodeState, now: Instant, began: float) -> Member:
    """One node. Its conditions' times and that of its rules are of one clock, its own."""
    rules = state.record.rules
    span = max(now.wall - rules.since, 0.0)
    grave = [c for c in state.conditions.values() if c.is_open and c.severity.rank >= Severity.WARNING.rank]
    return Member(
        node=state.name,
        pool=state.record.pool,
        running=rules.running,
        refused=rules.refused,
        connected_for=None if state.session is None else now.mono - state.connected_at,
        silent_for=now.mono - max(began, state.heard if state.heard is not None else began),
        opened=sum(c.since >= rules.since for c in grave),
        opened_before=sum(rules.since - span <= c.since < rules.since for c in grave),
    )
