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
                "uncorrected_rate": Field(_F, "uncorrected errors between two sweeps", "1/s"),
                "dram_corrected": Field(_I, "of those, in DRAM, since driver load"),
                "dram_uncorrected": Field(_I, "uncorrected errors in DRAM since driver load"),
                "sram_corrected": Field(_I, "corrected errors in SRAM since driver load"),
                "sram_uncorrected": Field(_I, "uncorrected errors in SRAM since driver load"),
                "dram_corrected_aggregate": Field(_I, "corrected errors in DRAM in the board's life"),
                "dram_uncorrected_aggregate": Field(_I, "uncorrected errors in DRAM in the board's life"),
                "sram_corrected_aggregate": Field(_I, "corrected errors in SRAM in the board's life"),
                "sram_uncorrected_aggregate": Field(_I, "uncorrected errors in SRAM in the board's life"),
                "dram_corrected_rate": Field(_F, "corrected errors in DRAM between two sweeps", "1/s"),
                "sram_corrected_rate": Field(_F, "corrected errors in SRAM between two sweeps", "1/s"),
            },
        ),
        "sram": MappingProxyType(
            {
                "parity": Field(_I, "uncorrected errors that parity found since driver load"),
                "sec_ded": Field(_I, "uncorrected errors that SEC-DED found since driver load"),
                "corrected": Field(_I, "corrected errors since driver load"),
                "parity_aggregate": Field(_I, "uncorrected errors that parity found in the board's life"),
                "sec_ded_aggregate": Field(_I, "uncorrected errors that SEC-DED found in the board's life"),
                "corrected_aggregate": Field(_I, "corrected errors in the board's life"),
                "l2": Field(_I, "uncorrected errors of the board's life in the L2 cache"),
                "sm": Field(_I, "uncorrected errors of the board's life in the SMs"),
                "mcu": Field(_I, "uncorrected errors of the board's life in microcontrollers"),
                "pcie": Field(_I, "uncorrected errors of the board's life in the PCIe unit"),
                "other": Field(_I, "uncorrected errors of the board's life elsewhere"),
                "threshold_exceeded": Field(_B, "too many in one bank: NVIDIA's RMA criterion"),
            },
        ),
        "row_remap": MappingProxyType(
            {
                "correctable": Field(_I, "rows remapped for corrected errors"),
                "uncorrectable": Field(_I, "rows remapped for uncorrected errors"),
                "pending": Field(_B, "a remap waits for the next reset"),
                "failure": Field(_B, "a remap has failed: NVIDIA's RMA criterion"),
                "total": Field(_I, "rows remapped; there are 512 at most"),
            },
        ),
        "row_banks": MappingProxyType(
            {
                "full": Field(_I, "banks with every spare row left"),
                "high": Field(_I, "banks with many spare rows left"),
                "partial": Field(_I, "banks with some spare rows left"),
                "low": Field(_I, "banks with few spare rows left"),
                "none": Field(_I, "banks without a spare row"),
            },
        ),
        "retired_pages": MappingProxyType(
            {
                "single_bit": Field(_I, "pages retired for corrected errors"),
                "double_bit": Field(_I, "pages retired for uncorrected errors"),
                "total": Field(_I, "pages retired; there are 64 at most"),
                "pending": Field(_B, "a page waits to be retired when the driver is loaded next"),
            },
        ),
        "repair": MappingProxyType(
            {
                "channel_pending": Field(_B, "a memory channel waits for the next reset to be repaired"),
                "tpc_pending": Field(_B, "a TPC waits for the next reset to be repaired"),
                "unrepairable_memory": Field(_B, "the driver found memory that cannot be repaired"),
            },
        ),
    },
)

EVENTS: frozenset[str] = frozenset()
"""Kinds that only ever say that something happened."""
