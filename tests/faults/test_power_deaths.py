"""The coordinator stopped dead around a power cycle, and BMCs whose answers are lost.

A machine is never reset twice for one action, whoever died and whatever was not heard.
"""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.fakes.deaths import Died, DyingPower, DyingScheduler, DyingStore, Fate
from tests.fakes.power import Fault
from tests.fakes.world import World

from sickbay.coordinator.out_of_band import PowerPlan
from sickbay.core.remediation import Step
from sickbay.power.protocol import Reset

WHOLE_WAY = ["cordon", "return_to_service", "cycle"]
MOMENTS = 40
"""More than the story has."""

POLL = 10.0
"""Seconds between two looks: what a story of minutes needs."""


def told(directory: Path, *, tells_resets: bool, plan: PowerPlan | None = None) -> World:
    directory.mkdir()
    world = World.at(directory)
    world.bmcs.tells_resets = tells_resets
    world.power_plan = plan or PowerPlan()
    return world


async def lived(world: World, fate: Fate) -> tuple[Step | None, list[tuple[str, str]]]:
    """(the end, what was done) with whatever deaths fate has in store."""
    world.around_power = lambda power: DyingPower(power, fate)
    world.around_scheduler = lambda scheduler: DyingScheduler(scheduler, fate)
    world.around_store = lambda store: DyingStore(store, fate)  # type: ignore[return-value]
    is_lost = False
    for _ in range(5):
        try:
            if world.coordinator is None:
                await world.start()
            if not is_lost:
                is_lost = True
                await world.lose_gpu(remedy="power")
            await world.until_step(Step.DONE, Step.QUARANTINED)
            await world.once()
            break
        except Died:
            await world.stop()
    end = world.step, [(verb, action.split("/", 1)[1]) for verb, action in world.effects]
    await world.stop()
    return end


@pytest.mark.parametrize("tells_resets", [True, False])
async def test_a_death_at_any_moment_changes_neither_the_end_nor_what_is_done(
    tmp_path: Path, *, tells_resets: bool
):
    undisturbed = await lived(told(tmp_path / "undisturbed", tells_resets=tells_resets), Fate())
    assert undisturbed[0] is Step.DONE
    assert [verb for verb, _ in undisturbed[1]] == WHOLE_WAY
    deaths = 0
    for at in range(1, MOMENTS):
        fate = Fate(at=at)
        disturbed = await lived(told(tmp_path / f"at-{at}", tells_resets=tells_resets), fate)
        if len(fate.moments) < at:
            break
        deaths += 1
        assert disturbed == undisturbed, f"died {fate.moments[at - 1]} ({at})"
    assert deaths > 5


@pytest.mark.parametrize("tells_resets", [True, False])
@pytest.mark.parametrize("times", [1, 2])
async def test_a_lost_answer_of_the_bmc_changes_nothing(tmp_path: Path, times: int, *, tells_resets: bool):
    world = told(tmp_path / "lost", tells_resets=tells_resets)
    world.bmcs.will(Fault.REPLY_LOST, times)
    step, effects = await lived(world, Fate())
    assert (step, [verb for verb, _ in effects]) == (Step.DONE, WHOLE_WAY)


async def test_a_reset_that_was_lost_on_the_way_is_sent_again_once_the_agent_disproves_it(tmp_path: Path):
    world = told(tmp_path / "lost", tells_resets=False)
    world.bmcs.will(Fault.IGNORED)
    world.bmcs.will(Fault.REPLY_LOST)
    step, effects = await lived(world, Fate())
    assert (step, [verb for verb, _ in effects]) == (Step.DONE, WHOLE_WAY)


async def test_a_bmc_that_never_answers_is_given_up_and_a_person_is_told_why(tmp_path: Path):
    world = told(tmp_path / "silent", tells_resets=True)
    world.bmcs.will(Fault.NO_ANSWER, 10_000)
    await world.start()
    await world.lose_gpu(remedy="power")
    await world.until_step(Step.QUARANTINED)
    assert "cannot be reached, for 2m" in world.remediation.history[-1].detail
    assert world.verbs == ["cordon"]
    await world.stop()


async def test_a_bmc_that_comes_back_in_time_is_not_given_up(tmp_path: Path):
    world = told(tmp_path / "late", tells_resets=False)
    world.bmcs.will(Fault.NO_ANSWER, 20)
    step, effects = await lived(world, Fate())
    assert (step, [verb for verb, _ in effects]) == (Step.DONE, WHOLE_WAY)


@pytest.mark.parametrize("at", range(1, 4))
async def test_a_death_around_a_milder_way_leaves_one_reset(tmp_path: Path, at: int):
    """The machine does not listen at first; whichever way it then listens to is the only one."""
    plan = PowerPlan(power_cycle=(Reset.GRACEFUL, Reset.CYCLE), wait=300.0)
    world = told(tmp_path / f"at-{at}", tells_resets=False, plan=plan)
    world.policy = replace(world.policy, poll=POLL)
    world.bmcs.will(Fault.IGNORED)
    world.around_power = lambda power: DyingPower(power, fate)
    fate = Fate(at=at)
    await world.start()
    await world.lose_gpu(remedy="power")
    try:
        await world.until_step(Step.DONE, Step.QUARANTINED)
    except Died:
        await world.stop()
        await world.start()
        await world.until_step(Step.DONE, Step.QUARANTINED)
    assert len(world.bmcs.resets) == 1
    assert world.step is Step.DONE
    await world.stop()
