"""The NVML worker over a simulated driver: `python -m sickbay.sim.nvml_worker NODE_DIR SOCKET_FD SLOT_FD`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pynvml

from sickbay.host.nvml import worker
from sickbay.sim.nvml import SimulatedNvml


def install(node_dir: Path) -> None:
    """Put the simulated library in the place of libnvidia-ml.so.1, for this process."""

    def print_due() -> None:
        # Only when a fault is due: what writes the kernel log is twice the size of the worker.
        from sickbay.sim import fault_printing  # noqa: PLC0415 - see above

        fault_printing.print_due(node_dir)

    vars(pynvml)["nvmlLib"] = SimulatedNvml(node_dir, on_due=print_due)


if __name__ == "__main__":
    install(Path(sys.argv[1]))
    os._exit(worker.main(sys.argv[2:]))
