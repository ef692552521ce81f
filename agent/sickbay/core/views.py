"""What people and their programs are shown of the fleet and of one host."""

from dataclasses import dataclass
from enum import Enum

from sickbay.core.conditions import Condition, Mode, Severity
from sickbay.core.devices import Inventory
from sickbay.core.ids import BootId, NodeName
from sickbay.core.incidents import Incident
from sickbay.core.messages import Event
from sickbay.core.orchestration import Ownership
from sickbay.core.remediation import Remediation
from sickbay.core.signals import Signal


class Health(Enum):
    """A host in one word. The command's exit code is its place in this list; UNKNOWN is never healthy."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorState:
    """Whether one monitor can see, and when it last did (Unix seconds)."""

    name: str
    healthy: bool
    detail: str
    last_success: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HostView:
    """One host as its own agent sees it."""

    node: NodeName
    boot_id: BootId
    version: str
    health: Health
    summary: str
    inventory: Inventory
    conditions: tuple[Condition, ...]
    readings: tuple[Signal, ...]
    monitors: tuple[MonitorState, ...]
    coordinator: str
    coordinator_connected: bool
    at: float
    spooled_events: int
    rules_digest: str


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


def health_of(conditions: tuple[Condition, ...], *, blind: str = "") -> tuple[Health, str]:
    """A host's health in one word, with the sentence that says why.

    `blind` names what stands in the way of seeing; a host that cannot be seen is UNKNOWN, unless what is seen
    is already bad.
    """
    open_now = sorted((c for c in conditions if c.is_open), key=lambda c: -c.severity.rank)
    worst = open_now[0] if open_now else None
    if worst is not None and worst.severity.rank >= Severity.CRITICAL.rank:
        return Health.UNHEALTHY, _sentence(worst, len(open_now))
    if blind:
        return Health.UNKNOWN, blind
    if worst is not None and worst.severity.rank >= Severity.WARNING.rank:
        return Health.DEGRADED, _sentence(worst, len(open_now))
    return Health.HEALTHY, "nothing is wrong"


def _sentence(worst: Condition, count: int) -> str:
    more = f" and {count - 1} more" if count > 1 else ""
    return f"{worst.type} ({worst.reason}) on {worst.subject.key}{more}"
