"""What the kernel log says of a host apart from its GPUs' Xids: see `core.kernel_lines`, a file a family."""

from collections.abc import Mapping
from types import MappingProxyType

from sickbay.core.signal_fields import Field, FieldType

_B, _I, _T = FieldType.BOOL, FieldType.INT, FieldType.TEXT

KINDS: Mapping[str, Mapping[str, Field]] = MappingProxyType(
    {
        "pcie_error": MappingProxyType(
            {
                "severity": Field(_T, "corrected, nonfatal, fatal"),
                "layer": Field(_T, "Physical Layer, Data Link Layer, Transaction Layer, Inaccessible"),
                "agent": Field(_T, "what the device was to the failed request, e.g. Receiver ID"),
                "device": Field(_T, "the device's PCI address with its function"),
                "driver": Field(_T, "the driver that holds it; pcieport is a port"),
                "id": Field(_T, "its PCI vendor and device id"),
                "status": Field(_T, "the error status register, hexadecimal"),
                "mask": Field(_T, "the error mask register, hexadecimal"),
                "errors": Field(_T, "the kernel's names of the status bits that are not masked"),
            },
        ),
        "pcie_containment": MappingProxyType(
            {
                "port": Field(_T, "the port that took its link down, as a PCI address"),
                "cause": Field(_T, "uncorrectable, nonfatal, fatal, other"),
                "status": Field(_T, "the DPC status register, hexadecimal"),
            },
        ),
        "pcie_recovery": MappingProxyType(
            {
                "port": Field(_T, "the port below which devices were recovered, as a PCI address"),
                "recovered": Field(_B, "whether all of them came back"),
            },
        ),
        "hardware_error": MappingProxyType(
            {
                "source": Field(_T, "mce, amd, edac, firmware"),
                "severity": Field(_T, "corrected, deferred, uncorrected, fatal; logged: it does not say"),
                "cpu": Field(_I, "the processor that reported it"),
                "bank": Field(_I, "the machine check bank"),
                "status": Field(_T, "the bank's status register, hexadecimal"),
                "label": Field(_T, "the memory module, or the kind of part"),
            },
        ),
        "nvme_error": MappingProxyType(
            {
                "device": Field(_T, "the controller, e.g. nvme0"),
                "fault": Field(_T, "timeout, reset, lost_interrupt, down, dead, medium, command"),
                "queue": Field(_I, "the queue of the request, 0 for the controller's own"),
                "message": Field(_T, "the driver's words"),
            },
        ),
        "block_error": MappingProxyType(
            {
                "device": Field(_T, "the block device, e.g. sda"),
                "error": Field(_T, "I/O, critical medium, critical target, timeout, buffer, ..."),
                "operation": Field(_T, "read, write, flush, ..."),
            },
        ),
        "filesystem_error": MappingProxyType(
            {
                "device": Field(_T, "the block device that it lies on, e.g. dm-0"),
                "filesystem": Field(_T, "ext4, xfs, btrfs"),
                "effect": Field(_T, "error, read_only, shutdown"),
            },
        ),
        "out_of_memory": MappingProxyType(
            {
                "by_group": Field(_B, "a control group's own limit was met, not the host's memory"),
                "group": Field(_T, "that control group's path"),
                "pid": Field(_I, "the process that was killed", "pid"),
                "process": Field(_T, "its name"),
            },
        ),
        "cpu_stall": MappingProxyType(
            {
                "how": Field(_T, "soft_lockup, hard_lockup, rcu, workqueue"),
                "cpu": Field(_I, "the processor that stands still"),
                "seconds": Field(_I, "for how long", "s"),
                "process": Field(_T, "what ran on it"),
                "pid": Field(_I, "that process", "pid"),
            },
        ),
        "hung_task": MappingProxyType(
            {
                "process": Field(_T, "the name of the task that waits uninterruptibly"),
                "pid": Field(_I, "the task", "pid"),
                "seconds": Field(_I, "for longer than this", "s"),
            },
        ),
        "kernel_bug": MappingProxyType(
            {
                "how": Field(_T, "bug, oops, panic"),
                "message": Field(_T, "the kernel's words"),
            },
        ),
        "adapter_event": MappingProxyType(
            {
                "what": Field(
                    _T,
                    "link_up, link_down, cable_plugged, cable_unplugged, cable_error, unresponsive, "
                    "fatal_error, health_issue, high_temperature, timeout, recovered, recovery_failed",
                ),
                "device": Field(_T, "the adapter's PCI address with its function"),
                "interface": Field(_T, "the network or RDMA device, e.g. ens1f0np0, mlx5_0"),
                "port": Field(_I, "the port, or the module's number"),
                "message": Field(_T, "the driver's words"),
            },
        ),
        "driver_trouble": MappingProxyType(
            {
                "what": Field(
                    _T,
                    "init_failed, probe_failed, bar_invalid, locked, unhandled_interrupts, api_mismatch, "
                    "none_initialised, none_found",
                ),
                "library": Field(_T, "api_mismatch: the version of the program's libraries"),
                "module": Field(_T, "api_mismatch: the version of the loaded kernel module"),
                "process": Field(_T, "api_mismatch: the program"),
                "pid": Field(_I, "api_mismatch: its process", "pid"),
            },
        ),
    },
)

EVENTS: frozenset[str] = frozenset(KINDS)
"""Kinds that only ever say that something happened: here, all of them."""
