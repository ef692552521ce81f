"""A case through the rules: what holds, what does not, and what the engine has to say of it."""

import pytest
from tests.support.cases import ran

BRAKE = """
- name: a power brake
  of: gpu 0000:1b:00
  given:
    - {at: 0s, kind: clocks, fields: {hw_power_brake: true}, repeat: {every: 10s, times: 7}}
  expect:
    - {at: %s, %s}
"""
LOST = """
- name: a lost GPU
  given:
    - {at: 1m, ago: 30s, line: "NVRM: Xid (PCI:0000:1b:00): 79, GPU has fallen off the bus."}
  expect:
    - {at: %s, %s}
"""
BOOTED = LOST.replace("  expect:", "    - {at: 1h, boot: true}\n  expect:")


def test_what_is_as_expected_holds_and_names_the_rules_that_fired() -> None:
    result = ran(
        BRAKE
        % ("1m", "open: [{type: GpuPowerBrake, of: gpu 0000:1b:00, severity: warning}], not: [GpuTooHot]")
    )
    assert result.holds
    assert result.fired == {"gpu-power-brake"}
    assert "gpu-hw-thermal-slowdown" in result.asked


def test_what_is_not_open_yet_is_told_with_what_the_engine_says_of_it() -> None:
    (told,) = ran(BRAKE % ("30s", "open: [GpuPowerBrake]")).disagreements
    assert (told.expected, told.found) == ("open: GpuPowerBrake", "not open")
    assert told.why == ("gpu-power-brake on gpu/0000:1b:00: holding: 4 readings over 30s of 60s (at 30s)",)


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        ("GpuTooHot", "gpu-at-slowdown-temperature: no signal of kind temperature was given"),
        (
            "GpuThermalSlowdown",
            "gpu-hw-thermal-slowdown on gpu/0000:1b:00: unknown: cannot tell signal.hw_therm",
        ),
    ],
)
def test_what_cannot_open_is_told_with_what_is_in_its_way(wanted: str, why: str) -> None:
    (told,) = ran(BRAKE % ("1m", f"among: [{wanted}]")).disagreements
    assert told.why[0].startswith(why)


def test_a_rule_that_looked_and_was_not_met_shows_its_expression() -> None:
    text = BRAKE.replace("hw_power_brake: true", "hw_power_brake: false, hw_power_brake_share: 0")
    (told,) = ran(text % ("1m", "open: [GpuPowerBrake]")).disagreements
    assert told.why == (
        "gpu-power-brake: signal.hw_power_brake || signal.hw_power_brake_share >= 0.1 did not hold",
    )


def test_open_is_all_that_is_open_and_among_is_a_part_of_it() -> None:
    assert ran(BRAKE % ("1m", "among: []")).holds
    (told,) = ran(BRAKE % ("1m", "open: []")).disagreements
    assert told.expected == "nothing else open than nothing"
    assert told.found.startswith("GpuPowerBrake, on gpu/0000:1b:00, severity warning")


def test_a_detail_that_differs_is_told_once_beside_what_was_found() -> None:
    (told,) = ran(BRAKE % ("1m", "open: [{type: GpuPowerBrake, severity: fatal}]")).disagreements
    assert "severity warning" in told.found


@pytest.mark.parametrize("key", ["not", "cleared"])
def test_what_is_open_and_must_not_be_is_told_with_what_clears_it(key: str) -> None:
    (told,) = ran(BRAKE % ("1m", f"{key}: [GpuPowerBrake]")).disagreements
    assert told.expected == "GpuPowerBrake not open"
    assert told.why[0].startswith("it clears when clocks readings show")


def test_what_was_never_open_has_not_cleared() -> None:
    (told,) = ran(BRAKE % ("30s", "cleared: [GpuPowerBrake]")).disagreements
    assert told.found == "it was never open"


def test_lines_are_read_as_the_agent_reads_them_and_what_would_be_done_is_rehearsed() -> None:
    proposals = "proposals: [cordon, {do: reboot, rule: xid-79-gpu-off-the-bus}]"
    assert ran(LOST % ("1m", f"open: [{{type: GpuFallenOffBus, reason: Xid79}}], {proposals}")).holds
    (told,) = ran(LOST % ("1m", "proposals: [cordon]")).disagreements
    assert told.expected == "would do: cordon"
    assert told.found == "cordon (xid-79-gpu-off-the-bus), reboot (xid-79-gpu-off-the-bus)"


def test_a_new_boot_ends_what_was_before_it() -> None:
    assert ran(LOST % ("59m", "open: [GpuFallenOffBus]")).holds
    assert ran(BOOTED % ("1h", "open: [], cleared: [GpuFallenOffBus]")).holds


def test_a_reset_and_a_restart_of_the_agent_are_seen() -> None:
    text = """
- name: a GSP that failed
  given:
    - {at: 0s, line: "NVRM: Xid (PCI:0000:1b:00): 119, pid=1, name=a, Timeout"}
    - {at: 1m, restart: true}
    - {at: 2m, reset: 0000:1b:00}
  expect:
    - {at: 90s, open: [GpuGspFailed]}
    - {at: 2m, cleared: [GpuGspFailed]}
"""
    assert ran(text).holds


def test_silence_ends_what_it_ends_without_another_signal() -> None:
    text = """
- name: quiet
  given: [{at: 0s, kind: spool_gap, fields: {lost: 1}}]
  expect: [{at: 59m, open: [HistoryLost]}, {at: 1h, cleared: [HistoryLost]}]
"""
    assert ran(text).holds
