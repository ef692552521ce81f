"""How much of the time tasks wait for a resource: the kernel's pressure stall information (PSI).

Documentation/accounting/psi.rst: `some` is the share in which at least one task waited, `full` that in which
all that could run did. Kernels without PSI, or booted with it off, have no such files or refuse to open them.
"""

import re
from pathlib import Path

from sickbay.host.kernel_files import content_if_any

_AVERAGE = re.compile(r"^(some|full) avg10=\S+ avg60=([0-9.]+) ", re.MULTILINE)


def waiting(proc: Path, resource: str, whom: str) -> float | None:
    """Percent of the last minute in which `whom` (some, full) waited for `resource` (cpu, io, memory)."""
    text = content_if_any(proc / "pressure" / resource)
    return dict(_percentages(text or "")).get(whom)


def _percentages(text: str) -> list[tuple[str, float]]:
    return [(who, float(share)) for who, share in _AVERAGE.findall(text) if share.count(".") <= 1]
