"""What each fault does to readings, events and the kernel log."""

import pytest

from sickbay.core.gpu_lost_lines import parse_gpu_lost
from sickbay.core.instants import Instant
from sickbay.core.xid_lines import parse_xid
from sickbay.host.config_files import Seconds
from sickbay.sim.faults import clocks_under_heat, events_of, is_active, kernel_lines, reading
from sickbay.sim.scenario import (
    Ecc,
    Fault,
    Hang,
    Lost,
    NvlinkDown,
    PowerBrake,
    Recovery,
    RowRemap,
    Temperature,
    Xid,
    as_record,
)

PCI = "0000:1b:00"
NOW = Instant(mono=1.0, wall=1.0)


def read(fault: Fault, name: str, value: object, *, at: float) -> object:
    return reading(name, value, [as_record(fault, at=10.0)], at)


def test_corrected_errors_climb_from_the_moment_of_the_fault():
    climbing = Ecc(gpu=0, corrected_per_s=17_000)
    counts = [read(climbing, "ecc_corrected_volatile", 5, at=at) for at in (10.0, 11.0, 20.0)]
    assert counts == [5, 17_005, 170_005]


def test_a_power_brake_counts_its_time_as_long_as_it_holds():
    braked = [read(PowerBrake(gpu=0), "hw_power_brake_ns", 5, at=at) for at in (10.0, 12.0)]
    assert braked == [5, 2_000_000_005]


def test_heat_rises_over_its_time_and_stays():
    heating = Temperature(gpu=0, to=93, over=Seconds(60))
    assert [read(heating, "temperature", 33, at=at) for at in (10.0, 40.0, 70.0, 500.0)] == [33, 63, 93, 93]
    assert read(Temperature(gpu=0, to=93), "temperature", 33, at=10.0) == 93


def test_a_gpu_past_its_threshold_is_slowed_down_by_its_hardware():
    assert clocks_under_heat(1, 86, 87) == 1
    assert clocks_under_heat(0, 87, 87) == 0x48


@pytest.mark.parametrize(
    ("fault", "name", "before", "after"),
    [
        (NvlinkDown(gpu=0, link=1), "nvlink_states", [1, 1, 1], [1, 0, 1]),
        (PowerBrake(gpu=0), "clocks_reasons", 0x4, 0x8C),
        (Recovery(gpu=0, value=2), "recovery_action", 0, 2),
        (RowRemap(gpu=0, pending=True), "remap_pending", 0, 1),
        (RowRemap(gpu=0, failure=True), "remap_failure", 0, 1),
        (RowRemap(gpu=0, correctable=3), "remapped_correctable", 1, 4),
        (Ecc(gpu=0, uncorrected=2), "ecc_uncorrected_volatile", 0, 2),
        (Ecc(gpu=0, uncorrected=2), "temperature", 33, 33),
    ],
)
def test_a_fault_changes_its_own_reading_and_no_other(fault: Fault, name: str, before: object, after: object):
    assert read(fault, name, before, at=11.0) == after


def test_a_fault_holds_from_its_time_for_as_long_as_it_was_said():
    short = as_record(Lost(gpu=0, until="5s"), at=10.0)
    assert [is_active(short, at) for at in (9.9, 10.0, 14.9, 15.0)] == [False, True, True, False]
    assert is_active(as_record(Lost(gpu=0), at=10.0), 1e9)


@pytest.mark.parametrize("code", [13, 31, 43, 45, 48, 63, 64, 74, 79, 94, 95, 119, 120, 154, 4711])
def test_the_line_of_every_xid_is_read_back_as_that_xid_of_that_gpu(code: int):
    (line,) = kernel_lines(as_record(Xid(gpu=0, code=code), at=0.0), PCI)
    xid = parse_xid(line)
    assert xid is not None
    assert (xid.code, xid.pci) == (code, PCI)


def test_a_lost_gpu_is_told_with_and_without_an_xid():
    first, second = kernel_lines(as_record(Lost(gpu=0), at=0.0), PCI)
    xid, lost = parse_xid(first), parse_gpu_lost(second)
    assert xid is not None
    assert lost is not None
    assert (xid.code, lost.pci) == (79, PCI)
    assert events_of(as_record(Lost(gpu=0), at=0.0)) == ((0x8, 79), (0x4000, 0))


def test_a_recovery_action_is_told_as_xid_154_with_the_action():
    (line,) = kernel_lines(as_record(Recovery(gpu=0, value=1), at=0.0), PCI)
    xid = parse_xid(line)
    assert xid is not None
    assert xid.recovery is not None
    assert xid.recovery.now.value == "GPU_RESET"


def test_the_words_after_an_xid_are_the_scenarios_own_if_it_has_any():
    fault = Xid(gpu=0, code=45, message="pid=1, name=x, Ch 1 caused by previous Xid 94")
    (line,) = kernel_lines(as_record(fault, at=0.0), PCI)
    xid = parse_xid(line)
    assert xid is not None
    assert xid.caused_by == 94


def test_a_hang_says_nothing_anywhere():
    record = as_record(Hang(gpu=0, call="nvmlDeviceGetUUID"), at=0.0)
    assert kernel_lines(record, PCI) == ()
    assert events_of(record) == ()
