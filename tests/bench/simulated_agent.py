"""A real agent on a simulated host with eight GPUs, idle, for other modules to look at."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.figures import NotHereError


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningAgent:
    """Its process, and the socket of its local API."""

    pid: int
    socket: Path


@contextmanager
def simulated_agent() -> Iterator[RunningAgent]:
    """The agent, up and seeing all its GPUs; ended afterwards."""
    raise NotHereError("the simulated host is not built yet")
    yield RunningAgent(pid=0, socket=Path())
