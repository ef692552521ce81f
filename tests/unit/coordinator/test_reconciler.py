"""One node's way through the coordinator, over a fake scheduler and a fake agent."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.fakes.agent import GPUS, FakeAgent
from tests.fakes.orchestrator import Fault
from tests.fakes.world import NODE, World

from sickbay.core.conditions import Mode, Severity, Status
from sickbay.core.devices import Inventory, gpu_subject
from sickbay.core.ids import RuleId
from sickbay.core.messages import Verb
from sickbay.core.milestones import MARKS
from sickbay.core.remediation import Step

WHOLE_WAY = ["cordon", "reboot", "return_to_service"]


def verbs(world: World) -> list[str]:
    return [verb for verb, _ in world.effects]


@pytest.fixture
async def world(tmp_path: Path):
    made = World.at(tmp_path)
    await made.start()
    yield made
    await made.stop()


async def passes(world: World, seconds: float) -> None:
    """Let the node be looked at for so long."""
    end = world.clock.now().mono + seconds
    while world.clock.now().mono < end:
        await world.once()


@pytest.mark.parametrize("scheduler_reboots", [True, False], ids=["scheduler reboots", "agent reboots"])
async def test_a_lost_gpu_goes_the_whole_way_and_the_node_comes_back(tmp_path: Path, scheduler_reboots: bool):  # noqa: FBT001 - a case of the table
    world = World.at(tmp_path, scheduler_reboots=scheduler_reboots)
    await world.start()
    await world.lose_gpu()
    await world.until_step(Step.DONE)
    assert sorted(verbs(world)) == WHOLE_WAY
    assert world.agent.boot == 2
    assert world.incident.closed_because == "repaired and validated"
    await world.stop()


async def test_every_milestone_is_reached_in_order(world: World):
    await world.lose_gpu()
    await world.until_step(Step.DONE)
    reached = [getattr(world.incident.milestones, mark) for mark in MARKS]
    assert None not in reached
    assert reached == sorted(reached)


async def test_a_running_job_is_waited_for(world: World):
    job = world.scheduler.start_job(NODE)
    await world.lose_gpu()
    await world.until_step(Step.DRAINING)
    await passes(world, 3_600)
    assert (world.step, verbs(world)) == (Step.DRAINING, ["cordon"])
    world.scheduler.end_job(NODE, job)
    await world.until_step(Step.DONE)
    assert verbs(world) == WHOLE_WAY


async def test_a_scheduler_that_does_not_answer_is_not_a_drained_node(world: World):
    await world.lose_gpu()
    await world.until_step(Step.DRAINING)
    world.scheduler.looks_fail = True
    await passes(world, 600)
    assert (world.step, verbs(world)) == (Step.DRAINING, ["cordon"])
    world.scheduler.looks_fail = False
    await world.until_step(Step.DONE)


@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.PROPOSE])
async def test_a_rule_that_may_not_act_leaves_a_stored_decision_and_an_untouched_node(
    tmp_path: Path, mode: Mode
):
    world = World.at(tmp_path, mode=mode)
    await world.start()
    await world.lose_gpu()
    await passes(world, 100)
    assert verbs(world) == []
    assert world.incident.decision is not None
    assert world.incident.decision.held_by == ("mode",)
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
    await passes(world, 60)
    assert verbs(world) == []
    assert world.incident.decision is not None
    assert world.incident.decision.held_by == ("owner",)
    assert world.scheduler.nodes[NODE].reason == "new cables, back at noon"


async def test_a_node_freed_by_its_owner_is_taken_while_the_fault_is_there(world: World):
    world.scheduler.person_drains(NODE, "new cables")
    await world.lose_gpu()
    await passes(world, 60)
    world.scheduler.person_resumes(NODE)
    await world.until_step(Step.DONE)
    assert verbs(world) == WHOLE_WAY


async def test_a_person_who_resumes_the_node_in_mid_drain_stops_everything(world: World):
    world.scheduler.start_job(NODE)
    await world.lose_gpu()
    await world.until_step(Step.DRAINING)
    world.scheduler.person_resumes(NODE)
    await world.until_step(Step.CANCELLED)
    await passes(world, 3_600)
    assert verbs(world) == ["cordon"]
    assert world.incident.snoozed
    assert world.incident.is_open
    assert world.scheduler.nodes[NODE].reason == ""


async def test_a_person_who_drains_the_node_themselves_stops_everything_and_keeps_their_drain(world: World):
    world.scheduler.start_job(NODE)
    await world.lose_gpu()
    await world.until_step(Step.DRAINING)
    world.scheduler.person_drains(NODE, "mine now")
    await world.until_step(Step.CANCELLED)
    await passes(world, 600)
    assert verbs(world) == ["cordon"]
    assert world.scheduler.nodes[NODE].reason == "mine now"


async def test_the_same_fault_told_anew_stays_with_the_person_who_took_the_node_back(world: World):
    world.scheduler.start_job(NODE)
    await world.lose_gpu()
    await world.until_step(Step.DRAINING)
    world.scheduler.person_resumes(NODE)
    await world.until_step(Step.CANCELLED)
    await world.agent.change(replace(world.agent.condition(), status=Status.FALSE))
    world.clock.advance(60)
    await world.lose_gpu()
    await passes(world, 600)
    assert verbs(world) == ["cordon"]
    assert all(incident.snoozed for incident in world.node.incidents.values())


async def test_a_fault_that_goes_away_in_mid_drain_is_proved_away_and_not_repaired(world: World):
    world.scheduler.start_job(NODE)
    await world.lose_gpu()
    await world.until_step(Step.DRAINING)
    await world.agent.change(replace(world.agent.condition(), status=Status.FALSE))
    await world.until_step(Step.DONE)
    assert verbs(world) == ["cordon", "return_to_service"]
    assert world.agent.boot == 1


async def test_a_condition_that_becomes_unknown_neither_ends_nor_returns_anything(world: World):
    job = world.scheduler.start_job(NODE)
    await world.lose_gpu()
    await world.until_step(Step.DRAINING)
    await world.agent.change(replace(world.agent.condition(), status=Status.UNKNOWN))
    await passes(world, 600)
    assert world.step is Step.DRAINING
    world.scheduler.end_job(NODE, job)
    await world.until_step(Step.DONE)
    assert verbs(world) == WHOLE_WAY


async def test_a_node_that_boots_by_itself_in_mid_drain_is_proved_and_not_booted_again(world: World):
    world.scheduler.start_job(NODE)
    await world.lose_gpu()
    await world.until_step(Step.DRAINING)
    await world.agent.go_down()
    await world.until_step(Step.DONE)
    assert verbs(world) == ["cordon", "return_to_service"]
    assert world.agent.boot == 2


async def test_a_gpu_that_does_not_come_back_sends_the_node_to_a_person(world: World):
    world.still_after_boot = _loses_a_gpu
    await world.lose_gpu()
    await world.until_step(Step.QUARANTINED)
    assert verbs(world) == ["cordon", "reboot"]
    assert "1 of 8 GPUs are missing: 0000:00:00" in world.remediation.history[-1].detail
    assert world.scheduler.nodes[NODE].reason != ""


def _loses_a_gpu(agent: FakeAgent) -> tuple[()]:
    agent.inventory = Inventory(gpus=GPUS[1:], nvml="simulated")
    return ()


async def test_a_fault_that_comes_back_after_the_boot_climbs_the_ladder_at_once(world: World):
    world.still_after_boot = lambda agent: (agent.condition(),)
    await world.lose_gpu()
    await world.until_step(Step.QUARANTINED)
    assert verbs(world) == ["cordon", "reboot"]
    assert "the fault came back" in world.remediation.history[-1].detail


async def test_a_quarantined_node_is_touched_no_more_whatever_it_reports(world: World):
    world.still_after_boot = lambda agent: (agent.condition(),)
    await world.lose_gpu()
    await world.until_step(Step.QUARANTINED)
    other = replace(world.agent.condition("Ecc", family="ecc"), subject=gpu_subject(GPUS[3]))
    await world.agent.change(other)
    await passes(world, 600)
    assert verbs(world) == ["cordon", "reboot"]
    assert any("quarantine" in i.decision.held_by for i in world.node.open_incidents if i.decision)


async def test_a_quarantine_ends_when_a_person_resumes_the_node(world: World):
    world.still_after_boot = lambda agent: (agent.condition(),)
    await world.lose_gpu()
    await world.until_step(Step.QUARANTINED)
    world.scheduler.person_resumes(NODE)
    await world.until(lambda: not world.node.is_quarantined, within=100)
    assert all(incident.snoozed for incident in world.node.open_incidents)


async def test_a_quarantine_outlives_the_coordinator(world: World):
    world.still_after_boot = lambda agent: (agent.condition(),)
    await world.lose_gpu()
    await world.until_step(Step.QUARANTINED)
    await world.stop()
    await world.start()
    assert world.node.is_quarantined


async def test_a_driver_that_still_asks_for_a_recovery_is_not_given_back(world: World):
    def asks_on(agent: FakeAgent) -> tuple[()]:
        agent.recovery = "NODE_REBOOT"
        return ()

    world.still_after_boot = asks_on
    await world.lose_gpu()
    await world.until_step(Step.QUARANTINED)
    assert "the driver asks for NODE_REBOOT" in world.remediation.history[-1].detail


async def test_a_driver_that_no_longer_answers_is_not_given_back(world: World):
    def falls_silent(agent: FakeAgent) -> tuple[()]:
        agent.recovery = None
        return ()

    world.still_after_boot = falls_silent
    await world.lose_gpu()
    await world.until_step(Step.QUARANTINED)
    assert "does not say what" in world.remediation.history[-1].detail


async def test_a_driver_that_never_knew_recovery_actions_is_no_obstacle(tmp_path: Path):
    world = World.at(tmp_path)
    world.agent.recovery = None
    await world.start()
    await world.lose_gpu()
    await world.until_step(Step.DONE)
    await world.stop()


async def test_an_unrelated_warning_after_the_boot_keeps_the_node_out(world: World):
    world.still_after_boot = lambda agent: (
        agent.condition(
            "PcieNarrow", family="pcie", severity=Severity.WARNING, remedy="", rule=RuleId("pcie")
        ),
    )
    await world.lose_gpu()
    await world.until_step(Step.QUARANTINED)
    assert "still open: PcieNarrow" in world.remediation.history[-1].detail


async def test_a_node_that_was_never_seen_well_cannot_be_proved_complete(tmp_path: Path):
    world = World.at(tmp_path)
    world.agent.conditions = {c.key: c for c in [world.agent.condition()]}
    await world.start()
    await world.until_step(Step.QUARANTINED)
    assert "never seen well" in world.remediation.history[-1].detail
    await world.stop()


async def test_a_ladder_is_climbed_past_what_this_version_cannot_do(world: World):
    await world.lose_gpu(remedy="reset")
    await world.until_step(Step.DONE)
    assert verbs(world) == WHOLE_WAY
    assert "reset_gpu is not available" in " ".join(r.detail for r in world.remediation.history)


async def test_a_remedy_that_asks_for_a_person_cordons_drains_and_stops(world: World):
    await world.lose_gpu(remedy="quarantine")
    await world.until_step(Step.QUARANTINED)
    assert verbs(world) == ["cordon"]


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
    await passes(world, 30)
    assert len(world.remediation.incidents) == 1
    assert world.remediation.remedy.id == "reset"


async def test_an_injected_fault_acts_only_where_drills_are_allowed(tmp_path: Path):
    world = World.at(tmp_path)
    await world.start()
    await world.lose_gpu(synthetic=True)
    await passes(world, 60)
    assert verbs(world) == []
    await world.stop()
    world.policy = replace(world.policy, accept_synthetic=True)
    await world.start()
    await world.until_step(Step.DONE)
    assert verbs(world) == WHOLE_WAY
    await world.stop()


async def test_a_fault_of_an_earlier_boot_opens_nothing(world: World):
    await world.lose_gpu(boot_id="boot-0")
    assert world.node.incidents == {}


async def test_old_evidence_begins_nothing(world: World):
    world.clock.advance(86_400)
    world.agent.heartbeat()
    old = world.clock.now().wall - 80_000
    await world.lose_gpu(observed_at=old, since=old)
    await passes(world, 60)
    assert verbs(world) == []
    assert world.incident.decision is not None
    assert world.incident.decision.held_by == ("freshness",)


async def test_a_silent_agent_is_not_rebooted(world: World):
    job = world.scheduler.start_job(NODE)
    await world.lose_gpu()
    await world.until_step(Step.DRAINING)
    world.agent.gateway = None  # the network is gone: neither heartbeats nor an end of the stream arrive
    world.scheduler.end_job(NODE, job)
    await world.until_step(Step.QUARANTINED)
    assert verbs(world) == ["cordon"]


async def test_a_lost_answer_to_the_cordon_is_found_out_by_looking(world: World):
    world.scheduler.will("cordon", Fault.REPLY_LOST)
    await world.lose_gpu()
    await world.until_step(Step.DONE)
    assert verbs(world) == WHOLE_WAY


async def test_a_reboot_that_is_refused_is_failed_and_never_in_progress(world: World):
    world.scheduler.will("reboot", Fault.REFUSED)
    await world.lose_gpu()
    await world.until_step(Step.QUARANTINED)
    assert verbs(world) == ["cordon"]


async def test_a_cordon_that_is_refused_is_not_tried_again_and_again(world: World):
    world.scheduler.will("cordon", Fault.REFUSED, times=100)
    await world.lose_gpu()
    await world.until_step(Step.CANCELLED)
    await passes(world, 600)
    assert len(await world.parts.fleet.store.attempts(world.remediation.id)) == 2


async def test_evidence_that_cannot_be_had_holds_nothing_up(world: World):
    world.agent.deaf = frozenset({Verb.COLLECT_EVIDENCE})
    await world.lose_gpu()
    await world.until_step(Step.DONE)
    assert verbs(world) == WHOLE_WAY


async def test_evidence_is_asked_for_before_the_reboot_and_a_sweep_after_it(world: World):
    await world.lose_gpu()
    await world.until_step(Step.DONE)
    assert [d.verb for d in world.agent.asked] == [Verb.COLLECT_EVIDENCE, Verb.SWEEP]
    evidence, sweep = world.agent.asked
    assert evidence.target == world.incident.id
    assert (evidence.grant.boot_id, sweep.grant.boot_id) == ("boot-1", "boot-2")


async def test_a_node_stays_out_until_the_agent_has_read_everything_anew(world: World):
    world.agent.deaf = frozenset({Verb.SWEEP})
    await world.lose_gpu()
    await world.until_step(Step.VALIDATING)
    await passes(world, 120)
    assert world.step is Step.VALIDATING
    world.agent.deaf = frozenset()
    await world.until_step(Step.DONE)


async def test_a_wall_clock_that_is_set_forward_hurries_nothing(world: World):
    world.scheduler.start_job(NODE)
    await world.lose_gpu()
    await world.until_step(Step.DRAINING)
    deadline = world.remediation.step_deadline
    assert deadline - world.clock.now().wall > 86_400


async def test_the_ledger_tells_the_whole_story(world: World):
    await world.lose_gpu()
    await world.until_step(Step.DONE)
    ledger = await world.parts.fleet.store.ledger(node=NODE, incident=world.incident.id, limit=100)
    said = [entry.what for entry in ledger]
    assert said[0] == "incident opened"
    assert "gates let through" in said
    assert [w for w in said if w.endswith(("begun", "done"))][:2] == ["cordon begun", "cordon done"]
    assert said.index("reboot begun") < said.index("reboot done") < said.index("return done")
    assert {entry.who for entry in ledger} == {"coordinator"}
    assert all(entry.rule == "gpu-lost" for entry in ledger if entry.remediation)


async def repaired(world: World, times: int) -> None:
    """The node breaks, and goes the whole way for the `times`-th time."""
    await world.lose_gpu()
    await world.until(lambda: verbs(world) == WHOLE_WAY * times and world.step is Step.DONE)


async def test_a_node_that_was_repaired_too_often_of_late_goes_to_a_person(world: World):
    await repaired(world, 1)
    await repaired(world, 2)
    await world.lose_gpu()
    await world.until_step(Step.QUARANTINED)
    assert verbs(world) == [*WHOLE_WAY, *WHOLE_WAY, "cordon"]
    assert "2 repairs within 1d0h" in world.remediation.history[-1].detail


async def test_a_node_that_was_repaired_long_ago_is_repaired_again(world: World):
    for times in (1, 2, 3):
        await repaired(world, times)
        world.clock.advance(90_000)
        world.agent.heartbeat()
