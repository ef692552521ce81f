"""Defects of the kernel itself, or of a driver in it: BUG, oops, panic.

Sources, 5.4 to 6.12: arch/x86/mm/fault.c (`show_fault_oops`), arch/x86/kernel/traps.c and dumpstack.c
(`__die_header`), arch/arm64/kernel/traps.c and mm/fault.c, lib/bug.c, kernel/panic.c. What a program of user
space did wrong (`traps: python[4021] general protection fault ...`, `segfault at`) is none of these, and
neither is a WARNING.
"""

import re
from types import MappingProxyType

from sickbay.core.kernel_lines.line import Family, KernelLine

# Oops: 0002 [#1] PREEMPT SMP NOPTI
# Oops: general protection fault, probably for non-canonical address 0xdead00: 0000 [#1]   (6.9)
# general protection fault: 0000 [#1] SMP PTI
# invalid opcode: 0000 [#1] SMP
# Internal error: Oops: 0000000096000004 [#1] SMP                                          (arm64)
_OOPS = re.compile(
    r"(?:Oops(?: - [\w ]{1,40})?|general protection fault|invalid opcode|divide error|stack segment"
    r"|Internal error|int3|alignment check|control protection|PANIC)\b.{0,400}? \[#\d{1,5}\].{0,200}",
    re.ASCII,
)
# BUG: unable to handle page fault for address: ffffb1c3c0a1f000
# BUG: kernel NULL pointer dereference, address: 0000000000000008
# BUG: Bad page state in process python  pfn:10a1f0
# BUG: scheduling while atomic: swapper/3/0/0x00000002
_BUG = re.compile(r"BUG: (?!soft lockup|workqueue lockup).{1,500}", re.DOTALL)
# kernel BUG at fs/ext4/inode.c:2721!
_BUG_AT = re.compile(r"kernel BUG at [^\s:]{1,200}:\d{1,7}!", re.ASCII)
# Unable to handle kernel NULL pointer dereference at virtual address 0000000000000008         (arm64)
_ARM = re.compile(r"Unable to handle kernel .{1,100} at virtual address [0-9a-f]{8,16}", re.ASCII)
# Kernel panic - not syncing: Fatal exception in interrupt
_PANIC = re.compile(r"Kernel panic - not syncing: .{1,500}", re.DOTALL)

_PATTERNS = ((_PANIC, "panic"), (_OOPS, "oops"), (_BUG_AT, "bug"), (_ARM, "bug"), (_BUG, "bug"))


def parse(text: str) -> KernelLine | None:
    """A defect of the kernel; None for anything else."""
    for pattern, how in _PATTERNS:
        if pattern.fullmatch(text) is not None:
            fields = {"how": how, "message": text[:200]}
            return KernelLine(kind="kernel_bug", fields=MappingProxyType(fields), detail=how)
    return None


FAMILY = Family(
    parse=parse,
    starts=(
        *(b"BUG: ", b"kernel BUG at ", b"Oops", b"general protection fault", b"invalid opcode: "),
        *(b"divide error: ", b"stack segment: ", b"Internal error: ", b"Unable to handle kernel "),
        *(
            b"Kernel panic - not syncing: ",
            b"PANIC: ",
            b"int3: ",
            b"alignment check: ",
            b"control protection: ",
        ),
    ),
)
