"""The course of a remediation: persons who step in, faults that come and go, ends that last."""

from dataclasses import replace

from tests.fakes.agent import GPUS
from tests.fakes.world import NODE, World

from sickbay.core.conditions import Status
from sickbay.core.devices import gpu_subject
from sickbay.core.ledger import LedgerQuery
from sickbay.core.milestones import MARKS
from sickbay.core.remediation import Step

WHOLE_WAY = ["cordon", "reboot", "return_to_service"]


async def test_every_milestone_is_reached_in_order(world: World):
    await world.lose_gpu()
    await world.until_step(Step.DONE)
    reached = [getattr(world.incident.milestones, mark) for mark in MARKS]
    assert None not in reached
    assert reached == sorted(reached)


async def test_a_person_who_resumes_the_node_in_mid_drain_stops_everything(world: World):
    world.scheduler.start_job(NODE)
    await world.lose_gpu()
    await world.until_step(Step.DRAINING)
    world.scheduler.person_resumes(NODE)
    await world.until_step(Step.CANCELLED)
    await world.passes(3_600)
    assert world.verbs == ["cordon"]
    assert world.incident.snoozed
    assert world.incident.is_open
    assert world.scheduler.nodes[NODE].reason == ""


async def test_a_person_who_drains_the_node_themselves_stops_everything_and_keeps_their_drain(world: World):
    world.scheduler.start_job(NODE)
    await world.lose_gpu()
    await world.until_step(Step.DRAINING)
    world.scheduler.person_drains(NODE, "mine now")
    await world.until_step(Step.CANCELLED)
    await world.passes(600)
    assert world.verbs == ["cordon"]
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
    await world.passes(600)
    assert world.verbs == ["cordon"]
    assert all(incident.snoozed for incident in world.node.incidents.values())


async def test_a_fault_that_goes_away_in_mid_drain_is_proved_away_and_not_repaired(world: World):
    world.scheduler.start_job(NODE)
    await world.lose_gpu()
    await world.until_step(Step.DRAINING)
    await world.agent.change(replace(world.agent.condition(), status=Status.FALSE))
    await world.until_step(Step.DONE)
    assert world.verbs == ["cordon", "return_to_service"]
    assert world.agent.boot == 1


async def test_a_condition_that_becomes_unknown_neither_ends_nor_returns_anything(world: World):
    job = world.scheduler.start_job(NODE)
    await world.lose_gpu()
    await world.until_step(Step.DRAINING)
    await world.agent.change(replace(world.agent.condition(), status=Status.UNKNOWN))
    await world.passes(600)
    assert world.step is Step.DRAINING
    world.scheduler.end_job(NODE, job)
    await world.until_step(Step.DONE)
    assert world.verbs == WHOLE_WAY


async def test_a_node_that_boots_by_itself_in_mid_drain_is_proved_and_not_booted_again(world: World):
    world.scheduler.start_job(NODE)
    await world.lose_gpu()
    await world.until_step(Step.DRAINING)
    await world.agent.go_down()
    await world.until_step(Step.DONE)
    assert world.verbs == ["cordon", "return_to_service"]
    assert world.agent.boot == 2


async def test_a_quarantined_node_is_touched_no_more_whatever_it_reports(world: World):
    world.still_after_boot = lambda agent: (agent.condition(),)
    await world.lose_gpu()
    await world.until_step(Step.QUARANTINED)
    other = replace(world.agent.condition("Ecc", family="ecc"), subject=gpu_subject(GPUS[3]))
    await world.agent.change(other)
    await world.passes(600)
    assert world.verbs == ["cordon", "reboot"]
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


async def test_the_ledger_tells_the_whole_story(world: World):
    await world.lose_gpu()
    await world.until_step(Step.DONE)
    ledger = [
        line.entry
        for line in await world.parts.fleet.store.ledger(
            LedgerQuery(node=NODE, incident=world.incident.id, limit=100)
        )
    ]
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
    await world.until(lambda: world.verbs == WHOLE_WAY * times and world.step is Step.DONE)


async def test_a_node_that_was_repaired_too_often_of_late_goes_to_a_person(world: World):
    await repaired(world, 1)
    await repaired(world, 2)
    await world.lose_gpu()
    await world.until_step(Step.QUARANTINED)
    assert world.verbs == [*WHOLE_WAY, *WHOLE_WAY, "cordon"]
    assert "2 repairs within 1d0h" in world.remediation.history[-1].detail


async def test_a_node_that_was_repaired_long_ago_is_repaired_again(world: World):
    for times in (1, 2, 3):
        await repaired(world, times)
        world.clock.advance(90_000)
        world.agent.heartbeat()
