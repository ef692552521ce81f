"""Each test of the contract runs once for each scheduler; its id carries the scheduler's name."""

from pathlib import Path

import pytest
from tests.contract.orchestrators.stages import FakeStage, SlurmStage, Stage, StandaloneStage
from tests.support.slurm_fixture import slurm_cluster, slurm_session

__all__ = ["slurm_cluster", "slurm_session"]


@pytest.fixture(
    params=["standalone", pytest.param("slurm", marks=pytest.mark.slurm), "fake"],
)
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Stage:
    match request.param:
        case "standalone":
            return StandaloneStage(tmp_path)
        case "slurm":
            return SlurmStage(request.getfixturevalue("slurm_cluster"))
        case _:
            return FakeStage()
