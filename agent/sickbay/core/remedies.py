"""Remedies: named ladders from the mildest repair that may help to the one that leaves it to a person.

A remedy says what would be done. Whether anything is done at all is for the gates, and the cluster's mode
caps every rule's.
"""

from dataclasses import dataclass
from enum import Enum


class RungKind(Enum):
    """One repair, in rising order of `rank`: of how much it takes from the users of the node."""

    RESTART_SERVICE = "restart_service"
    RESET_GPU = "reset_gpu"
    REBOOT = "reboot"
    POWER_CYCLE = "power_cycle"
    QUARANTINE = "quarantine"

    @property
    def rank(self) -> int:
        """0 for the mildest."""
        return list(RungKind).index(self)


class DrainMode(Enum):
    """WAIT: until the scheduler says that no job is left. NONE: the repair disturbs no job; do not wait."""

    WAIT = "wait"
    NONE = "none"


class OnTimeout(Enum):
    """What follows a drain that ran out of time. HOLD: stay cordoned and tell a person; nothing is killed."""

    HOLD = "hold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """How the node is emptied. `timeout` in seconds."""

    mode: DrainMode = DrainMode.WAIT
    timeout: float = 7 * 86400.0
    on_timeout: OnTimeout = OnTimeout.HOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One step of a ladder. After `deadline` seconds the repair has failed and the next rung is due."""

    kind: RungKind
    deadline: float = 900.0
    service: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """What a repaired node must show. `soak`: seconds without a new condition before it is returned."""

    soak: float = 60.0
    deadline: float = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """At most `max` repairs of one node within `window` seconds; the next one goes to a person."""

    max: int = 2
    window: float = 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """Seconds for the steps that are ours alone; drain, repair and validation carry their own."""

    cordon: float = 60.0
    evidence: float = 60.0
    returning: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """A way back to service. An empty ladder means that the condition is only shown."""

    id: str
    about: str = ""
    drain: Drain = Drain()
    ladder: tuple[Rung, ...] = ()
    validation: Validation = Validation()
    attempts: Attempts = Attempts()
    deadlines: Deadlines = Deadlines()

    @property
    def acts(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.ladder)

    @property
    def strength(self) -> tuple[int, ...]:
        """Orders remedies: a harder first rung is stronger, then a harder second one, and so on."""
        return tuple(rung.kind.rank for rung in self.ladder)


NO_REMEDY = Remedy(id="none", about="show the condition, do nothing")


def strongest(first: Remedy, *others: Remedy) -> Remedy:
    """The strongest of several; of equals the earliest, so that a merge restarts nothing under way."""
    chosen = first
    for other in others:
        if other.strength > chosen.strength:
            chosen = other
    return chosen
