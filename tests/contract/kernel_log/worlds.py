"""The kernel logs that the contract is asked of: this machine's own, and the simulated one."""

import os
import uuid
from pathlib import Path
from typing import Protocol

from tests.support import kernel_log

from sickbay.core.ids import BootId
from sickbay.core.kernel_records import USER, Cursor, Interest
from sickbay.host.boot import read_boot_id
from sickbay.host.clock import SystemClock
from sickbay.host.kmsg import DeviceKernelLog, KernelLog, Reading
from sickbay.sim.kernel_log import SimulatedKernelLog, append


class World(Protocol):
    """A kernel log that a test may write to as user space does, and open for reading."""

    boot_id: BootId
    head: str

    def write(self, text: str) -> None:
        """Write one line of ours."""

    def overrun(self) -> int:
        """Write more of our lines than the ring holds; returns how many."""

    def open(self, cursor: Cursor | None = None, *, accept_injected: bool = True) -> KernelLog:
        """Open it, reading our lines alone."""


class DeviceWorld:
    """`/dev/kmsg`. Old lines stay in it, so each test's lines begin with a word of its own."""

    def __init__(self) -> None:
        self.boot_id = read_boot_id()
        self.head = f"NVRM: contract {uuid.uuid4().hex} "

    def write(self, text: str) -> None:
        with kernel_log.writer() as descriptor:
            os.write(descriptor, f"<3>{self.head}{text}\n".encode())

    def overrun(self) -> int:
        line = f"<7>{self.head}{'x' * 700}\n".encode()
        with kernel_log.writer() as descriptor:
            for _ in range(4000):
                os.write(descriptor, line)
        return 4000

    def open(self, cursor: Cursor | None = None, *, accept_injected: bool = True) -> KernelLog:
        reading = Reading(
            boot_id=self.boot_id,
            interest=Interest(starts=(self.head.encode(),)),
            cursor=cursor,
            accept_injected=accept_injected,
        )
        return DeviceKernelLog(reading, clock=SystemClock())


class SimulatedWorld:
    """The file of the simulated node, with a ring of 64 records."""

    RING = 64

    def __init__(self, path: Path) -> None:
        self.boot_id = BootId("simulated")
        self.head = "NVRM: contract "
        self.path = path
        append(path, "Linux version 6.1", mono=0.0, level=5)

    def write(self, text: str) -> None:
        append(self.path, f"{self.head}{text}", mono=1.0, facility=USER)

    def overrun(self) -> int:
        for _ in range(self.RING * 3):
            self.write("x")
        return self.RING * 3

    def open(self, cursor: Cursor | None = None, *, accept_injected: bool = True) -> KernelLog:
        reading = Reading(
            boot_id=self.boot_id,
            interest=Interest(starts=(self.head.encode(),)),
            cursor=cursor,
            accept_injected=accept_injected,
        )
        return SimulatedKernelLog(self.path, reading, clock=SystemClock(), ring=self.RING)
