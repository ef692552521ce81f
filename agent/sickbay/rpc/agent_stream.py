"""One stream of an agent to a coordinator, from the hello to the end: sending, listening, heartbeats."""

import asyncio
import logging
from collections.abc import AsyncIterator

import grpc

from sickbay.core.messages import Welcome
from sickbay.host.clock import Clock
from sickbay.rpc.convert_stream import core_welcome, wire_hello
from sickbay.rpc.directives import Directives
from sickbay.rpc.outbox import Outbox
from sickbay.rpc.ports import AgentSide
from sickbay.v1 import coordinator_pb2 as pb

_LOG = logging.getLogger(__name__)

_WELCOME_WITHIN = 10.0
_BEAT_EVERY = (1.0, 5.0, 300.0)
"""Seconds between heartbeats: the least, the usual and the most, whatever a coordinator asks for."""

Call = grpc.aio.StreamStreamCall[pb.AgentMessage, pb.CoordinatorMessage]


class NotWelcomedError(Exception):
    """A coordinator answered, but not as the contract says."""


class AgentStream:
    """A stream that is up. `serve` runs it to its end."""

    def __init__(
        self, call: Call, outbox: Outbox, side: AgentSide, clock: Clock, directives: Directives
    ) -> None:
        """The outbox and the directives outlive the stream; the call is this stream's own."""
        self._call = call
        self._answers = aiter(call)
        self._outbox = outbox
        self._side = side
        self._clock = clock
        self._directives = directives
        self._something_to_say = asyncio.Event()
        self._something_safe = asyncio.Event()
        self._safe = -1
        self._last = False

    async def welcomed(self) -> Welcome:
        """Say hello; returns the answer. Raises NotWelcomedError, or gRPC's error when there is none."""
        try:
            async with asyncio.timeout(_WELCOME_WITHIN):
                await self._call.write(pb.AgentMessage(hello=wire_hello(self._side.hello())))
                message = await anext(self._answers)
        except TimeoutError as error:
            raise NotWelcomedError(f"no welcome within {_WELCOME_WITHIN:.0f} s") from error
        except StopAsyncIteration as error:
            raise NotWelcomedError("the coordinator ended the stream without a word") from error
        if message.WhichOneof("body") != "welcome":
            raise NotWelcomedError("the coordinator's first word was no welcome")
        return core_welcome(message.welcome)

    def nudge(self) -> None:
        """There is something in the outbox."""
        self._something_to_say.set()

    def finish(self) -> None:
        """Say what is in the outbox, then end the stream."""
        self._last = True
        self._something_to_say.set()

    async def serve(self, welcome: Welcome) -> str:
        """Send and listen until the stream ends; returns why it did."""
        async with asyncio.TaskGroup() as group:
            others = [group.create_task(work) for work in (self._send(), self._beat(welcome), self._forget())]
            why = await self._listen(self._answers)
            for task in others:
                task.cancel()
        return why

    async def _send(self) -> None:
        try:
            while True:
                while (message := self._outbox.next()) is not None:
                    await self._call.write(message)
                if self._last:
                    await self._call.done_writing()
                    return
                self._something_to_say.clear()
                await self._something_to_say.wait()
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError) as error:
            # The listener hears of it, too, and with the status that says why.
            _LOG.debug("cannot send: %s", error)

    async def _beat(self, welcome: Welcome) -> None:
        least, usual, most = _BEAT_EVERY
        every = min(max(welcome.heartbeat_interval or usual, least), most)
        while True:
            await self._clock.sleep(every)
            self._outbox.beat(self._clock.now().wall)
            self._something_to_say.set()

    async def _forget(self) -> None:
        """Let the spool go of what is safe; on its own, because a slow disk must not delay a directive."""
        while True:
            await self._something_safe.wait()
            self._something_safe.clear()
            safe = self._safe
            await self._side.acknowledged(safe)
            self._outbox.acknowledged(safe)
            self._something_to_say.set()

    async def _listen(self, answers: AsyncIterator[pb.CoordinatorMessage]) -> str:
        try:
            async for message in answers:
                self._hear(message)
        except grpc.aio.AioRpcError as error:
            return sentence(error)
        except asyncio.CancelledError:
            if cancelled_from_outside():
                raise
            return "the stream was cancelled"
        return "the coordinator ended the stream"

    def _hear(self, message: pb.CoordinatorMessage) -> None:
        match message.WhichOneof("body"):
            case "ack":
                safe = self._outbox.acknowledgeable(message.ack.sequence)
                if safe > self._safe:
                    self._safe = safe
                    self._something_safe.set()
            case "report_ack":
                self._outbox.heard(message.report_ack.action_id, message.report_ack.at)
            case "directive":
                self._directives.take(message.directive)
            case "rule_set":
                self._directives.take_rules(message.rule_set)
            case _:
                _LOG.debug("the coordinator said something that this version does not know")


def cancelled_from_outside() -> bool:
    """Whether it is this task that somebody cancels: gRPC raises the same error for a call that was."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def sentence(error: grpc.aio.AioRpcError) -> str:
    """What a person is told of a stream that ended."""
    return error.details() or error.code().name.lower().replace("_", " ")
