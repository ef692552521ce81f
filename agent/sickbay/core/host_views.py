"""What people and their programs are shown of one host.

Apart from the views of a fleet, because the command that shows it should start fast: it needs no incidents.
"""

from dataclasses import dataclass
from enum import Enum

from sickbay.core.conditions import Condition, Severity
from sickbay.core.devices import Inventory
from sickbay.core.ids import BootId, NodeName
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
