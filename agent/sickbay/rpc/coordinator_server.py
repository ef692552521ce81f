"""The coordinator's end of the agents' streams: from bytes to calls of an AgentGateway, each in its turn."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import assert_never

import grpc

from sickbay.core.messages import Event, Hello
from sickbay.rpc.agent_session import StreamSession
from sickbay.rpc.boundary import Context, Ending, Malformed, end, ending, logged
from sickbay.rpc.convert_observations import core_event
from sickbay.rpc.convert_rules import core_rules_report
from sickbay.rpc.convert_stream import core_delta, core_full_state, core_hello, core_report, wire_welcome
from sickbay.rpc.ports import AgentGateway, Refused
from sickbay.v1 import coordinator_pb2 as pb
from sickbay.v1.coordinator_pb2_grpc import (
    CoordinatorServiceServicer,
    add_CoordinatorServiceServicer_to_server,
)

_HELLO_WITHIN = 10.0
_LAST_WORDS = 1.0
_MOMENT = 0.05
_LONGEST_NAME = 253
"""Characters of a host's name (RFC 1123)."""

_OUT_OF_TURN = {"delta": "a delta came before the full state", "hello": "a second hello"}

_CLOSED = Ending(code=grpc.StatusCode.OK, why="the agent ended the stream")
_LOST = Ending(code=grpc.StatusCode.CANCELLED, why="the connection was lost")


class AgentService(CoordinatorServiceServicer):
    """`CoordinatorService` over a gateway; goes into an RpcServer.

    A call of the gateway that has begun is never cancelled, so that it may hold its own state together across
    an await; the end of the stream waits for it.
    """

    def __init__(self, gateway: AgentGateway) -> None:
        """Every stream's calls reach `gateway` in order, one at a time."""
        self._gateway = gateway

    def attach(self, server: grpc.aio.Server) -> None:
        """Add the service to a server that has not started."""
        add_CoordinatorServiceServicer_to_server(self, server)

    async def Connect(  # type: ignore[override] # the stubs' generator does not know coroutines that write
        self,
        request_iterator: AsyncIterator[pb.AgentMessage],  # noqa: ARG002 - read through the context
        context: Context,
    ) -> None:
        """One agent's stream, from its hello to its end."""
        how = await self._admit_and_serve(context)
        if how is not _CLOSED:
            await end(context, how)

    async def _admit_and_serve(self, context: Context) -> Ending:
        try:
            hello = await _hello(context)
            welcome = self._gateway.welcome(hello)
            await context.write(pb.CoordinatorMessage(welcome=wire_welcome(welcome)))
            return await self._serve(hello, context)
        except grpc.aio.BaseError:
            return _LOST
        except Exception as error:  # noqa: BLE001 - the RPC boundary; `ending` logs what nobody foresaw
            return ending(error, "Connect")

    async def _serve(self, hello: Hello, context: Context) -> Ending:
        """Read until the stream ends, however it does; `disconnected` is called once for `connected`."""
        handler = asyncio.current_task()
        assert handler is not None, "a stream is served in a task"  # noqa: S101 - asyncio promises it
        session = StreamSession(hello, context, handler)
        how = await self._until_end(session, hello, context)
        if session.ending is not None:
            # The cancellation was the session's own way to stop the reading.
            handler.uncancel()
        await session.seal(how, last_words=_LAST_WORDS if how is _CLOSED else 0.0)
        await _undisturbed(self._gateway.disconnected(session, how.why))
        return how

    async def _until_end(self, session: StreamSession, hello: Hello, context: Context) -> Ending:
        try:
            await _undisturbed(self._gateway.connected(session, hello))
            await self._read(session, context)
            await _aftermath()
        except (asyncio.CancelledError, grpc.aio.BaseError):
            return session.ending or _LOST
        except Exception as error:  # noqa: BLE001 - the RPC boundary; `ending` logs what nobody foresaw
            return ending(error, f"the stream of {session.node}")
        return _CLOSED

    async def _read(self, session: StreamSession, context: Context) -> None:
        gateway, synchronised = self._gateway, False
        while (message := await context.read()) is not grpc.aio.EOF:
            match message.WhichOneof("body"):
                case "heartbeat":
                    gateway.heartbeat(session)
                case "delta" if synchronised:
                    await _undisturbed(gateway.delta(session, core_delta(message.delta)))
                case "events":
                    await self._events(session, message.events)
                case "report":
                    report = core_report(message.report)
                    await _undisturbed(gateway.report(session, report))
                    session.heard(report)
                case "rules":
                    await _undisturbed(gateway.rules(session, core_rules_report(message.rules)))
                case "full_state":
                    synchronised = True
                    await _undisturbed(gateway.full_state(session, core_full_state(message.full_state)))
                case None:
                    # A newer agent's word that this version has no ear for; the level is told in others.
                    continue
                case "delta" | "hello" as body:
                    raise Refused(_OUT_OF_TURN[body])
                case body:
                    assert_never(body)

    async def _events(self, session: StreamSession, batch: pb.EventBatch) -> None:
        """Whatever the events say of their node, they are the node's whose stream this is."""
        events: list[Event] = [replace(core_event(event), node=session.node) for event in batch.events]
        if events:
            await _undisturbed(self._gateway.events(session, events))
            session.acknowledge(max(event.sequence for event in events))


async def _hello(context: Context) -> Hello:
    """The first message of a stream; raises Malformed for anything but a usable hello."""
    try:
        async with asyncio.timeout(_HELLO_WITHIN):
            message = await context.read()
    except TimeoutError as error:
        why = f"no hello within {_HELLO_WITHIN:.0f} s"
        raise Malformed(why) from error
    body = None if message is grpc.aio.EOF else message.WhichOneof("body")
    if body != "hello":
        why = f"the first message must be hello, and it is {body or 'nothing'}"
        raise Malformed(why)
    hello = core_hello(message.hello)
    if problem := _wrong_with(hello):
        raise Malformed(problem)
    return hello


def _wrong_with(hello: Hello) -> str:
    if not hello.node or len(hello.node) > _LONGEST_NAME or not hello.node.isprintable():
        return f"hello must name the node in 1 to {_LONGEST_NAME} printable characters"
    if not hello.boot_id or not hello.boot_id.isprintable():
        return "hello must say the boot_id"
    return ""


async def _aftermath() -> None:
    """A stream that was cut off reads as ended first and is cancelled a moment later: give it the moment."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_MOMENT):
            await asyncio.get_running_loop().create_future()


async def _undisturbed(call: Coroutine[object, object, None]) -> None:
    """Await `call` to its end even when we are cancelled meanwhile; only then pass the cancellation on."""
    task = asyncio.create_task(call)
    interruption: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            interruption = error
    if interruption is None:
        return task.result()
    if not task.cancelled() and (failure := task.exception()) is not None:
        logged("the gateway", failure)
    raise interruption
