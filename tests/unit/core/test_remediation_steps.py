"""How a remediation moves, case by case; tests/property has what holds for all of them."""

from dataclasses import replace

import pytest

from sickbay.core.ids import BootId, IncidentId, NodeName
from sickbay.core.outcomes import Outcome
from sickbay.core.remediation import Remediation, Step, due, proposed
from sickbay.core.remediation_steps import (
    absorbed,
    approved,
    begun,
    cancelled,
    expired,
    held,
    interrupted,
    merged,
    rebased,
    relieved,
)
from sickbay.core.remedies import Remedy, Rung, RungKind, Validation

TWO_RUNGS = Remedy(
    id="two-rungs",
    ladder=(Rung(kind=RungKind.RESET_GPU), Rung(kind=RungKind.REBOOT)),
    validation=Validation(soak=60.0, deadline=600.0),
)
HARDER = Remedy(id="harder", ladder=(Rung(kind=RungKind.POWER_CYCLE),))
MILDER = Remedy(id="milder", ladder=(Rung(kind=RungKind.RESTART_SERVICE, service="x"),))


def at(step: Step, **changes: object) -> Remediation:
    rem = proposed(
        node=NodeName("n1"),
        incident=IncidentId("inc-1"),
        boot=BootId("boot-1"),
        remedy=TWO_RUNGS,
        now=100.0,
    )
    return replace(rem, step=step, **changes)  # type: ignore[arg-type]


def told(rem: Remediation, outcome: Outcome, now: float = 100.0) -> Remediation:
    action = due(rem, now)
    assert action is not None
    return absorbed(begun(rem, action, now), outcome, now)


def test_a_proposal_waits_for_approval_for_ever():
    assert expired(at(Step.PROPOSED), 1e9).step is Step.PROPOSED
    assert approved(at(Step.PROPOSED), 100.0).step is Step.CORDONING


def test_a_cordon_that_is_refused_ends_it_with_nothing_done():
    rem = told(at(Step.CORDONING), Outcome.failed("alice holds it"))
    assert (rem.step, rem.history[-1].detail) == (Step.CANCELLED, "could not cordon: alice holds it")


def test_a_cordon_that_was_never_seen_is_a_proposal_again():
    rem = told(at(Step.CORDONING, step_since=100.0), Outcome.unknown("no answer"))
    assert expired(rem, 161.0).step is Step.PROPOSED


def test_what_the_gates_hold_before_the_cordon_is_a_proposal_again_and_later_only_waits():
    assert held(at(Step.CORDONING), 100.0, "someone else").step is Step.PROPOSED
    waiting = held(at(Step.REPAIRING), 100.0, "silent", poll=5.0)
    assert (waiting.step, waiting.next_try_at) == (Step.REPAIRING, 105.0)


def test_a_drain_that_runs_out_of_time_asks_for_a_person_and_kills_nothing():
    rem = expired(at(Step.DRAINING, step_since=100.0, cordoned=True), 100.0 + TWO_RUNGS.drain.timeout + 1)
    assert rem.step is Step.QUARANTINED


@pytest.mark.parametrize("outcome", [Outcome.failed("disk full"), Outcome.retry("slow")])
def test_evidence_never_holds_up_a_repair_for_long(outcome: Outcome):
    rem = told(at(Step.EVIDENCE, step_since=100.0), outcome)
    rem = expired(rem, 161.0)
    assert rem.step is Step.REPAIRING
    assert "went on without all evidence" in rem.history[-1].detail


def test_a_repair_that_failed_climbs_and_the_node_is_seen_drained_anew():
    rem = told(at(Step.REPAIRING), Outcome.failed("busy"))
    assert (rem.step, rem.rung, rem.tried) == (Step.DRAINING, 1, 0)


def test_the_end_of_the_ladder_is_a_person():
    rem = told(at(Step.REPAIRING, rung=1, tried=0), Outcome.failed("no power"))
    assert rem.step is Step.QUARANTINED


def test_a_repair_of_which_nothing_is_known_goes_to_a_person_and_not_up_the_ladder():
    rem = told(at(Step.REPAIRING, step_since=100.0), Outcome.unknown("no answer"))
    assert expired(rem, rem.step_deadline + 1).step is Step.QUARANTINED


