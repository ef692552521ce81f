"""Faults that show only in what is read, and only where the board can tell it."""

import pytest

from sickbay.sim.faults import events_of, kernel_lines, reading
from sickbay.sim.reading_faults import (
    FABRIC_SHOWS,
    C2cDown,
    DriverMismatch,
    FabricUnhealthy,
    GpuReplaced,
    HbmHot,
    InforomCorrupt,
    MemoryHeld,
    NvlinkErrors,
    PcieDegraded,
    PersistenceOff,
    PowerLimit,
    ReadingFault,
    SramThreshold,
)
from sickbay.sim.scenario import Fault, as_record, parse_fault

HEALTHY_MASK = 426


def read(fault: Fault, name: str, value: object, *, at: float = 20.0) -> object:
    return reading(name, value, [as_record(fault, at=10.0)], at)


@pytest.mark.parametrize(
    ("fault", "name", "before", "after"),
    [
        (PcieDegraded(gpu=0, width=8), "pcie_width", 16, 8),
        (PcieDegraded(gpu=0, width=8), "pcie_width", 4, 4),
        (PcieDegraded(gpu=0, width=8), "pcie_gen", 5, 5),
        (PcieDegraded(gpu=0, gen=3), "pcie_gen", 5, 3),
        (NvlinkErrors(gpu=0, link=1, crc_per_s=200), "nvlink_crc", [5, 5, 5], [5, 2005, 5]),
        (NvlinkErrors(gpu=0, link=1, crc_per_s=200), "nvlink_crc", [5, None], [5, None]),
        (NvlinkErrors(gpu=0, link=0, data_errors_per_s=1), "nvlink5_integrity_errors", [0, 0], [10, 0]),
        (NvlinkErrors(gpu=0, link=0, ber=1e-9), "nvlink5_effective_ber", [4095, 4095], [0x109, 4095]),
        (NvlinkErrors(gpu=0, link=0, crc_per_s=1), "nvlink5_effective_ber", [4095], [4095]),
        (FabricUnhealthy(gpu=0), "fabric_health_summary", 1, 2),
        (FabricUnhealthy(gpu=0, shows="limited_capacity"), "fabric_health_summary", 1, 3),
        (FabricUnhealthy(gpu=0), "fabric_health_summary", 0, 0),
        (FabricUnhealthy(gpu=0), "fabric_health_mask", HEALTHY_MASK, HEALTHY_MASK),
        (FabricUnhealthy(gpu=0, shows="route_unhealthy"), "fabric_health_mask", HEALTHY_MASK, 426 - 32 + 16),
        (FabricUnhealthy(gpu=0, shows="route_unhealthy"), "fabric_health_mask", 0, 0),
        (FabricUnhealthy(gpu=0, shows="incorrect_config"), "fabric_health_mask", HEALTHY_MASK, 426 + 0x300),
        (FabricUnhealthy(gpu=0, shows="in_progress"), "fabric_state", 3, 2),
        (FabricUnhealthy(gpu=0, shows="in_progress"), "fabric_state", 0, 0),
        (FabricUnhealthy(gpu=0, shows="failed"), "fabric_status", 0, 999),
        (MemoryHeld(gpu=0, bytes=100, pid=7), "memory_used", 1, 101),
        (MemoryHeld(gpu=0, bytes=100, pid=7), "compute_pids", [3], [3, 7]),
        (MemoryHeld(gpu=0, bytes=100, pid=0), "compute_pids", [3], [3]),
        (MemoryHeld(gpu=0, bytes=100, pid=7), "compute_memory", [None], [None, 100]),
        (InforomCorrupt(gpu=0), "inforom_valid", 1, 0),
        (PersistenceOff(gpu=0), "persistence_mode", 1, 0),
        (SramThreshold(gpu=0), "sram_threshold_exceeded", 0, 1),
        (HbmHot(gpu=0, to=99), "hbm_temperature", 41, 99),
        (PowerLimit(gpu=0, watts=300), "power_limit_mw", 700000, 300000),
        (GpuReplaced(gpu=0, uuid="GPU-new"), "uuid", "GPU-old", "GPU-new"),
        (GpuReplaced(gpu=0), "uuid", "GPU-0123", "GPU-beef"),
        (C2cDown(gpu=0, link=1), "c2c_states", [1, 1], [1, 0]),
    ],
)
def test_each_changes_what_it_is_about(fault: Fault, name: str, before: object, after: object):
    assert read(fault, name, before) == after


@pytest.mark.parametrize(
    "fault", [SramThreshold(gpu=0), C2cDown(gpu=0, link=0), MemoryHeld(gpu=0), DriverMismatch()]
)
def test_none_of_them_is_announced(fault: ReadingFault):
    record = as_record(fault, at=0.0)
    assert (events_of(record), kernel_lines(record, "0000:1b:00")) == ((), ())


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('{"fault": "pcie_degraded", "gpu": 0}', "say width, gen or both"),
        ('{"fault": "fabric_unhealthy", "gpu": 0, "shows": "blue"}', f"one of {FABRIC_SHOWS[0]}, .*got blue"),
        ('{"fault": "driver_mismatch", "gpu": 0}', "of the node"),
        ('{"fault": "c2c_down", "gpu": 0}', "link"),
        ('{"fault": "persistence_off"}', "needs a slot"),
    ],
)
def test_what_could_not_happen_is_refused(line: str, complaint: str):
    with pytest.raises(ValueError, match=complaint):
        parse_fault(line)


def test_the_mismatch_of_the_driver_names_no_gpu():
    assert parse_fault('{"fault": "driver_mismatch", "library": "580.1"}') == DriverMismatch(library="580.1")
