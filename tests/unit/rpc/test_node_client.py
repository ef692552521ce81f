"""A command and the agent of its host over the agent's own socket."""

import asyncio
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from tests.fakes.operations import FakeNodeOperations, host
from tests.fakes.words import a_signal, an_event

from sickbay.core.outcomes import Outcome
from sickbay.rpc.node_client import NodeClient
from sickbay.rpc.node_server import NodeServer
from sickbay.rpc.ports import EventQuery, NotFound, Unreachable
from sickbay.rpc.serving import BadAddress

T = TypeVar("T")


async def ask(path: Path, question: Callable[[NodeClient], T], *, within: float = 10.0) -> T:
    def asking() -> T:
        with NodeClient(path, timeout=within) as client:
            return question(client)

    return await asyncio.to_thread(asking)


@pytest.fixture
def operations() -> FakeNodeOperations:
    return FakeNodeOperations()


@pytest.fixture
async def agent(operations: FakeNodeOperations, tmp_path: Path) -> AsyncIterator[Path]:
    path = tmp_path / "agent.sock"
    server = NodeServer(operations, path)
    await server.start()
    yield path
    await server.stop(grace=0.0)


async def test_the_host_arrives_whole(agent: Path, operations: FakeNodeOperations) -> None:
    assert await ask(agent, lambda client: client.health()) == host()
    assert await ask(agent, lambda client: client.check()) == host()
    assert operations.asked == ["check"]


async def test_every_other_question_is_answered(agent: Path, operations: FakeNodeOperations) -> None:
    assert await ask(agent, lambda client: client.events(EventQuery(limit=3))) == (an_event(1, a_signal()),)
    assert await ask(agent, lambda client: client.explain("Xid 79")) == ("about Xid 79", "{}")
    assert await ask(agent, lambda client: client.release(60.0)) == 1060.0
    await ask(agent, lambda client: client.resume())
    assert await ask(agent, lambda client: client.inject("NVRM: Xid")) == Outcome.failed(
        "injection is not allowed here"
    )
    assert await ask(agent, lambda client: client.evidence("inc-1")) == (
        "/var/lib/sickbay/evidence/inc-1",
        4096,
    )
    assert operations.asked == [EventQuery(limit=3), "resume", "NVRM: Xid"]


async def test_what_the_agent_does_not_know_is_not_found(agent: Path) -> None:
    with pytest.raises(NotFound, match="nothing here is called that"):
        await ask(agent, lambda client: client.explain("nothing"))


async def test_an_agent_that_hangs_is_told_within_the_time_out(
    agent: Path, operations: FakeNodeOperations
) -> None:
    operations.hanging = True
    with pytest.raises(Unreachable, match=r"no answer within 0.2 s"):
        await ask(agent, lambda client: client.health(), within=0.2)


async def test_only_owner_and_group_may_talk_to_the_agent(agent: Path) -> None:
    assert stat.S_IMODE(agent.stat().st_mode) == 0o660


async def test_a_socket_that_a_dead_agent_left_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    server = NodeServer(FakeNodeOperations(), path)
    await server.start()
    assert await ask(path, lambda client: client.health()) == host()
    await server.stop(grace=0.0)
    assert not path.exists()


async def test_a_second_agent_is_refused_and_the_first_goes_on(agent: Path) -> None:
    with pytest.raises(BadAddress, match="another agent answers there; stop it first"):
        await NodeServer(FakeNodeOperations(), agent).start()
    assert await ask(agent, lambda client: client.health()) == host()


async def test_a_file_in_the_sockets_place_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    path.write_text("precious", encoding="ascii")
    with pytest.raises(BadAddress, match="not a socket"):
        await NodeServer(FakeNodeOperations(), path).start()
    assert path.read_text(encoding="ascii") == "precious"


def test_a_host_without_an_agent_is_told_with_the_way_to_start_one(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    with NodeClient(path) as client, pytest.raises(Unreachable) as told:
        client.health()
    assert str(told.value) == (
        f"no agent answers at {path} (No such file or directory); "
        "start one with `systemctl start sickbay-agent`, or name another one's socket"
    )


def test_a_command_about_this_host_does_not_load_what_it_does_not_need() -> None:
    """Each of these costs the command's start several milliseconds."""
    script = "import sys, sickbay.rpc.node_client; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    loaded = set(done.stdout.split())
    unwanted = {
        "sickbay.core.incidents",
        "sickbay.core.remediation",
        "sickbay.rpc.ports",
        "sickbay.v1.coordinator_pb2",
        "sickbay.v1.fleet_pb2",
        "sickbay.rpc.convert_fleet",
        "sickbay.rpc.coordinator_server",
        "tenacity",
        "sqlalchemy",
        "yaml",
    }
    assert not loaded & unwanted
