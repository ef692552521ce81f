"""The agent's configuration: what is refused, where, and that every key says what it is."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from sickbay.core.problems import RefusedError
from sickbay.host.config_files import load_config
from sickbay.node.config import AgentConfig, shown


def loaded(tmp_path: Path, text: str) -> AgentConfig:
    path = tmp_path / "agent.yaml"
    path.write_text(text)
    return load_config(path, AgentConfig)


def sections(struct: type[msgspec.Struct] = AgentConfig) -> Iterator[type[msgspec.Struct]]:
    yield struct
    for field in msgspec.structs.fields(struct):
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            yield from sections(field.type)


@pytest.mark.parametrize("section", list(sections()), ids=lambda section: section.__name__)
def test_every_key_is_explained_and_has_a_default(section: type[msgspec.Struct]) -> None:
    for field in msgspec.structs.fields(section):
        assert field.default is not msgspec.NODEFAULT, field.name
        if not (isinstance(field.type, type) and issubclass(field.type, msgspec.Struct)):
            assert re.search(rf"^    {field.name}(, \w+)*: ", section.__doc__ or "", re.MULTILINE), field.name


def test_an_empty_file_makes_an_agent_that_works_alone(tmp_path: Path) -> None:
    config = loaded(tmp_path, "")
    assert config == AgentConfig()
    assert config.coordinators == ()
    assert config.socket_path == Path("/run/sickbay/agent.sock")
    assert config.node_name
    assert "." not in config.node_name


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nodee: n1\n", "agent.yaml:1:1: found the unknown key 'nodee'"),
        ("nvml:\n  sweep: 10\n", "agent.yaml:2:10: found sweep: 10"),
        ("nvml: {sweep: 1ms}\n", "at least 0.05s"),
        ("nvml: {jitter: 0.9}\n", "jitter: a share from 0 to 0.5"),
        ("kernel_log: {form: syslog}\n", "form: device or file"),
        ("spool: {max_bytes: 1}\n", "max_bytes: at least 65536"),
        ("actuators: {reboot_command: []}\n", "reboot_command: a program"),
        ("metrics: 9417\n", "agent.yaml:1:10"),
        ("metrics: nine\n", "metrics: host:port"),
    ],
)
def test_a_mistake_is_refused_with_its_place_and_what_was_expected(
    tmp_path: Path,
    text: str,
    said: str,
) -> None:
    with pytest.raises(RefusedError) as refused:
        loaded(tmp_path, text)
    assert said in str(refused.value)


def test_the_usual_folder_of_rules_need_not_exist_but_a_named_one_is_used_as_it_stands() -> None:
    assert AgentConfig(rules=("/somewhere/else",)).rule_paths == (Path("/somewhere/else"),)
    assert all(path.exists() for path in AgentConfig().rule_paths)


def test_an_ipv6_address_for_metrics_loses_its_brackets() -> None:
    assert AgentConfig(metrics="[::1]:9417").metrics_address == ("::1", 9417)
    assert AgentConfig(metrics="").metrics_address is None


def test_what_is_in_force_can_be_shown() -> None:
    assert b'"sweep": 10.0' in shown(AgentConfig())
