"""An agent's link and the coordinator's server over real sockets."""

import asyncio
from pathlib import Path

from tests.fakes.agent_side import FakeAgentSide
from tests.fakes.gateway import FakeGateway
from tests.fakes.words import a_condition, a_directive
from tests.support.streams import linked, served, until

from sickbay.core.ids import ActionId
from sickbay.core.messages import ActionReport, Delta, Verb
from sickbay.core.outcomes import Outcome, Verdict
from sickbay.host.clock import SystemClock
from sickbay.rpc.agent_link import CoordinatorLink
from sickbay.rpc.coordinator_server import AgentService
from sickbay.rpc.serving import RpcServer
from sickbay.v1 import coordinator_pb2 as pb


async def test_an_agent_tells_its_history_then_its_level_then_its_changes() -> None:
    gateway, side = FakeGateway(), FakeAgentSide()
    side.happened(3)
    side.conditions["c"] = a_condition()
    async with served(gateway) as target, linked(side, target) as link:
        record = gateway.record("n1")
        await until(lambda: record.full_states and not side.spool)
        link.delta(Delta(conditions=(a_condition(type_="Hot"),), inventory=None, readings=(), at=1.0))
        link.events(side.happened())
        await until(lambda: record.deltas and not side.spool)
    assert gateway.told[:4] == ["welcome n1", "connected n1", "events n1", "full_state n1"]
    assert [event.sequence for event in record.received] == [1, 2, 3, 4]
    assert {condition.type for condition in record.conditions.values()} == {"GpuLost", "Hot"}
    assert side.welcomes[0][0].term == 3
    assert record.endings == ["the agent ended the stream"]


async def test_nothing_is_forgotten_before_the_coordinator_has_committed_it() -> None:
    gateway, side = FakeGateway(), FakeAgentSide()
    async with served(gateway) as target, linked(side, target) as link:
        await until(lambda: gateway.record("n1").full_states)
        gateway.committing.clear()
        link.events(side.happened(5))
        await asyncio.sleep(0.1)  # long enough for a wrong acknowledgement to come
        assert len(side.spool) == 5
        gateway.committing.set()
        await until(lambda: not side.spool)


async def test_a_coordinator_that_dies_in_mid_batch_gets_the_events_again_and_keeps_each_once() -> None:
    first, side = FakeGateway(), FakeAgentSide()
    side.happened(2000)
    server = RpcServer(["127.0.0.1:0"], [AgentService(first)])
    (target,) = await server.start()
    async with linked(side, target):
        await until(lambda: len(first.record("n1").events) >= 512)
        first.committing.clear()
        stopping = asyncio.create_task(server.stop(grace=0.0))
        first.committing.set()
        await stopping
        left = len(side.spool)
        assert left > 0
        second = FakeGateway()
        second.nodes = first.nodes
        async with served(second, target):
            await until(lambda: not side.spool)
    record = first.record("n1")
    assert len(record.events) == 2000
    assert len({event.id for event in record.received}) == 2000
    assert record.full_states >= 2


async def test_events_of_a_backlog_longer_than_the_window_arrive_in_order_and_once() -> None:
    gateway, side = FakeGateway(), FakeAgentSide()
    side.happened(3000)
    async with served(gateway) as target, linked(side, target) as link:
        await until(lambda: gateway.record("n1").full_states)
        for _ in range(40):
            link.events(side.happened(50))
            await asyncio.sleep(0)
        await until(lambda: not side.spool)
    assert [event.sequence for event in gateway.record("n1").received] == list(range(1, 5001))


async def test_the_level_does_not_wait_for_a_long_history() -> None:
    gateway, side = FakeGateway(), FakeAgentSide()
    side.happened(2000)
    async with served(gateway) as target, linked(side, target):
        await until(lambda: gateway.record("n1").full_states)
        assert len(gateway.record("n1").received) <= 512
        await until(lambda: not side.spool)


async def test_a_delta_of_a_time_without_a_coordinator_is_covered_by_the_full_state() -> None:
    gateway, side = FakeGateway(), FakeAgentSide()
    async with linked(side, "127.0.0.1:1") as link:
        side.conditions["c"] = a_condition()
        link.delta(Delta(conditions=(a_condition(),), inventory=None, readings=(), at=1.0))
        await until(lambda: link.trouble)
        assert not link.connected
    async with served(gateway) as target, linked(side, target):
        await until(lambda: gateway.record("n1").full_states)
    assert gateway.record("n1").deltas == 0
    assert list(gateway.record("n1").conditions) == [a_condition().key]


async def test_many_deltas_for_a_slow_coordinator_become_one_full_state() -> None:
    gateway, side = FakeGateway(), FakeAgentSide()
    async with served(gateway) as target, linked(side, target) as link:
        record = gateway.record("n1")
        await until(lambda: record.full_states)
        for number in range(1000):
            side.conditions["c"] = a_condition(type_=f"T{number}")
            link.delta(Delta(conditions=(side.conditions["c"],), inventory=None, readings=(), at=1.0))
        await until(lambda: list(record.conditions) == [side.conditions["c"].key])
    assert record.full_states == 2
    assert record.deltas <= 64


