"""The machine's own kernel log, whole: written as user space, read, judged, and forgeries passed over."""

import asyncio
import os
import uuid

import pytest
from tests.support import kernel_log

from sickbay.core.devices import Inventory
from sickbay.core.kernel_records import Cursor
from sickbay.core.signals import Signal
from sickbay.host.boot import read_boot_id
from sickbay.host.clock import SystemClock
from sickbay.host.kmsg import Batch, DeviceKernelLog, KernelLog, KernelLogReader, Reading
from sickbay.monitors.kernel_log import INTEREST, KernelLogState, observe, settle_counts
from sickbay.monitors.xid import Seen

pytestmark = pytest.mark.kmsg
DEADLINE_S = 20.0


@pytest.fixture(autouse=True)
def machine() -> None:
    if reason := kernel_log.why_not():
        pytest.skip(reason)


class Agent:
    """The reader and the monitor, wired as the node wires them."""

    def __init__(self, *, accept_injected: bool) -> None:
        self.boot_id = read_boot_id()
        self.signals: list[Signal] = []
        self.state = KernelLogState()
        self._accept = accept_injected
        self.reader = KernelLogReader(
            open_log=self._open,
            on_batch=self._take,
            on_sight=lambda _: None,
            clock=SystemClock(),
            cursor=self._end(),
        )

    def _open(self, cursor: Cursor | None) -> KernelLog:
        reading = Reading(
            boot_id=self.boot_id,
            interest=INTEREST,
            cursor=cursor,
            accept_injected=self._accept,
        )
        return DeviceKernelLog(reading, clock=SystemClock())

    def _end(self) -> Cursor | None:
        log = self._open(None)
        batch = log.read_batch(256)
        while batch.more:
            batch = log.read_batch(256)
        log.close()
        return batch.cursor

    def _take(self, batch: Batch) -> None:
        seen = Seen(boot_id=self.boot_id, now=batch.read_at, inventory=Inventory())
        observed = observe(self.state, batch.entries, seen)
        self.state = observed.state
        self.signals.extend(observed.signals)

    async def until(self, kind: str, message: str = "") -> Signal:
        async with asyncio.timeout(DEADLINE_S):
            while True:
                for signal in self.signals:
                    if signal.kind == kind and message in signal.raw:
                        return signal
                await asyncio.sleep(0.002)


def write(*lines: str) -> None:
    """Write at debug level, which no console prints: a serial console takes 10 ms a line."""
    with kernel_log.writer() as descriptor:
        for line in lines:
            os.write(descriptor, f"<7>{line}\n".encode())


async def running(agent: Agent) -> "asyncio.Task[None]":
    return asyncio.create_task(agent.reader.run())


async def ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_line_becomes_a_synthetic_signal_with_its_stamp_on_our_clock():
    agent = Agent(accept_injected=True)
    task = await running(agent)
    nonce = uuid.uuid4().hex
    write(f"NVRM: Xid (PCI:0000:b3:00): 79, GPU has fallen off the bus {nonce}")
    signal = await agent.until("xid", nonce)
    await ended(task)
    now = SystemClock().now()
    assert signal.synthetic
    assert signal.fields["code"] == 79
    assert now.mono - DEADLINE_S - 1 < signal.at.mono <= now.mono
    assert signal.identity is not None
    assert signal.identity.boot_id == agent.boot_id


async def test_what_user_space_writes_is_no_fault_of_the_hardware():
    agent, witness = Agent(accept_injected=False), Agent(accept_injected=True)
    tasks = [await running(agent), await running(witness)]
    nonce = uuid.uuid4().hex
    write(f"NVRM: Xid (PCI:0000:b3:00): 79, GPU has fallen off the bus {nonce}")
    await witness.until("xid", nonce)
    async with asyncio.timeout(DEADLINE_S):
        while agent.reader.cursor != witness.reader.cursor:
            await asyncio.sleep(0.002)
    for task in tasks:
        await ended(task)
    assert agent.signals == []


async def test_after_an_overrun_the_gap_is_told_and_the_next_line_is_seen():
    agent = Agent(accept_injected=True)
    start = agent.reader.cursor
    assert start is not None
    nonce = uuid.uuid4().hex
    noise = [f"noise {number} {'x' * 500}" for number in range(4000)]
    write(*noise)  # Before the reader runs, so that the ring is overrun for certain.
    task = await running(agent)
    write(f"NVRM: Xid (PCI:0000:b3:00): 74, link {nonce}")
    await agent.until("xid", nonce)
    await ended(task)
    gap = next(signal for signal in agent.signals if signal.kind == "log_gap")
    lost = gap.fields["lost"]
    assert isinstance(lost, int)
    assert 0 < lost <= len(noise)


async def test_a_storm_of_equal_lines_is_one_signal_with_a_count():
    agent = Agent(accept_injected=True)
    task = await running(agent)
    nonce = uuid.uuid4().hex
    with kernel_log.writer() as descriptor:
        for number in range(2000):
            os.write(descriptor, f"<7>NVRM: Xid (PCI:0000:b3:00): 13, pid=7, name=x, {nonce}\n".encode())
            if number % 100 == 0:
                await asyncio.sleep(0.005)  # Let the reader keep up: this is about counting, not overruns.
    write(f"NVRM: Xid (PCI:0000:b3:00): 74, end {nonce}")
    await agent.until("xid", f"end {nonce}")
    await ended(task)
    settled = settle_counts(agent.state, SystemClock().now().later(60.0))
    storm = [
        signal
        for signal in (*agent.signals, *settled.signals)
        if signal.kind == "xid" and signal.fields["code"] == 13 and nonce in signal.raw
    ]
    assert len({signal.identity for signal in storm}) == 1
    assert storm[-1].count == 2000
