"""RDMA ports: each fault is seen, kept while unseen, and cleared."""

from pathlib import Path

import pytest
from tests.support.host_monitors import Drive, MonitoredHost, fields
from tests.support.host_tree import HostTree

from sickbay.core.platforms import PlatformProfile

PORT = "sys/class/infiniband/mlx5_0/ports/1"


def no_states(tree: HostTree) -> None:
    """The adapter's firmware does not answer: the files are there and cannot be read."""
    for name in ("state", "phys_state", "rate"):
        (tree.folder / PORT / name).unlink(missing_ok=True)


def no_counters(tree: HostTree) -> None:
    tree.take_out(f"{PORT}/counters")


def eight_ports(tree: HostTree, **last: str) -> None:
    for number in range(7):
        tree.port(f"mlx5_{number}")
    tree.port("mlx5_7", **last)


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
]


@pytest.fixture
def tree(tmp_path: Path) -> HostTree:
    return HostTree(tmp_path)


@pytest.mark.parametrize("drive", DRIVES, ids=lambda drive: drive.type)
def test_a_fault_opens_its_condition_is_kept_while_unseen_and_clears(drive: Drive, tree: HostTree) -> None:
    drive.through(tree)


@pytest.mark.parametrize("drive", DRIVES, ids=lambda drive: drive.type)
def test_what_cannot_be_seen_opens_no_condition_of_the_hardware(drive: Drive, tree: HostTree) -> None:
    drive.through_blindness(tree)


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
