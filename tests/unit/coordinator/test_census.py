"""Who is counted, where, and for how long."""

from dataclasses import replace

from sickbay.coordinator.census import Census
from sickbay.coordinator.node_state import NodeState
from sickbay.coordinator.places import MappedPlace, Places
from sickbay.coordinator.store import NodeRecord
from sickbay.core.areas import FLEET
from sickbay.core.budgets import Budgets
from sickbay.core.ids import BootId, IncidentId, NodeName, RemediationId, RuleId
from sickbay.core.orchestration import Hold, NodeObservation, Ownership


def a_node(name: str, **changes: object) -> NodeState:
    record = NodeRecord(node=NodeName(name), boot_id=BootId("b1"), version="1", first_seen=0.0)
    return NodeState(record=replace(record, **changes))  # type: ignore[arg-type]


def a_census() -> Census:
    return Census(Places({NodeName("n1"): MappedPlace(rack="r1")}), Budgets())


def test_a_node_counts_in_its_pool_and_in_each_of_its_domains():
    census = a_census()
    for name in ("n1", "n2"):
        census.changed(a_node(name, pool="h100"), None)
    assert (census.size(FLEET), census.size("pool:h100"), census.size("rack:r1")) == (2, 2, 1)
    assert census.groups == ("pool:h100", "rack:r1")


def test_a_node_that_moves_to_another_pool_takes_its_counts_along():
    census, state = a_census(), a_node("n1", pool="a100", quarantine=RemediationId("rem-1"), cordoned_at=90.0)
    census.changed(state, None)
    state.record = replace(state.record, pool="h100")
    census.changed(state, None)
    assert (census.size("pool:a100"), census.size("pool:h100")) == (0, 1)
    assert census.out_of("pool:a100") == ()
    assert (census.share("pool:h100", 100.0).out, census.share("pool:h100", 100.0).lately) == (1, 1)
    assert census.share("pool:a100", 100.0).lately == 0


def test_a_claim_leaves_out_the_node_that_it_is_about():
    census, state = a_census(), a_node("n1", quarantine=RemediationId("rem-1"), cordoned_at=90.0)
    census.changed(state, None)
    assert [(share.out, share.lately) for share in census.claim(state, 100.0).shares] == [(0, 0), (0, 0)]


def test_a_cordon_is_forgotten_with_its_window():
    census = a_census()
    census.changed(a_node("n2", cordoned_at=100.0), None)
    assert census.share("pool:default", 3_699.0).lately == 1
    assert census.share("pool:default", 3_700.0).lately == 0


def test_what_the_scheduler_shows_as_ours_counts_even_where_nothing_of_ours_remembers_it():
    census, state = a_census(), a_node("n2")
    state.observation = NodeObservation(
        node=state.name,
        at=1.0,
        ownership=Ownership.OURS,
        hold=Hold(incident=IncidentId("inc-1"), rule=RuleId("gpu-lost")),
    )
    census.changed(state, None)
    assert census.out_of("pool:default") == ("n2",)
