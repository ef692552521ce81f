"""How streams end: badly begun, out of order, too slow, cut off; always told, and never with another one."""

import asyncio
from collections.abc import Awaitable

import grpc
import pytest
from tests.fakes.agent_side import FakeAgentSide
from tests.fakes.gateway import FakeGateway
from tests.fakes.words import a_directive
from tests.support.streams import PATIENCE, hello, linked, raw_stream, served, until

from sickbay.host.clock import SystemClock
from sickbay.rpc.agent_link import CoordinatorLink
from sickbay.rpc.agent_session import QUEUE_LIMIT
from sickbay.v1 import coordinator_pb2 as pb


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


async def test_an_agent_that_vanishes_is_disconnected_once() -> None:
    gateway = FakeGateway()
    async with served(gateway) as target:
        async with raw_stream(target) as call:
            await call.write(hello())
            await until(lambda: gateway.record("n1").session)
        await until(lambda: gateway.record("n1").endings)
    assert gateway.record("n1").endings == ["the connection was lost"]
    assert gateway.told.count("disconnected n1") == 1


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
