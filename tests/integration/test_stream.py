"""An agent's link and the coordinator's server over real sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
from tests.fakes.agent_side import FakeAgentSide
from tests.fakes.gateway import FakeGateway
from tests.fakes.words import a_condition, a_directive

from sickbay.core.ids import ActionId
from sickbay.core.messages import ActionReport, Delta, Verb
from sickbay.core.outcomes import Outcome, Verdict
from sickbay.host.clock import SystemClock
from sickbay.rpc.agent_link import CoordinatorLink
from sickbay.rpc.agent_session import QUEUE_LIMIT
from sickbay.rpc.convert_stream import wire_hello
from sickbay.rpc.coordinator_server import AgentService
from sickbay.rpc.serving import BadAddress, RpcServer, Security
from sickbay.v1 import coordinator_pb2 as pb
from sickbay.v1.coordinator_pb2_grpc import CoordinatorServiceStub

PATIENCE = 20.0


async def until(condition: Callable[[], object]) -> None:
    """Wait until the condition holds; the test fails when it does not come."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.005)


@asynccontextmanager
async def served(gateway: FakeGateway, address: str = "127.0.0.1:0") -> AsyncIterator[str]:
    server = RpcServer([address], [AgentService(gateway)])
    (bound,) = await server.start()
    try:
        yield bound
    finally:
        await server.stop(grace=0.0)


@asynccontextmanager
async def linked(side: FakeAgentSide, *targets: str) -> AsyncIterator[CoordinatorLink]:
    link = CoordinatorLink(targets, side, SystemClock(), first_wait=0.01, longest_wait=0.1)
    running = asyncio.create_task(link.run())
    try:
        yield link
    finally:
        link.stop()
        await running


@asynccontextmanager
async def raw_stream(
    target: str,
) -> AsyncIterator[grpc.aio.StreamStreamCall[pb.AgentMessage, pb.CoordinatorMessage]]:
    """A stream without a link, for saying what no link of ours says."""
    async with grpc.aio.insecure_channel(target) as channel:
        call = CoordinatorServiceStub(channel).Connect()
        yield call
        call.cancel()


def hello(node: str = "n1", boot: str = "boot-1") -> pb.AgentMessage:
    return pb.AgentMessage(hello=wire_hello(FakeAgentSide(node, boot).hello()))


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


async def test_the_second_stream_of_a_node_ends_the_first() -> None:
    gateway = FakeGateway()
    async with served(gateway) as target, raw_stream(target) as first, raw_stream(target) as second:
        await first.write(hello(boot="boot-1"))
        await until(lambda: gateway.record("n1").connections == 1)
        await second.write(hello(boot="boot-2"))
        assert (await first.read()).HasField("welcome")
        with pytest.raises(grpc.aio.AioRpcError) as ended:
            await first.read()
        assert ended.value.code() is grpc.StatusCode.ABORTED
        assert ended.value.details() == "a newer stream of the same node"
        record = gateway.record("n1")
        assert record.session is not None
        assert record.session.boot_id == "boot-2"
        assert record.endings == ["a newer stream of the same node"]
        await second.write(pb.AgentMessage(full_state=pb.FullState()))
        await until(lambda: record.full_states == 1)
    await until(lambda: len(record.endings) == 2)


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


async def test_an_agent_speaks_for_no_node_but_its_own() -> None:
    gateway = FakeGateway()
    async with served(gateway) as target, raw_stream(target) as call:
        await call.write(hello())
        batch = pb.EventBatch()
        batch.events.add(sequence=1, id="e1", node="somebody-else")
        await call.write(pb.AgentMessage(events=batch))
        await until(lambda: gateway.record("n1").received)
    assert [event.node for event in gateway.record("n1").received] == ["n1"]
    assert list(gateway.nodes) == ["n1"]


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (pb.AgentMessage(delta=pb.Delta()), "the first message must be hello, and it is delta"),
        (pb.AgentMessage(), "the first message must be hello, and it is nothing"),
        (pb.AgentMessage(hello=pb.Hello(boot_id="b")), "hello must name the node"),
        (pb.AgentMessage(hello=pb.Hello(node="n\n", boot_id="b")), "hello must name the node"),
        (pb.AgentMessage(hello=pb.Hello(node="n1")), "hello must say the boot_id"),
    ],
)
async def test_a_stream_that_does_not_begin_with_a_usable_hello_is_ended(
    message: pb.AgentMessage, why: str
) -> None:
    gateway = FakeGateway()
    async with served(gateway) as target, raw_stream(target) as call:
        await call.write(message)
        with pytest.raises(grpc.aio.AioRpcError) as ended:
            await call.read()
    assert ended.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert why in str(ended.value.details())
    assert gateway.told == []


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (pb.AgentMessage(delta=pb.Delta()), "a delta came before the full state"),
        (hello(), "a second hello"),
    ],
)
async def test_words_out_of_order_end_the_stream(message: pb.AgentMessage, why: str) -> None:
    gateway = FakeGateway()
    async with served(gateway) as target, raw_stream(target) as call:
        await call.write(hello())
        await call.read()
        await call.write(message)
        with pytest.raises(grpc.aio.AioRpcError) as ended:
            await call.read()
        assert ended.value.code() is grpc.StatusCode.FAILED_PRECONDITION
        assert ended.value.details() == why
    assert gateway.record("n1").endings == [why]


