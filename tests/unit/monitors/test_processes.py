"""Who computes on a GPU, and for which job."""

from tests.fakes.sweeps import gpu, only, sweep

from sickbay.host.job_of_process import ProcessView
from sickbay.host.kernel_view import KernelView
from sickbay.monitors.known import Known
from sickbay.monitors.processes import signals

JOB = ProcessView(exists=True, job="slurm:4711")
STRAY = ProcessView(exists=True)


def known(**processes: ProcessView) -> Known:
    return Known(kernel=KernelView(processes={int(pid[1:]): view for pid, view in processes.items()}))


def test_processes_are_told_with_their_jobs_each_once():
    seen = sweep(gpu(compute_pids=(9, 7, 8), mps_pids=()))
    assert only(signals(seen, known(p7=JOB, p8=JOB, p9=STRAY))).fields == {
        "count": 3,
        "pids": "7,8,9",
        "jobs": "slurm:4711",
        "without_job": 1,
    }


def test_a_dead_process_belongs_to_no_job_and_is_not_a_stray():
    fields = only(signals(sweep(gpu(compute_pids=(7,))), known(p7=ProcessView(exists=False)))).fields
    assert (fields["jobs"], fields["without_job"]) == ("", 0)


def test_no_more_than_sixteen_are_named():
    fields = only(signals(sweep(gpu(compute_pids=tuple(range(1, 100)))), Known())).fields
    assert (fields["count"], fields["pids"]) == (99, ",".join(str(pid) for pid in range(1, 17)))


def test_jobs_are_unknown_where_processes_cannot_be_looked_up():
    fields = only(signals(sweep(gpu(compute_pids=(7,))), Known())).fields
    assert (fields["count"], fields["jobs"], fields["without_job"]) == (1, None, None)


def test_a_list_that_the_driver_does_not_give_is_not_an_empty_one():
    assert only(signals(sweep(gpu(codes={"compute_pids": 4})), Known())).fields["count"] is None
