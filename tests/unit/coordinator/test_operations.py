"""What operators may ask, and what comes of it."""

import asyncio
from dataclasses import replace

import pytest
from tests.fakes.agent import GPUS
from tests.fakes.orchestrator import Fault
from tests.fakes.words import a_signal, an_event
from tests.fakes.world import NODE, World

from sickbay.coordinator.watchers import QUEUE_LIMIT
from sickbay.core.conditions import Mode, Severity
from sickbay.core.devices import Inventory, gpu_subject
from sickbay.core.ids import IncidentId, NodeName
from sickbay.core.incidents import Incident
from sickbay.core.ledger import LedgerQuery
from sickbay.core.orchestration import Ownership
from sickbay.core.outcomes import Verdict
from sickbay.core.remediation import Remediation, Step
from sickbay.rpc.ports import EventQuery, NotFound, Refused

NOBODY = NodeName("nobody")


async def test_the_fleet_in_figures(world: World):
    await world.lose_gpu()
    await world.until_step(Step.DRAINING)
    seen = await world.parts.operations.fleet()
    assert (seen.nodes, seen.connected, seen.open_incidents, seen.active_remediations) == (1, 1, 1, 1)
    assert (seen.mode, seen.orchestrator, seen.coordinator) == (Mode.ACT, "fake", "coordinator-1")


async def test_a_node_in_a_line_and_whole(world: World):
    await world.lose_gpu()
    await world.until_step(Step.DRAINING)
    await world.parts.watch.look([NODE])
    (line,) = await world.parts.operations.nodes()
    assert (line.gpus, line.worst, line.open_conditions) == (8, Severity.FATAL, 1)
    assert (line.ownership, line.schedulable) == (Ownership.OURS, False)
    assert line.remediation is not None
    whole = await world.parts.operations.node(NODE)
    assert whole.inventory.gpus == GPUS
    assert [c.type for c in whole.conditions] == ["GpuLost"]
    assert len(whole.readings) == 8
    assert whole.incidents == (world.incident,)


async def test_an_incident_whole_by_the_beginning_of_its_id(world: World):
    session = world.agent.session
    assert session is not None
    await world.lose_gpu()
    what = replace(a_signal(raw="NVRM: Xid 79"), subject=gpu_subject(GPUS[0]))
    line = replace(an_event(1, what), at=world.clock.now().wall)
    await world.parts.gateway.events(session, [line])
    await world.until_step(Step.DRAINING)
    for name in (world.incident.id, world.incident.id[:8], world.incident.id[4:9]):
        whole = await world.parts.operations.incident(IncidentId(name))
        assert whole.incident == world.incident
    assert whole.remediation == world.remediation
    assert [c.type for c in whole.conditions] == ["GpuLost"]
    assert [e.id for e in whole.events] == [line.id]


async def test_names_that_are_not_known_are_said_not_to_be(world: World):
    operations = world.parts.operations
    with pytest.raises(NotFound, match="no node 'nobody'"):
        await operations.node(NOBODY)
    with pytest.raises(NotFound, match="no incident 'inc-zz'"):
        await operations.incident(IncidentId("inc-zz"))
    with pytest.raises(NotFound):
        await operations.events(EventQuery(node=NOBODY))
    with pytest.raises(NotFound):
        await operations.cordon(NOBODY, reason="", operator="alice")
    with pytest.raises(NotFound):
        await operations.give_back(NOBODY, operator="alice")
    with pytest.raises(NotFound):
        operations.watch(NOBODY)


async def test_a_persons_cordon_is_a_persons_and_ends_what_runs(world: World):
    world.scheduler.start_job(NODE)
    await world.lose_gpu()
    await world.until_step(Step.DRAINING)
    outcome = await world.parts.operations.cordon(NODE, reason="the fan\nrattles", operator="alice")
    assert outcome.verdict is Verdict.DONE
    assert world.scheduler.nodes[NODE].reason == "operator alice: the fan rattles"
    assert world.step is Step.CANCELLED
    await world.passes(600)
    assert world.verbs == ["cordon"]


