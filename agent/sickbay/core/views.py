"""What people and their programs are shown of the fleet; those of one host come along."""

from dataclasses import dataclass

from sickbay.core.conditions import Condition, Mode, Severity
from sickbay.core.devices import Inventory
from sickbay.core.host_views import Health, HostView, MonitorState, health_of
from sickbay.core.ids import BootId, NodeName
from sickbay.core.incidents import Incident
from sickbay.core.messages import Event
from sickbay.core.orchestration import Ownership
from sickbay.core.remediation import Remediation
from sickbay.core.signals import Signal

__all__ = [
    "FleetView",
    "Health",
    "HostView",
    "IncidentDetail",
    "MonitorState",
    "NodeDetail",
    "NodeSummary",
    "health_of",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSummary:
    """One node as the coordinator sees it. `schedulable` None: the scheduler could not say."""

    node: NodeName
    boot_id: BootId
    version: str
    connected: bool
    last_seen: float
    gpus: int
    worst: Severity | None
    ownership: Ownership
    schedulable: bool | None
    scheduler_state: str
    scheduler_reason: str
    remediation: Remediation | None
    open_conditions: int
    nvml: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeDetail:
    """Everything that the coordinator holds about one node."""

    summary: NodeSummary
    inventory: Inventory
    conditions: tuple[Condition, ...]
    readings: tuple[Signal, ...]
    incidents: tuple[Incident, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentDetail:
    """One incident with what it rests on and what is being done about it."""

    incident: Incident
    conditions: tuple[Condition, ...]
    remediation: Remediation | None
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetView:
    """The fleet in a dozen figures."""

    coordinator: str
    version: str
    term: int
    mode: Mode
    orchestrator: str
    nodes: int
    connected: int
    open_incidents: int
    active_remediations: int
    started_at: float
    rules_digest: str
