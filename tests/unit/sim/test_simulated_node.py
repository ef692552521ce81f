"""Simulated nodes are made, hurt and rebooted."""

from pathlib import Path

import pytest

from sickbay.core.problems import RefusedError
from sickbay.host.config_files import Seconds
from sickbay.sim.fault_printing import print_due
from sickbay.sim.scenario import Lost, Scenario, Xid
from sickbay.sim.simulated_node import create_node, inject_fault, reboot, reset_gpu


def kernel_log(node: Path) -> list[str]:
    return (node / "kmsg").read_text().splitlines()


def test_a_fault_stands_in_the_kernel_log_at_once_and_once(tmp_path: Path):
    create_node(tmp_path)
    inject_fault(tmp_path, Lost(gpu=0))
    for _ in range(3):
        print_due(tmp_path)
    xid, lost = kernel_log(tmp_path)
    assert xid.startswith("3,0,")
    assert "NVRM: Xid (PCI:0000:1b:00): 79, " in xid
    assert lost.endswith("NVRM: GPU 0000:1b:00.0: GPU has fallen off the bus.")


def test_a_fault_to_come_is_printed_when_it_is_due(tmp_path: Path):
    node = create_node(tmp_path, scenario=Scenario(faults=(Lost(gpu=0, at=Seconds(3600)),)))
    print_due(tmp_path)
    assert kernel_log(tmp_path) == []
    node.epoch.write_text(f"{node.booted_at() - 3600}\n")
    print_due(tmp_path)
    assert len(kernel_log(tmp_path)) == 2


def test_a_reboot_is_a_new_boot_with_an_empty_log_and_only_lasting_faults(tmp_path: Path):
    node = create_node(tmp_path)
    before = node.boot_id.read_text()
    inject_fault(tmp_path, Xid(gpu=1, code=48))
    inject_fault(tmp_path, Lost(gpu=0, until="reset"))
    inject_fault(tmp_path, Xid(gpu=2, code=95, until="never"))
    boot_id = reboot(tmp_path)
    assert node.boot_id.read_text().strip() == boot_id
    assert node.boot_id.read_text() != before
    assert [record["gpu"] for record in node.read_faults()] == [2]
    (line,) = kernel_log(tmp_path)
    assert "0000:52:00): 95" in line


def test_a_gpu_reset_ends_what_a_reset_ends(tmp_path: Path):
    node = create_node(tmp_path)
    inject_fault(tmp_path, Lost(gpu=0, until="reset"))
    inject_fault(tmp_path, Lost(gpu=1, until="reset"))
    inject_fault(tmp_path, Lost(gpu=0))
    reset_gpu(tmp_path, 0)
    assert [(record["gpu"], record["until"]) for record in node.read_faults()] == [
        (1, "reset"),
        (0, "reboot"),
    ]


def test_two_nodes_of_one_profile_can_be_told_apart(tmp_path: Path):
    one = create_node(tmp_path / "one", salt="one").read_profile()["gpus"][0]["values"]
    two = create_node(tmp_path / "two", salt="two").read_profile()["gpus"][0]["values"]
    assert one["uuid"] != two["uuid"]
    assert one["name"] == two["name"]


def test_a_folder_holds_one_node(tmp_path: Path):
    create_node(tmp_path)
    with pytest.raises(FileExistsError, match="holds a simulated node already"):
        create_node(tmp_path)


def test_a_profile_that_is_none_is_refused(tmp_path: Path):
    profile = tmp_path / "profile.yaml"
    profile.write_text("about: nothing\n")
    with pytest.raises(RefusedError, match="driver_version"):
        create_node(tmp_path / "node", profile=profile)
