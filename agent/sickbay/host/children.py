"""Long-lived child processes: started without a shell, tied to our own life, ended with a deadline.

`sickbay.host.commands` runs a command to its end; this module keeps one running.
"""

import os
import signal
import subprocess  # noqa: TID251 - one of the few modules that start processes
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from sickbay.host.clock import Clock


class Child(Protocol):
    """A process that was started and may have ended."""

    @property
    def pid(self) -> int:
        """Its process id."""
        ...

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative is the signal that ended it."""
        ...

    def kill(self) -> None:
        """End it at once, with everything in its process group. Never waits."""
        ...

    async def stop(self, clock: Clock, *, grace: float) -> int | None:
        """Ask it to end, wait `grace` seconds, then kill. Returns its exit code."""
        ...


class ProcessChild:
    """A real child, the leader of a process group of its own, its output in a file."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """Its process id, which is also its group's."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """SIGKILL to the whole group, so that a worker of the child goes with it."""
        self._signal(signal.SIGKILL)

    async def stop(self, clock: Clock, *, grace: float) -> int | None:
        """SIGTERM to the child alone (it stops its own workers), and SIGKILL to the group past `grace`."""
        if self.exit_code is None:
            self._process.terminate()
        waited = 0.0
        while self.exit_code is None and waited < grace:
            await clock.sleep(0.02)
            waited += 0.02
        self.kill()
        while self.exit_code is None and waited < grace + 1.0:
            await clock.sleep(0.02)
            waited += 0.02
        return self.exit_code

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:
            return  # The whole group has ended by itself.


def start_child(
    argv: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
) -> ProcessChild:
    """Start `argv` with its output appended to `log` and no input.

    The child is sent SIGTERM when this process dies, however it dies, so that nothing is left running. A
    program that cannot be started ends with 1 and says so in its log.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - argv comes from configuration, never through a shell
            [sys.executable, "-ESc", _TETHERED, str(os.getpid()), *argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **(env or {})},
            process_group=0,
        )
    return ProcessChild(process)


_TETHERED = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGTERM)
if os.getppid() != int(sys.argv[1]):
    sys.exit("the parent ended before its child began")
try:
    os.execvp(sys.argv[2], sys.argv[2:])
except OSError as error:
    sys.exit(f"{sys.argv[2]}: {error.strerror}")
"""
"""prctl(2), PR_SET_PDEATHSIG: SIGTERM when the parent ends; then the program itself, in the same process.

Not by subprocess's preexec_fn, which forks in the full sense: a child of a process with gRPC's threads then
runs gRPC's handlers for forks, and now and again never comes back from them.
"""
