"""What systemd's own files say of services."""

import shutil
from pathlib import Path

import pytest
from tests.support.host_tree import HostTree

from sickbay.host.service_units import ServiceUnit, read_services

UNIT = "slurmd.service"


@pytest.fixture
def tree(tmp_path: Path) -> HostTree:
    tree = HostTree(tmp_path)
    for folder in ("run/systemd/system", "run/systemd/units", "etc/systemd/system/multi-user.target.wants"):
        (tmp_path / folder).mkdir(parents=True)
    unit = tree.write(f"usr/lib/systemd/system/{UNIT}", "[Service]")
    (tmp_path / "etc/systemd/system/multi-user.target.wants" / UNIT).symlink_to(unit)
    return tree


def test_a_unit_without_a_start_is_down(tree: HostTree) -> None:
    (unit,) = read_services(tree.root, [UNIT]).units
    assert (unit, unit.is_up) == (ServiceUnit(name=UNIT), False)


def test_a_started_unit_has_the_id_of_its_start(tree: HostTree) -> None:
    (tree.folder / f"run/systemd/units/invocation:{UNIT}").symlink_to("0a" * 16)
    (unit,) = read_services(tree.root, [UNIT]).units
    assert (unit.invocation, unit.is_up) == ("0a" * 16, True)


@pytest.mark.parametrize(
    ("path", "text", "found"),
    [
        ("system.slice/slurmd.service/cgroup.events", "populated 1\nfrozen 0", True),
        ("system.slice/slurmd.service/cgroup.events", "populated 0\nfrozen 0", False),
        ("systemd/system.slice/slurmd.service/cgroup.procs", "4711", True),
        ("systemd/system.slice/slurmd.service/cgroup.procs", "", False),
    ],
)
def test_processes_are_seen_in_either_version_of_cgroups(
    tree: HostTree, path: str, text: str, *, found: bool
) -> None:
    tree.write(f"sys/fs/cgroup/{path}", text)
    (unit,) = read_services(tree.root, [UNIT]).units
    assert unit.has_processes is found


def test_only_what_was_asked_for_and_is_enabled_is_told(tree: HostTree) -> None:
    assert read_services(tree.root, ["kubelet.service"]).units == ()


def test_units_that_cannot_be_seen_are_an_error_and_not_down(tree: HostTree) -> None:
    shutil.rmtree(tree.folder / "run/systemd/units")
    with pytest.raises(OSError, match="units"):
        read_services(tree.root, [UNIT])


def test_a_host_without_systemd_has_no_units(tree: HostTree) -> None:
    shutil.rmtree(tree.folder / "run/systemd")
    assert read_services(tree.root, [UNIT]).units == ()
