"""One node's way through the coordinator: what begins, what is held, what waits."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.fakes.agent import GPUS
from tests.fakes.world import NODE, World

from sickbay.core.conditions import Mode, Status
from sickbay.core.devices import gpu_subject
from sickbay.core.remediation import Step

WHOLE_WAY = ["cordon", "reboot", "return_to_service"]


@pytest.mark.parametrize("scheduler_reboots", [True, False], ids=["scheduler reboots", "agent reboots"])
async def test_a_lost_gpu_goes_the_whole_way_and_the_node_comes_back(tmp_path: Path, scheduler_reboots: bool):  # noqa: FBT001 - a case of the table
    world = World.at(tmp_path, scheduler_reboots=scheduler_reboots)
    await world.start()
    await world.lose_gpu()
    await world.until_step(Step.DONE)
    assert sorted(world.verbs) == WHOLE_WAY
    assert world.agent.boot == 2
    assert world.incident.closed_because == "repaired and validated"
    await world.stop()


async def test_a_running_job_is_waited_for(world: World):
    job = world.scheduler.start_job(NODE)
    await world.lose_gpu()
    await world.until_step(Step.DRAINING)
    await world.passes(3_600)
    assert (world.step, world.verbs) == (Step.DRAINING, ["cordon"])
    world.scheduler.end_job(NODE, job)
    await world.until_step(Step.DONE)
    assert world.verbs == WHOLE_WAY


async def test_a_scheduler_that_does_not_answer_is_not_a_drained_node(world: World):
    await world.lose_gpu()
    await world.until_step(Step.DRAINING)
    world.scheduler.looks_fail = True
    await world.passes(600)
    assert (world.step, world.verbs) == (Step.DRAINING, ["cordon"])
    world.scheduler.looks_fail = False
    await world.until_step(Step.DONE)


@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.PROPOSE])
async def test_a_rule_that_may_not_act_leaves_a_stored_decision_and_an_untouched_node(
    tmp_path: Path, mode: Mode
):
    world = World.at(tmp_path, mode=mode)
    await world.start()
    await world.lose_gpu()
    await world.passes(100)
    assert world.verbs == []
    assert world.incident.decision is not None
    assert world.incident.decision.held_by == ("mode" if mode is Mode.OBSERVE else "approval",)
    assert "would cordon gpu-1 for XID_79" in world.incident.decision.why_held
    assert world.step is (Step.PROPOSED if mode is Mode.PROPOSE else None)
    await world.stop()


async def test_a_proposal_is_withdrawn_when_its_fault_is_gone(tmp_path: Path):
    world = World.at(tmp_path, mode=Mode.PROPOSE)
    await world.start()
    await world.lose_gpu()
    await world.until_step(Step.PROPOSED)
    await world.agent.change(replace(world.agent.condition(), status=Status.FALSE))
    await world.until_step(Step.CANCELLED)
    await world.once()
    assert not world.incident.is_open
    await world.stop()


async def test_someone_elses_cordon_holds_and_is_left_alone(world: World):
    world.scheduler.person_drains(NODE, "new cables, back at noon")
    await world.lose_gpu()
    await world.passes(60)
    assert world.verbs == []
    assert world.incident.decision is not None
    assert world.incident.decision.held_by == ("owner",)
    assert world.scheduler.nodes[NODE].reason == "new cables, back at noon"


async def test_a_node_freed_by_its_owner_is_taken_while_the_fault_is_there(world: World):
    world.scheduler.person_drains(NODE, "new cables")
    await world.lose_gpu()
    await world.passes(60)
    world.scheduler.person_resumes(NODE)
    await world.until_step(Step.DONE)
    assert world.verbs == WHOLE_WAY


async def test_a_second_fault_rides_along_and_the_further_remedy_wins(world: World):
    world.scheduler.start_job(NODE)
    await world.lose_gpu(remedy="reset")
    await world.until_step(Step.DRAINING)
    second = replace(world.agent.condition("Ecc", family="ecc"), subject=gpu_subject(GPUS[5]))
    await world.agent.change(second)
    await world.once()
    await world.once()
    assert len(world.remediation.incidents) == 2
    assert world.remediation.remedy.id == "reboot"


async def test_a_fault_that_may_only_be_watched_strengthens_nothing(world: World):
    world.scheduler.start_job(NODE)
    await world.lose_gpu(remedy="reset")
    await world.until_step(Step.DRAINING)
    watched = replace(world.agent.condition("Ecc", mode=Mode.OBSERVE), subject=gpu_subject(GPUS[5]))
    await world.agent.change(watched)
    await world.passes(30)
    assert len(world.remediation.incidents) == 1
    assert world.remediation.remedy.id == "reset"


async def test_an_injected_fault_acts_only_where_drills_are_allowed(tmp_path: Path):
    world = World.at(tmp_path)
    await world.start()
    await world.lose_gpu(synthetic=True)
    await world.passes(60)
    assert world.verbs == []
    await world.stop()
    world.policy = replace(world.policy, accept_synthetic=True)
    await world.start()
    await world.until_step(Step.DONE)
    assert world.verbs == WHOLE_WAY
    await world.stop()


async def test_a_fault_of_an_earlier_boot_opens_nothing(world: World):
    await world.lose_gpu(boot_id="boot-0")
    assert world.node.incidents == {}


async def test_old_evidence_begins_nothing(world: World):
    world.clock.advance(86_400)
    world.agent.heartbeat()
    old = world.clock.now().wall - 80_000
    await world.lose_gpu(observed_at=old, since=old)
    await world.passes(60)
    assert world.verbs == []
    assert world.incident.decision is not None
    assert world.incident.decision.held_by == ("freshness",)


async def test_a_silent_agent_is_not_rebooted(world: World):
    job = world.scheduler.start_job(NODE)
    await world.lose_gpu()
    await world.until_step(Step.DRAINING)
    world.agent.gateway = None  # the network is gone: neither heartbeats nor an end of the stream arrive
    world.scheduler.end_job(NODE, job)
    await world.until_step(Step.QUARANTINED)
    assert world.verbs == ["cordon"]


async def test_a_wall_clock_that_is_set_forward_hurries_nothing(world: World):
    world.scheduler.start_job(NODE)
    await world.lose_gpu()
    await world.until_step(Step.DRAINING)
    deadline = world.remediation.step_deadline
    assert deadline - world.clock.now().wall > 86_400
