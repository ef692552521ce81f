"""Conditions: what is wrong (or known to be well) right now, as a level that clears."""

from dataclasses import dataclass, replace
from enum import Enum

from sickbay.core.devices import Subject
from sickbay.core.ids import BootId, RuleId


class Status(Enum):
    """Three-valued on purpose: UNKNOWN travels all the way to the person and acts on nothing."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Severity(Enum):
    """How bad, in rising order of `rank`."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"
    FATAL = "fatal"

    @property
    def rank(self) -> int:
        """0 for the mildest."""
        return list(Severity).index(self)


class Mode(Enum):
    """What a rule, and above it the cluster, may do: the weaker of the two counts."""

    OBSERVE = "observe"
    PROPOSE = "propose"
    ACT = "act"

    @property
    def rank(self) -> int:
        """0 for the most careful."""
        return list(Mode).index(self)

    def capped(self, cap: "Mode") -> "Mode":
        """The more careful of the two."""
        return self if self.rank <= cap.rank else cap


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One fault of one part, as long as it lasts.

    A condition of status TRUE says that the fault named by `type` is present. Times are Unix seconds;
    `t0` is when the evidence came to exist (T0 of docs/architecture.md), `t1` when this condition was made.
    """

    type: str
    subject: Subject
    status: Status
    severity: Severity
    rule: RuleId
    reason: str
    message: str
    since: float
    observed_at: float
    boot_id: BootId
    remedy: str = ""
    mode: Mode = Mode.OBSERVE
    family: str = ""
    runbook: str = ""
    clears: str = ""
    evidence: tuple[str, ...] = ()
    occurrences: int = 1
    caused_by: str = ""
    synthetic: bool = False
    t0: float = 0.0
    t1: float = 0.0

    @property
    def key(self) -> str:
        """One condition a type and part; the key under which it opens and clears."""
        return f"{self.type}@{self.subject.key}"

    @property
    def is_open(self) -> bool:
        """Present now. UNKNOWN is not open: nobody may act on it."""
        return self.status is Status.TRUE

    def cleared(self, *, at: float, because: str) -> "Condition":
        """The same condition, no longer present."""
        return replace(self, status=Status.FALSE, since=at, observed_at=at, message=because)
