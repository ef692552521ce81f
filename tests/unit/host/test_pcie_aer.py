"""The kernel's counts of PCIe errors, from a tree as sysfs lays it out."""

from pathlib import Path

import pytest

from sickbay.host.host_root import HostRoot
from sickbay.host.pcie_aer import AerReader

CORRECTABLE = "RxErr 3\nBadTLP 1\nBadDLLP 0\nRollover 0\nTimeout 0\nTOTAL_ERR_COR 4\n"
NON_FATAL = "Undefined 0\nCmpltTO 2\nTOTAL_ERR_NONFATAL 2\n"
FATAL = "Undefined 0\nDLP 0\nTOTAL_ERR_FATAL 0\n"
ABOVE, GPU = "0000:18:01.0", "0000:1b:00.0"


@pytest.fixture
def root(tmp_path: Path) -> HostRoot:
    """A GPU below a port, as on a real bus: one a folder inside the other, and the bus a folder of links."""
    host = HostRoot.under(tmp_path)
    devices = host.sys / "bus/pci/devices"
    devices.mkdir(parents=True)
    tree = host.sys / "devices/pci0000:17" / ABOVE / GPU
    tree.mkdir(parents=True)
    for device in (tree, tree.parent):
        (devices / device.name).symlink_to(device)
    (tree / "vendor").write_text("0x10de\n")
    (tree / "class").write_text("0x030200\n")
    (tree / "device").write_text("0x2330\n")
    return host


def count(root: HostRoot, device: str, correctable: str = CORRECTABLE) -> None:
    folder = root.sys / "bus/pci/devices" / device
    (folder / "aer_dev_correctable").write_text(correctable)
    (folder / "aer_dev_nonfatal").write_text(NON_FATAL)
    (folder / "aer_dev_fatal").write_text(FATAL)


def test_both_ends_of_a_link_are_counted_error_by_error(root: HostRoot):
    count(root, GPU)
    count(root, ABOVE, "RxErr 0\nTOTAL_ERR_COR 0\n")
    (link,) = AerReader(root)()
    assert (link.pci, link.port) == ("0000:1b:00", ABOVE)
    assert link.gpu.correctable == {"RxErr": 3, "BadTLP": 1, "BadDLLP": 0, "Rollover": 0, "Timeout": 0}
    assert link.gpu.non_fatal == {"Undefined": 0, "CmpltTO": 2}
    assert link.above.correctable == {"RxErr": 0}


def test_a_link_that_nobody_counts_is_not_spoken_of(root: HostRoot):
    assert AerReader(root)() == ()


def test_a_port_that_does_not_count_leaves_the_gpus_own_counts(root: HostRoot):
    count(root, GPU)
    (link,) = AerReader(root)()
    assert (link.gpu.is_counted, link.above.is_counted) == (True, False)


def test_a_gpu_right_on_the_root_bus_has_no_port(root: HostRoot):
    count(root, GPU)
    devices = root.sys / "bus/pci/devices"
    moved = root.sys / "devices/pci0000:17" / GPU
    (root.sys / "devices/pci0000:17" / ABOVE / GPU).rename(moved)
    (devices / GPU).unlink()
    (devices / GPU).symlink_to(moved)
    (link,) = AerReader(root)()
    assert (link.port, link.above.is_counted) == ("", False)


def test_a_host_without_a_bus_has_no_links(tmp_path: Path):
    assert AerReader(HostRoot.under(tmp_path))() == ()


def test_counts_that_cannot_be_read_are_not_taken_for_none(root: HostRoot):
    (root.sys / "bus/pci/devices" / GPU / "aer_dev_correctable").mkdir()
    with pytest.raises(IsADirectoryError):
        AerReader(root)()
