"""What a Slurm node record means: pure judgement, apart from reading it and from acting on it.

How our mark lives through a reboot, as seen on 22.05.8 (`set_node_reboot_reason` in slurmctld):

* slurmctld appends to the reason it finds: `sickbay:i:r : reboot issued : reboot complete`. But where the
  reason holds the very words already, from a reboot before, it *replaces* it by them, and the mark is gone.
  So before each reboot we write `sickbay:i:r : reboot <tag of the action>`, which holds none of its words,
  makes the same action known again, and lets it append. A reason on the `reboot` call itself is not used.
* A boot clears DRAIN: the node is DOWN alone, and ReturnToService=2 makes it IDLE at its next registration,
  validated or not. So a hold is renewed after the boot, as `sickbay:i:r : rebooted <tag>`, or `: overdue
  <tag>` after a time-out; DOWN+DRAIN then stays out under any setting, and RESUME clears both.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sickbay.core.orchestration import (
    Hold,
    NodeObservation,
    Ownership,
    RebootProgress,
    read_hold,
    unobserved,
)

if TYPE_CHECKING:
    from sickbay.core.orchestration import Job
    from sickbay.orchestrators.slurm_text import NodeRecord

_OUT = frozenset({"DOWN", "FUTURE"})
"""Base states in which a node takes no job, whatever its flags say."""

_UNDECIDED = frozenset({"ERROR", "UNKNOWN"})
"""Base states that say nothing: a node is UNKNOWN from slurmctld's start until its slurmd has registered."""

_POWER = frozenset(
    {
        "POWERED_DOWN",
        "POWERING_DOWN",
        "POWERING_DOWN_SOON",
        "POWERING_UP",
        "POWER_DOWN",
        "POWER_DRAIN",
        "POWER_UP",
    }
)
_REBOOT = frozenset({"REBOOT_REQUESTED", "REBOOT_ISSUED"})
_UNSETTLED = _POWER | _REBOOT | {"NOT_RESPONDING", "BLOCKED", "INVALID_REG"}
"""Flags with which a node without DRAIN may or may not take a job just now."""

HANDS_OFF = _POWER | {"BLOCKED", "FAIL", "MAINTENANCE", "RESERVED"}
"""Flags that say that somebody else is at work on the node, or means to be.

PLANNED is none of them: it says only that the scheduler will soon start a job there, and keeping a job off a
faulty node is the point. COMPLETING and NOT_RESPONDING are the node's own matters, too.
"""

