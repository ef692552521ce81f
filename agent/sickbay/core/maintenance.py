"""Maintenance that recurs: on which days of the week, from when and for how long. All of it in UTC.

Written as `sat 02:00`, `mon-fri 22:30`, `mon,thu 04:00` or `daily 03:00`; the length stands beside it. A
daylight-saving change of the site moves none of it.
"""

import re
from dataclasses import dataclass

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_S = 86_400.0
_WEEK = len(_DAYS)
_FORM = re.compile(r"(?P<days>[a-z,-]+) (?P<hour>\d\d):(?P<minute>\d\d)")
_EPOCH_WEEKDAY = 3
"""1 January 1970 was a Thursday."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """Opens on each of `days` (0 is Monday), `start` seconds after midnight UTC, for `length` seconds."""

    days: tuple[int, ...]
    start: float
    length: float

    def open_until(self, now: float) -> float | None:
        """When the window that is open at `now` closes; None when none is. Unix seconds."""
        end = self._latest_begin(now)
        return None if end is None or end + self.length <= now else end + self.length

    def last_end(self, now: float) -> float | None:
        """When a window last closed, at `now` or before; None before the first. Unix seconds."""
        begin = self._latest_begin(now - self.length)
        return None if begin is None else begin + self.length

    def _latest_begin(self, now: float) -> float | None:
        """The latest beginning that is not after `now`."""
        today = int(now // _DAY_S)
        for day in range(today, today - _WEEK - 1, -1):
            begin = day * _DAY_S + self.start
            if (day + _EPOCH_WEEKDAY) % _WEEK in self.days and begin <= now and day >= 0:
                return begin
        return None

    def __str__(self) -> str:
        days = "daily" if len(self.days) == _WEEK else ",".join(_DAYS[day] for day in self.days)
        hours, seconds = divmod(self.start, 3600)
        return f"{days} {hours:02.0f}:{seconds // 60:02.0f} UTC"


def parse_recurrence(text: str, length: float) -> Recurrence:
    """What a person wrote, for `length` seconds each time.

    Raises:
        ValueError: when `text` or `length` cannot be meant; the message names the forms that are understood.
    """
    match = _FORM.fullmatch(" ".join(text.lower().split()))
    days = _days(match["days"]) if match else ()
    if match is None or not days or int(match["hour"]) > 23 or int(match["minute"]) > 59:  # noqa: PLR2004 - a clock's
        raise ValueError(
            f"{text!r} is no time of a week; expected a form such as `sat 02:00` or `mon-fri 22:30`"
        )
    if not 0 < length <= _DAY_S:
        raise ValueError("a window that recurs lasts more than nothing and at most 24h")
    start = int(match["hour"]) * 3600.0 + int(match["minute"]) * 60.0
    return Recurrence(days=days, start=start, length=length)


def _days(text: str) -> tuple[int, ...]:
    """The days of `daily`, `sat`, `mon,thu` or `fri-mon`; none when it is something else."""
    if text == "daily":
        return tuple(range(_WEEK))
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if first not in _DAYS or (dash and last not in _DAYS):
            return ()
        begin, end = _DAYS.index(first), _DAYS.index(last or first)
        found |= {(begin + day) % _WEEK for day in range((end - begin) % _WEEK + 1)}
    return tuple(sorted(found))
