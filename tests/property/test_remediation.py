"""Whatever comes back from the world, in whatever order: what a remediation never does, and that it ends."""

from dataclasses import replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sickbay.core.ids import BootId, IncidentId, NodeName
from sickbay.core.outcomes import Outcome, Verdict
from sickbay.core.remediation import Action, ActionKind, Remediation, Step, due, proposed
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
from sickbay.core.remedies import Drain, DrainMode, Remedy, Rung, RungKind, Validation

REPAIRS = (RungKind.RESTART_SERVICE, RungKind.RESET_GPU, RungKind.REBOOT, RungKind.POWER_CYCLE)

ladders = st.lists(st.sampled_from(REPAIRS), unique=True, max_size=4).map(
    lambda kinds: tuple(Rung(kind=kind, deadline=300.0) for kind in sorted(kinds, key=lambda k: k.rank)),
)

remedies = st.builds(
    Remedy,
    id=st.sampled_from(["mild", "harsh"]),
    ladder=ladders.map(lambda rungs: (*rungs, Rung(kind=RungKind.QUARANTINE))),
    drain=st.builds(Drain, mode=st.sampled_from(DrainMode), timeout=st.just(3_600.0)),
    validation=st.builds(Validation, soak=st.sampled_from([0.0, 30.0]), deadline=st.just(120.0)),
)

outcomes = st.sampled_from(Verdict).map(lambda verdict: Outcome(verdict=verdict, detail="said so"))

PROGRESS = tuple(step for step in Step if not step.is_end)


def a_remediation(remedy: Remedy) -> Remediation:
    return proposed(
        node=NodeName("n1"),
        incident=IncidentId("inc-1"),
        boot=BootId("boot-1"),
        remedy=remedy,
        now=0.0,
    )


class TheMachine(RuleBasedStateMachine):
    """Plays the coordinator and the world against one remediation."""

    @initialize(remedy=remedies)
    def begin(self, remedy: Remedy) -> None:
        self.now = 0.0
        self.rem = a_remediation(remedy)
        self.drained = False
        self.clean_since: float | None = None
        self.incidents = 1

    def become(self, rem: Remediation) -> None:
        """Take the new state, and keep what the invariants are about."""
        if rem.step is not self.rem.step or rem.rung != self.rem.rung:
            if rem.step in {Step.PROPOSED, Step.CORDONING, Step.DRAINING}:
                self.drained = False
            self.clean_since = None
        self.rem = rem

    @rule(seconds=st.floats(0.0, 400.0))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        before = self.rem
        self.become(expired(self.rem, self.now))
        if self.rem is not before:
            assert self.now > before.step_deadline

    @rule()
    def the_gates_let_through(self) -> None:
        self.become(approved(self.rem, self.now))

    @rule()
    def the_gates_hold(self) -> None:
        before = self.rem
        self.become(held(self.rem, self.now, "held"))
        assert self.rem.step in {before.step, Step.PROPOSED}

    @precondition(lambda self: due(self.rem, self.now) is not None)
    @rule(outcome=outcomes)
    def what_is_due_is_done(self, outcome: Outcome) -> None:
        action = self._begun()
        before = self.rem
        after = absorbed(before, outcome, self.now)
        if outcome.verdict is Verdict.UNKNOWN:
            assert (after.step, after.rung, after.issued) == (before.step, before.rung, before.issued)
        if action.kind is ActionKind.VALIDATE:
            self._note_validation(outcome)
            if after.step is Step.RETURNING:
                assert self.clean_since is not None
                assert self.now - self.clean_since >= before.remedy.validation.soak
        if action.kind is ActionKind.AWAIT_DRAIN and outcome.verdict is Verdict.DONE:
            self.become(after)
            self.drained = before.waits_for_drain
        else:
            self.become(after)

    def _begun(self) -> Action:
        action = due(self.rem, self.now)
        assert action is not None
        if action.kind.is_destructive:
            is_harmless = not self.rem.waits_for_drain and action.kind is ActionKind.RESTART_SERVICE
            assert self.drained or is_harmless, f"{action.kind} is due, and nobody saw the node drained"
        if action.kind is ActionKind.RETURN:
            assert self.rem.step is Step.RETURNING
        self.rem = begun(self.rem, action, self.now)
        return action

    def _note_validation(self, outcome: Outcome) -> None:
        if outcome.verdict is not Verdict.DONE:
            self.clean_since = None
        elif self.clean_since is None:
            self.clean_since = self.now

    @precondition(lambda self: due(self.rem, self.now) is not None)
    @rule()
    def the_coordinator_dies_before_it_hears_the_outcome(self) -> None:
        self._begun()
        before = self.rem
        after = interrupted(self.rem, self.now)
        assert (after.step, after.rung, after.issued) == (before.step, before.rung, before.issued)
        assert due(after, self.now) == due(before, self.now), "the same action is asked for again"
        self.clean_since = None
        self.become(after)

    @precondition(lambda self: self.rem.is_active)
    @rule(remedy=remedies)
    def another_fault_joins(self, remedy: Remedy) -> None:
        self.incidents += 1
        before = self.rem
        after = merged(self.rem, IncidentId(f"inc-{self.incidents}"), remedy, self.now)
        if before.tried >= 0:
            assert after.remedy == before.remedy, "nothing begins anew after a repair was tried"
        self.become(after)

    @rule()
    def the_fault_goes_away(self) -> None:
        before = self.rem
        self.become(relieved(self.rem, self.now, "gone"))
        if before.tried >= 0:
            assert self.rem == before, "a repair that was begun is proved, whatever the conditions say"

    @rule(boot=st.sampled_from(["boot-1", "boot-2"]))
    def the_node_boots(self, boot: str) -> None:
        before = self.rem
        self.become(rebased(self.rem, BootId(boot), self.now))
        assert self.rem.step is before.step

    @invariant()
    def what_has_ended_stays_as_it_is(self) -> None:
        if self.rem.step.is_end:
            assert due(self.rem, self.now + 1e9) is None
            assert cancelled(self.rem, self.now, "no") == self.rem
            assert expired(self.rem, self.now + 1e9) == self.rem

    @invariant()
    def the_ladder_is_only_climbed(self) -> None:
        assert self.rem.tried <= self.rem.rung <= self.rem.tried + 1
        assert self.rem.rung <= len(self.rem.remedy.ladder)


