"""What the two ends of the wire must provide: the contract of `sickbay.rpc` with the programs above it.

Everything here speaks in values of `sickbay.core`; protobuf stays below. What operators may ask of a fleet is
in `sickbay.rpc.fleet_ports`, so that an agent carries none of it.
"""

from collections.abc import Sequence
from typing import Protocol

from sickbay.core.host_views import HostView
from sickbay.core.ids import BootId, NodeName
from sickbay.core.messages import ActionReport, Delta, Directive, Event, FullState, Hello, Welcome
from sickbay.core.outcomes import Outcome
from sickbay.core.rule_bundles import RuleSetOffer, RulesReport
from sickbay.rpc.questions import EventQuery, NotFound, Refused, Unreachable

__all__ = [
    "AgentGateway",
    "AgentSession",
    "AgentSide",
    "EventQuery",
    "NodeOperations",
    "NotFound",
    "Refused",
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
