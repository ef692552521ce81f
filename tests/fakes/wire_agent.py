"""An agent on a real stream with a pretended host behind it: no driver, no disk, and no real reboot."""

import asyncio
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Self

from sickbay.core.conditions import Condition, Status
from sickbay.core.devices import Inventory, gpu_subject
from sickbay.core.ids import ActionId, BootId, NodeName
from sickbay.core.instants import Instant
from sickbay.core.messages import ActionReport, Delta, Directive, Event, FullState, Hello, Verb, Welcome
from sickbay.core.outcomes import Outcome
from sickbay.core.rule_bundles import RuleSetOffer
from sickbay.core.signals import Signal
from sickbay.host.clock import SystemClock
from sickbay.rpc.agent_link import CoordinatorLink


class WireAgent:
    """An `AgentSide` with its link. It reboots when it is told to, once for each action."""

    def __init__(self, node: str, target: str, inventory: Inventory, *, boot_seconds: float = 0.3) -> None:
        self.node = NodeName(node)
        self.inventory = inventory
        self.conditions: dict[str, Condition] = {}
        self.boots = [self._new_boot()]
        self.spool: list[Event] = []
        self.reboots: list[ActionId] = []
        self.asked: list[Verb] = []
        self.offers: list[RuleSetOffer] = []
        self.clock = SystemClock()
        self._target = target
        self._boot_seconds = boot_seconds
        self._link = self._dialling()
        self._running: asyncio.Task[None] | None = None
        self._booting: set[asyncio.Task[None]] = set()

    @property
    def boot_id(self) -> BootId:
        return self.boots[-1]

    @property
    def is_connected(self) -> bool:
        return self._link.connected

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self._link.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._booting:
            task.cancel()
        await self._hang_up()

    def fails(self, condition: Condition) -> None:
        """The condition is so from now on, until the next boot."""
        now = self.clock.now().wall
        told = replace(condition, boot_id=self.boot_id, since=now, observed_at=now, t0=now, t1=now)
        self.conditions[told.key] = told
        self._event(told)
        self._link.delta(Delta(conditions=(told,), inventory=None, readings=(), at=now))

    def clears(self, condition: Condition) -> None:
        """It is so no longer."""
        told = self.conditions.pop(condition.key)
        now = self.clock.now().wall
        cleared = replace(told, status=Status.FALSE, observed_at=now)
        self._link.delta(Delta(conditions=(cleared,), inventory=None, readings=(), at=now))

    # -- AgentSide -------------------------------------------------------------------------------------

    def hello(self) -> Hello:
        return Hello(
            node=self.node,
            boot_id=self.boot_id,
            version="0.1.0",
            inventory=self.inventory,
            rules_digest="digest",
            started_at=1.0,
        )

    def full_state(self) -> FullState:
        return FullState(
            conditions=tuple(self.conditions.values()),
            inventory=self.inventory,
            readings=self._readings(),
            at=self.clock.now().wall,
        )

    def unacknowledged(self, limit: int) -> Sequence[Event]:
        return self.spool[:limit]

    def connected(self, welcome: Welcome, target: str) -> None:
        pass

    def disconnected(self, why: str) -> None:
        pass

    async def acknowledged(self, sequence: int) -> None:
        self.spool = [event for event in self.spool if event.sequence > sequence]

    async def directed(self, directive: Directive) -> None:
        self.asked.append(directive.verb)
        action = directive.grant.action_id
        if directive.verb is Verb.REBOOT and action not in self.reboots:
            self.reboots.append(action)
            task = asyncio.get_running_loop().create_task(self.reboot())
            self._booting.add(task)
            task.add_done_callback(self._booting.discard)
        report = ActionReport(action_id=action, outcome=Outcome.done("done"), at=self.clock.now().wall)
        self._link.report(report)

    async def rules_offered(self, offer: RuleSetOffer) -> None:
        self.offers.append(offer)

    # -- inside ----------------------------------------------------------------------------------------

    async def reboot(self) -> None:
        """Down, a while of nothing, and up again with a new boot and nothing wrong."""
        await asyncio.sleep(0.05)
        await self.go_down()
        await asyncio.sleep(self._boot_seconds)
        await self.come_up()

    async def go_down(self) -> None:
        """The machine is gone."""
        await self._hang_up()

    async def come_up(self) -> None:
        """A new boot, with nothing wrong."""
        self.boots.append(self._new_boot())
        self.conditions.clear()
        self._link = self._dialling()
        self._running = asyncio.create_task(self._link.run())

    async def _hang_up(self) -> None:
        if self._running is not None:
            self._link.stop()
            with suppress(asyncio.CancelledError):
                await self._running
            self._running = None

    def _dialling(self) -> CoordinatorLink:
        return CoordinatorLink((self._target,), self, SystemClock(), first_wait=0.02, longest_wait=0.1)

    def _event(self, condition: Condition) -> None:
        sequence = len(self.spool) + 1
        self.spool.append(
            Event(
                sequence=sequence,
                id=f"{self.boot_id}/{condition.key}/{condition.since}",
                at=condition.since,
                boot_id=self.boot_id,
                what=condition,
                node=self.node,
            ),
        )
        self._link.events(self.spool[-1:])

    def _readings(self) -> tuple[Signal, ...]:
        now = self.clock.now()
        return tuple(
            Signal(
                kind="recovery_action",
                subject=gpu_subject(gpu),
                at=Instant(mono=now.mono, wall=now.wall),
                fields={"action": "NONE", "value": 0},
            )
            for gpu in self.inventory.gpus
        )

    @staticmethod
    def _new_boot() -> BootId:
        return BootId(str(uuid.uuid4()))
