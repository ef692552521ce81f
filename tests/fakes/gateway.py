"""A coordinator in memory: keeps what agents say, once each, and can be made slow, full or refusing."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from sickbay.core.conditions import Condition, Status
from sickbay.core.ids import NodeName
from sickbay.core.messages import ActionReport, Delta, Event, FullState, Hello, Welcome
from sickbay.core.rule_bundles import RulesReport
from sickbay.rpc.ports import AgentSession, Refused


@dataclass
class NodeRecord:
    """What the coordinator holds of one node."""

    session: AgentSession | None = None
    hello: Hello | None = None
    conditions: dict[str, Condition] = field(default_factory=dict)
    events: dict[str, Event] = field(default_factory=dict)
    received: list[Event] = field(default_factory=list)
    reports: list[ActionReport] = field(default_factory=list)
    rules: list[RulesReport] = field(default_factory=list)
    heartbeats: int = 0
    full_states: int = 0
    deltas: int = 0
    connections: int = 0
    endings: list[str] = field(default_factory=list)


class FakeGateway:
    """An AgentGateway. `committing` is cleared to make every commit wait, as a slow disk does."""

    def __init__(self, *, heartbeat_interval: float = 5.0) -> None:
        self.nodes: dict[NodeName, NodeRecord] = {}
        self.heartbeat_interval = heartbeat_interval
        self.refusing = ""
        self.failing: Exception | None = None
        self.committing = asyncio.Event()
        self.committing.set()
        self.told: list[str] = []
        self.open = 0

    def record(self, node: str) -> NodeRecord:
        return self.nodes.setdefault(NodeName(node), NodeRecord())

    def welcome(self, hello: Hello) -> Welcome:
        if self.refusing:
            raise Refused(self.refusing)
        self.told.append(f"welcome {hello.node}")
        return Welcome(term=3, heartbeat_interval=self.heartbeat_interval, coordinator="fake")

    async def connected(self, session: AgentSession, hello: Hello) -> None:
        self.told.append(f"connected {session.node}")
        self.open += 1
        record = self.record(session.node)
        older, record.session = record.session, session
        record.hello = hello
        record.connections += 1
        if older is not None:
            older.close("a newer stream of the same node")

    async def full_state(self, session: AgentSession, state: FullState) -> None:
        self._fail()
        self.told.append(f"full_state {session.node}")
        record = self.record(session.node)
        record.conditions = {condition.key: condition for condition in state.conditions}
        record.full_states += 1

    async def delta(self, session: AgentSession, delta: Delta) -> None:
        self._fail()
        self.told.append(f"delta {session.node}")
        record = self.record(session.node)
        record.deltas += 1
        for condition in delta.conditions:
            if condition.status is Status.FALSE:
                record.conditions.pop(condition.key, None)
            else:
                record.conditions[condition.key] = condition

    async def events(self, session: AgentSession, events: Sequence[Event]) -> None:
        self._fail()
        await self.committing.wait()
        self.told.append(f"events {session.node}")
        record = self.record(session.node)
        record.received.extend(events)
        for event in events:
            record.events.setdefault(event.id, event)

    def heartbeat(self, session: AgentSession) -> None:
        self.nodes[session.node].heartbeats += 1

    async def report(self, session: AgentSession, report: ActionReport) -> None:
        self._fail()
        await self.committing.wait()
        self.record(session.node).reports.append(report)

    async def rules(self, session: AgentSession, report: RulesReport) -> None:
        self._fail()
        self.record(session.node).rules.append(report)

    async def disconnected(self, session: AgentSession, why: str) -> None:
        self.told.append(f"disconnected {session.node}")
        self.open -= 1
        record = self.record(session.node)
        record.endings.append(why)
        if record.session is session:
            record.session = None

    def _fail(self) -> None:
        if self.failing is not None:
            raise self.failing
