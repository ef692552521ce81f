"""The kernel log as a whole: Xids, SXids, lost GPUs, faults of the host, gaps, and whether we can read it.

`observe` is a fold: the state before, some entries of the log, and out come the state after and the signals.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import msgspec

from sickbay.core import kernel_lines
from sickbay.core.devices import NODE, Inventory, Subject
from sickbay.core.gpu_lost_lines import GpuLostLine, ProbeLoss, follow_probe, parse_gpu_lost
from sickbay.core.instants import Instant
from sickbay.core.kernel_records import (
    Entry,
    Interest,
    KernelRecord,
    LogGap,
    Repeated,
    UnknownRecord,
    instant_of,
)
from sickbay.core.sightings import KMSG
from sickbay.core.signals import EventId, FieldValue, Signal
from sickbay.core.storms import Storms, gather, settle
from sickbay.core.xid_lines import parse_xid
from sickbay.monitors.kernel_faults import FaultFold, FaultState, settle_faults
from sickbay.monitors.sxid import SxidFold, SxidState, settle_sxids
from sickbay.monitors.xid import Seen, XidFold, XidState, gpu_of, settle_storms

INTEREST = Interest(starts=(b"NVRM: ", b"nvidia-nvswitch", *kernel_lines.STARTS), holds=kernel_lines.HOLDS)
"""What `observe` can make something of; everything else in the log is passed over while still bytes."""

_DRIVER = "NVRM: "

NAME = "kernel_log"
"""The monitor's own name in signals of kind `monitor`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelLogState:
    """What has to be remembered from one entry to the next."""

    xids: XidState = field(default_factory=XidState)
    losses: Storms = field(default_factory=Storms)
    probe: ProbeLoss | None = None
    probe_record: KernelRecord | None = None
    faults: FaultState = field(default_factory=FaultState)
    sxids: SxidState = field(default_factory=SxidState)

    def is_calm(self) -> bool:
        """Whether no count is open, so that `settle_counts` has nothing to do."""
        counted = (self.xids.storms, self.losses, self.faults.storms, self.sxids.storms)
        return all(storms.is_calm() for storms in counted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """The state after, what to hand on, and the bytes that were no records (for the log and a counter)."""

    state: KernelLogState
    signals: tuple[Signal, ...] = ()
    unknown: tuple[UnknownRecord, ...] = ()


def observe(state: KernelLogState, entries: Iterable[Entry], seen: Seen) -> Observed:
    """Fold entries of the log, in their order, into signals. Lines that say nothing to us are passed over."""
    signals: list[Signal] = []
    unknown: list[UnknownRecord] = []
    xids, faults = XidFold(state.xids, seen), FaultFold(state.faults, seen)
    sxids = SxidFold(state.sxids, seen)
    for entry in entries:
        match entry:
            case KernelRecord() | Repeated():
                text = _record_of(entry).text
                if (xid := parse_xid(text)) is not None:
                    signals.extend(xids.line(xid, entry))
                elif (told := sxids.take(entry)) is not None:
                    signals.extend(told)
                elif (line := kernel_lines.classify(text)) is not None:
                    signals.extend(faults.line(line, entry))
                elif text.startswith(_DRIVER):
                    state, found = _loss(state, entry, seen)
                    signals.extend(found)
            case LogGap():
                state = replace(state, probe=None, probe_record=None)
                faults.break_off()
                sxids.break_off()
                signals.append(gap_signal(entry, seen))
            case UnknownRecord():
                unknown.append(entry)
    state = replace(state, xids=xids.state(), faults=faults.state(), sxids=sxids.state())
    return Observed(state=state, signals=tuple(signals), unknown=tuple(unknown))


def settle_counts(state: KernelLogState, now: Instant) -> Observed:
    """Counts that are due. To be called once a second while the state is not calm."""
    xids, counted = settle_storms(state.xids, now)
    losses, lost = settle(state.losses, now)
    faults, more = settle_faults(state.faults, now)
    sxids, switches = settle_sxids(state.sxids, now)
    state = replace(state, xids=xids, losses=losses, faults=faults, sxids=sxids)
    return Observed(state=state, signals=(*counted, *lost, *more, *switches))


def gap_signal(gap: LogGap, seen: Seen) -> Signal:
    """Records that nobody will read any more. Its identity is the first of them, so that it is told once."""
    return Signal(
        kind="log_gap",
        subject=NODE,
        at=seen.now,
        fields={"lost": gap.lost, "before_start": gap.before_start},
        identity=EventId(boot_id=seen.boot_id, source="kmsg-gap", sequence=gap.first),
        sources=(KMSG,),
    )


def sight_signal(now: Instant, *, trouble: str) -> Signal:
    """Whether this monitor can see; `trouble` says what is in its way and is empty when nothing is.

    Blindness is our own trouble, never the hardware's: every condition that rests on the kernel log alone is
    then unknown.
    """
    fields: dict[str, FieldValue] = {"name": NAME, "healthy": not trouble, "detail": trouble}
    return Signal(kind="monitor", subject=NODE, at=now, fields=fields, sources=(KMSG,))


def _record_of(entry: KernelRecord | Repeated) -> KernelRecord:
    return entry.record if isinstance(entry, Repeated) else entry


def _loss(
    state: KernelLogState,
    entry: KernelRecord | Repeated,
    seen: Seen,
) -> tuple[KernelLogState, tuple[Signal, ...]]:
    record = _record_of(entry)
    lost = parse_gpu_lost(record.text)
    if lost is not None:
        return _lost(state, lost, entry, seen)
    return _probe(state, record, seen) if record is entry else (state, ())


def _probe(
    state: KernelLogState,
    record: KernelRecord,
    seen: Seen,
) -> tuple[KernelLogState, tuple[Signal, ...]]:
    """The sentence over several records: its time and identity are the first one's, its text is whole."""
    probe, lost = follow_probe(state.probe, record.text)
    if lost is not None and state.probe is not None and state.probe_record is not None:
        whole = f"NVRM: {state.probe.words} {record.text.removeprefix('NVRM: ')}"
        told = msgspec.structs.replace(state.probe_record, text=whole)
        return _lost(replace(state, probe=None, probe_record=None), lost, told, seen)
    if probe is state.probe:
        return state, ()
    begun = None if probe is None else record if probe.lines == 1 else state.probe_record
    return replace(state, probe=probe, probe_record=begun), ()


def _lost(
    state: KernelLogState,
    lost: GpuLostLine,
    entry: KernelRecord | Repeated,
    seen: Seen,
) -> tuple[KernelLogState, tuple[Signal, ...]]:
    at = instant_of(entry.usec, seen.now)
    record, times = _record_of(entry), entry.times if isinstance(entry, Repeated) else 1
    losses, signals = gather(
        state.losses,
        group=(lost.pci, record.is_injected),
        detail=lost.at_probe,
        at=at,
        signal=lambda: lost_signal(lost, record, at, seen),
        times=times,
    )
    return replace(state, losses=losses), signals


def lost_signal(lost: GpuLostLine, record: KernelRecord, at: Instant, seen: Seen) -> Signal:
    """A GPU that the driver found gone. A line that does not say which speaks of the node."""
    return Signal(
        kind="gpu_lost",
        subject=_subject(lost.pci, seen.inventory),
        at=at,
        fields={"lost": True, "how": "kernel"},
        identity=EventId(boot_id=seen.boot_id, source=KMSG, sequence=record.sequence),
        sources=(KMSG,),
        raw=record.text,
        synthetic=record.is_injected,
    )


def _subject(pci: str, inventory: Inventory) -> Subject:
    return gpu_of(pci, inventory) if pci else NODE
