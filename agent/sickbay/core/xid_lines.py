"""Xids as NVIDIA's driver prints them, read record by record.

Every pattern is anchored at both ends of one record's text, so that another program's text that merely
mentions an Xid, or a task name with a newline in it, is nothing. Beside each stands a real line. Patterns
are written without nested repetition, so that the time they take grows with the text and no faster.

The forms are those of the driver's source (kernel_rc.c, `krcReportXid`, branch 595) and of older drivers as
seen in their users' logs.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from msgspec import Struct

from sickbay.core.devices import normalise_pci
from sickbay.core.gpu_lost_lines import GpuLostLine, parse_gpu_lost
from sickbay.core.log_forms import bare_text
from sickbay.core.recovery_actions import RecoveryAction, by_number_and_name

_PCI = r"(?:PCI:)?([0-9a-fA-F]{4,8}:[0-9a-fA-F]{2}:[0-9a-fA-F]{2}(?:\.[0-7])?)"

# NVRM: Xid (PCI:0000:b3:00): 63, Row Remapper: New row marked for remapping, reset gpu to activate.
# NVRM: Xid (PCI:0000:b3:00 GPU-I:01 GPU-CI:00): 13, pid=4021, name=python, Graphics SM Warp Exception
# NVRM: Xid (0000:03:00): 14, Channel 00000001
_XID = re.compile(
    r"NVRM: Xid \(" + _PCI + r"((?: [A-Za-z][\w-]{0,20}:\w{1,20}){0,4})\): (\d{1,5})(?:, (.*))?",
    re.ASCII | re.DOTALL,
)
_INSTANCE = re.compile(r" GPU-(I|CI):(\d{1,4})(?= |\Z)")

# pid='<unknown>', name=<unknown>, GPU has fallen off the bus.
# pid=1122, GPU has fallen off the bus.
# pid=876767, name=ray::WorkerDict, RLW_RXPIPE Nonfatal XC0 i0 Link 13 (0x0409a0c2 0x00000008 ...)
_PROCESS = re.compile(
    r"pid=(?P<pid>'[^']{0,40}'|\"[^\"]{0,40}\"|[^,'\"\s][^,\s]{0,40})"
    r"(?:, ?name=(?P<name>'[^']{0,100}'|\"[^\"]{0,100}\"|[^,]{0,100}))?"
    r"(?:, ?(?P<rest>.*))?",
    re.ASCII | re.DOTALL,
)

_PID = re.compile(r"\d{1,10}", re.ASCII)

# [pid=4021,name=python,] NETIR_LINK_EVT  Fatal   XC0 i0 Link 01 (0x025001c6 0x00000000)
# [pid=4021, name=nvc:[driver]], NETIR_LINK_EVT Fatal XC0 i0 Link 01 (0x025001c6 0x00000000)
_BRACKETED_PROCESS = re.compile(
    r"\[pid=(?P<pid>[^,\[\]\s]{0,40})"
    r"(?:, ?name=(?P<name>[^,\[\]]{0,100}(?:\[[^,\[\]]{0,100}\])?))?"
    r",? ?\](?:,? ?(?P<rest>.*))?",
    re.ASCII | re.DOTALL,
)

# Ch 0000000a, engmask 00000101, intr 10000000 caused by previous Xid 94
_CAUSE = re.compile(r"(?:.* )?caused by previous Xid (\d{1,5})", re.ASCII | re.DOTALL)

# GPU recovery action changed from 0x0 (None) to 0x1 (GPU Reset Required)
_RECOVERY = re.compile(
    r"GPU recovery action changed from 0x([0-9a-fA-F]{1,8}) \(([^()]{0,60})\)"
    r" to 0x([0-9a-fA-F]{1,8}) \(([^()]{0,60})\)",
)

# NETIR_LINK_EVT  Fatal   XC0 i0 Link 01 (0x025001c6 0x00000000 0x00000000 0x00000000 0x00000000 0x00000000)
# MSE Degraded Fatal XC0 i0 Link -1 (0x00000000 0x00000000 0x00000000 0x00000000 0x00000000 0x00000000)
# TLW_RX/TLW_RX_PIPE0 Nonfatal XC1 i0 Link 3 (0x00000150 0x00000002)
# NETIR_INT  Fatal   XC0 i0 Link -1
# NETIR_LINK_EVT Fatal XC 1 i 2 Link 01 [0x0000000a]
_NVLINK5 = re.compile(
    r"(?P<unit>[\w/.-]{1,60}(?: [\w/.-]{1,60})??) +(?P<severity>Link Fatal|Fatal|Nonfatal|Non-fatal) +"
    r"XC ?(?P<xc>\d{1,3}) +i ?(?P<injected>\d{1,3}) +Link (?P<link>-?\d{1,4})"
    r"(?: +[(\[](?P<registers>0x[0-9a-fA-F]{1,8}(?:[ ,]{1,2}0x[0-9a-fA-F]{1,8}){0,15}) ?[)\]])?",
    re.ASCII,
)
_NVLINK5_CODES = range(144, 151)


@dataclass(frozen=True, slots=True, kw_only=True)
class NvLink5:
    """The fields of an NVLink 5 line (Xid 144-150) as the driver printed them.

    `severity` is the driver's token, with `Non-fatal` written `Nonfatal`. `link` is -1 for the whole GPU.
    `registers` are 1 to 16 words of 32 bits as printed: interrupt information, error status, then debug
    data; empty when the line carries none.
    """

    unit: str
    severity: str
    cross_contained: bool
    injected: bool
    link: int
    registers: tuple[int, ...] = ()

    @property
    def intr_info(self) -> int | None:
        """IntrInfo, from which the catalogue's subcode is read; None when the line carries none."""
        return self.registers[0] if self.registers else None

    @property
    def error_status(self) -> int | None:
        """The error status; None when the line carries none."""
        return self.registers[1] if len(self.registers) > 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryChange:
    """What the driver asked for before, and asks for now (Xid 154)."""

    before: RecoveryAction
    now: RecoveryAction


