"""The gates against the plain statement of what they are for, over every combination of facts."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sickbay.core.conditions import Mode
from sickbay.core.gates import GATES, Case, decide
from sickbay.core.ids import BootId, RemediationId
from sickbay.core.orchestration import Ownership

ages = st.sampled_from([None, 0.0, 29.0, 31.0, 5_000.0])

cases = st.builds(
    Case,
    what=st.just("cordon n1"),
    rule_mode=st.sampled_from(Mode),
    cluster_mode=st.sampled_from(Mode),
    has_remedy=st.booleans(),
    synthetic=st.booleans(),
    accept_synthetic=st.booleans(),
    ownership=st.sampled_from(Ownership),
    foreign_reason=st.just("because"),
    obstacle=st.sampled_from(["", "MAINTENANCE"]),
    incident_open=st.booleans(),
    snoozed=st.booleans(),
    fault_boot=st.just(BootId("b1")),
    node_boot=st.sampled_from([None, BootId("b1"), BootId("b2")]),
    evidence_age=ages,
    max_age=st.just(3_600.0),
    silent_for=ages,
    max_silence=st.just(30.0),
    under_way=st.booleans(),
    active_remediation=st.sampled_from([None, RemediationId("r1"), RemediationId("r2")]),
    this_remediation=st.sampled_from([None, RemediationId("r1")]),
    quarantined=st.booleans(),
    needs_drained=st.booleans(),
    drained=st.sampled_from([None, True, False]),
)

A_GOOD_CASE = Case(
    what="cordon n1",
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
    evidence_age=1.0,
    max_age=3_600.0,
    silent_for=1.0,
    max_silence=30.0,
    under_way=False,
    active_remediation=None,
    this_remediation=None,
    quarantined=False,
    needs_drained=True,
    drained=True,
)

UNKNOWNS = {
    "node_boot": None,
    "silent_for": None,
    "evidence_age": None,
    "drained": None,
    "ownership": Ownership.UNKNOWN,
}


def may(case: Case) -> bool:
    """What the gates are for, in one sentence each."""
    acts = case.has_remedy and {case.rule_mode, case.cluster_mode} == {Mode.ACT}
    is_real = not case.synthetic or case.accept_synthetic
    is_free = (
        case.ownership in {Ownership.NONE, Ownership.OURS} and not case.obstacle and not case.quarantined
    )
    is_so = case.incident_open and not case.snoozed and case.node_boot == case.fault_boot
    is_heard = case.silent_for is not None and case.silent_for <= case.max_silence
    is_young = case.under_way or (case.evidence_age is not None and case.evidence_age <= case.max_age)
    is_alone = case.active_remediation in {None, case.this_remediation}
    is_empty = not case.needs_drained or case.drained is True
    return all((acts, is_real, is_free, is_so, is_heard, is_young, is_alone, is_empty))


@given(case=cases)
def test_the_gates_let_through_exactly_what_they_are_there_for(case: Case):
    assert decide(case, 1.0).allowed == may(case)


@given(case=cases)
def test_every_gate_answers_with_a_reason_whether_it_lets_through_or_holds(case: Case):
    decision = decide(case, 1.0)
    assert len(decision.findings) == len(GATES)
    assert all(finding.why for finding in decision.findings)
    assert bool(decision.why_held) != decision.allowed


@given(unknown=st.sampled_from(sorted(UNKNOWNS)), age=st.floats(0, 3_600))
def test_a_single_fact_that_is_not_known_holds_what_all_else_lets_through(unknown: str, age: float):
    case = replace(A_GOOD_CASE, evidence_age=age)
    assert decide(case, 1.0).allowed
    assert not decide(replace(case, **{unknown: UNKNOWNS[unknown]}), 1.0).allowed
