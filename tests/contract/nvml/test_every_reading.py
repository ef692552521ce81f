"""Every reading there is, from a profile through pynvml, the worker and the client to a sweep."""

import mmap
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pynvml
import pytest
from hypothesis import given, settings
from tests.contract.nvml.everything import TEXTS, distinct, family, profile, values
from tests.fakes.driver import loaded
from tests.fakes.nvml_host import simulated, watch

from sickbay.host.nvml.answers import ANSWERS, GROUP_OF, REMOTE_TYPES
from sickbay.host.nvml.calls import Caller
from sickbay.host.nvml.catalogue import GROUPS
from sickbay.host.nvml.fields import C2C_FIELDS, FIELDS, NVLINK_FIELDS
from sickbay.host.nvml.gathering import Gathering
from sickbay.host.nvml.gpu_reader import GpuReader
from sickbay.host.nvml.profile import Profile, ProfileValue
from sickbay.host.nvml.readings import Knowledge
from sickbay.host.nvml.slot import SIZE, SWEEP, Slot
from sickbay.sim.simulated_node import create_node

TOLD = distinct()
NOT_FOUND, MISMATCH = 13, 25
COUNTS = {"nvlink_count", "c2c_links"}
"""Without the number of links nothing can be asked of them."""

OLDER: Mapping[str, set[str]] = {
    "nvmlDeviceGetFieldValues": {*FIELDS, *NVLINK_FIELDS, REMOTE_TYPES, *C2C_FIELDS},
    "nvmlDeviceGetPciInfo_v3": {"pci_device_id", "pci_subsystem_id"},
    "nvmlDeviceGetName": {"name", "mig_devices", "mig_profiles"},
    "nvmlDeviceGetMemoryInfo": {"memory_bytes"},
    "nvmlDeviceGetMemoryInfo_v2": {"memory_reserved"},
    "nvmlDeviceGetTemperatureV": set(),
    "nvmlDeviceGetTemperature": set(),
    "nvmlDeviceGetCurrentClocksEventReasons": set(),
    "nvmlDeviceGetCurrentClocksThrottleReasons": set(),
    "nvmlDeviceGetNvLinkState": set(),
    "nvmlDeviceGetNvLinkRemoteDeviceType": {REMOTE_TYPES},
    "nvmlDeviceGetGpuFabricInfoV": {"fabric_health_mask", "fabric_health_summary"},
    "nvmlDeviceGetGpuFabricInfo": set(),
    "nvmlDeviceGetComputeRunningProcesses_v3": set(),
    "nvmlDeviceGetComputeRunningProcesses_v2": set(),
    "nvmlDeviceGetMPSComputeRunningProcesses_v3": set(),
    "nvmlDeviceGetMPSComputeRunningProcesses_v2": set(),
    "nvmlDeviceGetMigMode": {"mig_mode", "mig_mode_pending", "mig_devices", "mig_profiles"},
    "nvmlDeviceGetMaxMigDeviceCount": {"mig_max_devices", "mig_devices", "mig_profiles"},
    "nvmlSystemGetConfComputeState": {"cc_ready"},
    **{
        symbol: {name for names, (_, ways) in ANSWERS.items() if symbol in dict(ways) for name in names}
        for _, ((symbol, _), *others) in ANSWERS.values()
        if symbol
        not in {
            "nvmlDeviceGetPciInfo",
            "nvmlDeviceGetName",
            "nvmlDeviceGetMemoryInfo",
            "nvmlDeviceGetMigMode",
            "nvmlDeviceGetMaxMigDeviceCount",
        }
        and all(call == symbol for call, _ in others)
    },
}
"""symbol -> what nobody can tell without it."""


def read(host: Profile, *, sweeps: int = 1) -> Gathering:
    """What a reader makes of the first GPU of this host, the last time it reads it."""
    with tempfile.TemporaryDirectory() as folder:
        node = create_node(Path(folder) / "node", profile=host)
        with loaded(node.path):
            caller = Caller(Slot(mmap.mmap(-1, SIZE), SWEEP))
            reader = GpuReader(caller, caller.ask("nvmlDeviceGetHandleByIndex", 0), "0000:1b:00")
            for _ in range(sweeps):
                found = reader.read(frozenset(GROUPS), 0)
    return found


def plain(found: Gathering) -> dict[str, ProfileValue]:
    return {name: tuple(v) if isinstance(v, list) else v for name, v in found.values.items()}


async def test_it_arrives_with_the_value_that_it_had(tmp_path: Path):
    node = create_node(tmp_path / "node", profile=profile(TOLD, gpus=2))
    host = watch(simulated(node.path))
    first = await host.sweep()
    again = await host.sweep(everything=True)
    await host.client.close()
    for sweep in (first, again):
        for gpu in sweep.gpus:
            assert dict(gpu.values) == TOLD
            assert not gpu.codes
            assert {one.knowledge for one in gpu.capabilities().values()} == {Knowledge.VALUE}


@settings(max_examples=25, deadline=None)
@given(values())
def test_whatever_its_value_is(told: dict[str, ProfileValue]):
    found = read(profile(told), sweeps=2)
    assert plain(found) == told


