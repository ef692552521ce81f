"""A blocking client of this host's agent for commands: quick to import, quick to fail."""

from pathlib import Path
from types import TracebackType
from typing import Self

from sickbay.core.messages import Event
from sickbay.core.outcomes import Outcome
from sickbay.core.views import HostView
from sickbay.rpc.ports import EventQuery

DEFAULT_SOCKET = Path("/run/sickbay/agent.sock")


class NodeClient:
    """NodeOperations from another process. Calls raise Unreachable, Refused or NotFound of `rpc.ports`."""

    def __init__(self, socket: Path = DEFAULT_SOCKET, *, timeout: float = 2.0) -> None:
        """Dials on the first call. `timeout` in seconds a call; `check` and `evidence` wait for longer."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        raise NotImplementedError

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        raise NotImplementedError

    def close(self) -> None:
        """Let go of the connection."""
        raise NotImplementedError

    def health(self) -> HostView:
        """This host now."""
        raise NotImplementedError

    def events(self, query: EventQuery) -> tuple[Event, ...]:
        """This host's history, oldest first."""
        raise NotImplementedError

    def explain(self, what: str) -> tuple[str, str]:
        """(text for people, JSON for machines)."""
        raise NotImplementedError

    def check(self) -> HostView:
        """Read everything now, then `health`."""
        raise NotImplementedError

    def release(self, ttl: float) -> float:
        """Let go of the driver for at most `ttl` seconds; returns until when (Unix seconds)."""
        raise NotImplementedError

    def resume(self) -> None:
        """Take the driver again."""
        raise NotImplementedError

    def inject(self, line: str) -> Outcome:
        """A kernel line as if printed, marked synthetic; FAILED where injection is not allowed."""
        raise NotImplementedError

    def evidence(self, incident: str) -> tuple[str, int]:
        """(path, bytes) of a fresh evidence bundle on this host."""
        raise NotImplementedError
