"""World in, one signal after another, world out: readings, repairs and boots."""

import msgspec
import pytest
from tests.support.rules import (
    START,
    Host,
    gpu,
    happened,
    link,
    node_reading,
    reading,
    rules_from,
    statuses,
    sweeps,
)
from tests.support.sample_rules import RULES

from sickbay.core.conditions import Mode, Severity, Status
from sickbay.core.devices import Scope
from sickbay.core.ids import BootId
from sickbay.core.rule_book import Said
from sickbay.core.rule_engine import tick
from sickbay.core.rule_state import EngineState

ECC_ALONE = """
- id: ecc
  on: xid
  when: signal.code == 94
  condition: {type: Ecc, severity: critical, scope: gpu, reason: "Xid{code}"}
  clear: {after: gpu_reset}
  because: memory
"""


@pytest.fixture
def host() -> Host:
    return Host(rules=rules_from(RULES))


@pytest.fixture
def faulted(host: Host) -> Host:
    host.see(*(host.event("xid", pid, code=31, pid=pid) for pid in (1, 2, 3)))
    assert host.types() == {"Fault"}
    return host


# -- spans ---------------------------------------------------------------------------------------------


def test_a_span_is_proven_by_readings_that_go_on(host: Host) -> None:
    for at in (0, 20, 40):
        host.see(reading("clocks", at, hw_power_brake=True))
        assert host.said() == {Said.HOLDING}
    changed = host.see(reading("clocks", 60, hw_power_brake=True)).conditions_changed
    assert [(c.type, c.status, c.since, c.t0, c.t1) for c in changed] == [
        ("Brake", Status.TRUE, START.wall, START.wall, START.wall + 60),
    ]


def test_silence_proves_no_span(host: Host) -> None:
    host.see(reading("clocks", 0, hw_power_brake=True))
    host.wait(600)
    host.see(reading("clocks", 601, hw_power_brake=True), reading("clocks", 602, hw_power_brake=True))
    assert not host.open


def test_two_readings_prove_no_span_however_far_apart(host: Host) -> None:
    host.see(*sweeps("clocks", [0, 100], hw_power_brake=True))
    assert not host.open


def test_one_good_reading_breaks_a_span(host: Host) -> None:
    host.see(*sweeps("clocks", [0, 20, 40], hw_power_brake=True))
    host.see(reading("clocks", 50, hw_power_brake=False))
    host.see(*sweeps("clocks", [60, 80, 100], hw_power_brake=True))
    assert not host.open


def test_an_unknown_reading_neither_proves_nor_breaks_a_span(host: Host) -> None:
    host.see(*sweeps("clocks", [0, 20, 40], hw_power_brake=True))
    host.see(reading("clocks", 60, hw_power_brake=None))
    assert host.said() == {Said.UNKNOWN}
    host.see(reading("clocks", 80, hw_power_brake=True))
    assert host.types() == {"Brake"}


def test_a_span_of_one_gpu_says_nothing_of_another(host: Host) -> None:
    host.see(*sweeps("clocks", [0, 40], gpu(0), hw_power_brake=True))
    host.see(*sweeps("clocks", [20, 60], gpu(1), hw_power_brake=True))
    assert not host.open


def test_readings_within_the_boot_grace_are_passed_over() -> None:
    host = Host(rules=rules_from(RULES))
    early = START.mono
    for at in (0, 30, 60, 90, 120, 150):
        host.see(reading("clocks", at - early, hw_power_brake=True))
        assert not host.open
    host.see(reading("clocks", 185 - early, hw_power_brake=True))
    assert host.types() == {"Brake"}


# -- clearing by readings --------------------------------------------------------------------------------


@pytest.fixture
def braked(host: Host) -> Host:
    host.see(*sweeps("clocks", [0, 20, 40, 60], hw_power_brake=True))
    assert host.types() == {"Brake"}
    return host


def test_a_condition_clears_when_readings_have_shown_it_for_long_enough(braked: Host) -> None:
    braked.see(*sweeps("clocks", [80, 100], hw_power_brake=False))
    assert braked.types() == {"Brake"}
    assert statuses(braked.see(reading("clocks", 120, hw_power_brake=False))) == [("Brake", Status.FALSE)]
    assert not braked.open


def test_what_cleared_takes_a_whole_span_to_come_back(braked: Host) -> None:
    braked.see(*sweeps("clocks", [80, 100, 120], hw_power_brake=False))
    braked.see(*sweeps("clocks", [140, 160], hw_power_brake=True))
    assert not braked.open


