"""Presence, driver, modes, memory and MIG: each condition opens, clears, and waits out what is not known.

Driven as the agent drives them: sweeps through the monitors, their signals through the built-in rules.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import pytest
from tests.fakes.sweeps import PCI, UUID, gpu, gpu_in, sweep, unavailable
from tests.support.rules import START, Host

from sickbay.core.conditions import Condition, Mode, Severity
from sickbay.core.devices import Gpu, Inventory
from sickbay.core.platforms import PlatformProfile, Platforms
from sickbay.core.signals import Signal, is_declared
from sickbay.host.driver_versions import DriverVersions
from sickbay.host.job_of_process import ProcessView
from sickbay.host.kernel_view import KernelView
from sickbay.host.nvml.catalogue import INFOROM, MODES, PLATFORM, PROCESSES
from sickbay.host.nvml.readings import GpuState, GpuSweep, Sweep, Value
from sickbay.host.pci_devices import PciGpu, PciView
from sickbay.host.rule_files import load_rules
from sickbay.monitors.known import Known
from sickbay.monitors.table import SWEEP_MONITORS

RULES = load_rules().rules
GIB = 1 << 30
SECOND = "0000:43:00"

USUAL: dict[str, Value] = {
    "persistence_mode": 1,
    "ecc_mode": 1,
    "ecc_mode_pending": 1,
    "compute_mode": 0,
    "virtualization_mode": 0,
    "mig_mode": 0,
    "mig_mode_pending": 0,
    "mig_max_devices": 7,
    "mig_devices": 0,
    "inforom_valid": 1,
    "memory_total": 80 * GIB,
    "memory_reserved": GIB,
    "memory_used": 4 << 20,
    "bar1_total": 128 * GIB,
    "bar1_used": GIB,
    "compute_pids": (),
    "compute_memory": (),
    "mps_pids": (),
}
HERE = Inventory(gpus=(Gpu(uuid=UUID, pci=PCI, slot=0, pci_device_id="0x233010DE"),))
BUS = PciView(gpus=(PciGpu(pci=PCI, device="2330", driver="nvidia"),))
FILES = DriverVersions(loaded=True, module="570.124.06", library="570.124.06")
SEEN = KernelView(pci=BUS, driver=FILES, processes={})
OF_ONE = Platforms(by_device={"2330": PlatformProfile(id="h100-sxm5", gpus=1)})
MINE = ("driver_versions", "presence", "complement", "modes", "mig", "inforom", "gpu_memory", "processes")


def one(**values: Value) -> GpuSweep:
    """The usual GPU, but for `values`."""
    return gpu(**{**USUAL, **values})


def without(*names: str) -> GpuSweep:
    """The usual GPU, refusing some readings in a way that says nothing."""
    whole = one()
    kept = {name: value for name, value in whole.values.items() if name not in names}
    return replace(whole, values=MappingProxyType(kept), codes=MappingProxyType(dict.fromkeys(names, 999)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one sweep and one look at the kernel showed."""

    sweep: Sweep = field(default_factory=lambda: sweep(one()))
    kernel: KernelView = SEEN
    baseline: Inventory | None = HERE
    platforms: Platforms = OF_ONE

    def signals(self, at: float) -> list[Signal]:
        seen = replace(
            self.sweep, at=START.later(at), groups=frozenset({MODES, PROCESSES, INFOROM, PLATFORM})
        )
        answered = [each for each in seen.gpus if each.state is GpuState.READ]
        known = Known(
            baseline=self.baseline,
            platforms=self.platforms,
            kernel=self.kernel,
            latest={(MODES, each.pci): each for each in answered},
        )
        return [signal for name in MINE for signal in SWEEP_MONITORS[name].judge(seen, known)]


WELL = Look()
UNSEEN = Look(
    sweep=unavailable("the driver is being let go of", gpu_in(GpuState.UNSEEN)), kernel=KernelView()
)


def with_gpu(each: GpuSweep) -> Look:
    return Look(sweep=sweep(each))


def on_a_gpu(pids: Mapping[int, ProcessView], each: GpuSweep) -> Look:
    return Look(sweep=sweep(each), kernel=KernelView(pci=BUS, driver=FILES, processes=pids))


