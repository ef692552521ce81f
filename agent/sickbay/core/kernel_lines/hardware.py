"""Errors of processors and memory: machine checks, the memory controller's (EDAC), and the firmware's (APEI).

Sources, 5.4 to 6.12: arch/x86/kernel/cpu/mce/core.c (`print_mce`, `mce_notify_irq`), drivers/edac/edac_mc.c
(`edac_ce_error`, `edac_ue_error`), drivers/edac/mce_amd.c (`amd_decode_mce`), drivers/firmware/efi/cper.c
(`cper_estatus_print`), mm/memory-failure.c (`action_result`). Bits of a status: Intel SDM 3B, 15.3.2.2.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from sickbay.core.kernel_lines.line import Family, KernelLine
from sickbay.core.signal_fields import FieldValue

# mce: [Hardware Error]: CPU 2: Machine Check: 0 Bank 5: be00000000800400
# mce: [Hardware Error]: CPU 14: Machine Check Exception: 5 Bank 7: be2000000003110a
_BANK = re.compile(
    r"mce: \[Hardware Error\]: CPU (?P<cpu>\d{1,5}): Machine Check(?: Exception)?: "
    r"[0-9a-f]{1,16} Bank (?P<bank>\d{1,3}): (?P<status>[0-9a-f]{16})",
    re.ASCII,
)
_UNCORRECTED, _CONTEXT_CORRUPT = 1 << 61, 1 << 57

# mce: [Hardware Error]: Machine check events logged
_LOGGED = "mce: [Hardware Error]: Machine check events logged"
# mce: [Hardware Error]: Machine check: Processor context corrupt
_PANIC = re.compile(r"mce: \[Hardware Error\]: Machine check: .{1,200}")
# mce: Uncorrected hardware memory error in user-access at 2f7ac400
_USER_ACCESS = re.compile(r"mce: Uncorrected hardware memory error in user-access at [0-9a-f]{1,16}")
# Memory failure: 0x12345: recovery action for dirty LRU page: Recovered
_PAGE = re.compile(r"Memory failure: 0x[0-9a-f]{1,16}: recovery action for (?P<page>[^:]{1,80}): \w{1,20}")

# EDAC MC0: 1 CE memory read error on CPU_SrcID#0_Ha#0_Chan#1_DIMM#0 (channel:1 slot:0 page:0x1a ...)
# EDAC MC1: 1 UE Cannot decode normalized address on mc#1csrow#0channel#2 (csrow:0 channel:2 page:...)
_EDAC = re.compile(
    r"EDAC (?P<mc>MC\d{1,3}): (?P<count>\d{1,9}) (?P<what>CE|UE) (?:.{0,200}? )?on (?P<label>.{1,120}?) \(.*",
    re.ASCII | re.DOTALL,
)

# [Hardware Error]: Corrected error, no action required.
# [Hardware Error]: Uncorrected, software restartable error.
_AMD = re.compile(
    r"\[Hardware Error\]: (?P<what>Corrected error|Deferred error|Uncorrected, software \w{1,20} error"
    r"|System Fatal error)(?:, no action required)?\.",
)
_AMD_GRAVITY = {"C": "corrected", "D": "deferred", "U": "uncorrected", "S": "fatal"}
# [Hardware Error]: CPU:2 (17:31:0) MC15_STATUS[Over|CE|MiscV|AddrV|-|-|SyndV|CECC|-|-|-]: 0xdc2040000000011b
_AMD_BANK = re.compile(
    r"\[Hardware Error\]: CPU:(?P<cpu>\d{1,5}) \([0-9a-f:]{1,12}\) "
    r"MC(?P<bank>\d{1,3})_STATUS\[[^\]]{0,80}\]: 0x(?P<status>[0-9a-f]{16})",
    re.ASCII,
)

# {1}[Hardware Error]: event severity: corrected
_FIRMWARE = re.compile(
    r"\{\d{1,10}\}\[Hardware Error\]: event severity: (?P<severity>corrected|recoverable|fatal)"
)
_FIRMWARE_GRAVITY = {"corrected": "corrected", "recoverable": "uncorrected", "fatal": "fatal"}
# {1}[Hardware Error]:   section_type: memory error
_SECTION = re.compile(r"\{\d{1,10}\}\[Hardware Error\]: {1,4}section_type: (?P<section>[\w ]{1,60})")


def parse(text: str) -> KernelLine | None:
    """An error of a processor, of memory, or of what the firmware watches; None for anything else."""
    if text.startswith("EDAC "):
        return _of_controller(text)
    if text.startswith("{"):
        return _of_firmware(text)
    return _of_amd(text) if text.startswith("[") else _of_machine_check(text)


def _of_machine_check(text: str) -> KernelLine | None:
    if (match := _BANK.fullmatch(text)) is not None:
        return _bank(match)
    if text == _LOGGED:
        return _line("mce", "logged")
    if _PANIC.fullmatch(text) is not None:
        return _line("mce", "fatal")
    if _USER_ACCESS.fullmatch(text) is not None:
        return _line("mce", "uncorrected", label="memory")
    if (match := _PAGE.fullmatch(text)) is not None:
        return _line("mce", "uncorrected", label=match["page"])
    return None


def _bank(match: re.Match[str]) -> KernelLine:
    status = int(match["status"], 16)
    severity = "uncorrected" if status & _UNCORRECTED else "corrected"
    if severity == "uncorrected" and status & _CONTEXT_CORRUPT:
        severity = "fatal"
    cpu, bank = int(match["cpu"]), int(match["bank"])
    return _line("mce", severity, cpu=cpu, bank=bank, status=match["status"])


def _of_controller(text: str) -> KernelLine | None:
    match = _EDAC.fullmatch(text)
    if match is None:
        return None
    severity = "corrected" if match["what"] == "CE" else "uncorrected"
    part, times = f"{match['mc']} {match['label']}", max(int(match["count"]), 1)
    return _line("edac", severity, part=part, times=times, label=match["label"])


def _of_amd(text: str) -> KernelLine | None:
    if (match := _AMD.fullmatch(text)) is not None:
        return _line("amd", _AMD_GRAVITY[match["what"][0]])
    if (match := _AMD_BANK.fullmatch(text)) is not None:
        return _more({"cpu": int(match["cpu"]), "bank": int(match["bank"]), "status": match["status"]})
    return None


def _of_firmware(text: str) -> KernelLine | None:
    if (match := _FIRMWARE.fullmatch(text)) is not None:
        return _line("firmware", _FIRMWARE_GRAVITY[match["severity"]])
    if (match := _SECTION.fullmatch(text)) is not None:
        return _more({"label": match["section"]})
    return None


def _line(source: str, severity: str, *, part: str = "", times: int = 1, **known: FieldValue) -> KernelLine:
    fields = {**_UNKNOWN, "source": source, "severity": severity, **known}
    detail = (source, severity, known.get("cpu"), known.get("bank"), known.get("label"))
    return KernelLine(
        kind="hardware_error", part=part, fields=MappingProxyType(fields), detail=detail, times=times
    )


def _more(fields: Mapping[str, FieldValue]) -> KernelLine:
    return KernelLine(kind="hardware_error", fields=MappingProxyType(fields), continues=True)


_UNKNOWN: Mapping[str, FieldValue] = MappingProxyType(dict.fromkeys(("cpu", "bank", "status", "label")))

FAMILY = Family(
    parse=parse,
    starts=(b"mce: ", b"EDAC MC", b"[Hardware Error]: ", b"{", b"Memory failure: "),
)