async def test_bytes_that_are_no_message_end_their_stream_and_no_other() -> None:
    gateway = FakeGateway()
    async with served(gateway) as target, grpc.aio.insecure_channel(target) as channel:
        garbage = channel.stream_stream("/sickbay.v1.CoordinatorService/Connect")()
        await garbage.write(b"\xff\xff\xff")
        with pytest.raises(grpc.aio.AioRpcError) as ended:
            await garbage.read()
        assert ended.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        async with linked(FakeAgentSide(), target):
            await until(lambda: gateway.record("n1").full_states)


async def test_a_bug_behind_the_gateway_is_told_by_an_id_and_ends_one_stream(
    caplog: pytest.LogCaptureFixture,
) -> None:
    gateway = FakeGateway()
    gateway.failing = ZeroDivisionError("secret detail")
    async with served(gateway) as target, raw_stream(target) as call:
        await call.write(hello())
        await call.read()
        await call.write(pb.AgentMessage(full_state=pb.FullState()))
        with pytest.raises(grpc.aio.AioRpcError) as ended:
            await call.read()
        told = str(ended.value.details())
        assert ended.value.code() is grpc.StatusCode.INTERNAL
        assert "secret" not in told
        assert told.partition("error ")[2].partition(" ")[0] in caplog.text
        gateway.failing = None
        async with linked(FakeAgentSide(), target):
            await until(lambda: gateway.record("n1").full_states)
    assert len(gateway.record("n1").endings) == 2


async def test_an_agent_that_is_turned_away_tries_the_next_coordinator() -> None:
    standby, leader, side = FakeGateway(), FakeGateway(), FakeAgentSide()
    standby.refusing = "not the leader"
    async with served(standby) as first, served(leader) as second, linked(side, first, second) as link:
        await until(lambda: leader.record("n1").full_states)
        assert link.connected
        assert link.target == second
    assert standby.told == []
    assert [target for _, target in side.welcomes] == [second]


async def test_an_agent_that_does_not_read_is_closed_and_its_queue_is_bounded() -> None:
    gateway = FakeGateway()
    async with served(gateway) as target, raw_stream(target) as call:
        await call.write(hello())
        record = gateway.record("n1")
        await until(lambda: record.session)
        session = record.session
        assert session is not None
        wide = a_directive(action="x" * 4096)
        for _ in range(200):
            for _ in range(QUEUE_LIMIT // 4):
                session.direct(wide)
            await asyncio.sleep(0.002)
            if record.endings:
                break
        await until(lambda: record.endings)
        assert record.endings == ["the agent reads too slowly"]
        assert len(session._queue) == 0
        async with linked(FakeAgentSide(), target):
            await until(lambda: record.full_states)


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


async def test_an_agent_that_vanishes_is_disconnected_once() -> None:
    gateway = FakeGateway()
    async with served(gateway) as target:
        async with raw_stream(target) as call:
            await call.write(hello())
            await until(lambda: gateway.record("n1").session)
        await until(lambda: gateway.record("n1").endings)
    assert gateway.record("n1").endings == ["the connection was lost"]
    assert gateway.told.count("disconnected n1") == 1


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


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "192.0.2.1:7118", "node-7:7118"])
async def test_plaintext_beyond_this_machine_is_refused_at_both_ends(address: str) -> None:
    with pytest.raises(BadAddress, match="insecure_plaintext_off_host"):
        await RpcServer([address], [AgentService(FakeGateway())]).start()
    with pytest.raises(BadAddress, match="insecure_plaintext_off_host"):
        CoordinatorLink([address], FakeAgentSide(), SystemClock())


async def test_plaintext_beyond_this_machine_is_possible_for_who_insists() -> None:
    insisting = Security(insecure_plaintext_off_host=True)
    server = RpcServer(["0.0.0.0:0"], [AgentService(FakeGateway())], security=insisting)
    (bound,) = await server.start()
    await server.stop()
    assert bound.startswith("0.0.0.0:")


async def test_a_port_that_is_taken_is_named_with_the_kernels_reason() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(BadAddress, match=rf"cannot listen on 127.0.0.1:{port}: Address already in use"):
            await RpcServer([f"127.0.0.1:{port}"], [AgentService(FakeGateway())]).start()


async def test_a_link_works_over_a_unix_socket_too(tmp_path: Path) -> None:
    gateway = FakeGateway()
    async with served(gateway, f"unix:{tmp_path}/c.sock") as target, linked(FakeAgentSide(), target):
        await until(lambda: gateway.record("n1").full_states)


async def test_stopping_a_link_that_never_connected_takes_no_time() -> None:
    link = CoordinatorLink(["127.0.0.1:1"], FakeAgentSide(), SystemClock(), first_wait=30.0)
    running = asyncio.create_task(link.run())
    await until(lambda: link.trouble)
    link.stop()
    async with asyncio.timeout(PATIENCE):
        await running


async def test_a_bug_in_the_agents_own_state_ends_the_link_loudly() -> None:
    class Broken(FakeAgentSide):
        def full_state(self) -> Awaitable[None]:  # type: ignore[override]
            raise ZeroDivisionError

    async with served(FakeGateway()) as target:
        link = CoordinatorLink([target], Broken(), SystemClock())
        with pytest.raises(ExceptionGroup) as ended:
            await link.run()
    assert ended.group_contains(ZeroDivisionError)
