"""What the agent knows after a sweep: three-valued readings, and the state of each GPU itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from sickbay.core.devices import Scope, Subject
from sickbay.core.instants import Instant
from sickbay.host.nvml.answers import GROUP_OF
from sickbay.host.nvml.catalogue import (
    FUNCTION_NOT_FOUND,
    GPU_IS_LOST,
    GROUPS,
    NOT_SUPPORTED,
    RESET_REQUIRED,
    SUCCESS,
    describe_code,
)

Value = int | float | str | tuple[int | None, ...]


class Knowledge(Enum):
    """What a reading without a value stands for."""

    VALUE = "value"
    NOT_APPLICABLE = "not applicable"
    UNKNOWN = "unknown"
    LOST = "lost"
    RESET_REQUIRED = "reset required"


_KNOWLEDGE = MappingProxyType(
    {
        NOT_SUPPORTED: Knowledge.NOT_APPLICABLE,
        GPU_IS_LOST: Knowledge.LOST,
        RESET_REQUIRED: Knowledge.RESET_REQUIRED,
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One thing asked of one GPU. `value` is set exactly when `knowledge` is VALUE; `why` says why not."""

    knowledge: Knowledge
    value: Value | None = None
    why: str = ""

    @classmethod
    def of(cls, value: Value) -> "Reading":
        """A value that the driver gave."""
        return cls(knowledge=Knowledge.VALUE, value=value)

    @classmethod
    def refused(cls, code: int) -> "Reading":
        """What a return code of NVML other than success means.

        A symbol or a field that the driver is too old for is unknown, not "not applicable": a newer driver
        would tell.
        """
        why = describe_code(code)
        if code == FUNCTION_NOT_FOUND:
            why += ": this driver is too old to say"
        return cls(knowledge=_KNOWLEDGE.get(code, Knowledge.UNKNOWN), why=why)

    @classmethod
    def unasked(cls, why: str) -> "Reading":
        """Nothing was asked of the driver."""
        return cls(knowledge=Knowledge.UNKNOWN, why=why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """Whether one GPU can tell one reading; `why` says why it cannot, or why that is not known."""

    knowledge: Knowledge
    why: str = ""

    @classmethod
    def of(cls, code: int | None) -> "Capability":
        """What the last return code means; None for a question that was never asked."""
        if code is None:
            return cls(knowledge=Knowledge.UNKNOWN, why="not asked since the driver was loaded")
        if code == SUCCESS:
            return cls(knowledge=Knowledge.VALUE)
        refused = Reading.refused(code)
        return cls(knowledge=refused.knowledge, why=refused.why)


class GpuState(Enum):
    """How a GPU itself stands in one sweep.

    READ: it answered. MISSED: this sweep broke off because of another GPU. UNSEEN: it was not asked, or
    refused in a way that says nothing about its health. LOST: the driver says that it has fallen off the
    bus. ABSENT: the driver does not list it. UNRESPONSIVE: a call about it never came back.
    """

    READ = "read"
    MISSED = "missed"
    UNSEEN = "unseen"
    LOST = "lost"
    ABSENT = "absent"
    UNRESPONSIVE = "unresponsive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hang:
    """A call that passed its deadline. `waited` is in seconds."""

    call: str
    waited: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuSweep:
    """One GPU in one sweep.

    `pci` is empty only while the GPU has never said its address; `slot` then is NVML's index. `code` is the
    return code with which the driver refused the whole GPU, 0 where it did not. `learnt` are the last return
    codes of all readings that were asked for since the driver was loaded, in this sweep or before.
    """

    pci: str
    slot: int
    state: GpuState
    because: str = ""
    hang: Hang | None = None
    code: int = 0
    values: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))
    codes: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    uuid: str = ""
    learnt: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    def capabilities(self) -> Mapping[str, Capability]:
        """For every reading there is, whether this GPU can tell it: what was learnt since the driver's load.

        Unlike `reading` this does not depend on which groups were due in this sweep.
        """
        return {name: Capability.of(self.learnt.get(name)) for name in GROUP_OF}

    def reading(self, name: str) -> Reading:
        """The reading of that name in host/nvml/catalogue.py."""
        value = self.values.get(name)
        if value is not None:
            return Reading.of(value)
        code = self.codes.get(name)
        if code is not None:
            return Reading.refused(code)
        return Reading.unasked(self.because or "not asked in this sweep")

    def number(self, name: str) -> int | None:
        """The whole number of that name; None when it is not known."""
        value = self.values.get(name)
        return value if isinstance(value, int) else None

    def text(self, name: str) -> str:
        """The text of that name; empty when it is not known."""
        value = self.values.get(name)
        return value if isinstance(value, str) else ""

    @property
    def subject(self) -> Subject:
        """The GPU as signals name it."""
        name = "" if self.pci else f"nvml index {self.slot}"
        return Subject(scope=Scope.GPU, gpu_uuid=self.uuid, pci=self.pci, name=name)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLatency:
    """How long one driver call took since its worker started; times in seconds."""

    count: int
    mean: float
    longest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Unavailable:
    """Nothing can be asked of the driver now; it is tried again `retry_in` seconds after the sweep."""

    reason: str
    retry_in: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Every known GPU of the host, once. `at` is when the sweep ended.

    `count` is how many GPUs the driver lists, None when it could not say. `groups` are the groups of readings
    that were due (catalogue.GROUPS); of the others this sweep says nothing. `broken_off` says why a sweep
    ended before every GPU was asked; `deaf` why the driver's events are not heard. Neither is the hardware's
    fault.
    """

    at: Instant
    gpus: tuple[GpuSweep, ...]
    count: int | None = None
    driver_version: str = ""
    nvml_version: str = ""
    unavailable: Unavailable | None = None
    broken_off: str = ""
    deaf: str = ""
    calls: Mapping[str, CallLatency] = field(default_factory=lambda: MappingProxyType({}))
    groups: frozenset[str] = frozenset(GROUPS)

    @property
    def complete(self) -> bool:
        """Whether every GPU was asked, so that nothing is gained by sweeping again at once."""
        return self.unavailable is None and all(gpu.state is not GpuState.MISSED for gpu in self.gpus)

    def by_pci(self, pci: str) -> GpuSweep | None:
        """The GPU at an address."""
        return next((gpu for gpu in self.gpus if gpu.pci == pci), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class NvmlEvent:
    """One event of the driver. `type` is a name of catalogue.EVENT_TYPES, or `0x…` for an unlisted bit.

    `data` is the Xid for `xid`, else what nvml.h says of the type. `sequence` tells events of one boot apart.
    """

    pci: str
    type: str
    data: int
    at: Instant
    sequence: int
    gpu_uuid: str = ""
    gpu_instance: int | None = None
    compute_instance: int | None = None
    synthetic: bool = False

    @property
    def subject(self) -> Subject:
        """The GPU as signals name it."""
        return Subject(scope=Scope.GPU, gpu_uuid=self.gpu_uuid, pci=self.pci)
