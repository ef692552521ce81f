"""Faults that the kernel log tells of: subjects, storms, and reports over several lines."""

from pathlib import Path

import pytest

from sickbay.core import kernel_lines
from sickbay.core.devices import NODE, Gpu, Inventory, Scope, Subject
from sickbay.core.ids import BootId
from sickbay.core.instants import Instant
from sickbay.core.kernel_records import KERN, KernelRecord, LogGap, escape, sift
from sickbay.core.signals import Signal, is_declared
from sickbay.monitors.kernel_log import INTEREST, KernelLogState, observe, settle_counts
from sickbay.monitors.xid import Seen

NOW = Instant(mono=1000.0, wall=5000.0)
SEEN = Seen(
    boot_id=BootId("3f1c"),
    now=NOW,
    inventory=Inventory(gpus=(Gpu(uuid="GPU-18", pci="0000:18:00", slot=0),)),
)
HEALTHY = Path(__file__).parents[2] / "traces" / "kernel" / "healthy-boot.txt"
AER = (
    "nvidia 0000:18:00.0: PCIe Bus Error: severity=Corrected, type=Physical Layer, (Receiver ID)",
    "nvidia 0000:18:00.0:   device [10de:2330] error status/mask=00000041/0000a000",
)
SUMMARY = (
    "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,"
    "oom_memcg=/job_17,task_memcg=/job_17/step_0,task=python,pid=4021,uid=1000"
)
KILLED = "Memory cgroup out of memory: Killed process 4021 (python) total-vm:1kB, anon-rss:1kB"


def record(text: str, number: int = 0, *, facility: int = KERN, usec: int | None = None) -> KernelRecord:
    at = number * 1000 if usec is None else usec
    return KernelRecord(facility=facility, level=3, sequence=number, usec=at, text=text)


def seen(*texts: str) -> list[Signal]:
    entries = [record(text, number) for number, text in enumerate(texts)]
    signals = observe(KernelLogState(), entries, SEEN).signals
    assert all(is_declared(signal) for signal in signals)
    return list(signals)


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        (AER[0], Subject(scope=Scope.GPU, gpu_uuid="GPU-18", pci="0000:18:00")),
        (AER[0].replace(":18:", ":99:"), Subject(scope=Scope.GPU, pci="0000:99:00")),
        (
            AER[0].replace("nvidia 0000:18:", "pcieport 0000:00:"),
            Subject(scope=Scope.NODE, name="pcie:0000:00:00.0"),
        ),
        (
            AER[0].replace("nvidia", "pci"),
            Subject(scope=Scope.GPU, gpu_uuid="GPU-18", pci="0000:18:00"),
        ),
        ("nvme nvme0: I/O 12 QID 3 timeout, aborting", Subject(scope=Scope.NODE, name="nvme:nvme0")),
        ("I/O error, dev sda, sector 8", Subject(scope=Scope.NODE, name="block:sda")),
        ("XFS (dm-0): log I/O error -5", Subject(scope=Scope.NODE, name="volume:dm-0")),
        ("mlx5_core 0000:1a:00.0 ens1: Link down", Subject(scope=Scope.NODE, name="adapter:ens1")),
        (KILLED, NODE),
        ("NVRM: No NVIDIA GPU found.", NODE),
    ],
)
def test_a_line_speaks_of_a_gpu_a_named_part_or_the_node(text: str, subject: Subject):
    (signal,) = seen(text)
    assert signal.subject == subject
    assert signal.raw == text


def test_a_report_over_two_lines_is_one_event_that_grows():
    first, whole = seen(*AER)
    assert first.identity == whole.identity
    assert (first.fields["errors"], whole.fields["errors"]) == (None, "RxErr BadTLP")
    assert (whole.count, whole.fields["id"]) == (1, "10de:2330")


def test_a_report_may_come_in_two_batches():
    state = observe(KernelLogState(), [record(AER[0], 0)], SEEN).state
    (whole,) = observe(state, [record(AER[1], 1)], SEEN).signals
    assert whole.fields["errors"] == "RxErr BadTLP"


