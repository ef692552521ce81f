"""What NVML says of a GPU's memory."""

from collections.abc import Mapping
from types import MappingProxyType

from sickbay.core.signal_fields import Field, FieldType

_B, _F, _I = FieldType.BOOL, FieldType.FLOAT, FieldType.INT

KINDS: Mapping[str, Mapping[str, Field]] = MappingProxyType(
    {
        "ecc": MappingProxyType(
            {
                "corrected": Field(_I, "corrected errors since driver load"),
                "uncorrected": Field(_I, "uncorrected errors since driver load"),
                "corrected_aggregate": Field(_I, "corrected errors in the board's life"),
                "uncorrected_aggregate": Field(_I, "uncorrected errors in the board's life"),
                "corrected_rate": Field(_F, "corrected errors between two sweeps", "1/s"),
            },
        ),
        "row_remap": MappingProxyType(
            {
                "correctable": Field(_I, "rows remapped for corrected errors"),
                "uncorrectable": Field(_I, "rows remapped for uncorrected errors"),
                "pending": Field(_B, "a remap waits for the next reset"),
                "failure": Field(_B, "a remap has failed: NVIDIA's RMA criterion"),
            },
        ),
    },
)

EVENTS: frozenset[str] = frozenset()
"""Kinds that only ever say that something happened."""