class XidLine(Struct, frozen=True, kw_only=True, gc=False):
    """One Xid. `message` is the text after the code and the process, with its `caused by` kept in.

    `pci` has the form `0000:1b:00`. What the line does not say, or says is unknown, is None or empty.
    """

    pci: str
    code: int
    message: str = ""
    gpu_instance: int | None = None
    compute_instance: int | None = None
    pid: int | None = None
    process: str = ""
    caused_by: int | None = None
    nvlink: NvLink5 | None = None
    recovery: RecoveryChange | None = None


@lru_cache(maxsize=256)
def parse_xid(text: str) -> XidLine | None:
    """The Xid in one record's text; None for anything else. Equal lines, as in a storm, are read once."""
    match = _XID.fullmatch(text)
    if match is None:
        return None
    pci = _slot(match[1])
    if pci is None:
        return None
    code, instances = int(match[3]), dict(_INSTANCE.findall(match[2]) if match[2] else ())
    pid, process, message = _process(match[4] or "")
    cause = _CAUSE.fullmatch(message) if "caused by" in message else None
    return XidLine(
        pci=pci,
        code=code,
        message=message,
        gpu_instance=_number(instances.get("I")),
        compute_instance=_number(instances.get("CI")),
        pid=pid,
        process=process,
        caused_by=None if cause is None else int(cause[1]),
        nvlink=_nvlink(message) if code in _NVLINK5_CODES else None,
        recovery=_recovery(message) if code == 154 else None,  # noqa: PLR2004 - GPU_RECOVERY_ACTION_CHANGED
    )


def decode_text(line: str) -> XidLine | GpuLostLine | None:
    """What a line of a log says, in any of the forms of `log_forms`; None when it is not the driver's.

    For people's tools; the agent itself reads records.
    """
    text = bare_text(line)
    return None if text is None else parse_xid(text) or parse_gpu_lost(text)


_slot = lru_cache(maxsize=64)(normalise_pci)


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)


def _process(tail: str) -> tuple[int | None, str, str]:
    match = _PROCESS.fullmatch(tail) or _BRACKETED_PROCESS.fullmatch(tail)
    if match is None:
        return None, "", tail
    pid, name = match["pid"].strip("'\""), (match["name"] or "").strip("'\"")
    return (
        int(pid) if _PID.fullmatch(pid) else None,
        "" if name == "<unknown>" else name,
        match["rest"] or "",
    )


def _recovery(message: str) -> RecoveryChange | None:
    match = _RECOVERY.fullmatch(message)
    if match is None:
        return None
    return RecoveryChange(
        before=by_number_and_name(int(match[1], 16), match[2]),
        now=by_number_and_name(int(match[3], 16), match[4]),
    )


def _nvlink(message: str) -> NvLink5 | None:
    match = _NVLINK5.fullmatch(message.rstrip())
    if match is None:
        return None
    registers = (match["registers"] or "").replace(",", " ").split()
    return NvLink5(
        unit=match["unit"],
        severity=match["severity"].replace("Non-fatal", "Nonfatal"),
        cross_contained=int(match["xc"]) != 0,
        injected=int(match["injected"]) != 0,
        link=int(match["link"]),
        registers=tuple(int(word, 16) for word in registers),
    )
