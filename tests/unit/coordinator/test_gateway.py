"""What the coordinator makes of what agents say."""

from dataclasses import replace

import pytest
from tests.fakes.agent import GPUS, FakeAgent, FakeSession
from tests.fakes.words import a_signal, an_event
from tests.fakes.world import NODE, World

from sickbay.core.devices import Inventory
from sickbay.core.ids import BootId, NodeName
from sickbay.core.messages import Hello
from sickbay.rpc.ports import EventQuery, Refused


async def test_a_node_that_was_never_heard_of_is_learnt(world: World):
    stranger = FakeAgent(clock=world.clock, node=NodeName("gpu-2"))
    await stranger.connect(world.parts.gateway)
    assert set(world.parts.fleet.nodes) == {"gpu-1", "gpu-2"}
    assert {record.node for record in (await world.parts.fleet.store.load()).nodes} == {"gpu-1", "gpu-2"}


async def test_a_hello_without_a_name_is_turned_away(world: World):
    nameless = Hello(
        node=NodeName(""),
        boot_id=BootId("b"),
        version="",
        inventory=Inventory(),
        rules_digest="",
        started_at=0.0,
    )
    with pytest.raises(Refused, match="name the node"):
        world.parts.gateway.welcome(nameless)


async def test_a_newer_stream_of_a_node_ends_the_older_one_and_what_that_says_counts_no_more(world: World):
    older = world.agent.session
    assert older is not None
    await world.agent.connect(world.parts.gateway)
    assert older.closed == "a newer stream of this node began"
    await world.parts.gateway.disconnected(older, "closed")
    assert world.node.session is world.agent.session


async def test_heartbeats_and_readings_are_not_written(world: World):
    database = world.directory / "sickbay.db-wal"
    size = database.stat().st_size
    for _ in range(50):
        world.clock.advance(1.0)
        world.agent.heartbeat()
    await world.agent.change()
    await world.agent.tell_all()
    assert database.stat().st_size == size
    assert world.node.silent_for(world.clock.now().mono) == 0.0


async def test_a_reconnect_with_nothing_new_writes_nothing(world: World):
    database = world.directory / "sickbay.db-wal"
    size = database.stat().st_size
    await world.agent.disconnect()
    await world.agent.connect(world.parts.gateway)
    assert database.stat().st_size == size


async def test_events_are_committed_under_the_streams_own_node_before_the_call_returns(world: World):
    session = world.agent.session
    assert session is not None
    forged = replace(an_event(1, a_signal()), node=NodeName("somebody-else"))
    await world.parts.gateway.events(session, [forged])
    await world.parts.gateway.events(session, [forged])
    (kept,) = await world.parts.fleet.store.events(EventQuery())
    assert kept.node == NODE


async def test_what_a_full_state_does_not_say_is_not_so(world: World):
    await world.lose_gpu()
    assert world.incident.is_open
    world.agent.conditions.clear()
    await world.agent.tell_all()
    assert not world.incident.is_open


async def test_nothing_is_concluded_before_the_full_state_of_a_new_stream(world: World):
    await world.lose_gpu()
    await world.agent.disconnect()
    world.agent.session = FakeSession(world.agent, world.agent.boot_id)
    hello = Hello(
        node=NODE,
        boot_id=world.agent.boot_id,
        version="0.1.0",
        inventory=Inventory(),
        rules_digest="",
        started_at=0.0,
    )
    await world.parts.gateway.connected(world.agent.session, hello)
    assert world.incident.is_open


async def test_the_inventory_of_a_well_node_is_remembered_and_a_missing_gpu_is_not_forgotten(world: World):
    assert world.node.record.baseline == Inventory(gpus=GPUS, nvml="simulated")
    world.agent.inventory = Inventory(gpus=GPUS[1:], nvml="simulated")
    await world.agent.tell_all()
    assert world.node.record.baseline == Inventory(gpus=GPUS, nvml="simulated")


async def test_the_boots_of_a_node_are_remembered(world: World):
    await world.agent.go_down()
    await world.agent.come_back(world.parts.gateway)
    assert world.node.record.boots == ("boot-1", "boot-2")


async def test_silence_alone_does_nothing_but_show(world: World):
    await world.agent.disconnect()
    await world.passes(3_600)
    assert world.verbs == []
    (seen,) = await world.parts.operations.nodes()
    assert not seen.connected
