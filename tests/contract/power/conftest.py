"""Each test of the contract runs once for each kind of BMC; its id carries the kind's name."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.contract.power.stages import EmulatorStage, FakeStage, Stage
from tests.support.bmc import Emulator, redfish_emulator


@pytest.fixture(scope="session")
def modern_bmc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """HTTPS, sessions, PowerCycle, and the time of the last reset."""
    with redfish_emulator(tmp_path_factory.mktemp("modern-bmc")) as emulator:
        yield emulator


@pytest.fixture(scope="session")
def plain_bmc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """What sushy-emulator itself is: HTTP, basic authentication, off and on, and no time of a reset."""
    directory = tmp_path_factory.mktemp("plain-bmc")
    with redfish_emulator(
        directory, https=False, sessions=False, power_cycle=False, tells_resets=False
    ) as emulator:
        yield emulator


@pytest.fixture(autouse=True, scope="session")
def started(modern_bmc: Emulator, plain_bmc: Emulator) -> None:
    """Both, before any single test is asked which processes it leaves behind."""
    del modern_bmc, plain_bmc


@pytest.fixture
async def modern(modern_bmc: Emulator, tmp_path: Path) -> AsyncIterator[EmulatorStage]:
    stage = EmulatorStage(modern_bmc, tmp_path, has_sessions=True, tells_resets=True)
    yield stage
    await stage.set_on()


@pytest.fixture
async def plain(plain_bmc: Emulator, tmp_path: Path) -> AsyncIterator[EmulatorStage]:
    stage = EmulatorStage(plain_bmc, tmp_path, has_sessions=False, tells_resets=False)
    yield stage
    await stage.set_on()


@pytest.fixture(params=["fake", "modern", "plain"])
def stage(request: pytest.FixtureRequest) -> Stage:
    if request.param == "fake":
        return FakeStage()
    found: EmulatorStage = request.getfixturevalue(request.param)
    return found
