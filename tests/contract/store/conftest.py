"""Each test of the contract runs once for each store; its id carries the store's name."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from sickbay.coordinator.sqlite_store import open_sqlite
from sickbay.coordinator.store import Store

Reopen = Callable[[], Awaitable[Store]]


@pytest.fixture(params=["sqlite"])
async def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Reopen]:
    """Opens the store anew, on the same data; the one before it is closed."""
    assert request.param == "sqlite"
    opened: list[Store] = []

    async def again() -> Store:
        if opened:
            await opened[-1].close()
        opened.append(open_sqlite(tmp_path / "sickbay.db"))
        return opened[-1]

    yield again
    if opened:
        await opened[-1].close()


@pytest.fixture
async def store(reopen: Reopen) -> Store:
    return await reopen()
