"""Ports, disks, file systems, network mounts, plugins: each fault is seen, kept while unseen, cleared."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.support.host_monitors import MonitoredHost, fields
from tests.support.host_tree import HostTree
from tests.support.rules import START, Host

from sickbay.core.platforms import PlatformProfile
from sickbay.host.commands import CommandResult, TimedOut
from sickbay.host.mount_space import LocalFilesystem, RemoteMount, Space
from sickbay.host.mount_table import Mount
from sickbay.monitors import plugins
from sickbay.monitors.filesystems import Filesystems
from sickbay.monitors.mounts import Mounts
from sickbay.node.status import sight_of

PORT = "sys/class/infiniband/mlx5_0/ports/1"
GIB = 1024**3


@dataclass(frozen=True, kw_only=True)
class Drive:
    """A fault in a tree: how the host is well, how it is ill, and how long each takes to be believed."""

    monitor: str
    type: str
    well: Callable[[HostTree], object]
    ill: Callable[[HostTree], object]
    blind: Callable[[HostTree], object]
    opens: float
    clears: float
    profile: PlatformProfile = field(default_factory=PlatformProfile)


def no_states(tree: HostTree) -> None:
    """The adapter's firmware does not answer: the files are there and cannot be read."""
    for name in ("state", "phys_state", "rate"):
        (tree.folder / PORT / name).unlink(missing_ok=True)


def no_counters(tree: HostTree) -> None:
    tree.take_out(f"{PORT}/counters")


def no_disks(tree: HostTree) -> None:
    (tree.folder / "proc/self/mountinfo").unlink()


def eight_ports(tree: HostTree, **last: str) -> None:
    for number in range(7):
        tree.port(f"mlx5_{number}")
    tree.port("mlx5_7", **last)


def mounted_disk(tree: HostTree) -> None:
    tree.disk("nvme1n1", number="259:5")
    tree.mounts("40 29 259:5 / /scratch rw - xfs /dev/nvme1n1 rw")


def flapping(tree: HostTree) -> None:
    tree.port_down() if "ACTIVE" in (tree.folder / PORT / "state").read_text() else tree.port()


DRIVES = [
    Drive(
        monitor="infiniband",
        type="PortDown",
        well=lambda tree: tree.port(),
        ill=lambda tree: tree.port_down(),
        blind=no_states,
        opens=0,
        clears=31,
    ),
    Drive(
        monitor="infiniband",
        type="PortRateLow",
        well=lambda tree: tree.port(),
        ill=lambda tree: tree.port(rate="200 Gb/sec (2X NDR)"),
        blind=no_states,
        opens=45,
        clears=75,
    ),
    Drive(
        monitor="infiniband",
        type="PortsBelowPlatform",
        well=eight_ports,
        ill=lambda tree: eight_ports(tree, state="2: INIT"),
        blind=lambda tree: [tree.port(f"mlx5_{number}", rate="?") for number in range(8)],
        opens=330,
        clears=75,
        profile=PlatformProfile(ports=8, port_rate=400.0),
    ),
    *(
        Drive(
            monitor="infiniband_errors",
            type=type_,
            well=lambda tree, name=name: (tree.port(), tree.counters(**{name: 3})),  # type: ignore[misc]
            ill=lambda tree, name=name: tree.counters(**{name: 14}),  # type: ignore[misc]
            blind=no_counters,
            opens=0,
            clears=4300,
        )
        for type_, name in (
            ("PortSymbolErrors", "symbol_error"),
            ("PortLinkRecoveries", "link_error_recovery"),
            ("PortLinkDowned", "link_downed"),
            ("PortReceiveErrors", "port_rcv_errors"),
            ("PortIntegrityErrors", "local_link_integrity_errors"),
            ("PortBufferOverruns", "excessive_buffer_overrun_errors"),
        )
    ),
    Drive(
        monitor="disks",
        type="DiskLost",
        well=mounted_disk,
        ill=lambda tree: tree.take_out("sys/block/nvme1n1"),
        blind=no_disks,
        opens=90,
        clears=90,
    ),
    Drive(
        monitor="disks",
        type="DiskUnusable",
        well=mounted_disk,
        ill=lambda tree: tree.disk("nvme1n1", number="259:5", state="dead"),
        blind=lambda tree: (tree.folder / "sys/block/nvme1n1/device/state").unlink(),
        opens=90,
        clears=90,
    ),
    Drive(
        monitor="disks",
        type="DiskIoErrors",
        well=lambda tree: tree.disk("sda", state="running", io_errors="0x10"),
        ill=lambda tree: tree.disk("sda", state="running", io_errors="0x100"),
        blind=lambda tree: (tree.folder / "sys/block/sda/device/ioerr_cnt").unlink(),
        opens=0,
        clears=4300,
    ),
    Drive(
        monitor="disks",
        type="ArrayDegraded",
        well=lambda tree: tree.array(),
        ill=lambda tree: tree.array(missing=1),
        blind=lambda tree: (tree.folder / "sys/block/md0/md/degraded").unlink(),
        opens=90,
        clears=90,
    ),
    Drive(
        monitor="disks",
        type="ArrayBroken",
        well=lambda tree: tree.array(missing=None),
        ill=lambda tree: tree.array(state="broken", missing=None),
        blind=lambda tree: (tree.folder / "sys/block/md0/md/array_state").unlink(),
        opens=90,
        clears=90,
    ),
]