TWO_ON_THE_BUS = PciView(gpus=(*BUS.gpus, PciGpu(pci=SECOND, device="2330")))
ILL: dict[str, Look] = {
    "GpuNotListed": Look(kernel=KernelView(pci=TWO_ON_THE_BUS, driver=FILES, processes={})),
    "GpuReplaced": Look(baseline=Inventory(gpus=(replace(HERE.gpus[0], uuid="GPU-old"),))),
    "GpuAppeared": Look(baseline=Inventory(gpus=(replace(HERE.gpus[0], pci="0000:99:00"),))),
    "GpusFewerThanPlatform": Look(
        platforms=Platforms(by_device={"2330": PlatformProfile(id="h100-sxm5", gpus=8)}),
    ),
    "DriverMismatch": Look(
        kernel=KernelView(pci=BUS, driver=replace(FILES, library="575.57.08"), processes={}),
    ),
    "GpuPersistenceOff": with_gpu(one(persistence_mode=0)),
    "GpuEccChangePending": with_gpu(one(ecc_mode_pending=0)),
    "GpuComputeProhibited": with_gpu(one(compute_mode=2)),
    "GpuInforomCorrupted": with_gpu(one(inforom_valid=0)),
    "MigWithoutDevices": with_gpu(one(mig_mode=1, mig_mode_pending=1)),
    "MigChangePending": with_gpu(one(mig_mode_pending=1)),
    "MigLayoutChanged": with_gpu(
        one(mig_mode=1, mig_mode_pending=1, mig_devices=2, mig_profiles="3g.40gb,3g.40gb"),
    ),
    "GpuHeldByDeadProcess": on_a_gpu({4242: ProcessView(exists=False)}, one(compute_pids=(4242,))),
    "GpuMemoryHeldByNobody": with_gpu(one(memory_used=30 * GIB)),
    "GpuBar1NearlyFull": with_gpu(one(bar1_used=127 * GIB)),
}
UNKNOWN: dict[str, Look] = {
    "GpuNotListed": Look(kernel=KernelView(driver=FILES, processes={})),
    "GpuReplaced": UNSEEN,
    "GpuAppeared": replace(UNSEEN, baseline=Inventory(gpus=(replace(HERE.gpus[0], pci="0000:99:00"),))),
    "GpusFewerThanPlatform": with_gpu(without("virtualization_mode")),
    "DriverMismatch": UNSEEN,
    "GpuPersistenceOff": with_gpu(without("persistence_mode")),
    "GpuEccChangePending": with_gpu(without("ecc_mode", "ecc_mode_pending")),
    "GpuComputeProhibited": with_gpu(without("compute_mode")),
    "GpuInforomCorrupted": with_gpu(without("inforom_valid")),
    "MigWithoutDevices": with_gpu(without("mig_mode", "mig_devices")),
    "MigChangePending": with_gpu(without("mig_mode", "mig_mode_pending")),
    "MigLayoutChanged": with_gpu(without("mig_mode")),
    "GpuHeldByDeadProcess": Look(
        sweep=sweep(one(compute_pids=(4242,))), kernel=KernelView(pci=BUS, driver=FILES)
    ),
    "GpuMemoryHeldByNobody": with_gpu(without("memory_used")),
    "GpuBar1NearlyFull": with_gpu(without("bar1_used")),
}
WELL_AGAIN = {
    "GpuNotListed": Look(kernel=KernelView(pci=replace(BUS, gone=(SECOND,)), driver=FILES, processes={})),
}
EVERY_TYPE = pytest.mark.parametrize("type_", sorted(ILL))


@pytest.fixture
def host() -> Host:
    return Host(rules=RULES)


def watch(host: Host, look: Look, *, start: int, hours: float = 2) -> None:
    """The look, again every minute."""
    for at in range(start, start + int(hours * 3600), 60):
        signals = look.signals(at)
        assert all(is_declared(signal) for signal in signals)
        host.see(*signals)


def test_every_condition_that_these_monitors_make_is_driven() -> None:
    kinds = {"gpu_presence", "gpu_complement", "driver", "modes", "mig", "inforom", "gpu_memory"}
    assert {rule.condition.type for rule in RULES.rules if rule.on in kinds} == set(ILL) == set(UNKNOWN)


