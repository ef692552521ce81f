"""Schemas of configuration files."""

from pathlib import Path

import msgspec
import pytest
from jsonschema import Draft202012Validator

from sickbay.coordinator.config import CoordinatorConfig
from sickbay.coordinator.policy_file import PolicyFile
from sickbay.core.problems import RefusedError
from sickbay.host.config_files import load_config
from sickbay.host.config_schemas import config_schema
from sickbay.host.yaml_files import parse_yaml
from sickbay.node.config import AgentConfig

CONFIGS = (AgentConfig, CoordinatorConfig, PolicyFile)


def described(schema: object) -> bool:
    if not isinstance(schema, dict):
        return True
    keys = schema.get("properties", {})
    return all(described(key) and ("description" in key or "properties" in key) for key in keys.values())


@pytest.mark.parametrize("type_", CONFIGS)
def test_every_key_has_its_words_and_every_default_fits(type_: type[msgspec.Struct]) -> None:
    schema = config_schema(type_, "x")
    Draft202012Validator.check_schema(schema)
    assert described(schema)
    assert Draft202012Validator(schema).is_valid({})


@pytest.mark.parametrize(
    "text",
    [
        "node: a\nnvml: {sweep: 5s, jitter: 0.2}\n",
        "nvml: {sweep: 5}\n",
        "nod: a\n",
        "rules: [a, b]\n",
        "rules: a\n",
        "spool: {max_bytes: many}\n",
        "accept_injected: true\n",
    ],
)
def test_the_schema_takes_what_the_agent_takes(text: str, tmp_path: Path) -> None:
    path = tmp_path / "agent.yaml"
    path.write_text(text)
    try:
        load_config(path, AgentConfig)
        taken = True
    except RefusedError:
        taken = False
    schema = config_schema(AgentConfig, "x")
    assert Draft202012Validator(schema).is_valid(parse_yaml(text, file="a").value) is taken
