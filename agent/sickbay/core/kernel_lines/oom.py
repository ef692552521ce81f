"""Processes that the kernel killed for want of memory.

A control group's limit is a job's own affair: the job asked for less than it used, and the host is well. Only
a kill without a control group says that the host itself ran out.

Sources: mm/oom_kill.c, `__oom_kill_process` and `dump_oom_summary` (5.4 to 6.12); 4.19 and older print
`Kill process ... score ... or sacrifice child` first, and then a bare `Killed process`.
"""

import re
from types import MappingProxyType

from sickbay.core.kernel_lines.line import Family, KernelLine

# Out of memory: Killed process 4021 (python) total-vm:66371384kB, anon-rss:64907144kB, file-rss:0kB, ...
# Out of memory (oom_kill_allocating_task): Killed process 4021 (python) total-vm:66371384kB, ...
# Memory cgroup out of memory: Killed process 4021 (python) total-vm:66371384kB, anon-rss:64907144kB, ...
# Out of memory: Kill process 4021 (python) score 911 or sacrifice child
_KILLED = re.compile(
    r"(?P<who>Out of memory(?: \(oom_kill_allocating_task\))?|Memory cgroup out of memory): "
    r"Kill(?:ed)? process (?P<pid>\d{1,10}) \((?P<name>.{0,64}?)\)[, ] ?(?:total-vm:|score |UID).*",
    re.ASCII | re.DOTALL,
)

# oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=step_0,mems_allowed=0-1,
#   oom_memcg=/system.slice/slurmstepd.scope/job_17,task_memcg=/.../task_0,task=python,pid=4021,uid=1000
_SUMMARY = re.compile(
    r"oom-kill:constraint=CONSTRAINT_(?P<constraint>[A-Z_]{1,20}),(?P<rest>.*),"
    r"task=(?P<name>.{0,64}),pid=(?P<pid>\d{1,10}),uid=\d{1,10}",
    re.ASCII | re.DOTALL,
)
_GROUP = re.compile(r"(?:^|,)oom_memcg=([^,]{1,500})")


def parse(text: str) -> KernelLine | None:
    """A process killed for memory, or the summary that comes just before it; None for anything else."""
    killed = _KILLED.match(text)
    if killed is not None:
        return _line(killed, by_group=killed["who"].startswith("Memory cgroup"))
    summary = _SUMMARY.fullmatch(text)
    return None if summary is None else _summary(summary)


def _line(match: re.Match[str], *, by_group: bool) -> KernelLine:
    pid = int(match["pid"])
    fields = {"by_group": by_group, "group": None, "pid": pid, "process": match["name"]}
    return KernelLine(kind="out_of_memory", fields=MappingProxyType(fields), detail=(by_group, pid))


def _summary(match: re.Match[str]) -> KernelLine:
    group = _GROUP.search(match["rest"])
    fields = {
        "by_group": match["constraint"] == "MEMCG",
        "group": None if group is None else group[1],
        "pid": int(match["pid"]),
        "process": match["name"],
    }
    return KernelLine(kind="out_of_memory", fields=MappingProxyType(fields), precedes=True)


FAMILY = Family(parse=parse, starts=(b"Out of memory", b"Memory cgroup out of memory: ", b"oom-kill:"))
