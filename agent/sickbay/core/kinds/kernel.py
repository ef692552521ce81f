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
                "registers": Field(_T, "Xid 144-150: the registers as hexadecimal words"),
            },
        ),
        "gpu_lost": MappingProxyType(
            {
                "lost": Field(_B, "off the bus or absent; false once the driver answers for it again"),
                "how": Field(_T, "kernel, nvml, missing"),
            },
        ),
    },
)

EVENTS: frozenset[str] = frozenset({"xid"})
"""Kinds that only ever say that something happened."""
