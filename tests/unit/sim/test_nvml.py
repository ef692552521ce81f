"""The simulated library answers pynvml as a driver's would."""

import ctypes
from pathlib import Path

import msgspec
import pynvml
import pytest
from tests.fakes.driver import loaded
from tests.support.waiting import wait_until

from sickbay.host.nvml.profile import GpuProfile, load_profile
from sickbay.sim.node_dir import NodeDir
from sickbay.sim.scenario import Lost, Missing, Returns, Temperature, Xid
from sickbay.sim.simulated_node import H100X8, create_node, inject_fault


@pytest.fixture
def node(tmp_path: Path) -> Path:
    return create_node(tmp_path).path


def refused(code: int):
    return pytest.raises(pynvml.NVMLError, check=lambda error: error.value == code)


def test_it_answers_through_every_line_of_pynvml(node: Path):
    with loaded(node):
        pynvml.nvmlInitWithFlags(1)
        assert pynvml.nvmlSystemGetDriverVersion() == "570.124.06"
        assert pynvml.nvmlDeviceGetCount() == 8
        handle = pynvml.nvmlDeviceGetHandleByPciBusId("00000000:1B:00.0")
        info = pynvml.nvmlDeviceGetPciInfo(handle)
        assert (info.busId, info.bus, info.pciDeviceId) == ("00000000:1B:00.0", 0x1B, 0x233010DE)
        assert pynvml.nvmlDeviceGetMemoryInfo(handle).total == 85520809984
        assert pynvml.nvmlDeviceGetTemperatureV(handle, 0) == 33
        assert pynvml.nvmlDeviceGetTemperature(handle, 0) == 33
        assert pynvml.nvmlDeviceGetTemperatureThreshold(handle, 1) == 87
        (value,) = pynvml.nvmlDeviceGetFieldValues(handle, [91])
        assert (value.nvmlReturn, value.valueType, value.value.uiVal) == (0, 1, 18)


def test_handles_are_the_same_by_index_and_by_address(node: Path):
    with loaded(node):
        uuids = [pynvml.nvmlDeviceGetUUID(pynvml.nvmlDeviceGetHandleByIndex(index)) for index in range(8)]
        assert len(set(uuids)) == 8
        by_address = pynvml.nvmlDeviceGetHandleByPciBusId("0000:43:00.0")
        assert pynvml.nvmlDeviceGetUUID(by_address) == uuids[1]


def test_what_does_not_exist_is_refused_as_nvml_does(node: Path):
    with loaded(node):
        with refused(pynvml.NVML_ERROR_INVALID_ARGUMENT):
            pynvml.nvmlDeviceGetHandleByIndex(8)
        with refused(pynvml.NVML_ERROR_NOT_FOUND):
            pynvml.nvmlDeviceGetHandleByPciBusId("0000:99:00.0")
        with refused(pynvml.NVML_ERROR_FUNCTION_NOT_FOUND):
            pynvml.nvmlDeviceGetArchitecture(pynvml.nvmlDeviceGetHandleByIndex(0))


def test_a_lost_gpu_says_so_to_every_call_and_its_neighbour_does_not(node: Path):
    with loaded(node):
        lost, well = (pynvml.nvmlDeviceGetHandleByIndex(index) for index in (0, 1))
        inject_fault(node, Lost(gpu=0))
        with refused(pynvml.NVML_ERROR_GPU_IS_LOST):
            pynvml.nvmlDeviceGetUUID(lost)
        with refused(pynvml.NVML_ERROR_GPU_IS_LOST):
            pynvml.nvmlDeviceGetHandleByIndex(0)
        assert pynvml.nvmlDeviceGetTemperatureV(well, 0) == 33


def test_a_missing_gpu_moves_the_indices_of_those_behind_it(node: Path):
    inject_fault(node, Missing(gpu=0))
    with loaded(node):
        assert pynvml.nvmlDeviceGetCount() == 7
        first = pynvml.nvmlDeviceGetHandleByIndex(0)
        assert pynvml.nvmlDeviceGetPciInfo(first).bus == 0x43


def test_a_named_call_returns_what_the_scenario_says(node: Path):
    inject_fault(node, Returns(call="nvmlDeviceGetHandleByIndex", gpu=2, code=8))
    with loaded(node):
        pynvml.nvmlDeviceGetHandleByIndex(1)
        with refused(8):
            pynvml.nvmlDeviceGetHandleByIndex(2)


def test_heat_slows_the_clocks_down(node: Path):
    inject_fault(node, Temperature(gpu=0, to=95))
    with loaded(node):
        handle = pynvml.nvmlDeviceGetHandleByIndex(0)
        assert pynvml.nvmlDeviceGetTemperatureV(handle, 0) == 95
        assert pynvml.nvmlDeviceGetCurrentClocksEventReasons(handle) & 0x40


