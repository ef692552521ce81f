"""The main job: `sickbay demo`, as a newcomer runs it."""

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.waiting import wait_until

COMMAND = (sys.executable, "-m", "sickbay.cli.main", "demo")

ORDER = [
    "fault",
    "detected",
    "incident",
    "cordoned",
    "drained",
    "rebooting",
    "rebooted",
    "validated",
    "returned",
]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short: the names of unix sockets are limited to 107 characters."""
    with tempfile.TemporaryDirectory(prefix="sbd-", dir="/tmp") as path:
        yield Path(path)


def processes_naming(text: str) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if text in line:
            found.append(line)
    return found


def test_a_lost_gpu_is_detected_cordoned_rebooted_proved_and_returned_and_nothing_is_left(folder: Path):
    demo = subprocess.run(
        [*COMMAND, "--json"], capture_output=True, text=True, env={"TMPDIR": str(folder)}, check=False
    )
    assert demo.returncode == 0, demo.stderr
    *steps, summary = [json.loads(line) for line in demo.stdout.splitlines()]

    told = [step["step"] for step in steps]
    assert [name for name in told if name in ORDER] == ORDER
    assert {"gate:mode", "gate:owner", "gate:freshness"} <= set(told)
    assert {step["node"] for step in steps} == {"sim-2"}
    assert all(isinstance(step["t"], float | int) and step["t"] >= 0 for step in steps)

    times = [step["t"] for step in steps if step["step"] in ORDER]
    assert times == sorted(times)
    assert summary["summary"] is True
    assert (summary["outcome"], summary["node"]) == ("returned", "sim-2")
    assert 0 < summary["detect_s"] <= summary["cordon_s"] < summary["total_s"]
    assert processes_naming(str(folder)) == []
    assert list(folder.iterdir()) == []


@pytest.mark.timeout(240)
def test_a_fleet_that_is_held_answers_every_command_that_the_demonstration_names(folder: Path):
    log = folder / "log"
    with log.open("w") as output:
        demo = subprocess.Popen(
            [*COMMAND, "--hold", "--timeout", "60"], stdout=output, stderr=output, env={"TMPDIR": str(folder)}
        )
    try:
        wait_until(lambda: "Ctrl-C ends it" in log.read_text() or demo.poll() is not None, patience=90)
        lines = [line.strip() for line in log.read_text().splitlines()]
        exported = next((line for line in lines if line.startswith("export ")), None)
        assert exported is not None, log.read_text()
        env = dict(pair.split("=", 1) for pair in exported.removeprefix("export ").split())
        commands = [line.split() for line in lines if line.startswith("sickbay ")]
        assert commands, log.read_text()
        assert "sim-2 returned" in log.read_text(), log.read_text()
        for _, *arguments in commands:
            asked = subprocess.run(
                [sys.executable, "-m", "sickbay.cli.main", *arguments],
                capture_output=True,
                text=True,
                env=env,
                check=False,
            )
            assert asked.returncode == 0, (arguments, asked.stderr)
            assert asked.stdout.strip()
    finally:
        demo.send_signal(signal.SIGINT)
        began = time.monotonic()
        code = demo.wait(timeout=30)
    assert code == 0, log.read_text()
    assert time.monotonic() - began < 30
    assert processes_naming(str(folder)) == []
