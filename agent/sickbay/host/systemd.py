"""What a service tells systemd, by the protocol of sd_notify(3): ready, alive, reloading, stopping.

The protocol is a datagram to the socket that systemd names in the environment; the library of that name is
not needed for it. Outside systemd everything here does nothing.
"""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from sickbay.core.instants import Instant


class ServiceManager(Protocol):
    """Who started us, and wants to know how we are."""

    @property
    def watchdog_interval(self) -> float | None:
        """Seconds within which `alive` must be said, or None when nobody waits for it."""
        ...

    def ready(self, status: str) -> None:
        """Start-up (or a reload) is over."""
        ...

    def alive(self, status: str) -> None:
        """The decision loop turns. `status` is shown by `systemctl status`."""
        ...

    def reloading(self, now: Instant) -> None:
        """A reload has begun; `ready` ends it."""
        ...

    def stopping(self, status: str) -> None:
        """An orderly end has begun."""
        ...


@dataclass(frozen=True, slots=True)
class Systemd:
    """systemd at the other end of `$NOTIFY_SOCKET`."""

    address: str
    watchdog_interval: float | None = None

    def ready(self, status: str) -> None:
        """READY=1."""
        self._send("READY=1", f"STATUS={status}")

    def alive(self, status: str) -> None:
        """WATCHDOG=1."""
        self._send("WATCHDOG=1", f"STATUS={status}")

    def reloading(self, now: Instant) -> None:
        """RELOADING=1 with the time stamp that `Type=notify-reload` needs to tell reloads apart."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={int(now.mono * 1e6)}", "STATUS=reloading rules")

    def stopping(self, status: str) -> None:
        """STOPPING=1."""
        self._send("STOPPING=1", f"STATUS={status}")

    def _send(self, *lines: str) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
            try:
                sender.sendto("\n".join(line.replace("\n", " ") for line in lines).encode(), self.address)
            except OSError:
                # systemd restarts us when it misses these; there is nobody else to tell.
                return


@dataclass(frozen=True, slots=True)
class NoServiceManager:
    """Started by hand or by a test: nobody waits for word."""

    watchdog_interval: float | None = None

    def ready(self, status: str) -> None:
        """Tell nobody."""

    def alive(self, status: str) -> None:
        """Tell nobody."""

    def reloading(self, now: Instant) -> None:
        """Tell nobody."""

    def stopping(self, status: str) -> None:
        """Tell nobody."""


def service_manager(environ: Mapping[str, str], pid: int | None = None) -> ServiceManager:
    """The service manager that the environment names; one that ignores us where there is none.

    `WATCHDOG_PID` guards against a child that inherited the environment answering for its parent.
    """
    address = environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return NoServiceManager()
    if address.startswith("@"):
        address = "\0" + address[1:]  # An abstract socket, as sd_notify(3) writes it.
    own = os.getpid() if pid is None else pid
    usec = environ.get("WATCHDOG_USEC", "")
    for_us = environ.get("WATCHDOG_PID", str(own)) == str(own)
    return Systemd(address, int(usec) / 1e6 if for_us and usec.isdecimal() and int(usec) else None)
