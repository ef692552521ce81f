"""How long a person waits for `sickbay status`, each time in a new process."""

import subprocess
import sys
import time
from pathlib import Path

from tests.bench.figures import Figure, at_most, median, p99
from tests.bench.simulated_agent import simulated_agent

ROUNDS = 21
SICKBAY = Path(sys.executable).with_name("sickbay")


def once(*arguments: str) -> float:
    """Milliseconds from the start of the command to its end. RuntimeError when it did not answer."""
    began = time.perf_counter()
    done = subprocess.run([SICKBAY, *arguments], capture_output=True, text=True, check=False)
    took = (time.perf_counter() - began) * 1e3
    if not done.stdout:
        raise RuntimeError(f"sickbay {' '.join(arguments)} answered nothing: {done.stderr.strip()}")
    return took


def measure() -> dict[str, Figure]:
    """`sickbay status` against a running agent; files are in the page cache, processes are new."""
    with simulated_agent() as agent:
        times = [once("status", "--socket", str(agent.socket)) for _ in range(ROUNDS)]
    return {
        "cli_status_p50": at_most(median(times), "ms", 150.0),
        "cli_status_p99": at_most(p99(times), "ms", 300.0),
    }
