"""CPUs and tasks that stand still."""

import pytest

from sickbay.core.kernel_lines.stalls import parse


@pytest.mark.parametrize(
    ("text", "how", "cpu", "process"),
    [
        ("watchdog: BUG: soft lockup - CPU#3 stuck for 23s! [python:4021]", "soft_lockup", 3, "python"),
        (
            "NMI watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [kworker/0:1:171]",
            "soft_lockup",
            0,
            "kworker/0:1",
        ),
        ("NMI watchdog: Watchdog detected hard LOCKUP on cpu 3", "hard_lockup", 3, None),
        ("watchdog: CPU0: Watchdog detected hard LOCKUP on cpu 14", "hard_lockup", 14, None),
        ("rcu: INFO: rcu_sched self-detected stall on CPU", "rcu", None, None),
        ("rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:", "rcu", None, None),
        (
            "rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 3-...D } 21 jiffies s: 1021",
            "rcu",
            None,
            None,
        ),
        ("INFO: rcu_sched self-detected stall on CPU", "rcu", None, None),
        (
            "BUG: workqueue lockup - pool cpus=1 node=0 flags=0x0 nice=0 stuck for 31s!",
            "workqueue",
            1,
            None,
        ),
    ],
)
def test_a_stall_says_where_and_how(text: str, how: str, cpu: int | None, process: str | None):
    line = parse(text)
    assert line is not None
    assert line.kind == "cpu_stall"
    assert (line.fields["how"], line.fields["cpu"], line.fields["process"]) == (how, cpu, process)


@pytest.mark.parametrize(
    ("text", "process", "seconds"),
    [
        ("INFO: task python:4021 blocked for more than 120 seconds.", "python", 120),
        (
            "INFO: task kworker/u8:2:4021 blocked in I/O wait for more than 241 seconds.",
            "kworker/u8:2",
            241,
        ),
    ],
)
def test_a_hung_task_is_named(text: str, process: str, seconds: int):
    line = parse(text)
    assert line is not None
    assert line.kind == "hung_task"
    assert line.fields == {"process": process, "pid": 4021, "seconds": seconds}


@pytest.mark.parametrize(
    "text",
    [
        "rcu: Hierarchical RCU implementation.",
        "rcu: \tRCU restricting CPUs from NR_CPUS=8192 to nr_cpu_ids=64.",
        "NMI watchdog: Enabled. Permanently consumes one hw-PMU counter.",
        "watchdog: Delayed init of the lockup detector failed: -19",
        "INFO: task python:4021 is blocked on a mutex likely owned by task bash:7.",
        "INFO: lockdep is turned off.",
        "my INFO: task python:4021 blocked for more than 120 seconds.",
    ],
)
def test_start_up_and_near_misses_are_nothing(text: str):
    assert parse(text) is None
