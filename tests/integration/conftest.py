"""What the tests on real parts share."""

from tests.support.slurm_fixture import slurm_cluster, slurm_session

__all__ = ["slurm_cluster", "slurm_session"]
