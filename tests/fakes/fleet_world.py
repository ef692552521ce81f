"""Many nodes, their scheduler and a coordinator that can die at any moment, under one clock."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.fakes.agent import FakeAgent
from tests.fakes.clock import FakeClock
from tests.fakes.orchestrator import FakeOrchestrator
from tests.fakes.world import BOOT_S, REMEDIES

from sickbay.coordinator.assembly import Coordinator, Identity, Ports, assemble
from sickbay.coordinator.gate_config import GatePlan
from sickbay.coordinator.node_state import NodeState
from sickbay.coordinator.paging import PagingSettings
from sickbay.coordinator.policy import Policy
from sickbay.coordinator.sqlite_store import SqliteStore, open_sqlite
from sickbay.core.conditions import Condition, Mode
from sickbay.core.ids import NodeName
from sickbay.core.orchestration import Ownership, read_hold
from sickbay.host.commands import CommandRunner, SystemCommands

_UNHURRIED = 0.005
"""Real seconds that a pass may take before the fake clock is moved on to whatever it waits for."""


@dataclass(slots=True, kw_only=True)
class FleetWorld:
    """Build it with `FleetWorld.of(path, names)`; `start` makes a coordinator, `go_on` lets time pass."""

    directory: Path
    clock: FakeClock
    scheduler: FakeOrchestrator
    agents: Mapping[NodeName, FakeAgent]
    policy: Policy
    gates: GatePlan
    paging: PagingSettings = field(default_factory=PagingSettings)
    commands: CommandRunner = field(default_factory=SystemCommands)
    coordinator: Coordinator | None = None
    starts: int = 0
    _store: SqliteStore | None = None
    _back_at: dict[NodeName, float] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        directory: Path,
        names: Iterable[str],
        *,
        gates: GatePlan | None = None,
        mode: Mode = Mode.ACT,
    ) -> "FleetWorld":
        """Healthy nodes in service, and nobody to care for them yet."""
        clock = FakeClock()
        nodes = [NodeName(name) for name in names]
        agents = {name: FakeAgent(clock=clock, node=name) for name in nodes}
        scheduler = FakeOrchestrator(clock=clock, names=nodes, boot_seconds=BOOT_S)
        scheduler.on_reboot = lambda node: agents[node]._later(agents[node].go_down())
        return cls(
            directory=directory,
            clock=clock,
            scheduler=scheduler,
            agents=agents,
            policy=Policy(mode=mode, remedies=REMEDIES),
            gates=gates or GatePlan(),
        )

    async def start(self) -> Coordinator:
        """A coordinator begins, from whatever the last one left."""
        self.starts += 1
        self._store = open_sqlite(self.directory / "sickbay.db")
        ports = Ports(
            store=self._store,
            orchestrator=self.scheduler,
            clock=self.clock,
            gates=self.gates,
            commands=self.commands,
            paging=self.paging,
        )
        identity = Identity(name=f"coordinator-{self.starts}", version="test")
        self.coordinator = await assemble(ports, self.policy, identity, await self._store.load())
        for agent in self.agents.values():
            agent.gateway = self.coordinator.gateway
            if not agent.is_down:
                await agent.connect(self.coordinator.gateway)
        return self.coordinator

    async def stop(self) -> None:
        """The coordinator is gone. What it had not stored is lost with it."""
        self.coordinator = None
        for agent in self.agents.values():
            agent.session = agent.gateway = None
        if self._store is not None:
            await self._store.close()
            self._store = None

    @property
    def parts(self) -> Coordinator:
        assert self.coordinator is not None, "no coordinator runs"
        return self.coordinator

    def node(self, name: str) -> NodeState:
        return self.parts.fleet.nodes[NodeName(name)]

    def agent(self, name: str) -> FakeAgent:
        return self.agents[NodeName(name)]

    @property
    def held(self) -> set[str]:
        """The nodes that are out under our mark."""
        return {
            name
            for name, record in self.scheduler.nodes.items()
            if read_hold(record.reason, prefix=self.scheduler.prefix) is not None
        }

    @property
    def cordons(self) -> list[tuple[str, float]]:
        """Every cordon that really happened, and when."""
        return [(e.node, e.at) for e in self.scheduler.effects if e.verb == "cordon"]

    async def ill(self, name: str, **changes: object) -> Condition:
        """The first GPU of a node falls off the bus."""
        agent = self.agent(name)
        condition = agent.condition(**changes)  # type: ignore[arg-type]
        await agent.change(condition)
        return condition

    async def passes(self) -> None:
        """One look at every node that has something open, all at once."""
        tasks = [
            asyncio.create_task(self.parts.reconciler.pass_over(state))
            for state in self.parts.fleet
            if state.open_incidents or state.is_at_work
        ]
        waiting = set(tasks)
        while waiting:
            _, waiting = await asyncio.wait(waiting, timeout=_UNHURRIED)
            if waiting and (wait := self.clock.next_wake) is not None:
                self.clock.advance(wait)
        for task in tasks:
            task.result()

    async def go_on(self, seconds: float, *, step: float = 30.0) -> None:
        """Time goes by, with looks at every node, and housekeeping as the daemon does it."""
        end = self.clock.now().mono + seconds
        while self.clock.now().mono < end:
            await self.passes()
            await self.pass_time(min(step, max(end - self.clock.now().mono, 1.0)))
            await self.parts.housekeeping.once()

    async def pass_time(self, seconds: float) -> None:
        """Time goes by on the nodes: they go down, boot, and beat their hearts."""
        self.clock.advance(seconds)
        for _ in range(3):
            await asyncio.sleep(0)
        now = self.clock.now().mono
        for name, agent in self.agents.items():
            if agent.is_down and now >= self._back_at.setdefault(name, now + BOOT_S):
                del self._back_at[name]
                await agent.come_back(self.coordinator.gateway if self.coordinator else None)
            agent.heartbeat()

    def ownership(self, name: str) -> Ownership:
        return self.scheduler._owner(self.scheduler.nodes[NodeName(name)])
