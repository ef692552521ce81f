"""RDMA ports out of sysfs, as kernels write them, and as they leave things out."""

from pathlib import Path

import pytest
from tests.support.host_tree import HostTree

from sickbay.host.host_root import HostRoot
from sickbay.host.infiniband import Port, PortReader, read_counters


@pytest.fixture
def tree(tmp_path: Path) -> HostTree:
    return HostTree(tmp_path)


def only(tree: HostTree) -> Port:
    (port,) = PortReader(tree.root)()
    return port


def test_a_host_without_rdma_has_no_ports(tree: HostTree) -> None:
    assert PortReader(tree.root)() == ()
    assert read_counters(tree.root) == ()


def test_a_port_says_its_state_its_rate_and_what_it_is(tree: HostTree) -> None:
    tree.port()
    port = only(tree)
    assert (port.name, port.state, port.physical) == ("mlx5_0/1", "ACTIVE", "LinkUp")
    assert (port.rate, port.link_layer, port.model) == (400.0, "InfiniBand", "MT4129 MT_0000000838")
    assert port.is_active is True
    assert port.disabled is False


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("2.5 Gb/sec (1X SDR)", 2.5),
        ("100 Gb/sec (4X EDR)", 100.0),
        ("800 Gb/sec (4X XDR)", 800.0),
        ("", None),
        ("fast", None),
    ],
)
def test_a_rate_is_read_in_gigabits_or_is_unknown(tree: HostTree, text: str, rate: float | None) -> None:
    tree.port(rate=text)
    assert only(tree).rate == rate


def test_a_state_that_cannot_be_read_is_unknown(tree: HostTree) -> None:
    tree.port()
    (tree.folder / "sys/class/infiniband/mlx5_0/ports/1/state").unlink()
    assert only(tree).is_active is None


def test_an_infiniband_port_that_is_disabled_was_switched_off(tree: HostTree) -> None:
    tree.port(state="1: DOWN", physical="3: Disabled")
    assert only(tree).disabled is True


def test_a_roce_port_without_a_carrier_was_not_switched_off(tree: HostTree) -> None:
    tree.roce(up=False)
    assert only(tree).physical == "Disabled"
    assert only(tree).disabled is False


def test_a_roce_port_whose_interface_is_down_was_switched_off(tree: HostTree) -> None:
    tree.roce(up=False, flags="0x1002")
    assert only(tree).disabled is True


def test_a_virtual_function_is_not_a_port_of_its_own(tree: HostTree) -> None:
    tree.port()
    tree.port("mlx5_8")
    tree.write("sys/class/infiniband/mlx5_8/device/physfn/vendor", "0x15b3")
    assert [port.device for port in PortReader(tree.root)()] == ["mlx5_0"]


def test_a_change_of_state_is_seen_at_the_next_look_and_a_change_of_rate_within_ten(tree: HostTree) -> None:
    tree.port()
    read = PortReader(tree.root)
    read()
    tree.port_down()
    (port,) = read()
    assert (port.state, port.physical, port.rate) == ("DOWN", "Polling", 10.0)
    tree.port()
    read()
    tree.port(rate="200 Gb/sec (2X NDR)")
    assert [port.rate for _ in range(10) for port in read()][-1] == 200.0


def test_counters_are_those_of_the_link_layer(tree: HostTree) -> None:
    tree.port("mlx5_0")
    tree.counters("mlx5_0", symbol_error=3, link_downed=1, port_xmit_wait=99)
    tree.roce("mlx5_1", carrier_down_count=4, rx_crc_errors=2)
    tree.counters("mlx5_1", symbol_error=7)
    tree.write("sys/class/infiniband/mlx5_1/ports/1/hw_counters/rx_icrc_encapsulated", 5)
    infiniband, ethernet = read_counters(tree.root)
    assert infiniband.counters == {"symbol_error": 3, "link_downed": 1}
    assert ethernet.counters == {"rx_icrc_encapsulated": 5, "carrier_down_count": 4, "rx_crc_errors": 2}


def test_a_counter_that_is_no_number_is_left_out(tree: HostTree) -> None:
    tree.port()
    tree.write("sys/class/infiniband/mlx5_0/ports/1/counters/symbol_error", "N/A (no PMA)")
    (port,) = read_counters(tree.root)
    assert port.counters == {}


def test_ports_that_cannot_be_listed_are_no_empty_list(tmp_path: Path) -> None:
    (tmp_path / "sys" / "class").mkdir(parents=True)
    (tmp_path / "sys" / "class" / "infiniband").write_text("")
    with pytest.raises(NotADirectoryError):
        PortReader(HostRoot.under(tmp_path))()
