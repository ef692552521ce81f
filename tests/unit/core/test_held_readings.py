"""Readings that stand once in a history and went on to be so."""

import math

from tests.support.rules import BOOT, START, gpu, happened, link, node_reading, reading, rules_from
from tests.support.sample_rules import RULES

from sickbay.core.held_readings import HeldReadings
from sickbay.core.history import About, Began, HistoryEntry, Looked
from sickbay.core.ids import NodeName
from sickbay.core.instants import Instant
from sickbay.core.reading_log import LEAST_APART
from sickbay.core.replay import Change, NodeReplay
from sickbay.core.rule_state import EngineState
from sickbay.core.rules import RuleSet
from sickbay.core.signals import Signal

NODE = NodeName("gpu-1")
SAMPLE = rules_from(RULES)
DAY = 86_400.0

GRACE = rules_from("""
- id: early
  on: clocks
  when: signal.hw_power_brake
  boot_grace: 5m
  condition: {type: Early, severity: warning, scope: gpu}
  clear: {when: "!signal.hw_power_brake"}
  because: links train after boot
""")


def looked(*signals: Signal) -> Looked:
    return Looked(node=NODE, now=START.later(signals[0].at.mono - START.mono), signals=signals)


def told(
    *entries: HistoryEntry, rules: RuleSet = SAMPLE, until: float = DAY
) -> list[tuple[str, bool, float]]:
    """What opened and cleared, and how many seconds after START."""
    replay = NodeReplay(node=NODE, rules=rules, about=About(source="x", sparse=True))
    begun = Began(node=NODE, now=START, boot_id=BOOT)
    changes: list[Change] = [change for entry in (begun, *entries) for change in replay.take(entry)]
    changes += replay.pass_time(START.later(until))
    return [
        (each.condition.type, each.condition.is_open, round(each.now.mono - START.mono)) for each in changes
    ]


def test_a_span_is_proven_at_its_end_and_not_before() -> None:
    brake = looked(reading("clocks", 0, hw_power_brake=True))
    assert told(brake) == [("Brake", True, 60)]
    gone = looked(reading("clocks", 59, hw_power_brake=False))
    assert told(brake, gone) == []


def test_a_reading_of_a_gpu_clears_what_its_links_raised() -> None:
    down = looked(reading("nvlink", 0, link(1), inactive=1))
    up = looked(reading("nvlink", 100, inactive=0))
    assert told(down, up) == [("Links", True, 0), ("Links", False, 100)]


def test_a_reading_from_before_a_fault_clears_it_only_when_a_change_would_have_been_kept() -> None:
    """The line says that a row waits: what the remapper said before is old, what it goes on saying is not."""
    well = looked(reading("row_remap", 0, pending=False))
    line = looked(happened("xid", 600, 1, code=63))
    assert told(well, line) == [("Pending", True, 600), ("Pending", False, 600 + LEAST_APART + 10)]
    waits = looked(reading("row_remap", 630, pending=True))
    assert told(well, line, waits)[-1][:2] == ("Pending", True)


def test_readings_within_a_boots_grace_are_judged_again_at_its_end() -> None:
    boot = Instant(mono=0.0, wall=START.wall - START.mono)
    early = Signal(
        kind="clocks", subject=gpu(), at=boot.later(20), fields={"hw_power_brake": True}, sources=("nvml",)
    )
    replay = NodeReplay(node=NODE, rules=GRACE, about=About(source="x", sparse=True))
    list(replay.take(Began(node=NODE, now=boot, boot_id=BOOT)))
    assert list(replay.take(Looked(node=NODE, now=early.at, signals=(early,)))) == []
    (opened,) = replay.pass_time(boot.later(600))
    assert (opened.condition.type, opened.now.mono) == ("Early", 300.0)


def test_a_new_boot_forgets_what_went_on() -> None:
    brake = looked(reading("clocks", 0, hw_power_brake=True))
    again = Began(node=NODE, now=START.later(30), boot_id=BOOT)
    assert told(brake, again) == []


def test_each_monitor_speaks_for_itself() -> None:
    blind = looked(node_reading("monitor", 0, name="nvml", healthy=False))
    other = looked(node_reading("monitor", 10, name="kernel_log", healthy=True))
    assert told(blind, other) == [("Blind", True, 0)]


def test_where_nothing_rests_on_a_reading_it_is_not_said_again() -> None:
    held = HeldReadings.of(SAMPLE, interval=10.0)
    held.keep([reading("temperature", 0, gpu=60), reading("clocks", 0, hw_power_brake=False)], START)
    assert held.next_due(EngineState()) == math.inf
    assert held.said_again(EngineState(), START.later(DAY)) == ()
