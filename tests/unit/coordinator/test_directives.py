"""Asking an agent, and what a lost answer is."""

import asyncio

import pytest
from tests.fakes.world import World

from sickbay.coordinator.directives import Directives, Request
from sickbay.core.ids import ActionId
from sickbay.core.messages import ActionReport, Verb
from sickbay.core.outcomes import Outcome

ASKED = Request(verb=Verb.REBOOT, action=ActionId("rem-1/0/reboot"), term=7, deadline=15.0)
REPORT = ActionReport(action_id=ASKED.action, outcome=Outcome.failed("no such command"), at=1.0)


@pytest.fixture
def directives(world: World) -> Directives:
    return Directives(world.clock)


async def asked(world: World, directives: Directives) -> "asyncio.Task[Outcome]":
    world.agent.deaf = frozenset(Verb)
    task = asyncio.create_task(directives.ask(world.node, ASKED))
    while world.clock.next_wake is None:
        await asyncio.sleep(0)
    return task


async def test_the_agents_answer_is_the_outcome(world: World, directives: Directives):
    task = await asked(world, directives)
    directives.heard(world.node, REPORT)
    assert await task == REPORT.outcome


async def test_a_grant_names_its_node_boot_term_and_end(world: World, directives: Directives):
    task = await asked(world, directives)
    grant = world.agent.asked[0].grant
    assert (grant.action_id, grant.node, grant.boot_id, grant.term) == (ASKED.action, "gpu-1", "boot-1", 7)
    assert grant.expires_at == world.clock.now().wall + 60.0
    task.cancel()


async def test_no_answer_in_time_is_unknown(world: World, directives: Directives):
    task = await asked(world, directives)
    world.clock.advance(15.0)
    assert await task == Outcome.unknown("no answer within 15 s")


async def test_a_stream_that_ends_before_the_answer_leaves_it_unknown(world: World, directives: Directives):
    task = await asked(world, directives)
    directives.lost(world.node)
    assert await task == Outcome.unknown("the agent's stream ended before it answered")


async def test_an_agent_that_is_not_connected_is_asked_later(world: World, directives: Directives):
    await world.agent.disconnect()
    assert await directives.ask(world.node, ASKED) == Outcome.retry("the agent is not connected")


async def test_an_answer_that_nobody_waits_for_is_kept(world: World, directives: Directives):
    directives.heard(world.node, REPORT)
    assert await directives.ask(world.node, ASKED) == REPORT.outcome
    assert world.agent.asked == []


async def test_answers_that_nobody_asks_for_do_not_pile_up(world: World, directives: Directives):
    for number in range(100):
        report = ActionReport(action_id=ActionId(f"a{number}"), outcome=Outcome.done(), at=1.0)
        directives.heard(world.node, report)
    assert len(world.node.reports) == 16