@EVERY_TYPE
def test_from_well_to_ill_to_well(host: Host, type_: str) -> None:
    watch(host, WELL, start=0)
    assert not host.types()
    watch(host, ILL[type_], start=10_000)
    assert type_ in host.types()
    watch(host, WELL_AGAIN.get(type_, WELL), start=20_000)
    assert not host.types()


@EVERY_TYPE
def test_from_well_to_unknown_to_well_opens_nothing(host: Host, type_: str) -> None:
    for look, start in ((WELL, 0), (UNKNOWN[type_], 10_000), (WELL, 20_000)):
        watch(host, look, start=start)
        assert not host.types()


@EVERY_TYPE
def test_what_is_ill_and_cannot_be_seen_any_more_stays(host: Host, type_: str) -> None:
    watch(host, ILL[type_], start=0)
    watch(host, UNKNOWN[type_], start=10_000)
    assert type_ in host.types()


@EVERY_TYPE
def test_nothing_of_this_acts_by_itself(host: Host, type_: str) -> None:
    watch(host, ILL[type_], start=0)
    assert all(condition.mode is not Mode.ACT for condition in host.state.conditions)


def opened(host: Host, type_: str) -> Condition:
    watch(host, ILL[type_], start=0)
    return host.open[type_]


def test_a_replaced_gpu_is_named_by_both_its_uuids_and_is_no_fault(host: Host) -> None:
    condition = opened(host, "GpuReplaced")
    assert (condition.severity, condition.subject.pci) == (Severity.INFO, PCI)
    assert "GPU-old" in condition.message
    assert UUID in condition.message


def test_a_gpu_that_the_driver_does_not_list_is_named_by_its_slot(host: Host) -> None:
    condition = opened(host, "GpuNotListed")
    assert (condition.severity, condition.subject.pci) == (Severity.CRITICAL, SECOND)


def test_a_mismatch_is_seen_by_the_files_and_by_nvmls_refusal(host: Host) -> None:
    assert "575.57.08" in opened(host, "DriverMismatch").message
    refused = Host(rules=RULES)
    look = Look(sweep=unavailable("nvmlInitWithFlags returned LIB_RM_VERSION_MISMATCH"), kernel=KernelView())
    watch(refused, look, start=0, hours=0.2)
    assert refused.types() == {"DriverMismatch"}


def test_a_process_that_ends_while_it_is_looked_at_is_no_dead_one(host: Host) -> None:
    host.see(*ILL["GpuHeldByDeadProcess"].signals(0))
    watch(host, WELL, start=30, hours=0.1)
    assert not host.types()


@pytest.mark.parametrize(
    "build",
    [
        lambda: with_gpu(one(memory_used=30 * GIB, mig_mode=1, mig_devices=1, mig_profiles="7g.80gb")),
        lambda: with_gpu(one(memory_used=30 * GIB, virtualization_mode=3)),
        lambda: on_a_gpu({7: ProcessView(exists=True)}, one(memory_used=30 * GIB, compute_pids=(7,))),
        lambda: with_gpu(without("memory_reserved")),
    ],
    ids=["MIG devices", "guests", "a living process", "a driver that counts its own memory"],
)
def test_memory_that_others_hold_is_not_held_by_nobody(host: Host, build: Callable[[], Look]) -> None:
    watch(host, build(), start=0)
    assert "GpuMemoryHeldByNobody" not in host.types()


def test_in_a_guest_fewer_gpus_than_the_platform_are_no_fault(host: Host) -> None:
    look = replace(ILL["GpusFewerThanPlatform"], sweep=sweep(one(virtualization_mode=1)))
    watch(host, look, start=0)
    assert not host.types()


def test_a_gpu_that_was_handed_to_a_guest_is_not_missed(host: Host) -> None:
    bus = PciView(gpus=(*BUS.gpus, PciGpu(pci=SECOND, device="2330", driver="vfio-pci")))
    watch(host, Look(kernel=KernelView(pci=bus, driver=FILES, processes={})), start=0)
    assert not host.types()
