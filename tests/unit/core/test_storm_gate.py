"""What is a storm, and what is a bad day."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sickbay.core.ids import IncidentId, NodeName
from sickbay.core.storm_gate import Report, Storm, StormLimits, at_least, storms

LIMITS = StormLimits()


def reports(count: int, *, family: str = "", groups: dict[str, int] | None = None) -> list[Report]:
    return [
        Report(
            incident=IncidentId(f"inc-{number}"),
            node=NodeName(f"n{number}"),
            family=family or f"family-{number}",
            reason="XID_79",
            at=float(number),
            cause=f"node:n{number}",
            groups=groups or {"fleet": 1_000},
        )
        for number in range(count)
    ]


@pytest.mark.parametrize(("nodes", "usual", "storm"), [(100, 3, 4), (1_000, 4, 5), (12_500, 12, 15)])
def test_more_independent_faults_than_the_base_rate_makes_credible_are_a_storm(
    nodes: int, usual: int, storm: int
):
    assert storms(reports(usual), fleet=nodes, limits=LIMITS) == ()
    (found,) = storms(reports(storm), fleet=nodes, limits=LIMITS)
    assert found.area == "fleet"
    assert f"{storm} independent faults within 1h00m" in found.why


def test_a_tiny_fleet_may_lose_a_few_nodes_without_being_called_a_storm():
    assert storms(reports(3), fleet=3, limits=LIMITS) == ()


def test_many_nodes_of_one_domain_with_one_fault_are_a_storm_there_and_one_failure_elsewhere():
    told = reports(6, family="nvlink", groups={"fleet": 1_000, "rack:r1": 18})
    assert storms(told, fleet=1_000_000, limits=LIMITS) == (
        Storm(area="rack:r1", why="nvlink on 6 of the 18 nodes of rack:r1"),
    )


def test_one_fault_all_over_a_job_holds_the_fleet_because_nobody_knows_where_the_job_goes_next():
    told = reports(4, family="app", groups={"fleet": 1_000, "job:77": 8})
    assert [found.area for found in storms(told, fleet=1_000_000, limits=LIMITS)] == ["fleet"]


def test_a_share_counts_only_from_a_number_of_nodes_that_is_no_coincidence():
    assert storms(reports(2, family="x", groups={"rack:r1": 2}), fleet=1_000, limits=LIMITS) == ()


def test_one_node_that_reports_again_and_again_is_one_node():
    again = [*reports(1, family="x", groups={"fleet": 4})] * 9
    assert storms(again, fleet=4, limits=LIMITS) == ()


@given(count=st.integers(0, 60), expected=st.floats(1e-6, 40.0))
def test_a_tail_is_what_the_sum_of_its_terms_is(count: int, expected: float):
    below = sum(math.exp(k * math.log(expected) - expected - math.lgamma(k + 1)) for k in range(count))
    assert at_least(count, expected) == pytest.approx(1.0 - below, abs=1e-9)


@given(count=st.integers(1, 50), expected=st.floats(0.0, 40.0))
def test_more_is_never_likelier(count: int, expected: float):
    assert 0.0 <= at_least(count + 1, expected) <= at_least(count, expected) + 1e-12 <= 1.0 + 1e-9
