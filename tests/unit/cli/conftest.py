"""Commands run as typed, against fakes that answer over real sockets."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.fakes.operations import FakeFleetOperations, FakeNodeOperations
from tests.fakes.order_operations import FakeOrderOperations

from sickbay.cli.main import main
from sickbay.rpc.fleet_server import FleetService
from sickbay.rpc.node_server import NodeServer
from sickbay.rpc.serving import RpcServer


class Typed:
    """A command line, run beside the loop on which the servers answer."""

    def __init__(self, **environment: str) -> None:
        self.environment = environment

    async def __call__(self, *words: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, main, list(words), env=self.environment)


@pytest.fixture
def node_operations() -> FakeNodeOperations:
    return FakeNodeOperations()


@pytest.fixture
def fleet_operations() -> FakeFleetOperations:
    return FakeFleetOperations()


@pytest.fixture
def order_operations() -> FakeOrderOperations:
    return FakeOrderOperations()


@pytest.fixture
async def sickbay(
    node_operations: FakeNodeOperations,
    fleet_operations: FakeFleetOperations,
    order_operations: FakeOrderOperations,
    tmp_path: Path,
) -> AsyncIterator[Typed]:
    path = tmp_path / "agent.sock"
    agent = NodeServer(node_operations, path)
    await agent.start()
    coordinator = RpcServer(["127.0.0.1:0"], [FleetService(fleet_operations, orders=order_operations)])
    (target,) = await coordinator.start()
    yield Typed(SICKBAY_AGENT_SOCKET=str(path), SICKBAY_COORDINATOR=target, SUDO_USER="ann")
    await coordinator.stop(grace=0.0)
    await agent.stop(grace=0.0)


@pytest.fixture
def alone(tmp_path: Path) -> Typed:
    """Nobody is at either address; port 1 is nobody's on a test machine."""
    return Typed(SICKBAY_AGENT_SOCKET=str(tmp_path / "agent.sock"), SICKBAY_COORDINATOR="127.0.0.1:1")
