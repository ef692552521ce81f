"""Conditions that kernel lines make, from the line through monitor and rules: how each comes and goes."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.support.rules import BOOT, START, Host

from sickbay.core.conditions import Condition, Mode, Severity
from sickbay.core.devices import Gpu, Inventory, Scope
from sickbay.core.kernel_records import Entry, KernelRecord, Repeated
from sickbay.core.kinds import kernel_faults
from sickbay.core.rules import ClearAfter, ClearQuiet
from sickbay.host.rule_files import load_rules
from sickbay.monitors.kernel_log import KernelLogState, observe, settle_counts, sight_signal
from sickbay.monitors.xid import Seen

RULES = load_rules().rules
HEALTHY = Path(__file__).parents[2] / "traces" / "kernel" / "healthy-boot.txt"
INVENTORY = Inventory(gpus=(Gpu(uuid="GPU-0", pci="0000:10:00", slot=0),))
AER = "nvidia 0000:10:00.0: PCIe Bus Error: severity={}, type=Physical Layer, (Receiver ID)"
HOUR = 3600.0


@dataclass(kw_only=True)
class Log:
    """A kernel log that prints into the monitor and the built-in rules. Times are seconds after START."""

    host: Host = field(default_factory=lambda: Host(rules=RULES))
    state: KernelLogState = field(default_factory=KernelLogState)
    number: int = 0
    now: float = 0.0

    def print(self, text: str, times: int = 1, *, every: float = 0.0) -> set[str]:
        """Print a line so many times; the types of what is open then."""
        for _ in range(times):
            self._take((self._record(text),))
            self.now += every
        return self.host.types()

    def flood(self, text: str, times: int) -> set[str]:
        """Print a line so many times within one moment."""
        record = self._record(text)
        self.number += times
        more = Repeated(record=record, times=times - 1, sequence=self.number, usec=record.usec)
        self._take((record, more))
        return self.wait(2.0)

    def wait(self, seconds: float) -> set[str]:
        """Let time pass in silence."""
        self.now += seconds
        settled = settle_counts(self.state, START.later(self.now))
        self.state = settled.state
        self.host.see(*settled.signals, at=self.now)
        return self.host.types()

    def sight(self, trouble: str = "") -> set[str]:
        """Lose sight of the log, or regain it."""
        self.host.see(sight_signal(START.later(self.now), trouble=trouble))
        return self.host.types() - {"MonitorDegraded"}

    def _record(self, text: str) -> KernelRecord:
        self.number += 1
        usec = round((START.mono + self.now) * 1e6)
        return KernelRecord(facility=0, level=3, sequence=self.number, usec=usec, text=text)

    def _take(self, entries: tuple[Entry, ...]) -> None:
        seen = Seen(boot_id=BOOT, now=START.later(self.now), inventory=INVENTORY)
        observed = observe(self.state, entries, seen)
        self.state = observed.state
        self.host.see(*observed.signals, at=self.now)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A line that makes a condition, after so many times."""

    type: str
    line: str
    severity: Severity
    times: int = 1
    part: str = ""


