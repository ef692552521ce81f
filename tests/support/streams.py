"""Both ends of a stream for a test, over a real socket."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import grpc
from tests.fakes.agent_side import FakeAgentSide
from tests.fakes.gateway import FakeGateway

from sickbay.host.clock import SystemClock
from sickbay.rpc.agent_link import CoordinatorLink
from sickbay.rpc.convert_stream import wire_hello
from sickbay.rpc.coordinator_server import AgentService
from sickbay.rpc.serving import RpcServer
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
