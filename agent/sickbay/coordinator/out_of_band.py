"""Takes a node down and up through its BMC: the mildest way first, the next one when it had no effect.

All of it is one action of the remediation, journalled before the first request and let through by the gates.
Before each harder way, the node must still be ours in the scheduler and its remediation the same.
"""

from dataclasses import dataclass

from sickbay.coordinator.node_state import NodeState
from sickbay.coordinator.policy import Policy
from sickbay.coordinator.scheduler_watch import SchedulerWatch
from sickbay.core.instants import format_duration
from sickbay.core.orchestration import Ownership
from sickbay.core.outcomes import Outcome, Verdict
from sickbay.core.remediation import Action, Remediation
from sickbay.host.clock import Clock
from sickbay.power.protocol import Order, PowerControl, PowerState, Reset, restart


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerPlan:
    """The ways of each rung that a BMC performs, mildest first; none: not through the BMC. Spans in seconds.

    `wait`: for a new boot before the next way is taken. `patience`: with a BMC that does not answer.
    """

    reboot: tuple[Reset, ...] = ()
    power_cycle: tuple[Reset, ...] = (Reset.CYCLE,)
    wait: float = 900.0
    patience: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One action under way, and since when (Unix seconds)."""

    action: Action
    rem: Remediation
    state: NodeState
    begun_at: float

    @property
    def is_current(self) -> bool:
        """Whether nobody has ended the remediation meanwhile."""
        return self.state.remediation is self.rem

    @property
    def is_booted(self) -> bool:
        """Whether the agent said hello on a new boot: the only proof that there is."""
        return self.state.session is not None and self.state.boot_id != self.action.boot_before


@dataclass(slots=True, kw_only=True)
class OutOfBand:
    """Performs the rungs of a ladder that a BMC can perform."""

    power: PowerControl
    plan: PowerPlan
    watch: SchedulerWatch
    policy: Policy
    clock: Clock

    async def perform(
        self, action: Action, rem: Remediation, state: NodeState, ways: tuple[Reset, ...]
    ) -> Outcome:
        """DONE once a BMC took the request of a way; that it helped is for the new boot to show."""
        begun_at = self.clock.now().wall if rem.attempt is None else rem.attempt.started_at
        case = _Case(action=action, rem=rem, state=state, begun_at=begun_at)
        told: list[str] = []
        for way in ways:
            asked_at = self.clock.now().wall
            outcome = await self._asked(case, way, is_first=way is ways[0])
            told.append(outcome.detail)
            if way is ways[-1] or not await self._goes_on(case, outcome, asked_at):
                break
            told.append(f"no new boot within {format_duration(self.plan.wait)}")
        return Outcome(verdict=outcome.verdict, detail="; ".join(told))

    async def _asked(self, case: _Case, way: Reset, *, is_first: bool) -> Outcome:
        """One way. A BMC that is silent is asked again: for the first way by the next pass and its gates."""
        began = case.begun_at if is_first else self.clock.now().wall
        while True:
            # Nobody else changes the node's place in the scheduler while this is sent.
            async with case.state.effecting:
                hands_off = await self._hands_off(case)
                outcome = hands_off or await restart(self.power, way, case.state.name, self._order(case))
            if hands_off is not None or outcome.verdict is not Verdict.RETRY:
                return outcome
            tried = self.clock.now().wall - began
            if tried >= self.plan.patience:
                return Outcome.failed(f"{outcome.detail}, for {format_duration(tried)}; given up")
            if is_first:
                return outcome
            await self.clock.sleep(self.policy.poll)

    async def _hands_off(self, case: _Case) -> Outcome | None:
        """Why the node is not to be touched now; None when it is still ours, and still to be repaired."""
        if not case.is_current:
            return Outcome.failed("the remediation was ended before this was done")
        seen = await self.watch.observed(case.state, self.policy.look_age)
        if seen.ownership is Ownership.UNKNOWN:
            return Outcome.unknown(f"whose the node is cannot be told: {seen.detail}")
        if seen.ownership is not Ownership.OURS or seen.obstacle:
            shown = seen.obstacle or seen.reason or seen.state
            return Outcome.retry(f"the node is not ours any more, left alone: {shown}")
        return None

    def _order(self, case: _Case) -> Order:
        attempt, now = case.rem.attempt, self.clock.now()
        silent = case.state.silent_for(now.mono)
        is_up = case.state.session is not None and case.state.boot_id == case.action.boot_before
        return Order(
            action_id=case.action.id,
            term=self.policy.term,
            begun_at=case.begun_at,
            is_repeat=attempt is not None and attempt.tries > 1,
            heard_at=now.wall - silent if is_up and silent is not None else None,
        )

    async def _goes_on(self, case: _Case, outcome: Outcome, asked_at: float) -> bool:
        """Whether the next way is due: this one is not offered, or has had no effect in its time."""
        match outcome.verdict:
            case Verdict.DONE:
                return await self._had_no_effect(case, asked_at)
            case Verdict.FAILED:
                # A BMC that refuses the login, or is not the node's, is not asked for anything harder.
                return case.is_current and (await self.power.observe(case.state.name)).problem is None
            case _:
                return False

    async def _had_no_effect(self, case: _Case, asked_at: float) -> bool:
        end = self.clock.now().mono + self.plan.wait
        while self.clock.now().mono < end:
            if case.is_booted or not case.is_current:
                return False
            await self.clock.sleep(self.policy.poll)
        seen = await self.power.observe(case.state.name)
        is_on_its_way = seen.was_reset_since(asked_at) or seen.booting or seen.state is PowerState.CHANGING
        return not (is_on_its_way or case.is_booted)
