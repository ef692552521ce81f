"""A policy in a file of its own: what it means, and how a mistake in either file is told."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from sickbay.coordinator.config import CoordinatorConfig
from sickbay.coordinator.main import main
from sickbay.coordinator.policy_file import PolicyFile, load_coordinator_config
from sickbay.core.problems import RefusedError
from sickbay.host.config_files import load_config
from sickbay.host.config_schemas import config_schema
from sickbay.host.yaml_files import parse_yaml

PAGE = Path(__file__).parents[3] / "docs" / "operations.md"

POLICY = """
mode: propose
patience: {cool_down: 10m}
budgets:
  groups: {"pool:h100": {at_once: {nodes: 1}, within: {nodes: 2}}}
storm: {together: 4}
approvals: {above: reboot}
maintenance: [{area: "rack:r1", at: sat 02:00, length: 2h}]
"""


def load(folder: Path, own: str, policy: str) -> CoordinatorConfig:
    (folder / "coordinator.yaml").write_text(own)
    (folder / "policy.yaml").write_text(policy)
    return load_coordinator_config(folder / "coordinator.yaml")


def test_a_policy_beside_the_coordinators_file_is_as_if_it_stood_there(tmp_path: Path):
    apart = load(tmp_path, "name: c1\npolicy: policy.yaml\n", POLICY)
    (tmp_path / "whole.yaml").write_text(f"name: c1\n{POLICY}")
    whole = load_coordinator_config(tmp_path / "whole.yaml")
    assert apart.policy({}) == whole.policy({})
    assert apart.gates().budgets == whole.gates().budgets
    assert apart.gates().windows == whole.gates().windows
    assert apart.mode == "propose"


def test_every_key_of_a_policy_is_one_of_the_coordinators_with_the_same_default():
    own = CoordinatorConfig()
    assert {key: getattr(PolicyFile(), key) for key in PolicyFile.__struct_fields__} == {
        key: getattr(own, key) for key in PolicyFile.__struct_fields__
    }


@pytest.mark.parametrize(
    ("own", "policy", "said"),
    [
        ("policy: policy.yaml\n", "mode: acts\n", "policy.yaml:1:1: .*mode: one of observe, propose, act"),
        (
            "policy: policy.yaml\n",
            "storm:\n  togehter: 3\n",
            r"policy.yaml:2:3: found the unknown key 'togehter'.*did you mean together",
        ),
        (
            "name: c\nmode: act\npolicy: policy.yaml\n",
            "",
            r"coordinator.yaml:2:1: found the key .mode. beside .*; expected it in policy.yaml alone",
        ),
        ("policy: nowhere.yaml\n", "", "nowhere.yaml"),
        ("policy: policy.yaml\n", "listen: []\n", "policy.yaml:1:1: found the unknown key 'listen'"),
        ("policy: policy.yaml\n", "mode: act\nmode: observe\n", "policy.yaml:2:1: "),
    ],
)
def test_a_mistake_is_told_with_its_file_line_and_column(tmp_path: Path, own: str, policy: str, said: str):
    with pytest.raises(RefusedError, match=said):
        load(tmp_path, own, policy)


def test_the_program_lints_it(tmp_path: Path):
    (tmp_path / "c.yaml").write_text("policy: p.yaml\n")
    (tmp_path / "p.yaml").write_text("budgets:\n  pool: {at_once: {nodes: -1}, within: {}}\n")
    result = CliRunner().invoke(main, ["--config", str(tmp_path / "c.yaml"), "--check-config"])
    assert result.exit_code == 2
    assert result.output.startswith(f"{tmp_path / 'p.yaml'}:2:19: ")


@pytest.mark.parametrize("text", [POLICY, "", "mode: 3\n", "storm: {together: many}\n", "listen: []\n"])
def test_the_schema_takes_what_the_coordinator_takes(tmp_path: Path, text: str):
    path = tmp_path / "policy.yaml"
    path.write_text(text)
    try:
        load_config(path, PolicyFile)
        taken = True
    except RefusedError:
        taken = False
    value = parse_yaml(text, file="p").value
    assert (
        Draft202012Validator(config_schema(PolicyFile, "x")).is_valid({} if value is None else value) is taken
    )


def test_the_example_of_the_page_is_one(tmp_path: Path):
    _, _, after = PAGE.read_text().partition("# yaml-language-server: $schema=policy.schema.json\n")
    example, _, _ = after.partition("```")
    config = load(tmp_path, "policy: policy.yaml\n", example)
    assert (config.mode, config.approvals.above) == ("act", "reboot")
