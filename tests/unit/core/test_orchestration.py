import pytest
from hypothesis import given
from hypothesis import strategies as st

from sickbay.core.ids import ActionId, IncidentId, NodeName, RuleId
from sickbay.core.orchestration import Hold, Job, Mark, NodeObservation, Ownership, read_hold, unobserved

NODE = NodeName("n1")
HOLD = Hold(incident=IncidentId("inc-1"), rule=RuleId("gpu-lost"))


def mark(incident: str = "inc-1", rule: str = "gpu-lost", action: str = "a") -> Mark:
    return Mark(incident=IncidentId(incident), rule=RuleId(rule), action_id=ActionId(action))


def test_the_reason_names_us_the_incident_and_the_rule():
    assert mark().reason == "sickbay:inc-1:gpu-lost"


def test_a_reason_that_we_wrote_is_read_back():
    assert read_hold("sickbay:inc-1:gpu-lost") == HOLD


@pytest.mark.parametrize("word", ["", "sickbay", "sickbay:a", "sickbay::b", "bob:a:b", "sickbay:a:b:c"])
def test_any_other_word_is_no_hold(word: str):
    assert read_hold(word) is None


@given(st.text(min_size=1), st.text(min_size=1))
def test_whatever_an_id_holds_the_reason_is_one_word_that_is_read_back(incident: str, rule: str):
    ours = mark(incident, rule)
    assert len(ours.reason.split()) == 1
    assert ours.holds(read_hold(ours.reason))


def test_a_mark_holds_what_its_incident_holds_under_any_rule():
    assert mark(rule="renamed").holds(HOLD)
    assert not mark("inc-2").holds(HOLD)
    assert not mark().holds(None)


def test_the_tag_is_the_actions():
    assert mark(action="a").tag == mark("inc-2", action="a").tag
    assert mark(action="a").tag != mark(action="b").tag
    assert len(mark().tag) == 8


@pytest.mark.parametrize("schedulable", [True, None])
def test_a_drained_node_that_may_take_work_cannot_be_reported(schedulable: bool | None):  # noqa: FBT001 - a table's column
    with pytest.raises(ValueError, match="drained, yet"):
        NodeObservation(node=NODE, at=0, ownership=Ownership.NONE, schedulable=schedulable, drained=True)


def test_a_drained_node_with_a_job_cannot_be_reported():
    with pytest.raises(ValueError, match="drained, yet"):
        NodeObservation(
            node=NODE,
            at=0,
            ownership=Ownership.FOREIGN,
            schedulable=False,
            drained=True,
            jobs=(Job(id="1"),),
        )


@pytest.mark.parametrize("ownership", [Ownership.NONE, Ownership.FOREIGN, Ownership.UNKNOWN])
def test_a_hold_of_ours_on_a_node_that_is_not_ours_cannot_be_reported(ownership: Ownership):
    with pytest.raises(ValueError, match="a hold goes with ownership by us"):
        NodeObservation(node=NODE, at=0, ownership=ownership, hold=HOLD)


@pytest.mark.parametrize(
    ("ownership", "schedulable", "taken_back"),
    [
        (Ownership.NONE, True, True),
        (Ownership.NONE, None, False),
        (Ownership.FOREIGN, False, True),
        (Ownership.UNKNOWN, None, False),
    ],
)
def test_a_node_is_taken_back_when_it_is_in_service_or_anothers(
    ownership: Ownership,
    schedulable: bool | None,  # noqa: FBT001 - a table's column
    taken_back: bool,  # noqa: FBT001 - a table's column
):
    node = NodeObservation(node=NODE, at=0, ownership=ownership, schedulable=schedulable)
    assert node.is_taken_back is taken_back


def test_what_could_not_be_seen_is_neither_drained_nor_free_nor_ours():
    node = unobserved(NODE, at=5.0, detail="no answer")
    assert (node.schedulable, node.drained, node.jobs, node.ownership) == (
        None,
        None,
        None,
        Ownership.UNKNOWN,
    )
