"""Looks at the scheduler: shared where one only waits, fresh where an effect follows, none too early."""

import asyncio
from collections.abc import Mapping, Sequence

from tests.fakes.orchestrator import FakeOrchestrator
from tests.fakes.world import NODE, World

from sickbay.core.ids import NodeName
from sickbay.core.orchestration import NodeObservation, Ownership


class SlowLooks:
    """A scheduler whose answers are of the moment of the question, and come when `answer` is set."""

    def __init__(self, scheduler: FakeOrchestrator) -> None:
        self._scheduler = scheduler
        self.answer = asyncio.Event()
        self.looks = 0

    async def observe_all(self, nodes: Sequence[NodeName]) -> Mapping[NodeName, NodeObservation]:
        seen = await self._scheduler.observe_all(nodes)
        self.looks += 1
        await self.answer.wait()
        return seen

    def __getattr__(self, name: str) -> object:
        return getattr(self._scheduler, name)


async def test_a_look_that_began_before_our_own_change_is_not_believed(world: World):
    slow = SlowLooks(world.scheduler)
    world.parts.watch.orchestrator = slow  # type: ignore[assignment]
    looking = asyncio.create_task(world.parts.watch.look([NODE]))
    await asyncio.sleep(0)
    world.clock.advance(0.01)
    world.scheduler.nodes[NODE].reason = "sickbay:inc-1:rule"
    world.node.touch(world.clock.now().mono)
    slow.answer.set()
    await looking
    assert world.node.observation is None
    seen = await world.parts.watch.observed(world.node, 60.0)
    assert seen.ownership is Ownership.OURS


async def test_a_recent_look_serves_those_who_wait_and_not_those_who_act(world: World):
    await world.parts.watch.look([NODE])
    world.clock.advance(3.0)
    world.scheduler.person_drains(NODE, "alice")
    assert (await world.parts.watch.observed(world.node, 5.0)).ownership is Ownership.NONE
    assert (await world.parts.watch.observed(world.node, 1.0)).ownership is Ownership.FOREIGN


async def test_nodes_at_work_are_looked_at_often_and_all_others_seldom(world: World):
    running = asyncio.create_task(world.parts.watch.run())
    await _looked_for(world, 30)
    quiet = world.parts.watch.looks
    world.scheduler.start_job(NODE)
    await world.lose_gpu()
    await world.once()
    await _looked_for(world, 30)
    running.cancel()
    assert quiet <= 4
    assert world.parts.watch.looks - quiet >= 25


async def _looked_for(world: World, seconds: int) -> None:
    for _ in range(seconds):
        await _settle()
        world.clock.advance(1.0)
        world.agent.heartbeat()
    await _settle()


async def _settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)
