"""What the coordinator does with what agents say: it holds it, judges it, and makes it durable.

Heartbeats touch one number. All else ends in a commit when something changed, and in a look at the node.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sickbay.coordinator.diagnosis import diagnose
from sickbay.coordinator.directives import Directives
from sickbay.coordinator.fleet import Fleet
from sickbay.coordinator.node_state import NodeState
from sickbay.coordinator.policy import Policy
from sickbay.coordinator.store import Batch
from sickbay.core.ids import BootId, NodeName
from sickbay.core.messages import ActionReport, Delta, Event, FullState, Hello, Welcome
from sickbay.core.rule_bundles import RulesReport
from sickbay.host.clock import Clock
from sickbay.rpc.ports import AgentSession, Refused

_LOG = logging.getLogger(__name__)

_BOOTS_KEPT = 10


@dataclass(slots=True, kw_only=True)
class Gateway:
    """An `AgentGateway`. `wake` asks the reconciler to look at a node; it returns at once.

    `rules_told` hears of every node that says which rules it runs.
    """

    fleet: Fleet
    directives: Directives
    policy: Policy
    clock: Clock
    wake: Callable[[NodeName], None]
    coordinator: str
    heartbeat_interval: float
    rules_told: Callable[[NodeState], None] = lambda _: None

    def welcome(self, hello: Hello) -> Welcome:
        """The answer to a hello.

        Raises:
            Refused: for an agent that does not say which node and which boot it speaks for.
        """
        if not hello.node or not hello.boot_id:
            raise Refused("a hello must name the node and its boot")
        return Welcome(
            term=self.policy.term,
            heartbeat_interval=self.heartbeat_interval,
            coordinator=self.coordinator,
        )

    async def connected(self, session: AgentSession, hello: Hello) -> None:
        """A stream began; the node's older one ends."""
        now = self.clock.now()
        state = self.fleet.learn(hello.node, hello.boot_id, hello.version, now.wall)
        older, state.session = state.session, session
        if older is not None:
            older.close("a newer stream of this node began")
            self.directives.lost(state)
        state.state_at = None
        state.connected_at, state.offered = now.mono, ""
        state.rules_digest = hello.rules_digest
        state.inventory = hello.inventory
        _heard(state, now.mono, now.wall)
        self._boot(state, hello.boot_id)
        state.put_record(replace(state.record, version=hello.version, pool=hello.pool, rules=hello.rules))
        await self.fleet.commit(state)
        self.rules_told(state)
        self._wake_if_at_work(state)

    async def full_state(self, session: AgentSession, state: FullState) -> None:
        """All that holds on the node."""
        node = self._node_of(session)
        if node is not None:
            now = self.clock.now()
            _heard(node, now.mono, now.wall)
            node.take_full_state(state, now.mono)
            await self._judged(node, now.wall)

    async def delta(self, session: AgentSession, delta: Delta) -> None:
        """What changed."""
        node = self._node_of(session)
        if node is not None:
            now = self.clock.now()
            _heard(node, now.mono, now.wall)
            node.take_delta(delta, now.mono)
            await self._judged(node, now.wall)

    async def events(self, session: AgentSession, events: Sequence[Event]) -> None:
        """History, kept once however often it is told. Returns when it is committed."""
        node = self._node_of(session)
        if node is not None:
            self.heartbeat(session)
        told = tuple(replace(event, node=session.node) for event in events)
        await self.fleet.store.commit(Batch(events=told))

    def heartbeat(self, session: AgentSession) -> None:
        """Still there."""
        state = self.fleet.get(session.node)
        if state is not None and state.session is session:
            now = self.clock.now()
            state.heard = now.mono
            state.heard_wall = now.wall

    async def report(self, session: AgentSession, report: ActionReport) -> None:
        """What came of a directive."""
        node = self._node_of(session)
        if node is not None:
            self.directives.heard(node, report)
            self._wake_if_at_work(node)

    async def rules(self, session: AgentSession, report: RulesReport) -> None:
        """Which rules the agent runs now, and what it could not use."""
        node = self._node_of(session)
        if node is not None:
            self.heartbeat(session)
            node.rules_digest = report.rules_digest
            node.put_record(replace(node.record, rules=report))
            if report.problems:
                refused, why = report.refused[:12], report.problems[0]
                _LOG.warning("%s cannot use rule set %s: %s", node.name, refused, why)
            await self.fleet.commit(node)
            self.rules_told(node)

    async def disconnected(self, session: AgentSession, why: str) -> None:
        """The stream ended. Silence alone proves nothing; the view shows it."""
        node = self._node_of(session)
        if node is not None:
            node.session = None
            node.state_at = None
            self.directives.lost(node)
            _LOG.info("%s: the agent's stream ended: %s", session.node, why)
            self._wake_if_at_work(node)

    async def _judged(self, node: NodeState, now: float) -> None:
        diagnose(self.fleet, node, self.policy, now)
        await self.fleet.commit(node)
        if node.open_incidents or node.active is not None:
            self.wake(node.name)

    def _boot(self, state: NodeState, boot_id: BootId) -> None:
        if state.boot_id == boot_id:
            return
        state.begin_boot(boot_id)
        boots = tuple(known for known in state.record.boots if known != boot_id)
        state.put_record(replace(state.record, boot_id=boot_id, boots=(*boots, boot_id)[-_BOOTS_KEPT:]))

    def _wake_if_at_work(self, state: NodeState) -> None:
        if state.active is not None:
            self.wake(state.name)

    def _node_of(self, session: AgentSession) -> NodeState | None:
        """The node of a stream, or None when a newer stream has taken its place."""
        state = self.fleet.get(session.node)
        return state if state is not None and state.session is session else None


def _heard(state: NodeState, mono: float, wall: float) -> None:
    state.heard = mono
    state.heard_wall = wall
