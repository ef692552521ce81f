"""What each gate says, in the words that a person reads."""

from dataclasses import replace

import pytest

from sickbay.core.conditions import Mode
from sickbay.core.gates import Case, decide
from sickbay.core.ids import BootId, RemediationId
from sickbay.core.orchestration import Ownership

FREE = Case(
    what="cordon gpu-07 for XID_79",
    rule_mode=Mode.ACT,
    cluster_mode=Mode.ACT,
    has_remedy=True,
    synthetic=False,
    accept_synthetic=False,
    ownership=Ownership.NONE,
    foreign_reason="",
    obstacle="",
    incident_open=True,
    snoozed=False,
    fault_boot=BootId("b1"),
    node_boot=BootId("b1"),
    evidence_age=3.0,
    max_age=3_600.0,
    silent_for=1.0,
    max_silence=30.0,
    under_way=False,
    active_remediation=None,
    this_remediation=None,
    quarantined=False,
    needs_drained=False,
    drained=None,
)


def test_a_real_fresh_fault_on_a_free_node_is_let_through():
    decision = decide(FREE, 5.0)
    assert decision.allowed
    assert decision.at == 5.0
    assert [f.gate for f in decision.findings] == [
        "mode",
        "synthetic",
        "owner",
        "quarantine",
        "freshness",
        "one-remediation",
        "drained",
    ]


@pytest.mark.parametrize(
    ("changes", "gate", "why"),
    [
        (
            {"rule_mode": Mode.PROPOSE},
            "mode",
            "would cordon gpu-07 for XID_79, but the rule says propose, the cluster allows act",
        ),
        (
            {"cluster_mode": Mode.OBSERVE},
            "mode",
            "would cordon gpu-07 for XID_79, but the rule says act, the cluster allows observe",
        ),
        ({"has_remedy": False}, "mode", "the rule names no remedy that does anything"),
        ({"synthetic": True}, "synthetic", "injected; drills are not allowed here (accept_synthetic)"),
        (
            {"ownership": Ownership.FOREIGN, "foreign_reason": "alice: fan"},
            "owner",
            "held by someone else: alice: fan",
        ),
        (
            {"ownership": Ownership.UNKNOWN, "foreign_reason": "slurmctld is away"},
            "owner",
            "who holds the node is not known: slurmctld is away",
        ),
        ({"obstacle": "MAINTENANCE"}, "owner", "the scheduler has the node as MAINTENANCE: hands off"),
        ({"quarantined": True}, "quarantine", "an earlier remediation left the node to a person"),
        ({"incident_open": False}, "freshness", "the incident is over"),
        ({"snoozed": True}, "freshness", "a person took the node back; the incident is snoozed"),
        ({"node_boot": BootId("b2")}, "freshness", "the evidence is of another boot"),
        ({"node_boot": None}, "freshness", "nothing is known of the node's present boot"),
        (
            {"silent_for": None},
            "freshness",
            "the node's agent has not been heard since the coordinator started",
        ),
        ({"silent_for": 95.0}, "freshness", "the agent is silent for 1m35s"),
        ({"evidence_age": 7_200.0}, "freshness", "the fault was last seen 2h00m ago, 1h00m allowed"),
        ({"evidence_age": None}, "freshness", "the fault was last seen an unknown time ago, 1h00m allowed"),
        ({"active_remediation": RemediationId("rem-9")}, "one-remediation", "rem-9 runs on the node"),
        ({"needs_drained": True, "drained": False}, "drained", "the node still has work"),
        ({"needs_drained": True}, "drained", "the scheduler could not say whether a job runs"),
    ],
)
def test_a_gate_that_holds_says_why(changes: dict[str, object], gate: str, why: str):
    decision = decide(replace(FREE, **changes), 5.0)
    assert not decision.allowed
    assert decision.held_by == (gate,)
    assert decision.why_held == f"{gate}: {why}"


def test_old_evidence_does_not_stop_what_is_under_way():
    case = replace(FREE, under_way=True, ownership=Ownership.OURS, evidence_age=1e6)
    assert decide(case, 5.0).allowed


def test_an_injected_fault_is_let_through_where_drills_are_allowed():
    assert decide(replace(FREE, synthetic=True, accept_synthetic=True), 5.0).allowed