FAULTS = (
    Fault(
        type="PcieErrorFatal",
        line=AER.format("Uncorrected (Fatal)"),
        severity=Severity.CRITICAL,
        part="gpu/0000:10:00",
    ),
    Fault(
        type="PcieErrorsUncorrected",
        line=AER.format("Uncorrected (Non-Fatal)"),
        severity=Severity.WARNING,
        times=3,
        part="gpu/0000:10:00",
    ),
    Fault(
        type="PcieErrorsCorrected",
        line=AER.format("Corrected"),
        severity=Severity.INFO,
        times=1000,
        part="gpu/0000:10:00",
    ),
    Fault(
        type="PcieLinkContained",
        line="pcieport 0000:30:03.0: DPC: containment event, status:0x0005 source:0x3400",
        severity=Severity.CRITICAL,
        part="node/pcie:0000:30:03.0",
    ),
    Fault(
        type="PcieRecoveryFailed",
        line="pcieport 0000:30:03.0: AER: device recovery failed",
        severity=Severity.CRITICAL,
        part="node/pcie:0000:30:03.0",
    ),
    Fault(
        type="HostHardwareFatal",
        line="{1}[Hardware Error]: event severity: fatal",
        severity=Severity.CRITICAL,
    ),
    Fault(
        type="HostHardwareUncorrected",
        line="EDAC MC0: 1 UE memory read error on DIMM_A1 (channel:1 slot:0 page:0x1)",
        severity=Severity.CRITICAL,
        part="node/dimm:MC0 DIMM_A1",
    ),
    Fault(
        type="HostHardwareCorrected",
        line="EDAC MC0: 5 CE memory read error on DIMM_A1 (channel:1 slot:0 page:0x1)",
        severity=Severity.INFO,
        times=2,
        part="node/dimm:MC0 DIMM_A1",
    ),
    Fault(
        type="NvmeDead",
        line="nvme nvme0: Removing after probe failure status: -19",
        severity=Severity.CRITICAL,
        part="node/nvme:nvme0",
    ),
    Fault(
        type="NvmeReset",
        line="nvme nvme0: controller is down; will reset: CSTS=0xffffffff, PCI_STATUS=0xffff",
        severity=Severity.WARNING,
        part="node/nvme:nvme0",
    ),
    Fault(
        type="NvmeTimeouts",
        line="nvme nvme0: I/O 12 QID 3 timeout, aborting",
        severity=Severity.INFO,
        times=3,
        part="node/nvme:nvme0",
    ),
    Fault(
        type="NvmeMediumError",
        line="nvme0n1: Read(0x2) @ LBA 1, 8 blocks, Unrecovered Read Error (sct 0x2 / sc 0x81) DNR ",
        severity=Severity.WARNING,
        part="node/nvme:nvme0",
    ),
    Fault(
        type="DiskErrors",
        line="I/O error, dev sda, sector 8 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2",
        severity=Severity.WARNING,
        times=3,
        part="node/block:sda",
    ),
    Fault(
        type="FilesystemGone",
        line="EXT4-fs (sda1): Remounting filesystem read-only",
        severity=Severity.CRITICAL,
        part="node/volume:sda1",
    ),
    Fault(
        type="FilesystemError",
        line="XFS (dm-0): log I/O error -5",
        severity=Severity.WARNING,
        part="node/volume:dm-0",
    ),
    Fault(
        type="HostOutOfMemory",
        line="Out of memory: Killed process 4021 (python) total-vm:1kB, anon-rss:1kB",
        severity=Severity.WARNING,
    ),
    Fault(
        type="JobOutOfMemory",
        line="Memory cgroup out of memory: Killed process 4021 (python) total-vm:1kB, anon-rss:1kB",
        severity=Severity.INFO,
    ),
    Fault(
        type="CpuHardLockup",
        line="NMI watchdog: Watchdog detected hard LOCKUP on cpu 3",
        severity=Severity.CRITICAL,
    ),
    Fault(
        type="CpuStalls",
        line="watchdog: BUG: soft lockup - CPU#3 stuck for 23s! [python:4021]",
        severity=Severity.WARNING,
        times=2,
    ),
    Fault(
        type="HungTasks",
        line="INFO: task python:4021 blocked for more than 120 seconds.",
        severity=Severity.WARNING,
        times=3,
    ),
    Fault(
        type="KernelBug",
        line="BUG: kernel NULL pointer dereference, address: 0000000000000008",
        severity=Severity.CRITICAL,
    ),
    Fault(
        type="AdapterFailed",
        line="mlx5_core 0000:1a:00.0: poll_health:739:(pid 0): Fatal error 1 detected",
        severity=Severity.CRITICAL,
        part="node/adapter:0000:1a:00.0",
    ),
    Fault(
        type="AdapterUnwell",
        line="mlx5_core 0000:1a:00.0: Port module event[error]: module 1, Cable error, High Temperature",
        severity=Severity.WARNING,
        part="node/adapter:0000:1a:00.0",
    ),
    Fault(
        type="AdapterLinkFlapping",
        line="mlx5_core 0000:1a:00.0 mlx5_0: Port: 1 Link DOWN",
        severity=Severity.INFO,
        times=3,
        part="node/adapter:mlx5_0/1",
    ),
    Fault(
        type="GpuStartFailed",
        line="NVRM: GPU 0000:10:00.0: RmInitAdapter failed! (0x62:0x65:2028)",
        severity=Severity.CRITICAL,
        part="gpu/0000:10:00",
    ),
    Fault(type="DriverWithoutGpus", line="NVRM: No NVIDIA GPU found.", severity=Severity.WARNING),
    Fault(
        type="GpuDriverStalled",
        line="NVRM: Going over RM unhandled interrupt threshold for irq 153",
        severity=Severity.WARNING,
    ),
    Fault(
        type="DriverApiMismatch",
        line="NVRM: API mismatch: the client has the version 1.2, but\nNVRM: this kernel module has ...",
        severity=Severity.INFO,
    ),
)
EACH = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.type)