@pytest.fixture
def tree(tmp_path: Path) -> HostTree:
    return HostTree(tmp_path)


@pytest.mark.parametrize("drive", DRIVES, ids=lambda drive: drive.type)
def test_a_fault_opens_its_condition_is_kept_while_unseen_and_clears(drive: Drive, tree: HostTree) -> None:
    host = MonitoredHost(drive.monitor, tree, profile=drive.profile)
    drive.well(tree)
    host.looks(drive.opens)
    assert host.types() == set()
    drive.ill(tree)
    host.looks(drive.opens)
    assert drive.type in host.types()
    drive.blind(tree)
    host.looks(drive.clears)
    assert drive.type in host.types()
    drive.well(tree)
    host.looks(drive.clears)
    assert host.types() == set()


@pytest.mark.parametrize("drive", DRIVES, ids=lambda drive: drive.type)
def test_what_cannot_be_seen_opens_no_condition_of_the_hardware(drive: Drive, tree: HostTree) -> None:
    host = MonitoredHost(drive.monitor, tree, profile=drive.profile)
    drive.well(tree)
    host.looks(drive.opens)
    drive.blind(tree)
    host.looks(drive.opens)
    assert host.types() <= {"MonitorDegraded"}
    drive.well(tree)
    host.looks(drive.opens)
    assert host.types() == set()


# -- what a level alone does not show --------------------------------------------------------------------


def test_a_port_that_was_never_up_is_nobodys_fault(tree: HostTree) -> None:
    tree.port_down()
    host = MonitoredHost("infiniband", tree)
    assert host.look() == ()
    host.looks(600)
    assert host.types() == set()


def test_a_port_that_goes_down_is_told_at_the_next_look(tree: HostTree) -> None:
    tree.port()
    host = MonitoredHost("infiniband", tree)
    host.look(1.0)
    tree.port_down()
    host.look(2.0)
    assert host.types() == {"PortDown"}
    (condition,) = host.host.state.conditions
    assert condition.subject.key == "port/mlx5_0/1"


def test_a_port_that_somebody_switches_off_is_no_fault(tree: HostTree) -> None:
    tree.roce()
    host = MonitoredHost("infiniband", tree)
    host.look()
    tree.roce(up=False, flags="0x1002")
    host.looks(60)
    assert host.types() == set()


def test_a_port_whose_adapter_is_gone_is_missing_until_it_shows_again(tree: HostTree) -> None:
    tree.port()
    host = MonitoredHost("infiniband", tree)
    host.look()
    tree.take_out("sys/class/infiniband")
    host.looks(12)
    assert host.types() == {"PortMissing"}
    host.forget()  # An agent that starts now has never seen the port.
    host.looks(60)
    assert host.types() == {"PortMissing"}
    tree.port()
    host.looks(24)
    assert host.types() == set()


def test_a_port_that_flaps_is_told_until_it_has_been_stable_for_ten_minutes(tree: HostTree) -> None:
    tree.port()
    host = MonitoredHost("infiniband", tree)
    host.look()
    for _ in range(3):
        tree.port_down()
        host.looks(5)
        tree.port()
        host.looks(40)
    assert host.types() == {"PortFlapping"}
    host.looks(500)
    assert host.types() == {"PortFlapping"}
    host.looks(120)
    assert host.types() == set()


