"""Cases of rules as values: what a node goes through, and what the rules are to make of it.

A case says what is seen at which times and what must be open, must not be open and would have been done then.
Cases of the built-in rules lie beside them in rules/cases/; a site writes its own beside its own rules.
`sickbay.core.case_parsing` makes them from YAML, `sickbay.core.case_runs` runs them. Times are seconds after
the case begins.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from sickbay.core.conditions import Condition, Mode, Severity
from sickbay.core.devices import NODE, Scope, Subject, normalise_pci
from sickbay.core.ids import BootId, RuleId
from sickbay.core.instants import Instant
from sickbay.core.problems import Place
from sickbay.core.rehearsal import Rehearsed
from sickbay.core.signals import FieldValue, Signal

USUAL_UPTIME = 3600.0
"""Seconds that a node has been up when a case begins: no boot grace is in the way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Says:
    """A monitor says something. `ago`: so long before it was read did it happen."""

    at: float
    kind: str
    subject: Subject = NODE
    fields: Mapping[str, FieldValue] = field(default_factory=lambda: MappingProxyType({}))
    ago: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Prints:
    """The kernel prints a line; the agent's own monitor of its log reads it. `ago` as in `Says`."""

    at: float
    text: str
    ago: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Boots:
    """The node comes up anew; the clock of its boot begins at 0."""

    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Restarts:
    """The agent starts anew in the same boot."""

    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Resets:
    """A reset of a GPU is seen to have worked."""

    at: float
    pci: str


Step = Says | Prints | Boots | Restarts | Resets


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A condition that is to be open; what is None does not matter."""

    type: str
    subject: Subject | None = None
    severity: Severity | None = None
    reason: str | None = None
    rule: RuleId | None = None
    remedy: str | None = None
    mode: Mode | None = None

    def is_met_by(self, condition: Condition) -> bool:
        """Whether a condition is what is wanted."""
        asked = ("severity", "reason", "rule", "remedy", "mode")
        pairs = ((getattr(self, name), getattr(condition, name)) for name in asked)
        return self.speaks_of(condition) and all(wanted is None or wanted == found for wanted, found in pairs)

    def speaks_of(self, condition: Condition) -> bool:
        """Whether it is this condition that is meant, right in every detail or not."""
        subject = self.subject
        return self.type == condition.type and (subject is None or subject.key == condition.subject.key)

    def __str__(self) -> str:
        parts = (
            ("on", self.subject.key if self.subject else None),
            ("severity", self.severity.value if self.severity else None),
            ("reason", self.reason),
            ("rule", self.rule),
            ("remedy", self.remedy),
            ("mode", self.mode.value if self.mode else None),
        )
        return ", ".join((self.type, *(f"{name} {value}" for name, value in parts if value is not None)))


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedAction:
    """Something that would have been done: `cordon`, `reboot`, `propose` …; an empty rule is any."""

    what: str
    rule: str = ""

    def is_met_by(self, done: Rehearsed) -> bool:
        """Whether it was this that would have been done."""
        return self.what == done.what and self.rule in {"", done.incident.rule}

    def __str__(self) -> str:
        return f"{self.what} ({self.rule})" if self.rule else self.what


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What must be so at a moment; None says nothing of it.

    `open` is all that is open, `among` a part of it, `absent` the types that are not, `cleared` those that
    were open before and are not now; `proposals` is all that would have been done since the case began.
    """

    at: float
    place: Place
    open: tuple[Wanted, ...] | None = None
    among: tuple[Wanted, ...] = ()
    absent: tuple[str, ...] = ()
    cleared: tuple[str, ...] = ()
    proposals: tuple[WantedAction, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case. `rules` are those that it is about; `platform` is the profile of all its GPUs."""

    name: str
    place: Place
    rules: tuple[RuleId, ...] = ()
    node: str = "node-1"
    pool: str = ""
    driver: str = ""
    platform: str = ""
    uptime: float = USUAL_UPTIME
    steps: tuple[Step, ...] = ()
    expectations: tuple[Expectation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed:
    """A line of the kernel log with when it was printed, and when it is read."""

    text: str
    at: Instant
    read: Instant


Heard = tuple[Instant, tuple[Signal, ...]]
"""Signals, and when they were handed on."""

ReadLines = Callable[[Sequence[Printed], BootId, str], Iterable[Heard]]
"""The monitor of the kernel log: lines of one boot as they are read, and the driver's version."""

SUBJECT_FORMS = (
    "node, node NAME, gpu 0000:1b:00, link 0000:1b:00/3, or port mlx5_0/1 (a GPU also by its UUID, GPU-...)"
)


def subject_named(text: str) -> Subject | None:
    """The part that people mean by `gpu 0000:1b:00` and the other `SUBJECT_FORMS`; None for other texts."""
    scope, _, name = text.strip().partition(" ")
    name = name.strip()
    if scope == Scope.NODE.value:
        return Subject(scope=Scope.NODE, name=name)
    if not name:
        return None
    if scope == Scope.PORT.value:
        return Subject(scope=Scope.PORT, name=name)
    if scope == Scope.GPU.value:
        return _on_gpu(Scope.GPU, name, None)
    gpu, _, number = name.rpartition("/")
    if scope == Scope.LINK.value and number.isdecimal():
        return _on_gpu(Scope.LINK, gpu, int(number))
    return None


def _on_gpu(scope: Scope, gpu: str, link: int | None) -> Subject | None:
    if gpu.startswith("GPU-"):
        return Subject(scope=scope, gpu_uuid=gpu, link=link)
    pci = normalise_pci(gpu)
    return None if pci is None else Subject(scope=scope, pci=pci, link=link)
