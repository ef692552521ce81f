"""Memory, processors, clock, services, modules, processes: each fault is seen, kept while unseen, cleared."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

import pytest
from tests.support.host_monitors import MonitoredHost, fields
from tests.support.host_tree import HostTree
from tests.support.rules import START, Host

from sickbay.core.expressions import values_of
from sickbay.core.instants import Instant
from sickbay.core.platforms import PlatformProfile
from sickbay.core.signals import Signal, is_declared
from sickbay.host.host_root import REAL_HOST
from sickbay.host.host_settings import USUAL_SETTINGS
from sickbay.host.rule_files import load_rules
from sickbay.host.time_sync import ClockReading
from sickbay.monitors import time_sync
from sickbay.monitors.host_known import HostKnown
from sickbay.monitors.host_table import HOST_MONITORS
from sickbay.monitors.services import FABRIC_MANAGER, IMEX

GIB = 1024**2
"""In kB, as /proc/meminfo counts."""
FABRIC = "sys/bus/pci/drivers/nvidia-nvswitch/0000:c5:00.0"


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
    profile: PlatformProfile = field(default_factory=PlatformProfile)


def memory(
    tree: HostTree, *, available: int = 900 * GIB, poisoned: int = 0, waiting: str | None = "0.00"
) -> None:
    lines = (
        f"MemTotal:       {1024 * GIB} kB",
        f"MemAvailable:   {available} kB",
        "SwapTotal:       0 kB",
        "SwapFree:        0 kB",
        f"HardwareCorrupted:     {poisoned} kB",
        "HugePages_Total:       0",
    )
    tree.write("proc/meminfo", "\n".join(lines))
    if waiting is not None:
        full = f"full avg10=0.00 avg60={waiting} avg300=0.00 total=7"
        tree.write("proc/pressure/memory", f"some avg10=0.00 avg60=99.00 avg300=0.00 total=9\n{full}")


def no_meminfo(tree: HostTree) -> None:
    (tree.folder / "proc/meminfo").unlink(missing_ok=True)


def no_pressure(tree: HostTree) -> None:
    memory(tree, waiting=None)
    (tree.folder / "proc/pressure/memory").unlink(missing_ok=True)


def module(tree: HostTree, *, corrected: object = 0, uncorrected: object = 0) -> None:
    dimm = "sys/devices/system/edac/mc/mc0/dimm3"
    tree.write("sys/devices/system/edac/mc/mc0/ce_noinfo_count", 0)
    tree.write("sys/devices/system/edac/mc/mc0/ue_noinfo_count", 0)
    tree.write(f"{dimm}/dimm_label", "CPU_SrcID#0_MC#0_Chan#1_DIMM#0")
    tree.write(f"{dimm}/dimm_ce_count", corrected)
    tree.write(f"{dimm}/dimm_ue_count", uncorrected)


def more_errors(tree: HostTree) -> None:
    counter = tree.folder / "sys/devices/system/edac/mc/mc0/dimm3/dimm_ce_count"
    module(tree, corrected=int(counter.read_text()) + 1000)


def cpus(
    tree: HostTree, *, load: str = "3.00", online: str = "0-3", io: str = "0.00", throttled: object = 0
) -> None:
    tree.write("proc/loadavg", f"{load} {load} {load} 1/96 7669")
    tree.write("proc/pressure/io", f"full avg10=0.00 avg60={io} avg300=0.00 total=7")
    tree.write("sys/devices/system/cpu/online", online)
    tree.write("sys/devices/system/cpu/present", "0-3")
    tree.write("sys/devices/system/cpu/smt/control", "on")
    for cpu in range(4):
        folder = f"sys/devices/system/cpu/cpu{cpu}"
        tree.write(f"{folder}/topology/physical_package_id", 0)
        tree.write(f"{folder}/thermal_throttle/package_throttle_count", throttled)
        tree.write(f"{folder}/thermal_throttle/package_throttle_total_time_ms", throttled)


def no_load(tree: HostTree) -> None:
    (tree.folder / "proc/loadavg").unlink(missing_ok=True)


def hotter(tree: HostTree) -> None:
    counter = tree.folder / "sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_total_time_ms"
    cpus(tree, throttled=int(counter.read_text()) + 20_000)


starts = count(1)


def service(tree: HostTree, unit: str, *, up: bool = True, enabled: bool = True) -> None:
    """A unit as systemd shows it; each call with `up` is another start."""
    for folder in ("run/systemd/system", "run/systemd/units", "etc/systemd/system/multi-user.target.wants"):
        (tree.folder / folder).mkdir(parents=True, exist_ok=True)
    tree.write(f"usr/lib/systemd/system/{unit}", "[Service]")
    wanted = tree.folder / "etc/systemd/system/multi-user.target.wants" / unit
    link = tree.folder / "run/systemd/units" / f"invocation:{unit}"
    wanted.unlink(missing_ok=True)
    link.unlink(missing_ok=True)
    if enabled:
        wanted.symlink_to(tree.folder / "usr/lib/systemd/system" / unit)
    if up:
        link.symlink_to(f"{next(starts):032x}")


def no_units(tree: HostTree) -> None:
    units = tree.folder / "run/systemd/units"
    for link in units.iterdir():
        link.unlink()
    units.rmdir()


def fabric(tree: HostTree, *, up: bool) -> None:
    (tree.folder / FABRIC).mkdir(parents=True, exist_ok=True)
    service(tree, FABRIC_MANAGER, up=up)


MODULES = ("nvidia", "nvidia_uvm", "nvidia_modeset", "nvidia_peermem", "nouveau")


def modules(tree: HostTree, *loaded: str, taint: object = 0) -> None:
    for name in MODULES:
        if (tree.folder / "sys/module" / name).exists():
            tree.take_out(f"sys/module/{name}")
    for name in loaded:
        tree.write(f"sys/module/{name}/initstate", "live")
    (tree.folder / "sys/module").mkdir(parents=True, exist_ok=True)
    device = "sys/bus/pci/devices/0000:1b:00.0"
    tree.write(f"{device}/vendor", "0x10de")
    tree.write(f"{device}/class", "0x030200")
    tree.write(f"{device}/device", "0x2330")
    tree.write("sys/class/infiniband/mlx5_0/node_type", "1: CA")
    tree.write("proc/driver/nvidia/version", "NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.86.15")
    tree.write("proc/sys/kernel/tainted", taint)


def all_modules(tree: HostTree, *but: str, **marks: object) -> None:
    modules(tree, *(name for name in MODULES if name not in {"nouveau", *but}), **marks)


def no_modules(tree: HostTree) -> None:
    tree.take_out("sys/module")


def processes(tree: HostTree, state: str = "S", *, where: str = "0", load: str = "9.00") -> None:
    tree.write("proc/loadavg", f"{load} 9.00 9.00 1/96 7669")
    stat = f"42 (train (v2)) {state} 1 42 42 0 -1 4194304 0 0 0 0 17 3 0 0 20 0 9 0 12345 0 0"
    tree.write("proc/42/task/42/stat", stat)
    tree.write("proc/42/task/42/wchan", where)
    files = tree.folder / "proc/42/fd"
    files.mkdir(exist_ok=True)


def holding_a_gpu(tree: HostTree) -> None:
    processes(tree, "D")
    link = tree.folder / "proc/42/fd/3"
    link.unlink(missing_ok=True)
    link.symlink_to("/dev/nvidia0")


def out_of_sight(tree: HostTree) -> None:
    """A process in state D of another user."""
    processes(tree, "D")
    tree.take_out("proc/42/fd")


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
    host = MonitoredHost(drive.monitor, tree, profile=drive.profile)
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
    host = MonitoredHost(drive.monitor, tree, profile=drive.profile)
    looks(host, drive, drive.well, drive.opens)
    looks(host, drive, drive.blind, drive.opens)
    assert host.types() <= {"MonitorDegraded", *drive.others}
    looks(host, drive, drive.well, drive.clears)
    assert host.types() == set()


# -- the clock has no file, so its readings are made here -------------------------------------------------

KEPT = ClockReading(synchronised=True, may_be_off=0.02, is_off=0.0001, offset=0.0)
UNKNOWN = ClockReading()


@pytest.mark.parametrize(
    ("type_", "ill"),
    [
        ("ClockUnsynchronised", replace(KEPT, synchronised=False, may_be_off=16.0)),
        ("ClockUncertain", replace(KEPT, may_be_off=7.0)),
    ],
)
def test_a_clock_that_nobody_keeps_is_told_until_somebody_does(
    tree: HostTree, type_: str, ill: ClockReading
) -> None:
    shown = [KEPT]
    host = MonitoredHost("time_sync", tree, read=lambda: shown[-1])
    for reading, types in (
        (KEPT, set()),
        (UNKNOWN, set()),
        (ill, {type_}),
        (UNKNOWN, {type_}),
        (KEPT, set()),
    ):
        shown.append(reading)
        host.looks(1020)
        assert host.types() == types


def test_a_clock_that_was_set_is_told_for_an_hour() -> None:
    rules = load_rules().rules
    host, before = Host(rules=rules), None
    jumps = {20: 90.0, 200: -90.0}
    seen, wall = {}, START.wall
    for minute in range(400):
        wall += 60.0 + jumps.get(minute, 0.0)
        known = HostKnown(now=Instant(mono=START.mono + 60.0 * minute, wall=wall))
        reading = time_sync.carry(KEPT, before, known)
        host.see(*time_sync.signals(reading, before, known))
        before, seen[minute] = reading, host.types()
    opened = {minute for minute, types in seen.items() if types == {"ClockJumped"}}
    assert opened == {*range(20, 81), *range(200, 261)}


def test_a_clock_that_may_not_be_asked_is_unknown(tree: HostTree) -> None:
    host = MonitoredHost("time_sync", tree, read=lambda: UNKNOWN)
    assert fields(host.look(), "clock")["synchronised"] is None


# -- what a level alone does not show ---------------------------------------------------------------------


def told(signals: tuple[Signal, ...]) -> dict[str, object]:
    (signal,) = signals
    return dict(signal.fields)


def test_a_service_that_is_disabled_while_it_is_down_clears(tree: HostTree) -> None:
    host = MonitoredHost("services", tree)
    service(tree, "slurmd.service", up=False)
    host.looks(150)
    assert host.types() == {"ServiceDown"}
    host.forget()  # An agent that starts now has never seen it enabled.
    service(tree, "slurmd.service", up=False, enabled=False)
    host.looks(90)
    assert host.types() == set()
    assert host.look() == ()


def test_a_masked_service_and_one_whose_package_is_gone_are_nobodys_fault(tree: HostTree) -> None:
    host = MonitoredHost("services", tree)
    service(tree, "slurmd.service", up=False)
    service(tree, "kubelet.service", up=False)
    (tree.folder / "etc/systemd/system/slurmd.service").symlink_to("/dev/null")
    (tree.folder / "usr/lib/systemd/system/kubelet.service").unlink()
    assert host.look() == ()


def test_a_service_that_waits_for_its_next_start_is_not_up(tree: HostTree) -> None:
    host = MonitoredHost("services", tree)
    service(tree, "slurmd.service")
    events = "sys/fs/cgroup/system.slice/slurmd.service/cgroup.events"
    tree.write(events, "populated 1\nfrozen 0")
    assert told(host.look())["up"] is True
    tree.write(events, "populated 0\nfrozen 0")
    assert told(host.look())["up"] is False


@pytest.mark.parametrize(
    ("profile", "needed"),
    [
        (PlatformProfile(), None),
        (PlatformProfile(gpus=8, nvlink_version=6), False),
        (PlatformProfile(gpus=8, nvlink_version=7), True),
        (PlatformProfile(gpus=4, nvlink_version=7, c2c_links=5), False),
    ],
)
def test_fabric_manager_is_needed_where_switches_are_known_to_be(
    tree: HostTree,
    profile: PlatformProfile,
    needed: bool | None,  # noqa: FBT001 - parametrized
) -> None:
    service(tree, FABRIC_MANAGER)
    host = MonitoredHost("services", tree, profile=profile)
    assert told(host.look())["needed"] is needed


def test_imex_is_needed_where_its_domain_has_several_nodes(tree: HostTree) -> None:
    host = MonitoredHost("services", tree)
    service(tree, IMEX)
    assert told(host.look())["needed"] is False
    tree.write("etc/nvidia-imex/nodes_config.cfg", "# the rack\n10.0.0.1\n10.0.0.2")
    assert told(host.look())["needed"] is True


def test_without_systemd_nothing_is_said_of_services(tree: HostTree) -> None:
    host = MonitoredHost("services", tree)
    assert host.look() == ()
    assert host.types() == set()


def test_gpus_of_a_virtual_machine_need_no_module(tree: HostTree) -> None:
    modules(tree)
    (tree.folder / "sys/bus/pci/devices/0000:1b:00.0/driver").symlink_to("/sys/bus/pci/drivers/vfio-pci")
    host = MonitoredHost("kernel_modules", tree)
    host.looks(600)
    assert host.types() == set()


def test_the_open_driver_needs_no_peermem(tree: HostTree) -> None:
    all_modules(tree, "nvidia_peermem")
    opened = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06"
    tree.write("proc/driver/nvidia/version", opened)
    host = MonitoredHost("kernel_modules", tree)
    host.looks(600)
    assert host.types() == set()


@pytest.mark.parametrize(("taint", "type_"), [(1 << 7, "KernelBug"), (1 << 5, "KernelBadPage")])
def test_a_kernel_that_marked_itself_is_told_until_it_boots(tree: HostTree, taint: int, type_: str) -> None:
    host = MonitoredHost("kernel_modules", tree)
    all_modules(tree, taint=4097)
    host.looks(180)
    assert host.types() == set()
    all_modules(tree, taint=4097 | taint)
    host.looks(180)
    assert host.types() == {type_}
    all_modules(tree, taint="?")
    host.looks(180)
    assert host.types() == {type_}
    host.host.reboot("boot-2", at=host.at)
    assert host.types() == set()


def test_a_process_that_ran_between_two_looks_is_not_stuck(tree: HostTree) -> None:
    host = MonitoredHost("stuck_processes", tree)
    for ticks in range(20):
        processes(tree, "D")
        file = tree.folder / "proc/42/task/42/stat"
        file.write_text(file.read_text().replace(" 17 3 ", f" 17 {ticks} "))
        host.look()
    assert host.types() == set()


def test_an_idle_host_is_not_looked_through(tree: HostTree) -> None:
    host = MonitoredHost("stuck_processes", tree)
    processes(tree, "D", load="0.31")
    said = told(host.look())
    assert (said["stuck"], said["zombies"]) == (0, None)


def test_a_dead_leader_with_a_thread_in_the_driver_is_stuck_in_the_driver(tree: HostTree) -> None:
    host = MonitoredHost("stuck_processes", tree)
    processes(tree, "Z")
    thread = "43 (cuda-EvtHandlr) D 1 42 42 0 -1 4194304 0 0 0 0 17 3 0 0 20 0 9 0 12345 0 0"
    tree.write("proc/42/task/43/stat", thread)
    tree.write("proc/42/task/43/wchan", "nvidia_unlocked_ioctl")
    host.looks(300)
    assert host.types() == {"ProcessesStuckInDriver"}
    said = told(host.look())
    assert (said["in_driver"], said["zombies"]) == (1, 1)
    assert said["names"] == "cuda-EvtHandlr[42] in nvidia_unlocked_ioctl"


def test_hyper_threading_that_is_off_takes_no_processor_away(tree: HostTree) -> None:
    cpus(tree, online="0-1")
    tree.write("sys/devices/system/cpu/smt/control", "off")
    host = MonitoredHost("cpu", tree)
    host.looks(600)
    assert host.types() == set()


# -- this machine -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["memory", "memory_modules", "cpu", "time_sync", "services", "kernel_modules", "stuck_processes"],
)
def test_a_reading_of_this_machine_says_only_what_is_declared(name: str) -> None:
    monitor, now = HOST_MONITORS[name], START
    read, before = monitor.reader(REAL_HOST, USUAL_SETTINGS), None
    for later in (0.0, 60.0):
        known = HostKnown(now=now.later(later))
        reading = monitor.carry(read(), before, known)
        said = monitor.judge(reading, before, known)
        assert all(is_declared(signal) for signal in said)
        for signal in said:
            of_their_type = values_of(signal)
            assert {
                f"signal.{name}": value for name, value in signal.fields.items()
            }.items() <= of_their_type.items()
        before = reading