# sickbay:inc-1:gpu-lost
# sickbay:inc-1:gpu-lost : reboot 1f0c9a3e : reboot issued : reboot complete
# sickbay:inc-1:gpu-lost : rebooted 1f0c9a3e
_OURS = re.compile(
    r"(?P<mark>\S+)"
    r"(?: : (?P<word>reboot|rebooted|overdue)(?: (?P<tag>[0-9a-f]{8}))?)?"
    r"(?P<slurm>(?: : reboot (?:issued|complete|timed out))*)"
)
_PROGRESS = {
    "reboot issued": RebootProgress.ISSUED,
    "reboot complete": RebootProgress.COMPLETE,
    "reboot timed out": RebootProgress.TIMED_OUT,
    "rebooted": RebootProgress.COMPLETE,
    "overdue": RebootProgress.TIMED_OUT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OurReason:
    """A reason that we wrote, with what slurmctld added. `tag` is of the action that last rebooted."""

    hold: Hold
    tag: str = ""
    progress: RebootProgress = RebootProgress.NONE
    has_rebooted: bool = False

    @property
    def renewed(self) -> str:
        """The reason under which the hold is taken anew, free of slurmctld's words."""
        word = {RebootProgress.COMPLETE: "rebooted", RebootProgress.TIMED_OUT: "overdue"}.get(self.progress)
        return " : ".join(filter(None, (self.hold.reason, f"{word} {self.tag}".strip() if word else "")))

    def about_to_reboot(self, tag: str) -> str:
        """The reason to write before the reboot for the action that `tag` stands for."""
        return f"{self.hold.reason} : reboot {tag}"


def read_reason(reason: str, *, prefix: str) -> OurReason | None:
    """Our own reason in parts, or None: then it is someone else's, or someone else wrote into ours."""
    match = _OURS.fullmatch(reason)
    hold = None if match is None else read_hold(match["mark"], prefix=prefix)
    if match is None or hold is None:
        return None
    last = match["slurm"].split(" : ")[-1] or match["word"] or ""
    return OurReason(
        hold=hold,
        tag=match["tag"] or "",
        progress=_PROGRESS.get(last, RebootProgress.NONE),
        has_rebooted=bool(match["word"] or match["slurm"]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SlurmNode:
    """A record, judged. `record` and `ours` are None where there is none."""

    observation: NodeObservation
    record: "NodeRecord | None" = None
    ours: OurReason | None = None

    def has(self, flag: str) -> bool:
        """Whether Slurm shows this flag."""
        return self.record is not None and flag in self.record.flags

    @property
    def is_loose(self) -> bool:
        """Whether the hold is ours but not by DRAIN, so that Slurm may give the node back by itself."""
        return self.ours is not None and not self.has("DRAIN") and not self.is_rebooting

    @property
    def is_rebooting(self) -> bool:
        """Whether a reboot is asked for or under way, by Slurm's flags."""
        return self.has("REBOOT_REQUESTED") or self.has("REBOOT_ISSUED")


def judge(record: "NodeRecord", jobs: "tuple[Job, ...] | None", *, at: float, prefix: str) -> SlurmNode:
    """What `record` and the jobs seen beside it mean. `jobs` None: they could not be listed."""
    is_held = record.base in _OUT or not record.flags.isdisjoint({"DRAIN", "FAIL"})
    if not record.base or record.unknown_words or (record.base in _UNDECIDED and not is_held):
        return _not_understood(record, at)
    ours = read_reason(record.reason, prefix=prefix) if is_held else None
    drained, detail = _drained(record, ours, jobs) if is_held else (False, "")
    observation = NodeObservation(
        node=record.node,
        at=at,
        ownership=_ownership(ours, is_held=is_held),
        schedulable=False if is_held else _takes_jobs(record),
        drained=drained,
        hold=ours.hold if ours is not None else None,
        reason=_reason_with_author(record),
        state=record.state,
        jobs=jobs,
        reboot=_progress(record, ours),
        obstacle=_obstacle(record, ours),
        detail=detail,
    )
    return SlurmNode(observation=observation, record=record, ours=ours)


def _not_understood(record: "NodeRecord", at: float) -> SlurmNode:
    words = ", ".join(record.unknown_words) or record.state
    detail = f"state {record.state} of {record.node} says nothing to us ({words}): hands off"
    return SlurmNode(
        observation=unobserved(record.node, at=at, detail=detail, state=record.state), record=record
    )


def _ownership(ours: OurReason | None, *, is_held: bool) -> Ownership:
    if ours is not None:
        return Ownership.OURS
    return Ownership.FOREIGN if is_held else Ownership.NONE


def _takes_jobs(record: "NodeRecord") -> bool | None:
    return True if record.flags.isdisjoint(_UNSETTLED) else None


def _drained(
    record: "NodeRecord", ours: OurReason | None, jobs: "tuple[Job, ...] | None"
) -> tuple[bool | None, str]:
    """DRAIN and IDLE and not COMPLETING; and as a second witness no job that squeue knows of."""
    if jobs or record.base in {"MIXED", "ALLOCATED"} or "COMPLETING" in record.flags:
        return False, ""
    if jobs is None:
        return None, "the jobs could not be listed"
    if record.base == "DOWN":
        return _drained_while_down(record, ours)
    unsettled = record.flags & (_UNSETTLED - {"INVALID_REG"})
    if unsettled or record.base != "IDLE":
        return None, f"{record.state}: Slurm cannot tell whether anything runs there"
    return ("DRAIN" in record.flags), ""


def _drained_while_down(record: "NodeRecord", ours: OurReason | None) -> tuple[bool | None, str]:
    """DOWN alone proves nothing. But a node that we drained, rebooted and kept out has had no job since."""
    if ours is not None and ours.has_rebooted and record.flags.isdisjoint(_REBOOT):
        return True, ""
    return None, f"{record.state}: Slurm does not know what runs on a node that is down"


def _progress(record: "NodeRecord", ours: OurReason | None) -> RebootProgress:
    """Slurm's flags first: they are true at the moment, where the reason tells what was."""
    if "REBOOT_ISSUED" in record.flags:
        return RebootProgress.ISSUED
    if "REBOOT_REQUESTED" in record.flags:
        return RebootProgress.REQUESTED
    return ours.progress if ours is not None else RebootProgress.NONE


def _obstacle(record: "NodeRecord", ours: OurReason | None) -> str:
    in_the_way = record.flags & (HANDS_OFF if ours is not None else HANDS_OFF | _REBOOT)
    return "+".join(sorted(in_the_way))


def _reason_with_author(record: "NodeRecord") -> str:
    return f"{record.reason} [{record.by}@{record.since}]" if record.reason else ""
