"""Operators' questions over a real socket, and the sentences for when nobody answers."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

import pytest
from tests.fakes.operations import FakeFleetOperations, summary
from tests.fakes.words import a_condition, a_remediation, a_signal, an_event, an_incident

from sickbay.core.ids import IncidentId, NodeName
from sickbay.core.outcomes import Outcome
from sickbay.core.views import FleetView
from sickbay.rpc.fleet_client import FleetClient
from sickbay.rpc.fleet_server import FleetService
from sickbay.rpc.ports import EventQuery, NotFound, Refused, Unreachable
from sickbay.rpc.serving import BadAddress, RpcServer

T = TypeVar("T")


class Asking:
    """A client, whose blocking calls run beside the loop on which the server answers."""

    def __init__(self, target: str) -> None:
        self.target = target

    async def __call__(self, question: Callable[[FleetClient], T]) -> T:
        def ask() -> T:
            with FleetClient(self.target, timeout=10.0) as client:
                return question(client)

        return await asyncio.to_thread(ask)


@pytest.fixture
def operations() -> FakeFleetOperations:
    return FakeFleetOperations()


@pytest.fixture
async def ask(operations: FakeFleetOperations) -> AsyncIterator[Asking]:
    server = RpcServer(["127.0.0.1:0"], [FleetService(operations)])
    (target,) = await server.start()
    yield Asking(target)
    await server.stop(grace=0.0)


async def test_the_fleet_and_its_nodes_arrive_whole(ask: Asking) -> None:
    fleet = await ask(lambda client: client.fleet())
    assert isinstance(fleet, FleetView)
    assert (fleet.orchestrator, fleet.term) == ("slurm", 3)
    assert await ask(lambda client: client.nodes()) == (summary(),)


async def test_a_node_arrives_with_everything_about_it(ask: Asking) -> None:
    node = await ask(lambda client: client.node(NodeName("n1")))
    assert node.summary == summary()
    assert node.conditions == (a_condition(),)
    assert node.readings == (a_signal(),)


async def test_an_incident_arrives_with_everything_about_it(ask: Asking) -> None:
    detail = await ask(lambda client: client.incident(IncidentId("inc-0123")))
    assert detail.incident == an_incident()
    assert detail.remediation == a_remediation()
    assert detail.events == (an_event(1, a_signal()),)


async def test_a_name_that_nobody_knows_is_not_found(ask: Asking) -> None:
    with pytest.raises(NotFound, match="no node is called n9"):
        await ask(lambda client: client.node(NodeName("n9")))


async def test_a_refusal_carries_its_reason(ask: Asking) -> None:
    with pytest.raises(Refused, match="n1 is not out of service, ann"):
        await ask(lambda client: client.give_back(NodeName("n1"), operator="ann"))


async def test_an_operators_word_arrives_with_who_and_why(
    ask: Asking, operations: FakeFleetOperations
) -> None:
    cordon = await ask(lambda client: client.cordon(NodeName("n1"), reason="fan", operator="ann"))
    assert cordon == Outcome.done("cordoned")
    assert operations.asked == [("n1", "fan", "ann")]


async def test_questions_carry_their_limits_and_no_limit_is_without_bound(
    ask: Asking, operations: FakeFleetOperations
) -> None:
    await ask(lambda client: client.incidents(include_closed=True, limit=7))
    await ask(lambda client: client.incidents(limit=0))
    await ask(lambda client: client.events(EventQuery(node=NodeName("n1"), since=5.0, limit=10**9)))
    assert operations.asked == [
        ("", True, 7),
        ("", False, 100),
        EventQuery(node=NodeName("n1"), since=5.0, limit=10_000),
    ]


async def test_a_watcher_sees_each_change_as_it_comes(ask: Asking, operations: FakeFleetOperations) -> None:
    operations.watching.put_nowait(an_incident())
    operations.watching.put_nowait(a_remediation())

    def two(client: FleetClient) -> list[object]:
        changes = client.watch(NodeName("n1"))
        return [next(changes), next(changes)]

    assert await ask(two) == [an_incident(), a_remediation()]


async def test_a_watcher_whose_coordinator_goes_is_told(operations: FakeFleetOperations) -> None:
    server = RpcServer(["127.0.0.1:0"], [FleetService(operations)])
    (target,) = await server.start()
    operations.watching.put_nowait(an_incident())
    seen = threading.Event()

    def watch(client: FleetClient) -> None:
        for _ in client.watch():
            seen.set()

    watching = asyncio.create_task(Asking(target)(watch))
    await asyncio.to_thread(seen.wait, 10.0)
    await server.stop(grace=0.0)
    with pytest.raises(Unreachable, match="no coordinator answers"):
        await watching


async def test_a_bug_in_the_coordinator_is_told_by_its_id(
    ask: Asking, operations: FakeFleetOperations, caplog: pytest.LogCaptureFixture
) -> None:
    operations.failing = ZeroDivisionError("secret detail")
    with pytest.raises(Refused, match=r"GetFleet failed inside; see error [0-9a-f]{8} in the log"):
        await ask(lambda client: client.fleet())
    assert "ZeroDivisionError" in caplog.text


def test_an_address_where_nobody_listens_is_told_with_the_way_to_start_one() -> None:
    with FleetClient("127.0.0.1:1") as client, pytest.raises(Unreachable) as told:
        client.fleet()
    assert str(told.value) == (
        "no coordinator answers at 127.0.0.1:1 (Connection refused); "
        "start one with `sickbay-coordinator`, or name another one's host:port"
    )


def test_plaintext_beyond_this_machine_is_not_dialled() -> None:
    with pytest.raises(BadAddress, match="plaintext"):
        FleetClient("192.0.2.1:7118")
