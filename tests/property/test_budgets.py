"""Budgets over a whole coordinator: never exceeded, whatever comes and goes in whatever order."""

import asyncio
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import TypeVar

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.fakes.fleet_world import FleetWorld
from tests.fakes.orchestrator import Fault

from sickbay.coordinator.gate_config import GatePlan
from sickbay.coordinator.places import MappedPlace, Places
from sickbay.core.budgets import Budget, Budgets, Limit, Share
from sickbay.core.conditions import Status
from sickbay.core.ids import NodeName
from sickbay.core.storm_gate import StormLimits

T = TypeVar("T")

RACKS = {"r1": ("n1", "n2", "n3", "n4"), "r2": ("n5", "n6", "n7")}
NODES = tuple(name for names in RACKS.values() for name in names)
WINDOW = 600.0

nodes = st.sampled_from(NODES)

limits = st.builds(Limit, nodes=st.integers(1, 4), percent=st.sampled_from([100.0, 50.0, 1.0]))
budgets = st.builds(Budget, at_once=limits, within=limits, window=st.just(WINDOW))

FULL = Limit(nodes=99, percent=100.0)

NO_STORM = StormLimits(improbable=0.0, together=1_000)


class ABudgetedFleet(RuleBasedStateMachine):
    """Faults, returns, jobs, persons, lost answers and restarts, against a real store and scheduler model."""

    def _run(self, work: Coroutine[object, object, T]) -> T:
        return self.loop.run_until_complete(work)

    @initialize(pool=budgets, domain=budgets)
    def begin(self, pool: Budget, domain: Budget) -> None:
        self.loop = asyncio.new_event_loop()
        self.directory = tempfile.TemporaryDirectory()
        self.budgets = Budgets(pool=pool, domain=domain)
        places = {NodeName(n): MappedPlace(pool="p", rack=rack) for rack, ns in RACKS.items() for n in ns}
        gates = GatePlan(places=Places(places), budgets=self.budgets, storm=NO_STORM)
        self.world = FleetWorld.of(Path(self.directory.name), NODES, gates=gates)
        self._run(self.world.start())

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self._run(self.world.stop())
            self.loop.close()
            self.directory.cleanup()

    @rule(
        chosen=st.just(set(NODES)) | st.sets(nodes, min_size=1),
        remedy=st.sampled_from(["reboot", "quarantine"]),
    )
    def nodes_fall_ill(self, chosen: set[str], remedy: str) -> None:
        async def fall() -> None:
            for name in sorted(chosen):
                if not self.world.agent(name).is_down:
                    await self.world.ill(name, remedy=remedy)

        self._run(fall())

    @rule(name=nodes)
    def a_fault_goes_away(self, name: str) -> None:
        agent = self.world.agent(name)
        if not agent.is_down:
            self._run(agent.change(agent.condition(status=Status.FALSE)))

    @rule()
    def everything_is_looked_at_at_once(self) -> None:
        self._run(self.world.passes())

    @rule(seconds=st.sampled_from([1.0, 30.0, 200.0, 700.0]))
    def time_passes(self, seconds: float) -> None:
        self._run(self.world.pass_time(seconds))
        self._run(self.world.pass_time(1.0))

    @rule(seconds=st.sampled_from([60.0, 400.0]))
    def the_coordinator_works_on(self, seconds: float) -> None:
        self._run(self.world.go_on(seconds))

    @rule()
    def the_coordinator_dies_and_another_takes_its_place(self) -> None:
        self._run(self.world.stop())
        self._run(self.world.start())

    @rule(name=nodes)
    def a_person_puts_a_node_in_service(self, name: str) -> None:
        self.world.scheduler.person_resumes(NodeName(name))

    @rule(name=nodes)
    def a_person_drains_a_node(self, name: str) -> None:
        self.world.scheduler.person_drains(NodeName(name), "mine")

    @rule(fault=st.sampled_from(Fault), verb=st.sampled_from(["cordon", "return_to_service", "reboot"]))
    def the_scheduler_answers_badly(self, fault: Fault, verb: str) -> None:
        self.world.scheduler.will(verb, fault)

    @precondition(lambda self: not self.world.scheduler.looks_fail)
    @rule()
    def the_scheduler_goes_blind_for_a_while(self) -> None:
        self.world.scheduler.looks_fail = True
        self._run(self.world.passes())
        self.world.scheduler.looks_fail = False

    @invariant()
    def no_more_are_out_at_once_than_allowed(self) -> None:
        if not hasattr(self, "world"):
            return
        held = self.world.held
        assert len(held) <= self.budgets.pool.at_once.of(len(NODES))
        for names in RACKS.values():
            assert len(held & set(names)) <= self.budgets.domain.at_once.of(len(names))

    @invariant()
    def no_more_are_taken_within_a_window_than_allowed(self) -> None:
        if not hasattr(self, "world"):
            return
        for _, begin in self.world.cordons:
            taken = {name for name, at in self.world.cordons if begin <= at < begin + WINDOW}
            assert len(taken) <= self.budgets.pool.within.of(len(NODES))
            for names in RACKS.values():
                assert len(taken & set(names)) <= self.budgets.domain.within.of(len(names))


TestABudgetedFleet = ABudgetedFleet.TestCase
TestABudgetedFleet.settings = settings(
    max_examples=30,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@given(limit=limits, size=st.integers(0, 20_000))
def test_a_limit_is_the_smaller_of_both_and_its_percentage_at_least_one_node(limit: Limit, size: int):
    found = limit.of(size)
    assert found <= limit.nodes
    assert found <= max(1, size * limit.percent / 100)
    assert found >= min(1, limit.nodes)


def test_a_limit_of_no_nodes_lets_nothing_through():
    assert (
        not Budget(at_once=Limit(nodes=0, percent=100.0), within=FULL)
        .share("pool:p", size=9, out=0, lately=0)
        .has_room
    )


@given(used=st.integers(0, 9), taken=st.integers(0, 9), budget=budgets)
def test_a_group_has_room_only_below_both_limits(used: int, taken: int, budget: Budget):
    share: Share = budget.share("pool:p", size=7, out=used, lately=taken)
    assert share.has_room == (used < budget.at_once.of(7) and taken < budget.within.of(7))
    assert f"{used} out" in share.words
