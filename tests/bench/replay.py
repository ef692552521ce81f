"""How quickly a recorded fleet goes through the built-in rules: `sickbay rules replay`, a month of 300 nodes.

A share of a day is made up as a coordinator would have kept it, written as a trace and replayed from there;
the rate is what counts, and the month (6 million signals) follows from it. Faults are far more frequent than
on a real fleet, so that the rate flatters nobody. Seconds are those of one core, start and loading of the
rules included, so that what else runs on the machine does not count.
"""

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.figures import Figure, at_most, noted

from sickbay.core.devices import NODE, Scope, Subject
from sickbay.core.history import About, Began, HistoryEntry, Looked
from sickbay.core.ids import BootId, NodeName
from sickbay.core.instants import Instant
from sickbay.core.signals import EventId, FieldValue, Signal
from sickbay.core.xids import lookup
from sickbay.host.trace_files import write_trace

NODES = 300
A_DAY = 200_000
A_MONTH = 30 * A_DAY
SIGNALS = 60_000
SPAN = 86_400.0 * SIGNALS / A_DAY
START = 1_700_000_000.0
APPLICATION, HARDWARE = (13, 31, 43, 45), (48, 63, 74, 79, 92, 94, 119)
_RANDOM = random.Random(4)

Made = tuple[str, Subject, dict[str, FieldValue]]


def gpu(slot: int) -> Subject:
    """A GPU of a node of eight."""
    return Subject(scope=Scope.GPU, gpu_uuid=f"GPU-{slot}", pci=f"0000:{0x10 + slot:02x}:00")


def heat() -> Made:
    """A temperature that went up or down; one in fifty is too high."""
    gpu_c = _RANDOM.choice((94, *range(35, 84)))
    fields: dict[str, FieldValue] = {
        "gpu": gpu_c,
        "memory": 60,
        "slowdown_margin": 90 - gpu_c,
        "memory_margin": 35,
    }
    return "temperature", gpu(_RANDOM.randrange(8)), {**fields, "slowdown_at": 90, "above_siblings": 2}


def clocks() -> Made:
    """A job began or ended, or the board held its clocks down for a while."""
    held = _RANDOM.random() < 0.02
    fields: dict[str, FieldValue] = {
        "idle": _RANDOM.random() < 0.5,
        "sw_power_cap": True,
        "hw_power_brake": held,
    }
    shares = {"hw_power_brake_share": 0.9 * held, "thermal_share": 0.0, "hw_thermal_share": 0.0}
    fields |= {**shares, "sw_thermal_share": 0.0, "hw_thermal": False, "sw_thermal": False}
    return "clocks", gpu(_RANDOM.randrange(8)), fields


def processor() -> Made:
    """The load of the host's processors."""
    fields: dict[str, FieldValue] = {"online": 192, "offline": 0, "load_per_cpu": _RANDOM.random()}
    return "cpu", NODE, {**fields, "waiting": 2.0, "waiting_for_io": 1.0, "throttled_share": 0.0}


def memory() -> Made:
    """How much memory is left; now and then very little."""
    left = _RANDOM.choice((0.01, 0.3, 0.5, 0.8, 0.9))
    fields: dict[str, FieldValue] = {
        "available_share": left,
        "least_node_share": left,
        "available": int(left * 2e12),
    }
    return "memory", NODE, {**fields, "waiting": 0.0, "poisoned": 0}


def corrected() -> Made:
    """Corrected errors of a GPU's memory."""
    fields: dict[str, FieldValue] = {"corrected": 7, "uncorrected": 0, "corrected_rate": 0.02}
    return "ecc", gpu(_RANDOM.randrange(8)), {**fields, "uncorrected_rate": 0.0, "sram_uncorrected": 0}


def links() -> Made:
    """A GPU's links, of which one may be down."""
    down = int(_RANDOM.random() < 0.02)
    fields: dict[str, FieldValue] = {"links": 18, "active": 18 - down, "inactive": down, "missing": down}
    fields |= {"without_traffic": 0, "version": 6, "expected_version": 6, "expected_links": 18}
    return "nvlink", gpu(_RANDOM.randrange(8)), {**fields, "slowest_speed": 26_562, "expected_speed": 26_562}


