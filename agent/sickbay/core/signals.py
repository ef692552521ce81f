"""Signals: what a monitor saw, and the catalogue of everything a monitor may say.

The catalogue is the type environment of the rules: an expression that names a field that is not declared
here, or compares it with the wrong type, is refused when the rules are loaded.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from sickbay.core.devices import Subject
from sickbay.core.ids import BootId
from sickbay.core.instants import Instant
from sickbay.core.kinds import EVENT_KINDS, KINDS
from sickbay.core.signal_fields import Field, FieldType, FieldValue

__all__ = (
    "EVENT_KINDS",
    "KINDS",
    "EventId",
    "Field",
    "FieldType",
    "FieldValue",
    "Signal",
    "is_declared",
)


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


def is_declared(signal: Signal) -> bool:
    """Whether the catalogue knows the signal's kind and every field that it carries."""
    declared = KINDS.get(signal.kind)
    return declared is not None and signal.fields.keys() <= declared.keys()
