"""A blocking client of this host's agent for commands: quick to import, quick to fail."""

from pathlib import Path

from sickbay.core.host_views import HostView
from sickbay.core.messages import Event
from sickbay.core.outcomes import Outcome
from sickbay.rpc.calling import Calling
from sickbay.rpc.convert_host import core_host
from sickbay.rpc.convert_observations import core_event
from sickbay.rpc.convert_outcomes import core_outcome
from sickbay.rpc.convert_values import seconds, text
from sickbay.rpc.questions import EventQuery
from sickbay.rpc.quick_look import DEFAULT_SOCKET
from sickbay.v1 import node_pb2 as pb
from sickbay.v1.node_pb2_grpc import NodeServiceStub

__all__ = ["DEFAULT_SOCKET", "NodeClient"]

_CHECK_PATIENCE = 5.0
_EVIDENCE_PATIENCE = 30.0


class NodeClient(Calling):
    """NodeOperations from another process. Calls raise Unreachable, Refused or NotFound of `rpc.ports`."""

    def __init__(self, socket: Path = DEFAULT_SOCKET, *, timeout: float = 2.0) -> None:
        """Dials on the first call. `timeout` in seconds a call; `check` and `evidence` wait for longer."""
        super().__init__(
            f"unix:{socket}",
            whom="agent",
            remedy="start one with `systemctl start sickbay-agent`, or name another one's socket",
            timeout=timeout,
        )
        self._stub = NodeServiceStub(self._channel)

    def health(self) -> HostView:
        """This host now."""
        return core_host(self._ask(self._stub.GetHealth, pb.GetHealthRequest()))

    def check(self) -> HostView:
        """Read everything now, then `health`."""
        return core_host(self._ask(self._stub.RunCheck, pb.RunCheckRequest(), patience=_CHECK_PATIENCE))

    def events(self, query: EventQuery) -> tuple[Event, ...]:
        """This host's history, oldest first."""
        request = pb.ListNodeEventsRequest(limit=query.limit, since=query.since)
        return tuple(core_event(event) for event in self._ask(self._stub.ListNodeEvents, request).events)

    def explain(self, what: str) -> tuple[str, str]:
        """(text for people, JSON for machines)."""
        response = self._ask(self._stub.ExplainNode, pb.ExplainNodeRequest(what=text(what)))
        return response.text, response.json

    def release(self, ttl: float) -> float:
        """Let go of the driver for at most `ttl` seconds; returns until when (Unix seconds)."""
        response = self._ask(self._stub.ReleaseDriver, pb.ReleaseDriverRequest(ttl_seconds=ttl))
        return seconds(response.until)

    def resume(self) -> None:
        """Take the driver again."""
        self._ask(self._stub.ResumeDriver, pb.ResumeDriverRequest())

    def inject(self, line: str) -> Outcome:
        """A kernel line as if printed, marked synthetic; FAILED where injection is not allowed."""
        return core_outcome(self._ask(self._stub.Inject, pb.InjectRequest(line=text(line))).outcome)

    def evidence(self, incident: str) -> tuple[str, int]:
        """(path, bytes) of a fresh evidence bundle on this host."""
        request = pb.CollectEvidenceRequest(incident=text(incident))
        response = self._ask(self._stub.CollectEvidence, request, patience=_EVIDENCE_PATIENCE)
        return response.path, response.bytes
