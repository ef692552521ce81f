"""Wait until something happens in a simulated node, without looking every so often: inotify(7)."""

from __future__ import annotations

import ctypes
import os
import select

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

_IN_MODIFY, _IN_MOVED_TO, _IN_CREATE = 0x2, 0x80, 0x100
_BUFFER = 4096


class Wakeup:
    """Notices that a file was written to, or that another was put in its place."""

    def __init__(self, file: Path) -> None:
        """OSError when the kernel has no watch to give."""
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._file = os.fsencode(file)
        self._descriptor = self._checked(self._libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK))
        self._poll = select.poll()
        self._poll.register(self._descriptor, select.POLLIN)
        self._watch(os.fsencode(file.parent), _IN_MOVED_TO | _IN_CREATE)
        self._watch_file()

    def wait(self, seconds: float) -> None:
        """Return when something was written, or after `seconds`."""
        if self._poll.poll(max(0.0, seconds) * 1000):
            os.read(self._descriptor, _BUFFER)
            self._watch_file()  # another file may lie there now

    def _watch_file(self) -> None:
        if os.path.exists(self._file):  # noqa: PTH110 - bytes, as the kernel takes them
            self._watch(self._file, _IN_MODIFY)

    def _watch(self, path: bytes, mask: int) -> None:
        self._checked(self._libc.inotify_add_watch(self._descriptor, path, mask))

    @staticmethod
    def _checked(result: int) -> int:
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, f"inotify: {os.strerror(number)}")
        return result
