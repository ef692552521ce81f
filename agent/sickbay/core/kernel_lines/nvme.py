"""NVMe controllers that time out, are reset, or are given up, and blocks that they cannot read.

Sources: drivers/nvme/host/pci.c (`nvme_timeout`, `nvme_warn_reset`, `nvme_reset_work`) and core.c
(`nvme_log_error`, since 5.18), 5.4 to 6.12. `timeout, completion polled` is an interrupt that went missing:
the command itself was done.
"""

import re
from types import MappingProxyType

from sickbay.core.kernel_lines.line import Family, KernelLine

_CONTROLLER = re.compile(r"nvme (?P<device>nvme\d{1,4}): (?P<rest>.{1,400})", re.ASCII | re.DOTALL)

# I/O 12 QID 3 timeout, aborting                                          (5.4)
# I/O 12 (I/O Cmd) QID 3 timeout, reset controller                        (6.1)
# I/O tag 12 (100c) opcode 0x2 (I/O Cmd) QID 3 timeout, aborting req_op:READ(0) size:4096    (6.8)
_TIMEOUT = re.compile(
    r"I/O (?:tag )?\d{1,6}(?: \([0-9a-f]{4}\))?(?: opcode (?:0x)?[0-9a-f]{1,4})?(?: \([^()]{1,60}\))? "
    r"QID (?P<queue>\d{1,6}) timeout, "
    r"(?P<then>aborting|reset controller|disable controller|completion polled)(?: .{0,200})?",
    re.ASCII,
)
_AFTER_TIMEOUT = {
    "aborting": "timeout",
    "reset controller": "reset",
    "disable controller": "reset",
    "completion polled": "lost_interrupt",
}

# controller is down; will reset: CSTS=0xffffffff, PCI_STATUS=0xffff
_DOWN = re.compile(r"controller is down; will reset: .{1,200}")
# frozen state error detected, reset controller
_FROZEN = "frozen state error detected, reset controller"
# Removing after probe failure status: -19
# Disabling device after reset failure: -19
# Device not ready; aborting reset, CSTS=0x1
_DEAD = re.compile(
    r"(?:Removing after probe failure(?: status: -?\d{1,6})?|Disabling device after reset failure: -?\d{1,6}"
    r"|Device not ready; aborting (?:reset|initiali[sz]ation)(?:, CSTS=0x[0-9a-f]{1,8})?)",
    re.ASCII,
)

# nvme0n1: Read(0x2) @ LBA 1234, 8 blocks, Unrecovered Read Error (sct 0x2 / sc 0x81) DNR
_COMMAND = re.compile(
    r"(?P<device>nvme\d{1,4})(?:c\d{1,4})?n\d{1,6}: [^(]{1,60}\(0x[0-9a-f]{1,2}\) @ LBA \d{1,20}, "
    r"\d{1,10} blocks, "
    r"(?P<error>.{1,100}) \(sct 0x(?P<type>[0-9a-f]) / sc 0x[0-9a-f]{1,2}\).{0,40}",
    re.ASCII,
)
_MEDIA = "2"
"""Status code type 2h: media and data integrity errors (NVM Express base specification, 4.2.3)."""


def parse(text: str) -> KernelLine | None:
    """A fault of an NVMe controller or of its medium; None for anything else."""
    controller = _CONTROLLER.fullmatch(text)
    if controller is not None:
        return _of_controller(controller["device"], controller["rest"])
    command = _COMMAND.fullmatch(text)
    if command is None:
        return None
    fault = "medium" if command["type"] == _MEDIA else "command"
    return _line(command["device"], fault, message=command["error"])


def _of_controller(device: str, rest: str) -> KernelLine | None:
    if (match := _TIMEOUT.fullmatch(rest)) is not None:
        return _line(device, _AFTER_TIMEOUT[match["then"]], queue=int(match["queue"]), message=rest)
    if _DOWN.fullmatch(rest) is not None:
        return _line(device, "down", message=rest)
    if _DEAD.fullmatch(rest) is not None:
        return _line(device, "dead", message=rest)
    return _line(device, "reset", message=rest) if rest == _FROZEN else None


def _line(device: str, fault: str, *, message: str, queue: int | None = None) -> KernelLine:
    fields = {"device": device, "fault": fault, "queue": queue, "message": message}
    return KernelLine(kind="nvme_error", part=device, fields=MappingProxyType(fields), detail=fault)


FAMILY = Family(parse=parse, starts=(b"nvme nvme", *(b"nvme%d" % first for first in range(10))))
