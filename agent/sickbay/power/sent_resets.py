"""What this process has asked of BMCs: the half of idempotency that a BMC does not bring.

The other half, after a restart of ours, is the journal: `Order.is_repeat`.
"""

from dataclasses import dataclass, field

from sickbay.core.ids import ActionId, NodeName
from sickbay.core.outcomes import Outcome, Verdict
from sickbay.power.protocol import Order, PowerObservation, PowerState, Reset

_SLACK = 2.0
"""Seconds: a BMC tells times in whole seconds."""


@dataclass(slots=True)
class _Latest:
    """The latest action on a node: when each of its resets was asked for, and which the BMC took.

    `before`: since when another process of ours may have asked for any of them; None: none did.
    """

    action: ActionId
    before: float | None
    asked: dict[Reset, float] = field(default_factory=dict)
    taken: set[Reset] = field(default_factory=set)


@dataclass(slots=True)
class SentResets:
    """One record a node; a new action replaces that of the last one. Refuses orders of older leaders."""

    newest_term: int = 0
    _latest: dict[NodeName, _Latest] = field(default_factory=dict)

    def refusal(self, order: Order) -> Outcome | None:
        """FAILED for an order of an older term than the newest seen, else None."""
        if order.term < self.newest_term:
            return Outcome.failed(f"asked under term {order.term}, but term {self.newest_term} has begun")
        self.newest_term = order.term
        return None

    def meet(self, node: NodeName, order: Order) -> None:
        """An order has come. One that this process meets as a repeat may have been sent by another."""
        latest = self._latest.get(node)
        if latest is None or latest.action != order.action_id:
            before = order.begun_at if order.is_repeat else None
            self._latest[node] = _Latest(order.action_id, before)

    def note(self, node: NodeName, reset: Reset, at: float) -> None:
        """It is about to be sent: from here on it may have happened."""
        self._latest[node].asked[reset] = at

    def heard(self, node: NodeName, reset: Reset, outcome: Outcome) -> None:
        """What the BMC answered. What it refused did not happen, and may be asked for again."""
        latest = self._latest[node]
        if outcome.verdict is Verdict.DONE:
            latest.taken.add(reset)
        elif outcome.verdict is not Verdict.UNKNOWN:
            latest.asked.pop(reset, None)

    def answer(self, node: NodeName, order: Order, reset: Reset, seen: PowerObservation) -> Outcome | None:
        """What to say instead of sending it, from what is remembered and seen; None: send it."""
        latest = self._latest[node]
        asked = latest.asked.get(reset, latest.before)
        if asked is None:
            return _unfit(seen)
        if reset in latest.taken:
            return Outcome.done(f"the BMC took the {reset.words} before")
        if seen.was_reset_since(asked - _SLACK):
            return Outcome.done(f"the BMC shows a reset {seen.reset_age:.0f} s ago, after we asked for one")
        if seen.booting or seen.state in {PowerState.CHANGING, PowerState.OFF}:
            return Outcome.unknown(f"a {reset.words} was asked for and may be under way: {_shown(seen)}")
        if not order.disproves(asked):
            why = "only the node's new boot can tell; it is not sent again"
            return Outcome.unknown(f"a {reset.words} may have been asked for before: {why}")
        latest.before = None
        return _unfit(seen)


def _unfit(seen: PowerObservation) -> Outcome | None:
    """Why a machine as it is now is not to be reset: somebody is at work on it."""
    if seen.state is PowerState.OFF:
        return Outcome.failed("the machine is switched off, and not by us: left alone")
    if seen.state is PowerState.CHANGING:
        return Outcome.retry("the machine is being switched on or off")
    return None


def _shown(seen: PowerObservation) -> str:
    return "the machine boots" if seen.booting else f"its power is {seen.state.value}"
