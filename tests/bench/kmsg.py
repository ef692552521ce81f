"""What the kernel log costs the agent, and how soon a line is seen, on this machine's own /dev/kmsg.

Three processes: this one writes and measures, one child runs the reader and the monitor as the node wires
them, and one child is a bare blocking reader, the soonest that any reader can be. Both children stamp the
marks they see on CLOCK_MONOTONIC, and CPU is read from the reader's /proc entry, from outside. Lines are
written at debug level, which no console prints, and count as injected.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import psutil
from tests.bench.figures import Figure, NotHereError, at_most, noted
from tests.support import kernel_log

from sickbay.core.devices import Inventory
from sickbay.core.kernel_records import Cursor
from sickbay.host.boot import read_boot_id
from sickbay.host.clock import SystemClock
from sickbay.host.kmsg import BATCH, Batch, DeviceKernelLog, KernelLog, KernelLogReader, Reading
from sickbay.host.priority import go_ahead
from sickbay.monitors.kernel_log import INTEREST, KernelLogState, observe, settle_counts
from sickbay.monitors.xid import Seen

LINES = 56_000
SPREAD_S = 3.0
MARKS = 200
ROUNDS = 5
DEADLINE_S = 60.0
STORM = "NVRM: Xid (PCI:0000:b3:00): 13, pid=4021, name=python, Graphics SM Warp Exception on (GPC 2, TPC 1)"


def agent_side(nonce: str) -> None:
    """The reader and the monitor; prints what it sees of `nonce`, one event a line, until asked to end."""
    out = sys.stdout

    def tell(*words: object) -> None:
        out.write(" ".join(map(str, words)) + "\n")
        out.flush()

    boot_id, state, told = read_boot_id(), KernelLogState(), dict[object, int]()

    def open_log(cursor: Cursor | None) -> KernelLog:
        reading = Reading(boot_id=boot_id, interest=INTEREST, cursor=cursor, accept_injected=True)
        return DeviceKernelLog(reading, clock=SystemClock())

    def hand_on(signals: tuple[object, ...]) -> None:
        now = time.monotonic_ns()
        for signal in signals:
            if signal.kind == "log_gap" and not signal.fields["before_start"]:
                tell("gap", signal.fields["lost"])
            elif nonce in signal.raw and signal.fields["code"] == 74:
                tell("mark", signal.raw.rsplit(" ", 1)[-1], now)
            elif nonce in signal.raw:
                told[signal.identity] = signal.count

    def take(batch: Batch) -> None:
        nonlocal state
        seen = Seen(boot_id=boot_id, now=batch.read_at, inventory=Inventory())
        observed = observe(state, batch.entries, seen)
        state = observed.state
        hand_on(observed.signals)

    async def run() -> None:
        reader = KernelLogReader(
            open_log=open_log,
            on_batch=take,
            on_sight=lambda _: tell("ready"),
            clock=SystemClock(),
            cursor=end_of(open_log(None)),
        )
        reading = asyncio.create_task(reader.run())
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        reading.cancel()
        hand_on(settle_counts(state, SystemClock().now().later(60.0)).signals)
        tell("counted", sum(told.values()))
        os._exit(0)  # The read of standard input cannot be cancelled.

    go_ahead()  # As the agent does.
    asyncio.run(run())


def end_of(log: KernelLog) -> Cursor | None:
    """Where the log ends now; old lines stay in the ring and belong to earlier measurements."""
    batch = log.read_batch(BATCH)
    while batch.more:
        batch = log.read_batch(BATCH)
    log.close()
    return batch.cursor


def bare_side(nonce: str) -> None:
    """The soonest that any reader can see a mark: one blocking read after the other."""
    descriptor = os.open("/dev/kmsg", os.O_RDONLY)
    os.lseek(descriptor, 0, os.SEEK_END)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    wanted = nonce.encode()
    while True:
        try:
            raw = os.read(descriptor, 8192)
        except BrokenPipeError:
            continue
        now = time.monotonic_ns()
        if wanted in raw and b" mark " in raw:
            sys.stdout.write(f"mark {raw.decode().rsplit(' ', 1)[-1].strip()} {now}\n")
            sys.stdout.flush()


class Side:
    """One child, and what it has said so far."""

    def __init__(self, role: str, nonce: str) -> None:
        command = [sys.executable, "-m", "tests.bench.kmsg", role, nonce]
        # A session of its own, as a service has: a nice value counts only within a session.
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        self.marks: dict[str, int] = {}
        self.lost = 0
        self.counted = -1
        self._ready = threading.Event()
        self._heard = threading.Condition()
        threading.Thread(target=self._listen, daemon=True).start()
        if not self._ready.wait(DEADLINE_S):
            raise TimeoutError(f"the {role} reader did not start")

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            words = line.split()
            with self._heard:
                if words[0] == "ready":
                    self._ready.set()
                elif words[0] == "mark":
                    self.marks[words[1]] = int(words[2])
                elif words[0] == "gap":
                    self.lost += int(words[1])
                else:
                    self.counted = int(words[1])
                self._heard.notify_all()

    def until(self, done: Callable[[], bool]) -> None:
        """Wait for something that the child says."""
        with self._heard:
            if not self._heard.wait_for(done, DEADLINE_S):
                raise TimeoutError("the reader did not say what was waited for")

    def cpu_s(self) -> float:
        """Processor time the child has used, in seconds."""
        times = psutil.Process(self.process.pid).cpu_times()
        return times.user + times.system

    def memory_mb(self) -> float:
        """Memory that the child alone holds, in megabytes."""
        return float(psutil.Process(self.process.pid).memory_full_info().uss) / 1e6

    def end(self) -> None:
        """Let the child count, and end it."""
        try:
            if self.process.poll() is None and self.process.stdin is not None:
                self.process.stdin.write("\n")
                self.process.stdin.flush()
                self.process.wait(timeout=10 if "agent" in self.process.args else 0.1)
        except (subprocess.TimeoutExpired, BrokenPipeError):
            self.process.kill()
        self.process.wait()


@contextmanager
def side(role: str, nonce: str) -> Iterator[Side]:
    """A child for as long as it is needed."""
    child = Side(role, nonce)
    try:
        yield child
    finally:
        child.end()


@contextmanager
def busy(cores: int) -> Iterator[None]:
    """Keep so many cores busy with somebody else's work."""
    spin = [sys.executable, "-c", "while True: pass"]
    children = [subprocess.Popen(spin) for _ in range(cores)]
    try:
        yield
    finally:
        for child in children:
            child.kill()
            child.wait()


