"""One GPU is read: no reading disturbs another, and nothing is asked in vain."""

from pathlib import Path

from tests.unit.host.nvml.conftest import Make

from sickbay.host.nvml.answers import GROUP_OF
from sickbay.host.nvml.catalogue import GROUPS, NVLINK_STATES, UNREADABLE
from sickbay.host.nvml.fields import C2C_FIELDS, FIELDS, NVLINK_FIELDS
from sickbay.sim.scenario import Lost, NvlinkDown, Returns
from sickbay.sim.simulated_node import inject_fault

ALL = frozenset(GROUPS)


def test_a_healthy_gpu_has_a_value_or_no_use_for_every_reading(reader: Make):
    gpu, _ = reader()
    found = gpu.read(ALL, 0)
    assert found.values.keys() | found.codes.keys() == GROUP_OF.keys()
    assert set(found.codes.values()) == {3}
    assert found.values["pci_device_id"] == "0x233010DE"
    assert found.values[NVLINK_STATES] == [1] * 18


def test_without_a_link_count_the_links_share_its_fate(reader: Make):
    gpu, _ = reader(failures={"nvlink_count": "NO_PERMISSION"})
    codes = gpu.read(ALL, 0).codes
    assert {name for name, code in codes.items() if code == 4} == {
        "nvlink_count",
        "nvlink_remote_types",
        *NVLINK_FIELDS,
    }


def test_a_gpu_without_links_has_no_use_for_their_counters(reader: Make):
    gpu, _ = reader(values={"nvlink_count": 0})
    codes = gpu.read(ALL, 0).codes
    assert {codes[name] for name in NVLINK_FIELDS} == {3}


def test_what_is_not_supported_is_asked_once_a_driver_load(reader: Make):
    gpu, caller = reader(failures={"clocks_reasons": "NOT_SUPPORTED", "serial": "NOT_SUPPORTED"})
    for _ in range(3):
        assert gpu.read(ALL, 0).codes.items() >= {("clocks_reasons", 3), ("serial", 3)}
    assert caller.latencies["nvmlDeviceGetCurrentClocksEventReasons"][0] == 1
    assert caller.latencies["nvmlDeviceGetSerial"][0] == 1
    gpu.relearn()
    gpu.read(ALL, 0)
    assert caller.latencies["nvmlDeviceGetSerial"][0] == 2


def test_what_was_refused_for_now_is_asked_again(reader: Make):
    gpu, caller = reader(failures={"clocks_reasons": "NO_PERMISSION"})
    for _ in range(3):
        assert gpu.read(ALL, 0).codes["clocks_reasons"] == 4
    assert caller.latencies["nvmlDeviceGetCurrentClocksEventReasons"][0] == 3


def test_identity_is_asked_once_and_told_every_time(reader: Make):
    gpu, caller = reader()
    for _ in range(3):
        assert "uuid" in gpu.read(ALL, 0).values
    assert caller.latencies["nvmlDeviceGetUUID"][0] == 1


def test_one_identity_that_is_refused_for_now_is_asked_again_and_the_others_are_not(reader: Make):
    gpu, caller = reader(failures={"serial": "NO_PERMISSION"})
    for _ in range(3):
        gpu.read(ALL, 0)
    assert caller.latencies["nvmlDeviceGetSerial"][0] == 3
    assert caller.latencies["nvmlDeviceGetUUID"][0] == 1


def test_only_the_groups_that_are_wanted_are_asked_for(reader: Make):
    gpu, caller = reader()
    found = gpu.read(frozenset({"clocks"}), 0)
    assert "clocks_reasons" in found.values
    assert "temperature" not in found.values
    assert "nvmlDeviceGetTemperatureV" not in caller.latencies


def test_an_older_driver_answers_through_the_calls_that_it_has(reader: Make):
    lacks = ("nvmlDeviceGetTemperatureV", "nvmlDeviceGetCurrentClocksEventReasons")
    gpu, _ = reader(lacks=lacks)
    found = gpu.read(ALL, 0)
    assert found.values["temperature"] == 33
    assert found.values["clocks_reasons"] == 1


def test_a_driver_without_batched_fields_leaves_only_those_unknown(reader: Make):
    gpu, _ = reader(lacks=("nvmlDeviceGetFieldValues",))
    found = gpu.read(ALL, 0)
    unknown = {name for name, code in found.codes.items() if code == 13}
    assert unknown == {*FIELDS, *NVLINK_FIELDS, *C2C_FIELDS, "nvlink_remote_types"}
    assert found.values["temperature"] == 33


def test_a_lost_gpu_is_asked_one_thing_and_no_more(reader: Make, node: Path):
    gpu, caller = reader()
    gpu.read(ALL, 0)
    inject_fault(node, Lost(gpu=0))
    before = sum(count for count, _, _ in caller.latencies.values())
    found = gpu.read(ALL, 0)
    assert found.lost
    assert sum(count for count, _, _ in caller.latencies.values()) == before + 1
    assert set(found.codes.values()) == {15}
    assert found.values["uuid"], "what it was called stays known"


def test_a_lost_gpu_teaches_nothing_about_what_it_supports(reader: Make, node: Path):
    gpu, _ = reader()
    inject_fault(node, Returns(gpu=0, call="nvmlDeviceGetName", code=3))
    inject_fault(node, Returns(gpu=0, call="nvmlDeviceGetSerial", code=15))
    assert gpu.read(ALL, 0).lost
    (node / "faults.jsonl").write_text("")
    assert {"name", "serial"} <= gpu.read(ALL, 0).values.keys()


def test_a_text_that_is_none_disturbs_no_other(reader: Make):
    gpu, _ = reader(values={"serial": "\udcff\udcfe"})
    found = gpu.read(ALL, 0)
    assert found.codes["serial"] == UNREADABLE
    assert set(found.codes.values()) == {3, UNREADABLE}


def test_a_link_that_is_down_is_told_by_its_number(reader: Make, node: Path):
    gpu, _ = reader()
    inject_fault(node, NvlinkDown(gpu=0, link=4))
    assert gpu.read(ALL, 0).values[NVLINK_STATES] == [0 if link == 4 else 1 for link in range(18)]


def test_a_link_that_cannot_be_had_is_unknown_beside_the_others(reader: Make):
    gpu, _ = reader(values={"nvlink_count": 3, "nvlink_states": (1, None, 0)})
    assert gpu.read(ALL, 0).values[NVLINK_STATES] == [1, None, 0]
