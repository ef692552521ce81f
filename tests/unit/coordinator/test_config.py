"""The coordinator's file: what it means, and how a mistake in it is told."""

from pathlib import Path

import msgspec
import pytest

from sickbay.coordinator.config import CoordinatorConfig, shown
from sickbay.core.conditions import Mode
from sickbay.core.problems import RefusedError
from sickbay.core.remedies import Remedy
from sickbay.host.config_files import load_config


def load(tmp_path: Path, text: str) -> CoordinatorConfig:
    file = tmp_path / "coordinator.yaml"
    file.write_text(text)
    return load_config(file, CoordinatorConfig)


def test_an_empty_file_observes_on_loopback_only(tmp_path: Path):
    config = load(tmp_path, "")
    assert config.mode == "observe"
    assert config.listen == ("127.0.0.1:7118",)
    assert not config.accept_synthetic
    assert config.orchestrator.kind == "standalone"


def test_everything_can_be_set(tmp_path: Path):
    config = load(
        tmp_path,
        """
        mode: act
        accept_synthetic: true
        state_dir: /srv/sickbay
        metrics: "[::1]:9000"
        orchestrator:
          kind: slurm
          slurm: {conf: /etc/slurm/slurm.conf, deadline: 3s, reboots: false}
        patience: {evidence_max_age: 2h, silent_after: 20s, poll: 250ms}
        """,
    )
    policy = config.policy({"reboot": Remedy(id="reboot")})
    assert (policy.mode, policy.accept_synthetic) == (Mode.ACT, True)
    assert (policy.max_age, policy.max_silence, policy.poll) == (7_200.0, 20.0, 0.25)
    assert config.database_path == Path("/srv/sickbay/sickbay.db")
    assert config.metrics_address == ("::1", 9000)
    slurm = config.orchestrator.slurm.settings()
    assert (slurm.conf, slurm.deadline, slurm.reboots) == ("/etc/slurm/slurm.conf", 3.0, False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("modus: act", ":1:1: found the unknown key 'modus'; expected one of .*did you mean mode"),
        ("mode: acts", "mode: one of observe, propose, act"),
        ("listen: []", "listen: at least one address"),
        ("metrics: nine", "metrics: host:port, or nothing for none"),
        ("heartbeat: 5", ":1:12: found heartbeat: 5; expected a duration"),
        ("orchestrator: {kind: pbs}", "kind: standalone or slurm"),
        ("patience:\n  poll: soon", ":2:9: found poll: 'soon'; expected|'soon' is not a duration"),
        ("database: {max_events: 3}", "max_events: at least 1000"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_would_be_right(tmp_path: Path, text: str, said: str):
    with pytest.raises(RefusedError, match=said):
        load(tmp_path, text)


def test_a_usual_folder_of_rules_that_is_not_there_is_no_mistake_and_a_named_one_is(tmp_path: Path):
    assert load(tmp_path, "").rule_paths == () or Path("/etc/sickbay/rules.d").exists()
    assert load(tmp_path, "rules: [/nowhere]").rule_paths == (Path("/nowhere"),)


def test_what_is_in_force_is_shown_whole_and_can_be_read_back(tmp_path: Path):
    config = load(tmp_path, "mode: act")
    decoded = msgspec.json.decode(shown(config))
    assert decoded["mode"] == "act"
    assert decoded["patience"]["poll"] == 1.0
    assert set(decoded) == set(CoordinatorConfig.__struct_fields__)
