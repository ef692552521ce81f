"""A roll-out never reaches further than it may, whatever its nodes do and wherever it is interrupted."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sickbay.core import rollout as machine
from sickbay.core.ids import NodeName
from sickbay.core.rollout import Member, Phase, Plan, Rollout, Stage
from sickbay.core.rule_bundles import OWN
from sickbay.host.spool_records import decoded, encoded

OLD, NEW = "old-digest", "new-digest"

PLAN = Plan(
    stages=(Stage(pools=("canary",)), Stage(percent=10), Stage(percent=50), Stage(percent=100)),
    soak=100.0,
    max_failures=1,
    answer=50.0,
    silence=30.0,
)

sizes = st.integers(min_value=1, max_value=40)
canaries = st.integers(min_value=0, max_value=3)


def fleet(size: int, canary: int) -> dict[NodeName, Member]:
    return {
        NodeName(f"n{i}"): Member(
            node=NodeName(f"n{i}"), pool="canary" if i < canary else "", running=OLD, connected_for=1000.0
        )
        for i in range(size)
    }


behaviours = st.lists(
    st.tuples(
        st.integers(min_value=0, max_value=39),
        st.sampled_from(["take", "refuse", "leave", "come", "die", "storm", "nothing"]),
    ),
    max_size=60,
)
persons = st.lists(st.sampled_from(["", "", "", "hold", "begin", "back"]), min_size=60, max_size=60)


def behaves(member: Member, how: str, handed: str) -> Member:
    if how == "take" and handed and member.connected_for is not None:
        return replace(member, running="" if handed == OWN else handed, refused="", opened=0)
    if how == "refuse" and handed:
        return replace(member, refused=handed)
    changes: dict[str, dict[str, float | None]] = {
        "leave": {"connected_for": None},
        "die": {"connected_for": None, "silent_for": 1000.0},
        "come": {"connected_for": 1000.0, "silent_for": 0.0},
        "storm": {"opened": 50},
    }
    return replace(member, **changes.get(how, {}))  # type: ignore[arg-type]


def allowed_in(rollout: Rollout, size: int, canary: int) -> int:
    """How many nodes the stages up to this one let in, at most."""
    most = canary
    for stage in PLAN.stages[: rollout.stage + 1]:
        share = max(int(size * stage.percent / 100), 1) if stage.percent else 0
        most = max(most, share)
    return most


@given(size=sizes, canary=canaries, story=behaviours, said=persons)
def test_no_more_nodes_are_handed_the_target_than_its_stages_let_in(
    size: int, canary: int, story: list[tuple[int, str]], said: list[str]
) -> None:
    canary = min(canary, size)
    nodes, now = fleet(size, canary), 1000.0
    rollout = machine.begun(Rollout(base=OLD), NEW, PLAN, nodes.values(), now)
    for (number, how), word in zip(story, said, strict=False):
        name = NodeName(f"n{number % size}")
        # A death of the coordinator between any two steps: what it kept is all that it has.
        rollout = decoded(encoded(rollout), Rollout)
        handed = machine.due(rollout, PLAN, nodes[name])
        if rollout.phase is Phase.HELD:
            assert not handed
        if handed == NEW and rollout.phase is Phase.ROLLING and rollout.stage < len(PLAN.stages) - 1:
            assert name in rollout.chosen
        nodes[name] = behaves(nodes[name], how, handed)
        now += 60.0
        before = rollout
        rollout = machine.advanced(rollout, PLAN, nodes.values(), now)
        assert set(before.chosen) <= set(rollout.chosen) or rollout.is_over
        assert len(rollout.chosen) <= allowed_in(rollout, size, canary)
        if before.phase is Phase.HELD:
            assert rollout == before
        match word:
            case "hold":
                rollout = machine.held(rollout, "a person")
            case "begin":
                rollout = machine.resumed(rollout, PLAN, nodes.values(), now)
            case "back":
                rollout = machine.rolled_back(rollout, "a person")
                assert all(machine.wanted(rollout, PLAN, name) in {OLD, OWN} for name in nodes) or (
                    rollout.previous == OLD
                )


@given(size=sizes, canary=canaries, story=behaviours)
def test_rolling_back_is_for_everybody_at_once(size: int, canary: int, story: list[tuple[int, str]]) -> None:
    nodes = fleet(size, min(canary, size))
    rollout, now = machine.begun(Rollout(base=OLD), NEW, PLAN, nodes.values(), 0.0), 0.0
    for number, how in story:
        name = NodeName(f"n{number % size}")
        nodes[name] = behaves(nodes[name], how, machine.due(rollout, PLAN, nodes[name]))
        now += 60.0
        rollout = machine.advanced(rollout, PLAN, nodes.values(), now)
    ended = rollout.is_over
    back = machine.rolled_back(rollout, "why")
    assert back.is_over
    assert {machine.wanted(back, PLAN, name) for name in nodes} == {OLD}
    assert back.previous == (NEW if ended else rollout.previous)


@given(size=sizes, canary=st.integers(min_value=1, max_value=3))
def test_a_fleet_that_takes_everything_is_through_after_every_soak_and_no_sooner(
    size: int, canary: int
) -> None:
    nodes = fleet(size, min(canary, size))
    rollout, now = machine.begun(Rollout(base=OLD), NEW, PLAN, nodes.values(), 0.0), 0.0
    for _ in range(400):
        for name, member in nodes.items():
            nodes[name] = behaves(member, "take", machine.due(rollout, PLAN, member))
        now += 10.0
        after = machine.advanced(rollout, PLAN, nodes.values(), now)
        if after.phase is Phase.HELD:
            # A small fleet: a stage's share was in already.
            after = machine.resumed(after, PLAN, nodes.values(), now)
        rollout = after
        if rollout.is_over:
            break
    assert (rollout.base, rollout.previous) == (NEW, OLD)
    assert now >= PLAN.soak


@given(size=sizes)
def test_the_same_set_again_changes_nothing(size: int) -> None:
    nodes = fleet(size, 0)
    idle = Rollout(base=NEW)
    assert machine.begun(idle, NEW, PLAN, nodes.values(), 5.0) == idle
    rolling = machine.begun(Rollout(base=OLD), NEW, PLAN, nodes.values(), 5.0)
    assert machine.begun(rolling, NEW, PLAN, nodes.values(), 9.0) == rolling


@given(size=sizes, percent=st.floats(min_value=0.1, max_value=100.0))
def test_the_choice_is_the_same_whatever_the_order_of_the_nodes(size: int, percent: float) -> None:
    members = list(fleet(size, 0).values())
    stage = Stage(percent=percent)
    assert machine.selection(stage, members, ()) == machine.selection(stage, members[::-1], ())
