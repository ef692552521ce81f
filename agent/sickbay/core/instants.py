"""Two clocks in one value, and the notation in which people write spans of time."""

import re
from dataclasses import dataclass

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Instant:
    """A point in time on both of a host's clocks, in seconds.

    `mono` is CLOCK_MONOTONIC of one boot: it orders and measures, and means nothing on another boot.
    `wall` is Unix time in UTC: it is for people, and no decision on a host rests on it.
    """

    mono: float
    wall: float

    def later(self, seconds: float) -> "Instant":
        """The instant `seconds` after this one, on both clocks."""
        return Instant(mono=self.mono + seconds, wall=self.wall + seconds)


def parse_duration(text: str) -> float:
    """Seconds of a span such as `90s`, `5m`, `1h30m` or `250ms`.

    Raises:
        ValueError: when `text` is anything else; the message names the forms that are understood.
    """
    compact = text.strip()
    parts = _PART.findall(compact)
    if not parts or "".join(number + unit for number, unit in parts) != compact:
        msg = f"{text!r} is not a duration; expected a form such as 250ms, 90s, 5m, 1h30m or 7d"
        raise ValueError(msg)
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def format_duration(seconds: float) -> str:
    """A short form for people: `0.4s`, `12s`, `3m05s`, `2h10m`, `3d4h`."""
    if seconds < 0:
        return "-" + format_duration(-seconds)
    if seconds < 10:  # noqa: PLR2004 - below ten seconds a tenth is worth showing
        return f"{seconds:.1f}s"
    whole = round(seconds)
    days, rest = divmod(whole, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, left = divmod(rest, 60)
    if days:
        return f"{days}d{hours}h"
    if hours:
        return f"{hours}h{minutes:02d}m"
    return f"{minutes}m{left:02d}s" if minutes else f"{left}s"
