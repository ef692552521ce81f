"""The agent's end of its stream to the coordinator: always connecting, never blocking, nothing lost."""

from collections.abc import Sequence

from sickbay.core.messages import ActionReport, Delta, Event
from sickbay.host.clock import Clock
from sickbay.rpc.ports import AgentSide
from sickbay.rpc.serving import LOCAL_ONLY, Security


class CoordinatorLink:
    """One agent's link. All methods are for the event loop's own thread; none but `run` waits."""

    def __init__(
        self,
        targets: Sequence[str],
        side: AgentSide,
        clock: Clock,
        *,
        security: Security = LOCAL_ONLY,
    ) -> None:
        """`targets` are `host:port` or `unix:/path`, tried in turn; one that is not local needs `security`."""
        raise NotImplementedError

    @property
    def connected(self) -> bool:
        """Whether a coordinator has welcomed us on a stream that is still up."""
        raise NotImplementedError

    @property
    def target(self) -> str:
        """The coordinator that we are connected to, or that is tried now."""
        raise NotImplementedError

    async def run(self) -> None:
        """Connect, serve and reconnect for ever; returns only after `stop`."""
        raise NotImplementedError

    def stop(self) -> None:
        """Let `run` return soon: what is queued is given a second to leave."""
        raise NotImplementedError

    def delta(self, delta: Delta) -> None:
        """Send what changed. Dropped while disconnected: the full state that follows says it all."""
        raise NotImplementedError

    def events(self, events: Sequence[Event]) -> None:
        """Send events that are *already in the spool*. What cannot go now is read from the spool again later."""
        raise NotImplementedError

    def report(self, report: ActionReport) -> None:
        """Send what came of a directive; kept over reconnects until the coordinator says that it has it."""
        raise NotImplementedError
