"""Lines of a case through the agent's own monitor of the kernel log, so that no case flatters a parser."""

from collections.abc import Iterable, Iterator, Sequence

from sickbay.core.devices import Inventory
from sickbay.core.ids import BootId
from sickbay.core.instants import Instant
from sickbay.core.kernel_records import KERN, KernelRecord
from sickbay.core.rule_cases import Heard, Printed
from sickbay.monitors.kernel_log import KernelLogState, Observed, observe, settle_counts
from sickbay.monitors.xid import Seen

_ERROR = 3
_SETTLE_EVERY = 1.0
"""Seconds between two looks at open counts, as the agent takes them (node.kernel_watch)."""


def read_lines(lines: Sequence[Printed], boot_id: BootId, driver: str) -> Iterable[Heard]:
    """What the monitor hands on of lines of one boot, and when: `sickbay.core.rule_cases.ReadLines`."""
    log = _Log(boot_id, Inventory(driver_version=driver))
    for line in sorted(lines, key=lambda each: (each.read.mono, each.at.mono)):
        yield from log.settle(line.read)
        yield from log.read(line)
    yield from log.settle(None)


class _Log:
    """One boot's kernel log. Records are numbered as the kernel numbers them."""

    def __init__(self, boot_id: BootId, inventory: Inventory) -> None:
        self._boot_id = boot_id
        self._inventory = inventory
        self._state = KernelLogState()
        self._number = 0
        self._now: Instant | None = None

    def read(self, line: Printed) -> Iterator[Heard]:
        """One line, at the moment at which it is read."""
        self._number += 1
        self._now = line.read
        usec = round(line.at.mono * 1e6)
        record = KernelRecord(facility=KERN, level=_ERROR, sequence=self._number, usec=usec, text=line.text)
        seen = Seen(boot_id=self._boot_id, now=line.read, inventory=self._inventory)
        yield from self._heard(observe(self._state, (record,), seen))

    def settle(self, until: Instant | None) -> Iterator[Heard]:
        """Counts of storms, second by second until a moment, or until all is calm."""
        while self._now is not None and not self._state.is_calm():
            due = self._now.later(_SETTLE_EVERY)
            if until is not None and due.mono >= until.mono:
                return
            self._now = due
            yield from self._heard(settle_counts(self._state, due))

    def _heard(self, observed: Observed) -> Iterator[Heard]:
        self._state = observed.state
        if observed.signals and self._now is not None:
            yield self._now, observed.signals
