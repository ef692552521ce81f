"""The simulated kernel log is a file in the device's own format."""

import contextlib
from pathlib import Path

import pytest

from sickbay.core.ids import BootId
from sickbay.core.kernel_records import Interest, KernelRecord, LogGap, parse_record
from sickbay.host.clock import SystemClock
from sickbay.host.kmsg import Blindness, KernelLogUnavailableError, Reading
from sickbay.sim.kernel_log import SimulatedKernelLog, append

READING = Reading(boot_id=BootId("b"), interest=Interest(starts=(b"",)))


def opened(path: Path, *, ring: int | None = None) -> "contextlib.closing[SimulatedKernelLog]":
    return contextlib.closing(SimulatedKernelLog(path, READING, clock=SystemClock(), ring=ring))


def test_a_record_has_the_form_of_the_device(tmp_path: Path):
    append(tmp_path / "kmsg", "NVRM: a\nb", mono=12.5)
    assert (tmp_path / "kmsg").read_bytes() == b"3,0,12500000,-;NVRM: a\\x0ab\n"


def test_sequences_go_up_by_one_and_are_returned(tmp_path: Path):
    path = tmp_path / "kmsg"
    assert [append(path, "x" * 300, mono=1.0) for _ in range(500)] == list(range(500))


def test_facility_and_level_are_as_asked_for(tmp_path: Path):
    append(tmp_path / "kmsg", "hello", mono=1.0, facility=1, level=6)
    record = parse_record((tmp_path / "kmsg").read_bytes())
    assert isinstance(record, KernelRecord)
    assert (record.facility, record.level) == (1, 6)


def test_lines_that_a_shell_appended_are_read_with_their_tags(tmp_path: Path):
    path = tmp_path / "kmsg"
    path.write_text("3,0,1,-;one\n SUBSYSTEM=pci\n DEVICE=+pci:0000:18:00.0\n3,1,2,-;two\n")
    with opened(path) as log:
        first, second = log.read_batch(10).entries
    assert isinstance(first, KernelRecord)
    assert first.tags == (("SUBSYSTEM", "pci"), ("DEVICE", "+pci:0000:18:00.0"))
    assert isinstance(second, KernelRecord)
    assert second.text == "two"


def test_a_record_that_is_still_being_written_waits_for_its_end(tmp_path: Path):
    path = tmp_path / "kmsg"
    path.write_text("3,0,1,-;on")
    with opened(path) as log:
        assert log.read_batch(10).looked_at == 0
        with path.open("a") as file:
            file.write("e\n")
        (record,) = log.read_batch(10).entries
    assert isinstance(record, KernelRecord)
    assert record.text == "one"


def test_what_fell_out_of_the_ring_is_a_gap(tmp_path: Path):
    path = tmp_path / "kmsg"
    for number in range(10):
        append(path, f"line {number}", mono=1.0)
    with opened(path, ring=4) as log:
        entries = log.read_batch(10).entries
    assert entries[0] == LogGap(first=0, lost=6, before_start=True)
    assert len(entries) == 5


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path):
    with pytest.raises(KernelLogUnavailableError) as caught:
        SimulatedKernelLog(tmp_path / "kmsg", READING, clock=SystemClock())
    assert caught.value.blindness is Blindness.MISSING
