"""Lines of the kernel log that are no Xid and yet say that something of this host is not well.

One file a family, each a pure `parse(text)` and a `FAMILY` that says which bytes its lines begin with. All
patterns are anchored at the start of a record's text and written without nested repetition. A line that no
family knows is None: most of what a healthy kernel prints.

Fabric Manager has no family here on purpose. It is a daemon and writes to its own log and to the journal;
where systemd forwards that to the kernel log, the records carry the facility daemon and could be anybody's.
What it does shows in trusted places: SXids and Xids of the kernel, NVML's fabric state, and the state of its
service.
"""

from functools import lru_cache

from sickbay.core.kernel_lines import oom
from sickbay.core.kernel_lines.line import Family, KernelLine

__all__ = ("FAMILIES", "HOLDS", "STARTS", "Family", "KernelLine", "classify")

FAMILIES: tuple[Family, ...] = (oom.FAMILY,)
"""Every family, once; no two read the same line."""

STARTS: tuple[bytes, ...] = tuple(start for family in FAMILIES for start in family.starts)
HOLDS: tuple[bytes, ...] = tuple(token for family in FAMILIES for token in family.holds)
"""The bytes by which a record of interest is told while it is still bytes."""


@lru_cache(maxsize=256)
def classify(text: str) -> KernelLine | None:
    """What one record's text says; None when no family knows it. Equal lines are read once."""
    for family in FAMILIES:
        line = family.parse(text)
        if line is not None:
            return line
    return None
