"""Two of a kind never share a state directory."""

import os
from pathlib import Path

import pytest

from sickbay.host.state_lock import AlreadyRunningError, hold


def test_a_second_holder_is_told_who_holds_it_and_what_to_do(tmp_path: Path) -> None:
    held = hold(tmp_path / "state", "sickbay-agent")
    with pytest.raises(AlreadyRunningError, match=rf"another sickbay-agent \(pid {os.getpid()}\)"):
        hold(tmp_path / "state", "sickbay-agent")
    held.release()
    hold(tmp_path / "state", "sickbay-agent").release()


def test_different_programs_may_share_a_directory(tmp_path: Path) -> None:
    held = hold(tmp_path, "one")
    hold(tmp_path, "other").release()
    held.release()
