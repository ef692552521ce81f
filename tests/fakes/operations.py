"""What a coordinator and an agent answer to people, from memory."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence

from tests.fakes.words import a_condition, a_remediation, a_signal, an_event, an_incident

from sickbay.core.conditions import Mode
from sickbay.core.devices import Inventory
from sickbay.core.ids import BootId, IncidentId, NodeName
from sickbay.core.incidents import Incident
from sickbay.core.messages import Event
from sickbay.core.orchestration import Ownership
from sickbay.core.outcomes import Outcome
from sickbay.core.remediation import Remediation
from sickbay.core.views import (
    FleetView,
    Health,
    HostView,
    IncidentDetail,
    NodeDetail,
    NodeSummary,
)
from sickbay.rpc.ports import EventQuery, NotFound, Refused


class FakeFleetOperations:
    """FleetOperations over one node, `n1`, with one incident on it."""

    def __init__(self) -> None:
        self.asked: list[object] = []
        self.failing: Exception | None = None
        self.watching: asyncio.Queue[Incident | Remediation] = asyncio.Queue()

    async def fleet(self) -> FleetView:
        if self.failing is not None:
            raise self.failing
        return FleetView(
            coordinator="c1",
            version="0.1.0",
            term=3,
            mode=Mode.ACT,
            orchestrator="slurm",
            nodes=1,
            connected=1,
            open_incidents=1,
            active_remediations=1,
            started_at=1.0,
            rules_digest="digest",
        )

    async def nodes(self) -> Sequence[NodeSummary]:
        return [summary()]

    async def node(self, name: NodeName) -> NodeDetail:
        if name != "n1":
            raise NotFound(f"no node is called {name}")
        return NodeDetail(
            summary=summary(),
            inventory=Inventory(),
            conditions=(a_condition(),),
            readings=(a_signal(),),
            incidents=(an_incident(),),
        )

    async def incidents(self, *, node: NodeName, include_closed: bool, limit: int) -> Sequence[Incident]:
        self.asked.append((node, include_closed, limit))
        return [an_incident()]

    async def incident(self, ident: IncidentId) -> IncidentDetail:
        if not an_incident().id.startswith(ident):
            raise NotFound(f"no incident is called {ident}")
        return IncidentDetail(
            incident=an_incident(),
            conditions=(a_condition(),),
            remediation=a_remediation(),
            events=(an_event(1, a_signal()),),
        )

    async def events(self, query: EventQuery) -> Sequence[Event]:
        self.asked.append(query)
        return [an_event(1, a_signal()), an_event(2, a_condition())]

    async def watch(self, node: NodeName) -> AsyncIterator[Incident | Remediation]:
        self.asked.append(node)
        while True:
            yield await self.watching.get()

    async def cordon(self, node: NodeName, *, reason: str, operator: str) -> Outcome:
        self.asked.append((node, reason, operator))
        return Outcome.done("cordoned")

    async def give_back(self, node: NodeName, *, operator: str) -> Outcome:
        raise Refused(f"{node} is not out of service, {operator}")


class FakeNodeOperations:
    """NodeOperations of a healthy host."""

    def __init__(self) -> None:
        self.asked: list[object] = []
        self.hanging = False
        self.explained: dict[str, str] = {}

    async def health(self) -> HostView:
        if self.hanging:
            await asyncio.Event().wait()
        return host()

    async def check(self) -> HostView:
        self.asked.append("check")
        return host()

    async def events(self, query: EventQuery) -> Sequence[Event]:
        self.asked.append(query)
        return [an_event(1, a_signal())]

    async def explain(self, what: str) -> tuple[str, str]:
        if what == "nothing":
            raise NotFound("nothing here is called that")
        return f"about {what}", json.dumps(self.explained)

    async def release(self, ttl: float) -> float:
        return 1000.0 + ttl

    async def resume(self) -> None:
        self.asked.append("resume")

    async def inject(self, line: str) -> Outcome:
        self.asked.append(line)
        return Outcome.failed("injection is not allowed here")

    async def evidence(self, incident: str) -> tuple[str, int]:
        return f"/var/lib/sickbay/evidence/{incident}", 4096


def summary() -> NodeSummary:
    return NodeSummary(
        node=NodeName("n1"),
        boot_id=BootId("boot-1"),
        version="0.1.0",
        connected=True,
        last_seen=5.0,
        gpus=8,
        worst=a_condition().severity,
        ownership=Ownership.OURS,
        schedulable=None,
        scheduler_state="DRAINING",
        scheduler_reason="sickbay:inc-1:gpu-lost",
        remediation=a_remediation(),
        open_conditions=1,
        nvml="simulated",
    )


def host() -> HostView:
    return HostView(
        node=NodeName("n1"),
        boot_id=BootId("boot-1"),
        version="0.1.0",
        health=Health.HEALTHY,
        summary="nothing is wrong",
        inventory=Inventory(),
        conditions=(),
        readings=(a_signal(),),
        monitors=(),
        coordinator="127.0.0.1:7118",
        coordinator_connected=True,
        at=6.0,
        spooled_events=0,
        rules_digest="digest",
    )
