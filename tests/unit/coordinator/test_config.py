"""The coordinator's file: what it means, and how a mistake in it is told."""

from pathlib import Path

import msgspec
import pytest

from sickbay.coordinator.config import CoordinatorConfig, shown
from sickbay.core.conditions import Mode
from sickbay.core.ids import NodeName
from sickbay.core.problems import RefusedError
from sickbay.core.remediation import ActionKind
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
    assert set(decoded) == set(CoordinatorConfig.__struct_encode_fields__)


def test_what_holds_actions_back_is_read_into_what_the_gates_take(tmp_path: Path):
    (tmp_path / "places.yaml").write_text("nodes: {gpu-1: {rack: r1}}")
    path = tmp_path / "coordinator.yaml"
    path.write_text(
        f"""
places: {tmp_path}/places.yaml
budgets:
  pool: {{at_once: {{nodes: 4, percent: 10}}, within: {{nodes: 2}}, window: 30m}}
  groups:
    rack:r1: {{at_once: {{nodes: 1}}, within: {{nodes: 1}}}}
storm: {{base_rate: 2.5, quiet: 10m}}
approvals: {{above: reboot, life: 2h}}
maintenance:
  - {{area: rack:r1, at: "sat 02:00", length: 4h, reason: power tests}}
"""
    )
    config = load_config(path, CoordinatorConfig)
    gates, policy = config.gates(), config.policy({})
    assert gates.places.of(NodeName("gpu-1")).domains == ("rack:r1",)
    assert gates.budgets.of("pool:x").at_once.of(100) == 4
    assert gates.budgets.of("pool:x").window == 1_800.0
    assert gates.budgets.of("rack:r1").at_once.of(18) == 1
    assert gates.budgets.of("rack:r2").at_once.of(18) == 4
    assert (gates.storm.base_rate, gates.storm.quiet) == (2.5, 600.0)
    assert (policy.approve_from, policy.approval_life) == (ActionKind.REBOOT, 7_200.0)
    assert [(order.area, order.by) for order in gates.windows] == [("rack:r1", "the configuration")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("budgets: {groups: {room-1: {at_once: {nodes: 1}, within: {nodes: 1}}}}", "pool:h100 or rack:r12"),
        ("budgets: {pool: {at_once: {nodes: 1, percent: 0}, within: {nodes: 1}}}", "percent: more than 0"),
        ("storm: {together: 1}", "one fault is no storm"),
        ("approvals: {above: shouting}", "above: one of cordon"),
        ("maintenance: [{area: room:1, at: sat 02:00, length: 4h}]", "expected fleet, pool:NAME"),
        ("maintenance: [{area: fleet, at: saturday, length: 4h}]", "expected a form such as"),
        ("notify: {webhook: 'ftp://x'}", "webhook: an address"),
    ],
)
def test_what_cannot_hold_anything_back_is_refused(tmp_path: Path, text: str, said: str):
    path = tmp_path / "coordinator.yaml"
    path.write_text(text)
    with pytest.raises(RefusedError) as refused:
        load_config(path, CoordinatorConfig)
    assert said in str(refused.value)
