"""One coordinator a state directory."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sickbay.coordinator.lock import AlreadyRunningError, hold

HOLDER = """
import pathlib, sys
from sickbay.coordinator.lock import hold
hold(pathlib.Path(sys.argv[1]))
print(flush=True)
sys.stdin.read()
"""


def test_a_second_coordinator_is_refused_and_told_who_holds_the_directory(tmp_path: Path):
    held = hold(tmp_path / "state")
    with pytest.raises(AlreadyRunningError, match=rf"pid {os.getpid()}\); stop it, or"):
        hold(tmp_path / "state")
    held.release()
    hold(tmp_path / "state").release()


def test_a_coordinator_that_was_killed_holds_nothing(tmp_path: Path):
    argv = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(AlreadyRunningError, match=f"pid {other.pid}"):
            hold(tmp_path)
        other.kill()
    hold(tmp_path).release()
