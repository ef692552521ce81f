"""A sick GPU prints one line hundreds of thousands of times: one signal with a count, memory as before."""

from collections.abc import Iterator

import pytest

from sickbay.core.devices import Inventory
from sickbay.core.ids import BootId
from sickbay.core.instants import Instant
from sickbay.core.kernel_records import sift
from sickbay.core.signals import Signal
from sickbay.monitors.kernel_log import INTEREST, KernelLogState, observe, settle_counts
from sickbay.monitors.xid import Seen

NOW = Instant(mono=1000.0, wall=5000.0)
SEEN = Seen(boot_id=BootId("b"), now=NOW, inventory=Inventory())
BATCH = 2_000
LINES = {
    "an Xid": (800_000, b"NVRM: Xid (PCI:0000:1b:00): 31, pid=4021, name=python, Ch 0000000a, intr 10000000"),
    "an Xid that others split": (80_000, b"NVRM: Xid (PCI:0000:1b:00): 48, pid=1, name=x, DBE"),
    "an SXid": (80_000, b"nvidia-nvswitch3: SXid (PCI:0000:05:00.0): 20009, Non-fatal, Link 04 RX Short"),
}


def batches(copies: int, line: bytes) -> Iterator[list[bytes]]:
    """Raw records of the kernel log, 20,000 a second."""
    for start in range(0, copies, BATCH):
        yield [b"3,%d,%d,-;%s\n" % (at, 10_000_000 + at * 50, line) for at in range(start, start + BATCH)]


@pytest.mark.parametrize("name", LINES)
def test_copies_of_one_line_are_one_signal_with_a_count_in_a_state_that_does_not_grow(name: str) -> None:
    state, told, sequence, sizes = KernelLogState(), list[Signal](), 0, set[int]()
    for raws in batches(*LINES[name]):
        sifted = sift(raws, next_sequence=sequence, interest=INTEREST)
        observed = observe(state, sifted.entries, SEEN)
        state, sequence = observed.state, sifted.next_sequence
        told.extend(observed.signals)
        if sequence % 20_000 == 0:
            sizes.add(len(repr(state)))
    told.extend(settle_counts(state, NOW.later(600.0)).signals)
    assert {signal.identity for signal in told} == {told[0].identity}
    assert told[-1].count == LINES[name][0]
    assert len(told) < 100
    assert max(sizes) - min(sizes) < 100
