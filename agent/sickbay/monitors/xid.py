"""Xids: what the driver says went wrong, from the kernel log and from NVML's events, as one signal each.

Everything here is judgement over values: reading the kernel log is `host.kmsg`, waiting for NVML is the NVML
worker's. A code is never acted on here, and one that nobody lists is as good a signal as any other.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field

from sickbay.core.devices import Inventory, Scope, Subject
from sickbay.core.ids import BootId
from sickbay.core.instants import Instant
from sickbay.core.kernel_records import KernelRecord, Repeated, instant_of
from sickbay.core.recovery_actions import RecoveryAction
from sickbay.core.sightings import KMSG, NVML, Sightings, merge
from sickbay.core.signals import EventId, FieldValue, Signal
from sickbay.core.storms import Storms, Tally, settle
from sickbay.core.xid_lines import NvLink5, XidLine
from sickbay.core.xids import asked_by_driver, lookup

_UNKNOWN_TO_NVML = 999
"""eventData of an Xid event whose code NVML does not know (nvml.h, nvmlEventData_t)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Where and when something was read: this boot, this moment, and what the node holds."""

    boot_id: BootId
    now: Instant
    inventory: Inventory


@dataclass(frozen=True, slots=True, kw_only=True)
class NvmlXid:
    """An Xid event as NVML delivers it (nvmlEventTypeXidCriticalError). `sequence` is the receiver's own.

    `gpu_instance` and `compute_instance` are None without MIG (0xFFFFFFFF in nvml.h).
    """

    code: int
    sequence: int
    at: Instant
    gpu_uuid: str = ""
    pci: str = ""
    gpu_instance: int | None = None
    compute_instance: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class XidState:
    """What is still being counted, and what was lately seen by whom."""

    storms: Storms = field(default_factory=Storms)
    sightings: Sightings = field(default_factory=Sightings)


Step = tuple[XidState, tuple[Signal, ...]]
"""The state after something was seen, and the signals to hand on."""


class XidFold:
    """A fold over the Xids of one batch: begins with a state, and gives the state after them."""

    __slots__ = ("_seen", "_sightings", "_tally")

    def __init__(self, state: XidState, seen: Seen) -> None:
        self._tally = Tally(state.storms)
        self._sightings = state.sightings
        self._seen = seen

    def line(self, line: XidLine, entry: KernelRecord | Repeated) -> tuple[Signal, ...]:
        """One Xid of the kernel log. Equal lines become one signal with a count (core.storms)."""
        seen = self._seen
        record, times = (entry.record, entry.times) if isinstance(entry, Repeated) else (entry, 1)
        told = self._tally.count(
            (KMSG, line.pci, line.code, record.is_injected),
            _detail(line),
            min(entry.usec / 1e6, seen.now.mono),
            lambda: line_signal(line, record, instant_of(entry.usec, seen.now), seen),
            times,
        )
        return self._merged(told) if told else ()

    def event(self, event: NvmlXid) -> tuple[Signal, ...]:
        """One Xid of NVML's events; it only adds its name to what the kernel log has just told."""
        told = self._tally.count(
            (NVML, event.gpu_uuid, event.pci, event.code),
            (event.gpu_instance, event.compute_instance),
            event.at.mono,
            lambda: event_signal(event, self._seen),
        )
        return self._merged(told) if told else ()

    def state(self) -> XidState:
        """What is to be remembered."""
        return XidState(storms=self._tally.storms(), sightings=self._sightings)

    def _merged(self, told: tuple[Signal, ...]) -> tuple[Signal, ...]:
        self._sightings, signals = _merge(self._sightings, told, self._seen.now)
        return signals


def see_line(state: XidState, line: XidLine, entry: KernelRecord | Repeated, seen: Seen) -> Step:
    """One Xid of the kernel log alone."""
    fold = XidFold(state, seen)
    signals = fold.line(line, entry)
    return fold.state(), signals


def see_event(state: XidState, event: NvmlXid, seen: Seen) -> Step:
    """One Xid of NVML's events alone."""
    fold = XidFold(state, seen)
    signals = fold.event(event)
    return fold.state(), signals


def settle_storms(state: XidState, now: Instant) -> Step:
    """Counts that are due. To be called once a second while `state.storms` is not calm."""
    storms, told = settle(state.storms, now)
    sightings, signals = _merge(state.sightings, told, now)
    return XidState(storms=storms, sightings=sightings), signals


