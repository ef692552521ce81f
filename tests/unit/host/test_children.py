import os
import sys
from pathlib import Path

from tests.support.waiting import until, wait_until

from sickbay.host.children import start_child
from sickbay.host.clock import SystemClock

SLEEP = (sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)")
DEAF = (
    sys.executable,
    "-c",
    (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "print('up', flush=True); time.sleep(60)"
    ),
)
WITH_A_CHILD = (
    sys.executable,
    "-c",
    (
        "import subprocess, time; c = subprocess.Popen(['sleep', '60']); "
        "print(c.pid, flush=True); time.sleep(60)"
    ),
)


def alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


async def test_a_child_writes_to_its_log_and_ends_when_asked(tmp_path: Path):
    child = start_child(SLEEP, log=tmp_path / "log")
    await until(lambda: "up" in (tmp_path / "log").read_text())
    assert child.exit_code is None
    assert await child.stop(SystemClock(), grace=5.0) == -15


async def test_a_child_that_does_not_listen_is_killed_when_its_grace_is_over(tmp_path: Path):
    child = start_child(DEAF, log=tmp_path / "log")
    await until(lambda: "up" in (tmp_path / "log").read_text())
    assert await child.stop(SystemClock(), grace=0.1) == -9


async def test_what_a_child_started_goes_with_it(tmp_path: Path):
    child = start_child(WITH_A_CHILD, log=tmp_path / "log")
    await until(lambda: (tmp_path / "log").read_text().strip())
    grandchild = int((tmp_path / "log").read_text())
    child.kill()
    await until(lambda: child.exit_code is not None and not alive(grandchild))


def test_a_child_does_not_outlive_a_parent_that_was_killed(tmp_path: Path):
    program = (
        "import sys, time; from pathlib import Path; from sickbay.host.children import start_child;"
        f"c = start_child(('sleep', '60'), log=Path({str(tmp_path / 'inner')!r}));"
        "print(c.pid, flush=True); time.sleep(60)"
    )
    parent = start_child((sys.executable, "-c", program), log=tmp_path / "log")
    wait_until(lambda: (tmp_path / "log").read_text().strip())
    inner = int((tmp_path / "log").read_text())
    os.kill(parent.pid, 9)
    wait_until(lambda: parent.exit_code is not None and not alive(inner))


async def test_a_program_that_is_not_there_ends_at_once_and_its_log_says_so(tmp_path: Path):
    child = start_child(("/nonexistent/agent",), log=tmp_path / "log")
    await until(lambda: child.exit_code is not None)
    assert child.exit_code == 1
    assert "/nonexistent/agent: No such file" in (tmp_path / "log").read_text()
