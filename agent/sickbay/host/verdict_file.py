"""The verdict that a job prolog reads: one small JSON file, replaced whole at every change.

It is made for `grep -q '"verdict": "healthy"' /run/sickbay/verdict.json`, which takes a millisecond: the
verdict stands first, each key on a line of its own. An agent that ends takes the file with it, and systemd
empties the unit's runtime directory when the unit stops for good: a missing file means unknown.
"""

from dataclasses import replace
from pathlib import Path

import msgspec

from sickbay.core.host_views import Health, HostView


def rendered(view: HostView) -> bytes:
    """The file's contents: verdict, reasons, node, boot and each open condition in short. Times in Unix s."""
    open_now = [condition for condition in view.conditions if condition.is_open]
    return _text(
        {
            "verdict": view.health.value,
            "reasons": [view.summary] if view.health is not Health.HEALTHY else [],
            "node": view.node,
            "boot_id": view.boot_id,
            "at": round(view.at, 3),
            "conditions": [
                {
                    "type": condition.type,
                    "subject": condition.subject.key,
                    "gpu_uuid": condition.subject.gpu_uuid,
                    "severity": condition.severity.value,
                    "reason": condition.reason,
                    "message": condition.message,
                    "since": round(condition.since, 3),
                    "synthetic": condition.synthetic,
                }
                for condition in open_now
            ],
            "version": view.version,
        },
    )


def _text(content: dict[str, object]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"


class VerdictFile:
    """The file at one path. A reader sees the old contents or the new, never a part."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written = b""

    def show(self, view: HostView) -> None:
        """Replace the file if anything but the time differs; OSError when that is not possible."""
        apart_from_time = rendered(replace(view, at=0.0))
        if apart_from_time == self._written:
            return
        self._replace(rendered(view))
        self._written = apart_from_time

    def withdraw(self) -> None:
        """Remove the file: from now on nobody watches, and a missing file means unknown."""
        self._path.unlink(missing_ok=True)
        self._written = b""

    def _replace(self, content: bytes) -> None:
        # No fsync: the directory is in memory, and after a power cut the boot is another one.
        fresh = self._path.with_name(f".{self._path.name}.new")
        fresh.write_bytes(content)
        fresh.chmod(0o644)
        fresh.replace(self._path)
