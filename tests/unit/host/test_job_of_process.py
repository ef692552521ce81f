"""The job that a process belongs to."""

import os
from pathlib import Path

import pytest

from sickbay.host.job_of_process import Processes, ProcessView

POD = "0b6a1f2e-7c11-4d53-9a51-5d8f5f0a1b00"
UNDERSCORED = POD.replace("-", "_")
SLICE = f"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{UNDERSCORED}.slice"


def process(proc: Path, pid: int, *, cgroup: str = "", environ: bytes = b"") -> None:
    folder = proc / str(pid)
    folder.mkdir()
    (folder / "cgroup").write_text(cgroup)
    (folder / "environ").write_bytes(environ)


@pytest.mark.parametrize(
    ("cgroup", "job"),
    [
        ("0::/system.slice/slurmstepd.scope/job_4711/step_0/user/task_0\n", "slurm:4711"),
        ("0::/system.slice/n1_slurmstepd.scope/job_4711/step_batch/user\n", "slurm:4711"),
        ("12:devices:/slurm/uid_1000/job_4711/step_0\n3:cpu:/slurm/uid_1000/job_4711\n", "slurm:4711"),
        (f"0::{SLICE}/cri-containerd-1f.scope\n", f"pod:{POD}"),
        (f"0::/kubepods/besteffort/pod{POD}/1f2e\n", f"pod:{POD}"),
        (
            f"0::/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod{UNDERSCORED}.slice/x\n",
            f"pod:{POD}",
        ),
        (
            "0::/kubepods/besteffort/pod0b6a1f2e7c114d539a515d8f5f0a1b00/1f\n",
            "pod:0b6a1f2e7c114d539a515d8f5f0a1b00",
        ),
        ("0::/user.slice/user-1000.slice/session-2.scope\n", ""),
        ("0::/home/slurm/notes/job_x\n", ""),
        ("0::/builds/job_12/slurm\n", ""),
    ],
)
def test_the_control_group_names_the_job(tmp_path: Path, cgroup: str, job: str):
    process(tmp_path, 7, cgroup=cgroup)
    assert Processes(tmp_path).look([7]) == {7: ProcessView(exists=True, job=job)}


def test_the_environment_names_it_where_control_groups_do_not(tmp_path: Path):
    process(tmp_path, 7, cgroup="0::/\n", environ=b"PATH=/bin\0SLURM_JOB_ID=99\0HOME=/\0")
    process(tmp_path, 8, cgroup="0::/\n", environ=b"OLD_SLURM_JOB_ID=99\0")
    seen = Processes(tmp_path).look([7, 8])
    assert (seen[7].job, seen[8].job) == ("slurm:99", "")


def test_the_control_group_counts_more_than_what_a_process_says_of_itself(tmp_path: Path):
    process(tmp_path, 7, cgroup="0::/slurm/uid_1/job_1/step_0\n", environ=b"SLURM_JOB_ID=2\0")
    assert Processes(tmp_path).look([7])[7].job == "slurm:1"


def test_a_process_that_the_kernel_no_longer_has_does_not_exist(tmp_path: Path):
    assert Processes(tmp_path).look([7]) == {7: ProcessView(exists=False)}


def test_a_process_that_proc_hides_exists_all_the_same(tmp_path: Path):
    seen = Processes(tmp_path, answers=lambda pid: pid == 7).look([7, 8])
    assert (seen[7].exists, seen[8].exists) == (True, False)


def test_what_the_driver_could_not_name_is_no_process(tmp_path: Path):
    assert Processes(tmp_path).look([0, -1]) == {}


def test_no_more_than_256_are_looked_at(tmp_path: Path):
    assert len(Processes(tmp_path).look(range(1, 10_000))) == 256


def test_on_the_host_itself_this_process_exists():
    processes = Processes.of_this_host()
    if processes is None:
        return  # In a container there is nothing that could be looked up, and that was said.
    assert processes.look([os.getpid()])[os.getpid()].exists
