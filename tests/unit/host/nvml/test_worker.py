"""The worker as a program."""

import subprocess
import sys


def test_started_by_hand_it_says_who_starts_it():
    done = subprocess.run(
        [sys.executable, "-m", "sickbay.host.nvml.worker"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "started by sickbay-agent" in done.stderr


def test_it_loads_nothing_that_the_agent_needs_and_it_does_not():
    heavy = ("asyncio", "grpc", "msgspec", "yaml", "dataclasses", "typing", "sickbay.core")
    script = f"import sys, sickbay.host.nvml.worker; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