def test_a_repair_that_was_never_let_through_goes_to_a_person():
    assert expired(at(Step.REPAIRING, step_since=100.0), 221.0).step is Step.QUARANTINED


def test_a_repair_that_was_accepted_and_never_seen_climbs():
    rem = at(Step.REPAIRING, issued=True, tried=0, step_since=100.0)
    assert (expired(rem, 1_001.0).step, expired(rem, 1_001.0).rung) == (Step.DRAINING, 1)


def test_the_soak_begins_anew_with_every_doubt():
    rem = told(at(Step.VALIDATING), Outcome.done(), 100.0)
    rem = told(rem, Outcome.done(), 150.0)
    rem = told(rem, Outcome.unknown("?"), 155.0)
    rem = told(replace(rem, next_try_at=0.0), Outcome.done(), 165.0)
    assert rem.step is Step.VALIDATING
    assert told(replace(rem, next_try_at=0.0), Outcome.done(), 225.0).step is Step.RETURNING


def test_a_validation_that_fails_climbs_past_what_was_tried_and_not_past_what_was_not():
    assert told(at(Step.VALIDATING, tried=0), Outcome.failed("back")).rung == 1
    assert told(at(Step.VALIDATING, tried=-1), Outcome.failed("back")).rung == 0


def test_not_knowing_is_asked_less_and_less_often_up_to_a_bound():
    rem, waits = at(Step.DRAINING), []
    for _ in range(7):
        now = rem.next_try_at
        rem = told(rem, Outcome.unknown("down"), now)
        waits.append(rem.next_try_at - now)
    assert waits == [2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


def test_a_fault_that_went_away_is_proved_away_once_and_repaired_the_second_time():
    rem = relieved(at(Step.DRAINING, cordoned=True), 100.0, "gone")
    assert rem.step is Step.VALIDATING
    again = told(rem, Outcome.failed("the fault came back"))
    assert (again.step, again.rung) == (Step.DRAINING, 0)
    assert relieved(again, 200.0, "gone") == again


def test_a_fault_that_went_away_before_anything_was_done_leaves_nothing():
    assert relieved(at(Step.PROPOSED), 100.0, "gone").step is Step.CANCELLED


def test_a_cordon_that_may_have_happened_is_not_forgotten():
    tried = told(at(Step.CORDONING), Outcome.unknown("no answer"))
    assert relieved(tried, 100.0, "gone") == tried


def test_a_harder_remedy_takes_over_while_nothing_was_tried_and_the_node_is_drained_for_it():
    rem = merged(at(Step.REPAIRING), IncidentId("inc-2"), HARDER, 100.0)
    assert (rem.remedy.id, rem.step, rem.incidents) == ("harder", Step.DRAINING, ("inc-1", "inc-2"))
    late = merged(at(Step.REPAIRING, tried=0), IncidentId("inc-2"), HARDER, 100.0)
    assert (late.remedy.id, late.step) == ("two-rungs", Step.REPAIRING)


def test_a_milder_remedy_rides_along():
    rem = merged(at(Step.DRAINING), IncidentId("inc-2"), MILDER, 100.0)
    assert (rem.remedy.id, rem.step, rem.incidents) == ("two-rungs", Step.DRAINING, ("inc-1", "inc-2"))
    assert merged(rem, IncidentId("inc-2"), MILDER, 100.0) == rem


def test_the_next_repair_must_lead_away_from_the_boot_that_runs_now():
    assert rebased(at(Step.DRAINING), BootId("boot-2"), 100.0).boot_before == "boot-2"
    assert rebased(at(Step.VALIDATING), BootId("boot-2"), 100.0).boot_before == "boot-1"


def test_an_attempt_without_an_outcome_is_unknown_after_a_restart_and_asked_again_at_once():
    rem = at(Step.CORDONING)
    action = due(rem, 100.0)
    assert action is not None
    back = interrupted(begun(rem, action, 100.0), 500.0)
    assert back.attempt is not None
    assert back.attempt.last == Outcome.unknown("the coordinator stopped before it heard the outcome")
    assert due(back, 500.0) == action


def test_what_a_person_took_back_is_over_and_nothing_is_undone():
    rem = cancelled(at(Step.DRAINING), 100.0, "alice resumed it")
    assert (rem.step, rem.history[-1].detail) == (Step.CANCELLED, "alice resumed it")
    assert due(rem, 1e9) is None
