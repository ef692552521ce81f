"""SXids: what the NVSwitch driver says went wrong, one signal an error, however many lines tell of it."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from sickbay.core.devices import Scope, Subject
from sickbay.core.instants import Instant
from sickbay.core.kernel_records import KernelRecord, Repeated, instant_of
from sickbay.core.sightings import KMSG
from sickbay.core.signals import EventId, FieldValue, Signal
from sickbay.core.storms import Storms, Tally, settle
from sickbay.core.sxid_lines import SxidLine, SxidMore, read_sxid
from sickbay.core.sxids import lookup
from sickbay.monitors.xid import Seen

_SWITCHES = 64
"""Switches whose last error is remembered; a host has at most a dozen."""

_MOST_DATA = 1000
"""Characters of debug data kept an error: some ninety words, where the driver prints eight a line."""

_Group = tuple[str, int, bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class SxidState:
    """What is still being counted, and the last error of each switch, which further lines speak of."""

    storms: Storms = field(default_factory=Storms)
    last: Mapping[_Group, Hashable] = field(default_factory=lambda: MappingProxyType({}))


class SxidFold:
    """A fold over the SXids of one batch: begins with a state, and gives the state after them."""

    __slots__ = ("_last", "_seen", "_tally")

    def __init__(self, state: SxidState, seen: Seen) -> None:
        self._tally = Tally(state.storms)
        self._last = dict(state.last)
        self._seen = seen

    def take(self, entry: KernelRecord | Repeated) -> tuple[Signal, ...] | None:
        """What a record of the kernel log gives to hand on; None when it is no line about an SXid."""
        record = entry.record if isinstance(entry, Repeated) else entry
        match read_sxid(record.text):
            case SxidLine() as line:
                return self._line(line, entry, record)
            case SxidMore() as more:
                return self._more(more, record)
            case None:
                return None

    def break_off(self) -> None:
        """Lines were lost: what comes now may speak of an error that nobody has read."""
        self._last.clear()

    def state(self) -> SxidState:
        """What is to be remembered."""
        return SxidState(storms=self._tally.storms(), last=dict(list(self._last.items())[-_SWITCHES:]))

    def _line(
        self, line: SxidLine, entry: KernelRecord | Repeated, record: KernelRecord
    ) -> tuple[Signal, ...]:
        group: _Group = (line.pci, line.code, record.is_injected)
        detail = (line.severity, line.link, line.message)
        self._last.pop(group, None)
        self._last[group] = detail
        seen = self._seen
        return self._tally.count(
            group,
            detail,
            min(entry.usec / 1e6, seen.now.mono),
            lambda: sxid_signal(line, record, instant_of(entry.usec, seen.now), seen),
            entry.times if isinstance(entry, Repeated) else 1,
        )

    def _more(self, more: SxidMore, record: KernelRecord) -> tuple[Signal, ...]:
        """A further line adds to the error that it is about; without one it says nothing."""
        group: _Group = (more.pci, more.code, record.is_injected)
        if group not in self._last:
            return ()
        return self._tally.amend(group, self._last[group], lambda signal: _with_more(signal, more))


def settle_sxids(state: SxidState, now: Instant) -> tuple[SxidState, tuple[Signal, ...]]:
    """Counts that are due. To be called once a second while `state.storms` is not calm."""
    storms, told = settle(state.storms, now)
    return replace(state, storms=storms), told


def sxid_signal(line: SxidLine, record: KernelRecord, at: Instant, seen: Seen) -> Signal:
    """The signal of one error, about the switch and, where the line names one, its port."""
    known = lookup(line.code)
    fields: dict[str, FieldValue] = {
        "code": line.code,
        "name": known.name,
        "class": known.klass.value,
        "grade": known.grade.value,
        "severity": line.severity,
        "action": known.action_when(line.severity).value,
        "switch": line.switch,
        "link": line.link,
        "first": line.first,
        "message": line.message,
        **_NOTHING_MORE,
    }
    return Signal(
        kind="sxid",
        subject=Subject(scope=Scope.LINK, pci=line.pci, link=line.link, name=line.switch),
        at=at,
        fields=fields,
        identity=EventId(boot_id=seen.boot_id, source=KMSG, sequence=record.sequence),
        sources=(KMSG,),
        raw=record.text,
        synthetic=record.is_injected,
    )


_NOTHING_MORE: dict[str, FieldValue] = dict.fromkeys(
    ("driver_grade", "engine_instance", "sub_engine_instance", "data")
)


def _with_more(signal: Signal, more: SxidMore) -> Signal:
    """The first error with what a further line says; what is said of later, equal ones is not kept."""
    known, added = signal.fields, dict[str, FieldValue]()
    if more.engine is not None and known["engine_instance"] is None:
        added = {
            "driver_grade": more.grade,
            "engine_instance": more.engine,
            "sub_engine_instance": more.sub_engine,
        }
    if more.data and (known["data"] is None or signal.count == 1):
        words = " ".join(f"{word:#010x}" for word in more.data)
        added["data"] = f"{known['data'] or ''} {words}".strip()[:_MOST_DATA]
    return replace(signal, fields={**known, **added}) if added else signal
