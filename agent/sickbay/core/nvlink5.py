"""Xid 144 to 150 on Blackwell: what the registers of an NVLink 5 line mean, and what NVIDIA then asks for.

The subcode stands in other bits of IntrInfo from driver branch R575 on, and a line does not say which branch
printed it. Where the branch is known it decides; where not, a line is decoded only if the two layouts cannot
be confused for it: the unit that the line names tells them apart. What fits no row stays undecoded.

The rows weigh 40 KB, and most hosts never print such a line: they are loaded with the first one.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache, lru_cache

from sickbay.core.xid_lines import NvLink5
from sickbay.core.xid_words import ImmediateAction, InvestigatoryAction

_SINGLE_BITS = range(144, 149)
"""Codes whose error status is a set of bits, one a row; that of the others is a number."""

_NEW_LAYOUT = 575
_LINK_DOWN = 149


class Layout(Enum):
    """Where IntrInfo has the subcode: bits 9 to 5 before R575, bits 6 to 0 from it on."""

    BEFORE_R575 = "before R575"
    SINCE_R575 = "R575"


_Bits = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the catalogue, as rules/catalogue/xids_nvlink5.csv has it."""

    unit: str
    bits: tuple[_Bits, _Bits]
    statuses: tuple[int, ...]
    action: ImmediateAction
    promoted: tuple[_Bits, _Bits, ImmediateAction] | None
    investigate: InvestigatoryAction
    severity: str
    origin: str

    def action_of(self, layout: Layout, intr_info: int) -> ImmediateAction | None:
        """The action where IntrInfo fits the row in this layout; None where it does not."""
        before = layout is Layout.BEFORE_R575
        if _fits(self.bits[0] if before else self.bits[1], intr_info):
            return self.action
        if self.promoted is None:
            return None
        old, new, action = self.promoted
        return action if _fits(old if before else new, intr_info) else None

    def names(self, unit: str) -> bool:
        """Whether the row is about the unit that a line names."""
        return unit == self.unit or unit in self.unit.split("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """What the registers mean. `link_down` is the reason of a link that went down (bits 25 to 20).

    Of several bits of the error status the action that takes most counts. `unlisted` are those without a row;
    where all others ask for nothing the action is then WORKFLOW_NVLINK5_ERR, because nobody knows.
    """

    unit: str
    layout: Layout
    action: ImmediateAction
    investigate: InvestigatoryAction
    severity: str
    origin: str
    link_down: int | None = None
    unlisted: int = 0

    def __str__(self) -> str:
        parts = [f"{self.unit}: {self.severity} ({self.origin}, layout {self.layout.value})"]
        if self.link_down is not None:
            parts.append(f"link down for reason {self.link_down:#04x}")
        if self.unlisted:
            parts.append(f"status bits without a row: {self.unlisted:#010x}")
        return ", ".join(parts)


@lru_cache(maxsize=128)
def decode(code: int, line: NvLink5, branch: int | None = None) -> Decoded | None:
    """What the registers of a line mean, on driver branch `branch` where it is known (575 for R575)."""
    intr_info = line.intr_info
    if intr_info is None:
        return None
    looked = (_read(code, line, intr_info, layout) for layout in _layouts(branch))
    readings = [reading for reading in looked if reading is not None]
    named = [reading for reading in readings if _names(reading.unit, line.unit)]
    answers = named or readings
    return answers[0] if len({_essence(each) for each in answers}) == 1 else None


def _layouts(branch: int | None) -> tuple[Layout, ...]:
    if branch is None:
        return tuple(Layout)
    return (Layout.SINCE_R575 if branch >= _NEW_LAYOUT else Layout.BEFORE_R575,)


def _read(code: int, line: NvLink5, intr_info: int, layout: Layout) -> Decoded | None:
    """The rows that fit in one layout, as one answer; of two units the one that the line names."""
    fitting = [
        (row, action) for row in _rows(code) if (action := row.action_of(layout, intr_info)) is not None
    ]
    fitting = [fit for fit in fitting if fit[0].names(line.unit)] or fitting
    status = line.error_status
    if status is None:
        fitting = [fit for fit in fitting if not fit[0].statuses]
        found, unlisted = fitting, 0
    elif code in _SINGLE_BITS:
        found = [fit for fit in fitting if any(each & status for each in fit[0].statuses)]
        unlisted = status & ~_union(each for row, _ in found for each in row.statuses)
    else:
        found, unlisted = [fit for fit in fitting if not fit[0].statuses or status in fit[0].statuses], 0
    if not found:
        return None
    row, action = max(found, key=lambda fit: _RANKS[fit[1]])
    if unlisted and action is ImmediateAction.NONE:
        action = ImmediateAction.WORKFLOW_NVLINK5_ERR
    return Decoded(
        unit=row.unit if len({each.unit for each, _ in found}) == 1 else line.unit,
        layout=layout,
        action=action,
        investigate=row.investigate,
        severity=row.severity,
        origin=row.origin,
        link_down=intr_info >> 20 & 0x3F if code == _LINK_DOWN and "LINK_DOWN" in row.unit else None,
        unlisted=unlisted,
    )


_RANKS = {
    ImmediateAction.NONE: 0,
    ImmediateAction.XID_154_EVAL: 1,
    ImmediateAction.RESET_GPU: 2,
}
"""The actions of the decoding rows, by how much they take; a row with another fails the generator's tests."""


def _fits(bits: _Bits, word: int) -> bool:
    mask, value = bits
    return word & mask == value


def _names(unit: str, named: str) -> bool:
    return named == unit or named in unit.split("/")


def _essence(decoded: Decoded) -> tuple[object, ...]:
    return (decoded.unit, decoded.action, decoded.investigate, decoded.link_down)


def _union(words: Iterable[int]) -> int:
    union = 0
    for word in words:
        union |= word
    return union


@cache
def _rows(code: int) -> tuple[Row, ...]:
    return tuple(_all_rows(code))


def _all_rows(code: int) -> Iterator[Row]:
    from sickbay.core.nvlink5_table import ROWS  # noqa: PLC0415 - most hosts never need it

    for xid, unit, before, since, statuses, action, promoted, investigate, severity, origin in ROWS:
        if xid == code:
            yield Row(
                unit=unit,
                bits=(before, since),
                statuses=statuses,
                action=ImmediateAction(action),
                promoted=(
                    (promoted[0], promoted[1], ImmediateAction(promoted[2])) if promoted is not None else None
                ),
                investigate=InvestigatoryAction(investigate),
                severity=severity,
                origin=origin,
            )
