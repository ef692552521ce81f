"""Which memory an Xid 48 was in, as the codes beside it tell; through the monitor, line by line."""

import itertools

import pytest

from sickbay.core.devices import Inventory
from sickbay.core.ids import BootId
from sickbay.core.instants import Instant
from sickbay.core.kernel_records import KernelRecord
from sickbay.core.signals import Signal
from sickbay.core.xid_48 import WINDOW_S, fields_with
from sickbay.monitors.kernel_log import KernelLogState, observe
from sickbay.monitors.xid import Seen

SEEN = Seen(boot_id=BootId("b"), now=Instant(mono=1000.0, wall=5000.0), inventory=Inventory())


def last_48(*lines: tuple[float, int, str], batches: bool = False) -> Signal:
    """The last word on the 48 after lines of (seconds, code, bus)."""
    records = [
        KernelRecord(
            facility=0,
            level=3,
            sequence=number,
            usec=round(at * 1e6),
            text=f"NVRM: Xid (PCI:0000:{bus}:00): {code}, pid=1, name=a, words",
        )
        for number, (at, code, bus) in enumerate(lines)
    ]
    state, signals = KernelLogState(), list[Signal]()
    for part in [[record] for record in records] if batches else [records]:
        observed = observe(state, part, SEEN)
        state = observed.state
        signals += [signal for signal in observed.signals if signal.fields.get("code") == 48]
    assert len({signal.identity for signal in signals}) == 1
    return signals[-1]


def test_alone_it_asks_for_a_reset_and_nobody_knows_which_memory() -> None:
    fields = last_48((10, 48, "1b")).fields
    assert (fields["memory"], fields["advised"], fields["findings"]) == (None, "RESET_GPU", None)


@pytest.mark.parametrize(
    ("code", "memory", "advised"),
    [
        (63, "dram", "DRAIN_AND_RESET"),
        (64, "dram", "DRAIN_AND_RESET"),
        (171, "dram", "RESET_GPU"),
        (172, "sram", "RESET_GPU"),
    ],
)
@pytest.mark.parametrize("batches", [False, True])
def test_a_code_beside_it_splits_it_whichever_comes_first(
    *, code: int, memory: str, advised: str, batches: bool
) -> None:
    for lines in itertools.permutations([(10.0, 48, "1b"), (11.0, code, "1b")]):
        signal = last_48(*lines, batches=batches)
        assert (signal.fields["memory"], signal.fields["advised"]) == (memory, advised)
        assert signal.fields["findings"] == f"with Xid {code}"
        assert signal.count == 1


def test_another_gpu_another_time_and_another_code_do_not() -> None:
    for other in ((11.0, 63, "2a"), (10.0 + WINDOW_S + 1, 63, "1b"), (11.0, 94, "1b")):
        assert last_48((10.0, 48, "1b"), other).fields["memory"] is None


def test_two_that_contradict_each_other_leave_the_memory_open() -> None:
    assert fields_with((171, 172))["memory"] is None
    assert fields_with((63, 172))["advised"] == "DRAIN_AND_RESET"
