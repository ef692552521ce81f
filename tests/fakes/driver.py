"""The simulated driver inside the test's own process, beneath the real pynvml."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pynvml

from sickbay.sim.nvml import SimulatedNvml


@contextmanager
def loaded(node: Path) -> Iterator[SimulatedNvml]:
    """pynvml over this node's driver; what was loaded before is put back."""
    state = vars(pynvml)
    before, found = state["nvmlLib"], dict(state["_nvmlGetFunctionPointer_cache"])
    library = SimulatedNvml(node)
    state["nvmlLib"] = library
    state["_nvmlGetFunctionPointer_cache"].clear()
    try:
        yield library
    finally:
        state["nvmlLib"] = before
        state["_nvmlGetFunctionPointer_cache"].clear()
        state["_nvmlGetFunctionPointer_cache"].update(found)
