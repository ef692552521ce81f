"""Holders of device files, found in the real /proc."""

import os
from pathlib import Path

from sickbay.host.processes import holders


def test_a_process_with_an_open_device_is_named(tmp_path: Path) -> None:
    device = tmp_path / "nvidia0"
    device.write_text("")
    with device.open():
        found = holders(prefix=str(tmp_path / "nvidia"))
    assert [(holder.pid, holder.devices) for holder in found] == [(os.getpid(), (str(device),))]
    assert found[0].state in "RSD"
    assert found[0].name


def test_a_process_name_may_hold_spaces_and_parentheses(tmp_path: Path) -> None:
    folder = tmp_path / "42"
    (folder / "fd").mkdir(parents=True)
    (folder / "fd" / "3").symlink_to("/dev/nvidia0")
    (folder / "stat").write_text("42 (a (b) c) D 1 42 42\n")
    (found,) = holders(proc=tmp_path)
    assert (found.name, found.state, found.devices) == ("a (b) c", "D", ("/dev/nvidia0",))


def test_a_process_that_ends_meanwhile_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "42").mkdir()
    assert holders(proc=tmp_path) == ()
