"""Puts the agent's parts together, for the daemon, for `--once` and for tests alike."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sickbay.actuators.evidence import CollectEvidence, Findings
from sickbay.actuators.table import ACTUATORS, Actuator
from sickbay.core.kernel_records import Cursor
from sickbay.core.messages import Verb
from sickbay.core.rule_state import EngineState
from sickbay.host.evidence_files import EvidenceFolder
from sickbay.host.kernel_window import EVERYTHING, text_of
from sickbay.host.kmsg import Reading
from sickbay.host.rule_shelf import RuleShelf
from sickbay.host.spool import Spool, SpoolUnavailableError
from sickbay.host.spool_records import UnreadableRecordError, decoded
from sickbay.host.spool_store import Limits, Restored
from sickbay.host.verdict_file import VerdictFile
from sickbay.monitors import kernel_log
from sickbay.node.agent_side import NodeSide
from sickbay.node.config import AgentConfig, shown
from sickbay.node.gpu_watch import NAME as NVML
from sickbay.node.gpu_watch import GpuWatch
from sickbay.node.history import History
from sickbay.node.host_watch import HostWatch
from sickbay.node.judge import Judge
from sickbay.node.kernel_watch import KernelWatch
from sickbay.node.metrics import Counters
from sickbay.node.operations import HostOperations
from sickbay.node.performing import Performer
from sickbay.node.plugin_watch import PluginWatch
from sickbay.node.ports import Ports
from sickbay.node.reporting import Reporter
from sickbay.node.rule_intake import Beginning, RuleIntake
from sickbay.node.status import HostStatus, Identity
from sickbay.node.sweep_judgement import SweepJudgement

if TYPE_CHECKING:
    from sickbay.node.trace_recorder import TraceRecorder

_LOG = logging.getLogger(__name__)

_EVENTS_IN_EVIDENCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """The parts, wired. Nothing runs yet: `sickbay.node.daemon` does that."""

    config: AgentConfig
    ports: Ports
    status: HostStatus
    judge: Judge
    history: History
    kernel: KernelWatch
    gpus: GpuWatch
    host: HostWatch
    plugins: PluginWatch
    side: NodeSide
    begun: Beginning
    intake: RuleIntake
    operations: HostOperations
    verdict: VerdictFile
    spool: Spool

    def begin(self) -> None:
        """Start to write, and take up what an earlier process left behind. Called once, on the loop."""
        self.spool.start(self.history)
        self.judge.begin()
        self.judge.sight("spool", self.spool.trouble)
        self.intake.begin(self.begun)

    async def end(self) -> None:
        """Let go of the driver, the verdict and the disk, in this order."""
        await self.gpus.close()
        self.verdict.withdraw()
        if self.judge.trace is not None:
            await self.judge.trace.flush()
        await self.spool.close()


def assemble(config: AgentConfig, begun: Beginning, ports: Ports, version: str) -> Agent:
    """The agent of this configuration over these edges. The spool's file is opened here."""
    now = ports.clock.now()
    identity = Identity(node=config.node_name, boot_id=ports.boot_id, version=version, started_at=now.wall)
    limits = Limits(max_bytes=config.spool.max_bytes, max_age=config.spool.max_age)
    spool = Spool(config.spool_path, node=identity.node, limits=limits, now=now.wall)
    restored = spool.restored(identity.boot_id)
    state, cursor = _taken_up(restored, identity)
    status = HostStatus(
        identity=identity,
        essential=frozenset({kernel_log.NAME} | ({NVML} if ports.gpus else set())),
        baseline=spool.baseline(),
    )
    verdict = VerdictFile(config.verdict_path)
    reporter, counters = Reporter(), Counters()
    judge = Judge(
        clock=ports.clock,
        rules=begun.loaded.rules,
        status=status,
        spool=spool,
        reporter=reporter,
        counters=counters,
        shown=lambda: _show(verdict, status, ports.clock.now().wall),
        state=state,
        pool=config.pool,
        keep_readings=config.spool.readings,
        platforms=begun.loaded.platforms,
        trace=_recorder(config, version),
    )
    history = History(
        spool,
        status,
        on_new=reporter.pass_on,
        on_dropped=judge.dropped,
        on_trouble=lambda why: judge.sight("spool", why or spool.trouble),
        alone=not config.coordinators,
    )
    gpus, kernel = _watches(config, ports, judge, cursor)
    collector = _collector(config, ports, status, spool)
    performer = Performer(
        identity=identity,
        clock=ports.clock,
        spool=spool,
        actuators=_actuators(config, ports, collector, gpus),
        sweep=gpus.directed,
    )
    intake = RuleIntake(
        config=config,
        judge=judge,
        clock=ports.clock,
        shelf=RuleShelf(config.shelf_path),
        tell=reporter.tell_rules,
    )
    side = NodeSide(
        status=status,
        clock=ports.clock,
        history=history,
        performer=performer,
        reporter=reporter,
        intake=intake,
        pool=config.pool,
    )
    operations = HostOperations(
        clock=ports.clock,
        judge=judge,
        spool=spool,
        kernel=kernel,
        gpus=gpus,
        collector=collector,
        longest_release=config.nvml.release,
    )
    return Agent(
        config=config,
        ports=ports,
        status=status,
        judge=judge,
        history=history,
        kernel=kernel,
        gpus=gpus,
        host=HostWatch(clock=ports.clock, judge=judge, root=ports.host, settings=config.host),
        plugins=PluginWatch(
            clock=ports.clock, judge=judge, commands=ports.plugin_commands, settings=config.host
        ),
        side=side,
        begun=begun,
        intake=intake,
        operations=operations,
        verdict=verdict,
        spool=spool,
    )


