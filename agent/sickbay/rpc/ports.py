"""What the two ends of the wire must provide: the contract of `sickbay.rpc` with the programs above it.

Everything here speaks in values of `sickbay.core`; protobuf stays below.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from sickbay.core.ids import BootId, IncidentId, NodeName, RuleId
from sickbay.core.incidents import Incident
from sickbay.core.messages import ActionReport, Delta, Directive, Event, FullState, Hello, Welcome
from sickbay.core.order_views import BudgetView, NewOrder, OrderView
from sickbay.core.outcomes import Outcome
from sickbay.core.remediation import Remediation
from sickbay.core.rule_bundles import RuleSetOffer, RulesReport
from sickbay.core.rules_views import RolloutChange, RulesView
from sickbay.core.views import FleetView, HostView, IncidentDetail, NodeDetail, NodeSummary
from sickbay.rpc.questions import EventQuery, NotFound, Refused, Unreachable

__all__ = [
    "AgentGateway",
    "AgentSession",
    "AgentSide",
    "EventQuery",
    "FleetOperations",
    "NodeOperations",
    "NotFound",
    "OrderOperations",
    "Refused",
    "RuleOperations",
    "Unreachable",
]

# ---- the coordinator's end -------------------------------------------------------------------------------


class AgentSession(Protocol):
    """One agent's stream, as the coordinator holds it. Sending never blocks; a dead stream swallows it."""

    @property
    def node(self) -> NodeName:
        """Whose stream this is: bound by the first word, and later by the certificate."""
        ...

    @property
    def boot_id(self) -> BootId:
        """The boot that the agent said hello from."""
        ...

    def direct(self, directive: Directive) -> None:
        """Ask the agent to do something."""
        ...

    def offer_rules(self, offer: RuleSetOffer) -> None:
        """Hand the agent a rule set; its answer is a report."""
        ...

    def close(self, why: str) -> None:
        """End the stream, telling the agent why."""
        ...


class AgentGateway(Protocol):
    """What the coordinator does with what agents say. Calls for one session come in order, one at a time."""

    def welcome(self, hello: Hello) -> Welcome:
        """The answer to a hello; raise Refused to turn the agent away."""
        ...

    async def connected(self, session: AgentSession, hello: Hello) -> None:
        """A stream began. An older stream of the same node is closed by the gateway."""
        ...

    async def full_state(self, session: AgentSession, state: FullState) -> None:
        """All that holds on the node."""
        ...

    async def delta(self, session: AgentSession, delta: Delta) -> None:
        """What changed."""
        ...

    async def events(self, session: AgentSession, events: Sequence[Event]) -> None:
        """History. Returns only when it is committed; the highest sequence is then acknowledged."""
        ...

    def heartbeat(self, session: AgentSession) -> None:
        """Still there. On the hot path: no allocation to speak of, no disk, no await."""
        ...

    async def report(self, session: AgentSession, report: ActionReport) -> None:
        """What came of a directive."""
        ...

    async def rules(self, session: AgentSession, report: RulesReport) -> None:
        """Which rules the agent runs now, and what it could not use."""
        ...

    async def disconnected(self, session: AgentSession, why: str) -> None:
        """The stream ended. Called once for each `connected`."""
        ...


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


# ---- the agent's end -------------------------------------------------------------------------------------


class AgentSide(Protocol):
    """What the agent gives to, and takes from, its stream to the coordinator."""

    def hello(self) -> Hello:
        """Who we are, asked anew at each connection."""
        ...

    def full_state(self) -> FullState:
        """All that holds now, asked anew at each connection."""
        ...

    def unacknowledged(self, limit: int) -> Sequence[Event]:
        """The oldest events of the spool that nobody acknowledged: sent first after each connection."""
        ...

    def connected(self, welcome: Welcome, target: str) -> None:
        """A coordinator took us."""
        ...

    def disconnected(self, why: str) -> None:
        """It is gone; the link is already trying again."""
        ...

    async def acknowledged(self, sequence: int) -> None:
        """All events up to `sequence` are safe with the coordinator."""
        ...

    async def directed(self, directive: Directive) -> None:
        """Do this. Its outcome goes back as an ActionReport through the link."""
        ...

    async def rules_offered(self, offer: RuleSetOffer) -> None:
        """Run this set, or go on without it; either way a report goes back through the link."""
        ...


class NodeOperations(Protocol):
    """The agent's own API. Every call answers within a second, whatever the driver does."""

    async def health(self) -> HostView:
        """This host now."""
        ...

    async def events(self, query: EventQuery) -> Sequence[Event]:
        """This host's history, oldest first."""
        ...

    async def explain(self, what: str) -> tuple[str, str]:
        """(text for people, JSON for machines) about a condition, an event or a kernel line."""
        ...

    async def check(self) -> HostView:
        """Read everything now, then `health`."""
        ...

    async def release(self, ttl: float) -> float:
        """Let go of the driver; returns until when (Unix seconds)."""
        ...

    async def resume(self) -> None:
        """Take the driver again."""
        ...

    async def inject(self, line: str) -> Outcome:
        """A kernel line as if printed, marked synthetic; FAILED where injection is not allowed."""
        ...

    async def evidence(self, incident: str) -> tuple[str, int]:
        """(path, bytes) of a fresh evidence bundle on this host."""
        ...
