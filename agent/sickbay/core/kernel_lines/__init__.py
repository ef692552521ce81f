"""Lines of the kernel log that are no Xid and yet say that something of this host is not well.

One file a family, each a pure `parse(text)` and a `FAMILY` that says which bytes its lines begin with. All
patterns are anchored at both ends of a record's text and written without nested repetition. A line that no
family knows is None: most of what a healthy kernel prints.

Fabric Manager has no family here on purpose. It is a daemon and writes to its own log and to the journal;
where systemd forwards that to the kernel log, the records carry the facility daemon and could be anybody's.
What it does shows in trusted places: SXids and Xids of the kernel, NVML's fabric state, and the state of its
service.
"""

from collections.abc import Mapping
from functools import lru_cache

from sickbay.core.kernel_lines import aer, block, filesystem, hardware, mlx5, nvidia, nvme, oom, oops, stalls
from sickbay.core.kernel_lines.line import Family, KernelLine
from sickbay.core.signal_fields import FieldValue

__all__ = ("FAMILIES", "HOLDS", "STARTS", "Family", "KernelLine", "classify", "completed")

FAMILIES: Mapping[str, Family] = {
    "aer": aer.FAMILY,
    "hardware": hardware.FAMILY,
    "nvme": nvme.FAMILY,
    "block": block.FAMILY,
    "filesystem": filesystem.FAMILY,
    "oom": oom.FAMILY,
    "stalls": stalls.FAMILY,
    "oops": oops.FAMILY,
    "mlx5": mlx5.FAMILY,
    "nvidia": nvidia.FAMILY,
}
"""Every family by the name of its file; no two read the same line."""

STARTS: tuple[bytes, ...] = tuple(dict.fromkeys(s for family in FAMILIES.values() for s in family.starts))
HOLDS: tuple[bytes, ...] = tuple(token for family in FAMILIES.values() for token in family.holds)
"""The bytes by which a record of interest is told while it is still bytes."""

_BY_CONTENT = tuple(family for family in FAMILIES.values() if family.holds)
_BY_FIRST = {
    first: tuple(
        dict.fromkeys(
            (
                *(family for family in FAMILIES.values() if first in {chr(s[0]) for s in family.starts}),
                *_BY_CONTENT,
            ),
        ),
    )
    for first in {chr(start[0]) for start in STARTS}
}
"""First character -> the families whose lines may begin with it, those told by their content last."""


@lru_cache(maxsize=256)
def classify(text: str) -> KernelLine | None:
    """What one record's text says; None when no family knows it. Equal lines are read once."""
    for family in _BY_FIRST.get(text[:1], _BY_CONTENT):
        line = family.parse(text)
        if line is not None:
            return line
    return None


def completed(kind: str, fields: Mapping[str, FieldValue]) -> Mapping[str, FieldValue]:
    """The fields of an event that several lines have told, with what follows from them together."""
    return aer.name_bits(fields) if kind == "pcie_error" else fields
