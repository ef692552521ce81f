"""One agent's stream as the coordinator holds it: what goes out, how much may wait, and how it ends."""

import asyncio
import logging
from collections import deque

import grpc

from sickbay.core.messages import ActionReport, Directive, Hello
from sickbay.core.rule_bundles import RuleSetOffer
from sickbay.rpc.boundary import Context, Ending
from sickbay.rpc.convert_rules import wire_offer
from sickbay.rpc.convert_stream import wire_directive
from sickbay.rpc.convert_values import text
from sickbay.v1 import coordinator_pb2 as pb

_LOG = logging.getLogger(__name__)

QUEUE_LIMIT = 256
"""Messages that may wait for one agent. One that lets more pile up is closed and starts clean again."""


class StreamSession:
    """The `AgentSession` of a live stream. A task writes while there is something to write, and only then."""

    __slots__ = ("_ack", "_context", "_ending", "_handler", "_queue", "_writer", "boot_id", "node")

    def __init__(self, hello: Hello, context: Context, handler: "asyncio.Task[object]") -> None:
        """`handler` is the task that reads the stream; it is cancelled to end it."""
        self.node = hello.node
        self.boot_id = hello.boot_id
        self._context = context
        self._handler = handler
        self._queue: deque[pb.CoordinatorMessage] = deque()
        self._ack: int | None = None
        self._writer: asyncio.Task[None] | None = None
        self._ending: Ending | None = None

    @property
    def ending(self) -> Ending | None:
        """How this end wants the stream to end; None while it does not."""
        return self._ending

    def direct(self, directive: Directive) -> None:
        """Ask the agent to do something."""
        self._put(pb.CoordinatorMessage(directive=wire_directive(directive)))

    def acknowledge(self, sequence: int) -> None:
        """Say that all events up to `sequence` are safe. Only the highest waits to be sent."""
        if self._ending is None:
            self._ack = sequence if self._ack is None else max(self._ack, sequence)
            self._write_on()

    def heard(self, report: ActionReport) -> None:
        """Say that the report is safe."""
        ack = pb.ReportAck(action_id=text(report.action_id), at=report.at)
        self._put(pb.CoordinatorMessage(report_ack=ack))

    def offer_rules(self, offer: RuleSetOffer) -> None:
        """Hand the agent a rule set."""
        self._put(pb.CoordinatorMessage(rule_set=wire_offer(offer)))

    def close(self, why: str) -> None:
        """End the stream, telling the agent why."""
        self._end(Ending(code=grpc.StatusCode.ABORTED, why=why))

    async def seal(self, how: Ending, *, last_words: float) -> None:
        """The stream is over: what is queued may leave for `last_words` seconds, and nothing is added."""
        self._ending = self._ending or how
        if self._writer is not None:
            await asyncio.wait({self._writer}, timeout=last_words)
        if self._writer is not None:
            self._writer.cancel()

    def _put(self, message: pb.CoordinatorMessage) -> None:
        if self._ending is not None:
            return
        if len(self._queue) >= QUEUE_LIMIT:
            self._end(Ending(code=grpc.StatusCode.RESOURCE_EXHAUSTED, why="the agent reads too slowly"))
            return
        self._queue.append(message)
        self._write_on()

    def _end(self, how: Ending) -> None:
        if self._ending is None:
            self._ending = how
            self._queue.clear()
            self._ack = None
            self._handler.cancel()

    def _write_on(self) -> None:
        # Ten thousand streams are idle nearly always: a standing task for each would be memory for nothing.
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())

    async def _write(self) -> None:
        try:
            while (message := self._next()) is not None:
                await self._context.write(message)
        except grpc.aio.BaseError as error:
            # The stream is gone, and its reader is finding out at this moment.
            _LOG.debug("%s: cannot write: %s", self.node, error)
        finally:
            self._writer = None

    def _next(self) -> pb.CoordinatorMessage | None:
        if self._ack is not None:
            sequence, self._ack = self._ack, None
            return pb.CoordinatorMessage(ack=pb.Ack(sequence=sequence))
        return self._queue.popleft() if self._queue else None
