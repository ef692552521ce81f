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
                "free_bytes": Field(_I, "space left for programs", "bytes"),
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
                "code": Field(_I, "0 ok, 1 warning, 2 critical; unknown where it could not tell"),
                "message": Field(_T, "its first line"),
            },
        ),
    },
)

EVENTS: frozenset[str] = frozenset()
"""Kinds that only ever say that something happened."""
