"""Cases out of YAML: what they may say, and where each mistake is told."""

import pytest
from tests.support.cases import read_cases

from sickbay.core.rule_cases import Boots, Prints, Resets, Restarts, Says, subject_named

CASE = """
- name: a case
  rule: gpu-power-brake
  of: gpu 0000:1b:00
  node: {name: gpu-7, pool: h100, driver: 575.57.08, platform: h100-sxm5}
  uptime: 5m
  given:
    - {at: 0s, kind: clocks, fields: {idle: true, hw_thermal_share: 1}, repeat: {every: 9s, times: 3}}
    - {at: 30s, ago: 10s, line: "NVRM: Xid (PCI:0000:1b:00): 79, words"}
    - {at: 40s, boot: true}
    - {at: 50s, restart: true}
    - {at: 60s, reset: "00000000:1B:00.0"}
  expect:
    - {at: 60s, open: [GpuPowerBrake], not: [GpuTooHot], cleared: [GpuThermalSlowdown], proposals: []}
"""


def test_a_case_says_all_that_can_be_said() -> None:
    (case,), problems = read_cases(CASE)
    assert problems == ()
    assert (case.name, case.node, case.pool, case.platform) == ("a case", "gpu-7", "h100", "h100-sxm5")
    assert (case.uptime, case.rules) == (300.0, ("gpu-power-brake",))
    says = [step for step in case.steps if isinstance(step, Says)]
    assert [step.at for step in says] == [0.0, 9.0, 18.0]
    assert says[0].subject == subject_named("gpu 0000:1b:00")
    assert dict(says[0].fields) == {"idle": True, "hw_thermal_share": 1.0}
    assert case.steps[3:] == (
        Prints(at=30.0, ago=10.0, text="NVRM: Xid (PCI:0000:1b:00): 79, words"),
        Boots(at=40.0),
        Restarts(at=50.0),
        Resets(at=60.0, pci="0000:1b:00"),
    )


@pytest.mark.parametrize(
    ("right", "wrong", "line", "found", "expected"),
    [
        ("name: a case", "nam: a case", 2, "the unknown key 'nam'", "did you mean name?"),
        ("rule: gpu-power-brake", "rule: gpu-power-break", 3, "'gpu-power-break'", "gpu-power-brake?"),
        ("of: gpu 0000:1b:00", "of: gpu one", 4, "of: 'gpu one'", "gpu 0000:1b:00"),
        ("h100-sxm5}", "h100-sxm}", 5, "'h100-sxm'", "h100-sxm5?"),
        ("kind: clocks", "kind: clock_", 8, "kind: 'clock_'", "did you mean clock?"),
        ("idle: true", "idl: true", 8, "'idl'", "did you mean idle?"),
        ("idle: true", "idle: 1", 8, "idle: 1", "a bool"),
        ("share: 1}", "share: much}", 8, "hw_thermal_share: 'much'", "a double"),
        ("times: 3", "times: 1", 8, "times: 1", "a whole number from 2 to 10000"),
        ("at: 60s, reset", "at: 61s, reset", 12, "at: '61s'", "no later than the last expectation (1m00s)"),
        ("at: 0s, kind", "at: 0, kind", 8, "at: 0", "a duration with its unit"),
        ("boot: true", "boot: false", 10, "boot: False", "true"),
        ("boot: true", "boot: true, restart: true", 10, "restart: True", "exactly one of kind"),
        ("restart: true", "ago: 1s", 11, "no given.3.kind", "exactly one of kind"),
        ('"00000000:1B:00.0"', "gpu0", 12, "reset: 'gpu0'", "PCI address"),
        ("[GpuPowerBrake]", "[GpuPowerBreak]", 14, "'GpuPowerBreak'", "GpuPowerBrake?"),
        ("not: [GpuTooHot]", "not: GpuTooHot", 14, "not: 'GpuTooHot'", "a list"),
        ("cleared: [GpuThermalSlowdown]", "cleared: [3]", 14, "3", "a text or a mapping"),
        ("proposals: []", "proposals: [rebot]", 14, "'rebot'", "did you mean reboot?"),
        ("open: [GpuPowerBrake]", "open: [{type: GpuPowerBrake, mode: on}]", 14, "mode: 'on'", "observe"),
    ],
)
def test_every_mistake_is_told_with_its_line_and_what_was_expected(
    right: str, wrong: str, line: int, found: str, expected: str
) -> None:
    assert right in CASE
    _, problems = read_cases(CASE.replace(right, wrong, 1))
    told = [problem for problem in problems if problem.line == line]
    assert told, problems
    assert any(found in problem.found and expected in problem.expected for problem in told), told


def test_a_case_without_anything_given_or_expected_would_always_hold() -> None:
    _, problems = read_cases("- name: empty\n")
    assert {problem.found for problem in problems} == {"no given", "no expect"}


def test_an_expectation_that_asks_for_nothing_is_a_mistake() -> None:
    _, problems = read_cases("- {name: a, given: [{at: 0s, boot: true}], expect: [{at: 1s}]}\n")
    assert [problem.expected for problem in problems] == [
        "at least one of among, cleared, not, open, proposals"
    ]
