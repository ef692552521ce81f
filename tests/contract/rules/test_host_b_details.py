"""Clock, services, modules, processes: what a level alone does not show, and what is no fault at all."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.host_monitors import MonitoredHost, fields
from tests.support.host_states import (
    all_modules,
    cpus,
    modules,
    processes,
    service,
)
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


@pytest.fixture
def tree(tmp_path: Path) -> HostTree:
    return HostTree(tmp_path)


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
