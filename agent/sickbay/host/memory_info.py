"""How much memory the host has left, from /proc/meminfo and the memory nodes of /sys."""

import re
from dataclasses import dataclass
from pathlib import Path

from sickbay.host.kernel_files import content, content_if_any, cpu_list, names_in
from sickbay.host.pressure import waiting

_LINE = re.compile(r"^(?:Node \d+ )?([\w()]+):\s+(\d+)( kB)?$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryReading:
    """Sizes in bytes, huge pages by number; None: this kernel does not say.

    `poisoned` is memory that the kernel has taken out of use for errors that it could not correct
    (HardwareCorrupted). `waiting` is the percentage of the last minute in which every task that could run
    waited for memory. `least_node_share` is the free part, page cache included, of the fullest memory node
    that has processors: the memory nodes of coherent GPUs (GH200, GB200) are the GPUs' own.
    """

    total: int | None = None
    available: int | None = None
    swap_total: int | None = None
    swap_free: int | None = None
    poisoned: int | None = None
    huge_pages: int | None = None
    huge_pages_free: int | None = None
    waiting: float | None = None
    least_node_share: float | None = None


def read_memory(proc: Path, sys: Path) -> MemoryReading:
    """The host's memory now.

    Raises:
        OSError: /proc/meminfo cannot be read.
    """
    sizes = _sizes(content(proc / "meminfo"))
    return MemoryReading(
        total=sizes.get("MemTotal"),
        available=sizes.get("MemAvailable"),
        swap_total=sizes.get("SwapTotal"),
        swap_free=sizes.get("SwapFree"),
        poisoned=sizes.get("HardwareCorrupted"),
        huge_pages=sizes.get("HugePages_Total"),
        huge_pages_free=sizes.get("HugePages_Free"),
        waiting=waiting(proc, "memory", "full"),
        least_node_share=_least_node_share(sys / "devices/system/node"),
    )


def _sizes(text: str) -> dict[str, int]:
    """`MemTotal:       24684092 kB` in bytes, `HugePages_Total:       0` as it stands."""
    return {name: int(size) * (1024 if unit else 1) for name, size, unit in _LINE.findall(text)}


def _least_node_share(nodes: Path) -> float | None:
    """None where there are fewer than two nodes to compare."""
    with_cpus = cpu_list(content_if_any(nodes / "has_cpu")) or frozenset()
    shares = [
        share
        for name in names_in(nodes, "node")
        if name[4:].isdecimal() and int(name[4:]) in with_cpus
        if (share := _node_share(nodes / name)) is not None
    ]
    return min(shares) if len(shares) > 1 else None


def _node_share(node: Path) -> float | None:
    sizes = _sizes(content_if_any(node / "meminfo") or "")
    total, free = sizes.get("MemTotal"), sizes.get("MemFree")
    if not total or free is None:
        return None
    cache = max(sizes.get("FilePages", 0) - sizes.get("Shmem", 0), 0)
    return min((free + cache) / total, 1.0)
