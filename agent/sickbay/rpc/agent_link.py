"""The agent's end of its stream to the coordinator: always connecting, never blocking, nothing lost."""

import asyncio
import itertools
import logging
from collections.abc import Sequence

import grpc
import tenacity

from sickbay.core.messages import ActionReport, Delta, Event, Welcome
from sickbay.core.rule_bundles import RulesReport
from sickbay.host.clock import Clock
from sickbay.rpc.agent_stream import AgentStream, NotWelcomedError, cancelled_from_outside, sentence
from sickbay.rpc.directives import Directives
from sickbay.rpc.outbox import Outbox
from sickbay.rpc.ports import AgentSide
from sickbay.rpc.serving import LOCAL_ONLY, MESSAGE_LIMIT, Security, check_plaintext
from sickbay.v1.coordinator_pb2_grpc import CoordinatorServiceStub

_LOG = logging.getLogger(__name__)

_LAST_WORDS = 1.0
_STABLE_AFTER = 60.0

# A path that swallows packets is noticed in about 10 s: a heartbeat leaves within 5 s, and gRPC takes the
# keepalive's time-out as TCP_USER_TIMEOUT, after which the kernel gives up on what nobody acknowledged. The
# pings proper are for the times when nothing is sent. Each attempt dials anew instead of joining a shared
# connection that is itself backing off, and no proxy variable of the host leads agents astray.
CHANNEL_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.http2.bdp_probe", 0),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_http_proxy", 0),
    ("grpc.max_receive_message_length", MESSAGE_LIMIT),
)


class _DownError(Exception):
    """The stream is gone or did not come about; `str()` says why."""


class CoordinatorLink:
    """One agent's link. All methods are for the event loop's own thread; none but `run` waits.

    Every directive runs as a task of its own that outlives the stream it came on, so `AgentSide.directed` may
    take its time. When the link stops, those tasks are cancelled.
    """

    def __init__(
        self,
        targets: Sequence[str],
        side: AgentSide,
        clock: Clock,
        *,
        security: Security = LOCAL_ONLY,
        first_wait: float = 0.5,
        longest_wait: float = 30.0,
    ) -> None:
        """`targets` are `host:port` or `unix:/path`, tried in turn; BadAddress for one we may not dial.

        Reconnects wait for a random part of `first_wait` seconds, doubled with each failure up to
        `longest_wait`; a minute of connection makes the next one the first again.
        """
        if not targets:
            raise ValueError("a link needs at least one coordinator to dial")
        for target in targets:
            check_plaintext(target, security)
        self._ring = itertools.cycle(targets)
        self._target = targets[0]
        self._side = side
        self._clock = clock
        self._outbox = Outbox(side.full_state, side.unacknowledged)
        self._directives = Directives(side, clock, self.report)
        self._backoff = tenacity.wait_random_exponential(multiplier=first_wait, max=longest_wait)
        self._stable = False
        self._stream: AgentStream | None = None
        self._troubles: dict[str, str] = {}
        self._stopping = asyncio.Event()

    @property
    def connected(self) -> bool:
        """Whether a coordinator has welcomed us on a stream that is still up."""
        return self._stream is not None

    @property
    def target(self) -> str:
        """The coordinator that we are connected to, or that is tried now."""
        return self._target

    @property
    def trouble(self) -> str:
        """Why the present coordinator is not connected; empty while it is."""
        return self._troubles.get(self._target, "")

    def stop(self) -> None:
        """Let `run` return soon: what is queued is given a second to leave."""
        self._stopping.set()
        if self._stream is not None:
            self._stream.finish()

    def delta(self, delta: Delta) -> None:
        """Send what changed. Dropped while disconnected: the full state that follows says it all."""
        self._outbox.delta(delta)
        self._nudge()

    def events(self, events: Sequence[Event]) -> None:
        """Send events that are *already in the spool*; what cannot go now is read from there again."""
        self._outbox.events(events)
        self._nudge()

    def report(self, report: ActionReport) -> None:
        """Send what came of a directive; kept over reconnects until the coordinator says that it has it."""
        self._outbox.report(report)
        self._nudge()

    def rules(self, report: RulesReport) -> None:
        """Tell which rules run now. Dropped while disconnected: the next hello says it."""
        self._outbox.rules(report)
        self._nudge()

    async def run(self) -> None:
        """Connect, serve and reconnect for ever; returns only after `stop`."""
        keeping = asyncio.create_task(self._keep_connected())
        stopped = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({keeping, stopped}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({keeping}, timeout=_LAST_WORDS if self.connected else 0.0)
        finally:
            keeping.cancel()
            stopped.cancel()
            await asyncio.gather(keeping, stopped, return_exceptions=True)
            await self._directives.stop()
        if not keeping.cancelled() and (error := keeping.exception()) is not None:
            raise error

    def _nudge(self) -> None:
        if self._stream is not None:
            self._stream.nudge()

    async def _keep_connected(self) -> None:
        pacing = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(_DownError),
            wait=self._pause,
            sleep=self._clock.sleep,
        )
        async for attempt in pacing:
            with attempt:
                await self._connect(next(self._ring))

    def _pause(self, state: tenacity.RetryCallState) -> float:
        """Full jitter, so that a coordinator that comes back is not met by all agents at once."""
        if self._stable:
            state.attempt_number = 1
        return self._backoff(state)

    async def _connect(self, target: str) -> None:
        """One stream from dialling to its end; raises _DownError then, unless we are stopping."""
        self._target, self._stable = target, False
        why = await self._dial(target)
        if self._stopping.is_set():
            return
        if why != self._troubles.get(target):
            _LOG.warning("coordinator %s: %s; trying again", target, why)
        self._troubles[target] = why
        raise _DownError(why)

    async def _dial(self, target: str) -> str:
        """Returns why the stream ended or did not begin.

        CANCELLED is a refusal like UNAVAILABLE: a coordinator in a storm of connections answers with it.
        """
        async with grpc.aio.insecure_channel(target, options=CHANNEL_OPTIONS) as channel:
            call = CoordinatorServiceStub(channel).Connect()
            stream = AgentStream(call, self._outbox, self._side, self._clock, self._directives)
            try:
                return await self._serve(stream, await stream.welcomed(), target)
            except grpc.aio.AioRpcError as error:
                return sentence(error)
            except (NotWelcomedError, asyncio.InvalidStateError) as error:
                return str(error)
            except asyncio.CancelledError:
                if cancelled_from_outside():
                    raise
                return "the stream was cancelled"
            finally:
                call.cancel()

    async def _serve(self, stream: AgentStream, welcome: Welcome, target: str) -> str:
        since, why = self._clock.now().mono, "the agent is stopping"
        self._stream = stream
        self._troubles.clear()
        self._outbox.opened()
        self._side.connected(welcome, target)
        _LOG.info("coordinator %s at %s welcomed us (term %d)", welcome.coordinator, target, welcome.term)
        if self._stopping.is_set():
            stream.finish()
        try:
            why = await stream.serve(welcome)
        finally:
            self._stable = self._clock.now().mono - since >= _STABLE_AFTER
            self._stream = None
            self._outbox.closed()
            self._side.disconnected(why)
        return why
