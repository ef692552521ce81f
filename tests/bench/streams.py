"""What agents that are merely well cost a coordinator: streams and heartbeats, over real connections.

The server runs in a process of its own with nothing behind the wire but counters, and is measured from
outside. This process plays the agents: a connection each, a heartbeat every 5 s at a phase of its own. The
figures hold for the number of agents that they were measured with; SICKBAY_BENCH_AGENTS raises it from 2,000
to what the limits on open files and memory allow. The goals are for 12,500 agents, and only such a run is
held to them.
"""

import asyncio
import gc
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import grpc
import psutil
from tests.bench.figures import Figure, NotHereError, at_most, cannot, median, noted, p99

from sickbay.core.devices import Inventory
from sickbay.core.ids import BootId, NodeName
from sickbay.core.messages import ActionReport, Delta, Event, FullState, Hello, Welcome
from sickbay.rpc.agent_link import CHANNEL_OPTIONS
from sickbay.rpc.convert_stream import wire_hello
from sickbay.rpc.coordinator_server import AgentService
from sickbay.rpc.ports import AgentSession
from sickbay.rpc.serving import RpcServer
from sickbay.v1 import coordinator_pb2 as pb

AGENTS = int(os.environ.get("SICKBAY_BENCH_AGENTS", "2000"))
FLEET = 12_500
BEAT_S = 5.0
FOR_S = 30.0
ENOUGH = 95.0
"""Percent of the heartbeats that were due: with less, this process is what was measured."""

JOIN_OVER_S = 0.004
"""Seconds of the ramp an agent: joins are paced by the agents' own jitter."""

_CONNECT = "/sickbay.v1.CoordinatorService/Connect"
_SERVE = "--serve"


class CountingGateway:
    """An AgentGateway that keeps a time stamp a node, as any coordinator must, and no more."""

    def __init__(self) -> None:
        self.last_seen: dict[NodeName, float] = {}
        self.heartbeats = 0
        self.endings = 0

    def welcome(self, _hello: Hello) -> Welcome:
        """Take everybody."""
        return Welcome(term=1, heartbeat_interval=BEAT_S, coordinator="bench")

    async def connected(self, session: AgentSession, _hello: Hello) -> None:
        """Keep the node."""
        self.last_seen[session.node] = time.monotonic()

    async def full_state(self, session: AgentSession, state: FullState) -> None:
        """Nothing to reconcile."""

    async def delta(self, session: AgentSession, delta: Delta) -> None:
        """Nothing to decide."""

    async def events(self, session: AgentSession, events: Sequence[Event]) -> None:
        """Nothing to commit."""

    def heartbeat(self, session: AgentSession) -> None:
        """The hot path."""
        self.last_seen[session.node] = time.monotonic()
        self.heartbeats += 1

    async def report(self, session: AgentSession, report: ActionReport) -> None:
        """Nobody was asked."""

    async def disconnected(self, _session: AgentSession, _why: str) -> None:
        """None should be lost while it is measured."""
        self.endings += 1


async def serve() -> None:
    """The measured process: answers each line on its standard input with its counters."""
    gateway = CountingGateway()
    server = RpcServer(["127.0.0.1:0"], [AgentService(gateway)])
    (address,) = await server.start()
    sys.stdout.write(f"{address}\n")
    sys.stdout.flush()
    while await asyncio.to_thread(sys.stdin.readline):
        # What the ramp left behind is not garbage: a later collection need not look at it again.
        gc.collect()
        gc.freeze()
        sys.stdout.write(json.dumps([len(gateway.last_seen), gateway.heartbeats, gateway.endings]) + "\n")
        sys.stdout.flush()
    await server.stop(grace=0.0)


class Server:
    """The measured process, from outside."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.bench.streams", _SERVE]
        root = Path(__file__).resolve().parents[2]
        self._process = subprocess.Popen(
            command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.address = self._line()
        self._seen = psutil.Process(self._process.pid)

    def counters(self) -> tuple[int, int, int]:
        """Nodes that joined, heartbeats heard, streams that ended."""
        self._process.stdin.write("\n")  # type: ignore[union-attr]
        self._process.stdin.flush()  # type: ignore[union-attr]
        joined, heartbeats, endings = json.loads(self._line())
        return joined, heartbeats, endings

    def cpu_s(self) -> float:
        """Processor time so far, of all threads."""
        times = self._seen.cpu_times()
        return float(times.user + times.system)

    def memory_mb(self) -> float:
        """Proportional set size."""
        return float(self._seen.memory_full_info().pss) / 1e6

    def end(self) -> None:
        """Close its standard input and wait."""
        self._process.communicate(timeout=60)

    def _line(self) -> str:
        return self._process.stdout.readline().strip()  # type: ignore[union-attr]


class Agents:
    """All agents of this process, a task and a connection each."""

    def __init__(self, address: str, count: int) -> None:
        self._address = address
        self._count = count
        self.joined = 0
        self.lost: list[str] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def join(self) -> float:
        """Connect all; returns the seconds that it took."""
        began = time.monotonic()
        for number in range(self._count):
            self._tasks.append(asyncio.create_task(self._live(number)))
            await asyncio.sleep(JOIN_OVER_S)
        while self.joined + len(self.lost) < self._count:
            await asyncio.sleep(0.05)
        return time.monotonic() - began

    async def leave(self) -> None:
        """Disconnect all."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _live(self, number: int) -> None:
        heartbeat = pb.AgentMessage(heartbeat=pb.Heartbeat(at=1.0)).SerializeToString()
        async with grpc.aio.insecure_channel(self._address, options=CHANNEL_OPTIONS) as channel:
            call = channel.stream_stream(_CONNECT)()
            try:
                await hello(call, f"node-{number:05}")
                self.joined += 1
                await asyncio.sleep(random.uniform(0.0, BEAT_S))
                while True:
                    await call.write(heartbeat)
                    await asyncio.sleep(BEAT_S)
            except (grpc.aio.AioRpcError, asyncio.InvalidStateError) as error:
                self.lost.append(str(error))


