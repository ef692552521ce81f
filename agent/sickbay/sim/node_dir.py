"""The folder that is a simulated node: everything that lives in it, and what has gone wrong there.

Light and plain on purpose: the simulated driver reads it inside the NVML worker, whose memory is measured.
Faults are appended, never rewritten while the node is up, so a reader needs no lock and a look costs one
stat. Times are seconds since the node's boot.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from time import monotonic_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    Record = dict[str, Any]


class NodeDir:
    """One simulated node. Its files: profile.json, faults.jsonl, printed.json, epoch, boot_id and kmsg."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.profile = path / "profile.json"
        self.faults = path / "faults.jsonl"
        self.printed = path / "printed.json"
        self.epoch = path / "epoch"
        self.boot_id = path / "boot_id"
        self.kmsg = path / "kmsg"

    def booted_at(self) -> float:
        """CLOCK_MONOTONIC of this machine at the node's boot, in seconds."""
        return float(self.epoch.read_text(encoding="ascii"))

    def uptime(self) -> float:
        """Seconds since the node's boot."""
        return monotonic_ns() / 1e9 - self.booted_at()

    def read_profile(self) -> Mapping[str, Any]:
        """What the node's GPUs are, as sickbay.host.nvml.profile writes it."""
        profile: Mapping[str, Any] = json.loads(self.profile.read_text(encoding="utf-8"))
        return profile

    def read_faults(self) -> list[Record]:
        """Every fault of this boot, in the order in which they were added."""
        try:
            lines = self.faults.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        # The last piece is empty, or a line that is still being written.
        return [json.loads(line) for line in lines[:-1]]

    def add_faults(self, records: Sequence[Record]) -> None:
        """Append faults; each gets an `id` of its own."""
        with self.locked():
            first = 1 + max((record["id"] for record in self.read_faults()), default=0)
            lines = [
                json.dumps({**record, "id": first + place}) + "\n" for place, record in enumerate(records)
            ]
            with self.faults.open("a", encoding="utf-8") as file:
                file.write("".join(lines))

    def replace_faults(self, records: Sequence[Record]) -> None:
        """Put other faults in the place of all. The caller holds the lock."""
        fresh = self.faults.with_suffix(".new")
        fresh.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
        fresh.replace(self.faults)

    def read_printed(self) -> set[int]:
        """The ids of the faults whose kernel lines stand in the log."""
        try:
            return set(json.loads(self.printed.read_text(encoding="ascii")))
        except FileNotFoundError:
            return set()

    def write_printed(self, ids: set[int]) -> None:
        """Note them. The caller holds the lock."""
        self.printed.write_text(json.dumps(sorted(ids)), encoding="ascii")

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else writes to the node."""
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


class FaultsInView:
    """The faults of a node, read again only when the file has changed; for any number of threads."""

    __slots__ = ("_node", "_records", "_seen", "booted_at")

    def __init__(self, node: NodeDir) -> None:
        self._node = node
        self._seen: tuple[int, int, int] | None = None
        self._records: list[Record] = []
        self.booted_at = node.booted_at()

    def look(self) -> list[Record]:
        """Every fault of this boot, past and to come."""
        try:
            status = os.stat(self._node.faults)  # noqa: PTH116 - Path.stat costs four times as much
        except FileNotFoundError:
            return []
        seen = (status.st_ino, status.st_size, status.st_mtime_ns)
        if seen != self._seen:
            # `_seen` last: another thread may look in between, and must not take the old faults for new.
            self.booted_at = self._node.booted_at()
            self._records = self._node.read_faults()
            self._seen = seen
        return self._records

    def uptime(self) -> float:
        """Seconds since the node's boot."""
        return monotonic_ns() / 1e9 - self.booted_at
