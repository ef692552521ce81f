"""Xids: what the driver says went wrong, from the kernel log and from NVML's events, as one signal each.

Everything here is judgement over values: reading the kernel log is `host.kmsg`, waiting for NVML is the NVML
worker's. A code is never acted on here, and one that nobody lists is as good a signal as any other.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from sickbay.core.devices import Inventory, Scope, Subject
from sickbay.core.ids import BootId
from sickbay.core.instants import Instant
from sickbay.core.kernel_records import KernelRecord, Repeated, instant_of
from sickbay.core.sightings import KMSG, NVML, Sightings, merge
from sickbay.core.signals import EventId, FieldValue, Signal
from sickbay.core.storms import Storms, Tally, settle
from sickbay.core.xid_48 import BESIDE, Splits, codes_near, fields_with, with_code, with_double_bit
from sickbay.core.xid_48 import CODE as DOUBLE_BIT
from sickbay.core.xid_74 import CODE as NVLINK
from sickbay.core.xid_74 import parse_link_error
from sickbay.core.xid_fields import branch_of, fields_of_code, fields_of_line
from sickbay.core.xid_lines import XidLine

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
    """What is still being counted, what was lately seen by whom, and what may belong to an Xid 48."""

    storms: Storms = field(default_factory=Storms)
    sightings: Sightings = field(default_factory=Sightings)
    splits: Splits = field(default_factory=lambda: MappingProxyType({}))


Step = tuple[XidState, tuple[Signal, ...]]
"""The state after something was seen, and the signals to hand on."""


class XidFold:
    """A fold over the Xids of one batch: begins with a state, and gives the state after them."""

    __slots__ = ("_seen", "_sightings", "_splits", "_tally")

    def __init__(self, state: XidState, seen: Seen) -> None:
        self._tally = Tally(state.storms)
        self._sightings = state.sightings
        self._splits = state.splits
        self._seen = seen

    def line(self, line: XidLine, entry: KernelRecord | Repeated) -> tuple[Signal, ...]:
        """One Xid of the kernel log. Equal lines become one signal with a count (core.storms)."""
        seen = self._seen
        record, times = (entry.record, entry.times) if isinstance(entry, Repeated) else (entry, 1)
        group, detail, mono = (
            _group(line.pci, line.code, record),
            _detail(line),
            min(entry.usec / 1e6, seen.now.mono),
        )
        told = self._tally.count(
            group,
            detail,
            mono,
            lambda: line_signal(line, record, instant_of(entry.usec, seen.now), seen),
            times,
        )
        if line.code == DOUBLE_BIT or line.code in BESIDE:
            told = (*told, *self._split(line, record, detail, mono))
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
        return XidState(storms=self._tally.storms(), sightings=self._sightings, splits=self._splits)

    def _split(
        self, line: XidLine, record: KernelRecord, detail: Hashable, mono: float
    ) -> tuple[Signal, ...]:
        """Let an Xid 48 say which memory it was in, when a code beside it has told (core.xid_48)."""
        slot = (line.pci, record.is_injected)
        if line.code == DOUBLE_BIT:
            self._splits = with_double_bit(self._splits, slot, detail, mono)
        else:
            self._splits = with_code(self._splits, slot, line.code, mono)
        beside = self._splits[slot]
        codes = () if beside.at is None else codes_near(beside, beside.at)
        if not codes:
            return ()
        split = fields_with(codes)
        return self._tally.amend(
            _group(line.pci, DOUBLE_BIT, record),
            beside.detail,
            lambda first: replace(first, fields={**first.fields, **split}),
        )

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
    return replace(state, storms=storms, sightings=sightings), signals


def line_signal(line: XidLine, record: KernelRecord, at: Instant, seen: Seen) -> Signal:
    """The signal of one line, with NVIDIA's name, class and action for its code."""
    return Signal(
        kind="xid",
        subject=gpu_of(line.pci, seen.inventory),
        at=at,
        fields=fields_of_line(line, branch_of(seen.inventory.driver_version)),
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
    unknown: dict[str, FieldValue] = {"name": "unknown to NVML"} if event.code == _UNKNOWN_TO_NVML else {}
    return Signal(
        kind="xid",
        subject=Subject(scope=Scope.GPU, gpu_uuid=uuid, pci=pci),
        at=event.at,
        fields={
            **fields_of_code(event.code),
            **unknown,
            "gpu_instance": event.gpu_instance,
            "compute_instance": event.compute_instance,
        },
        identity=EventId(boot_id=seen.boot_id, source=NVML, sequence=event.sequence),
        sources=(NVML,),
        raw=f"nvmlEventTypeXidCriticalError eventData={event.code}",
    )


def gpu_of(pci: str, inventory: Inventory) -> Subject:
    """The GPU in a slot, with the UUID that it had when it was last known."""
    gpu = inventory.by_pci(pci)
    return Subject(scope=Scope.GPU, gpu_uuid=gpu.uuid if gpu else "", pci=pci)


def _group(pci: str, code: int, record: KernelRecord) -> Hashable:
    """Under which equal lines are counted; injected ones apart."""
    return KMSG, pci, code, record.is_injected


def _detail(line: XidLine) -> Hashable:
    """What makes two lines of one GPU and code different events: who, which link, which way."""
    nvlink = line.nvlink
    return (
        line.pid,
        line.gpu_instance,
        line.compute_instance,
        line.caused_by,
        line.recovery,
        (nvlink.unit, nvlink.severity, nvlink.link, nvlink.registers[:2]) if nvlink else None,
        parse_link_error(line.message) if line.code == NVLINK else None,
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