def line_signal(line: XidLine, record: KernelRecord, at: Instant, seen: Seen) -> Signal:
    """The signal of one line, with NVIDIA's name, class and action for its code."""
    return Signal(
        kind="xid",
        subject=gpu_of(line.pci, seen.inventory),
        at=at,
        fields=_fields(
            line.code,
            action=line.recovery.now if line.recovery else None,
            pid=line.pid,
            process=line.process or None,
            caused_by=line.caused_by,
            message=line.message,
            gpu_instance=line.gpu_instance,
            compute_instance=line.compute_instance,
            from_action=line.recovery.before.value if line.recovery else None,
            to_action=line.recovery.now.value if line.recovery else None,
            **_link_fields(line.nvlink),
        ),
        identity=EventId(boot_id=seen.boot_id, source=KMSG, sequence=record.sequence),
        sources=(KMSG,),
        raw=record.text,
        synthetic=record.is_injected,
    )


def event_signal(event: NvmlXid, seen: Seen) -> Signal:
    """The signal of an NVML event; its pid, process and message are unknown."""
    gpu = next((gpu for gpu in seen.inventory.gpus if event.gpu_uuid and gpu.uuid == event.gpu_uuid), None)
    pci = event.pci or (gpu.pci if gpu else "")
    uuid = event.gpu_uuid or gpu_of(pci, seen.inventory).gpu_uuid
    return Signal(
        kind="xid",
        subject=Subject(scope=Scope.GPU, gpu_uuid=uuid, pci=pci),
        at=event.at,
        fields=_fields(
            event.code,
            gpu_instance=event.gpu_instance,
            compute_instance=event.compute_instance,
        ),
        identity=EventId(boot_id=seen.boot_id, source=NVML, sequence=event.sequence),
        sources=(NVML,),
        raw=f"nvmlEventTypeXidCriticalError eventData={event.code}",
    )


def gpu_of(pci: str, inventory: Inventory) -> Subject:
    """The GPU in a slot, with the UUID that it had when it was last known."""
    gpu = inventory.by_pci(pci)
    return Subject(scope=Scope.GPU, gpu_uuid=gpu.uuid if gpu else "", pci=pci)


def _fields(code: int, *, action: RecoveryAction | None = None, **more: FieldValue) -> dict[str, FieldValue]:
    """Every declared field; what the source does not say is None, which is unknown."""
    xid = lookup(code)
    asked = xid.action if action is None else asked_by_driver(action)
    known: dict[str, FieldValue] = {
        "code": code,
        "name": "unknown to NVML" if code == _UNKNOWN_TO_NVML else xid.name,
        "class": xid.klass.value,
        "action": asked.value,
    }
    return {**_NOTHING_SAID, **known, **more}


_NOTHING_SAID: dict[str, FieldValue] = dict.fromkeys(
    (
        "pid",
        "process",
        "caused_by",
        "message",
        "gpu_instance",
        "compute_instance",
        "from_action",
        "to_action",
        "unit",
        "link_severity",
        "link",
        "registers",
    ),
)


def _link_fields(nvlink: NvLink5 | None) -> dict[str, FieldValue]:
    if nvlink is None:
        return {}
    return {
        "unit": nvlink.unit,
        "link_severity": nvlink.severity,
        "link": nvlink.link,
        "registers": " ".join(f"{word:#010x}" for word in nvlink.registers),
    }


def _detail(line: XidLine) -> Hashable:
    """What makes two lines of one GPU and code different events: who, which link, which way."""
    nvlink = line.nvlink
    return (
        line.pid,
        line.gpu_instance,
        line.compute_instance,
        line.caused_by,
        line.recovery,
        (nvlink.unit, nvlink.severity, nvlink.link, nvlink.intr_info) if nvlink else None,
    )


def _merge(
    sightings: Sightings,
    told: tuple[Signal, ...],
    now: Instant,
) -> tuple[Sightings, tuple[Signal, ...]]:
    """Let the sources find each other. Injected lines stay apart: they lend no words to a real event."""
    signals: list[Signal] = []
    for signal in told:
        if signal.synthetic:
            signals.append(signal)
            continue
        sightings, merged = merge(sightings, signal, now)
        if merged is not None:
            signals.append(merged)
    return sightings, tuple(signals)
