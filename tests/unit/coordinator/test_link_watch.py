"""Stories of NVLink domains in which one link goes down and everybody hears of it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.fakes.agent import GPUS
from tests.fakes.fleet_world import FleetWorld

from sickbay.coordinator.gate_config import GatePlan
from sickbay.coordinator.places import MappedPlace, Places
from sickbay.core.budgets import Budget, Budgets, Limit
from sickbay.core.conditions import Condition, Severity, Status
from sickbay.core.devices import gpu_subject
from sickbay.core.ids import NodeName
from sickbay.core.link_faults import LONGEST
from sickbay.core.messages import Delta
from sickbay.core.orders import OrderKind
from sickbay.core.signals import Signal

NAMES = tuple(f"n{number:02d}" for number in range(1, 17))
WIDE = Budget(at_once=Limit(nodes=99, percent=100.0), within=Limit(nodes=99, percent=100.0))


@pytest.fixture
async def fleet(tmp_path: Path) -> AsyncIterator[FleetWorld]:
    """Sixteen nodes of one NVLink domain, with budgets that hold nothing back."""
    places = Places({NodeName(name): MappedPlace(nvlink="d1") for name in NAMES})
    made = FleetWorld.of(
        tmp_path, NAMES, gates=GatePlan(places=places, budgets=Budgets(pool=WIDE, domain=WIDE))
    )
    await made.start()
    yield made
    await made.stop()


def fatal(world: FleetWorld, name: str, code: int, slot: int = 0) -> Condition:
    """What a rule that acts makes of a fatal NVLink 5 line of one GPU."""
    return world.agent(name).condition(
        "Nvlink5Fatal",
        subject=gpu_subject(GPUS[slot]),
        severity=Severity.CRITICAL,
        reason=f"Xid{code}",
        family="nvlink",
    )


async def everybody_hears_of_one_link(world: FleetWorld) -> None:
    """The victims are told first, as the network will have it."""
    for name in NAMES[1:]:
        await world.agent(name).change(*(fatal(world, name, 145, slot) for slot in range(4)))
    await world.passes()
    await world.agent("n01").change(fatal(world, "n01", 149))


def storms(world: FleetWorld) -> list[str]:
    now = world.clock.now().wall
    return [order.area for order in world.parts.situation.orders.in_force(OrderKind.STORM, now)]


async def test_one_link_takes_one_node_and_its_victims_wait(fleet: FleetWorld) -> None:
    await everybody_hears_of_one_link(fleet)
    await fleet.go_on(20, step=5.0)
    assert {name for name, _ in fleet.cordons} == {"n01"}
    assert storms(fleet) == []
    root = fleet.node("n01").open_incidents[0]
    victims = [incident for name in NAMES[1:] for incident in fleet.node(name).open_incidents]
    assert len(victims) == 60
    for victim in victims:
        assert victim.decision is not None
        assert victim.decision.held_by == ("root",)
        assert f"explained by Xid149 of n01 ({root.id}) in nvlink:d1" in victim.decision.why_held


async def test_victims_that_outlast_their_root_stand_by_themselves(fleet: FleetWorld) -> None:
    await fleet.agent("n02").change(fatal(fleet, "n02", 145))
    root = fatal(fleet, "n01", 149)
    await fleet.agent("n01").change(root)
    await fleet.go_on(10, step=5.0)
    assert {name for name, _ in fleet.cordons} == {"n01"}
    await fleet.go_on(3_600, step=60.0)
    assert fleet.node("n01").open_incidents == ()
    assert {name for name, _ in fleet.cordons} == {"n01", "n02"}


async def test_a_victim_without_a_root_acts_once_none_has_shown_itself(fleet: FleetWorld) -> None:
    await fleet.agent("n02").change(fatal(fleet, "n02", 145))
    await fleet.go_on(20, step=5.0)
    assert fleet.cordons == []
    await fleet.go_on(30, step=5.0)
    assert [name for name, _ in fleet.cordons] == ["n02"]


async def test_a_root_that_nobody_may_repair_does_not_hold_its_victims_for_ever(fleet: FleetWorld) -> None:
    await fleet.agent("n01").change(replace(fatal(fleet, "n01", 149), remedy=""))
    await fleet.agent("n02").change(fatal(fleet, "n02", 145))
    await fleet.go_on(LONGEST - 600, step=300.0)
    assert fleet.cordons == []
    await fleet.go_on(1_200, step=60.0)
    assert [name for name, _ in fleet.cordons] == ["n02"]


async def test_an_attached_victim_that_clears_is_closed_like_any_other(fleet: FleetWorld) -> None:
    await everybody_hears_of_one_link(fleet)
    gone = replace(fatal(fleet, "n02", 145), status=Status.FALSE)
    await fleet.agent("n02").change(gone)
    families = {i.subject.gpu_uuid for i in fleet.node("n02").open_incidents}
    assert gone.subject.gpu_uuid not in families
    assert len(families) == 3


async def test_gpus_that_say_their_cluster_need_no_map(tmp_path: Path) -> None:
    world = FleetWorld.of(tmp_path, ("a1", "a2", "b1"), gates=GatePlan())
    await world.start()
    for name, cluster in (("a1", "c0ffee"), ("a2", "c0ffee"), ("b1", "0000-0000")):
        state = world.node(name)
        at = world.clock.now()
        said = Signal(
            kind="fabric",
            subject=gpu_subject(GPUS[0]),
            at=at,
            fields={"cluster": cluster, "clique": 1},
        )
        state.take_delta(Delta(conditions=(), inventory=None, readings=(said,), at=at.wall), at.mono)
    await world.agent("a1").change(replace(fatal(world, "a1", 149), remedy=""))
    for name in ("a2", "b1"):
        await world.agent(name).change(fatal(world, name, 145))
    now = world.clock.now().wall
    found = {
        name: world.parts.situation.links.explained(world.node(name), world.node(name).open_incidents[0], now)
        for name in ("a2", "b1")
    }
    assert found["a2"] is not None
    assert found["a2"].root == world.node("a1").open_incidents[0].id
    assert found["b1"] is not None
    assert found["b1"].root is None
    await world.stop()
