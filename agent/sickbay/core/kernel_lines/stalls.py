"""CPUs that no longer get on, and tasks that wait for ever.

Sources, 5.4 to 6.12: kernel/watchdog.c (`watchdog_timer_fn`, `watchdog_hardlockup_check`; up to 6.4
watchdog_hld.c), kernel/rcu/tree_stall.h and tree_exp.h, kernel/hung_task.c (`check_hung_task`),
kernel/workqueue.c (`wq_watchdog_timer_fn`). A hung task is D state for hung_task_timeout_secs: a file server
that is away does it as well as a GPU whose driver waits.
"""

import re
from types import MappingProxyType

from sickbay.core.kernel_lines.line import Family, KernelLine

# watchdog: BUG: soft lockup - CPU#3 stuck for 23s! [python:4021]
# NMI watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [kworker/0:1:171]
_SOFT = re.compile(
    r"(?:NMI )?(?:watchdog: )?BUG: soft lockup - CPU#(?P<cpu>\d{1,5}) stuck for (?P<seconds>\d{1,7})s!"
    r"(?: \[(?P<name>.{0,64}):(?P<pid>\d{1,10})\])?",
    re.ASCII,
)
# NMI watchdog: Watchdog detected hard LOCKUP on cpu 3
# watchdog: CPU14: Watchdog detected hard LOCKUP on cpu 14                      (6.5)
_HARD = re.compile(
    r"(?:NMI )?watchdog: (?:CPU\d{1,5}: )?Watchdog detected hard LOCKUP on cpu ?(?P<cpu>\d{1,5})", re.ASCII
)
# rcu: INFO: rcu_sched self-detected stall on CPU
# rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
# rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 3-...D } 21 jiffies s: 1021
_RCU = re.compile(
    r"(?:rcu: )?INFO: rcu\w{1,20} "
    r"(?:self-detected stall on CPU|detected (?:expedited )?stalls on CPUs/tasks:).{0,500}",
    re.ASCII | re.DOTALL,
)
# BUG: workqueue lockup - pool cpus=1 node=0 flags=0x0 nice=0 stuck for 31s!
_WORKQUEUE = re.compile(
    r"BUG: workqueue lockup - pool (?:cpus=(?P<cpu>\d{1,5})\b)?.{0,200}? stuck for (?P<seconds>\d{1,7})s!",
    re.ASCII,
)
# INFO: task python:4021 blocked for more than 120 seconds.
# INFO: task kworker/u8:2:171 blocked in I/O wait for more than 241 seconds.    (6.18)
_HUNG = re.compile(
    r"INFO: task (?P<name>.{0,64}):(?P<pid>\d{1,10}) blocked (?:in I/O wait )?for more than "
    r"(?P<seconds>\d{1,9}) seconds\.?",
    re.ASCII,
)


def parse(text: str) -> KernelLine | None:
    """A CPU or a task that stands still; None for anything else."""
    if (match := _HUNG.fullmatch(text)) is not None:
        return _hung(match)
    if (match := _SOFT.fullmatch(text)) is not None:
        return _stall("soft_lockup", match)
    if (match := _HARD.fullmatch(text)) is not None:
        return _stall("hard_lockup", match)
    if (match := _WORKQUEUE.fullmatch(text)) is not None:
        return _stall("workqueue", match)
    return None if (match := _RCU.fullmatch(text)) is None else _stall("rcu", match)


def _hung(match: re.Match[str]) -> KernelLine:
    fields = {"process": match["name"], "pid": int(match["pid"]), "seconds": int(match["seconds"])}
    return KernelLine(kind="hung_task", fields=MappingProxyType(fields), detail=int(match["pid"]))


def _stall(how: str, match: re.Match[str]) -> KernelLine:
    said = match.groupdict()
    fields = {
        "how": how,
        "cpu": _number(said.get("cpu")),
        "seconds": _number(said.get("seconds")),
        "process": said.get("name"),
        "pid": _number(said.get("pid")),
    }
    return KernelLine(kind="cpu_stall", fields=MappingProxyType(fields), detail=(how, fields["cpu"]))


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)


FAMILY = Family(
    parse=parse,
    starts=(b"watchdog: ", b"NMI watchdog: ", b"BUG: ", b"rcu: INFO: ", b"INFO: rcu", b"INFO: task "),
)
