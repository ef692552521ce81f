"""When a stage ends well, and each reason for which a roll-out holds."""

import pytest

from sickbay.core import rollout as machine
from sickbay.core.ids import NodeName
from sickbay.core.rollout import Member, Phase, Plan, Rollout, Stage
from sickbay.core.rule_bundles import OWN

OLD, NEW = "old", "new"
PLAN = Plan(stages=(Stage(pools=("canary",)), Stage(percent=100)), soak=100.0, answer=50.0, silence=30.0)


def node(name: str, *, pool: str = "canary", running: str = NEW, **more: object) -> Member:
    values: dict[str, object] = {"connected_for": 1000.0, **more}
    return Member(node=NodeName(name), pool=pool, running=running, **values)  # type: ignore[arg-type]


def begun(*members: Member) -> Rollout:
    return machine.begun(Rollout(base=OLD), NEW, PLAN, members, 0.0)


def after(now: float, *members: Member, plan: Plan = PLAN) -> Rollout:
    return machine.advanced(begun(*members), plan, members, now)


def test_a_stage_soaks_from_when_all_of_it_run_the_set() -> None:
    members = (node("a"), node("b"))
    soaking = machine.advanced(begun(*members), PLAN, members, 10.0)
    assert (soaking.stage, soaking.soaking) == (0, 10.0)
    assert machine.advanced(soaking, PLAN, members, 109.0) == soaking
    assert machine.advanced(soaking, PLAN, members, 110.0).stage == 1


def test_a_node_that_has_yet_to_answer_keeps_its_stage_from_soaking() -> None:
    assert after(10.0, node("a"), node("b", running=OLD)).soaking is None


def test_a_node_that_is_away_and_never_had_the_set_is_not_waited_for() -> None:
    assert after(10.0, node("a"), node("b", running=OLD, connected_for=None)).soaking == 10.0


@pytest.mark.parametrize(
    ("ill", "why"),
    [
        (node("b", running=OLD, refused=NEW), "b refused it"),
        (node("b", connected_for=None, silent_for=60.0), "b fell silent with it, 1m00s ago"),
        (node("b", running=OLD), "b did not answer within 50s"),
        (node("b", opened=9), "9 conditions opened on 2 nodes since they run it, 0 in as long a time before"),
    ],
)
def test_a_failing_node_holds_the_roll_out_and_is_named(ill: Member, why: str) -> None:
    held = after(60.0, node("a"), ill)
    assert held.phase is Phase.HELD
    assert why in held.why
    assert machine.due(held, PLAN, node("c", running=OLD)) == ""


def test_so_many_failures_as_are_allowed_hold_nothing_unless_nobody_is_left_to_prove_the_set() -> None:
    plan = Plan(stages=PLAN.stages, soak=100.0, max_failures=1)
    refusing = node("b", running=OLD, refused=NEW)
    assert after(60.0, node("a"), refusing, plan=plan).phase is Phase.ROLLING
    assert after(60.0, refusing, plan=plan).phase is Phase.HELD


def test_conditions_that_opened_as_often_before_are_no_storm() -> None:
    assert after(60.0, node("a", opened=9, opened_before=9)).phase is Phase.ROLLING


def test_a_stage_that_brings_nobody_in_holds_and_is_passed_over_at_a_persons_word() -> None:
    members = (node("a", pool="other", running=OLD),)
    held = begun(*members)
    assert (held.phase, held.chosen) == (Phase.HELD, ())
    assert "brings no node in" in held.why
    assert machine.resumed(held, PLAN, members, 5.0).chosen == ("a",)


def test_what_a_person_let_pass_holds_no_more() -> None:
    members = (node("a"), node("b", running=OLD, refused=NEW))
    held = machine.advanced(begun(*members), PLAN, members, 60.0)
    going = machine.resumed(held, PLAN, members, 70.0)
    assert (going.phase, going.excused) == (Phase.ROLLING, ("b",))
    assert machine.advanced(going, PLAN, members, 80.0).soaking == 80.0


def test_the_first_roll_out_is_taken_back_to_the_nodes_own_files() -> None:
    first = machine.begun(Rollout(), NEW, PLAN, (node("a", running=""),), 0.0)
    back = machine.rolled_back(first, "no")
    assert back.base == OWN
    assert machine.due(back, PLAN, node("a")) == OWN
    assert machine.due(back, PLAN, node("a", running="")) == ""


def test_a_plan_that_was_shortened_meanwhile_still_ends_with_the_stage_for_all() -> None:
    late = Rollout(phase=Phase.ROLLING, base=OLD, target=NEW, stage=3, chosen=(NodeName("a"),), soaking=0.0)
    assert machine.wanted(late, PLAN, NodeName("z")) == OLD
    moved = machine.advanced(late, PLAN, (node("a"), node("z", running=OLD)), 1000.0)
    assert (moved.phase, moved.stage, moved.chosen) == (Phase.ROLLING, 1, ("a", "z"))
