"""Which addresses are local, which are addresses at all, and where a server listens."""

import socket

import pytest
from tests.fakes.agent_side import FakeAgentSide
from tests.fakes.gateway import FakeGateway

from sickbay.host.clock import SystemClock
from sickbay.rpc.agent_link import CoordinatorLink
from sickbay.rpc.coordinator_server import AgentService
from sickbay.rpc.serving import (
    DEFAULT_PORT,
    LOCAL_ONLY,
    BadAddress,
    RpcServer,
    Security,
    check_plaintext,
    host_and_port,
    is_local,
)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1:7118", "127.8.9.1:1", "[::1]:7118", "localhost:7118", "unix:/run/sickbay/agent.sock"],
)
def test_what_stays_on_this_machine_is_local(address: str) -> None:
    assert is_local(address)
    check_plaintext(address, LOCAL_ONLY)


@pytest.mark.parametrize("address", ["0.0.0.0:7118", "[::]:7118", "10.0.0.1:7118", "head:7118"])
def test_what_may_leave_this_machine_is_not_local(address: str) -> None:
    assert not is_local(address)


@pytest.mark.parametrize("address", ["", "7118", ":7118", "head", "head:", "head:99999", "::1:7118", "a:b:1"])
def test_what_is_no_address_says_what_one_looks_like(address: str) -> None:
    with pytest.raises(BadAddress, match="expected host:port"):
        host_and_port(address)


def test_the_default_port_lies_below_the_ephemeral_range() -> None:
    assert 1024 < DEFAULT_PORT < 32768


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "192.0.2.1:7118", "node-7:7118"])
async def test_plaintext_beyond_this_machine_is_refused_at_both_ends(address: str) -> None:
    with pytest.raises(BadAddress, match="insecure_plaintext_off_host"):
        await RpcServer([address], [AgentService(FakeGateway())]).start()
    with pytest.raises(BadAddress, match="insecure_plaintext_off_host"):
        CoordinatorLink([address], FakeAgentSide(), SystemClock())


async def test_plaintext_beyond_this_machine_is_possible_for_who_insists() -> None:
    insisting = Security(insecure_plaintext_off_host=True)
    server = RpcServer(["0.0.0.0:0"], [AgentService(FakeGateway())], security=insisting)
    (bound,) = await server.start()
    await server.stop()
    assert bound.startswith("0.0.0.0:")


async def test_a_port_that_is_taken_is_named_with_the_kernels_reason() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(BadAddress, match=rf"cannot listen on 127.0.0.1:{port}: Address already in use"):
            await RpcServer([f"127.0.0.1:{port}"], [AgentService(FakeGateway())]).start()


async def test_a_server_that_cannot_listen_everywhere_listens_nowhere() -> None:
    with socket.socket() as taken, socket.socket() as free:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        free.bind(("127.0.0.1", 0))
        ports = [free.getsockname()[1], taken.getsockname()[1]]
        free.close()
        with pytest.raises(BadAddress):
            await RpcServer([f"127.0.0.1:{port}" for port in ports], [AgentService(FakeGateway())]).start()
    with socket.socket() as caller:
        assert caller.connect_ex(("127.0.0.1", ports[0])) != 0
