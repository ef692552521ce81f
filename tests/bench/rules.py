"""What 500 rules cost, in time of one core: to load and check them, and to apply them to one signal."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.figures import Figure, at_most, median, noted, p99

from sickbay.core.devices import Scope, Subject
from sickbay.core.ids import BootId
from sickbay.core.instants import Instant
from sickbay.core.rule_engine import observe
from sickbay.core.rule_state import EngineState
from sickbay.core.rules import RuleSet
from sickbay.core.signals import Signal
from sickbay.host.rule_files import builtin_rules_dir, load_rules

RULES = 500
TURNS = 2_000
LOADS = 7
BOOT = BootId("bench")

SPREAD = {
    "temperature": "signal.gpu >= {n} && signal.memory > 30",
    "clocks": "signal.hw_thermal && !signal.idle",
    "ecc": "signal.corrected_rate > {n}.0",
    "row_remap": "signal.pending && signal.correctable > {n}",
    "nvlink": "signal.inactive > {n}",
    "xid": "signal.code == {n} && signal.class in ['hardware', 'fabric']",
    "recovery_action": "signal.value > {n}",
    "inventory": "signal.missing > {n}",
    "gpu_lost": "signal.lost && signal.how != 'kernel{n}'",
    "monitor": "!signal.healthy && signal.name == 'm{n}'",
}
"""Kinds of signals, and an expression of the usual length for each; `{n}` keeps them apart."""


def rule(number: int, kind: str) -> str:
    """A rule as a site would write it: readings clear by a reading, lines by silence."""
    when = SPREAD[kind].format(n=100 + number)
    clear = "{quiet: 1h}" if kind == "xid" else f"{{when: {'!(' + when + ')'!r}, for: 1m}}"
    return (
        f"- id: bench-{number}\n  on: {kind}\n  when: {when!r}\n  clear: {clear}\n"
        f"  condition: {{type: Bench{number}, severity: warning, scope: gpu, reason: Bench, family: bench}}\n"
        "  mode: observe\n  because: a rule of the benchmark\n  runbook: none\n"
    )


def written(folder: Path, kinds: list[str]) -> Path:
    """A layer of 500 rules, dealt out over the kinds."""
    folder.mkdir()
    rules = [rule(number, kinds[number % len(kinds)]) for number in range(RULES)]
    (folder / "bench.yaml").write_text("".join(rules))
    (folder / "remedies.yaml").write_text((builtin_rules_dir() / "remedies.yaml").read_text())
    return folder


def load_times(folder: Path) -> list[float]:
    """Milliseconds to read, check and compile the layer."""
    times = []
    for _ in range(LOADS):
        began = time.process_time()
        load_rules(builtin=folder)
        times.append((time.process_time() - began) * 1e3)
    return times


def readings() -> Iterator[Signal]:
    """A GPU's temperature, time after time; no rule fires, as on almost every reading of a healthy fleet."""
    subject = Subject(scope=Scope.GPU, gpu_uuid="GPU-0", pci="0000:1b:00")
    fields = {"gpu": 45, "memory": 40, "slowdown_at": 90}
    for turn in range(TURNS):
        at = Instant(mono=10_000.0 + turn, wall=1.7e9 + turn)
        yield Signal(kind="temperature", subject=subject, at=at, fields=fields)


def turn_times(rules: RuleSet) -> list[float]:
    """Milliseconds for one signal through the whole set."""
    state = EngineState()
    times = []
    for signal in readings():
        began = time.process_time()
        state = observe(rules, state, (signal,), now=signal.at, boot_id=BOOT).state
        times.append((time.process_time() - began) * 1e3)
    return times


def measure() -> dict[str, Figure]:
    """Loading, and one signal: with the rules dealt out over ten kinds, and with all on the signal's kind."""
    with tempfile.TemporaryDirectory() as scratch:
        spread = written(Path(scratch) / "spread", list(SPREAD))
        alike = written(Path(scratch) / "alike", ["temperature"])
        loads = load_times(spread)
        dealt = turn_times(load_rules(builtin=spread).rules)
        crowded = turn_times(load_rules(builtin=alike).rules)
    return {
        "rules_500_load": at_most(median(loads), "ms", 300.0),
        "rules_500_one_signal_p50": at_most(median(dealt), "ms", 0.5),
        "rules_500_one_signal_p99": noted(p99(dealt), "ms"),
        "rules_500_of_one_kind_one_signal_p50": noted(median(crowded), "ms"),
    }
