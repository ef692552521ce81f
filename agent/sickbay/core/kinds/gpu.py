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
            },
        ),
        "temperature": MappingProxyType(
            {
                "gpu": Field(_I, "GPU core", "C"),
                "memory": Field(_I, "HBM", "C"),
                "slowdown_at": Field(_I, "the board's slowdown threshold", "C"),
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
