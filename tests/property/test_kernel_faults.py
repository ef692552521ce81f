"""Whatever a kernel may print: families never raise, say only declared fields, and never take long."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sickbay.core import kernel_lines
from sickbay.core.devices import Inventory
from sickbay.core.ids import BootId
from sickbay.core.instants import Instant
from sickbay.core.kernel_lines import aer, block, filesystem, hardware, mlx5, nvidia, nvme, oom, oops, stalls
from sickbay.core.kernel_records import KernelRecord
from sickbay.core.kinds import kernel_faults
from sickbay.core.signals import is_declared
from sickbay.monitors.kernel_log import KernelLogState, observe
from sickbay.monitors.xid import Seen

SEEN = Seen(boot_id=BootId("b"), now=Instant(mono=1e9, wall=2e9), inventory=Inventory())
MODULES = (aer, block, filesystem, hardware, mlx5, nvidia, nvme, oom, oops, stalls)


def patterns_in(value: object) -> list[re.Pattern[str]]:
    """Every pattern in a module's constant, tables of them included."""
    if isinstance(value, re.Pattern):
        return [value]
    return [found for one in value for found in patterns_in(one)] if isinstance(value, tuple) else []


PATTERNS = {
    f"{module.__name__}.{name}.{number}": pattern
    for module in MODULES
    for name, value in vars(module).items()
    for number, pattern in enumerate(patterns_in(value))
}
UNBOUNDED = re.compile(r"\((?:[^()\\]|\\.)*[^\\](?:[*+]|\{\d*,\})(?:[^()\\]|\\.)*\)(?:[*+]|\{\d*,\})")
SEEDS = (
    "nvidia 0000:18:00.0: PCIe Bus Error: severity=Corrected, type=Physical Layer, (Receiver ID)",
    "nvidia 0000:18:00.0:   device [10de:2330] error status/mask=00000041/0000a000",
    "pcieport 0000:30:03.0: DPC: containment event, status:0x0005 source:0x3400",
    "mce: [Hardware Error]: CPU 2: Machine Check: 0 Bank 5: bc00000000800400",
    "EDAC MC0: 17 CE memory read error on CPU_SrcID#0_Chan#1_DIMM#0 (channel:1 slot:0 page:0x1)",
    "{1}[Hardware Error]: event severity: recoverable",
    "nvme nvme0: I/O tag 12 (100c) opcode 0x2 (I/O Cmd) QID 3 timeout, aborting req_op:READ(0) size:4096",
    "nvme0n1: Read(0x2) @ LBA 1234, 8 blocks, Unrecovered Read Error (sct 0x2 / sc 0x81) DNR ",
    "I/O error, dev sda, sector 8 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2",
    "EXT4-fs error (device sda1): ext4_find_entry:1455: inode #2: comm ls: reading directory lblock 0",
    "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/j,task=python,pid=4021,uid=1000",
    "Memory cgroup out of memory: Killed process 4021 (python) total-vm:1kB, anon-rss:1kB",
    "watchdog: BUG: soft lockup - CPU#3 stuck for 23s! [python:4021]",
    "INFO: task python:4021 blocked for more than 120 seconds.",
    "Oops: 0002 [#1] PREEMPT SMP NOPTI",
    "mlx5_core 0000:1a:00.0: Port module event[error]: module 1, Cable error, High Temperature",
    "NVRM: GPU 0000:18:00.0: RmInitAdapter failed! (0x62:0x65:2028)",
    "NVRM: API mismatch: the client has the version 535.247.01, but\nNVRM: this kernel module has ...",
)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A real line with a piece of it lost, doubled or replaced."""
    seed = draw(st.sampled_from(SEEDS))
    start = draw(st.integers(0, len(seed)))
    end = draw(st.integers(start, len(seed)))
    return seed[:start] + draw(st.sampled_from(("", seed[start:end] * 2, "9" * 40, "\n", "é"))) + seed[end:]


@given(st.lists(mutated(), max_size=6), st.sampled_from((0, 1)))
def test_mutated_lines_become_declared_signals_or_nothing(lines: list[str], facility: int):
    entries = [
        KernelRecord(facility=facility, level=3, sequence=number, usec=number, text=text)
        for number, text in enumerate(lines)
    ]
    for signal in observe(KernelLogState(), entries, SEEN).signals:
        assert is_declared(signal)
        assert signal.synthetic == bool(facility)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seed_is_a_line_with_every_field_that_its_kind_has(seed: str):
    line = kernel_lines.classify(seed)
    assert line is not None
    declared = kernel_faults.KINDS[line.kind].keys()
    assert line.fields.keys() <= declared
    if not (line.continues or line.precedes):
        assert line.fields.keys() == declared


@pytest.mark.parametrize("seed", SEEDS)
def test_another_programs_text_around_a_line_makes_it_nothing(seed: str):
    assert kernel_lines.classify(f"python: {seed}") is None


@pytest.mark.parametrize("name", PATTERNS)
def test_no_pattern_repeats_a_repetition_without_bound(name: str):
    assert UNBOUNDED.search(PATTERNS[name].pattern) is None


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("filler", ["a", " ", "0", "(", ": ", ", ", "[", "-", "x 0x1 "])
def test_adversarial_text_is_read_in_time_that_grows_with_its_length(seed: str, filler: str):
    for cut in range(4, len(seed), 12):
        kernel_lines.classify(seed[:cut] + filler * 4000)
        kernel_lines.classify(seed[:cut] + filler * 400 + seed[cut:])


def test_every_family_has_its_file():
    folder = Path(kernel_lines.__file__).parent
    assert {path.stem for path in folder.glob("*.py")} - {"__init__", "line"} == set(kernel_lines.FAMILIES)
