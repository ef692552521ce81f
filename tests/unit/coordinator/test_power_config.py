"""The keys of power by BMC, and that nothing unsafe is taken without being asked for by name."""

from pathlib import Path

import pytest

from sickbay.coordinator.config import CoordinatorConfig
from sickbay.coordinator.power_config import power_control
from sickbay.core.problems import RefusedError
from sickbay.host.clock import SystemClock
from sickbay.host.config_files import load_config
from sickbay.power.absent import NoPower
from sickbay.power.protocol import Reset
from sickbay.power.redfish import Redfish


def load(tmp_path: Path, text: str) -> CoordinatorConfig:
    file = tmp_path / "coordinator.yaml"
    file.write_text(text)
    return load_config(file, CoordinatorConfig)


def built(tmp_path: Path, keys: str, environ: dict[str, str] | None = None) -> Redfish:
    config = load(tmp_path, f"power: {{kind: redfish, redfish: {{{keys}}}}}")
    power = power_control(config.power, SystemClock(), environ or {})
    assert isinstance(power, Redfish)
    return power


@pytest.fixture
def credentials(tmp_path: Path) -> Path:
    file = tmp_path / "bmc.yaml"
    file.write_text("default: {username: a, password: b}")
    file.chmod(0o600)
    return file


def test_without_a_word_no_bmc_is_touched(tmp_path: Path):
    config = load(tmp_path, "")
    assert isinstance(power_control(config.power, SystemClock(), {}), NoPower)
    assert config.power.plan.reboot == ()


def test_by_default_certificates_and_machines_are_proved(tmp_path: Path, credentials: Path):
    settings = built(tmp_path, f"credentials: {credentials}").settings
    assert (settings.door.verify, settings.door.sessions, settings.machines.identify) == (True, True, True)


def test_everything_can_be_set(tmp_path: Path, credentials: Path):
    machines = tmp_path / "machines.yaml"
    machines.write_text("n1: {address: http://10.0.0.1:8000, serial: SN-1}")
    config = load(
        tmp_path,
        f"""
        power:
          kind: redfish
          reboot: [graceful, forced]
          power_cycle: [graceful, forced, cycle]
          wait: 20m
          patience: 3m
          redfish:
            address: ""
            machines: {machines}
            credentials: {credentials}
            ca_file: {credentials}
            login: basic
            connect: 1s
            read: 2s
            call: 30s
            off: 40s
            at_once: 3
            insecure_plaintext_passwords: true
            insecure_trust_addresses_alone: true
        """,
    )
    plan = config.power.plan
    assert plan.reboot == (Reset.GRACEFUL, Reset.FORCED)
    assert plan.power_cycle == (Reset.GRACEFUL, Reset.FORCED, Reset.CYCLE)
    assert (plan.wait, plan.patience) == (1200.0, 180.0)
    power = power_control(config.power, SystemClock(), {})
    assert isinstance(power, Redfish)
    door, settings = power.settings.door, power.settings
    assert (door.sessions, door.verify, door.connect, door.read) == (False, str(credentials), 1.0, 2.0)
    assert (settings.call, settings.off, settings.at_once, settings.machines.identify) == (
        30.0,
        40.0,
        3,
        False,
    )


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("address: 'http://{node}-bmc'", "https: over http the password can be read"),
        ("address: 'https://u:p@{node}-bmc'", "without a user and a password"),
        ("login: digest", "login: session or basic"),
        ("at_once: 0", "at_once: at least 1"),
        ("systemd_credential: ../x", "not a path"),
        ("verify_certificates: false", "unknown key"),
    ],
)
def test_a_mistake_is_told_when_the_file_is_read(tmp_path: Path, keys: str, said: str):
    with pytest.raises(RefusedError, match=said):
        load(tmp_path, f"power: {{kind: redfish, redfish: {{{keys}}}}}")


@pytest.mark.parametrize(
    ("power", "said"),
    [
        ("kind: ipmi", "kind: none or redfish"),
        ("power_cycle: [forced, graceful]", "each way harder than the one before it"),
        ("power_cycle: [pull_the_plug]", "graceful, forced, cycle"),
        ("power_cycle: []", "at least one way"),
        ("reboot: [graceful]", "only with a kind other than none"),
    ],
)
def test_ways_that_make_no_sense_are_refused(tmp_path: Path, power: str, said: str):
    with pytest.raises(RefusedError, match=said):
        load(tmp_path, f"power: {{{power}}}")


def test_a_credential_of_systemd_is_found_in_its_folder(tmp_path: Path, credentials: Path):
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    file = built(tmp_path, "systemd_credential: bmc.yaml", environ).settings.credentials
    assert (file.path, file.by_systemd) == (credentials, True)


def test_credentials_that_cannot_be_used_stop_the_start(tmp_path: Path, credentials: Path):
    credentials.chmod(0o644)
    with pytest.raises(RefusedError, match="chmod 600"):
        built(tmp_path, f"credentials: {credentials}")
    with pytest.raises(RefusedError, match="LoadCredential=bmc"):
        built(tmp_path, "systemd_credential: bmc")


def test_a_map_with_an_address_that_cannot_be_right_stops_the_start(tmp_path: Path, credentials: Path):
    machines = tmp_path / "machines.yaml"
    machines.write_text("n1: {address: 'http://10.0.0.1'}")
    with pytest.raises(RefusedError, match=r"n1.*over http"):
        built(tmp_path, f"credentials: {credentials}, machines: {machines}")


def test_authorities_that_are_not_there_stop_the_start(tmp_path: Path, credentials: Path):
    with pytest.raises(RefusedError, match="ca_file"):
        built(tmp_path, f"credentials: {credentials}, ca_file: {tmp_path}/none")


def test_no_password_is_ever_a_key_of_the_configuration(tmp_path: Path):
    with pytest.raises(RefusedError, match="unknown key 'password'"):
        load(tmp_path, "power: {redfish: {password: x}}")
