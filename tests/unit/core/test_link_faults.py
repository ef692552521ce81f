"""Which NVLink fault of a domain is the root, and which only heard of it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sickbay.core.conditions import Condition, Severity, Status
from sickbay.core.devices import Scope, Subject
from sickbay.core.ids import BootId, IncidentId, NodeName, RuleId
from sickbay.core.incidents import Incident
from sickbay.core.link_faults import (
    LONGEST,
    WINDOW,
    LinkFault,
    Side,
    attached,
    explained,
    link_fault,
    root_gate,
)

AT = 1_000.0
GPU = Subject(scope=Scope.GPU, gpu_uuid="GPU-1", pci="0008:01:00")


def condition(reason: str, severity: Severity = Severity.CRITICAL, type_: str = "Nvlink5Fatal") -> Condition:
    return Condition(
        type=type_,
        subject=GPU,
        status=Status.TRUE,
        severity=severity,
        rule=RuleId("xid-nvlink5-fatal"),
        reason=reason,
        message="an NVLink 5 error that the driver calls fatal",
        since=AT,
        observed_at=AT,
        boot_id=BootId("b"),
        t0=AT,
    )


def fault_of(*conditions: Condition, domain: str = "nvlink:d1") -> LinkFault | None:
    incident = Incident(
        id=IncidentId("inc-1"),
        node=NodeName("n1"),
        boot_id=BootId("b"),
        family="nvlink",
        subject=GPU,
        severity=conditions[0].severity,
        reason=conditions[0].reason,
        rule=conditions[0].rule,
        message=conditions[0].message,
        conditions=tuple(c.key for c in conditions),
        opened_at=AT,
        updated_at=AT,
    )
    return link_fault(incident, {c.key: c for c in conditions}, domain)


def fault(
    name: str, side: Side, at: float = AT, domain: str = "nvlink:d1", *, synthetic: bool = False
) -> LinkFault:
    return LinkFault(
        incident=IncidentId(name),
        node=NodeName(f"node-of-{name}"),
        domain=domain,
        side=side,
        reason="Xid149" if side is Side.ROOT else "Xid145",
        at=at,
        synthetic=synthetic,
    )


@pytest.mark.parametrize("code", [79, 144, 146, 147, 148, 149, 150])
def test_a_grave_fault_of_a_link_itself_is_a_root(code: int) -> None:
    found = fault_of(condition(f"Xid{code}"))
    assert found is not None
    assert found.side is Side.ROOT


def test_requests_that_got_lost_make_a_victim_however_grave_the_driver_calls_them() -> None:
    found = fault_of(condition("Xid145", Severity.FATAL))
    assert found is not None
    assert found.side is Side.VICTIM


def test_a_root_is_one_also_where_the_driver_asks_for_a_repair_beside_it() -> None:
    asks = condition("GpuResetRequired", type_="GpuRecoveryAction")
    found = fault_of(asks, condition("Xid149"))
    assert found is not None
    assert (found.side, found.reason) == (Side.ROOT, "Xid149")


def test_a_victim_for_which_the_driver_asks_a_repair_stands_by_itself() -> None:
    asks = condition("GpuResetRequired", type_="GpuRecoveryAction")
    assert fault_of(condition("Xid145"), asks) is None


def test_a_mild_error_of_a_link_is_no_root() -> None:
    assert fault_of(condition("Xid149", Severity.WARNING)) is None


def test_another_fault_is_none_of_a_link() -> None:
    assert fault_of(condition("Xid48")) is None
    assert fault_of(condition("XidAbout145")) is None


def test_what_the_agent_has_not_told_yet_is_read_from_the_incident() -> None:
    incident = replace(
        Incident(
            id=IncidentId("i"),
            node=NodeName("n"),
            boot_id=BootId("b"),
            family="nvlink",
            subject=GPU,
            severity=Severity.CRITICAL,
            reason="Xid149",
            rule=RuleId("r"),
            message="",
            conditions=("Nvlink5Fatal@gpu/x",),
            opened_at=AT,
            updated_at=AT,
        )
    )
    found = link_fault(incident, {}, "nvlink:d1")
    assert found is not None
    assert found.side is Side.ROOT
    assert link_fault(incident.closed(at=AT, because="gone"), {}, "nvlink:d1") is None


def test_sixty_three_victims_are_attached_to_the_one_root() -> None:
    root = fault("root", Side.ROOT)
    victims = [fault(f"v{n}", Side.VICTIM, AT + 0.1) for n in range(63)]
    assert attached([*victims, root], AT + 60) == {each.incident: root.incident for each in victims}


def test_a_victim_says_in_words_what_explains_it() -> None:
    said = explained(fault("v", Side.VICTIM, AT + 1), [fault("r", Side.ROOT)], AT + 2)
    assert said is not None
    assert said.why == (
        "Xid145 is explained by Xid149 of node-of-r (r) in nvlink:d1; "
        "it stands by itself when that has ended, or after 2h00m"
    )


def test_a_victim_waits_for_its_root_to_show_itself_and_no_longer() -> None:
    victim = fault("v", Side.VICTIM)
    said = explained(victim, (), AT + 1)
    assert said is not None
    assert said.root is None
    assert explained(victim, (), AT + WINDOW) is None


def test_a_victim_stands_by_itself_when_its_root_has_ended_or_lasts_too_long() -> None:
    victim, root = fault("v", Side.VICTIM), fault("r", Side.ROOT)
    assert explained(victim, [root], AT + LONGEST - 1) is not None
    assert explained(victim, [root], AT + LONGEST) is None
    assert explained(victim, [], AT + 60) is None


def test_neither_another_domain_nor_another_time_nor_a_drill_explains_a_fault() -> None:
    victim = fault("v", Side.VICTIM)
    strangers = [
        fault("elsewhere", Side.ROOT, domain="nvlink:d2"),
        fault("earlier", Side.ROOT, AT - WINDOW - 1),
        fault("drill", Side.ROOT, synthetic=True),
    ]
    assert explained(victim, strangers, AT + 60) is None
    assert explained(replace(victim, synthetic=True), strangers, AT + 60) is not None


def test_a_repair_that_has_taken_its_node_goes_on() -> None:
    said = explained(fault("v", Side.VICTIM), [fault("r", Side.ROOT)], AT)
    assert not root_gate(said, under_way=False).passed
    assert root_gate(said, under_way=True).passed
    assert root_gate(None, under_way=False).passed


faults = st.lists(
    st.builds(
        fault,
        st.sampled_from("abcdefgh"),
        st.sampled_from(Side),
        st.floats(min_value=0, max_value=120),
        st.sampled_from(["nvlink:d1", "nvlink:d2"]),
        synthetic=st.booleans(),
    ),
    unique_by=lambda each: each.incident,
)


@given(faults, st.floats(min_value=0, max_value=20_000), st.randoms())
def test_a_root_is_never_attached_and_every_victim_to_an_open_root_of_its_own_domain(
    told: list[LinkFault], now: float, random: object
) -> None:
    """So a chain cannot form, nothing explains itself, and the order of telling does not matter."""
    found = attached(told, now)
    by_id = {each.incident: each for each in told}
    for victim, root in found.items():
        assert by_id[victim].side is Side.VICTIM
        assert by_id[root].side is Side.ROOT
        assert by_id[victim].domain == by_id[root].domain
    shuffled = list(told)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert attached(shuffled, now) == found


@given(faults)
def test_no_victim_is_lost_for_good(told: list[LinkFault]) -> None:
    assert all(explained(each, told, each.at + LONGEST + 1) is None for each in told)
    alone = [each for each in told if each.side is Side.VICTIM]
    assert all(explained(each, alone, each.at + WINDOW + 1) is None for each in alone)
