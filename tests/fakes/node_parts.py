"""An agent's inner parts over a spool on disk and a clock that stands still, to test one part at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.fakes.clock import FakeClock

from sickbay.core.devices import Gpu, Inventory, Scope, Subject
from sickbay.core.ids import BootId, NodeName
from sickbay.core.messages import ActionReport, Delta, Event
from sickbay.core.rule_state import EngineState
from sickbay.core.rules import RuleSet
from sickbay.core.signals import EventId, FieldValue, Signal
from sickbay.host.rule_files import load_rules
from sickbay.host.spool import Spool
from sickbay.host.spool_records import READING, kind_of
from sickbay.host.spool_store import Limits
from sickbay.node.history import History
from sickbay.node.judge import Judge
from sickbay.node.metrics import Counters
from sickbay.node.reporting import Reporter
from sickbay.node.status import HostStatus, Identity

BOOT = BootId("boot-1")
GPUS = tuple(Gpu(uuid=f"GPU-{slot}", pci=f"0000:{slot + 0x1A:02x}:00", slot=slot) for slot in range(8))
INVENTORY = Inventory(gpus=GPUS, nvml="simulated")


@dataclass
class Told:
    """A link that keeps what it is told."""

    deltas: list[Delta] = field(default_factory=list)
    sent: list[Event] = field(default_factory=list)
    reports: list[ActionReport] = field(default_factory=list)

    def delta(self, delta: Delta) -> None:
        self.deltas.append(delta)

    def events(self, events: Sequence[Event]) -> None:
        self.sent.extend(events)

    def report(self, report: ActionReport) -> None:
        self.reports.append(report)

    @property
    def happened(self) -> list[Event]:
        """What was sent, without the readings that are kept for trying rules on them."""
        return [event for event in self.sent if kind_of(event.what) != READING]


@dataclass
class Parts:
    """Everything that a judge needs, wired as the daemon wires it."""

    folder: Path
    rules: RuleSet = field(default_factory=lambda: load_rules().rules)
    boot: BootId = BOOT
    state: EngineState = field(default_factory=lambda: EngineState(boot_id=BOOT))
    clock: FakeClock = field(default_factory=FakeClock)
    limits: Limits = field(default_factory=Limits)
    shown: int = 0

    def __post_init__(self) -> None:
        now = self.clock.now().wall
        identity = Identity(node=NodeName("n1"), boot_id=self.boot, version="0.1.0", started_at=now)
        self.told = Told()
        self.reporter = Reporter(self.told)
        self.spool = Spool(self.folder / "spool.db", node=identity.node, limits=self.limits, now=now)
        self.status = HostStatus(
            identity=identity, essential=frozenset({"kernel_log"}), baseline=self.spool.baseline()
        )
        self.judge = Judge(
            clock=self.clock,
            rules=self.rules,
            status=self.status,
            spool=self.spool,
            reporter=self.reporter,
            counters=Counters(),
            shown=self._count,
            state=self.state,
        )
        self.history = History(
            self.spool,
            self.status,
            on_new=self.reporter.pass_on,
            on_dropped=self.judge.dropped,
            on_trouble=lambda why: self.judge.sight("spool", why),
        )

    def start(self) -> None:
        self.spool.start(self.history)
        self.judge.begin()

    def _count(self) -> None:
        self.shown += 1

    def reading(self, kind: str, slot: int = 0, **fields: FieldValue) -> Signal:
        subject = Subject(scope=Scope.GPU, gpu_uuid=GPUS[slot].uuid, pci=GPUS[slot].pci)
        return Signal(kind=kind, subject=subject, at=self.clock.now(), fields=fields, sources=("nvml",))

    def xid(self, code: int, sequence: int, *, pid: int = 1, count: int = 1) -> Signal:
        subject = Subject(scope=Scope.GPU, gpu_uuid=GPUS[0].uuid, pci=GPUS[0].pci)
        return Signal(
            kind="xid",
            subject=subject,
            at=self.clock.now(),
            fields={"code": code, "class": "hardware", "action": "RESTART_BM", "pid": pid},
            identity=EventId(boot_id=self.boot, source="kmsg", sequence=sequence),
            sources=("kmsg",),
            raw=f"NVRM: Xid {code}",
            count=count,
        )