async def hello(call: grpc.aio.StreamStreamCall[bytes, bytes], node: str) -> None:
    """The beginning of a stream."""
    said = Hello(
        node=NodeName(node),
        boot_id=BootId("b" * 36),
        version="bench",
        inventory=Inventory(),
        rules_digest="",
        started_at=1.0,
    )
    await call.write(pb.AgentMessage(hello=wire_hello(said)).SerializeToString())
    await call.read()
    await call.write(pb.AgentMessage(full_state=pb.FullState()).SerializeToString())


async def acknowledgements(address: str, seconds: float) -> list[float]:
    """Milliseconds from an event to its acknowledgement, of one more agent that tells 20 a second."""
    took = []
    async with grpc.aio.insecure_channel(address, options=CHANNEL_OPTIONS) as channel:
        call = channel.stream_stream(_CONNECT)()
        await hello(call, "probe")
        until = time.monotonic() + seconds
        sequence = 0
        while time.monotonic() < until:
            sequence += 1
            batch = pb.EventBatch()
            batch.events.add(sequence=sequence, id=f"e{sequence}")
            message = pb.AgentMessage(events=batch).SerializeToString()
            began = time.perf_counter()
            await call.write(message)
            await call.read()
            took.append((time.perf_counter() - began) * 1e3)
            await asyncio.sleep(0.05)
        call.cancel()
    return took


async def run(server: Server, count: int) -> dict[str, Figure]:
    """Join, settle, measure, leave."""
    bare_mb = server.memory_mb()
    agents = Agents(server.address, count)
    joined_s = await agents.join()
    await asyncio.sleep(BEAT_S)
    _, heartbeats_before, _ = await asyncio.to_thread(server.counters)
    cpu_before, began = server.cpu_s(), time.monotonic()
    took = await acknowledgements(server.address, FOR_S)
    cpu, elapsed = server.cpu_s() - cpu_before, time.monotonic() - began
    memory_mb = server.memory_mb()
    _, heartbeats, endings = await asyncio.to_thread(server.counters)
    await agents.leave()
    heard = 100 * (heartbeats - heartbeats_before) * BEAT_S / (count * elapsed)
    share = cpu / elapsed
    if heard < ENOUGH:
        why = f"the generator sent only {heard:.0f} % of the heartbeats of {count} agents in time"
        return {"streams_cpu": cannot(why), "streams_memory": noted(memory_mb, "MB")}
    held = count >= FLEET
    return {
        "streams_agents": noted(count, "agents"),
        "streams_joined": noted(joined_s, "s"),
        "streams_lost": at_most(len(agents.lost) + endings - 1, "streams", 0),
        "streams_heartbeats_heard": noted(heard, "% of those due"),
        "streams_cpu": at_most(share, "of a core", 0.75) if held else noted(share, "of a core"),
        "streams_memory": at_most(memory_mb, "MB", 800) if held else noted(memory_mb, "MB"),
        "streams_memory_each": noted((memory_mb - bare_mb) * 1e3 / count, "KB an agent"),
        "streams_ack_p50": at_most(median(took), "ms", 20),
        "streams_ack_p99": at_most(p99(took), "ms", 150),
    }


def measure() -> dict[str, Figure]:
    """The figures for SICKBAY_BENCH_AGENTS agents."""
    files = AGENTS + 512
    if psutil.Process().rlimit(psutil.RLIMIT_NOFILE)[0] < files:
        raise NotHereError(f"{AGENTS} agents need {files} open files; raise `ulimit -n`")
    server = Server()
    try:
        return asyncio.run(run(server, AGENTS))
    finally:
        server.end()


if __name__ == "__main__":
    asyncio.run(serve()) if _SERVE in sys.argv else print(json.dumps(measure(), indent=2))