def test_only_registered_and_supported_events_of_later_are_delivered(node: Path):
    inject_fault(node, Xid(gpu=0, code=13))
    with loaded(node):
        events = pynvml.nvmlEventSetCreate()
        handle = pynvml.nvmlDeviceGetHandleByIndex(0)
        supported = pynvml.nvmlDeviceGetSupportedEventTypes(handle)
        with refused(pynvml.NVML_ERROR_NOT_SUPPORTED):
            pynvml.nvmlDeviceRegisterEvents(handle, supported | 0x10, events)
        pynvml.nvmlDeviceRegisterEvents(handle, 0x8, events)
        with refused(pynvml.NVML_ERROR_TIMEOUT):
            pynvml.nvmlEventSetWait(events, 1)
        inject_fault(node, Xid(gpu=1, code=31))
        inject_fault(node, Xid(gpu=0, code=48))
        event = pynvml.nvmlEventSetWait(events, 30_000)
        assert (event.eventType, event.eventData) == (0x8, 48)


def test_whoever_waits_is_told_that_a_fault_has_come_due(node: Path):
    told: list[float] = []
    with loaded(node) as library:
        library._on_due = lambda: told.append(NodeDir(node).uptime())
        inject_fault(node, Xid(gpu=0, code=48))
        wait_until(lambda: library.wait(0.05) is not None or told)
    assert told


def busy(node: Path, **values: object) -> Path:
    """A host of one GPU that tells these beside what an H100 tells."""
    (gpu, *_) = load_profile(H100X8).complete_gpus()
    changed = msgspec.structs.replace(gpu, values={**gpu.values, **values})
    host = msgspec.structs.replace(load_profile(H100X8), gpus=(changed,), defaults=GpuProfile())
    return create_node(node / "busy", profile=host).path


def test_processes_are_listed_after_their_number(node: Path):
    with loaded(busy(node, compute_pids=(4242, 7), compute_memory=(1 << 30, None))):
        handle = pynvml.nvmlDeviceGetHandleByIndex(0)
        found = pynvml.nvmlDeviceGetComputeRunningProcesses_v3(handle)
        assert [(one.pid, one.usedGpuMemory) for one in found] == [(4242, 1 << 30), (7, None)]
        assert pynvml.nvmlDeviceGetMPSComputeRunningProcesses_v3(handle) == []


def test_past_the_last_link_nothing_is_supported(node: Path):
    with loaded(node):
        handle = pynvml.nvmlDeviceGetHandleByIndex(0)
        assert pynvml.nvmlDeviceGetNvLinkRemoteDeviceType(handle, 17) == 2
        with refused(pynvml.NVML_ERROR_NOT_SUPPORTED):
            pynvml.nvmlDeviceGetNvLinkRemoteDeviceType(handle, 18)
        fields = pynvml.nvmlDeviceGetFieldValues(handle, [(163, 17), (163, 18), (206, 0), (230, 1)])
        assert [field.nvmlReturn for field in fields] == [0, 3, 3, 3]


def test_a_negative_limit_is_in_the_signed_member(node: Path):
    with loaded(node):
        handle = pynvml.nvmlDeviceGetHandleByIndex(0)
        (limit,) = pynvml.nvmlDeviceGetFieldValues(handle, [194])
        assert (limit.valueType, limit.value.siVal) == (5, -2)
        assert pynvml.nvmlDeviceGetMarginTemperature(handle) == 54


def test_mig_devices_have_handles_and_names_of_their_own(node: Path):
    with loaded(busy(node, mig_mode=1, mig_devices=2, mig_profiles="3g.40gb,1g.10gb")):
        handle = pynvml.nvmlDeviceGetHandleByIndex(0)
        devices = [pynvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, place) for place in range(2)]
        assert [pynvml.nvmlDeviceGetName(device) for device in devices] == [
            "NVIDIA H100 80GB HBM3 MIG 3g.40gb",
            "NVIDIA H100 80GB HBM3 MIG 1g.10gb",
        ]
        with refused(pynvml.NVML_ERROR_NOT_FOUND):
            pynvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, 2)


def test_what_the_profile_does_not_name_is_not_supported(node: Path):
    with loaded(node):
        handle = pynvml.nvmlDeviceGetHandleByIndex(0)
        with refused(pynvml.NVML_ERROR_NOT_SUPPORTED):
            pynvml.nvmlDeviceGetPlatformInfo(handle, ctypes.byref(pynvml.c_nvmlPlatformInfo_v2_t()))
        with refused(pynvml.NVML_ERROR_NOT_SUPPORTED):
            pynvml.nvmlSystemGetConfComputeGpusReadyState()
