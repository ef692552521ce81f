"""Records of /dev/kmsg: read whole, skipped cheaply, and gaps counted."""

import pytest

from sickbay.core.instants import Instant
from sickbay.core.kernel_records import (
    Entry,
    Interest,
    KernelRecord,
    LogGap,
    Repeated,
    UnknownRecord,
    escape,
    instant_of,
    parse_record,
    sift,
    unescape,
)

OURS = Interest(starts=(b"NVRM: ",))


def test_a_record_of_the_kernels_documentation_is_read_whole():
    raw = (
        b"7,160,424069,-;pci_root PNP0A03:00: host bridge window [io  0x0000-0x0cf7] (ignored)\n"
        b" SUBSYSTEM=acpi\n DEVICE=+acpi:PNP0A03:00\n"
    )
    assert parse_record(raw) == KernelRecord(
        facility=0,
        level=7,
        sequence=160,
        usec=424069,
        text="pci_root PNP0A03:00: host bridge window [io  0x0000-0x0cf7] (ignored)",
        tags=(("SUBSYSTEM", "acpi"), ("DEVICE", "+acpi:PNP0A03:00")),
    )


def test_flags_and_caller_are_kept():
    record = parse_record(b"12,5,77,c,caller=T4021;hello\n")
    assert isinstance(record, KernelRecord)
    assert (record.facility, record.level, record.flags, record.caller) == (1, 4, "c", "T4021")
    assert record.is_injected


def test_escapes_are_undone():
    record = parse_record(rb"3,5,77,-;a\x0ab\x5cn \xc3\xa9 \xff" + b"\n")
    assert isinstance(record, KernelRecord)
    assert record.text == "a\nb\\n é \\xff"


def test_a_semicolon_in_the_text_stays_there():
    record = parse_record(b"3,5,77,-;a;b\n")
    assert isinstance(record, KernelRecord)
    assert record.text == "a;b"


@pytest.mark.parametrize(
    "raw", [b"", b"\n", b"hello", b"3,x,77,-;a", b"3,5,77", b"3,5,-;a", b"\x00\xff", b";"]
)
def test_bytes_that_are_no_record_are_kept_as_they_are(raw: bytes):
    assert parse_record(raw, after=41) == UnknownRecord(raw=raw, after=41)


def raws(*sequences: int, text: str = "NVRM: x", priority: int = 3, seconds: int = 5) -> list[bytes]:
    """Records of these sequences, so many seconds apart."""
    return [
        f"{priority},{sequence},{sequence * seconds * 1_000_000},-;{text}\n".encode()
        for sequence in sequences
    ]


def sequences(entries: tuple[Entry, ...]) -> list[int]:
    return [entry.sequence for entry in entries if isinstance(entry, KernelRecord)]


def test_what_is_of_no_interest_is_passed_over_but_counted_on():
    sifted = sift(raws(0, text="usb 1-1: new") + raws(1), next_sequence=0, interest=OURS)
    assert sequences(sifted.entries) == [1]
    assert sifted.next_sequence == 2


def test_interest_may_lie_anywhere_in_a_record():
    sifted = sift(
        raws(0, text="a Machine Check b"), next_sequence=0, interest=Interest(starts=(), holds=(b"Machine",))
    )
    assert sequences(sifted.entries) == [0]


def test_a_jump_of_the_sequence_is_a_gap_with_its_number():
    sifted = sift(raws(7, 8, 20), next_sequence=7, interest=OURS)
    assert sifted.entries[2] == LogGap(first=9, lost=11, before_start=False)
    assert sequences(sifted.entries) == [7, 8, 20]


def test_only_the_first_gap_of_a_reading_lies_before_its_start():
    gaps = [
        entry
        for entry in sift(raws(5, 9), next_sequence=0, interest=OURS, before_start=True).entries
        if isinstance(entry, LogGap)
    ]
    assert gaps == [
        LogGap(first=0, lost=5, before_start=True),
        LogGap(first=6, lost=3, before_start=False),
    ]


def test_equal_records_that_follow_closely_are_one_and_how_often_it_came_again():
    record, again = sift(raws(0, 1, 2, 3, seconds=1), next_sequence=0, interest=OURS).entries
    assert isinstance(record, KernelRecord)
    assert again == Repeated(record=record, times=3, sequence=3, usec=3_000_000)


def test_records_of_no_interest_between_equal_ones_do_not_part_them():
    mixed = [*raws(0, seconds=0), *raws(1, text="usb", seconds=0), *raws(2, seconds=0)]
    _, again = sift(mixed, next_sequence=0, interest=OURS).entries
    assert isinstance(again, Repeated)
    assert (again.times, again.sequence) == (1, 2)


def test_equal_records_are_told_apart_by_time_level_and_what_lies_between():
    apart = [
        *raws(0, seconds=0),
        *raws(1, seconds=9),
        *raws(2, priority=4, seconds=9),
        *raws(3, priority=12, seconds=9),
        b"garbage",
        *raws(4, priority=12, seconds=9),
        *raws(9, priority=12, seconds=4),
    ]
    sifted = sift(apart, next_sequence=0, interest=OURS, accept_injected=True)
    assert [type(entry) for entry in sifted.entries] == [KernelRecord] * 4 + [
        UnknownRecord,
        KernelRecord,
        LogGap,
        KernelRecord,
    ]


def test_what_was_read_before_is_passed_over():
    assert sequences(sift(raws(3, 4, 5), next_sequence=5, interest=OURS).entries) == [5]


def test_bytes_that_are_no_record_come_out_in_their_place():
    sifted = sift([*raws(0), b"garbage", *raws(1)], next_sequence=0, interest=OURS)
    assert sifted.entries[1] == UnknownRecord(raw=b"garbage", after=0)


@pytest.mark.parametrize("facility", range(2, 24))
def test_no_other_facility_ever_counts(facility: int):
    forged = raws(0, priority=facility << 3 | 3)
    assert sift(forged, next_sequence=0, interest=OURS, accept_injected=True).entries == ()


def test_what_user_space_wrote_counts_only_where_asked_for_and_stays_marked():
    forged = raws(0, priority=11)
    assert sift(forged, next_sequence=0, interest=OURS).entries == ()
    (record,) = sift(forged, next_sequence=0, interest=OURS, accept_injected=True).entries
    assert isinstance(record, KernelRecord)
    assert record.is_injected


def test_a_stamp_lies_on_both_clocks_and_never_in_the_future():
    now = Instant(mono=100.0, wall=5000.0)
    assert instant_of(90_000_000, now) == Instant(mono=90.0, wall=4990.0)
    assert instant_of(100_500_000, now) == now


@pytest.mark.parametrize("text", ["", "plain", "é\n\\x41", "\t\x7f"])
def test_escape_is_the_kernels_own_and_can_be_undone(text: str):
    assert all(0x20 <= byte < 0x7F for byte in escape(text))
    assert unescape(escape(text)) == text