def test_a_relapse_starts_the_way_to_clear_anew(braked: Host) -> None:
    braked.see(*sweeps("clocks", [80, 100], hw_power_brake=False))
    braked.see(reading("clocks", 110, hw_power_brake=True))
    braked.see(*sweeps("clocks", [120, 140], hw_power_brake=False))
    assert braked.types() == {"Brake"}


def test_unknown_leaves_a_condition_as_it_is_and_its_time_stands_still(braked: Host) -> None:
    before = braked.open["Brake"]
    for at in range(80, 4000, 20):
        braked.see(reading("clocks", at, hw_power_brake=None))
    assert braked.open["Brake"] == before


def test_an_unknown_reading_does_not_break_the_way_to_clear(braked: Host) -> None:
    braked.see(*sweeps("clocks", [80, 100], hw_power_brake=False))
    braked.see(reading("clocks", 110, hw_power_brake=None))
    braked.see(reading("clocks", 120, hw_power_brake=False))
    assert not braked.types()


def test_between_raising_and_clearing_a_condition_stays(host: Host) -> None:
    host.see(reading("temperature", 0, gpu=91))
    host.see(*sweeps("temperature", range(10, 100, 10), gpu=85))
    host.see(*sweeps("temperature", [100, 110], gpu=79), reading("temperature", 120, gpu=80))
    host.see(*sweeps("temperature", [130, 140], gpu=79))
    assert host.types() == {"Hot"}
    host.see(reading("temperature", 150, gpu=79))
    assert not host.types()


def test_silence_does_not_clear_what_only_readings_can(braked: Host) -> None:
    braked.wait(86_400)
    assert braked.types() == {"Brake"}


def test_a_reading_that_says_the_same_refreshes_without_a_change(braked: Host) -> None:
    observation = braked.see(reading("clocks", 80, hw_power_brake=True))
    assert not observation.conditions_changed
    (condition,) = observation.conditions_refreshed
    assert condition.observed_at == START.wall + 80
    assert condition.occurrences == 1
    assert condition.evidence == ("clocks: hw_power_brake=true",)


def test_a_reading_from_before_the_fault_does_not_clear_it(host: Host) -> None:
    host.see(reading("gpu_unresponsive", 10, unresponsive=True, call="nvmlInit"))
    host.see(reading("gpu_unresponsive", 9, unresponsive=False), at=11)
    assert host.types() == {"Hung"}
    host.see(reading("gpu_unresponsive", 12, unresponsive=False))
    assert not host.types()


def test_a_condition_on_a_gpu_clears_when_every_link_that_raised_it_has(host: Host) -> None:
    host.see(*(reading("nvlink", 0, link(number), inactive=1) for number in (1, 2)))
    assert host.open["Links"].subject == gpu()
    host.see(reading("nvlink", 10, link(1), inactive=0), reading("nvlink", 10, link(3), inactive=0))
    assert host.types() == {"Links"}
    host.see(reading("nvlink", 20, link(2), inactive=0))
    assert not host.types()


def test_a_reading_of_the_whole_gpu_speaks_for_its_links(host: Host) -> None:
    host.see(*(reading("nvlink", 0, link(number), inactive=1) for number in (1, 2)))
    host.see(reading("nvlink", 10, gpu(1), inactive=0))
    assert host.types() == {"Links"}
    host.see(reading("nvlink", 20, gpu(), inactive=0))
    assert not host.types()


def test_an_event_may_clear_by_readings_of_another_kind(host: Host) -> None:
    host.see(host.event("xid", 0, code=63))
    host.see(reading("row_remap", 10, pending=None))
    assert host.types() == {"Pending"}
    host.see(reading("row_remap", 20, pending=False))
    assert not host.types()


def test_one_monitor_that_sees_does_not_clear_anothers_blindness(host: Host) -> None:
    host.see(node_reading("monitor", 0, name="nvml", healthy=False))
    host.see(node_reading("monitor", 1, name="kernel_log", healthy=True))
    assert host.open["Blind"].reason == "nvml"
    assert host.open["Blind"].subject.scope is Scope.NODE
    host.see(node_reading("monitor", 2, name="nvml", healthy=True))
    assert not host.types()


def test_a_condition_says_what_its_reading_says_in_words(host: Host) -> None:
    host.see(node_reading("monitor", 0, name="nvml", healthy=False, detail="the driver is not loaded"))
    assert host.open["Blind"].message.endswith("healthy=false, name=nvml, detail=the driver is not loaded")


