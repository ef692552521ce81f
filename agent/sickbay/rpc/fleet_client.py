"""A blocking client of the coordinator for commands: quick to import, quick to fail."""

from collections.abc import Iterator
from types import TracebackType
from typing import Self

from sickbay.core.ids import IncidentId, NodeName
from sickbay.core.incidents import Incident
from sickbay.core.messages import Event
from sickbay.core.outcomes import Outcome
from sickbay.core.remediation import Remediation
from sickbay.core.views import FleetView, IncidentDetail, NodeDetail, NodeSummary
from sickbay.rpc.ports import EventQuery
from sickbay.rpc.serving import LOCAL_ONLY, Security


class FleetClient:
    """FleetOperations from afar. Each call raises Unreachable, Refused or NotFound of `sickbay.rpc.ports`."""

    def __init__(
        self,
        target: str = "127.0.0.1:7118",
        *,
        timeout: float = 3.0,
        security: Security = LOCAL_ONLY,
    ) -> None:
        """Dials on the first call. `timeout` in seconds a call; operator verbs wait for ten times as long."""
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

    def fleet(self) -> FleetView:
        """The fleet in a dozen figures."""
        raise NotImplementedError

    def nodes(self) -> tuple[NodeSummary, ...]:
        """Every known node, by name."""
        raise NotImplementedError

    def node(self, name: NodeName) -> NodeDetail:
        """One node, whole."""
        raise NotImplementedError

    def incidents(
        self, *, node: NodeName = NodeName(""), include_closed: bool = False, limit: int = 100
    ) -> tuple[Incident, ...]:
        """Open first, then the most recently closed."""
        raise NotImplementedError

    def incident(self, ident: IncidentId) -> IncidentDetail:
        """One incident, whole. A unique prefix of an id is enough."""
        raise NotImplementedError

    def events(self, query: EventQuery) -> tuple[Event, ...]:
        """Oldest first."""
        raise NotImplementedError

    def watch(self, node: NodeName = NodeName("")) -> Iterator[Incident | Remediation]:
        """All that is open, and then every change; ends with Unreachable when the coordinator goes."""
        raise NotImplementedError

    def cordon(self, node: NodeName, *, reason: str, operator: str) -> Outcome:
        """A person's cordon."""
        raise NotImplementedError

    def give_back(self, node: NodeName, *, operator: str) -> Outcome:
        """A person's return."""
        raise NotImplementedError
