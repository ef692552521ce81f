"""What is so on this host now, in memory: what the local API, the coordinator and metrics are shown.

Nothing here asks anybody: a question is answered from what was last told, with its time beside it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from sickbay.core.conditions import Condition
from sickbay.core.devices import Inventory, Scope, Subject
from sickbay.core.host_views import Health, HostView, MonitorState, health_of
from sickbay.core.ids import BootId, NodeName
from sickbay.core.instants import Instant
from sickbay.core.signals import FieldValue, Signal

FIRST_LOOK = "the first look at this host has not ended yet"
"""What stands in the way of saying anything, until a first sweep (or its failure) has been told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who reports, for as long as this process runs. `started_at` in Unix seconds."""

    node: NodeName
    boot_id: BootId
    version: str
    started_at: float


@dataclass(slots=True, kw_only=True)
class HostStatus:
    """The level. `essential` names the monitors without which health is unknown."""

    identity: Identity
    essential: frozenset[str]
    baseline: Inventory | None = None
    inventory: Inventory = field(default_factory=Inventory)
    conditions: tuple[Condition, ...] = ()
    rules_digest: str = ""
    spooled_events: int = 0
    coordinator: str = ""
    coordinator_connected: bool = False
    readings: dict[tuple[str, str], Signal] = field(default_factory=dict)
    monitors: dict[str, MonitorState] = field(default_factory=dict)

    @property
    def known_inventory(self) -> Inventory:
        """What shows now, and what only the healthy host had: a lost GPU keeps its name."""
        if self.baseline is None:
            return self.inventory
        missing = self.baseline.missing_from(self.inventory)
        return replace(self.inventory, gpus=(*self.inventory.gpus, *missing)) if missing else self.inventory

    def take_readings(self, signals: Iterable[Signal]) -> tuple[Signal, ...]:
        """Keep the levels among `signals`; those whose fields differ from before."""
        changed = []
        for signal in signals:
            if signal.is_event or signal.kind == "monitor":
                continue
            key = (signal.kind, signal.subject.key)
            before = self.readings.get(key)
            self.readings[key] = signal
            if before is None or before.fields != signal.fields:
                changed.append(signal)
        return tuple(changed)

    def forget(self, keys: Iterable[tuple[str, str]]) -> None:
        """Let go of readings, by kind and part: the parts are gone, and will not be read again."""
        for key in keys:
            self.readings.pop(key, None)

    def take_sight(self, signal: Signal) -> bool:
        """Keep what a signal of kind `monitor` says; whether that is news."""
        name = _text(signal.fields.get("name"))
        healthy = signal.fields.get("healthy") is True
        detail = _text(signal.fields.get("detail"))
        before = self.monitors.get(name)
        success = signal.at.wall if healthy else before.last_success if before else 0.0
        self.monitors[name] = MonitorState(name=name, healthy=healthy, detail=detail, last_success=success)
        return before is None or (before.healthy, before.detail) != (healthy, detail)

    def saw(self, name: str, at: float) -> None:
        """A monitor that was healthy saw once more, at `at` (Unix seconds)."""
        before = self.monitors.get(name)
        if before is not None and before.healthy:
            self.monitors[name] = replace(before, last_success=at)

    def note(self, name: str, trouble: str, at: float) -> None:
        """A part of our own that no condition rests on: shown to people, judged by no rule."""
        before = self.monitors.get(name)
        success = at if not trouble else before.last_success if before else 0.0
        self.monitors[name] = MonitorState(
            name=name, healthy=not trouble, detail=trouble, last_success=success
        )

    @property
    def blind(self) -> str:
        """What stands in the way of seeing; empty when nothing does."""
        for name in sorted(self.essential):
            monitor = self.monitors.get(name)
            if monitor is None:
                return FIRST_LOOK
            if not monitor.healthy:
                return f"{name} cannot see: {monitor.detail}"
        return ""

    def health(self) -> tuple[Health, str]:
        """The host in one word, with the sentence that says why."""
        return health_of(self.conditions, blind=self.blind)

    def view(self, at: float) -> HostView:
        """The whole level. `at` in Unix seconds."""
        health, summary = self.health()
        return HostView(
            node=self.identity.node,
            boot_id=self.identity.boot_id,
            version=self.identity.version,
            health=health,
            summary=summary,
            inventory=self.inventory,
            conditions=self.conditions,
            readings=tuple(self.readings.values()),
            monitors=tuple(self.monitors[name] for name in sorted(self.monitors)),
            coordinator=self.coordinator,
            coordinator_connected=self.coordinator_connected,
            at=at,
            spooled_events=self.spooled_events,
            rules_digest=self.rules_digest,
        )


def sight_of(name: str, trouble: str, at: Instant) -> Signal:
    """The signal that says whether a part of our own can see; `trouble` is empty when it can."""
    fields: dict[str, FieldValue] = {"name": name, "healthy": not trouble, "detail": trouble}
    return Signal(kind="monitor", subject=Subject(scope=Scope.NODE, name=name), at=at, fields=fields)


def _text(value: FieldValue) -> str:
    return value if isinstance(value, str) else ""
