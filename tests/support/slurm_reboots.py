"""Watches for RebootProgram: which node was told to reboot, and how often."""

import os
import select
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO


@dataclass(slots=True)
class RebootWatch:
    """Reads node names from a FIFO on a thread of its own, where `on_reboot` is called, too."""

    requests: Path
    on_reboot: Callable[[str], None] | None = None
    waiting: set[str] = field(default_factory=set)
    count: Counter[str] = field(default_factory=Counter)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _thread: threading.Thread | None = None
    _wake: int = -1

    def start(self) -> None:
        """Begin to listen."""
        reader, self._wake = os.pipe()
        # Opened for both ways, so that it never reads an end of file while no reboot is going on.
        requests = os.fdopen(os.open(self.requests, os.O_RDWR), "rb", buffering=0)
        self._thread = threading.Thread(target=self._listen, args=(requests, reader), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; no error if it was never started."""
        if self._thread is not None:
            os.write(self._wake, b"\n")
            self._thread.join()
            os.close(self._wake)
            self._thread = None

    def wait(self, node: str, timeout: float) -> bool:
        """Whether `node` was told to reboot, within `timeout` seconds, since it was last `over`."""
        with self._changed:
            return self._changed.wait_for(lambda: node in self.waiting, timeout)

    def over(self, node: str) -> None:
        """The node came up."""
        with self._changed:
            self.waiting.discard(node)

    def _listen(self, requests: IO[bytes], wake: int) -> None:
        with requests:
            while True:
                ready, _, _ = select.select([requests, wake], [], [])
                if wake in ready:
                    os.close(wake)
                    return
                for name in requests.read(4096).decode().split():
                    self._note(name)

    def _note(self, name: str) -> None:
        with self._changed:
            self.waiting.add(name)
            self.count[name] += 1
            self._changed.notify_all()
        if self.on_reboot is not None:
            self.on_reboot(name)
