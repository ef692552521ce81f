"""Power by a host's management controller (BMC): the verbs, what they are given, and what they may answer.

A BMC knows nothing of our action ids, so each verb is idempotent only as far as the BMC can tell what became
of a reset, and as far as its caller can disprove one. Where neither can, the answer is *unknown* and nothing
is sent a second time.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from sickbay.core.ids import ActionId, NodeName
from sickbay.core.outcomes import Outcome

SETTLE = 60.0
"""Seconds after which an agent that is heard on its old boot disproves a reset: by then one would show."""


class Reset(Enum):
    """How hard a machine is restarted; the words stand in configuration files."""

    GRACEFUL = "graceful"
    FORCED = "forced"
    CYCLE = "cycle"

    @property
    def words(self) -> str:
        """The same for people."""
        return {
            Reset.GRACEFUL: "graceful restart",
            Reset.FORCED: "forced restart",
            Reset.CYCLE: "power cycle",
        }[self]


class PowerState(Enum):
    """What the BMC says of the machine's power. CHANGING: on its way up or down."""

    ON = "on"
    OFF = "off"
    CHANGING = "changing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerObservation:
    """One machine as its BMC had it at `at` (Unix seconds, ours).

    `reset_age` is how many seconds ago it was last reset, by the BMC's own clock throughout; None where the
    BMC does not say. `booting` is None where it does not say how far a boot has come. `problem` says why
    nothing is known; it is an outcome of its own because a refused login is another case than no answer.
    """

    node: NodeName
    at: float
    state: PowerState = PowerState.UNKNOWN
    reset_age: float | None = None
    booting: bool | None = None
    problem: Outcome | None = None

    def was_reset_since(self, moment: float) -> bool:
        """Whether the BMC shows a reset after `moment` (Unix seconds, ours)."""
        return self.reset_age is not None and self.at - self.reset_age > moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Leave to do one thing to one machine. The same `action_id` and verb mean the same effect.

    `term` is the leader's. `begun_at` is when the action was first journalled (Unix seconds). `is_repeat`: an
    earlier try of it may have had its effect. `heard_at` is when the node's agent was last heard on the boot
    that the action shall end; None when it is not connected on it.
    """

    action_id: ActionId
    term: int
    begun_at: float
    is_repeat: bool = False
    heard_at: float | None = None

    def disproves(self, asked_at: float) -> bool:
        """Whether the machine ran on for so long after `asked_at` that nothing can have come of it."""
        return self.heard_at is not None and self.heard_at - asked_at >= SETTLE


class PowerControl(Protocol):
    """A BMC for every node. No verb raises; each says in words what it found.

    DONE: the BMC took the request, or shows that the machine was reset since the action began. RETRY: nothing
    was sent; the BMC did not answer. FAILED: nothing was sent and nothing will be: refused, not offered,
    switched off by someone else, or *not proved to be that node's machine*. UNKNOWN: it may have happened.

    That the machine came back is nobody's word but its own agent's, on a new boot.
    """

    async def observe(self, node: NodeName) -> PowerObservation:
        """What the BMC says now; changes nothing."""
        ...

    async def restart_gracefully(self, node: NodeName, order: Order) -> Outcome:
        """Ask the operating system to restart; it may take its time, or not listen."""
        ...

    async def restart_forced(self, node: NodeName, order: Order) -> Outcome:
        """Restart at once, whatever runs."""
        ...

    async def power_cycle(self, node: NodeName, order: Order) -> Outcome:
        """Take the power away, and give it back."""
        ...


async def restart(power: PowerControl, reset: Reset, node: NodeName, order: Order) -> Outcome:
    """The verb for a `reset`."""
    verbs = {
        Reset.GRACEFUL: power.restart_gracefully,
        Reset.FORCED: power.restart_forced,
        Reset.CYCLE: power.power_cycle,
    }
    return await verbs[reset](node, order)
