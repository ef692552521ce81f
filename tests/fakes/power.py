"""BMCs in memory: machines that go down and come up, answers that are lost, people with a screwdriver.

`FakeBmcs` is the hardware, and outlives a coordinator; `FakePower` is one process's view of it. Both pass the
contract suite of the real part.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from sickbay.core.ids import ActionId, NodeName
from sickbay.core.outcomes import Outcome
from sickbay.host.clock import Clock
from sickbay.power.protocol import Order, PowerObservation, PowerState, Reset
from sickbay.power.sent_resets import SentResets


class Fault(Enum):
    """What goes wrong with a call.

    REPLY_LOST, REFUSED: of the reset itself. IGNORED: taken, and nothing comes of it. NO_ANSWER, DENIED,
    SOMEONE_ELSES: before it: the BMC is silent, refuses the login, or is not that node's.
    """

    REPLY_LOST = "reply_lost"
    REFUSED = "refused"
    IGNORED = "ignored"
    NO_ANSWER = "no_answer"
    DENIED = "denied"
    SOMEONE_ELSES = "someone_elses"


_BEFORE: Mapping[Fault, Outcome] = {
    Fault.NO_ANSWER: Outcome.retry("the BMC cannot be reached"),
    Fault.DENIED: Outcome.failed("the BMC refused the login"),
    Fault.SOMEONE_ELSES: Outcome.failed("no system proves to be the node: serial should be SN-1 and is SN-2"),
}


@dataclass(slots=True)
class FakeMachine:
    """One machine. `reset_at` in Unix seconds."""

    state: PowerState = PowerState.ON
    reset_at: float | None = None


@dataclass(slots=True, kw_only=True)
class FakeBmcs:
    """`on_reset` is called when a machine goes down. Without `tells_resets` no BMC says when it last did."""

    clock: Clock
    machines: dict[NodeName, FakeMachine]
    tells_resets: bool = True
    offers: frozenset[Reset] = frozenset(Reset)
    on_reset: Callable[[NodeName], None] | None = None
    resets: list[tuple[NodeName, Reset, ActionId]] = field(default_factory=list)
    faults: Counter[Fault] = field(default_factory=Counter)

    def will(self, fault: Fault, times: int = 1) -> None:
        """Let the next `times` calls that it concerns go wrong."""
        self.faults[fault] += times

    def fails(self, fault: Fault) -> bool:
        """Whether this call does."""
        if not self.faults[fault]:
            return False
        self.faults[fault] -= 1
        return True

    def reset(self, node: NodeName, reset: Reset, action: ActionId) -> None:
        """It happens."""
        self.resets.append((node, reset, action))
        self.machines[node].reset_at = self.clock.now().wall
        if self.on_reset is not None:
            self.on_reset(node)


@dataclass(slots=True, kw_only=True)
class FakePower:
    """A `PowerControl`."""

    bmcs: FakeBmcs
    clock: Clock
    _sent: SentResets = field(default_factory=SentResets)

    async def observe(self, node: NodeName) -> PowerObservation:
        """See `PowerControl.observe`."""
        at = self.clock.now().wall
        problem = self._problem(node)
        if problem is not None:
            return PowerObservation(node=node, at=at, problem=problem)
        machine = self.bmcs.machines[node]
        tells = self.bmcs.tells_resets and machine.reset_at is not None
        age = at - machine.reset_at if tells and machine.reset_at is not None else None
        return PowerObservation(node=node, at=at, state=machine.state, reset_age=age)

    async def restart_gracefully(self, node: NodeName, order: Order) -> Outcome:
        """See `PowerControl.restart_gracefully`."""
        return await self._reset(node, order, Reset.GRACEFUL)

    async def restart_forced(self, node: NodeName, order: Order) -> Outcome:
        """See `PowerControl.restart_forced`."""
        return await self._reset(node, order, Reset.FORCED)

    async def power_cycle(self, node: NodeName, order: Order) -> Outcome:
        """See `PowerControl.power_cycle`."""
        return await self._reset(node, order, Reset.CYCLE)

    async def _reset(self, node: NodeName, order: Order, reset: Reset) -> Outcome:
        refusal = self._sent.refusal(order)
        if refusal is not None:
            return refusal
        self._sent.meet(node, order)
        seen = await self.observe(node)
        answer = seen.problem or self._sent.answer(node, order, reset, seen)
        if answer is not None:
            return answer
        if reset not in self.bmcs.offers:
            return Outcome.failed(f"the BMC offers no {reset.words}")
        self._sent.note(node, reset, self.clock.now().wall)
        outcome = self._sent_to(node, order, reset)
        self._sent.heard(node, reset, outcome)
        return outcome

    def _sent_to(self, node: NodeName, order: Order, reset: Reset) -> Outcome:
        if self.bmcs.fails(Fault.REFUSED):
            return Outcome.failed("the BMC refused")
        if not self.bmcs.fails(Fault.IGNORED):
            self.bmcs.reset(node, reset, order.action_id)
        lost = self.bmcs.fails(Fault.REPLY_LOST)
        return Outcome.unknown("its answer was lost") if lost else Outcome.done(f"took the {reset.words}")

    def _problem(self, node: NodeName) -> Outcome | None:
        if node not in self.bmcs.machines:
            return Outcome.failed(f"no BMC is written down for {node}")
        return next((said for fault, said in _BEFORE.items() if self.bmcs.fails(fault)), None)
