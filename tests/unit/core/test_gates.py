"""What each gate says, in the words that a person reads."""

from dataclasses import replace

import pytest

from sickbay.core.approvals import Consent
from sickbay.core.attempts import Attempted
from sickbay.core.budgets import NO_CLAIM, Claim, Share
from sickbay.core.conditions import Mode
from sickbay.core.freshness import Sight
from sickbay.core.gates import Case, decide
from sickbay.core.ids import BootId, IncidentId, RemediationId
from sickbay.core.orchestration import Ownership
from sickbay.core.orders import Standing

SHARE = Share(group="pool:h100", size=40, out=1, out_limit=2, lately=1, lately_limit=2, window=3_600.0)

FREE = Case(
    what="cordon gpu-07 for XID_79",
    rule_mode=Mode.ACT,
    cluster_mode=Mode.ACT,
    has_remedy=True,
    synthetic=False,
    accept_synthetic=False,
    standing=Standing(at=5.0),
    ownership=Ownership.NONE,
    foreign_reason="",
    obstacle="",
    quarantined=False,
    sight=Sight(
        incident_open=True,
        snoozed=False,
        fault_boot=BootId("b1"),
        node_boot=BootId("b1"),
        evidence_age=3.0,
        max_age=3_600.0,
        silent_for=1.0,
        max_silence=30.0,
        under_way=False,
    ),
    active_remediation=None,
    this_remediation=None,
    attempted=Attempted(family="gpu-lost", lately=0, most=2, window=86_400.0, cool_down=300.0),
    claim=Claim(takes_node=True, shares=(SHARE,)),
    consent=Consent(incident=IncidentId("inc-1")),
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
        "pause",
        "maintenance",
        "owner",
        "quarantine",
        "freshness",
        "root",
        "one-remediation",
        "attempts",
        "budget",
        "storm",
        "approval",
        "drained",
    ]


@pytest.mark.parametrize(
    ("changes", "gate", "why"),
    [
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
    sight = replace(FREE.sight, under_way=True, evidence_age=1e6)
    case = replace(FREE, sight=sight, claim=NO_CLAIM, ownership=Ownership.OURS)
    assert decide(case, 5.0).allowed


def test_each_gate_is_asked_even_when_an_earlier_one_holds():
    full = replace(SHARE, out=2)
    case = replace(
        FREE,
        cluster_mode=Mode.OBSERVE,
        quarantined=True,
        sight=replace(FREE.sight, snoozed=True),
        attempted=replace(FREE.attempted, ended_ago=1.0),
        claim=Claim(takes_node=True, shares=(full,)),
        consent=Consent(incident=IncidentId("inc-1"), needed="the rule says propose"),
    )
    assert decide(case, 5.0).held_by == (
        "mode",
        "quarantine",
        "freshness",
        "attempts",
        "budget",
        "approval",
    )


def test_an_injected_fault_is_let_through_where_drills_are_allowed():
    assert decide(replace(FREE, synthetic=True, accept_synthetic=True), 5.0).allowed