async def test_an_agent_after_a_reboot_says_hello_with_its_new_boot() -> None:
    gateway = FakeGateway()
    async with served(gateway) as target:
        async with linked(FakeAgentSide(boot="boot-1"), target):
            await until(lambda: gateway.record("n1").full_states == 1)
        async with linked(FakeAgentSide(boot="boot-2"), target):
            await until(lambda: gateway.record("n1").full_states == 2)
    said = gateway.record("n1").hello
    assert said is not None
    assert said.boot_id == "boot-2"
    assert gateway.open == 0


async def test_a_directive_reaches_the_agent_and_its_report_comes_back_once() -> None:
    gateway, side = FakeGateway(), FakeAgentSide()
    async with served(gateway) as target, linked(side, target) as link:
        record = gateway.record("n1")
        await until(lambda: record.session)
        assert record.session is not None
        record.session.direct(a_directive("a1", verb=Verb.REBOOT))
        await until(lambda: side.directives)
        link.report(ActionReport(action_id=ActionId("a1"), outcome=Outcome.done("booted"), at=4.0))
        await until(lambda: record.reports and not link._outbox._reports)
    assert side.directives == [a_directive("a1", verb=Verb.REBOOT)]
    assert [(report.action_id, report.outcome.verdict) for report in record.reports] == [("a1", Verdict.DONE)]


async def test_a_report_that_nobody_took_is_told_to_the_next_coordinator() -> None:
    first, second, side = FakeGateway(), FakeGateway(), FakeAgentSide()
    first.committing.clear()
    server = RpcServer(["127.0.0.1:0"], [AgentService(first)])
    (target,) = await server.start()
    async with linked(side, target) as link:
        await until(lambda: first.record("n1").full_states)
        link.report(ActionReport(action_id=ActionId("a1"), outcome=Outcome.done(), at=4.0))
        await asyncio.sleep(0.05)
        stopping = asyncio.create_task(server.stop(grace=0.0))
        await until(lambda: side.losses)
        async with served(second) as other:
            link._ring = iter([other] * 100)
            await until(lambda: second.record("n1").reports)
        first.committing.set()
        await stopping
    assert [report.action_id for report in second.record("n1").reports] == ["a1"]


async def test_a_verb_of_a_newer_coordinator_is_answered_with_failure_not_with_a_guess() -> None:
    gateway, side = FakeGateway(), FakeAgentSide()
    async with served(gateway) as target, linked(side, target):
        record = gateway.record("n1")
        await until(lambda: record.session)
        directive = pb.Directive(verb=pb.Directive().verb, grant=pb.Grant(action_id="a9"))
        record.session._put(pb.CoordinatorMessage(directive=directive))  # type: ignore[union-attr]
        await until(lambda: record.reports)
    assert side.directives == []
    assert record.reports[0].action_id == "a9"
    assert record.reports[0].outcome.verdict is Verdict.FAILED


async def test_a_bug_in_an_action_is_reported_as_unknown_and_leaves_the_stream_up() -> None:
    gateway, side = FakeGateway(), FakeAgentSide()
    side.failing = ZeroDivisionError("secret detail")
    async with served(gateway) as target, linked(side, target):
        record = gateway.record("n1")
        await until(lambda: record.session)
        assert record.session is not None
        record.session.direct(a_directive("a1"))
        await until(lambda: record.reports)
        assert record.connections == 1
    assert record.reports[0].outcome.verdict is Verdict.UNKNOWN
    assert "secret" not in record.reports[0].outcome.detail


async def test_heartbeats_come_at_the_interval_that_the_coordinator_asked_for() -> None:
    gateway = FakeGateway(heartbeat_interval=1.0)
    async with served(gateway) as target, linked(FakeAgentSide(), target):
        await until(lambda: gateway.record("n1").heartbeats >= 2)


async def test_two_hundred_agents_connect_at_once_and_keep_beating() -> None:
    gateway = FakeGateway(heartbeat_interval=1.0)
    sides = [FakeAgentSide(f"n{number}") for number in range(200)]
    async with served(gateway) as target:
        links = [CoordinatorLink([target], side, SystemClock(), first_wait=0.1) for side in sides]
        running = [asyncio.create_task(link.run()) for link in links]
        await until(lambda: sum(record.full_states > 0 for record in gateway.nodes.values()) == 200)
        await until(lambda: min(record.heartbeats for record in gateway.nodes.values()) >= 2)
        for link in links:
            link.stop()
        await asyncio.gather(*running)
        await until(lambda: gateway.open == 0)


async def test_a_link_works_over_a_unix_socket_too(tmp_path: Path) -> None:
    gateway = FakeGateway()
    async with served(gateway, f"unix:{tmp_path}/c.sock") as target, linked(FakeAgentSide(), target):
        await until(lambda: gateway.record("n1").full_states)
