"""The coordinator stopped dead at every moment of a remediation, and started again from its store.

Whatever the moment, the end is that of the run that nothing interrupted, and so is the list of what was done.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.fakes.deaths import Died, DyingScheduler, DyingStore, Fate, dying_after_directives
from tests.fakes.orchestrator import Fault
from tests.fakes.world import World

from sickbay.core.conditions import Status
from sickbay.core.ids import NodeName
from sickbay.core.messages import Verb
from sickbay.core.remediation import Step

_STARTS = 5
"""More than a run with one death needs."""

MOMENTS = range(1, 40)
"""More than any of the stories below has; a run whose moment never comes is the uninterrupted one."""

STORIES = ["scheduler reboots", "agent reboots", "the fault comes back", "relieved", "climbs past a reset"]


def told(story: str, directory: Path) -> World:
    world = World.at(directory, scheduler_reboots=story != "agent reboots")
    if story == "the fault comes back":
        world.still_after_boot = lambda agent: (agent.condition(),)
    return world


async def begin(story: str, world: World) -> None:
    await world.lose_gpu(remedy="reset" if story == "climbs past a reset" else "reboot")


async def to_the_end(story: str, world: World, begun: list[bool]) -> None:
    """Until the story is over, however often the coordinator has to be started for that."""
    if world.coordinator is None:
        await world.start()
    if not begun:
        begun.append(True)
        if story == "relieved":
            world.scheduler.start_job(NodeName("gpu-1"))
        await begin(story, world)
    if story == "relieved" and len(begun) == 1:
        await world.until_step(Step.DRAINING)
        begun.append(True)
        await world.agent.change(world.agent.condition(status=Status.FALSE))
    await world.until_step(Step.DONE, Step.QUARANTINED)
    await world.once()


async def lived(story: str, world: World, fate: Fate) -> tuple[Step | None, list[tuple[str, str]]]:
    """(the end, what was done) of one life of the node, with whatever deaths fate has in store."""
    begun: list[bool] = []
    for _ in range(_STARTS):
        try:
            await to_the_end(story, world, begun)
            break
        except Died:
            await world.stop()
    assert world.coordinator is not None, f"dies without end: {fate.moments}"
    end = world.step, [(verb, action.split("/", 1)[1]) for verb, action in world.effects]
    assert all(not i.is_open for i in world.node.incidents.values()) == (end[0] is Step.DONE)
    await world.stop()
    return end


@pytest.mark.parametrize("story", STORIES)
async def test_a_death_after_any_commit_changes_neither_the_end_nor_what_is_done(story: str, tmp_path: Path):
    await _every_death(story, tmp_path, _dies_after_commits)


@pytest.mark.parametrize("story", STORIES)
async def test_a_death_after_any_effect_changes_neither_the_end_nor_what_is_done(story: str, tmp_path: Path):
    await _every_death(story, tmp_path, _dies_after_effects)


async def _every_death(story: str, directory: Path, arrange: Callable[[World, Fate], None]) -> None:
    undisturbed = await lived(story, told(story, _fresh(directory, "undisturbed")), Fate())
    assert len(undisturbed[1]) == len(set(undisturbed[1]))
    deaths = 0
    for at in MOMENTS:
        fate = Fate(at=at)
        world = told(story, _fresh(directory, f"at-{at}"))
        arrange(world, fate)
        disturbed = await lived(story, world, fate)
        if len(fate.moments) < at:
            break
        deaths += 1
        assert disturbed == undisturbed, f"died {fate.moments[at - 1]} ({at})"
    assert deaths >= 3, "the story had no moments to die at"


def _dies_after_commits(world: World, fate: Fate) -> None:
    world.around_store = lambda store: DyingStore(store, fate)  # type: ignore[return-value]


def _dies_after_effects(world: World, fate: Fate) -> None:
    world.around_scheduler = lambda scheduler: DyingScheduler(scheduler, fate)
    world.agent.obey = dying_after_directives(world.agent.directed, fate)


def _fresh(directory: Path, name: str) -> Path:
    made = directory / name
    made.mkdir()
    return made


@pytest.mark.parametrize("verb", ["cordon", "reboot", "return_to_service"])
@pytest.mark.parametrize("fault", [Fault.REPLY_LOST, Fault.NO_ANSWER])
@pytest.mark.parametrize("times", [1, 2])
async def test_a_lost_answer_of_the_scheduler_changes_nothing(
    verb: str,
    fault: Fault,
    times: int,
    tmp_path: Path,
):
    undisturbed = await lived("plain", told("plain", _fresh(tmp_path, "undisturbed")), Fate())
    world = told("plain", _fresh(tmp_path, "lost"))
    world.scheduler.will(verb, fault, times=times)
    assert await lived("plain", world, Fate()) == undisturbed


@pytest.mark.parametrize("reports", [1, 2, 3])
async def test_a_lost_report_of_the_agent_changes_nothing(reports: int, tmp_path: Path):
    story = "agent reboots"
    undisturbed = await lived(story, told(story, _fresh(tmp_path, "undisturbed")), Fate())
    world = told(story, _fresh(tmp_path, "lost"))
    world.agent.lose_reports = reports
    assert await lived(story, world, Fate()) == undisturbed


async def test_a_directive_that_is_never_heard_reboots_nothing_and_ends_with_a_person(tmp_path: Path):
    world = World.at(tmp_path, scheduler_reboots=False)
    world.agent.deaf = frozenset({Verb.REBOOT})
    await world.start()
    await world.lose_gpu()
    await world.until_step(Step.QUARANTINED)
    assert [verb for verb, _ in world.effects] == ["cordon"]
    await world.stop()
