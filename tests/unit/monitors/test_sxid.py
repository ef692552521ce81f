"""An SXid becomes one signal, however many lines tell of it and however often it comes."""

from sickbay.core.devices import Inventory, Scope
from sickbay.core.ids import BootId
from sickbay.core.instants import Instant
from sickbay.core.kernel_records import KernelRecord, LogGap
from sickbay.core.signals import EventId, Signal, is_declared
from sickbay.monitors.kernel_log import KernelLogState, observe, settle_counts
from sickbay.monitors.xid import Seen

NOW = Instant(mono=100.0, wall=5000.0)
SEEN = Seen(boot_id=BootId("3f1c"), now=NOW, inventory=Inventory())
HEAD = "nvidia-nvswitch3: SXid (PCI:0000:05:00.0): "
ERROR = HEAD + "12028, Non-fatal, Link 32 egress non-posted PRIV error (First)"
ENGINE = HEAD + "12028, Severity 0 Engine instance 62 Sub-engine instance 01"
DATA = HEAD + "12028, Data {0x00140004, 0x00100000}"


def entries(*texts: str | LogGap, facility: int = 0) -> list[KernelRecord | LogGap]:
    return [
        text
        if isinstance(text, LogGap)
        else KernelRecord(facility=facility, level=3, sequence=at, usec=90_000_000 + at, text=text)
        for at, text in enumerate(texts)
    ]


def told(*texts: str | LogGap, facility: int = 0) -> list[Signal]:
    signals = observe(KernelLogState(), entries(*texts, facility=facility), SEEN).signals
    assert all(is_declared(signal) for signal in signals)
    return [signal for signal in signals if signal.kind == "sxid"]


def test_an_error_names_the_switch_its_port_and_what_the_guide_says() -> None:
    (signal,) = told(ERROR)
    assert (signal.subject.scope, signal.subject.pci, signal.subject.link) == (Scope.LINK, "0000:05:00", 32)
    assert signal.identity == EventId(boot_id=SEEN.boot_id, source="kmsg", sequence=0)
    fields = signal.fields
    assert (fields["code"], fields["name"]) == (12028, "egress nonposted PRIV error")
    assert (fields["class"], fields["grade"]) == ("fabric", "non_fatal")
    assert (fields["severity"], fields["action"], fields["first"]) == ("Non-fatal", "NONE", True)
    assert (fields["engine_instance"], fields["data"]) == (None, None)


def test_further_lines_are_folded_into_the_error_and_are_no_events() -> None:
    signals = told(ERROR, ENGINE, DATA, DATA)
    assert {signal.identity for signal in signals} == {signals[0].identity}
    assert {signal.count for signal in signals} == {1}
    last = signals[-1]
    assert (last.fields["driver_grade"], last.fields["engine_instance"]) == (0, 62)
    assert last.fields["sub_engine_instance"] == 1
    assert last.fields["data"] == " ".join(["0x00140004 0x00100000"] * 2)
    assert last.raw == ERROR


def test_further_lines_may_come_in_another_batch() -> None:
    state = observe(KernelLogState(), entries(ERROR), SEEN).state
    (signal,) = observe(state, entries(ENGINE), SEEN).signals
    assert (signal.fields["engine_instance"], signal.count) == (62, 1)


def test_further_lines_alone_or_after_a_gap_say_nothing() -> None:
    assert told(ENGINE, DATA) == []
    assert len(told(ERROR, LogGap(first=1, lost=3, before_start=False), ENGINE)) == 1


def test_lines_of_another_switch_or_code_are_not_folded_in() -> None:
    other = ENGINE.replace("0000:05:00.0", "0000:06:00.0")
    assert len(told(ERROR, other, ENGINE.replace("12028", "12029"))) == 1


def test_a_storm_is_one_signal_with_a_count_and_keeps_what_the_first_said() -> None:
    observed = observe(KernelLogState(), entries(*[ERROR, ENGINE, DATA] * 2000), SEEN)
    settled = settle_counts(observed.state, NOW.later(60.0))
    everything = [*observed.signals, *settled.signals]
    assert settled.state.is_calm()
    assert len({signal.identity for signal in everything}) == 1
    assert everything[-1].count == 2000
    assert everything[-1].fields["data"] == "0x00140004 0x00100000"
    assert len(everything) < 50


def test_ports_and_severities_are_told_apart() -> None:
    signals = told(ERROR, ERROR.replace("Link 32", "Link 33"), ERROR.replace("Non-fatal", "Fatal"))
    assert [signal.count for signal in signals] == [1, 1, 1]


def test_an_injected_line_stays_synthetic_and_adds_nothing_to_a_real_one() -> None:
    assert [signal.synthetic for signal in told(ERROR, ENGINE, facility=1)] == [True, True]
    state = observe(KernelLogState(), entries(ERROR), SEEN).state
    assert observe(state, entries(ENGINE, facility=1), SEEN).signals == ()
