"""The rungs that a BMC performs: the mildest way first, and only while the node is ours."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from tests.fakes.orchestrator import FakeOrchestrator
from tests.fakes.power import FakePower, Fault
from tests.fakes.world import NODE, World

from sickbay.coordinator.out_of_band import PowerPlan
from sickbay.coordinator.store import AttemptRecord
from sickbay.core.ids import NodeName
from sickbay.core.outcomes import Outcome
from sickbay.core.remediation import Step
from sickbay.power.absent import NoPower
from sickbay.power.protocol import Order, PowerObservation, PowerState, Reset

POLL = 10.0
"""Seconds between two looks: what a story of minutes needs."""


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World.at(tmp_path)
    made.policy = replace(made.policy, poll=POLL)
    made.power_plan = PowerPlan(power_cycle=(Reset.GRACEFUL, Reset.FORCED, Reset.CYCLE), wait=300.0)
    await made.start()
    yield made
    await made.stop()


def resets(world: World) -> list[Reset]:
    return [reset for _, reset, _ in world.bmcs.resets]


async def test_a_graceful_restart_that_helps_is_the_only_one(world: World):
    await world.lose_gpu(remedy="power")
    await world.until_step(Step.DONE)
    assert resets(world) == [Reset.GRACEFUL]
    assert world.agent.boot_id == "boot-2"


async def test_a_machine_that_does_not_listen_is_forced_and_then_loses_its_power(world: World):
    world.bmcs.will(Fault.IGNORED, 2)
    await world.lose_gpu(remedy="power")
    await world.until_step(Step.DONE)
    assert resets(world) == [Reset.CYCLE]
    story = " ".join(record.detail for record in world.remediation.history)
    assert "took the graceful restart; no new boot within 5m00s; took the forced restart" in story


async def test_a_way_that_the_bmc_does_not_offer_is_passed_over(world: World):
    world.bmcs.offers = frozenset({Reset.CYCLE})
    await world.lose_gpu(remedy="power")
    await world.until_step(Step.DONE)
    assert resets(world) == [Reset.CYCLE]


@pytest.mark.parametrize("fault", [Fault.DENIED, Fault.SOMEONE_ELSES])
async def test_a_bmc_that_refuses_us_is_not_asked_for_anything_harder(world: World, fault: Fault):
    world.bmcs.will(fault, 100)
    await world.lose_gpu(remedy="power")
    await world.until_step(Step.QUARANTINED)
    assert world.verbs == ["cordon"]
    assert world.bmcs.faults[fault] >= 98


async def test_a_machine_that_somebody_switched_off_is_left_to_them(world: World):
    world.bmcs.machines[NODE].state = PowerState.OFF
    await world.lose_gpu(remedy="power")
    await world.until_step(Step.QUARANTINED)
    assert world.verbs == ["cordon"]
    assert "switched off, and not by us" in world.remediation.history[-1].detail


@dataclass
class MeanwhileDrained:
    """A `PowerControl`; a person drains the node while we look whether a way had an effect."""

    power: FakePower
    scheduler: FakeOrchestrator

    async def observe(self, node: NodeName) -> PowerObservation:
        self.scheduler.person_drains(node, "bob: looking at the fans")
        return await self.power.observe(node)

    async def restart_gracefully(self, node: NodeName, order: Order) -> Outcome:
        return await self.power.restart_gracefully(node, order)

    async def restart_forced(self, node: NodeName, order: Order) -> Outcome:
        return await self.power.restart_forced(node, order)

    async def power_cycle(self, node: NodeName, order: Order) -> Outcome:
        return await self.power.power_cycle(node, order)


async def test_a_person_who_takes_the_node_while_we_wait_stops_the_harder_way(tmp_path: Path):
    world = World.at(tmp_path)
    world.policy = replace(world.policy, poll=POLL)
    world.power_plan = PowerPlan(power_cycle=(Reset.GRACEFUL, Reset.FORCED), wait=300.0)
    world.around_power = lambda power: MeanwhileDrained(power, world.scheduler)
    world.bmcs.will(Fault.IGNORED)
    await world.start()
    await world.lose_gpu(remedy="power")
    await world.until_step(Step.CANCELLED)
    assert resets(world) == []
    told = [attempt.outcome.detail for attempt in await attempts(world) if attempt.outcome is not None]
    assert any("not ours any more, left alone: bob: looking at the fans" in detail for detail in told)
    await world.stop()


async def attempts(world: World) -> Sequence[AttemptRecord]:
    return await world.parts.fleet.store.attempts(world.remediation.id)


async def test_a_site_may_reboot_through_the_bmc_and_then_neither_scheduler_nor_agent_does(tmp_path: Path):
    world = World.at(tmp_path, scheduler_reboots=False)
    world.policy = replace(world.policy, poll=POLL)
    world.power_plan = PowerPlan(reboot=(Reset.GRACEFUL, Reset.FORCED))
    await world.start()
    await world.lose_gpu()
    await world.until_step(Step.DONE)
    assert world.verbs == ["cordon", "return_to_service", "graceful"]
    await world.stop()


async def test_without_a_bmc_a_ladder_is_climbed_past_its_rung(tmp_path: Path):
    world = World.at(tmp_path)
    world.around_power = lambda _: NoPower(clock=world.clock)
    await world.start()
    await world.lose_gpu(remedy="power")
    await world.until_step(Step.QUARANTINED)
    assert world.verbs == ["cordon"]
    assert "no BMC is configured" in world.remediation.history[-1].detail
    await world.stop()


async def test_the_bmcs_word_is_no_proof_of_a_repair(world: World):
    """Taken and shown by the BMC, but no agent on a new boot: nothing goes back to service."""
    world.bmcs.on_reset = None
    await world.lose_gpu(remedy="power")
    await world.until_step(Step.QUARANTINED)
    assert "return_to_service" not in world.verbs
    assert "no answer" in world.remediation.history[-1].detail or "new boot" in repr(
        world.remediation.history
    )