# -- repairs, boots and processes --------------------------------------------------------------------------


def test_a_gpu_reset_clears_what_waits_for_one_on_that_gpu_only(host: Host) -> None:
    host.see(*(host.event("xid", 0, gpu(slot), code=94) for slot in (0, 1)))
    host.see(host.event("xid", 0, code=79))
    observation = host.reset("00000000:10:00.0", at=10)
    assert statuses(observation) == [("Ecc", Status.FALSE)]
    assert {condition.key for condition in host.state.conditions} == {
        "Bus@gpu/0000:10:00",
        "Ecc@gpu/0000:11:00",
    }


def test_a_gpu_reset_makes_its_earlier_events_history(faulted: Host) -> None:
    faulted.see(*(faulted.event("xid", pid, gpu(1), code=31, pid=pid) for pid in (1, 2)))
    faulted.reset(gpu(0).pci)
    faulted.reset(gpu(1).pci)
    assert not faulted.types()
    faulted.see(faulted.event("xid", 10, gpu(1), code=31, pid=3))
    assert not faulted.types()


def test_a_reboot_clears_everything_and_says_so(braked: Host) -> None:
    braked.see(braked.event("xid", 70, code=79))
    observation = braked.reboot("boot-2", at=100)
    assert statuses(observation) == [("Brake", Status.FALSE), ("Bus", Status.FALSE)]
    assert not braked.open
    assert not braked.state.seen


def test_signals_of_a_new_boot_end_the_old_one_by_themselves(host: Host) -> None:
    host.see(host.event("xid", 0, code=79))
    host.boot = BootId("boot-2")
    observation = host.see(host.event("xid", 50, code=94))
    assert statuses(observation) == [("Bus", Status.FALSE), ("Ecc", Status.TRUE)]


def test_a_kept_state_is_taken_up_again_on_the_same_boot(braked: Host) -> None:
    braked.see(braked.event("xid", 70, code=79))
    kept = msgspec.json.encode(braked.state)
    restored = Host(rules=rules_from(RULES), state=msgspec.json.decode(kept, type=EngineState))
    assert restored.state == braked.state
    restored.restart(at=100)
    assert restored.types() == {"Brake", "Bus"}
    restored.see(happened("xid", 70, braked.next_sequence, code=79), at=101)
    assert restored.open["Bus"].occurrences == 1


def test_after_a_restart_readings_start_to_prove_anew(host: Host) -> None:
    host.see(*sweeps("clocks", [0, 20, 40], hw_power_brake=True))
    host.restart(at=50)
    host.see(reading("clocks", 60, hw_power_brake=True))
    assert not host.open


# -- several rules -----------------------------------------------------------------------------------------


def test_the_graver_of_two_rules_speaks_for_their_condition(host: Host) -> None:
    host.see(host.event("xid", 0, code=63))
    (changed,) = host.see(reading("row_remap", 10, pending=True)).conditions_changed
    assert (changed.severity, changed.rule, changed.since) == (Severity.CRITICAL, "pending", START.wall)
    observation = host.see(host.event("xid", 20, code=63))
    assert not observation.conditions_changed
    assert host.open["Pending"].severity is Severity.CRITICAL


def test_a_reason_that_changes_is_a_change_and_keeps_its_since(host: Host) -> None:
    host.see(reading("gpu_unresponsive", 0, unresponsive=True, call="nvmlInit"))
    (changed,) = host.see(reading("gpu_unresponsive", 5, unresponsive=True, call="nvmlX")).conditions_changed
    assert (changed.reason, changed.since) == ("nvmlX", START.wall)


def test_a_field_that_is_unknown_says_so_in_the_reason(host: Host) -> None:
    host.see(reading("gpu_unresponsive", 0, unresponsive=True))
    assert host.open["Hung"].reason == "unknown"


def test_conditions_of_a_rule_that_is_gone_are_cleared(host: Host) -> None:
    host.see(host.event("xid", 0, code=79))
    observation = tick(rules_from(ECC_ALONE), host.state, now=START.later(1))
    assert statuses(observation) == [("Bus", Status.FALSE)]
    assert "no longer" in observation.conditions_changed[0].message


def test_open_conditions_follow_a_changed_rule(host: Host) -> None:
    host.see(host.event("xid", 0, code=94))
    rules = rules_from(ECC_ALONE.replace("because", "mode: propose\n  because"))
    (changed,) = tick(rules, host.state, now=START.later(1)).conditions_changed
    assert changed.mode is Mode.PROPOSE
