"""A coordinator's death at a chosen moment: after a commit, or after an effect whose outcome was lost."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.fakes.orchestrator import FakeOrchestrator
from tests.fakes.power import FakePower

from sickbay.coordinator.sqlite_store import SqliteStore
from sickbay.coordinator.store import Batch
from sickbay.core.ids import NodeName
from sickbay.core.messages import Directive
from sickbay.core.orchestration import Job, Mark, NodeObservation
from sickbay.core.outcomes import Outcome
from sickbay.core.remedies import Drain
from sickbay.power.protocol import Order, PowerObservation


class Died(BaseException):
    """The process is gone. Nothing may catch it but the test."""


@dataclass(slots=True)
class Fate:
    """Dies at the `at`-th moment (from 1; 0 never), once; `moments` counts them and names each."""

    at: int = 0
    moments: list[str] = field(default_factory=list)

    def moment(self, what: str) -> None:
        self.moments.append(what)
        if len(self.moments) == self.at:
            raise Died(what)


@dataclass(slots=True)
class DyingStore:
    """A store that commits, and then the process dies."""

    store: SqliteStore
    fate: Fate

    async def commit(self, batch: Batch) -> None:
        await self.store.commit(batch)
        if not batch.is_empty:
            self.fate.moment("after a commit")

    def __getattr__(self, name: str) -> object:
        return getattr(self.store, name)


@dataclass(slots=True)
class DyingScheduler:
    """A scheduler that does what it is told, and then the process that asked dies."""

    scheduler: FakeOrchestrator
    fate: Fate

    @property
    def name(self) -> str:
        return self.scheduler.name

    @property
    def can_reboot(self) -> bool:
        return self.scheduler.can_reboot

    async def observe(self, node: NodeName) -> NodeObservation:
        return await self.scheduler.observe(node)

    async def observe_all(self, nodes: Sequence[NodeName]) -> Mapping[NodeName, NodeObservation]:
        return await self.scheduler.observe_all(nodes)

    async def jobs(self, node: NodeName) -> tuple[Job, ...] | None:
        return await self.scheduler.jobs(node)

    async def cordon(self, node: NodeName, mark: Mark) -> Outcome:
        return await self._then_die("cordon", self.scheduler.cordon(node, mark))

    async def drain(self, node: NodeName, mark: Mark, spec: Drain) -> Outcome:
        return await self._then_die("drain", self.scheduler.drain(node, mark, spec))

    async def reboot(self, node: NodeName, mark: Mark) -> Outcome:
        return await self._then_die("reboot", self.scheduler.reboot(node, mark))

    async def return_to_service(self, node: NodeName, mark: Mark) -> Outcome:
        return await self._then_die("return", self.scheduler.return_to_service(node, mark))

    async def hold(self, node: NodeName, reason: str) -> Outcome:
        return await self._then_die("hold", self.scheduler.hold(node, reason))

    async def release(self, node: NodeName) -> Outcome:
        return await self._then_die("release", self.scheduler.release(node))

    async def _then_die(self, what: str, effect: Awaitable[Outcome]) -> Outcome:
        outcome = await effect
        self.fate.moment(f"after {what}")
        return outcome


@dataclass(slots=True)
class DyingPower:
    """BMCs that do what they are told, and then the process that asked dies."""

    power: FakePower
    fate: Fate

    async def observe(self, node: NodeName) -> PowerObservation:
        return await self.power.observe(node)

    async def restart_gracefully(self, node: NodeName, order: Order) -> Outcome:
        return await self._then_die("graceful restart", self.power.restart_gracefully(node, order))

    async def restart_forced(self, node: NodeName, order: Order) -> Outcome:
        return await self._then_die("forced restart", self.power.restart_forced(node, order))

    async def power_cycle(self, node: NodeName, order: Order) -> Outcome:
        return await self._then_die("power cycle", self.power.power_cycle(node, order))

    async def _then_die(self, what: str, effect: Awaitable[Outcome]) -> Outcome:
        outcome = await effect
        self.fate.moment(f"after {what}")
        return outcome


def dying_after_directives(directed: Callable[[Directive], None], fate: Fate) -> Callable[[Directive], None]:
    """The agent obeys, and then the coordinator that asked dies."""

    def obey(directive: Directive) -> None:
        directed(directive)
        fate.moment(f"after the directive {directive.verb.value}")

    return obey
