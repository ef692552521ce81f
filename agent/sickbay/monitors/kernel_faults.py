"""What the kernel log says of this host apart from Xids: equal lines as one, reports of several lines whole.

Everything here is judgement over values; the words of each line are read in `core.kernel_lines`.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from msgspec import Struct

from sickbay.core.devices import NODE, Inventory, Scope, Subject
from sickbay.core.instants import Instant
from sickbay.core.kernel_lines import KernelLine, completed
from sickbay.core.kernel_records import KernelRecord, Repeated, instant_of
from sickbay.core.sightings import KMSG
from sickbay.core.signals import EventId, FieldValue, Signal
from sickbay.core.storms import Storms, Tally, settle
from sickbay.monitors.xid import Seen

_NOTHING: Mapping[str, FieldValue] = MappingProxyType({})

TOGETHER_US = 1_000_000
"""Lines of one report further apart than this, in microseconds, belong to different ones."""


_PARTS = {
    "pcie_error": "pcie",
    "pcie_containment": "pcie",
    "pcie_recovery": "pcie",
    "hardware_error": "dimm",
    "nvme_error": "nvme",
    "block_error": "block",
    "filesystem_error": "volume",
    "adapter_event": "adapter",
}
"""What a kind's parts are called under the node. No other monitor reads parts of these names, so that none
takes an injected line for a part that must be there."""


class Report(Struct, frozen=True, kw_only=True, gc=False):
    """A report of several lines under way: of which part, when, and what it is counted under or has said."""

    part: str
    injected: bool
    usec: int
    group: Hashable = ()
    detail: Hashable = ()
    said: Mapping[str, FieldValue] = _NOTHING

    def is_of(self, line: KernelLine, record: KernelRecord, usec: int) -> bool:
        """Whether a line belongs to it."""
        return (
            self.part == line.part
            and self.injected == record.is_injected
            and 0 <= usec - self.usec <= TOGETHER_US
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultState:
    """What is still being counted; and by kind, the latest event and what was said before the next one."""

    storms: Storms = field(default_factory=Storms)
    latest: Mapping[str, Report] = field(default_factory=lambda: MappingProxyType({}))
    ahead: Mapping[str, Report] = field(default_factory=lambda: MappingProxyType({}))


class FaultFold:
    """A fold over the lines of one batch: begins with a state, and gives the state after them."""

    __slots__ = ("_ahead", "_latest", "_seen", "_tally")

    def __init__(self, state: FaultState, seen: Seen) -> None:
        self._tally = Tally(state.storms)
        self._latest = dict(state.latest)
        self._ahead = dict(state.ahead)
        self._seen = seen

    def line(self, line: KernelLine, entry: KernelRecord | Repeated) -> tuple[Signal, ...]:
        """One line. Equal lines become one signal with a count (core.storms)."""
        record, times = (entry.record, entry.times) if isinstance(entry, Repeated) else (entry, 1)
        if line.precedes:
            self._ahead[line.kind] = Report(
                part=line.part, injected=record.is_injected, usec=entry.usec, said=line.fields
            )
            return ()
        if line.continues:
            return self._continue(line, record, entry.usec)
        return self._count(line, record, entry.usec, times)

    def break_off(self) -> None:
        """Lines were lost: no report goes on over them."""
        self._latest.clear()
        self._ahead.clear()

    def state(self) -> FaultState:
        """What is to be remembered."""
        return FaultState(storms=self._tally.storms(), latest=self._latest, ahead=self._ahead)

    def _count(self, line: KernelLine, record: KernelRecord, usec: int, times: int) -> tuple[Signal, ...]:
        seen = self._seen
        group = (line.kind, line.part or line.pci, record.is_injected)
        known = self._said_ahead(line, record, usec)
        told = self._tally.count(
            group,
            line.detail,
            min(usec / 1e6, seen.now.mono),
            lambda: line_signal(line, record, instant_of(usec, seen.now), seen, known),
            times * line.times,
        )
        self._latest[line.kind] = Report(
            part=line.part, injected=record.is_injected, usec=usec, group=group, detail=line.detail
        )
        return told

    def _continue(self, line: KernelLine, record: KernelRecord, usec: int) -> tuple[Signal, ...]:
        report = self._latest.get(line.kind)
        if report is None or not report.is_of(line, record, usec):
            return ()
        return self._tally.amend(report.group, report.detail, lambda first: _told_more(first, line.fields))

    def _said_ahead(self, line: KernelLine, record: KernelRecord, usec: int) -> Mapping[str, FieldValue]:
        """What the lines just before have said of the same thing: nothing they know contradicts this one."""
        report = self._ahead.pop(line.kind, None)
        if report is None or not report.is_of(line, record, usec):
            return {}
        said = {name: value for name, value in report.said.items() if value is not None}
        both = said.keys() & line.fields.keys()
        agree = all(line.fields[name] is None or said[name] == line.fields[name] for name in both)
        return said if agree else {}


def _told_more(first: Signal, said: Mapping[str, FieldValue]) -> Signal:
    """The event with what was unknown of it so far; the same where a line says nothing new."""
    known = first.fields
    new = {name: value for name, value in said.items() if value is not None and known.get(name) is None}
    return replace(first, fields=completed(first.kind, {**known, **new})) if new else first


def settle_faults(state: FaultState, now: Instant) -> tuple[FaultState, tuple[Signal, ...]]:
    """Counts that are due. To be called once a second while `state.storms` is not calm."""
    storms, told = settle(state.storms, now)
    return FaultState(storms=storms, latest=state.latest, ahead=state.ahead), told


def line_signal(
    line: KernelLine,
    record: KernelRecord,
    at: Instant,
    seen: Seen,
    known: Mapping[str, FieldValue],
) -> Signal:
    """The signal of one line; `known` is what other lines of the same report have said."""
    return Signal(
        kind=line.kind,
        subject=subject_of(line, seen.inventory),
        at=at,
        fields={**line.fields, **known},
        identity=EventId(boot_id=seen.boot_id, source=KMSG, sequence=record.sequence),
        sources=(KMSG,),
        raw=record.text,
        synthetic=record.is_injected,
    )


def subject_of(line: KernelLine, inventory: Inventory) -> Subject:
    """A GPU where the slot is one's or its driver speaks; otherwise the named part, or the node."""
    gpu = inventory.by_pci(line.pci) if line.pci else None
    if gpu is not None or (line.is_gpu and line.pci):
        return Subject(scope=Scope.GPU, gpu_uuid=gpu.uuid if gpu else "", pci=line.pci)
    return Subject(scope=Scope.NODE, name=f"{_PARTS[line.kind]}:{line.part}") if line.part else NODE