def mark(writer: int, nonce: str, name: str, *, bus: int = 0) -> int:
    """Write a fault of a GPU of its own, which no count takes up; returns when, in monotonic nanoseconds."""
    now = time.monotonic_ns()
    os.write(writer, f"<7>NVRM: Xid (PCI:0000:{bus:02x}:00): 74, {nonce} mark {name}\n".encode())
    return now


def latency(writer: int, nonce: str) -> dict[str, float]:
    """Milliseconds from a line to the signal, beyond the bare reader of the same line."""
    with side("agent", nonce) as agent, side("bare", nonce) as bare:
        behind, whole = [], []
        for number in range(MARKS):
            name = f"{number}x"
            written = mark(writer, nonce, name, bus=number)
            agent.until(lambda name=name: name in agent.marks)  # type: ignore[misc] - called at once
            bare.until(lambda name=name: name in bare.marks)  # type: ignore[misc] - called at once
            behind.append((agent.marks[name] - bare.marks[name]) / 1e6)
            whole.append((agent.marks[name] - written) / 1e6)
            time.sleep(0.007 + (number % 10) / 3000)
    return {
        "behind_p50": statistics.median(behind),
        "behind_p99": statistics.quantiles(behind, n=100)[98],
        "whole_p50": statistics.median(whole),
        "whole_max": max(whole),
    }


