"""Processes killed for memory: the host's, or a job's own limit."""

import pytest

from sickbay.core.kernel_lines.oom import parse


@pytest.mark.parametrize(
    ("text", "by_group"),
    [
        (
            (
                "Out of memory: Killed process 4021 (python) total-vm:66371384kB, anon-rss:64907144kB, "
                "file-rss:0kB, shmem-rss:0kB, UID:1000 pgtables:127000kB oom_score_adj:0"
            ),
            False,
        ),
        ("Out of memory (oom_kill_allocating_task): Killed process 4021 (python) total-vm:1kB", False),
        ("Out of memory: Kill process 4021 (python) score 911 or sacrifice child", False),
        (
            "Memory cgroup out of memory: Killed process 4021 (python) total-vm:66371384kB, anon-rss:6490kB",
            True,
        ),
    ],
)
def test_a_kill_says_whose_memory_was_short(text: str, by_group: bool):  # noqa: FBT001 - a table's column
    line = parse(text)
    assert line is not None
    assert line.fields == {"by_group": by_group, "group": None, "pid": 4021, "process": "python"}


def test_a_process_may_have_any_name():
    line = parse("Out of memory: Killed process 7 (tmux: (a) b) total-vm:1kB, anon-rss:1kB")
    assert line is not None
    assert line.fields["process"] == "tmux: (a) b"


def test_the_summary_before_a_kill_names_the_group():
    line = parse(
        "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=step_0,mems_allowed=0-1,"
        "oom_memcg=/system.slice/slurmstepd.scope/job_17,"
        "task_memcg=/system.slice/slurmstepd.scope/job_17/step_0,"
        "task=python,pid=4021,uid=1000"
    )
    assert line is not None
    assert line.precedes
    assert line.fields == {
        "by_group": True,
        "group": "/system.slice/slurmstepd.scope/job_17",
        "pid": 4021,
        "process": "python",
    }


def test_the_summary_of_a_host_without_memory_names_no_group():
    line = parse(
        "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,"
        "task_memcg=/user.slice,task=python,pid=4021,uid=1000"
    )
    assert line is not None
    assert (line.fields["by_group"], line.fields["group"]) == (False, None)


@pytest.mark.parametrize(
    "text",
    [
        "python invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
        "oom_reaper: reaped process 4021 (python), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB",
        "Memory cgroup out of memory: OOM victim 4021 (python) is already exiting. Skip killing the task",
        "Tasks state (memory values in pages):",
        "CUDA out of memory: Killed process 4021 (python) total-vm:1kB",
        "Out of memory: Killed process x (python) total-vm:1kB",
    ],
)
def test_what_surrounds_a_kill_and_near_misses_are_nothing(text: str):
    assert parse(text) is None
