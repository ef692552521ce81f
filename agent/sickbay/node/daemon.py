"""The agent as a process: a flat list of named root tasks over one assembled agent."""

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Coroutine, Mapping
from pathlib import Path

from sickbay.host.state_lock import StateLock, hold
from sickbay.host.systemd import ServiceManager
from sickbay.node import metrics
from sickbay.node.assembly import Agent, assemble
from sickbay.node.config import AgentConfig
from sickbay.node.metrics_server import MetricsServer
from sickbay.node.ports import Ports
from sickbay.node.root_tasks import until_one_ends
from sickbay.node.rule_intake import Beginning
from sickbay.rpc.agent_link import CoordinatorLink
from sickbay.rpc.node_server import NodeServer
from sickbay.rpc.quick_view import QuickView
from sickbay.rpc.serving import Security

_LOG = logging.getLogger(__name__)

PROGRAM = "sickbay-agent"
TOLD_TO_STOP = "told to stop"

_BEAT = 10.0
"""Seconds between two turns of the decision loop that nothing else caused: silence is judged, too."""

_SWITCH = 0.0005
"""Seconds that the spool's thread may hold the interpreter's lock while a kernel line waits for it."""


async def serve(
    config: AgentConfig,
    begun: Beginning,
    ports: Ports,
    *,
    version: str,
    manager: ServiceManager,
) -> int:
    """Run until told to stop; the exit status. `begun` is what rules it starts with.

    Raises:
        AlreadyRunningError, BadAddress, OSError: when it cannot begin; each says why.
    """
    sys.setswitchinterval(_SWITCH)
    held = _places(config)
    try:
        agent = assemble(config, begun, ports, version)
        try:
            return await _Daemon(agent, manager).run()
        finally:
            await agent.end()
    finally:
        held.release()


def _places(config: AgentConfig) -> StateLock:
    """The folders that this agent needs, and the sole right to the one that lasts."""
    Path(config.runtime_dir).mkdir(parents=True, exist_ok=True)
    return hold(Path(config.state_dir), PROGRAM)


class _Daemon:
    """One run of an assembled agent."""

    def __init__(self, agent: Agent, manager: ServiceManager) -> None:
        self._agent = agent
        self._manager = manager
        self._clock = agent.ports.clock
        self._api = NodeServer(agent.operations, agent.config.socket_path)
        self._quick = QuickView(agent.operations, agent.config.socket_path)
        self._metrics = self._metrics_server()
        self._link = self._coordinator_link()
        self._told = asyncio.Event()
        self._reload_asked = asyncio.Event()

    async def run(self) -> int:
        self._listen_to_signals()
        await self._api.start()
        try:
            self._agent.begin()
            await self._quick.start()
            self._announce(await self._begin_metrics())
            return await until_one_ends(self._roots(), orderly=TOLD_TO_STOP)
        finally:
            self._manager.stopping("stopping")
            if self._metrics is not None:
                await self._metrics.stop()
            await self._quick.stop()
            await self._api.stop()

    def _roots(self) -> Mapping[str, Coroutine[object, object, None]]:
        agent = self._agent
        roots: dict[str, Coroutine[object, object, None]] = {
            TOLD_TO_STOP: self._until_told(),
            "kernel log": agent.kernel.run(),
            "kernel log storms": agent.kernel.settle(),
            "GPU sweeps": agent.gpus.run(),
            "host monitors": agent.host.run(),
            "plugins": agent.plugins.run(),
            "decisions": self._decide(),
            "reload": self._reload_when_asked(),
        }
        if agent.judge.trace is not None:
            roots["trace"] = agent.judge.trace.run(self._clock, lambda why: agent.judge.sight("trace", why))
        if self._link is not None:
            roots["coordinator link"] = self._link.run()
        return roots

    async def _until_told(self) -> None:
        await self._told.wait()

    async def _decide(self) -> None:
        """Let time pass for the rules, and tell systemd that deciding works: nobody else may."""
        interval = self._manager.watchdog_interval
        while True:
            self._agent.judge.take(())
            self._note_link()
            self._manager.alive(self._agent.status.health()[1])
            await self._clock.sleep(_BEAT if interval is None else min(_BEAT, interval / 3))

    async def _reload_when_asked(self) -> None:
        await self._agent.intake.keep(self._agent.begun)
        while True:
            await self._reload_asked.wait()
            self._reload_asked.clear()
            self._manager.reloading(self._clock.now())
            await self._agent.intake.reload()
            self._manager.ready(self._agent.status.health()[1])

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._told.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload_asked.set)

    def _metrics_server(self) -> MetricsServer | None:
        address = self._agent.config.metrics_address
        if address is None:
            return None
        judge = self._agent.judge
        return MetricsServer(
            *address,
            lambda: metrics.page(judge.status.view(self._clock.now().wall), judge.counters),
        )

    def _coordinator_link(self) -> CoordinatorLink | None:
        config = self._agent.config
        if not config.coordinators:
            return None
        security = Security(insecure_plaintext_off_host=config.insecure_plaintext_off_host)
        link = CoordinatorLink(config.coordinators, self._agent.side, self._clock, security=security)
        self._agent.side.reporter.link = link
        return link

    async def _begin_metrics(self) -> str:
        """Where figures are served. An address that cannot be had is said, and costs no detection."""
        if self._metrics is None:
            return "none"
        try:
            return await self._metrics.start()
        except OSError as error:
            _LOG.error("no metrics are served: %s", error)
            self._agent.status.note("metrics", str(error), self._clock.now().wall)
            return "none"

    def _note_link(self) -> None:
        link, status = self._link, self._agent.status
        if link is not None:
            status.coordinator = link.target
            trouble = "" if link.connected else link.trouble or "not connected yet"
            status.note("coordinator", trouble, self._clock.now().wall)

    def _announce(self, metrics_at: str) -> None:
        agent = self._agent
        said = (
            f"watching {agent.status.identity.node}, boot {agent.status.identity.boot_id}; "
            f"{len(agent.judge.rules.rules)} rules; API {agent.config.socket_path}; metrics {metrics_at}; "
            f"coordinators {', '.join(agent.config.coordinators) or 'none'}"
        )
        _LOG.info(said)
        # What was loaded until now stays: the collector need not look at it again, and so pauses for less.
        gc.collect()
        gc.freeze()
        self._manager.ready(said)
