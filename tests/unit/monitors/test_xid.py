"""An Xid becomes a signal with everything that NVIDIA and the line say about it."""

from dataclasses import replace

from sickbay.core.devices import Gpu, Inventory
from sickbay.core.ids import BootId
from sickbay.core.instants import Instant
from sickbay.core.kernel_records import KernelRecord
from sickbay.core.signals import EventId, Signal, is_declared
from sickbay.core.xid_lines import parse_xid
from sickbay.monitors.xid import NvmlXid, Seen, XidState, see_event, see_line, settle_storms

BOOT = BootId("3f1c")
NOW = Instant(mono=100.0, wall=5000.0)
SEEN = Seen(
    boot_id=BOOT,
    now=NOW,
    inventory=Inventory(gpus=(Gpu(uuid="GPU-b3", pci="0000:b3:00", slot=0),)),
)


def record(text: str, *, sequence: int = 7, usec: int = 99_500_000, facility: int = 0) -> KernelRecord:
    return KernelRecord(facility=facility, level=3, sequence=sequence, usec=usec, text=text)


def see(text: str, *, state: XidState | None = None, **more: int) -> tuple[XidState, tuple[Signal, ...]]:
    line = parse_xid(text)
    assert line is not None
    return see_line(state or XidState(), line, record(text, **more), SEEN)


def one(text: str, **more: int) -> Signal:
    (signal,) = see(text, **more)[1]
    assert is_declared(signal)
    return signal


LOST = "NVRM: Xid (PCI:0000:b3:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus."


def test_a_line_becomes_a_signal_with_identity_time_gpu_and_raw_line():
    signal = one(LOST)
    assert signal.kind == "xid"
    assert signal.identity == EventId(boot_id=BOOT, source="kmsg", sequence=7)
    assert signal.at == Instant(mono=99.5, wall=4999.5)
    assert (signal.subject.pci, signal.subject.gpu_uuid) == ("0000:b3:00", "GPU-b3")
    assert (signal.raw, signal.sources, signal.synthetic) == (LOST, ("kmsg",), False)


def test_the_catalogue_says_name_class_and_action():
    fields = one(LOST).fields
    assert fields["code"] == 79
    assert fields["name"] == "ROBUST_CHANNEL_GPU_HAS_FALLEN_OFF_THE_BUS"
    assert (fields["class"], fields["action"]) == ("hardware", "RESTART_BM")


def test_what_the_line_does_not_say_is_unknown_and_not_zero():
    fields = one(LOST).fields
    assert (fields["pid"], fields["process"], fields["caused_by"]) == (None, None, None)


def test_a_slot_that_nobody_knows_still_gives_a_signal():
    signal = one("NVRM: Xid (PCI:0000:2a:00): 79, GPU has fallen off the bus.")
    assert (signal.subject.pci, signal.subject.gpu_uuid) == ("0000:2a:00", "")


def test_an_unlisted_code_is_a_signal_of_unknown_class():
    fields = one("NVRM: Xid (PCI:0000:b3:00): 998, something new").fields
    assert (fields["class"], fields["action"], fields["message"]) == ("unknown", "UNKNOWN", "something new")


def test_the_cause_that_a_line_names_is_kept():
    text = "NVRM: Xid (PCI:0000:b3:00): 45, pid=7194, name=python, Ch 0a caused by previous Xid 94"
    fields = one(text).fields
    assert (fields["caused_by"], fields["pid"], fields["process"]) == (94, 7194, "python")


def test_xid_154_asks_for_the_action_that_it_changed_to():
    text = (
        "NVRM: Xid (PCI:0000:b3:00): 154, "
        "GPU recovery action changed from 0x0 (None) to 0x2 (Node Reboot Required)"
    )
    fields = one(text).fields
    assert (fields["from_action"], fields["to_action"]) == ("NONE", "NODE_REBOOT")
    assert fields["action"] == "RESTART_BM"


def test_xid_154_back_to_none_asks_for_nothing():
    text = (
        "NVRM: Xid (PCI:0000:b3:00): 154, "
        "GPU recovery action changed from 0x1 (GPU Reset Required) to 0x0 (None)"
    )
    assert one(text).fields["action"] == "NONE"


