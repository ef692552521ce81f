"""Memory, processors, services, modules, processes: each fault is seen, kept while unseen, cleared."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.support.host_monitors import MonitoredHost
from tests.support.host_states import (
    GIB,
    MODULES,
    all_modules,
    cpus,
    fabric,
    holding_a_gpu,
    hotter,
    memory,
    module,
    modules,
    more_errors,
    no_load,
    no_meminfo,
    no_modules,
    no_pressure,
    no_units,
    out_of_sight,
    processes,
    service,
)
from tests.support.host_tree import HostTree


@dataclass(frozen=True, kw_only=True)
class Drive:
    """A fault in a tree: how the host is well, how it is ill, and how long each takes to be believed.

    `moving`: the fault is in a counter that goes on, so that the host is made ill anew before each look.
    """

    monitor: str
    type: str
    well: Callable[[HostTree], object]
    ill: Callable[[HostTree], object]
    blind: Callable[[HostTree], object]
    opens: float
    clears: float
    moving: bool = False
    others: frozenset[str] = frozenset()


DRIVES = [
    Drive(
        monitor="memory",
        type="HostMemoryLow",
        well=memory,
        ill=lambda tree: memory(tree, available=5 * GIB),
        blind=no_meminfo,
        opens=120,
        clears=150,
    ),
    Drive(
        monitor="memory",
        type="HostMemoryStalled",
        well=memory,
        ill=lambda tree: memory(tree, waiting="31.52"),
        blind=no_pressure,
        opens=150,
        clears=330,
    ),
    Drive(
        monitor="memory",
        type="HostMemoryPoisoned",
        well=memory,
        ill=lambda tree: memory(tree, poisoned=4),
        blind=no_meminfo,
        opens=120,
        clears=120,
    ),
    Drive(
        monitor="memory_modules",
        type="HostMemoryUncorrected",
        well=module,
        ill=lambda tree: module(tree, uncorrected=1),
        blind=lambda tree: module(tree, uncorrected="?"),
        opens=180,
        clears=180,
    ),
    Drive(
        monitor="memory_modules",
        type="HostMemoryCorrectedFast",
        well=module,
        ill=more_errors,
        blind=lambda tree: module(tree, corrected="?"),
        opens=240,
        clears=86_500,
        moving=True,
        others=frozenset({"HostMemoryCorrected"}),
    ),
    Drive(
        monitor="memory_modules",
        type="HostMemoryCorrected",
        well=module,
        ill=more_errors,
        blind=lambda tree: module(tree, corrected="?"),
        opens=660,
        clears=86_500,
        moving=True,
        others=frozenset({"HostMemoryCorrectedFast"}),
    ),
    Drive(
        monitor="cpu",
        type="HostOverloaded",
        well=cpus,
        ill=lambda tree: cpus(tree, load="8.50"),
        blind=no_load,
        opens=960,
        clears=660,
    ),
    Drive(
        monitor="cpu",
        type="HostWaitsForIo",
        well=cpus,
        ill=lambda tree: cpus(tree, io="77.00"),
        blind=no_load,
        opens=960,
        clears=660,
    ),
    Drive(
        monitor="cpu",
        type="HostCpusOffline",
        well=cpus,
        ill=lambda tree: cpus(tree, online="0-2"),
        blind=lambda tree: (tree.folder / "sys/devices/system/cpu/present").unlink(missing_ok=True),
        opens=240,
        clears=240,
    ),
    Drive(
        monitor="cpu",
        type="HostCpuThrottled",
        well=cpus,
        ill=hotter,
        blind=lambda tree: cpus(tree, throttled="?"),
        opens=420,
        clears=420,
        moving=True,
    ),
    Drive(
        monitor="services",
        type="FabricManagerDown",
        well=lambda tree: fabric(tree, up=True),
        ill=lambda tree: fabric(tree, up=False),
        blind=no_units,
        opens=150,
        clears=90,
    ),
    Drive(
        monitor="services",
        type="ServiceDown",
        well=lambda tree: service(tree, "slurmd.service"),
        ill=lambda tree: service(tree, "slurmd.service", up=False),
        blind=no_units,
        opens=150,
        clears=90,
    ),
    Drive(
        monitor="services",
        type="OptionalServiceDown",
        well=lambda tree: service(tree, "nvidia-dcgm.service"),
        ill=lambda tree: service(tree, "nvidia-dcgm.service", up=False),
        blind=no_units,
        opens=330,
        clears=90,
    ),
    Drive(
        monitor="services",
        type="ServiceRestarting",
        well=lambda tree: service(tree, "kubelet.service"),
        ill=lambda tree: service(tree, "kubelet.service"),
        blind=no_units,
        opens=90,
        clears=1890,
        moving=True,
    ),
    *(
        Drive(
            monitor="kernel_modules",
            type=type_,
            well=all_modules,
            ill=lambda tree, but=but: all_modules(tree, but),  # type: ignore[misc]
            blind=no_modules,
            opens=seconds,
            clears=180,
        )
        for type_, but, seconds in (
            ("GpuModuleMissing", "nvidia", 240),
            ("GpuUvmMissing", "nvidia_uvm", 660),
            ("PeermemMissing", "nvidia_peermem", 240),
        )
    ),
    Drive(
        monitor="kernel_modules",
        type="NouveauLoaded",
        well=all_modules,
        ill=lambda tree: modules(tree, *MODULES),
        blind=no_modules,
        opens=240,
        clears=180,
    ),
    Drive(
        monitor="stuck_processes",
        type="ProcessesStuckInDriver",
        well=processes,
        ill=holding_a_gpu,
        blind=out_of_sight,
        opens=300,
        clears=180,
        others=frozenset({"ProcessesStuck"}),
    ),
    Drive(
        monitor="stuck_processes",
        type="ProcessesStuck",
        well=processes,
        ill=lambda tree: processes(tree, "D", where="nfs_wait_bit_killable"),
        blind=no_load,
        opens=480,
        clears=180,
    ),
]


@pytest.fixture
def tree(tmp_path: Path) -> HostTree:
    return HostTree(tmp_path)


def looks(host: MonitoredHost, drive: Drive, make: Callable[[HostTree], object], seconds: float) -> None:
    """Make the host what it is to be, and look for so long."""
    make(host.tree)
    for _ in range(int(seconds / host.monitor.every) + 1):
        if drive.moving and make is drive.ill:
            make(host.tree)
        host.look()


BY_TYPE = pytest.mark.parametrize("drive", DRIVES, ids=lambda drive: drive.type)


@BY_TYPE
def test_a_fault_opens_its_condition_is_kept_while_unseen_and_clears(drive: Drive, tree: HostTree) -> None:
    host = MonitoredHost(drive.monitor, tree)
    looks(host, drive, drive.well, drive.opens)
    assert host.types() == set()
    looks(host, drive, drive.ill, drive.opens)
    assert drive.type in host.types()
    assert host.types() <= {drive.type, *drive.others}
    looks(host, drive, drive.blind, drive.clears)
    assert drive.type in host.types()
    looks(host, drive, drive.well, drive.clears)
    assert host.types() == set()


@BY_TYPE
def test_what_cannot_be_seen_opens_no_condition_of_the_host(drive: Drive, tree: HostTree) -> None:
    host = MonitoredHost(drive.monitor, tree)
    looks(host, drive, drive.well, drive.opens)
    looks(host, drive, drive.blind, drive.opens)
    assert host.types() <= {"MonitorDegraded", *drive.others}
    looks(host, drive, drive.well, drive.clears)
    assert host.types() == set()
