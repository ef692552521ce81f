"""What a look and an order tell."""

import pytest

from sickbay.core.ids import ActionId, NodeName
from sickbay.power.protocol import SETTLE, Order, PowerObservation


@pytest.mark.parametrize(("age", "said"), [(None, False), (5.0, True), (15.0, False)])
def test_a_reset_is_told_by_its_age_on_the_bmcs_own_clock(age: float | None, said: bool):  # noqa: FBT001
    seen = PowerObservation(node=NodeName("n1"), at=1_000.0, reset_age=age)
    assert seen.was_reset_since(990.0) is said


@pytest.mark.parametrize(
    ("heard_at", "said"), [(None, False), (100.0, False), (100.0 + SETTLE - 1, False), (100.0 + SETTLE, True)]
)
def test_only_an_agent_heard_long_after_disproves_a_reset(heard_at: float | None, said: bool):  # noqa: FBT001
    order = Order(action_id=ActionId("a"), term=1, begun_at=100.0, heard_at=heard_at)
    assert order.disproves(100.0) is said
