"""A host with an agent, as the coordinator meets it: it says hello, tells its level, obeys, and reboots."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sickbay.coordinator.gateway import Gateway
from sickbay.core.conditions import Condition, Mode, Severity, Status
from sickbay.core.devices import Gpu, Inventory, Scope, Subject, gpu_subject
from sickbay.core.ids import ActionId, BootId, NodeName, RuleId
from sickbay.core.instants import Instant
from sickbay.core.messages import ActionReport, Delta, Directive, FullState, Hello, Verb
from sickbay.core.outcomes import Outcome
from sickbay.core.rule_bundles import NO_REPORT, RuleSetOffer, RulesReport
from sickbay.core.signals import Signal
from sickbay.host.clock import Clock

GPUS = tuple(
    Gpu(uuid=f"GPU-{slot}", pci=f"0000:{slot:02x}:00", slot=slot, name="NVIDIA H100 80GB HBM3")
    for slot in range(8)
)


@dataclass(slots=True, eq=False)
class FakeSession:
    """An `AgentSession`: what the coordinator sends reaches the agent at once, if the stream is up."""

    agent: "FakeAgent"
    boot_id: BootId
    closed: str = ""

    @property
    def node(self) -> NodeName:
        return self.agent.node

    def direct(self, directive: Directive) -> None:
        if self.agent.session is self:
            (self.agent.obey or self.agent.directed)(directive)

    def offer_rules(self, offer: RuleSetOffer) -> None:
        self.agent.offers.append(offer)

    def close(self, why: str) -> None:
        self.closed = why


@dataclass(slots=True, kw_only=True)
class FakeAgent:
    """A node with eight GPUs. `effects` holds what really happened to it, `deaf` directives go unheard.

    `reboots_itself` says that a REBOOT directive takes the host down, after which `come_back` brings it up.
    """

    clock: Clock
    node: NodeName = NodeName("gpu-1")
    boot: int = 1
    inventory: Inventory = field(default_factory=lambda: Inventory(gpus=GPUS, nvml="simulated"))
    conditions: dict[str, Condition] = field(default_factory=dict)
    recovery: str | None = "NONE"
    session: FakeSession | None = None
    gateway: Gateway | None = None
    effects: list[tuple[str, ActionId]] = field(default_factory=list)
    asked: list[Directive] = field(default_factory=list)
    offers: list[RuleSetOffer] = field(default_factory=list)
    pool: str = ""
    rules: RulesReport = NO_REPORT
    lose_reports: int = 0
    deaf: frozenset[Verb] = frozenset()
    is_down: bool = False
    obey: Callable[[Directive], None] | None = None
    _tasks: "set[asyncio.Task[None]]" = field(default_factory=set)

    @property
    def boot_id(self) -> BootId:
        return BootId(f"boot-{self.boot}")

    async def connect(self, gateway: Gateway) -> None:
        """Hello and the full state, on a stream of its own."""
        hello = Hello(
            node=self.node,
            boot_id=self.boot_id,
            version="0.1.0",
            inventory=self.inventory,
            rules_digest="digest",
            started_at=self.clock.now().wall,
            pool=self.pool,
            rules=self.rules,
        )
        gateway.welcome(hello)
        self.gateway, self.session = gateway, FakeSession(self, self.boot_id)
        await gateway.connected(self.session, hello)
        await self.tell_all()

    async def disconnect(self) -> None:
        session, self.session = self.session, None
        if session is not None and self.gateway is not None:
            await self.gateway.disconnected(session, "the stream ended")

    async def tell_all(self) -> None:
        if self.gateway is None or self.session is None:
            raise AssertionError("not connected")
        state = FullState(
            conditions=tuple(self.conditions.values()),
            inventory=self.inventory,
            readings=self._readings(),
            at=self.clock.now().wall,
        )
        await self.gateway.full_state(self.session, state)

    async def change(self, *conditions: Condition) -> None:
        """These conditions are so now; those of status FALSE have cleared."""
        for condition in conditions:
            self.conditions.pop(condition.key, None)
            if condition.status is not Status.FALSE:
                self.conditions[condition.key] = condition
        if self.gateway is not None and self.session is not None:
            delta = Delta(
                conditions=conditions, inventory=None, readings=self._readings(), at=self.clock.now().wall
            )
            await self.gateway.delta(self.session, delta)

    def heartbeat(self) -> None:
        if self.gateway is not None and self.session is not None:
            self.gateway.heartbeat(self.session)

    async def go_down(self) -> None:
        """The machine goes down: the stream breaks, and everything that was so with it."""
        self.is_down = True
        await self.disconnect()

    async def come_back(self, gateway: Gateway | None = None, *, still: tuple[Condition, ...] = ()) -> None:
        """Up on a new boot, with nothing wrong but `still`."""
        self.is_down = False
        self.boot += 1
        self.conditions = {c.key: replace(c, boot_id=self.boot_id) for c in still}
        gateway = gateway or self.gateway
        if gateway is not None:
            await self.connect(gateway)

    def condition(self, type_: str = "GpuLost", **changes: object) -> Condition:
        """A grave condition of the first GPU, of a rule that may act, with the remedy `reboot`."""
        now = self.clock.now().wall
        made = Condition(
            type=type_,
            subject=gpu_subject(GPUS[0]),
            status=Status.TRUE,
            severity=Severity.FATAL,
            rule=RuleId("gpu-lost"),
            reason="XID_79",
            message="GPU has fallen off the bus",
            since=now,
            observed_at=now,
            boot_id=self.boot_id,
            remedy="reboot",
            mode=Mode.ACT,
            family="gpu-lost",
            t0=now - 0.2,
            t1=now - 0.1,
        )
        return replace(made, **changes)  # type: ignore[arg-type]

    def directed(self, directive: Directive) -> None:
        self.asked.append(directive)
        if directive.verb in self.deaf:
            return
        if directive.verb is Verb.REBOOT:
            self._rebooted(directive.grant.action_id)
        self._later(self._reported(directive.grant.action_id))

    def _rebooted(self, action: ActionId) -> None:
        if ("reboot", action) not in self.effects:
            self.effects.append(("reboot", action))
            self._later(self.go_down())

    async def _reported(self, action: ActionId) -> None:
        if self.lose_reports > 0:
            self.lose_reports -= 1
            return
        if self.gateway is not None and self.session is not None:
            report = ActionReport(action_id=action, outcome=Outcome.done("did it"), at=self.clock.now().wall)
            await self.gateway.report(self.session, report)

    def _later(self, work: "asyncio.Coroutine[object, object, None]") -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _readings(self) -> tuple[Signal, ...]:
        now = self.clock.now()
        return tuple(
            Signal(
                kind="recovery_action",
                subject=gpu_subject(gpu),
                at=Instant(mono=now.mono, wall=now.wall),
                fields={"action": self.recovery, "value": 0 if self.recovery == "NONE" else None},
            )
            for gpu in self.inventory.gpus
        )


NODE_SUBJECT = Subject(scope=Scope.NODE)
