"""Two of a kind never share a state directory."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sickbay.host.state_lock import AlreadyRunningError, hold

HOLDER = """
import pathlib, sys
from sickbay.host.state_lock import hold
hold(pathlib.Path(sys.argv[1]), "sickbay-coordinator")
print(flush=True)
sys.stdin.read()
"""


def test_a_second_holder_is_told_who_holds_it_and_what_to_do(tmp_path: Path) -> None:
    held = hold(tmp_path / "state", "sickbay-agent")
    with pytest.raises(
        AlreadyRunningError, match=rf"another sickbay-agent \(pid {os.getpid()}\); stop it, or"
    ):
        hold(tmp_path / "state", "sickbay-agent")
    held.release()
    hold(tmp_path / "state", "sickbay-agent").release()


def test_different_programs_may_share_a_directory(tmp_path: Path) -> None:
    held = hold(tmp_path, "one")
    hold(tmp_path, "other").release()
    held.release()


def test_a_program_that_was_killed_holds_nothing(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(AlreadyRunningError, match=f"pid {other.pid}"):
            hold(tmp_path, "sickbay-coordinator")
        other.kill()
    hold(tmp_path, "sickbay-coordinator").release()
