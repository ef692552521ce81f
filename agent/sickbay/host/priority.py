"""The agent's place in the processor's queue.

A host is busiest just when something is wrong with it. The kernel log's ring holds a few hundred lines where
it is small, so a reader that waits 50 ms for a processor has missed some. The agent uses a fraction of a
percent of one core, so going first costs the jobs nothing that they could notice.
"""

import os
from contextlib import suppress
from pathlib import Path

AHEAD = -10
"""Nice value: well ahead of jobs, which run at 0, and behind the kernel's own real-time threads."""

_AUTOGROUP = Path("/proc/self/autogroup")


def go_ahead(nice: int = AHEAD) -> bool:
    """Move this process ahead of ordinary ones; False where that is not allowed, which takes CAP_SYS_NICE.

    A systemd unit does the same with `Nice=`, and then there is nothing left to do here.
    """
    if os.getpriority(os.PRIO_PROCESS, 0) > nice:
        try:
            os.setpriority(os.PRIO_PROCESS, 0, nice)
        except PermissionError:
            return False
    _take_session_ahead(nice)
    return True


def _take_session_ahead(nice: int, autogroup: Path = _AUTOGROUP) -> None:
    """Give this process's own session the same place, where the kernel schedules by session.

    With sched_autogroup_enabled=1 (Debian, Ubuntu, RHEL) a nice value counts only within a session, so that
    `Nice=` alone moves a service ahead of nothing but itself (man 7 sched, "The autogroup feature"). A
    session that others share is left alone. Without the feature there is no such file.
    """
    if os.getsid(0) == os.getpid():
        with suppress(OSError):
            autogroup.write_text(f"{nice}\n", encoding="ascii")
