"""The driver's words on faults, written to the simulated kernel log: each once, by whoever notices first."""

from pathlib import Path
from time import monotonic_ns

from sickbay.sim import faults, kernel_log
from sickbay.sim.node_dir import NodeDir


def print_due(path: Path) -> None:
    """Print what is due on a simulated node and not yet printed."""
    node = NodeDir(path)
    with node.locked():
        printed, now = node.read_printed(), node.uptime()
        records = node.read_faults()
        due = [record for record in records if record["at"] <= now and record["id"] not in printed]
        if not due:
            return
        addresses = sorted(str(gpu["pci"]) for gpu in node.read_profile()["gpus"])
        for record in due:
            slot = record["gpu"]
            pci = addresses[slot] if slot is not None and slot < len(addresses) else ""
            for line in faults.kernel_lines(record, pci) if pci else ():
                kernel_log.append(node.kmsg, line, mono=monotonic_ns() / 1e9)
        node.write_printed(printed | {record["id"] for record in due})
