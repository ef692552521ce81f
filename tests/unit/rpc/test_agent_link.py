"""How an agent paces its reconnects, on a clock that the test moves."""

import asyncio
from pathlib import Path

import pytest
from tests.fakes.agent_side import FakeAgentSide
from tests.fakes.gateway import FakeGateway

from sickbay.core.instants import Instant
from sickbay.rpc.agent_link import CoordinatorLink
from sickbay.rpc.coordinator_server import AgentService
from sickbay.rpc.serving import RpcServer


class SteppingClock:
    """A clock on which each sleep takes no time and is written down."""

    def __init__(self) -> None:
        self.mono = 0.0
        self.slept: list[float] = []

    def now(self) -> Instant:
        return Instant(mono=self.mono, wall=self.mono)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.mono += seconds
        await asyncio.sleep(0)


async def test_waits_grow_with_each_failure_are_jittered_and_end_at_the_cap() -> None:
    clock = SteppingClock()
    link = CoordinatorLink(["unix:/nowhere/a.sock", "unix:/nowhere/b.sock"], FakeAgentSide(), clock)
    running = asyncio.create_task(link.run())
    async with asyncio.timeout(20):
        while len(clock.slept) < 40:
            await asyncio.sleep(0.001)
    link.stop()
    await running
    limits = [min(0.5 * 2**number, 30.0) for number in range(len(clock.slept))]
    assert all(0.0 <= slept <= limit for slept, limit in zip(clock.slept, limits, strict=True))
    assert len(set(clock.slept[10:])) > 20
    assert max(clock.slept) > 10.0


async def test_each_coordinator_of_the_list_has_its_turn_and_its_own_trouble_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = SteppingClock()
    link = CoordinatorLink(["unix:/nowhere/a.sock", "unix:/nowhere/b.sock"], FakeAgentSide(), clock)
    running = asyncio.create_task(link.run())
    async with asyncio.timeout(20):
        while len(clock.slept) < 9:
            await asyncio.sleep(0.001)
    link.stop()
    await running
    told = [record.getMessage() for record in caplog.records if "trying again" in record.getMessage()]
    assert len([line for line in told if "a.sock: " in line]) == 1
    assert len([line for line in told if "b.sock: " in line]) == 1


def test_a_link_without_a_coordinator_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        CoordinatorLink([], FakeAgentSide(), SteppingClock())


async def test_a_minute_of_connection_makes_the_next_failure_the_first_again(tmp_path: Path) -> None:
    clock, gateway = SteppingClock(), FakeGateway(heartbeat_interval=5.0)
    address = f"unix:{tmp_path}/c.sock"
    link = CoordinatorLink([address], FakeAgentSide(), clock)
    running = asyncio.create_task(link.run())
    async with asyncio.timeout(20):
        while len(clock.slept) < 12:
            await asyncio.sleep(0.001)
        server = RpcServer([address], [AgentService(gateway)])
        await server.start()
        while not link.connected:
            await asyncio.sleep(0.001)
        connected_at = clock.mono
        while clock.mono < connected_at + 61.0:
            await asyncio.sleep(0.001)
        await server.stop(grace=0.0)
        while link.connected or clock.slept[-1] == 5.0:
            await asyncio.sleep(0.001)
    beats = len(clock.slept) - 1 - clock.slept[::-1].index(5.0)
    link.stop()
    await running
    assert clock.slept[beats + 1] <= 0.5
