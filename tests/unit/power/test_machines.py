"""Which machine is a node's: the last thing that stands between a wrong line and the wrong machine."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sickbay.core.ids import NodeName
from sickbay.core.problems import RefusedError
from sickbay.power.machines import Machine, Machines, address_mistake, read_machines

NODE = NodeName("gpu-1")
TOLD = {"serial": "SN-1", "uuid": "27946B59-9E44-4FA7-8E91-F3527A1EF094", "hostname": "gpu-1.example"}


@pytest.mark.parametrize(
    "machine",
    [
        Machine(serial=" sn-1 "),
        Machine(uuid="27946b599e444fa78e91f3527a1ef094"),
        Machine(hostname="GPU-1"),
        Machine(hostname="gpu-1.example"),
        Machine(serial="SN-1", uuid=TOLD["uuid"], hostname="gpu-1"),
    ],
)
def test_a_machine_that_says_all_that_is_stated_is_the_nodes(machine: Machine):
    assert machine.denied_by(TOLD) == ()


@pytest.mark.parametrize(
    ("machine", "said"),
    [
        (Machine(serial="SN-2"), "serial should be SN-2 and is SN-1"),
        (Machine(serial="SN-1", hostname="gpu-2"), "hostname should be gpu-2 and is gpu-1.example"),
        (Machine(hostname="gpu-1.elsewhere"), "hostname should be gpu-1.elsewhere and is gpu-1.example"),
    ],
)
def test_one_fact_that_differs_is_enough_to_deny_it(machine: Machine, said: str):
    assert machine.denied_by(TOLD) == (said,)


@given(
    st.fixed_dictionaries({}, optional={name: st.none() | st.just("") for name in TOLD}),
    st.sampled_from(["serial", "uuid", "hostname"]),
)
def test_what_a_bmc_does_not_tell_never_proves_anything(told: dict[str, str | None], name: str):
    machine = Machine(**{name: TOLD[name]})
    assert machine.denied_by(told) == (f"{name} should be {TOLD[name]} and is not told",)


def test_a_node_of_which_nothing_is_stated_must_be_called_what_it_is_called():
    found = Machines(template="https://{node}-bmc").of(NODE)
    assert found == Machine(address="https://gpu-1-bmc", hostname="gpu-1")


def test_what_is_stated_stands_instead_of_the_name():
    machines = Machines(template="https://{node}-bmc", by_node={NODE: Machine(serial="SN-1")})
    assert machines.of(NODE) == Machine(address="https://gpu-1-bmc", serial="SN-1")


def test_a_site_may_believe_addresses_alone_and_then_stated_facts_still_count():
    machines = Machines(template="https://{node}-bmc", identify=False, by_node={NODE: Machine(serial="SN-1")})
    assert machines.of(NODE) == Machine(address="https://gpu-1-bmc", serial="SN-1")
    assert machines.of(NodeName("gpu-2")) == Machine(address="https://gpu-2-bmc")


@pytest.mark.parametrize("name", ["evil.example/", "a@b", "x:1#", "", "a b", "-x", "a\nb"])
def test_a_node_cannot_name_itself_into_another_address(name: str):
    assert isinstance(Machines(template="https://{node}").of(NodeName(name)), str)


def test_a_node_that_nobody_wrote_down_has_no_bmc():
    assert Machines(by_node={}).of(NODE) == "no BMC is written down for gpu-1"


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("gpu-1-bmc", "an address such as"),
        ("ftp://gpu-1-bmc", "an address such as"),
        ("https://", "an address such as"),
        ("https://admin:secret@gpu-1-bmc", "without a user and a password"),
        ("https://gpu-1-bmc/redfish", "nothing after"),
        ("https://gpu-1-bmc:many", "an address such as"),
        ("http://gpu-1-bmc", "https"),
    ],
)
def test_an_address_that_cannot_be_right_is_told_of_without_its_password(address: str, said: str):
    mistake = address_mistake(address, may_be_plain=False)
    assert said in mistake
    assert "secret" not in mistake


@pytest.mark.parametrize("address", ["https://{node}-bmc", "https://[fd00::1]:8443", "https://10.0.0.1/"])
def test_an_address_that_can_be_right_is_taken(address: str):
    assert address_mistake(address, may_be_plain=False) == ""


def test_the_map_is_read_by_node(tmp_path: Path):
    file = tmp_path / "bmc.yaml"
    file.write_text("gpu-1: {address: https://10.0.0.1, serial: SN-1}\n")
    assert read_machines(file) == {NODE: Machine(address="https://10.0.0.1", serial="SN-1")}


def test_a_mistake_in_the_map_is_told_with_its_place(tmp_path: Path):
    file = tmp_path / "bmc.yaml"
    file.write_text("gpu-1: {adress: https://10.0.0.1}\n")
    with pytest.raises(RefusedError, match=r"bmc\.yaml:1"):
        read_machines(file)
