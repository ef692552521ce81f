"""Xid 74 on A100 and H100: the seven registers of an NVLink error, bit by bit.

NVIDIA explains the registers 1, 3, 4 and 5 (Xid catalog, workflow WORKFLOW_NVLINK_ERR); a bit that it does
not explain is shown as it is and advises nothing. Blackwell reports its links by Xid 144 to 150 instead.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from sickbay.core.xid_74_table import ROWS
from sickbay.core.xid_words import LinkAdvice

CODE = 74

# NVLink: fatal error detected on link 6(0x10000, 0x0, 0x0, 0x0, 0x0, 0x0, 0x0)
# NVLink: Link 3 fatal error (0x0 0x0 0x10000 0x0 0x0 0x0 0x0)
_REGISTERS = re.compile(
    r"NVLink.{0,80}?\b[Ll]ink (?P<link>\d{1,3})\b.{0,60}?"
    r"\((?P<words>0x[0-9a-fA-F]{1,8}(?:[ ,]{1,2}0x[0-9a-fA-F]{1,8}){0,6}) ?\)",
    re.ASCII,
)

_BITS = {(register, bit): (finding, LinkAdvice(advice)) for register, bit, finding, advice in ROWS}
_RANKS = {advice: rank for rank, advice in enumerate(LinkAdvice)}


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkError:
    """What one line says of a link. `registers` are the words as printed, the first being register 1."""

    link: int
    registers: tuple[int, ...]

    @property
    def findings(self) -> tuple[str, ...]:
        """Each bit that is set, in words, as `register 1 bit 4: hardware ECC`."""
        return tuple(
            f"register {register} bit {bit}: {_BITS[register, bit][0] if (register, bit) in _BITS else '?'}"
            for register, bit in self._set()
        )

    @property
    def advice(self) -> LinkAdvice:
        """What takes the most of what the bits advise; UNKNOWN where NVIDIA explains none of them."""
        known = [_BITS[place][1] for place in self._set() if place in _BITS]
        return max(known, key=_RANKS.__getitem__, default=LinkAdvice.UNKNOWN)

    def _set(self) -> tuple[tuple[int, int], ...]:
        return tuple(
            (register, bit)
            for register, word in enumerate(self.registers, start=1)
            for bit in range(32)
            if word >> bit & 1
        )


@lru_cache(maxsize=64)
def parse_link_error(message: str) -> LinkError | None:
    """The link and its registers in the words of an Xid 74; None where there are none."""
    match = _REGISTERS.search(message)
    if match is None:
        return None
    words = match["words"].replace(",", " ").split()
    return LinkError(link=int(match["link"]), registers=tuple(int(word, 16) for word in words))
