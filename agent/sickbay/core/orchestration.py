"""What a scheduler says of a node, and the mark by which we know our own doing there again.

A scheduler's own words stay in its adapter; above it there are only these values. Each look has three
answers, because a look that failed is neither "drained" nor "free".
"""

import hashlib
import re
from dataclasses import dataclass
from enum import Enum

from sickbay.core.ids import ActionId, IncidentId, NodeName, RuleId

DEFAULT_PREFIX = "sickbay"

# Reasons are split at blanks and colons; whatever else an id may hold one day must not look like either.
_FOREIGN_TO_A_REASON = re.compile(r"[^A-Za-z0-9._/-]")


class Ownership(Enum):
    """Who holds a node out of service. FOREIGN is any person and any other program, the scheduler included.

    NONE says that nobody holds it; UNKNOWN that the scheduler could not be asked or not be understood, and
    is treated as someone else.
    """

    NONE = "none"
    OURS = "ours"
    FOREIGN = "foreign"
    UNKNOWN = "unknown"


class RebootProgress(Enum):
    """How far a reboot through the scheduler has come, as the scheduler tells it.

    REQUESTED waits for the node to be idle; ISSUED is under way; COMPLETE was seen by the scheduler to have
    booted; TIMED_OUT did not come back within the scheduler's own limit, but may still do so.
    """

    NONE = "none"
    REQUESTED = "requested"
    ISSUED = "issued"
    COMPLETE = "complete"
    TIMED_OUT = "timed_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """The signature under an effect on the cluster.

    `incident` and `rule` go into the reason that people read; the same `action_id` means the same effect;
    `term` is the leader's, and an effect under an older term than the newest one seen is refused.
    """

    incident: IncidentId
    rule: RuleId
    action_id: ActionId
    term: int = 0
    prefix: str = DEFAULT_PREFIX

    @property
    def reason(self) -> str:
        """`sickbay:<incident>:<rule>`: one word without blanks, the same for the life of the incident."""
        return ":".join(
            _FOREIGN_TO_A_REASON.sub("-", part) for part in (self.prefix, self.incident, self.rule)
        )

    @property
    def tag(self) -> str:
        """Eight hexadecimal digits that stand for the action id where a scheduler has room for one word."""
        return hashlib.sha256(self.action_id.encode()).hexdigest()[:8]

    def holds(self, hold: "Hold | None") -> bool:
        """Whether `hold` was made for this mark's incident."""
        return hold is not None and hold.reason.rpartition(":")[0] == self.reason.rpartition(":")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Our own mark, read back from a scheduler."""

    incident: IncidentId
    rule: RuleId
    prefix: str = DEFAULT_PREFIX

    @property
    def reason(self) -> str:
        """The reason word that it was read from."""
        return f"{self.prefix}:{self.incident}:{self.rule}"


def read_hold(word: str, *, prefix: str = DEFAULT_PREFIX) -> Hold | None:
    """The hold in a reason word, or None when it is not one of ours."""
    parts = word.split(":")
    if len(parts) != 3 or parts[0] != prefix:  # noqa: PLR2004 - prefix, incident and rule
        return None
    _, incident, rule = parts
    if not incident or not rule or _FOREIGN_TO_A_REASON.search(incident + rule):
        return None
    return Hold(incident=IncidentId(incident), rule=RuleId(rule), prefix=prefix)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job that has resources on a node. `state` is the scheduler's word; `nodes` all that it runs on."""

    id: str
    user: str = ""
    name: str = ""
    state: str = ""
    nodes: tuple[NodeName, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeObservation:
    """One node as its scheduler had it at `at` (Unix seconds).

    `schedulable` and `drained` are None where that cannot be told, and `detail` then says why. `drained`
    means that no job is left and none can start. `jobs` is None when they could not be listed. `obstacle`
    names, in the scheduler's own words, a state in which nobody but its owner should touch the node.
    """

    node: NodeName
    at: float
    ownership: Ownership
    schedulable: bool | None = None
    drained: bool | None = None
    hold: Hold | None = None
    reason: str = ""
    state: str = ""
    jobs: tuple[Job, ...] | None = None
    reboot: RebootProgress = RebootProgress.NONE
    obstacle: str = ""
    detail: str = ""

    def __post_init__(self) -> None:
        """Refuse what no node can be, so that no adapter can report it.

        Raises:
            ValueError: for a drained node that takes work or runs it, and for a hold that is not ours.
        """
        if self.drained and (self.schedulable is not False or self.jobs):
            raise ValueError(f"{self.node}: drained, yet it may run work: {self}")
        if (self.hold is not None) is not (self.ownership is Ownership.OURS):
            raise ValueError(f"{self.node}: a hold goes with ownership by us, and only with it: {self}")

    @property
    def is_taken_back(self) -> bool:
        """Whether a node that we held is now somebody else's, or in service: our work on it is over."""
        released = self.ownership is Ownership.NONE and self.schedulable is True
        return released or self.ownership is Ownership.FOREIGN


def unobserved(node: NodeName, *, at: float, detail: str, state: str = "") -> NodeObservation:
    """The observation that stands for a look that failed; it lets nothing happen."""
    return NodeObservation(node=node, at=at, ownership=Ownership.UNKNOWN, state=state, detail=detail)