def burst(writer: int, nonce: str, *, spread_s: float, differ: bool = False) -> dict[str, float]:
    """56,000 lines over some seconds (0: as fast as they go), then a fault of another kind.

    Lines that `differ` have a text of their own each, so that none is spared the reading.
    """
    lines = [f"<7>{STORM} {nonce} {number if differ else 0}\n".encode() for number in range(LINES)]
    with side("agent", nonce) as agent:
        time.sleep(0.2)
        used, held, began = agent.cpu_s(), agent.memory_mb(), time.monotonic()
        slices, due = 280 if spread_s else 1, began
        for number in range(slices):
            for line in lines[number * LINES // slices : (number + 1) * LINES // slices]:
                os.write(writer, line)
            # A writer that was held up does not catch up: that would be another rate.
            due = max(due + spread_s / slices, time.monotonic())
            time.sleep(max(due - time.monotonic(), 0.0))
        took = time.monotonic() - began
        written = mark(writer, nonce, "last")
        agent.until(lambda: "last" in agent.marks)
        used, held = agent.cpu_s() - used, agent.memory_mb() - held
        agent.end()
        agent.until(lambda: agent.counted >= 0)
        return {
            "cores": used / took,
            "after_ms": (agent.marks["last"] - written) / 1e6,
            "counted": agent.counted,
            "lost": agent.lost,
            "took_s": took,
            "grown_mb": held,
        }


def measure() -> dict[str, Figure]:
    """The kernel log's figures of docs/measurements.md."""
    if reason := kernel_log.why_not():
        raise NotHereError(reason)
    with ExitStack() as stack:
        stack.enter_context(kernel_log.unlimited())
        writer = stack.enter_context(kernel_log.writer())
        seen = latency(writer, uuid.uuid4().hex)
        idle = [burst(writer, uuid.uuid4().hex, spread_s=SPREAD_S) for _ in range(ROUNDS)]
        differing = [burst(writer, uuid.uuid4().hex, spread_s=SPREAD_S, differ=True) for _ in range(ROUNDS)]
        with busy(os.cpu_count() or 1):
            loaded = [burst(writer, uuid.uuid4().hex, spread_s=SPREAD_S) for _ in range(ROUNDS)]
        flood = [burst(writer, uuid.uuid4().hex, spread_s=0.0) for _ in range(ROUNDS)]
    return {
        "kmsg_line_to_signal_over_bare_reader_p50": at_most(seen["behind_p50"], "ms", 1.0),
        "kmsg_line_to_signal_over_bare_reader_p99": at_most(seen["behind_p99"], "ms", 2.0),
        "kmsg_line_to_signal_p50": at_most(seen["whole_p50"], "ms", 5.0),
        **_burst_figures("idle", idle),
        **_burst_figures("differing", differing),
        **_burst_figures("busy", loaded),
        "kmsg_flood_unaccounted_lines": at_most(max(_unaccounted(one) for one in flood), "lines", 0),
        "kmsg_flood_lost_lines": noted(max(one["lost"] for one in flood), "lines"),
        "kmsg_flood_next_fault_seen": at_most(max(one["after_ms"] for one in flood), "ms", 50.0),
        "kmsg_burst_memory_growth": at_most(max(one["grown_mb"] for one in (*idle, *loaded)), "MB", 2.0),
    }


def _burst_figures(name: str, rounds: list[dict[str, float]]) -> dict[str, Figure]:
    return {
        f"kmsg_burst_{name}_cores": at_most(statistics.median(one["cores"] for one in rounds), "cores", 0.45),
        f"kmsg_burst_{name}_unaccounted_lines": at_most(
            max(_unaccounted(one) for one in rounds),
            "lines",
            0,
        ),
        f"kmsg_burst_{name}_lost_lines": at_most(max(one["lost"] for one in rounds), "lines", 0),
        f"kmsg_burst_{name}_next_fault_seen": at_most(
            statistics.median(one["after_ms"] for one in rounds), "ms", 6.0
        ),
        f"kmsg_burst_{name}_next_fault_seen_worst": noted(max(one["after_ms"] for one in rounds), "ms"),
    }


def _unaccounted(one: dict[str, float]) -> float:
    """Lines that were neither counted nor told as lost. Gaps may hold lines of others: never below 0."""
    return max(0, LINES - one["counted"] - one["lost"])


if __name__ == "__main__":
    {"agent": agent_side, "bare": bare_side}[sys.argv[1]](sys.argv[2])
