"""Sweeps: when they happen, who waits for them, and for how long."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.fakes.node_parts import INVENTORY, Parts
from tests.support.waiting import until

from sickbay.core.outcomes import Outcome, Verdict
from sickbay.host.nvml.readings import GpuState, GpuSweep, Sweep, Unavailable
from sickbay.node.gpu_watch import GpuWatch
from sickbay.node.sweep_judgement import SweepJudgement


@dataclass
class Driver:
    """An NvmlSource whose GPUs answer when they are let."""

    parts: Parts
    sweeps: int = 0
    whole: int = 0
    states: dict[str, GpuState] = field(default_factory=dict)
    unavailable: Unavailable | None = None
    answering: asyncio.Event = field(default_factory=asyncio.Event)
    left_out: list[str] = field(default_factory=list)
    freed: asyncio.Event = field(default_factory=asyncio.Event)

    async def sweep(self, *, everything: bool = False) -> Sweep:
        self.sweeps += 1
        self.whole += everything
        await self.answering.wait()
        gpus = tuple(
            GpuSweep(
                pci=gpu.pci,
                slot=gpu.slot,
                state=self.states.get(gpu.pci, GpuState.READ),
                uuid=gpu.uuid,
                values={"temperature": 30 + self.sweeps},
            )
            for gpu in INVENTORY.gpus
        )
        return Sweep(
            at=self.parts.clock.now(),
            gpus=gpus,
            count=len(gpus),
            driver_version="1",
            unavailable=self.unavailable,
        )

    def leave_out(self, pci: str, because: str) -> None:
        self.left_out.append(f"{pci}: {because}")

    async def release(self, seconds: float) -> Outcome:
        await self.freed.wait()
        return Outcome.done(f"free for {seconds:g} s")

    async def resume(self) -> None:
        self.unavailable = None

    async def close(self) -> None:
        self.answering.set()


@dataclass
class World:
    parts: Parts
    driver: Driver
    watch: GpuWatch


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    parts = Parts(tmp_path)
    parts.start()
    driver = Driver(parts)
    driver.answering.set()
    watch = GpuWatch(
        clock=parts.clock,
        judge=parts.judge,
        source=driver,
        judged=SweepJudgement(parts.status, "nvidia"),
        interval=10.0,
        jitter=0.1,
    )
    running = asyncio.create_task(watch.run())
    yield World(parts, driver, watch)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await parts.spool.close()


async def settled(world: World, holds: Callable[[], bool]) -> None:
    await until(holds)
    await until(lambda: world.parts.clock.next_wake is not None)


async def test_a_sweep_fills_the_level_and_the_next_waits_for_its_interval(world: World) -> None:
    await settled(world, lambda: len(world.parts.status.inventory.gpus) == 8)
    wake = world.parts.clock.next_wake
    assert wake is not None
    assert 9.0 <= wake <= 11.0
    assert world.driver.sweeps == 1
    world.parts.clock.advance(11.0)
    await until(lambda: world.driver.sweeps == 2)


async def test_a_check_that_is_asked_for_begins_at_once(world: World) -> None:
    await settled(world, lambda: world.driver.sweeps == 1)
    assert await world.watch.sweep_now(within=20.0)
    assert (world.driver.sweeps, world.driver.whole) == (2, 1), "the one that was asked for reads everything"


async def test_a_sweep_that_had_begun_before_the_question_is_no_answer_to_it(world: World) -> None:
    await settled(world, lambda: world.driver.sweeps == 1)
    world.driver.answering.clear()
    world.parts.clock.advance(11.0)
    await until(lambda: world.driver.sweeps == 2)
    asked = asyncio.create_task(world.watch.sweep_now(within=20.0))
    await asyncio.sleep(0)
    world.driver.answering.set()
    assert await asked
    assert world.driver.sweeps == 3


async def test_nobody_waits_for_a_sweep_longer_than_they_said(world: World) -> None:
    await settled(world, lambda: world.driver.sweeps == 1)
    world.driver.answering.clear()
    assert not await world.watch.sweep_now(within=0.05)


async def test_a_sweep_that_broke_off_is_repeated_at_once(world: World) -> None:
    world.driver.states = {INVENTORY.gpus[3].pci: GpuState.MISSED}
    await settled(world, lambda: world.driver.sweeps == 1)
    world.parts.clock.advance(11.0)
    await settled(world, lambda: world.driver.sweeps == 2)
    wake = world.parts.clock.next_wake
    assert wake is not None
    assert wake <= 1.1


async def test_a_coordinators_sweep_ends_with_every_reading_on_its_way(world: World) -> None:
    await settled(world, lambda: world.driver.sweeps == 1)
    outcome = await world.watch.directed()
    assert outcome.verdict is Verdict.DONE
    temperatures = [s for s in world.parts.told.deltas[-1].readings if s.kind == "temperature"]
    assert len(temperatures) == 8


async def test_a_driver_that_cannot_be_asked_is_unknown_and_not_done(world: World) -> None:
    world.driver.unavailable = Unavailable(reason="the driver is not loaded", retry_in=1.0)
    outcome = await world.watch.directed()
    assert outcome.verdict is Verdict.UNKNOWN
    assert "the driver is not loaded" in outcome.detail


async def test_the_healthy_inventory_is_learnt_and_a_lost_gpu_does_not_change_it(world: World) -> None:
    await settled(world, lambda: world.parts.status.baseline is not None)
    world.driver.states = {INVENTORY.gpus[0].pci: GpuState.LOST}
    assert await world.watch.sweep_now(within=20.0)
    assert len(world.parts.status.inventory.gpus) == 7
    assert world.parts.status.baseline is not None
    assert len(world.parts.status.baseline.gpus) == 8


async def test_a_release_that_takes_long_is_not_called_done(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sickbay.node.gpu_watch._ANSWER_WITHIN", 0.05)
    assert (await world.watch.release(60.0)).verdict is Verdict.RETRY
    world.driver.freed.set()
    assert (await world.watch.release(60.0)).verdict is Verdict.DONE


async def test_a_host_without_a_driver_to_watch_answers_at_once(tmp_path: Path) -> None:
    parts = Parts(tmp_path)
    watch = GpuWatch(
        clock=parts.clock,
        judge=parts.judge,
        source=None,
        judged=SweepJudgement(parts.status, "nvidia"),
        interval=10.0,
        jitter=0.0,
    )
    assert await watch.sweep_now(within=0.0)
    assert (await watch.release(5.0)).verdict is Verdict.DONE
    watch.leave_out("0000:1b:00", "nobody is there")
    await watch.close()