def test_one_slow_port_among_its_like_is_told_and_two_are_taken_for_another_use(tree: HostTree) -> None:
    eight_ports(tree, rate="200 Gb/sec (2X NDR)")
    host = MonitoredHost("infiniband", tree)
    host.looks(60)
    assert host.types() == {"PortRateLow"}
    tree.port("mlx5_6", rate="200 Gb/sec (2X NDR)")
    other = MonitoredHost("infiniband", tree)
    other.looks(60)
    assert other.types() == set()


def test_counters_from_before_the_agent_came_are_nobodys_news(tree: HostTree) -> None:
    tree.port()
    tree.counters(symbol_error=40_000, link_downed=200)
    host = MonitoredHost("infiniband_errors", tree)
    host.looks(300)
    assert host.types() == set()


@pytest.mark.parametrize(
    ("type_", "bad"),
    [
        ("PortLinkDowned", {"carrier_down_count": 6}),
        ("PortReceiveErrors", {"rx_crc_errors": 40}),
        ("PortIcrcErrors", {"rx_icrc_encapsulated": 12}),
    ],
)
def test_a_roce_port_has_the_counters_of_its_interface(
    tree: HostTree, type_: str, bad: dict[str, int]
) -> None:
    icrc = f"{PORT}/hw_counters/rx_icrc_encapsulated"
    tree.roce()
    tree.write(icrc, 0)
    host = MonitoredHost("infiniband_errors", tree)
    host.look()
    tree.roce(**bad)
    tree.write(icrc, bad.get("rx_icrc_encapsulated", 0))
    host.look()
    assert host.types() == {type_}
    host.looks(4300)
    assert host.types() == set()


def test_a_counter_at_its_end_is_said_and_counts_as_unknown(tree: HostTree) -> None:
    tree.port()
    tree.counters(symbol_error=65_530, port_rcv_errors=0)
    host = MonitoredHost("infiniband_errors", tree)
    host.look()
    tree.counters(symbol_error=65_535, port_rcv_errors=0)
    said = fields(host.look(), "port_errors")
    assert (said["symbol"], said["saturated"]) == (None, "symbol_error")
    assert host.types() == {"PortCountersSaturated"}
    tree.counters(symbol_error=0, port_rcv_errors=0)
    host.look()
    assert host.types() == set()


def test_a_volume_that_is_unmounted_and_taken_away_is_no_lost_disk(tree: HostTree) -> None:
    mounted_disk(tree)
    host = MonitoredHost("disks", tree)
    host.look()
    tree.mounts()
    tree.take_out("sys/block/nvme1n1")
    host.looks(600)
    assert host.types() == set()


def test_a_lost_disk_that_is_unmounted_clears(tree: HostTree) -> None:
    mounted_disk(tree)
    host = MonitoredHost("disks", tree)
    host.look()
    tree.take_out("sys/block/nvme1n1")
    host.looks(90)
    assert host.types() == {"DiskLost"}
    tree.mounts()
    host.looks(90)
    assert host.types() == set()


# -- file systems: how full they are is told by the kernel, so the readings are made here -----------------


def local(
    *, free: int = 500 * GIB, inodes: int = 900, read_only: bool = False, known: bool = True
) -> Filesystems:
    space = Space(bytes=1000 * GIB, free_bytes=free, inodes=1000, free_inodes=inodes)
    mount = Mount(point="/scratch", type="xfs", source="/dev/md0", device="9:0", read_only=read_only)
    return Filesystems(mounted=(LocalFilesystem(mount=mount, space=space if known else None),))


@pytest.mark.parametrize(
    ("type_", "ill"),
    [
        ("FilesystemFull", local(free=GIB)),
        ("FilesystemOutOfInodes", local(inodes=10)),
        ("FilesystemReadOnly", local(read_only=True)),
    ],
)
@pytest.mark.parametrize("end", [local(), Filesystems(mounted=())], ids=["well again", "unmounted"])
def test_a_file_system_in_trouble_is_told_until_it_is_well_or_gone(
    tree: HostTree, type_: str, ill: Filesystems, end: Filesystems
) -> None:
    shown = [local()]
    host = MonitoredHost("filesystems", tree, read=lambda: shown[-1])
    host.looks(180)
    shown.append(ill)
    host.looks(180)
    assert host.types() == {type_}
    host.read = _refused
    host.looks(180)
    assert host.types() == {type_, "MonitorDegraded"}
    host.read = lambda: shown[-1]
    shown.append(end)
    host.looks(180)
    assert host.types() == set()


