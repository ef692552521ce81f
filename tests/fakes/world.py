"""One node, its scheduler and a coordinator that can die at any moment, under one clock."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.fakes.agent import FakeAgent
from tests.fakes.clock import FakeClock
from tests.fakes.orchestrator import FakeOrchestrator
from tests.fakes.power import FakeBmcs, FakeMachine, FakePower

from sickbay.coordinator.assembly import Coordinator, Identity, Ports, assemble
from sickbay.coordinator.node_state import NodeState
from sickbay.coordinator.out_of_band import PowerPlan
from sickbay.coordinator.policy import Policy
from sickbay.coordinator.sqlite_store import SqliteStore, open_sqlite
from sickbay.coordinator.store import Store
from sickbay.core.conditions import Mode
from sickbay.core.ids import NodeName
from sickbay.core.incidents import Incident
from sickbay.core.remediation import Remediation, Step
from sickbay.core.remedies import Remedy, Rung, RungKind, Validation
from sickbay.orchestrators.protocol import Orchestrator
from sickbay.power.protocol import PowerControl

NODE = NodeName("gpu-1")

REBOOT = Remedy(
    id="reboot",
    ladder=(Rung(kind=RungKind.REBOOT, deadline=900.0),),
    validation=Validation(soak=30.0, deadline=300.0),
)
RESET_THEN_REBOOT = Remedy(
    id="reset",
    ladder=(Rung(kind=RungKind.RESET_GPU, deadline=60.0), Rung(kind=RungKind.REBOOT, deadline=900.0)),
    validation=Validation(soak=30.0, deadline=300.0),
)
POWER_CYCLE = Remedy(
    id="power",
    ladder=(Rung(kind=RungKind.POWER_CYCLE, deadline=900.0),),
    validation=Validation(soak=30.0, deadline=300.0),
)
TO_A_PERSON = Remedy(id="quarantine", ladder=(Rung(kind=RungKind.QUARANTINE),))

REMEDIES = {remedy.id: remedy for remedy in (REBOOT, RESET_THEN_REBOOT, POWER_CYCLE, TO_A_PERSON)}

BOOT_S = 120.0
"""How long the machine takes to boot."""

_UNHURRIED = 0.02
"""Real seconds that a pass may take before the fake clock is moved on to whatever it waits for."""


@dataclass(slots=True, kw_only=True)
class World:
    """Build it with `World.at(path)`; `start` makes a coordinator, `until` lets the story go on."""

    directory: Path
    clock: FakeClock
    scheduler: FakeOrchestrator
    agent: FakeAgent
    policy: Policy
    bmcs: FakeBmcs
    power_plan: PowerPlan = field(default_factory=PowerPlan)
    around_power: Callable[[FakePower], PowerControl] = lambda power: power
    around_store: Callable[[SqliteStore], Store] = lambda store: store
    around_scheduler: Callable[[FakeOrchestrator], Orchestrator] = lambda scheduler: scheduler
    still_after_boot: Callable[[FakeAgent], tuple[object, ...]] = lambda _: ()
    coordinator: Coordinator | None = None
    starts: int = 0
    back_at: float | None = None
    _store: SqliteStore | None = None

    @classmethod
    def at(cls, directory: Path, *, mode: Mode = Mode.ACT, scheduler_reboots: bool = True) -> "World":
        """A healthy node in service, and nobody to care for it yet."""
        clock = FakeClock()
        agent = FakeAgent(clock=clock, node=NODE)
        scheduler = FakeOrchestrator(
            clock=clock,
            names=[NODE],
            can_reboot=scheduler_reboots,
            boot_seconds=BOOT_S,
        )
        world = cls(
            directory=directory,
            clock=clock,
            scheduler=scheduler,
            agent=agent,
            policy=Policy(mode=mode, remedies=REMEDIES),
            bmcs=FakeBmcs(clock=clock, machines={NODE: FakeMachine()}),
        )
        world.bmcs.on_reset = lambda _: agent._later(agent.go_down())
        scheduler.on_reboot = lambda _: agent._later(agent.go_down())
        return world

    async def start(self) -> Coordinator:
        """A coordinator begins, from whatever the last one left; the agent connects to it if it is up."""
        self.starts += 1
        self._store = open_sqlite(self.directory / "sickbay.db")
        ports = Ports(
            store=self.around_store(self._store),
            orchestrator=self.around_scheduler(self.scheduler),
            clock=self.clock,
            power=self.around_power(FakePower(bmcs=self.bmcs, clock=self.clock)),
            power_plan=self.power_plan,
        )
        identity = Identity(name=f"coordinator-{self.starts}", version="test")
        self.coordinator = await assemble(ports, self.policy, identity, await self._store.load())
        self.agent.gateway = self.coordinator.gateway
        if not self.agent.is_down:
            await self.agent.connect(self.coordinator.gateway)
        return self.coordinator

    async def stop(self) -> None:
        """The coordinator is gone. What it had not stored is lost with it."""
        self.coordinator = None
        self.agent.session = self.agent.gateway = None
        if self._store is not None:
            await self._store.close()
            self._store = None

    @property
    def parts(self) -> Coordinator:
        assert self.coordinator is not None, "no coordinator runs"
        return self.coordinator

    @property
    def node(self) -> NodeState:
        return self.parts.fleet.nodes[NODE]

    @property
    def remediation(self) -> Remediation:
        assert self.node.remediation is not None
        return self.node.remediation

    @property
    def step(self) -> Step | None:
        return None if self.node.remediation is None else self.node.remediation.step

    @property
    def incident(self) -> Incident:
        return next(iter(self.node.incidents.values()))

    @property
    def effects(self) -> list[tuple[str, str]]:
        """What really happened, in the scheduler, on the host and by its BMC: each with its action id."""
        in_scheduler = [(effect.verb, str(effect.action_id)) for effect in self.scheduler.effects]
        by_bmc = [(reset.value, str(action)) for _, reset, action in self.bmcs.resets]
        return in_scheduler + [(verb, str(action)) for verb, action in self.agent.effects] + by_bmc

    @property
    def verbs(self) -> list[str]:
        """The same without the ids."""
        return [verb for verb, _ in self.effects]

    async def passes(self, seconds: float) -> None:
        """Let the node be looked at for so long."""
        end = self.clock.now().mono + seconds
        while self.clock.now().mono < end:
            await self.once()

    async def lose_gpu(self, **changes: object) -> None:
        """The first GPU falls off the bus."""
        await self.agent.change(self.agent.condition(**changes))  # type: ignore[arg-type]

    async def once(self) -> float:
        """One pass over the node, and then as much time as it asked for; returns the seconds that went by."""
        before = self.clock.now().mono
        task = asyncio.create_task(self.parts.reconciler.pass_over(self.node))
        while not task.done():
            await asyncio.wait({task}, timeout=_UNHURRIED)
            if not task.done() and (wait := self.clock.next_wake) is not None:
                await self.let_time_pass(wait)
        wait = await task
        await self.let_time_pass(1.0 if wait is None else wait)
        return self.clock.now().mono - before

    async def let_time_pass(self, seconds: float) -> None:
        """Time goes by on the node too: it goes down, boots, and beats its heart."""
        self.clock.advance(seconds)
        for _ in range(3):
            await asyncio.sleep(0)
        now = self.clock.now().mono
        if self.agent.is_down and self.back_at is None:
            self.back_at = now + BOOT_S
        if self.agent.is_down and self.back_at is not None and now >= self.back_at:
            self.back_at = None
            gateway = None if self.coordinator is None else self.coordinator.gateway
            await self.agent.come_back(gateway, still=self.still_after_boot(self.agent))  # type: ignore[arg-type]
        self.agent.heartbeat()

    async def until(self, reached: Callable[[], bool], *, within: float = 50_000.0) -> None:
        """Pass after pass until it is so; `within` seconds of the world's own time."""
        end = self.clock.now().mono + within
        while not reached():
            assert self.clock.now().mono < end, f"still {self.step} after {within} s"
            await self.once()

    async def until_step(self, *steps: Step) -> None:
        await self.until(lambda: self.step in steps)