def test_mig_instances_and_nvlink_fields_are_carried():
    text = (
        "NVRM: Xid (PCI:0000:b3:00 GPU-I:02 GPU-CI:01): 149, "
        "NETIR_LINK_EVT  Fatal   XC0 i0 Link 09 (0x004525c6 0x00000000)"
    )
    fields = one(text).fields
    assert (fields["gpu_instance"], fields["compute_instance"]) == (2, 1)
    assert (fields["unit"], fields["link_severity"], fields["link"]) == ("NETIR_LINK_EVT", "Fatal", 9)
    assert fields["registers"] == "0x004525c6 0x00000000"


def test_an_injected_line_stays_synthetic():
    assert one(LOST, facility=1).synthetic


def test_equal_lines_are_one_signal_with_a_count():
    state, first = see(LOST, sequence=7)
    _, second = see(LOST, state=state, sequence=8)
    assert [signal.count for signal in (*first, *second)] == [1, 2]
    assert first[0].identity == second[0].identity


def test_an_injected_line_never_counts_as_a_real_one():
    state, _ = see(LOST, facility=1)
    (signal,) = see(LOST, state=state, sequence=8)[1]
    assert (signal.count, signal.synthetic) == (1, False)


def test_lines_of_other_processes_links_and_directions_are_told_apart():
    head = "NVRM: Xid (PCI:0000:b3:00): "
    texts = [
        head + "13, pid=1, name=a, Graphics Exception",
        head + "13, pid=2, name=a, Graphics Exception",
        head + "149, NETIR Fatal XC0 i0 Link 01 (0x000fe406 0x00000000)",
        head + "149, NETIR Fatal XC0 i0 Link 02 (0x000fe406 0x00000000)",
        head + "154, GPU recovery action changed from 0x0 (None) to 0x1 (GPU Reset Required)",
        head + "154, GPU recovery action changed from 0x1 (GPU Reset Required) to 0x0 (None)",
    ]
    state, counts = XidState(), []
    for text in texts:
        state, signals = see(text, state=state)
        counts += [signal.count for signal in signals]
    assert counts == [1] * len(texts)


EVENT = NvmlXid(code=79, sequence=1, at=NOW, gpu_uuid="GPU-b3")


def test_an_nvml_event_alone_is_a_signal_of_its_own():
    _, (signal,) = see_event(XidState(), EVENT, SEEN)
    assert is_declared(signal)
    assert signal.identity == EventId(boot_id=BOOT, source="nvml", sequence=1)
    assert (signal.subject.pci, signal.subject.gpu_uuid) == ("0000:b3:00", "GPU-b3")
    assert (signal.fields["code"], signal.fields["action"]) == (79, "RESTART_BM")
    assert (signal.fields["pid"], signal.fields["message"]) == (None, None)


def test_line_and_event_are_one_signal_that_names_both():
    state, (line,) = see(LOST)
    _, (both,) = see_event(state, EVENT, SEEN)
    assert both == replace(line, sources=("kmsg", "nvml"))


def test_event_and_line_are_one_signal_in_the_other_order_too():
    state, (event,) = see_event(XidState(), EVENT, SEEN)
    _, (both,) = see(LOST, state=state)
    assert (both.identity, both.sources, both.raw) == (event.identity, ("kmsg", "nvml"), LOST)


def test_an_injected_line_does_not_explain_a_real_event():
    state, _ = see(LOST, facility=1)
    _, (event,) = see_event(state, EVENT, SEEN)
    assert (event.sources, event.synthetic) == (("nvml",), False)


def test_a_code_that_nvml_does_not_know_is_unknown():
    _, (signal,) = see_event(XidState(), replace(EVENT, code=999), SEEN)
    assert (signal.fields["class"], signal.fields["action"]) == ("unknown", "UNKNOWN")


def test_a_storm_leaves_a_bounded_state_and_one_count():
    state, told = XidState(), []
    for sequence in range(5000):
        state, signals = see(LOST, state=state, sequence=sequence)
        told += signals
    state, rest = settle_storms(state, NOW.later(60.0))
    assert [signal.count for signal in rest] == [5000]
    assert len({signal.identity for signal in [*told, *rest]}) == 1
    assert state.storms.is_calm()