TestTheMachine = TheMachine.TestCase


@given(remedy=remedies, said=st.lists(outcomes, min_size=1, max_size=12))
@settings(max_examples=200)
def test_every_approved_remediation_ends_whatever_it_is_told_again_and_again(
    remedy: Remedy,
    said: list[Outcome],
):
    now, heard = 0.0, 0
    rem = approved(a_remediation(remedy), now)
    latest = _longest(rem)
    while rem.is_active and rem.step is not Step.PROPOSED:
        assert now <= latest, f"still {rem.step} after {now} s"
        action = due(rem, now)
        if action is None:
            now = max(rem.next_try_at, now + 1.0)
        else:
            rem = absorbed(begun(rem, action, now), said[heard % len(said)], now, poll=10.0)
            heard += 1
            now += 0.5
        rem = expired(rem, now)


def _longest(rem: Remediation) -> float:
    """Every step of every rung at its whole length, and a pause for each."""
    remedy = rem.remedy
    rung = (
        remedy.drain.timeout + 60.0 + 2 * 300.0 + 120.0 + remedy.validation.deadline + remedy.validation.soak
    )
    return remedy.deadlines.cordon + remedy.deadlines.returning + (len(remedy.ladder) + 1) * (rung + 300.0)


@given(remedy=remedies)
def test_the_same_action_has_the_same_id_and_another_has_another(remedy: Remedy):
    assume(len(remedy.ladder) > 1)
    rem = approved(a_remediation(remedy), 0.0)
    again = begun(rem, _due(rem), 0.0)
    assert _due(again).id == _due(rem).id
    later = absorbed(again, Outcome.done(), 0.0)
    assert _due(later).id != _due(rem).id
    assert replace(_due(rem), id=_due(later).id) != _due(later)


def _due(rem: Remediation) -> Action:
    action = due(rem, rem.next_try_at)
    assert action is not None
    return action
