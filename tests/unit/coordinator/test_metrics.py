"""The coordinator's figures."""

from dataclasses import replace

from tests.fakes.world import World

from sickbay.coordinator.metrics import Metrics
from sickbay.core.order_views import NewOrder
from sickbay.core.orders import OrderKind
from sickbay.core.remediation import Step


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


async def test_the_fleet_is_counted_as_it_is_and_nothing_stays_behind(world: World):
    metrics = Metrics()
    world.scheduler.start_job("gpu-1")  # type: ignore[arg-type]
    await world.lose_gpu()
    await world.until_step(Step.DRAINING)
    metrics.refresh(world.parts.fleet)
    assert value(metrics, "sickbay_nodes", connected="true") == 1.0
    assert value(metrics, "sickbay_incidents_open", remedy="reboot", severity="fatal") == 1.0
    assert value(metrics, "sickbay_remediations_active", step="draining") == 1.0
    world.scheduler.nodes["gpu-1"].jobs.clear()  # type: ignore[index]
    await world.until_step(Step.DONE)
    metrics.refresh(world.parts.fleet)
    assert value(metrics, "sickbay_incidents_open", remedy="reboot", severity="fatal") is None
    assert value(metrics, "sickbay_remediations_active", step="draining") is None


async def test_every_stretch_of_a_faults_way_is_measured_once(world: World):
    metrics = Metrics()
    world.parts.fleet.on_commit.append(metrics.committed)
    await world.lose_gpu()
    await world.until_step(Step.DONE)
    await world.once()
    for begin, end in (("t0", "t1"), ("t1", "t3"), ("t4", "t8"), ("t7", "t8")):
        count = value(metrics, "sickbay_fault_interval_seconds_count", begin=begin, end=end)
        assert count == 1.0, (begin, end)
    assert value(metrics, "sickbay_remediations_ended_total", step="done") == 1.0


async def test_a_drill_is_no_measurement(world: World):
    metrics = Metrics()
    world.parts.fleet.on_commit.append(metrics.committed)
    await world.lose_gpu(synthetic=True)
    world.node.put_incident(replace(world.incident, milestones=world.incident.milestones.reached("t3", 9e9)))
    await world.parts.fleet.commit(world.node)
    assert value(metrics, "sickbay_fault_interval_seconds_count", begin="t1", end="t3") is None


async def test_orders_in_force_are_counted_by_kind_and_none_is_0(world: World):
    metrics, orders = Metrics(), world.parts.situation.orders
    await world.parts.orders.give(
        NewOrder(kind=OrderKind.PAUSE, area="fleet", reason="", length=60.0), operator="ann"
    )
    metrics.refresh_orders(orders, world.clock.now().wall)
    assert value(metrics, "sickbay_orders_in_force", kind="pause") == 1.0
    assert value(metrics, "sickbay_orders_in_force", kind="storm") == 0.0
    metrics.refresh_orders(orders, world.clock.now().wall + 61.0)
    assert value(metrics, "sickbay_orders_in_force", kind="pause") == 0.0
