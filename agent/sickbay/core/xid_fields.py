"""What NVIDIA's catalogue and the line itself say of an Xid, as the fields of a signal of kind `xid`."""

import re

from sickbay.core.nvlink5 import Decoded, decode
from sickbay.core.recovery_actions import RecoveryAction
from sickbay.core.signal_fields import FieldValue
from sickbay.core.xid_48 import CODE as DOUBLE_BIT
from sickbay.core.xid_48 import fields_with
from sickbay.core.xid_74 import CODE as NVLINK
from sickbay.core.xid_74 import LinkError, parse_link_error
from sickbay.core.xid_lines import NvLink5, XidLine
from sickbay.core.xids import asked_by_driver, lookup

_BRANCH = re.compile(r"(\d{3,4})\.\d", re.ASCII)


def branch_of(driver_version: str) -> int | None:
    """The branch of a driver, 595 for `595.45.04`; None where the text is no version."""
    match = _BRANCH.match(driver_version)
    return None if match is None else int(match[1])


def fields_of_code(code: int) -> dict[str, FieldValue]:
    """Every declared field, of a code alone; what a line would have to say is None, which is unknown."""
    xid = lookup(code)
    known: dict[str, FieldValue] = {
        "code": code,
        "name": xid.name,
        "class": xid.klass.value,
        "action": xid.action.value,
        "investigate": xid.investigate.value,
    }
    return {**_NOTHING_SAID, **known}


def fields_of_line(line: XidLine, branch: int | None = None) -> dict[str, FieldValue]:
    """Every declared field, of a line; `branch` is the driver's, where it is known."""
    return {
        **fields_of_code(line.code),
        "pid": line.pid,
        "process": line.process or None,
        "caused_by": line.caused_by,
        "message": line.message,
        "gpu_instance": line.gpu_instance,
        "compute_instance": line.compute_instance,
        **_of_the_code(line, branch),
    }


def _of_the_code(line: XidLine, branch: int | None) -> dict[str, FieldValue]:
    """What only lines of some codes say."""
    if line.recovery is not None:
        return _asked(line.recovery.before, line.recovery.now)
    if line.nvlink is not None:
        return _nvlink5(line.nvlink, decode(line.code, line.nvlink, branch))
    if line.code == NVLINK:
        return _nvlink(parse_link_error(line.message))
    return fields_with(()) if line.code == DOUBLE_BIT else {}


def _asked(before: RecoveryAction, now: RecoveryAction) -> dict[str, FieldValue]:
    """Xid 154 asks for what it changed to."""
    return {
        "from_action": before.value,
        "to_action": now.value,
        "action": asked_by_driver(now).value,
    }


def _nvlink5(line: NvLink5, decoded: Decoded | None) -> dict[str, FieldValue]:
    """The line's own words, and what its registers mean where the catalogue tells."""
    said: dict[str, FieldValue] = {
        "unit": line.unit,
        "link_severity": line.severity,
        "link": line.link,
        "registers": _words(line.registers),
    }
    if decoded is None:
        return said
    return {
        **said,
        "action": decoded.action.value,
        "investigate": decoded.investigate.value,
        "findings": str(decoded),
    }


def _nvlink(error: LinkError | None) -> dict[str, FieldValue]:
    if error is None:
        return {}
    return {
        "link": error.link,
        "registers": _words(error.registers),
        "findings": "; ".join(error.findings) or "no bit is set",
        "advised": error.advice.value,
    }


def _words(registers: tuple[int, ...]) -> str:
    return " ".join(f"{word:#010x}" for word in registers)


_NOTHING_SAID: dict[str, FieldValue] = dict.fromkeys(
    (
        "pid",
        "process",
        "caused_by",
        "message",
        "gpu_instance",
        "compute_instance",
        "from_action",
        "to_action",
        "unit",
        "link_severity",
        "link",
        "registers",
        "memory",
        "advised",
        "findings",
    ),
)
