"""What an idle agent with eight simulated GPUs costs: memory, processor and disk, taken from outside."""

import time

from tests.bench.figures import Figure, NotHereError, at_most, cannot, noted
from tests.bench.processes import Cost, alone_bytes, cost
from tests.bench.simulated_agent import simulated_agent

SETTLE_S = 150.0
"""Beyond the third look of monitors that look each minute: until then their rates are new, and kept."""

SPAN_S = 60.0


def over_a_minute(pid: int) -> tuple[Cost, Cost, float]:
    """What the agent has used before and after, and how many seconds lay between."""
    before, began = cost(pid), time.monotonic()
    time.sleep(SPAN_S)
    after = cost(pid)
    return before, after, time.monotonic() - began


def memory_alone(pid: int) -> Figure:
    """On a host where nothing else is written in Python; here the coordinator shares its pages."""
    try:
        return at_most(alone_bytes(pid) / 1e6, "MB", 60.0)
    except NotHereError as reason:
        return cannot(str(reason))


def measure() -> dict[str, Figure]:
    """The agent's figures of docs/measurements.md.

    The processor's share holds the simulated driver's time too, which is Python where a real one is C.
    """
    with simulated_agent() as agent:
        time.sleep(SETTLE_S)
        before, after, span = over_a_minute(agent.pid)
        alone = memory_alone(agent.pid)
    return {
        "agent_8_gpus_pss": at_most(after.pss_bytes / 1e6, "MB", 60.0),
        "agent_8_gpus_memory_alone": alone,
        "agent_8_gpus_cpu": at_most(100 * (after.cpu_s - before.cpu_s) / span, "% of a core", 0.2),
        "agent_8_gpus_cpu_without_worker": noted(
            100 * (after.first_cpu_s - before.first_cpu_s) / span, "% of a core"
        ),
        "agent_8_gpus_disk": at_most(after.written_bytes - before.written_bytes, "bytes/min", 0),
        "agent_8_gpus_processes": noted(after.processes, ""),
    }
