"""One program a state directory: two of a kind on the same files would each undo what the other does."""

import fcntl
import os
from pathlib import Path


class AlreadyRunningError(Exception):
    """Another process holds the directory; `str()` says which, and what to do."""


class StateLock:
    """An exclusive flock on a file. The kernel lets go of it when the process ends, however it ends."""

    def __init__(self, descriptor: int) -> None:
        """Use `hold`."""
        self._descriptor = descriptor

    def release(self) -> None:
        """Let another process begin."""
        os.close(self._descriptor)


def hold(directory: Path, program: str) -> StateLock:
    """Take the directory for `program`; it is made if it is not there.

    Raises:
        AlreadyRunningError: when another process holds it.
        OSError: when it cannot be made or written.
    """
    directory.mkdir(parents=True, exist_ok=True, mode=0o750)
    path = directory / f"{program}.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
        os.close(descriptor)
        raise AlreadyRunningError(
            f"{path} is held by another {program} (pid {holder}); stop it, or give this one a state_dir "
            "of its own",
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return StateLock(descriptor)
