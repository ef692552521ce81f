"""The coordinator as a process: a flat list of named root tasks. When one ends, all end; it is said which."""

import asyncio
import logging
import os
import signal
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from sickbay.coordinator.assembly import Coordinator, Identity, Ports, assemble
from sickbay.coordinator.config import CoordinatorConfig
from sickbay.coordinator.cordon_records import StoredCordonRecords
from sickbay.coordinator.metrics import Metrics
from sickbay.coordinator.own_rules import OwnRules, ReadRules, shelf_of
from sickbay.coordinator.power_config import power_control
from sickbay.coordinator.rule_operations import RuleOperations
from sickbay.coordinator.rule_sets import RuleSets
from sickbay.coordinator.rules_metrics import RulesMetrics
from sickbay.coordinator.sqlite_store import open_sqlite
from sickbay.coordinator.steady_clock import SteadyClock
from sickbay.coordinator.store import Snapshot, Store, StoreError
from sickbay.coordinator.upkeep import StoreMetrics, without_gone_nodes
from sickbay.host.clock import Clock, SystemClock
from sickbay.host.commands import SystemCommands
from sickbay.host.state_lock import hold
from sickbay.host.systemd import ServiceManager
from sickbay.orchestrators.protocol import Orchestrator
from sickbay.orchestrators.table import ORCHESTRATORS, Edges
from sickbay.rpc.coordinator_server import AgentService
from sickbay.rpc.fleet_server import FleetService
from sickbay.rpc.serving import RpcServer, Security

_LOG = logging.getLogger(__name__)

_REFRESH = 5.0
_IDLE_BEAT = 10.0


async def serve(config: CoordinatorConfig, rules: ReadRules, version: str, manager: ServiceManager) -> int:
    """Run until told to stop; returns the exit status.

    Raises:
        AlreadyRunningError, StoreError, BadAddress, OSError: when it cannot begin; each says why.
    """
    held = hold(Path(config.state_dir), "sickbay-coordinator")
    try:
        store = open_sqlite(config.database_path)
        try:
            return await _Daemon(config, rules, version, manager, store).run()
        finally:
            await store.close()
    finally:
        held.release()


