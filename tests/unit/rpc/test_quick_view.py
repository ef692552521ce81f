"""The second socket gives the same view as GetHealth, and never a view of an agent that is gone."""

import asyncio
import stat
from pathlib import Path

import pytest
from tests.fakes.operations import FakeNodeOperations, host

from sickbay.rpc.questions import Unreachable
from sickbay.rpc.quick_look import beside, quick_look
from sickbay.rpc.quick_view import QuickView


async def look(api: Path, *, patience: float = 10.0) -> object:
    return await asyncio.to_thread(quick_look, api, timeout=patience)


async def test_the_view_is_the_one_that_the_agent_has_at_this_moment(tmp_path: Path) -> None:
    api = tmp_path / "agent.sock"
    served = QuickView(FakeNodeOperations(), api)
    await served.start()
    assert await look(api) == host()
    assert stat.S_IMODE(beside(api).stat().st_mode) == 0o660
    await served.stop()
    assert await look(api) is None
    assert not beside(api).exists()


async def test_an_agent_that_was_killed_leaves_no_view_behind(tmp_path: Path) -> None:
    api = tmp_path / "agent.sock"
    killed = QuickView(FakeNodeOperations(), api)
    await killed.start()
    left = beside(api).rename(tmp_path / "kept")
    await killed.stop()
    left.rename(beside(api))
    assert await look(api) is None
    again = QuickView(FakeNodeOperations(), api)
    await again.start()
    assert await look(api) == host()
    await again.stop()


async def test_an_agent_whose_loop_stands_still_is_not_waited_for_longer(tmp_path: Path) -> None:
    api, operations = tmp_path / "agent.sock", FakeNodeOperations()
    operations.hanging = True
    served = QuickView(operations, api)
    await served.start()
    with pytest.raises(Unreachable, match=r"does not answer within 0\.1 s"):
        await look(api, patience=0.1)
    await served.stop()


async def test_what_another_version_writes_is_asked_for_otherwise(tmp_path: Path) -> None:
    async def other(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'{"node": "n1"}')
        writer.close()

    api = tmp_path / "agent.sock"
    server = await asyncio.start_unix_server(other, str(beside(api)))
    assert await look(api) is None
    server.close()


async def test_a_place_that_cannot_be_listened_on_costs_the_agent_nothing(tmp_path: Path) -> None:
    served = QuickView(FakeNodeOperations(), tmp_path / "missing" / "agent.sock")
    await served.start()
    await served.stop()