def test_a_file_system_whose_space_is_unknown_is_not_full(tree: HostTree) -> None:
    host = MonitoredHost("filesystems", tree, read=lambda: local(known=False))
    host.looks(600)
    assert host.types() == set()


def test_a_file_system_that_was_read_only_from_the_start_is_meant_to_be(tree: HostTree) -> None:
    host = MonitoredHost("filesystems", tree, read=lambda: local(read_only=True))
    host.looks(600)
    assert host.types() == set()


def test_a_large_file_system_with_much_room_left_is_not_full(tree: HostTree) -> None:
    host = MonitoredHost("filesystems", tree, read=lambda: local(free=49 * GIB))
    host.looks(600)
    assert host.types() == set()


# -- network mounts --------------------------------------------------------------------------------------


def remote(*, answers: bool | None, stale: bool = False) -> Mounts:
    mount = Mount(point="/home", type="nfs4", source="filer:/home", device="0:52", read_only=False)
    return Mounts(mounted=(RemoteMount(mount=mount, answers=answers, is_stale=stale),))


@pytest.mark.parametrize(
    ("type_", "ill"),
    [
        ("NetworkMountHung", remote(answers=False)),
        ("NetworkMountStale", remote(answers=False, stale=True)),
    ],
)
@pytest.mark.parametrize("end", [remote(answers=True), Mounts(mounted=())], ids=["well again", "unmounted"])
def test_a_mount_that_does_not_answer_is_told_until_it_does_or_is_gone(
    tree: HostTree, type_: str, ill: Mounts, end: Mounts
) -> None:
    shown = [remote(answers=True)]
    host = MonitoredHost("mounts", tree, read=lambda: shown[-1])
    host.looks(90)
    shown.append(ill)
    host.looks(90)
    assert host.types() == {type_}
    shown.append(remote(answers=None))
    host.looks(90)
    assert host.types() == {type_}
    shown.append(end)
    host.looks(90)
    assert host.types() == set()


def test_a_mount_that_is_slow_once_is_no_fault(tree: HostTree) -> None:
    shown = [remote(answers=True)]
    host = MonitoredHost("mounts", tree, read=lambda: shown[-1])
    host.look()
    shown.append(remote(answers=False))
    host.look()
    host.look()
    shown.append(remote(answers=True))
    host.looks(300)
    assert host.types() == set()


# -- plugins ---------------------------------------------------------------------------------------------


def ended(code: int, text: str = "") -> CommandResult:
    return CommandResult(argv=("check",), exit_code=code, stdout=text, stderr="", seconds=0.1)


def run(host: Host, outcome: CommandResult | TimedOut, at: float) -> None:
    found = plugins.finding("scratch", outcome, START.later(at))
    host.see(sight_of(found.signal.subject.name, found.trouble, START.later(at)), found.signal)


def test_a_plugins_finding_opens_moves_and_clears_as_it_says(tree: HostTree) -> None:
    host = MonitoredHost("disks", tree).host
    run(host, ended(0, "OK"), 0)
    assert host.types() == set()
    run(host, ended(1, "WARNING - 80 % used | used=80%"), 60)
    assert host.types() == {"PluginWarning"}
    assert host.open["PluginWarning"].message.endswith("scratch: WARNING - 80 % used")
    run(host, ended(2, "CRITICAL - 99 % used"), 120)
    assert host.types() == {"PluginCritical"}
    assert host.open["PluginCritical"].reason == "scratch"
    run(host, TimedOut(argv=("check",), seconds=10.0), 180)
    assert host.types() == {"PluginCritical", "MonitorDegraded"}
    run(host, ended(0, "OK"), 240)
    assert host.types() == set()


def test_a_plugin_that_cannot_tell_is_no_fault(tree: HostTree) -> None:
    host = MonitoredHost("disks", tree).host
    run(host, ended(3, "UNKNOWN"), 0)
    assert host.types() == {"MonitorDegraded"}
    run(host, ended(0), 60)
    assert host.types() == set()


def test_a_plugin_that_is_configured_no_more_takes_its_finding_with_it(tree: HostTree) -> None:
    host = MonitoredHost("disks", tree).host
    run(host, ended(2, "CRITICAL"), 0)
    host.see(plugins.dropped("scratch", START.later(60)))
    assert host.types() == set()


def _refused() -> object:
    raise PermissionError(13, "Permission denied")
