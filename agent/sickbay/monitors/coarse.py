"""Figures that move all the time, in steps that a person would call a change. No monitor itself.

Each change of a reading is kept and sent, and on a host nothing of this ever stands still.
"""

import math

_SCARCE = 0.1


def power_of_two(number: int | None) -> int | None:
    """The largest power of two that is not above a number; 0 for less than one."""
    if number is None:
        return None
    return 1 << (number.bit_length() - 1) if number > 0 else 0


def left(share: float | None) -> float | None:
    """What is left of something, 0 to 1: in tenths while there is plenty, in hundredths below one tenth."""
    if share is None:
        return None
    return in_steps(share, 0.1 if share >= _SCARCE else 0.01)


def in_steps(number: float | None, step: float) -> float | None:
    """A number rounded towards zero to whole steps."""
    if number is None:
        return None
    # What is added is far below any step: 0.3 / 0.1 is 2.9999999999999996.
    return round(math.trunc(number / step + math.copysign(1e-9, number)) * step, 6)
