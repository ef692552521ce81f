"""The kernel log as a whole: lines into signals, gaps told, blindness said."""

from sickbay.core.devices import NODE, Gpu, Inventory
from sickbay.core.ids import BootId
from sickbay.core.instants import Instant
from sickbay.core.kernel_records import Entry, KernelRecord, LogGap, UnknownRecord
from sickbay.core.signals import EventId, Signal, is_declared
from sickbay.monitors.kernel_log import KernelLogState, observe, settle_counts, sight_signal
from sickbay.monitors.xid import Seen

NOW = Instant(mono=100.0, wall=5000.0)
SEEN = Seen(
    boot_id=BootId("3f1c"),
    now=NOW,
    inventory=Inventory(gpus=(Gpu(uuid="GPU-18", pci="0000:18:00", slot=0),)),
)
THREE = (
    "NVRM: The NVIDIA GPU 0000:18:00.0",
    "NVRM: (PCI ID: 10de:2330) installed in this system has",
    "NVRM: fallen off the bus and is not responding to commands.",
)
LOST = "NVRM: GPU 0000:18:00.0: GPU has fallen off the bus."


def records(*texts: str, facility: int = 0) -> list[Entry]:
    return [
        KernelRecord(facility=facility, level=3, sequence=number, usec=number * 1_000_000, text=text)
        for number, text in enumerate(texts)
    ]


def signals(*entries: Entry) -> tuple[Signal, ...]:
    observed = observe(KernelLogState(), entries, SEEN)
    assert all(is_declared(signal) for signal in observed.signals)
    return observed.signals


def test_an_xid_and_a_lost_gpu_are_two_signals_of_one_subject():
    xid, lost = signals(*records("NVRM: Xid (PCI:0000:18:00): 79, GPU has fallen off the bus.", LOST))
    assert (xid.kind, lost.kind) == ("xid", "gpu_lost")
    assert xid.subject == lost.subject


def test_a_gpu_lost_without_an_xid_is_seen():
    (lost,) = signals(*records(LOST))
    assert lost.fields == {"lost": True, "how": "kernel"}
    assert (lost.subject.gpu_uuid, lost.raw) == ("GPU-18", LOST)
    assert lost.identity == EventId(boot_id=SEEN.boot_id, source="kmsg", sequence=0)


def test_a_gpu_lost_at_probe_time_has_the_time_of_the_first_line_and_the_whole_sentence():
    (lost,) = signals(*records("NVRM: loading", *THREE))
    assert lost.at.mono == 1.0
    assert lost.identity == EventId(boot_id=SEEN.boot_id, source="kmsg", sequence=1)
    assert lost.raw == (
        "NVRM: The NVIDIA GPU 0000:18:00.0 (PCI ID: 10de:2330) installed in this system has "
        "fallen off the bus and is not responding to commands."
    )


def test_the_three_lines_may_come_in_three_batches():
    state, found = KernelLogState(), list[Signal]()
    for record in records(*THREE):
        observed = observe(state, [record], SEEN)
        state = observed.state
        found += observed.signals
    assert [signal.subject.pci for signal in found] == ["0000:18:00"]


def test_a_gap_between_the_three_lines_ends_the_sentence():
    first, second, third = records(*THREE)
    gap = LogGap(first=1, lost=4, before_start=False)
    assert [signal.kind for signal in signals(first, gap, second, third)] == ["log_gap"]


def test_a_line_that_does_not_say_which_gpu_speaks_of_the_node():
    (lost,) = signals(*records("NVRM: GPU has fallen off the bus."))
    assert lost.subject == NODE


def test_repeated_losses_are_one_signal_with_a_count():
    observed = observe(KernelLogState(), records(*[LOST] * 5), SEEN)
    assert [signal.count for signal in observed.signals] == [1, 2, 3, 4, 5]
    assert len({signal.identity for signal in observed.signals}) == 1


def test_a_storm_ends_in_a_state_of_calm():
    observed = observe(KernelLogState(), records(*[LOST] * 50), SEEN)
    assert not observed.state.is_calm()
    settled = settle_counts(observed.state, NOW.later(60.0))
    assert settled.state.is_calm()
    assert (*observed.signals, *settled.signals)[-1].count == 50


def test_a_gap_says_how_many_records_are_lost():
    (gap,) = signals(LogGap(first=40, lost=17, before_start=False))
    assert (gap.kind, gap.subject, gap.fields["lost"]) == ("log_gap", NODE, 17)
    assert gap.identity == EventId(boot_id=SEEN.boot_id, source="kmsg-gap", sequence=40)


def test_bytes_that_are_no_record_are_kept_for_the_log():
    unknown = UnknownRecord(raw=b"garbage", after=3)
    observed = observe(KernelLogState(), [unknown], SEEN)
    assert (observed.unknown, observed.signals) == ((unknown,), ())


def test_lines_that_mean_nothing_to_us_say_nothing():
    assert signals(*records("NVRM: loading NVIDIA UNIX x86_64 Kernel Module", "usb 1-1: new device")) == ()


def test_an_injected_loss_stays_synthetic():
    (lost,) = signals(*records(LOST, facility=1))
    assert lost.synthetic


def test_blindness_is_our_own_trouble():
    blind = sight_signal(NOW, trouble="permission denied: /dev/kmsg")
    assert is_declared(blind)
    assert (blind.kind, blind.fields["name"], blind.fields["healthy"]) == ("monitor", "kernel_log", False)
    assert sight_signal(NOW, trouble="").fields["healthy"] is True
