"""When an order holds, over whom, and what it leaves behind."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sickbay.core.areas import Place
from sickbay.core.ids import NodeName
from sickbay.core.maintenance import Recurrence
from sickbay.core.orders import Order, OrderKind, maintenance_gate, pause_gate, standing, storm_gate

PLACE = Place(node=NodeName("n1"), pool="h100", domains=("rack:r1", "nvlink:d1"))

PAUSE = Order(
    id="o-1", kind=OrderKind.PAUSE, area="fleet", by="ann", reason="driver", begins_at=100.0, ends_at=200.0
)

recurring = st.builds(
    Recurrence, days=st.just((0, 3)), start=st.just(3_600.0), length=st.floats(60.0, 86_400.0)
)
orders = st.builds(
    Order,
    id=st.just("o"),
    kind=st.sampled_from(OrderKind),
    area=st.just("fleet"),
    by=st.just("ann"),
    reason=st.just(""),
    begins_at=st.floats(0.0, 1e6),
    ends_at=st.none() | st.floats(0.0, 2e6),
    recurs=st.none() | recurring,
    ended_at=st.none() | st.floats(0.0, 2e6),
)


@pytest.mark.parametrize("area", ["fleet", "pool:h100", "rack:r1", "nvlink:d1", "node:n1"])
def test_an_order_holds_over_every_area_in_which_the_node_stands(area: str):
    assert standing([replace(PAUSE, area=area)], PLACE, 150.0).holds


@pytest.mark.parametrize("area", ["pool:a100", "rack:r2", "node:n2", "switch:r1"])
def test_an_order_over_other_parts_holds_nothing_here_and_leaves_nothing_behind(area: str):
    assert not standing([replace(PAUSE, area=area)], PLACE, 150.0).holds
    assert standing([replace(PAUSE, area=area)], PLACE, 250.0).released_ago is None


def test_an_order_that_is_over_is_remembered_by_when_it_stopped_to_hold():
    assert standing([PAUSE], PLACE, 150.0).released_ago is None
    assert standing([PAUSE], PLACE, 250.0).released_ago == 50.0
    assert standing([PAUSE.ended(120.0)], PLACE, 250.0).released_ago == 130.0
    assert standing([PAUSE], PLACE, 50.0).released_ago is None


@pytest.mark.parametrize(
    ("kind", "gate"),
    [
        (OrderKind.PAUSE, pause_gate),
        (OrderKind.MAINTENANCE, maintenance_gate),
        (OrderKind.STORM, storm_gate),
    ],
)
def test_each_kind_holds_its_own_gate_and_no_other(kind: OrderKind, gate: object):
    found = standing([replace(PAUSE, kind=kind)], PLACE, 150.0)
    held = [each for each in (pause_gate, maintenance_gate, storm_gate) if not each(found).passed]
    assert held == [gate]
    assert held[0](found).why == "fleet, by ann, for 50s more: driver"


def test_a_recurring_order_that_will_be_ended_has_not_been_released_by_that_yet():
    weekly = replace(
        PAUSE, begins_at=0.0, recurs=Recurrence(days=(3,), start=0.0, length=60.0), ended_at=604_830.0
    )
    assert weekly.released_at(100.0) == 60.0
    assert weekly.released_at(604_900.0) == 604_830.0


@given(order=orders, now=st.floats(0.0, 2e6))
def test_an_order_never_holds_and_is_released_at_once(order: Order, now: float):
    released = order.released_at(now)
    assert not (order.is_in_force(now) and released is not None)
    assert not (order.is_in_force(now) and order.is_over(now))
    assert released is None or order.begins_at <= released <= now


@given(order=orders, now=st.floats(0.0, 2e6), later=st.floats(1.0, 1e5))
def test_what_held_and_does_not_any_more_was_released_in_between(order: Order, now: float, later: float):
    if order.is_in_force(now) and not order.is_in_force(now + later):
        released = order.released_at(now + later)
        assert released is not None
        assert now <= released <= now + later
