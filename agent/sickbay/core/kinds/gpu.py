"""What NVML says of a GPU itself."""

from collections.abc import Mapping
from types import MappingProxyType

from sickbay.core.signal_fields import Field, FieldType

_B, _F, _I, _T = FieldType.BOOL, FieldType.FLOAT, FieldType.INT, FieldType.TEXT

KINDS: Mapping[str, Mapping[str, Field]] = MappingProxyType(
    {
        "gpu_unresponsive": MappingProxyType(
            {
                "unresponsive": Field(_B, "a driver call about this GPU passed its deadline"),
                "call": Field(_T, "the call that hung"),
                "waited": Field(_F, "how long it was waited for", "s"),
            },
        ),
        "inventory": MappingProxyType(
            {
                "expected": Field(_I, "GPUs that this node had when healthy"),
                "present": Field(_I, "GPUs that NVML shows now"),
                "missing": Field(_I, "expected but not present"),
                "on_bus": Field(_I, "GPUs on the PCI bus now, without those handed to virtual machines"),
            },
        ),
        "gpu_presence": MappingProxyType(
            {
                "expected": Field(_B, "this node had a GPU in the slot when healthy"),
                "on_bus": Field(_B, "the PCI bus shows it, and no virtual machine has it"),
                "listed": Field(_B, "the driver lists it"),
                "driver": Field(_T, "the kernel driver that is bound to it, empty for none"),
                "replaced": Field(_B, "another GPU than the one that was there when the node was healthy"),
                "uuid_before": Field(_T, "the UUID that was in the slot when the node was healthy"),
                "uuid": Field(_T, "the UUID that is in the slot now"),
            },
        ),
        "gpu_complement": MappingProxyType(
            {
                "expected": Field(_I, "GPUs that a node of this platform has"),
                "present": Field(_I, "GPUs that the driver lists"),
                "short": Field(_I, "how many fewer"),
                "platform": Field(_T, "the platform profile that says so"),
            },
        ),
        "driver": MappingProxyType(
            {
                "loaded": Field(_B, "the kernel module nvidia is loaded"),
                "module": Field(_T, "its version"),
                "library": Field(_T, "the version of the NVML library on disk, which new processes load"),
                "mismatch": Field(_B, "module and library differ: new processes are refused (NVML 18)"),
                "gpus_on_bus": Field(_I, "GPUs on the PCI bus, without those handed to virtual machines"),
            },
        ),
        "modes": MappingProxyType(
            {
                "persistence": Field(_B, "the driver keeps the GPU initialised while nobody uses it"),
                "ecc": Field(_B, "ECC is on"),
                "ecc_pending": Field(_B, "ECC will be on after the next reset"),
                "compute_mode": Field(_T, "DEFAULT, EXCLUSIVE_THREAD, PROHIBITED, EXCLUSIVE_PROCESS"),
                "virtualization": Field(_T, "NONE, PASSTHROUGH, VGPU, HOST_VGPU, HOST_VSGA"),
                "confidential_ready": Field(
                    _B, "confidential computing takes work; false also where it is off"
                ),
            },
        ),
        "inforom": MappingProxyType(
            {
                "valid": Field(_B, "the board's configuration memory has correct checksums"),
                "version": Field(_T, "its image"),
                "checksum": Field(_I, "of its configuration; equal on equal boards of one node"),
            },
        ),
        "mig": MappingProxyType(
            {
                "enabled": Field(_B, "the GPU is in MIG mode"),
                "enabled_pending": Field(_B, "it will be after the next reset"),
                "devices": Field(_I, "MIG devices that exist"),
                "max_devices": Field(_I, "MIG devices that could"),
                "layout": Field(_T, "their profiles, such as 3g.40gb,3g.40gb"),
                "expected_layout": Field(_T, "the layout when the node was healthy"),
                "changed": Field(_B, "the layout is another one than when the node was healthy"),
            },
        ),
        "gpu_memory": MappingProxyType(
            {
                "total": Field(_I, "memory", "B"),
                "used": Field(_I, "memory in use, without what the driver reserves", "B"),
                "reserved": Field(_I, "memory that the driver keeps for itself", "B"),
                "held": Field(_I, "memory in use while no process is listed; 0 while one is", "B"),
                "dead": Field(_I, "listed processes that no longer exist"),
                "dead_pid": Field(_I, "the first of them, 0 for none", "pid"),
                "bar1_total": Field(_I, "the window through which others reach the memory", "B"),
                "bar1_used": Field(_I, "of which mapped", "B"),
                "bar1_share": Field(_F, "bar1_used of bar1_total, 0 to 1"),
            },
        ),
        "gpu_processes": MappingProxyType(
            {
                "count": Field(_I, "compute processes"),
                "pids": Field(_T, "the first 16 of them, with commas"),
                "jobs": Field(_T, "their jobs: slurm:4711, pod:UID; with commas, each once"),
                "without_job": Field(_I, "how many belong to no job of Slurm and no pod of Kubernetes"),
            },
        ),
        "platform_info": MappingProxyType(
            {
                "profile": Field(_T, "the platform profile that lists the GPU"),
                "chassis_serial": Field(_T, "the chassis"),
                "slot": Field(_I, "the compute slot in the rack"),
                "tray": Field(_I, "the tray in the chassis"),
                "host_id": Field(_I, "the node in the tray"),
                "peer_type": Field(_I, "how it reaches its NVLink peers: 0 directly, 1 through a switch"),
                "module": Field(_I, "the module on the board, as printed beside it"),
                "ib_guid": Field(_T, "the GUID by which the NVLink fabric knows it"),
            },
        ),
        "temperature": MappingProxyType(
            {
                "gpu": Field(_I, "GPU core", "C"),
                "memory": Field(_I, "HBM", "C"),
                "slowdown_at": Field(_I, "the board's slowdown threshold", "C"),
                "shutdown_at": Field(_I, "the board's shutdown threshold", "C"),
                "gpu_max_at": Field(_I, "the most at which the GPU is to be operated", "C"),
                "memory_max_at": Field(_I, "the most at which its memory is to be operated", "C"),
                "margin": Field(_I, "left before clocks are held down; negative is beyond", "C"),
                "slowdown_margin": Field(_I, "left before the hardware slows the GPU down", "C"),
                "shutdown_margin": Field(_I, "left before the hardware shuts the GPU down", "C"),
                "memory_margin": Field(_I, "left before the memory is hotter than it may be", "C"),
                "above_siblings": Field(_I, "hotter than the median of the node's other GPUs", "C"),
            },
        ),
        "clocks": MappingProxyType(
            {
                "idle": Field(_B, "GPU idle (bit 0x1)"),
                "sw_power_cap": Field(_B, "software power cap (0x4): normal under load"),
                "hw_slowdown": Field(_B, "hardware slowdown (0x8)"),
                "sw_thermal": Field(_B, "software thermal slowdown (0x20)"),
                "hw_thermal": Field(_B, "hardware thermal slowdown (0x40)"),
                "hw_power_brake": Field(_B, "power brake asserted from outside (0x80)"),
                "applications_clocks": Field(_B, "clocks set by a person (0x2)"),
                "sync_boost": Field(_B, "held to the slowest of a boost group (0x10)"),
                "sw_power_cap_share": Field(_F, "part of the time since the last sweep, 0 to 1"),
                "sw_thermal_share": Field(_F, "part of the time since the last sweep, 0 to 1"),
                "hw_thermal_share": Field(_F, "part of the time since the last sweep, 0 to 1"),
                "hw_power_brake_share": Field(_F, "part of the time since the last sweep, 0 to 1"),
                "sync_boost_share": Field(_F, "part of the time since the last sweep, 0 to 1"),
                "thermal_share": Field(_F, "heat of any sort, part of the time since the last sweep"),
                "performance_state": Field(_I, "0 is the fastest, 15 the slowest"),
            },
        ),
        "power": MappingProxyType(
            {
                "instant": Field(_F, "drawn now", "W"),
                "average": Field(_F, "drawn over the last second", "W"),
                "limit": Field(_F, "the most that it may draw now", "W"),
                "default_limit": Field(_F, "the limit that the board comes with", "W"),
                "requested_limit": Field(_F, "the limit that was asked for", "W"),
                "min_limit": Field(_F, "the lowest limit that can be set", "W"),
                "max_limit": Field(_F, "the highest limit that can be set", "W"),
            },
        ),
        "recovery_action": MappingProxyType(
            {
                "value": Field(_I, "NVML field 230"),
                "action": Field(
                    _T,
                    "NONE, GPU_RESET, NODE_REBOOT, DRAIN_P2P, DRAIN_AND_RESET, "
                    "RECOVER_IMEX_DOMAIN, BUS_RESET, SYSTEM_REBOOT",
                ),
            },
        ),
        "nvml_event": MappingProxyType(
            {"type": Field(_T, "the event's name"), "data": Field(_I, "its data")},
        ),
    },
)

EVENTS: frozenset[str] = frozenset({"nvml_event"})
"""Kinds that only ever say that something happened."""