def _recorder(config: AgentConfig, version: str) -> "TraceRecorder | None":
    """What writes a trace, where one is asked for."""
    trace = config.trace
    if not trace.path:
        return None
    from sickbay.node.trace_recorder import TraceRecorder  # noqa: PLC0415 - few agents ever carry it

    return TraceRecorder(Path(trace.path), max_bytes=trace.max_bytes, node=config.node_name, version=version)


def _taken_up(restored: Restored, identity: Identity) -> tuple[EngineState, Cursor | None]:
    """What the rules had open, and how far the kernel log was read: both, or neither."""
    kept = restored.state or restored.earlier
    if kept is None:
        return EngineState(boot_id=identity.boot_id), None
    try:
        state = decoded(kept, EngineState)
    except UnreadableRecordError as error:
        _LOG.warning("open conditions were kept by another version (%s); reading this boot anew", error)
        return EngineState(boot_id=identity.boot_id), None
    if restored.state is None or restored.cursor is None:
        return state, None
    return state, Cursor(boot_id=identity.boot_id, sequence=restored.cursor)


def _watches(
    config: AgentConfig, ports: Ports, judge: Judge, cursor: Cursor | None
) -> tuple[GpuWatch, KernelWatch]:
    kernel = KernelWatch(
        clock=ports.clock,
        judge=judge,
        open_log=ports.open_log,
        cursor=cursor,
        accept_injected=config.accept_injected,
    )
    gpus = GpuWatch(
        clock=ports.clock,
        judge=judge,
        source=None if ports.gpus is None else ports.gpus(kernel.confirm, _known(judge.status)),
        judged=SweepJudgement(judge.status, ports.nvml_name, lambda: judge.platforms),
        beside=ports.beside,
        interval=config.nvml.sweep,
        jitter=config.nvml.jitter,
    )
    kernel.leave_out = gpus.leave_out
    return gpus, kernel


def _known(status: HostStatus) -> list[str]:
    return [gpu.pci for gpu in status.baseline.gpus] if status.baseline else []


def _collector(config: AgentConfig, ports: Ports, status: HostStatus, spool: Spool) -> CollectEvidence:
    async def findings() -> Findings:
        missing: dict[str, str] = {}
        try:
            events = await spool.recent(since=0.0, limit=_EVENTS_IN_EVIDENCE)
        except SpoolUnavailableError as error:
            events, missing["events.json"] = (), str(error)
        return Findings(
            view=status.view(ports.clock.now().wall),
            events=events,
            config=shown(config),
            missing=missing,
        )

    def kernel_lines() -> bytes:
        everything = Reading(boot_id=ports.boot_id, interest=EVERYTHING, accept_injected=True)
        return text_of(ports.open_log(everything), max_bytes=config.evidence.max_bytes // 2)

    return CollectEvidence(
        findings=findings,
        kernel_lines=kernel_lines,
        folder=EvidenceFolder(
            root=Path(config.state_dir) / "evidence",
            max_bytes=config.evidence.max_bytes,
            keep=config.evidence.keep,
        ),
        deadline=config.evidence.deadline,
    )


def _actuators(
    config: AgentConfig, ports: Ports, collector: CollectEvidence, gpus: GpuWatch
) -> Mapping[Verb, Actuator]:
    reboot = ACTUATORS[Verb.REBOOT](
        commands=ports.commands,
        argv=config.actuators.reboot_command,
        deadline=config.actuators.reboot_deadline,
    )
    restart = ACTUATORS[Verb.RESTART_SERVICE](
        commands=ports.commands,
        allowed=config.actuators.restart_services,
        deadline=config.actuators.restart_deadline,
    )
    reset = ACTUATORS[Verb.RESET_GPU](
        commands=ports.commands,
        clock=ports.clock,
        host=ports.host,
        release=gpus.release,
        resume=gpus.resume,
        argv=config.actuators.gpu_reset_command,
        deadline=config.actuators.gpu_reset_deadline,
    )
    return {
        Verb.COLLECT_EVIDENCE: collector,
        Verb.RESTART_SERVICE: restart,
        Verb.RESET_GPU: reset,
        Verb.REBOOT: reboot,
    }


def _show(verdict: VerdictFile, status: HostStatus, at: float) -> None:
    """Rewrite the verdict. A prolog that finds none takes the node for unknown, so that is no disaster."""
    before = status.monitors.get("verdict")
    try:
        verdict.show(status.view(at))
    except OSError as error:
        if before is None or before.healthy:
            _LOG.error("the verdict cannot be written: %s", error)
        status.note("verdict", str(error), at)
    else:
        status.note("verdict", "", at)
