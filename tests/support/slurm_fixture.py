"""The fixture through which tests share one real Slurm. A conftest imports it by name."""

import os
from collections.abc import Iterator

import pytest
from tests.support.slurm_cluster import SlurmCluster, why_no_slurm

REQUIRED = "SICKBAY_REQUIRE_SLURM"


def require_slurm() -> None:
    """Skip with the reason where there is no Slurm; fail instead where CI has promised one."""
    trouble = why_no_slurm()
    if trouble and os.environ.get(REQUIRED) == "1":
        pytest.fail(f"{REQUIRED}=1, but there is no Slurm: {trouble}")
    if trouble:
        pytest.skip(f"no Slurm: {trouble}")


@pytest.fixture(scope="session")
def slurm_session() -> Iterator[SlurmCluster]:
    """One cluster for all tests of this process."""
    require_slurm()
    with SlurmCluster() as cluster:
        yield cluster


@pytest.fixture
def slurm_cluster(slurm_session: SlurmCluster) -> SlurmCluster:
    """The shared cluster with every node IDLE."""
    slurm_session.reset()
    return slurm_session
