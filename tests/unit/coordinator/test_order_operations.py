"""What people say of a node, and what becomes of it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.fakes.world import NODE, World

from sickbay.core.conditions import Mode
from sickbay.core.ids import IncidentId
from sickbay.core.ledger import LedgerQuery
from sickbay.core.order_views import NewOrder
from sickbay.core.orders import OrderKind
from sickbay.core.remediation import ActionKind, Step
from sickbay.rpc.ports import NotFound, Refused

WHOLE_WAY = ["cordon", "reboot", "return_to_service"]


@pytest.fixture
async def proposing(tmp_path: Path) -> AsyncIterator[World]:
    """A cluster in which every repair is for a person to approve."""
    made = World.at(tmp_path, mode=Mode.PROPOSE)
    await made.start()
    yield made
    await made.stop()


async def approve(world: World) -> None:
    await world.parts.orders.approve(world.incident.id, operator="ann", reason="seen it")


async def test_a_proposal_goes_all_the_way_once_a_person_approves(proposing: World):
    await proposing.lose_gpu()
    await proposing.passes(60)
    assert (proposing.step, proposing.verbs) == (Step.PROPOSED, [])
    await approve(proposing)
    await proposing.until_step(Step.DONE)
    assert proposing.verbs == WHOLE_WAY
    ledger = [
        line.entry
        for line in await proposing.parts.fleet.store.ledger(
            LedgerQuery(node=NODE, incident=proposing.incident.id, limit=100)
        )
    ]
    said = next(entry for entry in ledger if entry.what == "approved")
    assert (said.who, said.why) == ("operator ann", "seen it")


async def test_an_approval_outlives_the_coordinator(proposing: World):
    await proposing.lose_gpu()
    await proposing.passes(60)
    await approve(proposing)
    await proposing.stop()
    await proposing.start()
    await proposing.until_step(Step.DONE)


async def test_an_approval_that_nobody_could_use_in_time_lapses(proposing: World):
    await proposing.lose_gpu()
    proposing.scheduler.person_drains(NODE, "mine for now")
    await proposing.passes(60)
    await approve(proposing)
    await proposing.passes(proposing.policy.approval_life + 60)
    proposing.scheduler.person_resumes(NODE)
    await proposing.passes(120)
    assert proposing.verbs == []


async def test_a_denied_proposal_is_withdrawn_and_not_made_again(proposing: World):
    await proposing.lose_gpu()
    await proposing.until_step(Step.PROPOSED)
    await proposing.parts.orders.deny(proposing.incident.id, operator="ann", reason="RMA 4711")
    await proposing.passes(300)
    assert (proposing.step, proposing.verbs) == (Step.CANCELLED, [])
    assert proposing.incident.decision is not None
    assert "denied by ann: RMA 4711" in proposing.incident.decision.why_held
    await approve(proposing)
    await proposing.until_step(Step.DONE)


async def test_what_is_above_the_configured_severity_waits_with_the_node_out_and_drained(tmp_path: Path):
    world = World.at(tmp_path)
    world.policy = replace(world.policy, approve_from=ActionKind.REBOOT)
    await world.start()
    await world.lose_gpu()
    await world.passes(4_000)
    assert (world.step, world.verbs) == (Step.REPAIRING, ["cordon"])
    await approve(world)
    await world.until_step(Step.DONE)
    assert world.verbs == WHOLE_WAY
    await world.stop()


async def test_a_node_whose_repair_is_denied_stays_out_and_waits_for_a_person(tmp_path: Path):
    world = World.at(tmp_path)
    world.policy = replace(world.policy, approve_from=ActionKind.REBOOT)
    await world.start()
    await world.lose_gpu()
    await world.until_step(Step.REPAIRING)
    await world.parts.orders.deny(world.incident.id, operator="ann", reason="parts are coming")
    await world.passes(300)
    assert (world.step, world.verbs) == (Step.QUARANTINED, ["cordon"])
    await world.stop()


async def test_a_word_that_never_comes_leaves_the_node_to_a_person(tmp_path: Path):
    world = World.at(tmp_path)
    world.policy = replace(world.policy, approve_from=ActionKind.REBOOT, approval_wait=600.0)
    await world.start()
    await world.lose_gpu()
    await world.until_step(Step.QUARANTINED)
    assert world.verbs == ["cordon"]
    await world.stop()


async def test_there_is_nothing_to_approve_where_nothing_would_be_done(tmp_path: Path):
    world = World.at(tmp_path, mode=Mode.OBSERVE)
    await world.start()
    await world.lose_gpu()
    with pytest.raises(Refused, match="the cluster observe"):
        await approve(world)
    with pytest.raises(NotFound):
        await world.parts.orders.approve(IncidentId("inc-none"), operator="ann", reason="")
    await world.stop()


async def test_an_order_over_a_part_that_is_not_there_is_refused(world: World):
    with pytest.raises(NotFound, match="no known node stands in rack:r9"):
        await world.parts.orders.give(
            NewOrder(kind=OrderKind.PAUSE, area="rack:r9", reason=""), operator="ann"
        )
    with pytest.raises(Refused, match="must end after it begins"):
        await world.parts.orders.give(
            NewOrder(kind=OrderKind.MAINTENANCE, area="fleet", reason="", begins_at=1.0, length=60.0),
            operator="ann",
        )
    with pytest.raises(NotFound, match="no order 'fleet'; there is: none"):
        await world.parts.orders.end("fleet", operator="ann", reason="")


async def test_a_pause_outlives_the_coordinator_and_ends_by_itself(world: World):
    await world.parts.orders.give(
        NewOrder(kind=OrderKind.PAUSE, area=f"node:{NODE}", reason="mine", length=900.0), operator="ann"
    )
    await world.stop()
    await world.start()
    await world.lose_gpu()
    await world.passes(600)
    assert world.verbs == []
    assert world.incident.decision is not None
    assert world.incident.decision.held_by == ("pause",)
    await world.passes(400)
    await world.agent.change(world.agent.condition())
    await world.until_step(Step.DONE)


async def test_the_budget_shows_who_is_out(world: World):
    world.scheduler.start_job(NODE)
    await world.lose_gpu()
    await world.until_step(Step.DRAINING)
    (view,) = await world.parts.orders.budgets()
    assert (view.share.group, view.share.out, view.share.lately, view.nodes) == (
        "pool:default",
        1,
        1,
        (NODE,),
    )


async def test_a_fault_that_comes_back_at_once_waits_for_the_cool_down(world: World):
    await world.lose_gpu()
    await world.until_step(Step.DONE)
    await world.once()
    await world.lose_gpu()
    await world.passes(120)
    assert world.verbs == WHOLE_WAY
    opened = [i for i in world.node.open_incidents if i.decision is not None]
    assert [i.decision.held_by for i in opened if i.decision] == [("attempts",)]
    await world.passes(world.policy.cool_down)
    await world.until_step(Step.DONE)
    assert world.verbs.count("reboot") == 2
