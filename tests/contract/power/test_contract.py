"""What every part that controls power must do, and the fake with them."""

import itertools
import time

import pytest
from tests.contract.power.stages import NODE, OTHER, STRANGER, Fault, Stage

from sickbay.core.ids import ActionId
from sickbay.core.outcomes import Verdict
from sickbay.power.protocol import SETTLE, Order, PowerState, Reset, restart

_IDS = itertools.count()


def order(*, term: int = 1, ago: float = 0.0) -> Order:
    """A new action, journalled so many seconds ago."""
    return Order(action_id=ActionId(f"rem/{next(_IDS)}"), term=term, begun_at=time.time() - ago)


def again(first: Order, *, heard_at: float | None = None) -> Order:
    """The same action, tried once more."""
    return Order(
        action_id=first.action_id,
        term=first.term,
        begun_at=first.begun_at,
        is_repeat=True,
        heard_at=heard_at,
    )


async def test_a_look_tells_the_power_state_and_changes_nothing(stage: Stage):
    seen = await stage.process().observe(NODE)
    assert (seen.node, seen.state, seen.problem) == (NODE, PowerState.ON, None)
    assert stage.resets() == []


@pytest.mark.parametrize("reset", list(Reset))
async def test_each_verb_resets_that_machine_once_and_no_other(stage: Stage, reset: Reset):
    outcome = await restart(stage.process(), reset, NODE, order())
    assert outcome.verdict is Verdict.DONE
    assert stage.resets() == [(NODE, reset)]
    await stage.until_on(NODE)


@pytest.mark.parametrize("reset", list(Reset))
async def test_the_same_action_again_is_done_and_resets_nothing(stage: Stage, reset: Reset):
    power, first = stage.process(), order()
    await restart(power, reset, NODE, first)
    outcome = await restart(power, reset, NODE, again(first))
    assert outcome.verdict is Verdict.DONE
    assert stage.resets() == [(NODE, reset)]


async def test_another_action_is_another_reset(stage: Stage):
    power = stage.process()
    await power.restart_forced(NODE, order())
    await stage.until_on(NODE)
    assert (await power.restart_forced(NODE, order())).verdict is Verdict.DONE
    assert stage.resets() == [(NODE, Reset.FORCED)] * 2


@pytest.mark.parametrize("reset", [Reset.GRACEFUL, Reset.FORCED])
async def test_a_reset_whose_answer_was_lost_is_unknown_and_never_sent_twice(stage: Stage, reset: Reset):
    power, first = stage.process(), order()
    stage.will(Fault.REPLY_LOST)
    assert (await restart(power, reset, NODE, first)).verdict is Verdict.UNKNOWN
    outcome = await restart(power, reset, NODE, again(first))
    assert outcome.verdict is (Verdict.DONE if stage.tells_resets else Verdict.UNKNOWN)
    assert stage.resets() == [(NODE, reset)]


@pytest.mark.parametrize("reset", list(Reset))
async def test_a_process_that_was_started_anew_does_not_repeat_what_the_last_one_did(
    stage: Stage, reset: Reset
):
    first = order()
    await restart(stage.process(), reset, NODE, first)
    outcome = await restart(stage.process(), reset, NODE, again(first))
    assert outcome.verdict is (Verdict.DONE if stage.tells_resets else Verdict.UNKNOWN)
    assert stage.resets() == [(NODE, reset)]


async def test_what_may_have_happened_is_not_sent_while_nothing_disproves_it(stage: Stage):
    outcome = await stage.process().restart_forced(NODE, again(order(ago=3600)))
    assert outcome.verdict is Verdict.UNKNOWN
    assert "not sent again" in outcome.detail
    assert stage.resets() == []


async def test_what_the_agent_on_its_old_boot_disproves_is_sent(stage: Stage):
    first = order(ago=SETTLE + 60)
    outcome = await stage.process().restart_forced(NODE, again(first, heard_at=time.time()))
    assert outcome.verdict is Verdict.DONE
    assert stage.resets() == [(NODE, Reset.FORCED)]


async def test_an_agent_that_was_heard_right_after_disproves_nothing(stage: Stage):
    first = order(ago=3600)
    outcome = await stage.process().restart_forced(NODE, again(first, heard_at=first.begun_at + 5))
    assert outcome.verdict is Verdict.UNKNOWN
    assert stage.resets() == []


async def test_a_refused_reset_has_failed_and_may_be_asked_for_again(stage: Stage):
    power, first = stage.process(), order()
    stage.will(Fault.REFUSED)
    assert (await power.restart_forced(NODE, first)).verdict is Verdict.FAILED
    assert stage.resets() == []
    assert (await power.restart_forced(NODE, again(first))).verdict is Verdict.DONE


@pytest.mark.parametrize("fault", [Fault.DENIED, Fault.SOMEONE_ELSES])
@pytest.mark.parametrize("reset", list(Reset))
async def test_a_bmc_that_refuses_us_or_is_another_nodes_is_left_alone(
    stage: Stage, fault: Fault, reset: Reset
):
    stage.will(fault)
    outcome = await restart(stage.process(), reset, NODE, order())
    assert outcome.verdict is Verdict.FAILED
    assert ("login" if fault is Fault.DENIED else "serial should be") in outcome.detail
    assert stage.resets() == []


async def test_a_bmc_that_does_not_answer_is_asked_again(stage: Stage):
    stage.will(Fault.NO_ANSWER)
    outcome = await stage.process().power_cycle(NODE, order())
    assert (outcome.verdict, stage.resets()) == (Verdict.RETRY, [])


async def test_a_look_that_failed_says_why_and_tells_nothing(stage: Stage):
    stage.will(Fault.DENIED)
    seen = await stage.process().observe(NODE)
    assert (seen.state, seen.reset_age, seen.booting) == (PowerState.UNKNOWN, None, None)
    assert seen.problem is not None
    assert seen.problem.verdict is Verdict.FAILED


async def test_a_node_without_a_bmc_cannot_be_reset(stage: Stage):
    outcome = await stage.process().power_cycle(STRANGER, order())
    assert (outcome.verdict, stage.resets()) == (Verdict.FAILED, [])
    assert str(STRANGER) in outcome.detail


async def test_an_older_leader_is_refused(stage: Stage):
    power = stage.process()
    await power.restart_forced(OTHER, order(term=7))
    outcome = await power.restart_forced(NODE, order(term=6))
    assert (outcome.verdict, stage.resets()) == (Verdict.FAILED, [(OTHER, Reset.FORCED)])
    assert "term 7 has begun" in outcome.detail


@pytest.mark.parametrize("reset", list(Reset))
async def test_a_machine_that_somebody_switched_off_is_not_switched_on(stage: Stage, reset: Reset):
    await stage.switch_off(NODE)
    outcome = await restart(stage.process(), reset, NODE, order())
    assert (outcome.verdict, stage.resets()) == (Verdict.FAILED, [])
    assert "switched off, and not by us" in outcome.detail
