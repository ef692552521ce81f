"""The agent goes ahead of the jobs where it may, and says where it may not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TRY = """
import os
from sickbay.host.priority import go_ahead
print(go_ahead(), os.getpriority(os.PRIO_PROCESS, 0))
"""


def tried(prefix: list[str]) -> str:
    done = subprocess.run([*prefix, sys.executable, "-c", TRY], capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may go ahead")
def test_a_process_that_may_goes_ahead():
    assert tried([]) == "True -10"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give up being root")
def test_a_process_that_may_not_stays_where_it_is_and_says_so():
    assert tried(["setpriv", "--reuid=65534", "--clear-groups", "--inh-caps=-all"]) == "False 0"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may go ahead")
def test_a_process_that_systemd_has_put_ahead_is_left_there():
    assert tried(["nice", "-n", "-12"]) == "True -12"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may go ahead")
@pytest.mark.skipif(not Path("/proc/self/autogroup").exists(), reason="this kernel has no autogroups")
@pytest.mark.parametrize(("own", "nice"), [(True, "nice -10"), (False, "nice 0")])
def test_a_session_of_its_own_goes_ahead_and_one_that_others_share_does_not(own: bool, nice: str):  # noqa: FBT001 - a table's column
    child = [sys.executable, "-c", TRY + "print(open('/proc/self/autogroup').read())"]
    shared = ["setsid", "--wait", "sh", "-c", '"$@"; true', "sh"]
    command = child if own else [*shared, *child]
    done = subprocess.run(command, capture_output=True, text=True, check=True, start_new_session=own)
    assert done.stdout.split("\n")[1].endswith(nice)
