"""Defects of the kernel, told from programs that fault."""

import pytest

from sickbay.core.kernel_lines.oops import parse


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("BUG: unable to handle page fault for address: ffffb1c3c0a1f000", "bug"),
        ("BUG: kernel NULL pointer dereference, address: 0000000000000008", "bug"),
        ("BUG: Bad page state in process python  pfn:10a1f0", "bug"),
        ("kernel BUG at fs/ext4/inode.c:2721!", "bug"),
        ("Oops: 0002 [#1] PREEMPT SMP NOPTI", "oops"),
        ("Oops: Oops: 0002 [#1] PREEMPT SMP NOPTI", "oops"),
        (
            "Oops: general protection fault, probably for non-canonical address 0xdead: 0000 [#1] SMP NOPTI",
            "oops",
        ),
        ("general protection fault: 0000 [#1] SMP PTI", "oops"),
        ("invalid opcode: 0000 [#1] SMP", "oops"),
        ("Internal error: Oops: 0000000096000004 [#1] SMP", "oops"),
        ("Unable to handle kernel NULL pointer dereference at virtual address 0000000000000008", "bug"),
        ("Kernel panic - not syncing: Fatal exception in interrupt", "panic"),
    ],
)
def test_a_defect_is_told_by_how_it_ended(text: str, how: str):
    line = parse(text)
    assert line is not None
    assert (line.kind, line.fields["how"], line.fields["message"]) == ("kernel_bug", how, text)


@pytest.mark.parametrize(
    "text",
    [
        "traps: python[4021] general protection fault ip:7f12 sp:7ffd error:0 in libc.so.6[7f1200+155000]",
        "python[4021]: segfault at 8 ip 00007f12 sp 00007ffd error 4 in libcuda.so",
        "WARNING: CPU: 3 PID: 4021 at kernel/sched/core.c:1234 foo+0x12/0x34",
        "general protection fault",
        "BUG: soft lockup - CPU#3 stuck for 23s! [python:4021]",
        "DEBUG: kernel BUG at fs/ext4/inode.c:2721!",
    ],
)
def test_programs_warnings_and_near_misses_are_nothing(text: str):
    assert parse(text) is None
