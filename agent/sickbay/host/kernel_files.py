"""Files that the kernel makes up while they are read (/proc, /sys): short, and read whole in one call.

A reader of such files must expect any one of them to be missing, forbidden or of another form, and goes on
with the others: each of these answers None then, which is *unknown*.
"""

import os
from pathlib import Path

_MOST = 65536
"""No file that is read here is longer: /proc/meminfo has 1.6 kB, a list of processors less."""


def content(path: Path | str) -> str:
    """The text of a file, without white space around it.

    One `read` on a raw descriptor: half the time of Python's buffered files, and these are read for ever.

    Raises:
        OSError: it is not there, may not be read, or its driver has failed.
    """
    return raw_content(path).decode(errors="backslashreplace").strip()


def raw_content(path: Path | str) -> bytes:
    """The bytes of a file, for those that are read by the thousand. Raises OSError as `content` does."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(handle, _MOST)
    finally:
        os.close(handle)


def content_if_any(path: Path | str) -> str | None:
    """The text of a file; None where it cannot be read."""
    try:
        return content(path)
    except OSError:
        return None


def number(path: Path | str) -> int | None:
    """The whole number that a file holds; None where it cannot be read or holds something else."""
    return whole_number(content_if_any(path))


def whole_number(text: str | None) -> int | None:
    """A whole number in decimal digits, or None."""
    digits = (text or "").removeprefix("-")
    return int(text or "") if digits.isascii() and digits.isdecimal() else None


def names_in(folder: Path | str, prefix: str = "") -> tuple[str, ...]:
    """The sorted names in a folder that begin with `prefix`; none where there is no such folder."""
    try:
        return tuple(sorted(name for name in os.listdir(folder) if name.startswith(prefix)))  # noqa: PTH208 - no Path for each of 2,000
    except OSError:
        return ()


def cpu_list(text: str | None) -> frozenset[int] | None:
    """`0-3,8` as {0, 1, 2, 3, 8}, as Documentation/admin-guide/cputopology.rst has it; else None."""
    if text is None:
        return None
    found: set[int] = set()
    for part in filter(None, text.split(",")):
        first, dash, last = part.partition("-")
        low, high = whole_number(first), whole_number(last if dash else first)
        if low is None or high is None:
            return None
        found.update(range(low, high + 1))
    return frozenset(found)
