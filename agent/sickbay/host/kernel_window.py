"""The kernel log as it stands, as text for a person: a second reading that disturbs no other."""

from collections import deque

from sickbay.core.kernel_records import Entry, Interest, KernelRecord, LogGap, Repeated, UnknownRecord
from sickbay.host.kmsg import BATCH, KernelLog

EVERYTHING = Interest(starts=(b"",))
"""An interest that covers every record."""


def text_of(log: KernelLog, *, max_bytes: int) -> bytes:
    """All that `log` still has, oldest first, as `[seconds] text`; of more than `max_bytes` the end.

    KernelLogUnavailableError when it cannot be read. The log is closed in any case.
    """
    lines: deque[bytes] = deque()
    size, more = 0, True
    try:
        while more:
            batch = log.read_batch(BATCH)
            more = batch.more
            for entry in batch.entries:
                lines.append(_line(entry))
                size += len(lines[-1])
            while size > max_bytes and len(lines) > 1:
                size -= len(lines.popleft())
    finally:
        log.close()
    return b"".join(lines)


def _line(entry: Entry) -> bytes:
    match entry:
        case KernelRecord():
            return f"[{entry.usec / 1e6:12.6f}] {entry.text}\n".encode(errors="replace")
        case Repeated():
            return f"(the line above came {entry.times} more times)\n".encode()
        case LogGap():
            return f"({entry.lost} records were overwritten here)\n".encode()
        case UnknownRecord():
            return b"(no record) " + entry.raw.rstrip(b"\n") + b"\n"
