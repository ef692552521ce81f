"""The agent's place in the processor's queue.

A host is busiest just when something is wrong with it. The kernel log's ring holds a few hundred lines where
it is small, so a reader that waits 50 ms for a processor has missed some. The agent uses a fraction of a
percent of one core, so going first costs the jobs nothing that they could notice.
"""

import os

AHEAD = -10
"""Nice value: well ahead of jobs, which run at 0, and behind the kernel's own real-time threads."""


def go_ahead(nice: int = AHEAD) -> bool:
    """Move this process ahead of ordinary ones; False where that is not allowed, which takes CAP_SYS_NICE.

    A systemd unit does the same with `Nice=`, and then there is nothing left to do here.
    """
    if os.getpriority(os.PRIO_PROCESS, 0) <= nice:
        return True
    try:
        os.setpriority(os.PRIO_PROCESS, 0, nice)
    except PermissionError:
        return False
    return True
