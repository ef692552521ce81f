"""Requests to a block device that came back with an error.

Sources: block/blk-mq.c `blk_print_req_error` (5.4: block/blk-core.c `print_req_error`) with the names of
`blk_errors`, and fs/buffer.c `buffer_io_error`. What a device does not support is no error of it, and is
passed over.
"""

import re
from types import MappingProxyType

from sickbay.core.kernel_lines.line import Family, KernelLine

# blk_update_request: I/O error, dev sda, sector 2048 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 0   (5.4)
# critical medium error, dev nvme0n1, sector 2048 op 0x0:(READ) flags 0x80700 phys_seg 4 prio class 2   (6.1)
# print_req_error: I/O error, dev fd0, sector 0                                                         (4.19)
_REQUEST = re.compile(
    r"(?:blk_update_request: |print_req_error: )?"
    r"(?P<error>I/O|critical (?:medium|target|nexus|space allocation)|protection|timeout|device offline"
    r"|recoverable transport) error, dev (?P<device>[^\s,]{1,64}), sector \d{1,20}"
    r"(?: op (?:0x)?[0-9a-f]{1,4}:\((?P<operation>[A-Z_]{1,20})\))?(?: flags .*)?",
    re.ASCII,
)

# Buffer I/O error on dev sda1, logical block 0, async page read
# Buffer I/O error on device sda1, logical block 0
_BUFFER = re.compile(
    r"Buffer I/O error on dev(?:ice)? (?P<device>[^\s,]{1,64}), logical block \d{1,20}"
    r"(?:, (?P<operation>[a-z ]{1,40}))?",
    re.ASCII,
)


def parse(text: str) -> KernelLine | None:
    """A request that failed; None for anything else."""
    if (match := _REQUEST.fullmatch(text)) is not None:
        operation = match["operation"]
        return _line(match["device"], match["error"], None if operation is None else operation.lower())
    if (match := _BUFFER.fullmatch(text)) is not None:
        return _line(match["device"], "buffer", match["operation"])
    return None


def _line(device: str, error: str, operation: str | None) -> KernelLine:
    fields = {"device": device, "error": error, "operation": operation}
    detail = (error, operation)
    return KernelLine(kind="block_error", part=device, fields=MappingProxyType(fields), detail=detail)


FAMILY = Family(
    parse=parse,
    starts=(
        *(b"blk_update_request: ", b"print_req_error: ", b"Buffer I/O error on dev", b"I/O error, dev "),
        *(b"critical ", b"protection error, dev ", b"timeout error, dev ", b"device offline error, dev "),
        b"recoverable transport error, dev ",
    ),
)
