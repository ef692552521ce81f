"""Xid 48, an uncorrectable ECC error, and the codes beside it that tell which memory it was in.

NVIDIA's WORKFLOW_XID_48: alone it asks for a reset of the GPU, with a row remapping (63) or its failure (64)
for a drain and a reset. Newer drivers add 171 for DRAM and 172 for SRAM. The others come a moment before or
after; each in the order and at the time of its line, so that a replay says the same.
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from sickbay.core.signal_fields import FieldValue
from sickbay.core.xid_words import ImmediateAction

CODE = 48
WINDOW_S = 30.0
"""Seconds within which another code of the same GPU belongs to a 48; ours, as NVIDIA names no span."""

_REMAPPING = frozenset({63, 64})
_DRAM = frozenset({63, 64, 171})
_SRAM = 172
BESIDE = frozenset({*_DRAM, _SRAM})
"""The codes that split a 48."""

_MOST = 64
"""GPUs remembered; injected lines count apart."""

Slot = tuple[str, bool]
"""A GPU's PCI address, and whether the lines were injected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What one GPU said lately: codes that split a 48 with their times, and where the last 48 is counted."""

    codes: Mapping[int, float] = field(default_factory=lambda: MappingProxyType({}))
    detail: Hashable = None
    at: float | None = None


Splits = Mapping[Slot, Beside]
"""What is remembered between lines, by GPU."""


def with_code(splits: Splits, slot: Slot, code: int, mono: float) -> Splits:
    """After a code of `BESIDE` at `mono` (monotonic seconds)."""
    known = splits.get(slot, Beside())
    return _kept(splits, slot, Beside(codes={**known.codes, code: mono}, detail=known.detail, at=known.at))


def with_double_bit(splits: Splits, slot: Slot, detail: Hashable, mono: float) -> Splits:
    """After a 48 that is counted under `detail`."""
    known = splits.get(slot, Beside())
    return _kept(splits, slot, Beside(codes=known.codes, detail=detail, at=mono))


def codes_near(beside: Beside, mono: float) -> tuple[int, ...]:
    """The codes that belong to a 48 at `mono`."""
    return tuple(sorted(code for code, at in beside.codes.items() if abs(mono - at) <= WINDOW_S))


def fields_with(codes: Iterable[int]) -> dict[str, FieldValue]:
    """What the codes beside a 48 make of it: which memory, and what the workflow comes to."""
    beside = frozenset(codes)
    reset = ImmediateAction.DRAIN_AND_RESET if beside & _REMAPPING else ImmediateAction.RESET_GPU
    memory = "dram" if beside & _DRAM else "sram" if _SRAM in beside else None
    return {
        "memory": None if beside & _DRAM and _SRAM in beside else memory,
        "advised": reset.value,
        "findings": "with Xid " + ", ".join(map(str, sorted(beside))) if beside else None,
    }


def _kept(splits: Splits, slot: Slot, beside: Beside) -> Splits:
    others = {known: each for known, each in splits.items() if known != slot}
    return MappingProxyType(dict(list({**others, slot: beside}.items())[-_MOST:]))
