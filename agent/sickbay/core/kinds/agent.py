"""What the agent says of itself."""

from collections.abc import Mapping
from types import MappingProxyType

from sickbay.core.signal_fields import Field, FieldType

_B, _I, _T = FieldType.BOOL, FieldType.INT, FieldType.TEXT

KINDS: Mapping[str, Mapping[str, Field]] = MappingProxyType(
    {
        "log_gap": MappingProxyType(
            {
                "lost": Field(_I, "kernel records overwritten before they were read"),
                "before_start": Field(_B, "they were gone when reading began; it did not fall behind"),
            },
        ),
        "spool_gap": MappingProxyType(
            {"lost": Field(_I, "events dropped from the agent's full spool before a coordinator had them")},
        ),
        "monitor": MappingProxyType(
            {
                "name": Field(_T, "the monitor"),
                "healthy": Field(_B, "whether it can see"),
                "detail": Field(_T, "what is in its way"),
            },
        ),
    },
)

EVENTS: frozenset[str] = frozenset({"log_gap", "spool_gap"})
"""Kinds that only ever say that something happened."""
