"""Readings that a call of their own answers, one or several at a time, and the names of all readings.

Light on purpose, as catalogue.py is: the worker loads it.
"""

from __future__ import annotations

from sickbay.host.nvml.catalogue import (
    CLOCKS,
    ECC,
    FABRIC,
    IDENTITY,
    INFOROM,
    MODES,
    NVLINK_PEERS,
    PCIE,
    PLATFORM,
    PROCESSES,
    REPAIR,
    SRAM,
    TEMPERATURE,
)
from sickbay.host.nvml.fields import C2C_FIELDS, FIELDS, NVLINK_FIELDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Way = tuple[str, tuple[int, ...]]

ANSWERS: Mapping[tuple[str, ...], tuple[str, tuple[Way, ...]]] = {
    ("uuid",): (IDENTITY, (("nvmlDeviceGetUUID", ()),)),
    ("name",): (IDENTITY, (("nvmlDeviceGetName", ()),)),
    ("serial",): (IDENTITY, (("nvmlDeviceGetSerial", ()),)),
    ("vbios",): (IDENTITY, (("nvmlDeviceGetVbiosVersion", ()),)),
    ("pci_device_id", "pci_subsystem_id"): (IDENTITY, (("nvmlDeviceGetPciInfo", ()),)),
    ("memory_bytes",): (IDENTITY, (("nvmlDeviceGetMemoryInfo", ()),)),
    ("shutdown_at",): (IDENTITY, (("nvmlDeviceGetTemperatureThreshold", (0,)),)),
    ("slowdown_at",): (IDENTITY, (("nvmlDeviceGetTemperatureThreshold", (1,)),)),
    ("memory_max_at",): (IDENTITY, (("nvmlDeviceGetTemperatureThreshold", (2,)),)),
    ("gpu_max_at",): (IDENTITY, (("nvmlDeviceGetTemperatureThreshold", (3,)),)),
    ("temperature",): (
        TEMPERATURE,
        (("nvmlDeviceGetTemperatureV", (0,)), ("nvmlDeviceGetTemperature", (0,))),
    ),
    ("margin",): (TEMPERATURE, (("nvmlDeviceGetMarginTemperature", ()),)),
    ("clocks_reasons",): (
        CLOCKS,
        (
            ("nvmlDeviceGetCurrentClocksEventReasons", ()),
            ("nvmlDeviceGetCurrentClocksThrottleReasons", ()),
        ),
    ),
    ("performance_state",): (CLOCKS, (("nvmlDeviceGetPerformanceState", ()),)),
    # (error type, counter, location): corrected 0, uncorrected 1; volatile 0, aggregate 1; DRAM 2, SRAM 7.
    ("dram_corrected",): (ECC, (("nvmlDeviceGetMemoryErrorCounter", (0, 0, 2)),)),
    ("dram_uncorrected",): (ECC, (("nvmlDeviceGetMemoryErrorCounter", (1, 0, 2)),)),
    ("dram_corrected_aggregate",): (ECC, (("nvmlDeviceGetMemoryErrorCounter", (0, 1, 2)),)),
    ("dram_uncorrected_aggregate",): (ECC, (("nvmlDeviceGetMemoryErrorCounter", (1, 1, 2)),)),
    ("sram_corrected",): (ECC, (("nvmlDeviceGetMemoryErrorCounter", (0, 0, 7)),)),
    ("sram_uncorrected",): (ECC, (("nvmlDeviceGetMemoryErrorCounter", (1, 0, 7)),)),
    ("sram_corrected_aggregate",): (ECC, (("nvmlDeviceGetMemoryErrorCounter", (0, 1, 7)),)),
    ("sram_uncorrected_aggregate",): (ECC, (("nvmlDeviceGetMemoryErrorCounter", (1, 1, 7)),)),
    (
        "sram_parity_aggregate",
        "sram_sec_ded_aggregate",
        "sram_corrected_status_aggregate",
        "sram_parity_volatile",
        "sram_sec_ded_volatile",
        "sram_corrected_status_volatile",
        "sram_bucket_l2",
        "sram_bucket_sm",
        "sram_bucket_pcie",
        "sram_bucket_mcu",
        "sram_bucket_other",
        "sram_threshold_exceeded",
    ): (SRAM, (("nvmlDeviceGetSramEccErrorStatus", ()),)),
    (
        "remap_banks_max",
        "remap_banks_high",
        "remap_banks_partial",
        "remap_banks_low",
        "remap_banks_none",
    ): (REPAIR, (("nvmlDeviceGetRowRemapperHistogram", ()),)),
    ("channel_repair_pending", "tpc_repair_pending"): (REPAIR, (("nvmlDeviceGetRepairStatus", ()),)),
    ("unrepairable_memory",): (REPAIR, (("nvmlDeviceGetUnrepairableMemoryFlag_v1", ()),)),
    ("pcie_gen",): (PCIE, (("nvmlDeviceGetCurrPcieLinkGeneration", ()),)),
    ("pcie_width",): (PCIE, (("nvmlDeviceGetCurrPcieLinkWidth", ()),)),
    ("pcie_max_gen",): (PCIE, (("nvmlDeviceGetMaxPcieLinkGeneration", ()),)),
    ("pcie_max_width",): (PCIE, (("nvmlDeviceGetMaxPcieLinkWidth", ()),)),
    ("pcie_gpu_max_gen",): (PCIE, (("nvmlDeviceGetGpuMaxPcieLinkGeneration", ()),)),
    (
        "fabric_cluster",
        "fabric_status",
        "fabric_clique",
        "fabric_state",
        "fabric_health_mask",
        "fabric_health_summary",
    ): (
        FABRIC,
        (
            ("nvmlDeviceGetGpuFabricInfoV", (3,)),
            ("nvmlDeviceGetGpuFabricInfoV", (2,)),
            ("nvmlDeviceGetGpuFabricInfo", ()),
        ),
    ),
    ("memory_total", "memory_used", "memory_reserved"): (
        PROCESSES,
        (("nvmlDeviceGetMemoryInfo", (2,)), ("nvmlDeviceGetMemoryInfo", (1,))),
    ),
    ("bar1_total", "bar1_used"): (PROCESSES, (("nvmlDeviceGetBAR1MemoryInfo", ()),)),
    ("compute_pids", "compute_memory"): (
        PROCESSES,
        (
            ("nvmlDeviceGetComputeRunningProcesses_v3", ()),
            ("nvmlDeviceGetComputeRunningProcesses_v2", ()),
        ),
    ),
    ("mps_pids",): (
        PROCESSES,
        (
            ("nvmlDeviceGetMPSComputeRunningProcesses_v3", ()),
            ("nvmlDeviceGetMPSComputeRunningProcesses_v2", ()),
        ),
    ),
    ("persistence_mode",): (MODES, (("nvmlDeviceGetPersistenceMode", ()),)),
    ("ecc_mode", "ecc_mode_pending"): (MODES, (("nvmlDeviceGetEccMode", ()),)),
    ("compute_mode",): (MODES, (("nvmlDeviceGetComputeMode", ()),)),
    ("mig_mode", "mig_mode_pending"): (MODES, (("nvmlDeviceGetMigMode", ()),)),
    ("mig_max_devices",): (MODES, (("nvmlDeviceGetMaxMigDeviceCount", ()),)),
    ("mig_devices", "mig_profiles"): (MODES, (("nvmlDeviceGetMigDeviceHandleByIndex", ()),)),
    ("virtualization_mode",): (MODES, (("nvmlDeviceGetVirtualizationMode", ()),)),
    ("cc_ready",): (MODES, (("nvmlSystemGetConfComputeGpusReadyState", ()),)),
    ("inforom_valid",): (INFOROM, (("nvmlDeviceValidateInforom", ()),)),
    ("inforom_checksum",): (INFOROM, (("nvmlDeviceGetInforomConfigurationChecksum", ()),)),
    ("inforom_version",): (INFOROM, (("nvmlDeviceGetInforomImageVersion", ()),)),
    (
        "ib_guid",
        "chassis_serial",
        "slot_number",
        "tray_index",
        "host_id",
        "peer_type",
    ): (PLATFORM, (("nvmlDeviceGetPlatformInfo", (2,)), ("nvmlDeviceGetPlatformInfo", (1,)))),
    ("module_id",): (PLATFORM, (("nvmlDeviceGetModuleId", ()),)),
}
"""readings -> (group, ways to ask): the next way is for a driver that lacks the one before.

A way is pynvml's name of a call with its numbers; for a call of several versions the number is the version.
"""

REMOTE_TYPES = "nvlink_remote_types"
"""What is at the other end of each NVLink: 0 a GPU, 1 an NPU, 2 a switch, 255 unknown (nvml.h)."""

GROUP_OF: Mapping[str, str] = {
    **{name: group for names, (group, _) in ANSWERS.items() for name in names},
    **{name: group for name, (group, _) in FIELDS.items()},
    **{name: group for name, (group, _) in NVLINK_FIELDS.items()},
    REMOTE_TYPES: NVLINK_PEERS,
    **{name: group for name, (group, _) in C2C_FIELDS.items()},
}
"""Every reading and the group that it is asked in."""
