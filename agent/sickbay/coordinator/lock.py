"""One coordinator a state directory: a second one on the same SQLite would act on the same nodes twice."""

import fcntl
import os
from pathlib import Path


class AlreadyRunningError(Exception):
    """Another coordinator holds the directory; `str()` says which."""


class StateLock:
    """An exclusive flock on a file in the state directory. The kernel lets go of it when the process ends."""

    def __init__(self, descriptor: int) -> None:
        """Use `hold`."""
        self._descriptor = descriptor

    def release(self) -> None:
        """Let another coordinator begin."""
        os.close(self._descriptor)


def hold(directory: Path) -> StateLock:
    """Take the directory, which is made if it is not there.

    Raises:
        AlreadyRunningError: when another process holds it.
        OSError: when it cannot be made or written.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o750)
    path = directory / "coordinator.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
        os.close(descriptor)
        raise AlreadyRunningError(
            f"{path} is held by another sickbay-coordinator (pid {holder}); stop it, or give this one "
            "a state_dir of its own",
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return StateLock(descriptor)