@pytest.mark.parametrize("name", sorted(GROUP_OF.keys() - {"pci_device_id", "pci_subsystem_id"}))
def test_one_that_is_not_supported_takes_only_its_own_call_along(name: str):
    for sweeps in (1, 2):
        found = read(profile(TOLD, failures={name: "NOT_SUPPORTED"}), sweeps=sweeps)
        assert name in found.codes
        assert found.codes.keys() <= family(name)
        assert set(found.codes.values()) == {3}
        assert plain(found) == {other: v for other, v in TOLD.items() if other not in found.codes}


@pytest.mark.parametrize("name", sorted({*FIELDS, *NVLINK_FIELDS, *C2C_FIELDS} - COUNTS))
def test_a_field_that_is_refused_is_refused_alone(name: str):
    assert read(profile(TOLD, failures={name: "NO_PERMISSION"})).codes == {name: 4}


@pytest.mark.parametrize("symbol", sorted(OLDER))
def test_without_a_symbol_only_what_it_alone_tells_is_unknown(symbol: str):
    for sweeps in (1, 2):
        found = read(profile(TOLD, lacks=(symbol,)), sweeps=sweeps)
        assert found.codes == dict.fromkeys(OLDER[symbol], NOT_FOUND)
        kept = {name: v for name, v in TOLD.items() if name not in OLDER[symbol]}
        assert plain(found) == kept


def test_every_symbol_of_every_answer_is_among_those():
    symbols = {call for _, ways in ANSWERS.values() for call, _ in ways}
    versioned = {symbol.rpartition("_v")[0] or symbol for symbol in OLDER} | OLDER.keys()
    assert symbols <= versioned


@pytest.mark.parametrize(
    ("missing", "lost"),
    [
        ("nvmlDeviceGetMarginTemperature", {"margin"}),
        ("nvmlDeviceGetUnrepairableMemoryFlag_v1", {"unrepairable_memory"}),
        ("c_nvmlGpuFabricInfo_v3_t", {"fabric_health_summary"}),
        ("c_nvmlPlatformInfo_v2_t", {"chassis_serial"}),
        ("c_nvmlEccSramErrorStatus_v1_t", {n for n, group in GROUP_OF.items() if group == "sram"}),
    ],
)
def test_an_older_pynvml_is_an_older_driver(missing: str, lost: set[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delattr(pynvml, missing)
    found = read(profile(TOLD))
    assert found.codes == dict.fromkeys(lost, NOT_FOUND)


@pytest.mark.parametrize(
    ("added", "codes"),
    [
        ({"fabric_health_summary"}, {"fabric_health_summary": MISMATCH}),
        (
            {"fabric_health_summary", "fabric_health_mask"},
            {"fabric_health_summary": NOT_FOUND, "fabric_health_mask": NOT_FOUND},
        ),
        ({"chassis_serial"}, {"chassis_serial": MISMATCH}),
        ({"memory_reserved"}, {"memory_reserved": NOT_FOUND}),
    ],
)
def test_what_a_version_added_is_unknown_before_it_and_the_rest_is_told(
    added: set[str], codes: dict[str, int]
):
    for sweeps in (1, 2):
        found = read(profile({n: v for n, v in TOLD.items() if n not in added}), sweeps=sweeps)
        assert found.codes.keys() == codes.keys()
        assert all(code in {NOT_FOUND, MISMATCH} for code in found.codes.values())


async def test_what_root_alone_may_read_is_unknown_and_the_rest_is_told(tmp_path: Path):
    sram = {name: "NO_PERMISSION" for name, group in GROUP_OF.items() if group == "sram"}
    host = watch(simulated(create_node(tmp_path / "node", profile=profile(TOLD, failures=sram)).path))
    (gpu,) = (await host.sweep()).gpus
    await host.client.close()
    assert {gpu.reading(name).knowledge for name in sram} == {Knowledge.UNKNOWN}
    assert {gpu.reading(name).why for name in sram} == {"NO_PERMISSION"}
    assert gpu.codes.keys() == sram.keys()


@pytest.mark.parametrize("name", sorted(TEXTS.keys() & {"serial", "vbios", "inforom_version", "uuid"}))
def test_bytes_that_are_no_text_are_unreadable_and_take_nothing_along(name: str):
    assert read(profile({**TOLD, name: "\udcff\udcfe"})).codes == {name: -1}


def test_a_corrupted_inforom_is_a_value_and_one_that_cannot_be_read_is_not():
    assert read(profile({**TOLD, "inforom_valid": 0})).values["inforom_valid"] == 0
    assert read(profile(TOLD, failures={"inforom_valid": "TIMEOUT"})).codes == {"inforom_valid": 10}


def test_a_gpu_that_is_not_partitioned_has_no_mig_devices():
    found = read(profile({**TOLD, "mig_mode": 0}))
    assert (found.values["mig_devices"], found.values["mig_profiles"]) == (0, "")


def test_where_confidential_computing_is_off_nothing_is_asked_of_it():
    found = read(profile({name: v for name, v in TOLD.items() if name != "cc_ready"}))
    assert found.codes == {"cc_ready": 3}


def test_a_driver_without_processes_says_so_with_empty_lists():
    found = read(profile({**TOLD, "compute_pids": (), "compute_memory": (), "mps_pids": ()}))
    assert [found.values[n] for n in ("compute_pids", "compute_memory", "mps_pids")] == [[], [], []]
