"""A node, its scheduler and a coordinator, all in memory but the store."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.fakes.world import World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World.at(tmp_path)
    await made.start()
    yield made
    await made.stop()