def only(log: Log) -> Condition:
    (condition,) = log.host.state.conditions
    return condition


def rule_of(condition: Condition) -> ClearQuiet | ClearAfter:
    clear = RULES.by_id[condition.rule].clear
    assert isinstance(clear, ClearQuiet | ClearAfter)
    return clear


def told(fault: Fault) -> Log:
    """A log that has told the fault, and nothing else."""
    log = Log()
    if fault.times > 10:
        log.flood(fault.line, fault.times)
    else:
        log.print(fault.line, fault.times)
    return log


@EACH
def test_a_fault_opens_its_condition_on_its_part_and_acts_on_nothing(fault: Fault):
    condition = only(told(fault))
    assert (condition.type, condition.severity, condition.mode) == (fault.type, fault.severity, Mode.OBSERVE)
    assert condition.subject.key == (fault.part or "node")
    assert condition.remedy == "none"
    assert fault.line.split("\n")[0][:60] in condition.message


@EACH
def test_less_than_that_opens_nothing(fault: Fault):
    log = Log()
    assert log.print(fault.line, min(fault.times - 1, 10)) == set()


@EACH
def test_it_clears_once_it_is_over(fault: Fault):
    log = told(fault)
    clear = rule_of(only(log))
    if isinstance(clear, ClearQuiet):
        assert log.wait(clear.quiet - 60.0) == {fault.type}
        assert log.wait(120.0) == set()
    else:
        assert log.wait(48 * HOUR) == {fault.type}
        log.host.reboot("boot-2", at=log.now)
        assert log.host.types() == set()


@EACH
def test_silence_that_nobody_hears_clears_nothing(fault: Fault):
    log = told(fault)
    log.sight("permission denied: /dev/kmsg")
    assert log.wait(48 * HOUR) - {"MonitorDegraded"} == {fault.type}
    log.sight()
    assert log.wait(60.0) - {"MonitorDegraded"} == {fault.type}
    if isinstance(rule_of(only(log)), ClearQuiet):
        assert log.wait(24 * HOUR) - {"MonitorDegraded"} == set()


@EACH
def test_it_can_come_again(fault: Fault):
    log = told(fault)
    clear = rule_of(only(log))
    if isinstance(clear, ClearQuiet):
        log.wait(clear.quiet + 60.0)
        assert log.flood(fault.line, max(fault.times, 2)) == {fault.type}


def test_every_rule_on_a_kernel_fault_is_driven_here():
    of_kinds = {rule.condition.type for rule in RULES.rules if rule.on in kernel_faults.KINDS}
    assert of_kinds == {fault.type for fault in FAULTS}


@pytest.mark.parametrize(
    "line",
    [
        "I/O error, dev fd0, sector 0 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2",
        "blk_update_request: I/O error, dev sr0, sector 0 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 0",
        "Buffer I/O error on dev loop3, logical block 0, async page read",
    ],
)
def test_drives_without_a_medium_open_nothing(line: str):
    assert Log().flood(line, 100) == set()


def test_a_job_that_meets_its_limit_again_and_again_stays_info():
    log = Log()
    log.flood("Memory cgroup out of memory: Killed process 4021 (python) total-vm:1kB, anon-rss:1kB", 5000)
    assert only(log).severity is Severity.INFO


def test_one_cable_pulled_is_no_flapping_link():
    log = Log()
    for line in (
        "mlx5_core 0000:1a:00.0 ens1f0np0: Link down",
        "mlx5_core 0000:1a:00.0: Port module event: module 0, Cable unplugged",
        "mlx5_core 0000:1a:00.0: Port module event: module 0, Cable plugged",
        "mlx5_core 0000:1a:00.0 ens1f0np0: Link up",
    ):
        assert log.print(line) == set()


def test_a_port_above_a_gpu_speaks_for_itself():
    log = Log()
    log.print(AER.format("Uncorrected (Fatal)").replace("nvidia 0000:10:00.0", "pcieport 0000:00:01.0"))
    assert only(log).subject.scope is Scope.NODE
    assert only(log).subject.name == "pcie:0000:00:01.0"


def test_a_healthy_host_boots_without_a_condition():
    log = Log()
    for line in HEALTHY.read_text(encoding="utf-8").splitlines():
        log.print(line, every=0.01)
    assert log.host.types() == set()
