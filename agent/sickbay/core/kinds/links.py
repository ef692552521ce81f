"""What NVML says of how a GPU is connected."""

from collections.abc import Mapping
from types import MappingProxyType

from sickbay.core.signal_fields import Field, FieldType

_I = FieldType.INT

KINDS: Mapping[str, Mapping[str, Field]] = MappingProxyType(
    {
        "nvlink": MappingProxyType(
            {
                "links": Field(_I, "links that the driver lists"),
                "active": Field(_I, "links up"),
                "inactive": Field(_I, "links down"),
                "first_inactive": Field(_I, "the lowest link that is down, -1 for none"),
            },
        ),
    },
)

EVENTS: frozenset[str] = frozenset()
"""Kinds that only ever say that something happened."""