async def test_a_person_gives_back_what_we_held_and_we_keep_off(world: World):
    world.scheduler.start_job(NODE)
    await world.lose_gpu()
    await world.until_step(Step.DRAINING)
    assert (await world.parts.operations.give_back(NODE, operator="alice")).verdict is Verdict.DONE
    assert world.scheduler.nodes[NODE].reason == ""
    assert (world.step, world.incident.snoozed) == (Step.CANCELLED, True)
    await world.passes(600)
    assert world.verbs == ["cordon"]
    ledger = [line.entry for line in await world.parts.fleet.store.ledger(LedgerQuery(node=NODE, limit=100))]
    assert [e.what for e in ledger if e.who == "operator alice"] == ["remediation cancelled", "return"]


async def test_a_person_gives_back_what_was_cordoned_through_us(world: World):
    await world.parts.operations.cordon(NODE, reason="a fan", operator="alice")
    assert (await world.parts.operations.give_back(NODE, operator="bob")).verdict is Verdict.DONE
    assert world.scheduler.nodes[NODE].reason == ""


async def test_what_someone_holds_in_the_scheduler_is_not_given_back(world: World):
    world.scheduler.person_drains(NODE, "new cables")
    outcome = await world.parts.operations.give_back(NODE, operator="alice")
    assert outcome.verdict is Verdict.FAILED
    assert world.scheduler.nodes[NODE].reason == "new cables"


async def test_nothing_is_given_back_while_the_scheduler_does_not_answer(world: World):
    world.scheduler.looks_fail = True
    outcome = await world.parts.operations.give_back(NODE, operator="alice")
    assert outcome.verdict is Verdict.UNKNOWN


async def test_a_person_ends_a_quarantine_and_answers_for_what_the_node_has(world: World):
    world.scheduler.will("reboot", Fault.REFUSED)
    await world.lose_gpu()
    await world.until_step(Step.QUARANTINED)
    world.agent.inventory = Inventory(gpus=GPUS[1:], nvml="simulated")
    await world.parts.operations.give_back(NODE, operator="alice")
    assert not world.node.is_quarantined
    world.agent.conditions.clear()
    await world.agent.tell_all()
    assert world.node.record.baseline == Inventory(gpus=GPUS[1:], nvml="simulated")


async def test_a_return_waits_for_an_effect_that_is_under_way(world: World):
    await world.node.effecting.acquire()
    returning = asyncio.create_task(world.parts.operations.cordon(NODE, reason="a fan", operator="alice"))
    done, _ = await asyncio.wait({returning}, timeout=0.05)
    assert not done
    world.node.effecting.release()
    assert (await returning).verdict is Verdict.DONE


async def test_a_watcher_sees_what_is_open_and_then_each_change(world: World):
    await world.lose_gpu()
    seen: list[str] = []

    async def look_on() -> None:
        async for change in world.parts.operations.watch(NODE):
            match change:
                case Remediation():
                    seen.append(change.step.value)
                case Incident():
                    seen.append("open" if change.is_open else "closed")

    looking = asyncio.create_task(look_on())
    await asyncio.sleep(0)
    await world.until_step(Step.DONE)
    world.parts.fleet.watchers.end()
    await looking
    assert seen[0] == "open"
    steps = [step for step in dict.fromkeys(seen) if step not in {"open", "closed"}]
    assert steps == ["cordoning", "draining", "evidence", "repairing", "validating", "returning", "done"]
    assert seen[-1] in {"closed", "done"}


async def test_a_watcher_that_does_not_keep_up_is_told_so_and_holds_nobody_up(world: World):
    watching = world.parts.operations.watch(NODE)
    await world.lose_gpu()
    assert await anext(watching)
    for _ in range(QUEUE_LIMIT + 1):
        world.node.put_incident(world.incident)
        await world.parts.fleet.commit(world.node)
    with pytest.raises(Refused, match="watch again"):
        async for _ in watching:
            pass
