"""`sickbay rules test`, as typed."""

import json
from pathlib import Path

import pytest
from tests.support.rules import written
from tests.unit.cli.conftest import Typed

RULE = """
- id: gpu-power-brake
  for: 20s
"""
CASE = """
- name: our supplies switch over at once
  rule: gpu-power-brake
  of: gpu 0000:1b:00
  given:
    - {at: 0s, kind: clocks, fields: {hw_power_brake: true}, repeat: {every: 10s, times: 3}}
  expect:
    - {at: 20s, open: [GpuPowerBrake]}
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    written(tmp_path / "rules.d/cases/power.yaml", CASE)
    return written(tmp_path / "rules.d/site.yaml", RULE).parent


async def test_a_sites_cases_are_run_with_the_sites_rules(alone: Typed, site: Path):
    done = await alone("rules", "test", "--rules", str(site))
    assert (done.exit_code, done.stdout) == (0, "1 of 1 cases in 1 file hold\n")


async def test_without_a_site_the_built_in_cases_are_run(alone: Typed):
    done = await alone("rules", "test")
    assert done.exit_code == 0, done.output
    assert "files hold" in done.stdout


async def test_a_case_that_does_not_hold_is_told_with_its_place_and_what_the_engine_says(
    alone: Typed, site: Path
):
    cases = site / "cases/power.yaml"
    done = await alone("rules", "test", str(cases))
    assert done.exit_code == 1
    assert done.stdout == (
        f"{cases}:2:3: FAILED: our supplies switch over at once\n"
        f"  {cases}:8:7: at 20s\n"
        "    expected  open: GpuPowerBrake\n"
        "    found     not open\n"
        "    because   gpu-power-brake on gpu/0000:1b:00: holding: 3 readings over 20s of 60s (at 20s)\n"
        "0 of 1 cases in 1 file hold\n"
    )


async def test_programs_get_the_same_as_json(alone: Typed, site: Path):
    done = await alone("rules", "test", str(site / "cases"), "-o", "json")
    assert done.exit_code == 1
    value = json.loads(done.stdout)
    assert (value["cases"], value["failed"]) == (1, 1)
    (result,) = value["results"]
    assert (result["line"], result["holds"], result["rules"]) == (2, False, ["gpu-power-brake"])
    (told,) = result["disagreements"]
    assert (told["line"], told["column"], told["at"], told["found"]) == (8, 7, 20.0, "not open")


async def test_a_mistake_in_a_case_is_told_and_nothing_is_run(alone: Typed, tmp_path: Path):
    bad = written(tmp_path / "bad.yaml", CASE.replace("hw_power_brake:", "hw_power_break:"))
    done = await alone("rules", "test", str(bad))
    assert (done.exit_code, done.stdout) == (1, "")
    assert f"{bad}:6:39: found the unknown key 'hw_power_break'" in done.stderr


async def test_no_cases_are_no_success(alone: Typed, tmp_path: Path):
    done = await alone("rules", "test", str(tmp_path))
    assert done.exit_code == 1
    assert "no cases there" in done.stderr


SELECTED = """
- id: our-h100-is-warm
  on: temperature
  when: signal.gpu >= 60 && profile.nvlinks == 18
  select: {platform: h100-sxm5, driver: ">=575", pool: h100, node: "gpu-*"}
  condition: {type: OurH100IsWarm, severity: info, scope: gpu}
  clear: {when: signal.gpu < 60}
  because: our own rule
"""
WARM = """
- name: warm
  rule: our-h100-is-warm
  node: {name: gpu-1, pool: h100, driver: 575.57.08, platform: h100-sxm5}
  given: [{at: 0s, kind: temperature, of: gpu 0000:1b:00, fields: {gpu: 61}}]
  expect: [{at: 0s, open: [OurH100IsWarm]}]
"""


@pytest.mark.parametrize(
    ("said", "instead"),
    [("name: gpu-1", "name: cpu-1"), ("pool: h100", "pool: a100"), ("575.57", "570.10"), ("sxm5", "pcie")],
)
async def test_a_rule_is_tested_on_the_nodes_that_it_selects(
    alone: Typed, tmp_path: Path, said: str, instead: str
):
    site = written(tmp_path / "rules.d/site.yaml", SELECTED).parent
    cases = written(site / "cases/warm.yaml", WARM)
    assert (await alone("rules", "test", "--rules", str(site))).exit_code == 0
    written(cases, WARM.replace(said, instead))
    done = await alone("rules", "test", "--rules", str(site))
    assert done.exit_code == 1
    assert (
        "our-h100-is-warm: signal.gpu >= 60 && profile.nvlinks == 18 did not hold, or does not" in done.stdout
    )