class _Daemon:
    """One run of the coordinator over an open store."""

    def __init__(
        self,
        config: CoordinatorConfig,
        rules: ReadRules,
        version: str,
        manager: ServiceManager,
        store: Store,
    ) -> None:
        self._config = config
        self._own = OwnRules(config=config, shelf=shelf_of(config), store=store, read=rules)
        self._reload_asked = asyncio.Event()
        self._version = version
        self._manager = manager
        self._store = store
        self._clock: Clock = SteadyClock(SystemClock())
        self._metrics = Metrics()

    async def run(self) -> int:
        snapshot = await self._loaded()
        coordinator = await self._assembled(snapshot)
        rules = await self._rule_operations(coordinator, snapshot)
        server = RpcServer(
            self._config.listen,
            [
                AgentService(coordinator.gateway),
                FleetService(coordinator.operations, rules, coordinator.orders),
            ],
            security=Security(insecure_plaintext_off_host=self._config.insecure_plaintext_off_host),
        )
        self._begin_metrics(coordinator)
        addresses = await server.start()
        try:
            self._announce(coordinator, addresses)
            return await _until_one_ends(self._roots(coordinator, rules))
        finally:
            self._manager.stopping("stopping")
            coordinator.fleet.watchers.end()
            await server.stop()

    async def _loaded(self) -> Snapshot:
        now, kept = self._clock.now().wall, self._config.database.keep_nodes
        return await without_gone_nodes(self._store, await self._store.load(), now=now, kept=kept)

    async def _assembled(self, snapshot: Snapshot) -> Coordinator:
        await self._own.begin(snapshot.confirmed)
        ports = Ports(
            store=self._store,
            orchestrator=self._orchestrator(snapshot),
            clock=self._clock,
            power=power_control(self._config.power, self._clock, os.environ),
            power_plan=self._config.power.plan,
            gates=self._config.gates(),
            paging=self._config.notify.settings(),
            retention=self._config.database.retention,
            store_bound=self._config.database.max_bytes,
        )
        paces = self._config.orchestrator
        identity = Identity(
            name=self._config.coordinator_name,
            version=self._version,
            rules_digest=self._own.read.loaded.rules.digest,
            heartbeat_interval=self._config.heartbeat,
            busy_look=paces.busy_look,
            idle_look=paces.idle_look,
        )
        policy = replace(self._config.policy(self._own.remedies), awaiting=self._own.awaiting)
        return await assemble(ports, policy, identity, snapshot)

    async def _rule_operations(self, coordinator: Coordinator, snapshot: Snapshot) -> RuleOperations:
        """What hands out rules, wired to the streams; the candidate is what our own files say."""
        rollout = self._config.rollout
        sets = RuleSets(
            fleet=coordinator.fleet,
            store=self._store,
            clock=self._clock,
            plan=rollout.plan(),
            automatic=rollout.automatic,
            known={record.digest: record for record in snapshot.rule_sets},
            rollout=snapshot.rollout,
        )
        await sets.take(self._own.read.bundle)
        coordinator.gateway.rules_told = sets.look
        return RuleOperations(
            own=self._own,
            sets=sets,
            fleet=coordinator.fleet,
            policy=coordinator.gateway.policy,
            clock=self._clock,
            wake=coordinator.reconciler.look,
        )

    def _orchestrator(self, snapshot: Snapshot) -> Orchestrator:
        chosen = self._config.orchestrator
        edges = Edges(
            clock=self._clock,
            commands=SystemCommands(),
            records=StoredCordonRecords(self._store, snapshot.cordons),
        )
        section = chosen.slurm if chosen.kind == "slurm" else chosen.standalone
        return ORCHESTRATORS[chosen.kind].build(section.settings(), edges)

    def _begin_metrics(self, coordinator: Coordinator) -> None:
        coordinator.fleet.on_commit.append(self._metrics.committed)
        if self._config.metrics_address is not None:
            self._metrics.serve(*self._config.metrics_address)

    def _announce(self, coordinator: Coordinator, addresses: tuple[str, ...]) -> None:
        if self._config.address_file:
            Path(self._config.address_file).write_text("".join(f"{a}\n" for a in addresses), encoding="utf-8")
        active = sum(state.active is not None for state in coordinator.fleet)
        said = (
            f"listening on {', '.join(addresses)}; mode {self._config.mode}, "
            f"{self._config.orchestrator.kind}; {len(coordinator.fleet.nodes)} nodes known, "
            f"{active} remediations go on"
        )
        _LOG.info(said)
        self._manager.ready(said)

    def _roots(
        self, coordinator: Coordinator, rules: RuleOperations
    ) -> Mapping[str, Coroutine[object, object, None]]:
        return {
            "told to stop": _told_to_stop(),
            "reconciler": coordinator.reconciler.run(),
            "look at the scheduler": coordinator.watch.run(),
            "standing orders": coordinator.housekeeping.run(),
            "rules": rules.sets.run(),
            "reload": self._reload_when_asked(coordinator, rules),
            "metrics": self._refresh(coordinator, rules),
            "retention": coordinator.upkeep.run(),
            "watchdog": self._beat(),
        }

    async def _reload_when_asked(self, coordinator: Coordinator, rules: RuleOperations) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._reload_asked.set)
        while True:
            await self._reload_asked.wait()
            self._reload_asked.clear()
            self._manager.reloading(self._clock.now())
            try:
                await rules.reload()
            except StoreError as error:
                _LOG.error("the rules stay as they were: %s", error)
            coordinator.operations.rules_digest = self._own.read.loaded.rules.digest
            self._manager.ready("deciding")

    async def _refresh(self, coordinator: Coordinator, rules: RuleOperations) -> None:
        figures, stored = RulesMetrics(self._metrics.registry), StoreMetrics(self._metrics.registry)
        while True:
            self._metrics.refresh(coordinator.fleet)
            stored.refresh(coordinator.upkeep)
            self._metrics.refresh_orders(coordinator.situation.orders, self._clock.now().wall)
            figures.refresh(await rules.rules())
            await self._clock.sleep(_REFRESH)

    async def _beat(self) -> None:
        interval = self._manager.watchdog_interval
        while True:
            self._manager.alive("deciding")
            await self._clock.sleep(_IDLE_BEAT if interval is None else interval / 3)


async def _told_to_stop() -> None:
    """Return when somebody sends SIGTERM or SIGINT."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    await told.wait()


async def _until_one_ends(roots: Mapping[str, Coroutine[object, object, None]]) -> int:
    """Run them all; returns 0 when the one that ended was told to. An error in one ends all."""
    tasks = [asyncio.create_task(root, name=name) for name, root in roots.items()]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.wait(tasks)
    return max(_status(task) for task in done)


def _status(task: "asyncio.Task[None]") -> int:
    error = task.exception()
    if error is not None:
        _LOG.critical("%s ended by an error, and so do we", task.get_name(), exc_info=error)
        return 1
    _LOG.info("%s: stopping", task.get_name())
    return 0 if task.get_name() == "told to stop" else 1
