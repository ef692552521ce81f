"""What the freshness gate says of a fault, in the words that a person reads."""

from dataclasses import replace

import pytest

from sickbay.core.freshness import Sight, freshness_gate
from sickbay.core.ids import BootId
from sickbay.core.orders import Standing

SEEN = Sight(
    incident_open=True,
    snoozed=False,
    fault_boot=BootId("b1"),
    node_boot=BootId("b1"),
    evidence_age=30.0,
    max_age=3_600.0,
    silent_for=1.0,
    max_silence=30.0,
    under_way=False,
)

NOTHING = Standing(at=100.0)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"incident_open": False}, "the incident is over"),
        ({"snoozed": True}, "a person took the node back; the incident is snoozed"),
        ({"node_boot": BootId("b2")}, "the evidence is of another boot"),
        ({"node_boot": None}, "nothing is known of the node's present boot"),
        ({"silent_for": None}, "the node's agent has not been heard since the coordinator started"),
        ({"silent_for": 95.0}, "the agent is silent for 1m35s"),
        ({"evidence_age": 7_200.0}, "the fault was last seen 2h00m ago, 1h00m allowed"),
        ({"evidence_age": None}, "the fault was last seen an unknown time ago, 1h00m allowed"),
    ],
)
def test_what_is_not_so_any_more_is_held_and_said(changes: dict[str, object], why: str):
    finding = freshness_gate(replace(SEEN, **changes), NOTHING)
    assert (finding.passed, finding.why) == (False, why)


def test_a_fault_that_was_not_seen_since_a_hold_ended_is_backlog():
    finding = freshness_gate(SEEN, Standing(at=100.0, released_ago=20.0))
    assert not finding.passed
    assert finding.why == "the fault was not seen since the last hold on this node ended, 20s ago"


def test_a_fault_that_was_seen_since_a_hold_ended_is_fresh():
    assert freshness_gate(SEEN, Standing(at=100.0, released_ago=40.0)).passed


def test_a_persons_word_since_the_hold_is_as_good_as_seeing_it():
    vouched = replace(SEEN, vouched_ago=5.0)
    assert freshness_gate(vouched, Standing(at=100.0, released_ago=20.0)).passed


def test_a_node_that_is_out_already_is_repaired_on_old_evidence_but_never_on_another_boot():
    under_way = replace(SEEN, under_way=True, evidence_age=None)
    assert freshness_gate(under_way, Standing(at=100.0, released_ago=1.0)).passed
    assert not freshness_gate(replace(under_way, node_boot=BootId("b2")), NOTHING).passed