@pytest.mark.parametrize(
    "second",
    [
        AER[1].replace(":18:", ":19:"),
        "mce: CPU0: Thermal monitoring enabled (TM1)",
    ],
)
def test_a_line_of_another_device_continues_nothing(second: str):
    assert len(seen(AER[0], second)) == 1


def test_a_further_line_long_after_continues_nothing():
    entries = [record(AER[0], 0, usec=0), record(AER[1], 1, usec=2_000_000)]
    assert len(observe(KernelLogState(), entries, SEEN).signals) == 1


def test_a_gap_ends_a_report():
    entries = [record(AER[0], 0), LogGap(first=1, lost=3, before_start=False), record(AER[1], 4)]
    assert [signal.kind for signal in observe(KernelLogState(), entries, SEEN).signals] == [
        "pcie_error",
        "log_gap",
    ]


def test_an_injected_line_continues_no_real_report():
    entries = [record(AER[0], 0), record(AER[1], 1, facility=1)]
    assert len(observe(KernelLogState(), entries, SEEN).signals) == 1


def test_a_job_over_its_limit_is_told_with_its_control_group():
    (signal,) = seen(SUMMARY, KILLED)
    assert signal.fields == {"by_group": True, "group": "/job_17", "pid": 4021, "process": "python"}


def test_the_summary_of_one_kill_says_nothing_of_another():
    (signal,) = seen(SUMMARY, KILLED.replace("4021", "4022"))
    assert signal.fields["group"] is None


def test_a_storm_of_reports_is_one_event_with_a_count_and_no_memory():
    state, told, number = KernelLogState(), list[Signal](), 0
    for batch in range(100):
        entries = []
        for _ in range(100):
            entries += [record(AER[0], number), record(AER[1], number + 1)]
            number += 2
        observed = observe(state, entries, SEEN)
        state = observed.state
        told += observed.signals
        assert len(state.faults.storms.groups) == 1, batch
    told += settle_counts(state, NOW.later(60.0)).signals
    assert len({signal.identity for signal in told}) == 1
    assert told[-1].count == 10_000
    assert len(told) < 100


def test_a_memory_controllers_own_count_is_kept():
    (signal,) = seen("EDAC MC0: 17 CE memory read error on DIMM_A1 (channel:1 slot:0 page:0x1)")
    assert (signal.count, signal.subject.name) == (17, "dimm:MC0 DIMM_A1")


def test_many_disks_failing_at_once_stay_within_bounds():
    entries = [record(f"I/O error, dev sd{number}, sector 8", number) for number in range(2000)]
    observed = observe(KernelLogState(), entries, SEEN)
    assert len(observed.signals) == 2000
    assert len(observed.state.faults.storms.groups) <= 256


def test_an_injected_fault_stays_synthetic():
    (signal,) = observe(KernelLogState(), [record(AER[0], facility=1)], SEEN).signals
    assert signal.synthetic


def test_a_healthy_host_boots_without_a_fault():
    raws = [
        b"6,%d,%d,-;" % (number, number * 1000) + escape(text)
        for number, text in enumerate(HEALTHY.read_text(encoding="utf-8").splitlines())
    ]
    sifted = sift(raws, next_sequence=0, interest=INTEREST)
    signals = observe(KernelLogState(), sifted.entries, SEEN).signals
    quiet = {"link_up", "link_down", "cable_plugged"}
    assert [signal.raw for signal in signals if signal.fields.get("what") not in quiet] == []


@pytest.mark.parametrize("name", kernel_lines.FAMILIES)
def test_each_family_is_found_by_its_bytes(name: str):
    family = kernel_lines.FAMILIES[name]
    for start in family.starts:
        raw = b"3,1,1,-;" + start + b"rest"
        assert INTEREST.covers(raw, raw.index(b";") + 1)


def test_a_line_of_no_family_costs_no_reading():
    raw = b"6,1,1,-;usb 1-1: new high-speed USB device number 2"
    assert not INTEREST.covers(raw, raw.index(b";") + 1)
