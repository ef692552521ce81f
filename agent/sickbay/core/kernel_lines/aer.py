"""PCI Express errors as the kernel reports them: AER, the port's containment (DPC), and the recovery.

Sources: drivers/pci/pcie/aer.c (`aer_print_error`, `aer_print_port_info`), dpc.c (`dpc_process_error`) and
err.c (`pcie_do_recovery`), 5.4 to 6.12. Up to 5.9 every line carries `AER: `, later only some; from 6.9 on
`Corrected` is written `Correctable`. The line `... error received: 0000:00:01.0` of the root port only
announces the report that follows, and is passed over.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from sickbay.core.devices import normalise_pci
from sickbay.core.kernel_lines.line import Family, KernelLine
from sickbay.core.signal_fields import FieldValue

GPU_DRIVER = "nvidia"

_DEVICE = (
    r"(?P<driver>[\w-]{1,40}) (?P<device>[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]): (?:(?:AER|DPC): )?"
)

# nvidia 0000:18:00.0: PCIe Bus Error: severity=Corrected, type=Physical Layer, (Receiver ID)
# pcieport 0000:00:1c.5: AER: PCIe Bus Error: severity=Uncorrected (Non-Fatal), type=Transaction Layer,
#   (Requester ID)
# pcieport 0000:a9:10.0: PCIe Bus Error: severity=Uncorrectable (Fatal), type=Inaccessible,
#   (Unregistered Agent ID)
_ERROR = re.compile(
    _DEVICE + r"PCIe Bus Error: severity=(?P<severity>Correct(?:ed|able)|"
    r"Uncorrect(?:ed|able) \((?:Non-Fatal|Fatal)\)), "
    r"type=(?P<layer>[A-Za-z ]{1,40}), (?:id=[0-9a-f]{4})?\((?P<agent>[A-Za-z ]{1,40})\)",
    re.ASCII,
)

# nvidia 0000:18:00.0:   device [10de:2330] error status/mask=00000001/0000a000
_STATUS = re.compile(
    _DEVICE + r" {0,4}device \[(?P<id>[0-9a-f]{4}:[0-9a-f]{4})\] "
    r"error status/mask=(?P<status>[0-9a-f]{8})/(?P<mask>[0-9a-f]{8})",
    re.ASCII,
)

# pcieport 0000:00:01.0: AER: can't find device of ID0018
_NOBODY = re.compile(_DEVICE + r"can't find device of ID(?P<id>[0-9a-f]{4})", re.ASCII)

# pcieport 0000:30:03.0: AER: device recovery failed
_RECOVERY = re.compile(_DEVICE + r"[Dd]evice recovery (?P<outcome>successful|failed)", re.ASCII)

# pcieport 0000:a9:10.0: DPC: containment event, status:0x2009 source:0x0000
# pcieport 0015:00:00.0: DPC: containment event, status:0x200d, ERR_FATAL received from 0015:01:00.0
# pcieport 0000:00:01.0: DPC: containment event, status:0x0009: unmasked uncorrectable error detected
_CONTAINED = re.compile(_DEVICE + r"containment event, status:0x(?P<status>[0-9a-f]{4})\b.*", re.ASCII)

_CAUSES = ("uncorrectable", "nonfatal", "fatal", "other")
"""Bits 2:1 of the DPC status: PCI_EXP_DPC_STATUS_TRIGGER_RSN, include/uapi/linux/pci_regs.h."""

_CORRECTABLE = "RxErr BadTLP BadDLLP Rollover Timeout NonFatalErr CorrIntErr HeaderOF"
_UNCORRECTABLE = (
    "DLP SDES TLP FCP CmpltTO CmpltAbrt UnxCmplt RxOF MalfTLP ECRC UnsupReq ACSViol UncorrIntErr BlockedTLP "
    "AtomicOpBlocked TLPBlockedErr PoisonTLPBlocked"
)
_CORRECTABLE_BITS = dict(zip((0, 6, 7, 8, 12, 13, 14, 15), _CORRECTABLE.split(), strict=True))
_UNCORRECTABLE_BITS = dict(zip((4, 5, *range(12, 27)), _UNCORRECTABLE.split(), strict=True))
"""The kernel's names of the bits: aer_correctable_error_string, aer_uncorrectable_error_string."""


def parse(text: str) -> KernelLine | None:
    """An error of a PCI Express device, or what became of it; None for anything else."""
    if (match := _ERROR.fullmatch(text)) is not None:
        return _error(match)
    if (match := _STATUS.fullmatch(text)) is not None:
        return _status(match)
    if (match := _CONTAINED.fullmatch(text)) is not None:
        status = int(match["status"], 16)
        fields = {"port": match["device"], "cause": _CAUSES[status >> 1 & 3], "status": match["status"]}
        return _line("pcie_containment", match, fields)
    if (match := _RECOVERY.fullmatch(text)) is not None:
        recovered = match["outcome"] == "successful"
        return _line("pcie_recovery", match, {"port": match["device"], "recovered": recovered}, recovered)
    if (match := _NOBODY.fullmatch(text)) is not None:
        return _line("pcie_error", match, {**_UNKNOWN, "device": match["device"], "driver": match["driver"]})
    return None


def name_bits(fields: Mapping[str, FieldValue]) -> Mapping[str, FieldValue]:
    """The fields with the names of the error bits, once both the severity and the status are known."""
    status, mask, severity = fields.get("status"), fields.get("mask"), fields.get("severity")
    if not isinstance(status, str) or not isinstance(mask, str) or severity is None:
        return fields
    names = _CORRECTABLE_BITS if severity == "corrected" else _UNCORRECTABLE_BITS
    bits = int(status, 16) & ~int(mask, 16)
    told = [names.get(bit, f"bit{bit}") for bit in range(32) if bits >> bit & 1]
    return {**fields, "errors": " ".join(told)}


_UNKNOWN: Mapping[str, FieldValue] = MappingProxyType(
    dict.fromkeys(("severity", "layer", "agent", "id", "status", "mask", "errors")),
)


def _error(match: re.Match[str]) -> KernelLine:
    severity = _severity(match["severity"])
    fields = {
        **_UNKNOWN,
        "severity": severity,
        "layer": match["layer"],
        "agent": match["agent"],
        "device": match["device"],
        "driver": match["driver"],
    }
    return _line("pcie_error", match, fields, (severity, match["layer"], match["agent"]))


def _severity(word: str) -> str:
    if word.startswith("C"):
        return "corrected"
    return "nonfatal" if "Non-Fatal" in word else "fatal"


def _status(match: re.Match[str]) -> KernelLine:
    return KernelLine(
        kind="pcie_error",
        part=match["device"],
        pci=normalise_pci(match["device"]) or "",
        fields=MappingProxyType({"id": match["id"], "status": match["status"], "mask": match["mask"]}),
        continues=True,
    )


def _line(
    kind: str,
    match: re.Match[str],
    fields: Mapping[str, FieldValue],
    detail: object = (),
) -> KernelLine:
    return KernelLine(
        kind=kind,
        part=match["device"],
        pci=normalise_pci(match["device"]) or "",
        is_gpu=match["driver"] == GPU_DRIVER,
        fields=MappingProxyType(dict(fields)),
        detail=detail,
    )


FAMILY = Family(
    parse=parse,
    starts=(b"pcieport ",),
    holds=(b" PCIe Bus Error: ", b" error status/mask="),
)
