"""Signals in, conditions out: the rules applied, as a pure function of the state, the signals and the time.

What it promises, each held by tests/property/test_rule_engine.py:

* Unknown never opens and never clears: an expression that cannot be settled changes nothing.
* A `for` is proven by readings that go on saying so, never by silence.
* An event taken in before changes nothing, and an event of another boot is history.
* Signals of one call count by their own times, so the order in which they are handed over does not matter.
* Every condition has a way to clear, and clears by it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sickbay.core.conditions import Condition
from sickbay.core.devices import normalise_pci
from sickbay.core.facts import NO_FACTS, Facts
from sickbay.core.ids import BootId
from sickbay.core.instants import Instant
from sickbay.core.rule_book import Explanation
from sickbay.core.rule_state import EngineState
from sickbay.core.rule_turn import Turn
from sickbay.core.rules import RuleSet
from sickbay.core.signals import Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What came of a look.

    `conditions_changed`: opened, cleared, or with another severity, reason, rule, remedy or mode, in the
    order in which it happened. `conditions_refreshed`: open as before, with newer evidence.
    """

    state: EngineState
    conditions_changed: tuple[Condition, ...] = ()
    conditions_refreshed: tuple[Condition, ...] = ()
    explanations: tuple[Explanation, ...] = ()


def observe(
    rules: RuleSet,
    state: EngineState,
    signals: Sequence[Signal],
    *,
    now: Instant,
    boot_id: BootId,
    facts: Facts = NO_FACTS,
) -> Observation:
    """Apply the rules to signals of this boot; `now` is no earlier than any of them.

    `facts` are what rules choose nodes and GPUs by. A state of another boot is ended first, and conditions
    whose rule is gone are cleared.
    """
    turn = Turn.begin(state, now, facts)
    turn.enter_boot(boot_id)
    turn.adopt(rules)
    for signal in signals if len(signals) == 1 else sorted(signals, key=_order):
        turn.take(rules, signal)
    turn.pass_time(rules)
    return _observation(turn)


def tick(rules: RuleSet, state: EngineState, *, now: Instant, facts: Facts = NO_FACTS) -> Observation:
    """What time alone brings: `quiet` has passed, or the rules have changed."""
    return observe(rules, state, (), now=now, boot_id=state.boot_id, facts=facts)


def state_after_boot(state: EngineState, boot_id: BootId, now: Instant) -> Observation:
    """A kept state taken up by a new process.

    On a new boot all conditions clear: what still holds will be seen again, and what was seen before is
    history. On the same boot they stay, while silence and unbroken readings start to count anew, because
    nobody was looking in between.
    """
    turn = Turn.begin(state, now)
    turn.enter_boot(boot_id)
    turn.look_again()
    return _observation(turn)


def gpu_was_reset(state: EngineState, pci: str, now: Instant) -> Observation:
    """A GPU came back from a reset that was seen: what a reset clears is cleared on it.

    `pci` in any form that `normalise_pci` understands. That is what waits for a reset, and what rests on
    events alone, because they are then history. Conditions that only readings or a reboot clear stay.
    """
    turn = Turn.begin(state, now)
    turn.forget_gpu(normalise_pci(pci) or pci)
    return _observation(turn)


def _observation(turn: Turn) -> Observation:
    return Observation(
        state=turn.state(),
        conditions_changed=tuple(turn.book.changed),
        conditions_refreshed=turn.book.refreshed(),
        explanations=tuple(turn.book.explanations),
    )


def _order(signal: Signal) -> tuple[object, ...]:
    """By time; of equal times causes come before what names them, and the rest in any fixed order."""
    return (
        signal.at.mono,
        signal.fields.get("caused_by") is not None,
        signal.kind,
        signal.subject.key,
        str(signal.identity),
        signal.count,
        repr(sorted(signal.fields.items())),
    )
