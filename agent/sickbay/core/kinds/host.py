"""What the host says of itself, apart from its GPUs."""

from collections.abc import Mapping
from types import MappingProxyType

from sickbay.core.signal_fields import Field, FieldType

_B, _F, _I, _T = FieldType.BOOL, FieldType.FLOAT, FieldType.INT, FieldType.TEXT

KINDS: Mapping[str, Mapping[str, Field]] = MappingProxyType(
    {
        "port": MappingProxyType(
            {
                "present": Field(_B, "the port shows; false for one that was up in this boot and is gone"),
                "active": Field(_B, "its state is ACTIVE: it can carry traffic"),
                "disabled": Field(_B, "somebody has switched it off"),
                "state": Field(_T, "DOWN, INIT, ARMED, ACTIVE, ACTIVE_DEFER"),
                "physical": Field(_T, "Sleep, Polling, Disabled, LinkUp, LinkErrorRecovery and others"),
                "link_layer": Field(_T, "InfiniBand or Ethernet"),
                "rate": Field(_F, "the rate of the link", "Gb/s"),
                "expected_rate": Field(
                    _F, "the highest that it had in this boot, or that all its siblings have", "Gb/s"
                ),
                "drops": Field(_I, "how often it went down in the last ten minutes"),
            },
        ),
        "ports": MappingProxyType(
            {
                "expected": Field(_I, "ports for GPU traffic that nodes of this platform have"),
                "expected_rate": Field(_F, "their rate", "Gb/s"),
                "at_rate": Field(_I, "ports that are active at that rate or a higher one"),
                "present": Field(_I, "ports that show, of any rate"),
            },
        ),
        "port_errors": MappingProxyType(
            {
                "symbol": Field(_I, "symbol errors in the last hour"),
                "recovery": Field(_I, "recoveries of the link after errors in the last hour"),
                "downed": Field(_I, "times the link gave up recovering in the last hour"),
                "receive": Field(_I, "packets received with errors in the last hour"),
                "integrity": Field(_I, "local link integrity errors in the last hour"),
                "overrun": Field(_I, "receive buffers overrun in the last hour"),
                "icrc": Field(_I, "RoCE packets with a wrong checksum in the last hour"),
                "saturated": Field(_T, "counters at their largest value, which count no more until reset"),
            },
        ),
        "disk": MappingProxyType(
            {
                "present": Field(_B, "the disk shows; false for one that was there in this boot and is gone"),
                "in_use": Field(_B, "it is mounted, or an array or a volume group stands on it"),
                "live": Field(_B, "the kernel can use it"),
                "state": Field(_T, "the kernel's word for it, such as live, dead, running, offline"),
                "io_errors": Field(_I, "commands that failed in the last hour"),
            },
        ),
        "md_array": MappingProxyType(
            {
                "present": Field(_B, "the array shows"),
                "missing": Field(_I, "members that the array lacks"),
                "state": Field(_T, "the kernel's word for it, such as clean, active, broken, inactive"),
                "broken": Field(_B, "it can no longer be used"),
            },
        ),
        "filesystem": MappingProxyType(
            {
                "mounted": Field(_B, "it is mounted; false for one that was in this boot and is not"),
                "type": Field(_T, "such as ext4 or xfs"),
                "free": Field(_F, "space left for programs, as a share from 0 to 1"),
                "free_bytes": Field(_I, "space left for programs, in steps of 256 MiB", "bytes"),
                "free_inodes": Field(_F, "inodes left, as a share from 0 to 1"),
                "read_only": Field(_B, "it takes no writes"),
                "was_writable": Field(_B, "it took writes earlier in this boot"),
            },
        ),
        "network_mount": MappingProxyType(
            {
                "mounted": Field(_B, "it is mounted; false for one that was in this boot and is not"),
                "type": Field(_T, "such as nfs4 or lustre"),
                "server": Field(_T, "what is mounted"),
                "answers": Field(_B, "it said how full it is within its deadline"),
                "stale": Field(_B, "its server no longer knows what is mounted"),
                "free": Field(_F, "space left for programs, as a share from 0 to 1"),
            },
        ),
        "plugin": MappingProxyType(
            {
                "name": Field(_T, "the plugin"),
                "configured": Field(_B, "the site still wants it to be run"),
                "code": Field(_I, "0 ok, 1 warning, 2 critical; unknown where it could not tell"),
                "message": Field(_T, "its first line"),
            },
        ),
        "memory": MappingProxyType(
            {
                "total": Field(_I, "memory of the host", "bytes"),
                "available": Field(_I, "what programs could still get without swapping", "bytes"),
                "available_share": Field(_F, "the same, as a share from 0 to 1"),
                "least_node_share": Field(
                    _F, "free, page cache included, on the fullest NUMA node with processors, 0 to 1"
                ),
                "swap_total": Field(_I, "swap space", "bytes"),
                "swap_used": Field(_I, "swap space in use", "bytes"),
                "huge_pages": Field(_I, "huge pages set aside"),
                "huge_pages_free": Field(_I, "of those, not in use"),
                "poisoned": Field(_I, "taken out of use for errors that could not be corrected", "bytes"),
                "waiting": Field(_F, "of the last minute, all tasks waited for memory (PSI full)", "%"),
            },
        ),
        "memory_module": MappingProxyType(
            {
                "label": Field(_T, "the board's name for the module, or the controller's own errors"),
                "corrected": Field(_I, "corrected errors since boot"),
                "uncorrected": Field(_I, "uncorrected errors since boot"),
                "corrected_new": Field(_I, "corrected errors since the last look"),
                "corrected_rate": Field(_F, "the same by time", "1/s"),
            },
        ),
        "cpu": MappingProxyType(
            {
                "online": Field(_I, "logical processors in use"),
                "offline": Field(_I, "present but not in use; unknown where hyper-threading is off"),
                "load_per_cpu": Field(
                    _F, "tasks that ran or were in state D for each processor, averaged over 5 minutes"
                ),
                "waiting": Field(_F, "of the last minute, some task waited for a processor (PSI some)", "%"),
                "waiting_for_io": Field(_F, "of the last minute, all tasks waited for disks (PSI full)", "%"),
                "throttled_times": Field(_I, "slow-downs for heat since the last look, all packages"),
                "throttled_share": Field(_F, "of the time since, in the package held back most, 0 to 1"),
            },
        ),
        "clock": MappingProxyType(
            {
                "synchronised": Field(_B, "somebody keeps the kernel's clock right (no STA_UNSYNC)"),
                "may_be_off": Field(_F, "the kernel's bound on the clock's error", "s"),
                "is_off": Field(_F, "its estimate of the error", "s"),
                "offset": Field(_F, "what it still has to slew", "s"),
                "jumped": Field(_F, "how far the clock was set since the last look, forwards above 0", "s"),
            },
        ),
        "service": MappingProxyType(
            {
                "unit": Field(_T, "systemd's name of the unit"),
                "enabled": Field(_B, "it is to start with the host"),
                "up": Field(_B, "it is started, and has processes"),
                "started_anew": Field(_B, "it was started again since the last look"),
                "needed": Field(_B, "this host cannot do its work without it"),
            },
        ),
        "kernel_modules": MappingProxyType(
            {
                "gpus": Field(_I, "NVIDIA GPUs on the PCI bus that no guest has"),
                "infiniband": Field(_I, "RDMA devices"),
                "driver": Field(_T, "version of the loaded driver"),
                "open": Field(_B, "the driver is NVIDIA's open kernel module"),
                "nvidia": Field(_B, "nvidia is loaded"),
                "uvm": Field(_B, "nvidia_uvm is loaded, without which CUDA does not start"),
                "modeset": Field(_B, "nvidia_modeset is loaded"),
                "peermem": Field(_B, "nvidia_peermem is loaded"),
                "nouveau": Field(_B, "nouveau is loaded, which takes GPUs from the driver"),
            },
        ),
        "kernel_taint": MappingProxyType(
            {
                "mask": Field(_I, "/proc/sys/kernel/tainted"),
                "words": Field(_T, "the same in words"),
                "oops": Field(_B, "the kernel has had an oops since boot"),
                "bad_page": Field(_B, "it has found a page in an impossible state since boot"),
                "machine_check": Field(_B, "it has had a machine check since boot"),
                "soft_lockup": Field(_B, "a processor has been stuck since boot"),
            },
        ),
        "stuck_processes": MappingProxyType(
            {
                "stuck": Field(_I, "processes in state D for two minutes without having run"),
                "in_driver": Field(_I, "of those, in NVIDIA's driver or with its devices open"),
                "kernel_threads": Field(_I, "threads of the kernel in the same state, some by design"),
                "longest": Field(_F, "how long the first of the processes has been so", "s"),
                "names": Field(_T, "up to five of them, and where in the kernel they wait"),
                "zombies": Field(_I, "dead processes that nobody has collected; unknown on an idle host"),
            },
        ),
    },
)

EVENTS: frozenset[str] = frozenset()
"""Kinds that only ever say that something happened."""
