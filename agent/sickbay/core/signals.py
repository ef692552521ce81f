"""Signals: what a monitor saw, and the catalogue of everything a monitor may say.

The catalogue is the type environment of the rules: an expression that names a field that is not declared
here, or compares it with the wrong type, is refused when the rules are loaded.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from sickbay.core.devices import Subject
from sickbay.core.ids import BootId
from sickbay.core.instants import Instant

FieldValue = bool | int | float | str | None
"""None is *unknown*: the source could not say. It is never zero and never healthy."""


class FieldType(Enum):
    """Types that rules can reason about; they map one to one to CEL's."""

    BOOL = "bool"
    INT = "int"
    FLOAT = "double"
    TEXT = "string"


@dataclass(frozen=True, slots=True)
class Field:
    """One declared field of a signal kind, with its unit where it has one."""

    type: FieldType
    about: str
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventId:
    """The identity of something that happened once: a boot, a source, and that source's own sequence.

    For the kernel log the sequence is the record's, so the same line read twice is the same event.
    """

    boot_id: BootId
    source: str
    sequence: int

    def __str__(self) -> str:
        return f"{self.boot_id}/{self.source}/{self.sequence}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One observation. `at` is when the evidence came to exist, not when it was read."""

    kind: str
    subject: Subject
    at: Instant
    fields: Mapping[str, FieldValue] = field(default_factory=lambda: MappingProxyType({}))
    identity: EventId | None = None
    sources: tuple[str, ...] = ()
    raw: str = ""
    synthetic: bool = False
    count: int = 1

    @property
    def is_event(self) -> bool:
        """Whether this happened at an instant (a kernel line) rather than being a reading of a level."""
        return self.identity is not None


_B, _I, _F, _T = FieldType.BOOL, FieldType.INT, FieldType.FLOAT, FieldType.TEXT

KINDS: Mapping[str, Mapping[str, Field]] = MappingProxyType(
    {
        "xid": MappingProxyType(
            {
                "code": Field(_I, "the Xid"),
                "name": Field(_T, "the code's name in NVIDIA's catalogue"),
                "class": Field(
                    _T,
                    "application, secondary, hardware, fabric, informational, unused, unknown",
                ),
                "action": Field(_T, "NVIDIA's immediate action, NONE where there is nothing to do"),
                "pid": Field(_I, "the process that was named", "pid"),
                "process": Field(_T, "its name"),
                "caused_by": Field(_I, "the Xid that the line itself names as its cause"),
                "message": Field(_T, "the text after the code"),
                "gpu_instance": Field(_I, "the MIG GPU instance that it is attributed to"),
                "compute_instance": Field(_I, "the MIG compute instance that it is attributed to"),
                "from_action": Field(_T, "Xid 154: what the driver asked for before, as in recovery_action"),
                "to_action": Field(_T, "Xid 154: what the driver asks for now, as in recovery_action"),
                "unit": Field(_T, "Xid 144-150: the part of the NVLink that reports"),
                "link_severity": Field(_T, "Xid 144-150: the driver's Fatal, Nonfatal or Link Fatal"),
                "link": Field(_I, "Xid 144-150: the link, -1 for the whole GPU"),
                "registers": Field(_T, "Xid 144-150: the registers as hexadecimal words"),
            },
        ),
        "gpu_lost": MappingProxyType(
            {
                "lost": Field(_B, "off the bus or absent; false once the driver answers for it again"),
                "how": Field(_T, "kernel, nvml, missing"),
            },
        ),
        "gpu_unresponsive": MappingProxyType(
            {
                "unresponsive": Field(_B, "a driver call about this GPU passed its deadline"),
                "call": Field(_T, "the call that hung"),
                "waited": Field(_F, "how long it was waited for", "s"),
            },
        ),
        "inventory": MappingProxyType(
            {
                "expected": Field(_I, "GPUs that this node had when healthy"),
                "present": Field(_I, "GPUs that NVML shows now"),
                "missing": Field(_I, "expected but not present"),
            },
        ),
        "temperature": MappingProxyType(
            {
                "gpu": Field(_I, "GPU core", "C"),
                "memory": Field(_I, "HBM", "C"),
                "slowdown_at": Field(_I, "the board's slowdown threshold", "C"),
            },
        ),
        "ecc": MappingProxyType(
            {
                "corrected": Field(_I, "corrected errors since driver load"),
                "uncorrected": Field(_I, "uncorrected errors since driver load"),
                "corrected_aggregate": Field(_I, "corrected errors in the board's life"),
                "uncorrected_aggregate": Field(_I, "uncorrected errors in the board's life"),
                "corrected_rate": Field(_F, "corrected errors between two sweeps", "1/s"),
            },
        ),
        "row_remap": MappingProxyType(
            {
                "correctable": Field(_I, "rows remapped for corrected errors"),
                "uncorrectable": Field(_I, "rows remapped for uncorrected errors"),
                "pending": Field(_B, "a remap waits for the next reset"),
                "failure": Field(_B, "a remap has failed: NVIDIA's RMA criterion"),
            },
        ),
        "clocks": MappingProxyType(
            {
                "idle": Field(_B, "GPU idle (bit 0x1)"),
                "sw_power_cap": Field(_B, "software power cap (0x4): normal under load"),
                "hw_slowdown": Field(_B, "hardware slowdown (0x8)"),
                "sw_thermal": Field(_B, "software thermal slowdown (0x20)"),
                "hw_thermal": Field(_B, "hardware thermal slowdown (0x40)"),
                "hw_power_brake": Field(_B, "power brake asserted from outside (0x80)"),
            },
        ),
        "nvlink": MappingProxyType(
            {
                "links": Field(_I, "links that the driver lists"),
                "active": Field(_I, "links up"),
                "inactive": Field(_I, "links down"),
                "first_inactive": Field(_I, "the lowest link that is down, -1 for none"),
            },
        ),
        "recovery_action": MappingProxyType(
            {
                "value": Field(_I, "NVML field 230"),
                "action": Field(
                    _T,
                    "NONE, GPU_RESET, NODE_REBOOT, DRAIN_P2P, DRAIN_AND_RESET, "
                    "RECOVER_IMEX_DOMAIN, BUS_RESET, SYSTEM_REBOOT",
                ),
            },
        ),
        "nvml_event": MappingProxyType(
            {"type": Field(_T, "the event's name"), "data": Field(_I, "its data")},
        ),
        "log_gap": MappingProxyType(
            {
                "lost": Field(_I, "kernel records overwritten before they were read"),
                "before_start": Field(_B, "they were gone when reading began; it did not fall behind"),
            },
        ),
        "spool_gap": MappingProxyType(
            {"lost": Field(_I, "events dropped from the agent's full spool before a coordinator had them")},
        ),
        "monitor": MappingProxyType(
            {
                "name": Field(_T, "the monitor"),
                "healthy": Field(_B, "whether it can see"),
                "detail": Field(_T, "what is in its way"),
            },
        ),
    },
)
"""kind -> field -> declaration. Sources: shared names follow nvml.h; bits are nvmlClocksEventReason*."""


EVENT_KINDS = frozenset({"xid", "nvml_event", "log_gap", "spool_gap"})
"""Kinds that only ever say that something happened. All others also say that something is not so, or has
ended, so that for them silence proves nothing."""


def is_declared(signal: Signal) -> bool:
    """Whether the catalogue knows the signal's kind and every field that it carries."""
    declared = KINDS.get(signal.kind)
    return declared is not None and signal.fields.keys() <= declared.keys()
