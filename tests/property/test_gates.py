"""The gates against the plain statement of what they are for, over every combination of facts."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sickbay.core.approvals import Approval, Consent
from sickbay.core.attempts import Attempted
from sickbay.core.budgets import Claim, Share
from sickbay.core.conditions import Mode
from sickbay.core.freshness import Sight
from sickbay.core.gates import GATES, Case, decide
from sickbay.core.ids import BootId, IncidentId, RemediationId
from sickbay.core.orchestration import Ownership
from sickbay.core.orders import Order, OrderKind, Standing

ages = st.sampled_from([None, 0.0, 29.0, 31.0, 5_000.0])

limits = st.sampled_from([0, 1, 2])

orders = st.builds(
    Order,
    id=st.just("o-1"),
    kind=st.sampled_from(OrderKind),
    area=st.just("fleet"),
    by=st.just("ann"),
    reason=st.just("because"),
    begins_at=st.just(0.0),
)

cases = st.builds(
    Case,
    what=st.just("cordon n1"),
    rule_mode=st.sampled_from(Mode),
    cluster_mode=st.sampled_from(Mode),
    has_remedy=st.booleans(),
    synthetic=st.booleans(),
    accept_synthetic=st.booleans(),
    standing=st.builds(
        Standing, at=st.just(1.0), orders=st.lists(orders, max_size=1).map(tuple), released_ago=ages
    ),
    ownership=st.sampled_from(Ownership),
    foreign_reason=st.just("because"),
    obstacle=st.sampled_from(["", "MAINTENANCE"]),
    quarantined=st.booleans(),
    sight=st.builds(
        Sight,
        incident_open=st.booleans(),
        snoozed=st.booleans(),
        fault_boot=st.just(BootId("b1")),
        node_boot=st.sampled_from([None, BootId("b1"), BootId("b2")]),
        evidence_age=ages,
        max_age=st.just(3_600.0),
        silent_for=ages,
        max_silence=st.just(30.0),
        under_way=st.booleans(),
        vouched_ago=ages,
    ),
    active_remediation=st.sampled_from([None, RemediationId("r1"), RemediationId("r2")]),
    this_remediation=st.sampled_from([None, RemediationId("r1")]),
    attempted=st.builds(
        Attempted,
        family=st.just("gpu-lost"),
        lately=limits,
        most=limits,
        window=st.just(86_400.0),
        ended_ago=ages,
        cool_down=st.just(300.0),
    ),
    claim=st.builds(
        Claim,
        takes_node=st.booleans(),
        shares=st.lists(
            st.builds(
                Share,
                group=st.just("pool:p"),
                size=st.just(9),
                out=limits,
                out_limit=limits,
                lately=limits,
                lately_limit=limits,
                window=st.just(60.0),
            ),
            max_size=2,
        ).map(tuple),
    ),
    consent=st.builds(
        Consent,
        incident=st.just(IncidentId("inc-1")),
        needed=st.sampled_from(["", "the rule says propose"]),
        given=st.none()
        | st.builds(
            Approval,
            incident=st.just(IncidentId("inc-1")),
            granted=st.booleans(),
            by=st.just("ann"),
            at=st.just(0.0),
        ),
    ),
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
    standing=Standing(at=1.0),
    ownership=Ownership.NONE,
    foreign_reason="",
    obstacle="",
    quarantined=False,
    sight=Sight(
        incident_open=True,
        snoozed=False,
        fault_boot=BootId("b1"),
        node_boot=BootId("b1"),
        evidence_age=1.0,
        max_age=3_600.0,
        silent_for=1.0,
        max_silence=30.0,
        under_way=False,
    ),
    active_remediation=None,
    this_remediation=None,
    attempted=Attempted(family="gpu-lost", lately=0, most=2, window=86_400.0, cool_down=300.0),
    claim=Claim(
        takes_node=True,
        shares=(Share(group="pool:p", size=9, out=0, out_limit=1, lately=0, lately_limit=1, window=60.0),),
    ),
    consent=Consent(incident=IncidentId("inc-1")),
    needs_drained=True,
    drained=True,
)

UNKNOWNS = {
    "drained": None,
    "ownership": Ownership.UNKNOWN,
    "claim": Claim(takes_node=True),
}

UNKNOWN_SIGHTS = ("node_boot", "silent_for", "evidence_age")


def may(case: Case) -> bool:
    """What the gates are for, in one sentence each."""
    sight, standing = case.sight, case.standing
    acts = case.has_remedy and Mode.OBSERVE not in {case.rule_mode, case.cluster_mode}
    is_real = not case.synthetic or case.accept_synthetic
    is_free = (
        case.ownership in {Ownership.NONE, Ownership.OURS} and not case.obstacle and not case.quarantined
    )
    is_so = sight.incident_open and not sight.snoozed and sight.node_boot == sight.fault_boot
    is_heard = sight.silent_for is not None and sight.silent_for <= sight.max_silence
    ages = [age for age in (sight.evidence_age, sight.vouched_ago) if age is not None]
    oldest = sight.max_age if standing.released_ago is None else min(sight.max_age, standing.released_ago)
    is_young = sight.under_way or any(age <= oldest for age in ages)
    is_let_be = not standing.orders
    ended = case.attempted.ended_ago
    is_cool = sight.under_way or ended is None or ended >= case.attempted.cool_down
    shares = case.claim.shares
    has_room = not case.claim.takes_node or (
        bool(shares) and all(s.out < s.out_limit and s.lately < s.lately_limit for s in shares)
    )
    given = case.consent.given
    has_word = not case.consent.needed if given is None else given.granted
    is_alone = case.active_remediation in {None, case.this_remediation}
    is_empty = not case.needs_drained or case.drained is True
    is_known = acts and is_real and is_free and is_so and is_heard and is_young
    return is_known and is_alone and is_empty and is_let_be and is_cool and has_room and has_word


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
    case = replace(A_GOOD_CASE, sight=replace(A_GOOD_CASE.sight, evidence_age=age))
    assert decide(case, 1.0).allowed
    assert not decide(replace(case, **{unknown: UNKNOWNS[unknown]}), 1.0).allowed


@given(unknown=st.sampled_from(UNKNOWN_SIGHTS))
def test_a_fault_of_which_anything_is_not_known_holds_what_all_else_lets_through(unknown: str):
    sight = replace(A_GOOD_CASE.sight, **{unknown: None})
    assert not decide(replace(A_GOOD_CASE, sight=sight), 1.0).allowed
