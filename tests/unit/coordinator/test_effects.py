"""What is done to a node, and what it must show before it comes back."""

from dataclasses import replace
from pathlib import Path

from tests.fakes.agent import GPUS, FakeAgent
from tests.fakes.orchestrator import Fault
from tests.fakes.world import NODE, World

from sickbay.core.conditions import Severity, Status
from sickbay.core.devices import Inventory, Scope, Subject
from sickbay.core.ids import RuleId
from sickbay.core.messages import Verb
from sickbay.core.remediation import Step

WHOLE_WAY = ["cordon", "reboot", "return_to_service"]


async def test_a_gpu_that_does_not_come_back_sends_the_node_to_a_person(world: World):
    world.still_after_boot = _loses_a_gpu
    await world.lose_gpu()
    await world.until_step(Step.QUARANTINED)
    assert world.verbs == ["cordon", "reboot"]
    assert "1 of 8 GPUs are missing: 0000:00:00" in world.remediation.history[-1].detail
    assert world.scheduler.nodes[NODE].reason != ""


def _loses_a_gpu(agent: FakeAgent) -> tuple[()]:
    agent.inventory = Inventory(gpus=GPUS[1:], nvml="simulated")
    return ()


async def test_a_fault_that_comes_back_after_the_boot_climbs_the_ladder_at_once(world: World):
    world.still_after_boot = lambda agent: (agent.condition(),)
    await world.lose_gpu()
    await world.until_step(Step.QUARANTINED)
    assert world.verbs == ["cordon", "reboot"]
    assert "the fault came back" in world.remediation.history[-1].detail


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


async def test_a_reset_that_mends_the_gpu_brings_the_node_back_without_a_reboot(world: World):
    await world.lose_gpu(remedy="reset")
    while Verb.RESET_GPU not in {directive.verb for directive in world.agent.asked}:
        await world.once()
    await world.agent.change(replace(world.agent.condition(remedy="reset"), status=Status.FALSE))
    await world.until_step(Step.DONE)
    assert world.verbs == ["cordon", "return_to_service"]
    (reset,) = [directive for directive in world.agent.asked if directive.verb is Verb.RESET_GPU]
    assert (reset.target, reset.grant.boot_id) == (GPUS[0].pci, "boot-1")
    assert "the same boot" in " ".join(r.detail for r in world.remediation.history)


async def test_a_reset_that_leaves_the_fault_climbs_to_the_reboot(world: World):
    await world.lose_gpu(remedy="reset")
    await world.until_step(Step.DONE)
    assert world.verbs == WHOLE_WAY
    assert "the fault came back" in " ".join(r.detail for r in world.remediation.history)


async def test_a_fault_that_names_no_gpu_is_not_mended_by_a_reset(world: World):
    await world.lose_gpu(remedy="reset", subject=Subject(scope=Scope.NODE))
    await world.until_step(Step.DONE)
    assert world.verbs == WHOLE_WAY
    assert Verb.RESET_GPU not in {directive.verb for directive in world.agent.asked}


async def test_a_remedy_that_asks_for_a_person_cordons_drains_and_stops(world: World):
    await world.lose_gpu(remedy="quarantine")
    await world.until_step(Step.QUARANTINED)
    assert world.verbs == ["cordon"]


async def test_a_lost_answer_to_the_cordon_is_found_out_by_looking(world: World):
    world.scheduler.will("cordon", Fault.REPLY_LOST)
    await world.lose_gpu()
    await world.until_step(Step.DONE)
    assert world.verbs == WHOLE_WAY


async def test_a_reboot_that_is_refused_is_failed_and_never_in_progress(world: World):
    world.scheduler.will("reboot", Fault.REFUSED)
    await world.lose_gpu()
    await world.until_step(Step.QUARANTINED)
    assert world.verbs == ["cordon"]


async def test_a_cordon_that_is_refused_is_not_tried_again_and_again(world: World):
    world.scheduler.will("cordon", Fault.REFUSED, times=100)
    await world.lose_gpu()
    await world.until_step(Step.CANCELLED)
    await world.passes(600)
    assert len(await world.parts.fleet.store.attempts(world.remediation.id)) == 2


async def test_evidence_that_cannot_be_had_holds_nothing_up(world: World):
    world.agent.deaf = frozenset({Verb.COLLECT_EVIDENCE})
    await world.lose_gpu()
    await world.until_step(Step.DONE)
    assert world.verbs == WHOLE_WAY


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
    await world.passes(120)
    assert world.step is Step.VALIDATING
    world.agent.deaf = frozenset()
    await world.until_step(Step.DONE)


async def test_leave_to_reboot_is_given_for_the_faulty_boot_alone(tmp_path: Path):
    world = World.at(tmp_path, scheduler_reboots=False)
    await world.start()
    await world.lose_gpu()
    await world.until_step(Step.DONE)
    (reboot,) = [directive for directive in world.agent.asked if directive.verb is Verb.REBOOT]
    assert (reboot.grant.boot_id, world.agent.boot_id) == ("boot-1", "boot-2")
    await world.stop()
