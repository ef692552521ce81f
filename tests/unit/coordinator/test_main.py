"""The program from outside: its options, its refusals, its start and its end."""

import time
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.support.coordinator_process import CoordinatorProcess, deadline, free_port

from sickbay.coordinator.main import main


def run(*args: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, args)
    return result.exit_code, result.output


def test_it_tells_its_version():
    assert run("--version")[1].startswith("sickbay-coordinator, version ")


def test_it_shows_the_configuration_that_is_in_force(tmp_path: Path):
    config = CoordinatorProcess(tmp_path).configure()
    status, said = run("--config", str(config), "--check-config")
    assert status == 0
    assert '"mode": "act"' in said


def test_a_mistake_in_the_configuration_is_told_with_its_place_and_ends_with_2(tmp_path: Path):
    file = tmp_path / "c.yaml"
    file.write_text("moed: act\n")
    status, said = run("--config", str(file))
    assert status == 2
    assert said.startswith(f"{file}:1:1: found the unknown key 'moed'; expected one of")


def test_a_mistake_in_the_rules_is_told_with_its_place_and_ends_with_2(tmp_path: Path):
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "remedies.yaml").write_text("- id: x\n  ladder: [{do: pray}]\n")
    file = tmp_path / "c.yaml"
    file.write_text(f"builtin_rules: {rules}\n")
    status, said = run("--config", str(file), "--check-config")
    assert status == 2
    assert f"{rules}/remedies.yaml:2:" in said


def test_an_address_that_plaintext_may_not_have_ends_it_with_1(tmp_path: Path):
    file = tmp_path / "c.yaml"
    file.write_text(f'listen: ["192.0.2.1:7118"]\nstate_dir: {tmp_path}/state\nmetrics: ""\nrules: []\n')
    status, said = run("--config", str(file))
    assert status == 1
    assert "sickbay-coordinator cannot start: 192.0.2.1:7118" in said


@pytest.fixture
def coordinator(tmp_path: Path):
    process = CoordinatorProcess(tmp_path)
    yield process
    process.kill()


def until_it_listens(coordinator: CoordinatorProcess) -> None:
    end = deadline()
    while "listening on" not in coordinator.log():
        assert time.monotonic() < end, coordinator.log()
        time.sleep(0.02)


def test_it_says_where_it_listens_refuses_a_second_and_ends_when_told(coordinator: CoordinatorProcess):
    coordinator.start()
    until_it_listens(coordinator)
    assert f"listening on {coordinator.target}; mode act, standalone; 0 nodes known" in coordinator.log()
    status, said = run("--config", str(coordinator.configure()))
    assert status == 1
    assert "is held by another sickbay-coordinator" in said
    assert coordinator.stop() == 0
    assert "told to stop: stopping" in coordinator.log()


def test_it_answers_scrapes(coordinator: CoordinatorProcess):
    port = free_port()
    coordinator.extra = {"metrics": f"127.0.0.1:{port}"}
    coordinator.start()
    until_it_listens(coordinator)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    page = opener.open(f"http://127.0.0.1:{port}/metrics", timeout=5).read().decode()
    assert 'sickbay_nodes{connected="true"} 0.0' in page
