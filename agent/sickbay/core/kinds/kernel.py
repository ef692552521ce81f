"""What the kernel log says."""

from collections.abc import Mapping
from types import MappingProxyType

from sickbay.core.signal_fields import Field, FieldType

_B, _I, _T = FieldType.BOOL, FieldType.INT, FieldType.TEXT

KINDS: Mapping[str, Mapping[str, Field]] = MappingProxyType(
    {
        "xid": MappingProxyType(
            {
                "code": Field(_I, "the Xid"),
                "name": Field(_T, "the code's name in NVIDIA's catalogue"),
                "class": Field(
                    _T,
                    "application, secondary, hardware, fabric, informational, unused, unknown",
                ),
                "action": Field(_T, "NVIDIA's immediate action, NONE where there is nothing to do"),
                "pid": Field(_I, "the process that was named", "pid"),
                "process": Field(_T, "its name"),
                "caused_by": Field(_I, "the Xid that the line itself names as its cause"),
                "message": Field(_T, "the text after the code"),
                "gpu_instance": Field(_I, "the MIG GPU instance that it is attributed to"),
                "compute_instance": Field(_I, "the MIG compute instance that it is attributed to"),
                "from_action": Field(_T, "Xid 154: what the driver asked for before, as in recovery_action"),
                "to_action": Field(_T, "Xid 154: what the driver asks for now, as in recovery_action"),
                "unit": Field(_T, "Xid 144-150: the part of the NVLink that reports"),
                "link_severity": Field(_T, "Xid 144-150: the driver's Fatal, Nonfatal or Link Fatal"),
                "link": Field(_I, "Xid 144-150: the link, -1 for the whole GPU"),
                "registers": Field(_T, "Xid 74 and 144-150: the registers as hexadecimal words"),
                "memory": Field(_T, "Xid 48: dram or sram, once a 63, 64, 171 or 172 beside it has told"),
                "advised": Field(_T, "Xid 48 and 74: what NVIDIA's workflow for the code comes to"),
                "investigate": Field(_T, "what NVIDIA asks to be looked into afterwards"),
                "findings": Field(_T, "Xid 74 and 144-150: what the registers say, in words"),
            },
        ),
        "sxid": MappingProxyType(
            {
                "code": Field(_I, "the NVSwitch driver's SXid"),
                "name": Field(_T, "the code's name in NVIDIA's Fabric Manager guide"),
                "class": Field(_T, "fabric, informational, unknown"),
                "grade": Field(_T, "the guide's always_fatal, potential_fatal, non_fatal; unknown"),
                "severity": Field(_T, "the driver's Fatal, Non-fatal, Correctable; empty: it says none"),
                "action": Field(_T, "what the guide asks for, NONE where there is nothing to do"),
                "switch": Field(_T, "the driver's name for the switch"),
                "link": Field(_I, "the switch's port that it is about"),
                "first": Field(_B, "the driver calls it the first of several of one cause"),
                "message": Field(_T, "the text after severity and link"),
                "driver_grade": Field(_I, "the driver's number for the severity, from a further line"),
                "engine_instance": Field(_I, "the unit of the switch, from a further line"),
                "sub_engine_instance": Field(_I, "the part of that unit, from a further line"),
                "data": Field(_T, "debug data as hexadecimal words, from further lines"),
            },
        ),
        "gpu_lost": MappingProxyType(
            {
                "lost": Field(_B, "off the bus or absent; false once the driver answers for it again"),
                "how": Field(_T, "kernel, nvml, missing, passed_on"),
            },
        ),
    },
)

EVENTS: frozenset[str] = frozenset({"xid", "sxid"})
"""Kinds that only ever say that something happened."""
