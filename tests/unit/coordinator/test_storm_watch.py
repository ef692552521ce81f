"""Stories of a fleet in which more goes wrong than usual, or in which somebody works by plan."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.fakes.fleet_world import FleetWorld

from sickbay.coordinator.gate_config import GatePlan
from sickbay.coordinator.paging import PagingSettings
from sickbay.coordinator.places import MappedPlace, Places
from sickbay.core.budgets import Budget, Budgets, Limit
from sickbay.core.conditions import Status
from sickbay.core.ids import NodeName
from sickbay.core.ledger import LedgerQuery
from sickbay.core.order_views import NewOrder
from sickbay.core.orders import OrderKind
from sickbay.core.outcomes import Verdict

NAMES = tuple(f"n{number:02d}" for number in range(1, 41))
RACKS = {name: MappedPlace(rack=f"r{number // 20}") for number, name in enumerate(NAMES)}

WIDE = Budget(at_once=Limit(nodes=99, percent=100.0), within=Limit(nodes=99, percent=100.0))

HOUR = 3_600.0


@pytest.fixture
async def fleet(tmp_path: Path) -> AsyncIterator[FleetWorld]:
    """Forty nodes in two racks, with budgets that hold nothing back."""
    places = Places({NodeName(name): place for name, place in RACKS.items()})
    gates = GatePlan(places=places, budgets=Budgets(pool=WIDE, domain=WIDE))
    page = tmp_path / "page.json"
    made = FleetWorld.of(tmp_path, NAMES, gates=gates)
    made.paging = PagingSettings(command=("/bin/sh", "-c", f"cat > {page}"))
    await made.start()
    yield made
    await made.stop()


def nvlink(world: FleetWorld, name: str, status: Status = Status.TRUE) -> object:
    """NVLink does not come up, as every sweep of the agent shows it again."""
    now = world.clock.now().wall
    return replace(
        world.agent(name).condition("NvlinkInactive", family="nvlink", reason="NVLINK_INACTIVE"),
        status=status,
        observed_at=now,
    )


async def roll_out_a_bad_driver(world: FleetWorld, names: tuple[str, ...]) -> None:
    for name in names:
        await world.agent(name).change(nvlink(world, name))  # type: ignore[arg-type]


def storms(world: FleetWorld) -> list[str]:
    now = world.clock.now().wall
    return [order.area for order in world.parts.situation.orders.in_force(OrderKind.STORM, now)]


async def test_one_reason_on_a_third_of_the_fleet_trips_the_gate_pages_and_touches_nobody(
    fleet: FleetWorld, tmp_path: Path
):
    await roll_out_a_bad_driver(fleet, NAMES[:12])
    await fleet.go_on(300)
    assert storms(fleet) == ["fleet"]
    assert fleet.cordons == []
    decision = fleet.node("n01").open_incidents[0].decision
    assert decision is not None
    assert decision.held_by == ("storm",)
    assert "nvlink on 12 of the 40 nodes of fleet" in decision.why_held
    told = json.loads((tmp_path / "page.json").read_text())
    assert told["why"] == "nvlink on 12 of the 40 nodes of fleet"
    ledger = [line.entry for line in await fleet.parts.fleet.store.ledger(LedgerQuery(limit=200))]
    assert "storm gate tripped" in [entry.what for entry in ledger]


async def test_a_node_that_was_being_repaired_before_the_storm_is_still_given_back(fleet: FleetWorld):
    await fleet.ill("n40")
    for _ in range(200):
        await fleet.go_on(10, step=2.0)
        if any(effect.verb == "reboot" for effect in fleet.scheduler.effects):
            break
    await roll_out_a_bad_driver(fleet, NAMES[:12])
    await fleet.go_on(900)
    assert storms(fleet) == ["fleet"]
    verbs = [effect.verb for effect in fleet.scheduler.effects if effect.node == "n40"]
    assert verbs == ["cordon", "reboot", "return_to_service"]
    assert {name for name, _ in fleet.cordons} == {"n40"}


async def test_a_storm_outlives_the_coordinator_and_time_alone_while_nothing_gets_better(fleet: FleetWorld):
    await roll_out_a_bad_driver(fleet, NAMES[:12])
    await fleet.go_on(60)
    await fleet.stop()
    await fleet.start()
    await fleet.go_on(3 * HOUR, step=300.0)
    assert storms(fleet) == ["fleet"]
    assert fleet.cordons == []


async def test_a_storm_that_has_passed_opens_the_gate_and_its_backlog_is_not_replayed(fleet: FleetWorld):
    stuck = replace(fleet.agent("n40").condition("Ecc", family="ecc"), observed_at=fleet.clock.now().wall)
    await roll_out_a_bad_driver(fleet, NAMES[:12])
    await fleet.passes()
    await fleet.agent("n40").change(stuck)
    await fleet.go_on(300)
    for name in NAMES[:12]:
        await fleet.agent(name).change(nvlink(fleet, name, Status.FALSE))  # type: ignore[arg-type]
    await fleet.go_on(2 * HOUR, step=120.0)
    assert storms(fleet) == []
    assert fleet.cordons == []
    decision = fleet.node("n40").open_incidents[0].decision
    assert decision is not None
    assert decision.held_by == ("freshness",)
    await fleet.agent("n40").change(replace(stuck, observed_at=fleet.clock.now().wall))
    await fleet.go_on(60)
    assert [name for name, _ in fleet.cordons] == ["n40"]


async def test_after_a_person_resumed_the_same_reports_do_not_trip_it_again(fleet: FleetWorld):
    await roll_out_a_bad_driver(fleet, NAMES[:12])
    await fleet.go_on(60)
    ended = await fleet.parts.orders.end("fleet", operator="ann", reason="driver rolled back")
    assert [view.order.kind for view in ended] == [OrderKind.STORM]
    await fleet.go_on(60)
    assert storms(fleet) == []
    assert fleet.cordons == [], "nothing was seen since"
    await roll_out_a_bad_driver(fleet, NAMES[:2])
    await fleet.go_on(60)
    assert {name for name, _ in fleet.cordons} == set(NAMES[:2])


async def test_one_rack_with_one_fault_holds_that_rack_and_lets_the_other_be_repaired(fleet: FleetWorld):
    await roll_out_a_bad_driver(fleet, NAMES[:6])
    await fleet.ill("n40")
    await fleet.go_on(60)
    assert storms(fleet) == ["rack:r0"]
    assert {name for name, _ in fleet.cordons} == {"n40"}


async def test_independent_faults_beyond_the_base_rate_trip_the_gate(tmp_path: Path):
    gates = GatePlan(budgets=Budgets(pool=WIDE, domain=WIDE))
    world = FleetWorld.of(tmp_path, NAMES, gates=gates)
    await world.start()
    for number, name in enumerate(NAMES[:4]):
        await world.ill(name, family=f"family-{number}")
    await world.go_on(60)
    assert storms(world) == ["fleet"]
    assert world.cordons == []
    await world.stop()


async def test_what_somebody_does_by_plan_is_no_storm_and_is_not_acted_on_afterwards(fleet: FleetWorld):
    """A rack is rebooted by plan: its agents tell of lost GPUs and dead links while it goes down."""
    rack = NAMES[:19]
    window = NewOrder(kind=OrderKind.MAINTENANCE, area="rack:r0", reason="new PDU", length=HOUR)
    await fleet.parts.orders.give(window, operator="ann")
    for name in rack:
        await fleet.ill(name)
        await fleet.agent(name).change(nvlink(fleet, name))  # type: ignore[arg-type]
    await fleet.passes()
    assert fleet.node("n01").open_incidents, "faults are recorded in a window"
    for name in rack[:10]:
        await fleet.agent(name).go_down()
    await fleet.go_on(2 * HOUR, step=120.0)
    assert storms(fleet) == []
    assert fleet.scheduler.effects == []
    assert not fleet.node("n01").open_incidents, "a new boot does not show it"
    left = fleet.node("n15").open_incidents[0].decision
    assert left is not None
    assert left.held_by == ("freshness",)


async def test_what_a_window_left_behind_and_is_told_only_later_is_still_of_the_window(fleet: FleetWorld):
    window = NewOrder(kind=OrderKind.MAINTENANCE, area="rack:r0", reason="new PDU", length=HOUR)
    await fleet.parts.orders.give(window, operator="ann")
    seen_in_the_window = fleet.agent("n01").condition()
    await fleet.go_on(HOUR + 60, step=300.0)
    await fleet.agent("n01").change(seen_in_the_window)
    await fleet.go_on(120)
    assert fleet.node("n01").open_incidents
    assert fleet.scheduler.effects == []


async def test_three_days_of_backlog_after_a_pause_are_not_acted_on(fleet: FleetWorld):
    await fleet.parts.orders.give(
        NewOrder(kind=OrderKind.PAUSE, area="fleet", reason="holidays"), operator="ann"
    )
    for number in range(12):
        await fleet.ill(NAMES[number * 3], family=f"family-{number}")
        await fleet.go_on(6 * HOUR, step=HOUR)
    assert fleet.scheduler.effects == []
    await fleet.parts.orders.end("fleet", operator="ann", reason="")
    await fleet.go_on(HOUR, step=300.0)
    assert fleet.scheduler.effects == []
    newest = fleet.node(NAMES[33]).open_incidents[0]
    said = await fleet.parts.orders.approve(newest.id, operator="ann", reason="it is really gone")
    assert said.verdict is Verdict.DONE
    await fleet.go_on(60)
    assert [name for name, _ in fleet.cordons] == [NAMES[33]]


async def test_a_pause_in_mid_repair_costs_no_time_and_loses_nothing(fleet: FleetWorld):
    job = fleet.scheduler.start_job(NodeName("n01"))
    await fleet.ill("n01")
    await fleet.go_on(60)
    assert [name for name, _ in fleet.cordons] == ["n01"]
    await fleet.parts.orders.give(
        NewOrder(kind=OrderKind.PAUSE, area="node:n01", reason="looking at it", length=HOUR), operator="ann"
    )
    fleet.scheduler.end_job(NodeName("n01"), job)
    await fleet.go_on(HOUR - 120)
    assert [effect.verb for effect in fleet.scheduler.effects] == ["cordon"]
    await fleet.go_on(HOUR)
    verbs = [effect.verb for effect in fleet.scheduler.effects]
    assert verbs == ["cordon", "reboot", "return_to_service"]