def port() -> Made:
    """A port that went up or down."""
    fields: dict[str, FieldValue] = {
        "present": True,
        "active": _RANDOM.random() < 0.7,
        "disabled": False,
        "drops": 0,
    }
    subject = Subject(scope=Scope.PORT, name=f"mlx5_{_RANDOM.randrange(8)}")
    return "port", subject, {**fields, "rate": 400.0, "expected_rate": 400.0}


def rows() -> Made:
    """The row remapper."""
    fields: dict[str, FieldValue] = {"correctable": 1, "total": 1, "pending": _RANDOM.random() < 0.02}
    return "row_remap", gpu(_RANDOM.randrange(8)), {**fields, "failure": False}


def xid() -> Made:
    """An Xid, mostly of an application."""
    code = _RANDOM.choice(APPLICATION if _RANDOM.random() < 0.9 else HARDWARE)
    known = lookup(code)
    fields: dict[str, FieldValue] = {"code": code, "name": known.name, "pid": _RANDOM.randrange(1, 40_000)}
    fields |= {"class": known.klass.value, "action": known.action.value}
    return "xid", gpu(_RANDOM.randrange(8)), fields


SORTS = {heat: 25, clocks: 25, processor: 15, memory: 10, corrected: 8, links: 4, port: 2, rows: 1, xid: 10}
"""What is seen, and how many of a hundred signals are such."""


def fleet() -> Iterator[HistoryEntry]:
    """The share of a day: one boot a node, then signals of all nodes in the order of time."""
    names = [NodeName(f"gpu-{number:03}") for number in range(NODES)]
    for name in names:
        yield Began(node=name, now=Instant(mono=1000.0, wall=START), boot_id=BootId(f"boot-{name}"))
    for number in range(SIGNALS):
        since = SPAN * number / SIGNALS
        now = Instant(mono=1000.0 + since, wall=START + since)
        name = _RANDOM.choice(names)
        yield Looked(node=name, now=now, signals=(signal(name, number, now),))


def signal(node: NodeName, number: int, at: Instant) -> Signal:
    """Something that a node saw."""
    (make,) = _RANDOM.choices(list(SORTS), weights=list(SORTS.values()))
    kind, subject, fields = make()
    event = EventId(boot_id=BootId(f"boot-{node}"), source="kmsg", sequence=number) if kind == "xid" else None
    raw = f"NVRM: Xid (PCI:{subject.pci}): {fields.get('code')}, pid=1" if event else ""
    return Signal(kind=kind, subject=subject, at=at, fields=fields, identity=event, raw=raw)


def replayed(trace: Path, *more: str) -> dict[str, float]:
    """Replay in a process of its own, through the command that people use; its CPU seconds and megabytes."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "sickbay.cli.main", "rules", "replay", str(trace), "-o", "json", *more],
        capture_output=True,
        text=True,
        check=True,
    )
    said = json.loads(done.stdout)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "seconds": used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime,
        "wall": time.perf_counter() - began,
        "signals": said["signals"],
        "opened": said["candidate"]["conditions"],
        "mb": used.ru_maxrss / 1024,
    }


def measure() -> dict[str, Figure]:
    """The rate, and how long a month takes at it."""
    with tempfile.TemporaryDirectory() as scratch:
        trace = Path(scratch) / "fleet.jsonl.gz"
        write_trace(trace, About(source="bench", sparse=True), fleet())
        run, shared = replayed(trace, "--jobs", "1"), replayed(trace, "--jobs", "2")
    rate = run["signals"] / run["seconds"]
    return {
        "replay_signals_per_second": noted(rate, "1/s"),
        "replay_month_of_300_nodes": at_most(A_MONTH / rate / 60, "min", 10.0),
        "replay_signals_per_second_by_two_processes": noted(shared["signals"] / shared["wall"], "1/s"),
        "replay_conditions_opened": noted(run["opened"], ""),
        "replay_memory_peak": noted(run["mb"], "MB"),
    }
