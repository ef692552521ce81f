"""What a decision about one node rests on beside that node: orders, budgets, storms, and people's words."""

from dataclasses import dataclass

from sickbay.coordinator.census import Census
from sickbay.coordinator.link_watch import LinkWatch
from sickbay.coordinator.node_state import NodeState
from sickbay.coordinator.policy import Policy
from sickbay.coordinator.standing_orders import StandingOrders
from sickbay.coordinator.store import Repair
from sickbay.coordinator.storm_watch import StormWatch
from sickbay.core.approvals import Approval, Consent, needed_for
from sickbay.core.attempts import Attempted
from sickbay.core.budgets import NO_CLAIM, Claim
from sickbay.core.conditions import Mode
from sickbay.core.ids import IncidentId
from sickbay.core.incidents import Incident
from sickbay.core.orders import Standing
from sickbay.core.remediation import ActionKind
from sickbay.core.remedies import Remedy


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Answers at one moment; nothing in it waits, so that a decision and what it changes are one step."""

    policy: Policy
    orders: StandingOrders
    census: Census
    storms: StormWatch
    links: LinkWatch

    def standing(self, state: NodeState, now: float) -> Standing:
        """What holds over the node, a storm that has just been seen included. `now` in Unix seconds."""
        self.storms.look(now)
        return self.orders.over(self.census.place(state), now)

    def claim(self, state: NodeState, now: float, *, takes_node: bool) -> Claim:
        """What the action would take from budgets."""
        return self.census.claim(state, now) if takes_node else NO_CLAIM

    def attempted(self, state: NodeState, family: str, remedy: Remedy, now: float) -> Attempted:
        """What was tried on the node of late."""
        ended = [r.ended_at for r in state.record.repairs if family in r.families]
        last = max((at for at in ended if at is not None), default=None)
        return Attempted(
            family=family,
            lately=len(repairs_within(state, remedy, now)),
            most=remedy.attempts.max,
            window=remedy.attempts.window,
            ended_ago=None if last is None else max(now - last, 0.0),
            cool_down=self.policy.cool_down,
        )

    def said_of(self, incident: Incident | None, now: float) -> Approval | None:
        """A person's word on the incident, as long as it counts."""
        return None if incident is None else self.orders.said_of(incident.id, now)

    def consent(self, action: ActionKind, incident: Incident | None, now: float) -> Consent:
        """Whether the action waits for a person, and what they said."""
        said = self.said_of(incident, now)
        rule = Mode.ACT if incident is None else self.policy.mode_of(incident.rule, incident.mode)
        return Consent(
            incident=None if incident is None else incident.id,
            needed=needed_for(
                action, rule=rule, cluster=self.policy.mode, threshold=self.policy.approve_from
            ),
            given=said,
            ago=0.0 if said is None else max(now - said.at, 0.0),
        )

    def is_denied(self, incident: IncidentId, now: float) -> bool:
        """Whether a person said no."""
        said = self.orders.said_of(incident, now)
        return said is not None and not said.granted


def repairs_within(state: NodeState, remedy: Remedy, now: float) -> tuple[Repair, ...]:
    """The repairs of the node that count against what the remedy allows."""
    return tuple(r for r in state.record.repairs if r.at > now - remedy.attempts.window)
