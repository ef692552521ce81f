"""What a remediation is, and what is due in it."""

from dataclasses import replace

from sickbay.core.ids import BootId, IncidentId, NodeName
from sickbay.core.outcomes import Outcome
from sickbay.core.remediation import GRACE, ISSUE, ActionKind, Remediation, Step, due, proposed
from sickbay.core.remediation_steps import absorbed, approved, begun, interrupted
from sickbay.core.remedies import Drain, DrainMode, Remedy, Rung, RungKind

REBOOT = Remedy(id="reboot", ladder=(Rung(kind=RungKind.REBOOT, deadline=900.0),))
RESTART = Remedy(
    id="restart",
    ladder=(Rung(kind=RungKind.RESTART_SERVICE, service="nvidia-fabricmanager"), Rung(kind=RungKind.REBOOT)),
    drain=Drain(mode=DrainMode.NONE),
)


def a_proposal(remedy: Remedy = REBOOT) -> Remediation:
    return proposed(
        node=NodeName("n1"),
        incident=IncidentId("inc-1"),
        boot=BootId("boot-1"),
        remedy=remedy,
        now=100.0,
    )


def at(step: Step, remedy: Remedy = REBOOT, **changes: object) -> Remediation:
    return replace(a_proposal(remedy), step=step, **changes)  # type: ignore[arg-type]


def test_the_id_follows_from_the_incident_and_the_moment():
    assert a_proposal().id == a_proposal().id
    assert a_proposal().id.startswith("rem-")


def test_nothing_is_due_in_a_proposal_nor_after_an_end():
    for step in (Step.PROPOSED, Step.DONE, Step.QUARANTINED, Step.CANCELLED):
        assert due(at(step), 1e9) is None


def test_what_each_step_asks_for():
    kinds = {step: action.kind for step in Step if (action := due(at(step), 100.0)) is not None}
    assert kinds == {
        Step.CORDONING: ActionKind.CORDON,
        Step.DRAINING: ActionKind.AWAIT_DRAIN,
        Step.EVIDENCE: ActionKind.COLLECT_EVIDENCE,
        Step.REPAIRING: ActionKind.REBOOT,
        Step.VALIDATING: ActionKind.VALIDATE,
        Step.RETURNING: ActionKind.RETURN,
    }


def test_a_repair_that_was_accepted_is_awaited():
    action = due(at(Step.REPAIRING, issued=True), 100.0)
    assert action is not None
    assert action.kind is ActionKind.AWAIT_REPAIR


def test_a_service_is_named_in_the_action_that_restarts_it():
    action = due(at(Step.REPAIRING, RESTART), 100.0)
    assert action is not None
    assert (action.kind, action.service) == (ActionKind.RESTART_SERVICE, "nvidia-fabricmanager")


def test_only_the_restart_of_a_service_may_do_without_an_empty_node():
    assert not at(Step.DRAINING, RESTART).waits_for_drain
    assert at(Step.DRAINING, RESTART, rung=1).waits_for_drain
    assert at(Step.DRAINING, replace(REBOOT, drain=Drain(mode=DrainMode.NONE))).waits_for_drain


def test_a_repair_that_may_have_happened_is_looked_for_as_long_as_one_that_was_accepted():
    waiting = at(Step.REPAIRING, step_since=200.0)
    assert waiting.step_deadline == 200.0 + ISSUE
    tried = begun(waiting, due(waiting, 210.0), 210.0)  # type: ignore[arg-type]
    assert tried.step_deadline == 210.0 + 900.0


def test_a_step_that_ran_out_while_the_coordinator_was_away_is_looked_at_first():
    rem = interrupted(at(Step.VALIDATING, step_since=100.0), 1e6)
    assert rem.step_deadline == 1e6 + GRACE


def test_the_whole_way_of_one_that_goes_well():
    now, rem = 100.0, approved(a_proposal(), 100.0)
    seen = []
    while rem.is_active:
        now = max(now, rem.next_try_at)
        action = due(rem, now)
        assert action is not None
        seen.append(action.kind)
        rem = absorbed(begun(rem, action, now), Outcome.done(), now, poll=60.0)
    assert seen == [
        ActionKind.CORDON,
        ActionKind.AWAIT_DRAIN,
        ActionKind.COLLECT_EVIDENCE,
        ActionKind.REBOOT,
        ActionKind.AWAIT_REPAIR,
        ActionKind.VALIDATE,
        ActionKind.VALIDATE,
        ActionKind.RETURN,
    ]
    assert rem.step is Step.DONE
