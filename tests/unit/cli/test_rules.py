"""`sickbay rules`, as typed, over files alone."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from tests.support.rules import written
from tests.unit.cli.conftest import Typed

from sickbay.host.rule_files import builtin_rules_dir
from sickbay.host.yaml_files import read_yaml

SITE = """
- id: gpu-power-brake
  for: 2m
  condition: {severity: critical}
- id: gpu-hw-thermal-slowdown
  disable: true
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return written(tmp_path / "rules.d/site.yaml", SITE).parent


async def test_a_rule_is_shown_whole_with_the_file_that_gave_each_field(alone: Typed, site: Path):
    done = await alone("rules", "show", "gpu-power-brake", "--rules", str(site))
    rows = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert rows["for"].split() == ["for", "2m", f"{site}/site.yaml:3"]
    assert f"{site}/site.yaml:4" in rows["condition.severity"]
    assert str(builtin_rules_dir()) in rows["condition.type"]
    assert str(builtin_rules_dir()) in rows["because"]


async def test_all_rules_are_shown_as_they_apply(alone: Typed, site: Path):
    value = json.loads((await alone("rules", "show", "--rules", str(site), "-o", "json")).stdout)
    by_id = {rule["id"]: rule for rule in value}
    assert by_id["gpu-power-brake"]["for"] == "2m00s"
    assert "gpu-hw-thermal-slowdown" not in by_id


async def test_a_name_that_no_rule_has_is_said_with_the_nearest(alone: Typed):
    done = await alone("rules", "show", "gpu-power-break")
    assert done.exit_code == 1
    assert "did you mean gpu-power-brake?" in done.stderr


async def test_the_built_in_rules_have_no_mistakes(alone: Typed):
    done = await alone("rules", "lint", "--strict")
    assert (done.exit_code, done.stdout) == (0, "0 errors, 0 warnings\n")


async def test_a_mistake_is_told_with_file_line_and_column_and_what_was_expected(
    alone: Typed, tmp_path: Path
):
    bad = written(tmp_path / "bad.yaml", "- id: gpu-power-brake\n  when: signal.hw_power_break\n")
    done = await alone("rules", "lint", "--rules", str(bad))
    assert done.exit_code == 1
    assert f"{bad}:2:9: error: found undeclared reference to 'signal.hw_power_break'" in done.stdout
    (found,) = json.loads((await alone("rules", "lint", "--rules", str(bad), "-o", "json")).stdout)
    assert (found["line"], found["column"], found["severity"]) == (2, 9, "error")


async def test_a_warning_fails_only_the_strict(alone: Typed, tmp_path: Path):
    doubtful = written(tmp_path / "site.yaml", "- id: gpu-power-brake\n  remedy: none\n  mode: propose\n")
    assert (await alone("rules", "lint", "--rules", str(doubtful))).exit_code == 0
    done = await alone("rules", "lint", "--strict", "--rules", str(doubtful))
    assert done.exit_code == 1
    assert "0 errors, 1 warnings" in done.stdout


async def test_rules_that_cannot_be_used_are_not_shown_in_part(alone: Typed, tmp_path: Path):
    bad = written(tmp_path / "bad.yaml", "- id: mine\n")
    done = await alone("rules", "show", "--rules", str(bad))
    assert (done.exit_code, done.stdout) == (1, "")
    assert f"{bad}:1:7" in done.stderr


@pytest.mark.parametrize("what", ["rules", "remedies", "platforms"])
async def test_a_schema_is_printed_and_holds_for_every_built_in_file(alone: Typed, what: str):
    schema = json.loads((await alone("rules", "schema", what)).stdout)
    folder = builtin_rules_dir() / ("platforms" if what == "platforms" else ".")
    files = [
        file
        for file in folder.glob("*.yaml")
        if what == "platforms" or (file.name == "remedies.yaml") == (what == "remedies")
    ]
    assert files
    for file in files:
        assert [
            error.message for error in Draft202012Validator(schema).iter_errors(read_yaml(file).value)
        ] == []
