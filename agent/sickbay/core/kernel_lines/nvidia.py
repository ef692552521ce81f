"""What NVIDIA's driver prints of itself without an Xid: GPUs that it cannot start, libraries that do not fit.

Sources: open-gpu-kernel-modules, kernel-open/nvidia/nv.c and nv-pci.c, src/nvidia/arch/nvalloc/unix/src
(osinit.c, osapi.c `rm_perform_version_check`), src/kernel/gpu/rc/kernel_rc_watchdog.c; and logs of users of
older drivers. One printk of several lines is one record with newlines in it.
"""

import re
from types import MappingProxyType

from sickbay.core.devices import normalise_pci
from sickbay.core.kernel_lines.line import Family, KernelLine
from sickbay.core.signal_fields import FieldValue

_PCI = r"(?P<pci>[0-9a-fA-F]{4,8}:[0-9a-fA-F]{2}:[0-9a-fA-F]{2}(?:\.[0-7])?)"

# NVRM: API mismatch: the client has the version 535.247.01, but\nNVRM: this kernel module has the version ...
# NVRM: API mismatch: the client 'nvidia-smi' (pid 4021)\nNVRM: has the version 595.84, but this kernel
#   module has the version 595.71.05.
_MISMATCH = re.compile(r"NVRM: API mismatch: .{1,900}", re.DOTALL)
_VERSION = re.compile(r"the version (\d{1,4}(?:\.\d{1,4}){1,3})", re.ASCII)
_CLIENT = re.compile(r"the client '(?P<name>[^'\n]{1,64})' \(pid (?P<pid>\d{1,10})\)", re.ASCII)

_MESSAGES = (
    # NVRM: GPU 0000:18:00.0: RmInitAdapter failed! (0x62:0x65:2028)
    # NVRM: RmInitAdapter failed! (0x26:0xffff:1239)
    (
        re.compile(r"NVRM: (?:GPU " + _PCI + r": )?RmInitAdapter failed! \([0-9a-fx:]{1,40}\)", re.ASCII),
        "init_failed",
    ),
    # nvidia: probe of 0000:18:00.0 failed with error -1                        (up to 6.8)
    # nvidia 0000:18:00.0: probe with driver nvidia failed with error -1        (6.9)
    (re.compile(r"nvidia: probe of " + _PCI + r" failed with error -\d{1,5}", re.ASCII), "probe_failed"),
    (
        re.compile(r"nvidia " + _PCI + r": probe with driver nvidia failed with error -\d{1,5}", re.ASCII),
        "probe_failed",
    ),
    # NVRM: This PCI I/O region assigned to your NVIDIA device is invalid:
    #   NVRM: BAR1 is 0M @ 0x0 (PCI:0000:18:00.0)
    (
        re.compile(
            r"NVRM: This PCI I/O region assigned to your NVIDIA device is invalid:"
            r"(?:\s{1,4}NVRM: BAR\d is \d{1,8}M @ 0x[0-9a-f]{1,16} \(PCI:" + _PCI + r"\))?.{0,200}",
            re.ASCII | re.DOTALL,
        ),
        "bar_invalid",
    ),
    # NVRM: krcWatchdog_IMPL: RC watchdog: GPU is probably locked!  Notify Timeout Seconds: 7
    (
        re.compile(
            r"NVRM: (?:GPU\d{1,3} )?krcWatchdog\w{0,20}: RC watchdog: GPU is probably locked!.{0,100}"
        ),
        "locked",
    ),
    # NVRM: Going over RM unhandled interrupt threshold for irq 153
    (
        re.compile(r"NVRM: Going over RM unhandled interrupt threshold for irq \d{1,6}", re.ASCII),
        "unhandled_interrupts",
    ),
    # NVRM: The NVIDIA probe routine failed for 1 device(s).
    (
        re.compile(r"NVRM: The NVIDIA probe routine failed for \d{1,4} device\(s\)\.", re.ASCII),
        "probe_failed",
    ),
    # NVRM: None of the NVIDIA devices were initialized.
    (re.compile(r"NVRM: None of the NVIDIA [\w ]{1,40} were initialized[.!]"), "none_initialised"),
    # NVRM: No NVIDIA GPU found.
    (re.compile(r"NVRM: No NVIDIA (?:GPU|graphics adapter) found[.!]"), "none_found"),
)


def parse(text: str) -> KernelLine | None:
    """What the driver says is wrong with itself or with a GPU's start; None for anything else."""
    if _MISMATCH.fullmatch(text) is not None:
        return _mismatch(text)
    for pattern, what in _MESSAGES:
        match = pattern.fullmatch(text)
        if match is not None:
            return _line(what, pci=normalise_pci(match.groupdict().get("pci") or "") or "")
    return None


def _mismatch(text: str) -> KernelLine:
    versions, client = _VERSION.findall(text), _CLIENT.search(text)
    return _line(
        "api_mismatch",
        library=versions[0] if versions else None,
        module=versions[1] if len(versions) > 1 else None,
        process=client["name"] if client else None,
        pid=int(client["pid"]) if client else None,
    )


def _line(what: str, *, pci: str = "", **known: FieldValue) -> KernelLine:
    nothing = dict.fromkeys(("library", "module", "process", "pid"))
    return KernelLine(
        kind="driver_trouble",
        pci=pci,
        is_gpu=bool(pci),
        fields=MappingProxyType({**nothing, "what": what, **known}),
        detail=(what, known.get("library")),
    )


FAMILY = Family(parse=parse, starts=(b"NVRM: ", b"nvidia: probe of ", b"nvidia "))
