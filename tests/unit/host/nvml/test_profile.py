"""What a host's driver answered, kept as a file."""

from pathlib import Path

import pytest
from tests.fakes.nvml_host import simulated, watch
from tests.fakes.sweeps import gpu, gpu_in, sweep

from sickbay.core.problems import RefusedError
from sickbay.host.nvml.profile import as_json, load_profile, record_profile, renamed
from sickbay.host.nvml.readings import GpuState
from sickbay.sim.simulated_node import H100X8, create_node


def test_a_recorded_profile_starts_a_simulated_node_that_answers_the_same(tmp_path: Path):
    seen = sweep(gpu(codes={"hbm_temperature": 3}))
    file = tmp_path / "recorded.json"
    file.write_bytes(as_json(record_profile(seen, about="a test", day="2026-01-02")))
    profile = load_profile(file)
    assert profile.recorded == "2026-01-02"
    (recorded,) = profile.complete_gpus()
    assert recorded.values == dict(seen.gpus[0].values)
    assert recorded.failures == {"hbm_temperature": "NOT_SUPPORTED"}
    assert create_node(tmp_path / "node", profile=file).profile.exists()


async def test_what_is_recorded_of_a_simulated_node_is_its_own_profile(tmp_path: Path):
    host = watch(simulated(create_node(tmp_path / "node").path))
    recorded = record_profile(await host.complete(), about="again", day="2026-01-02")
    await host.client.close()
    original = load_profile(H100X8)
    recorded_gpus, gpus = recorded.complete_gpus(), original.complete_gpus()
    assert [(gpu.pci, gpu.values) for gpu in recorded_gpus] == [(gpu.pci, gpu.values) for gpu in gpus]
    assert {code for gpu in recorded_gpus for code in gpu.failures.values()} == {"NOT_SUPPORTED"}
    assert recorded.driver_version == original.driver_version
    assert recorded.calls["nvmlDeviceGetUUID"].count == 8


def test_a_gpu_that_did_not_answer_is_not_recorded():
    seen = sweep(gpu(), gpu_in(GpuState.LOST, code=15))
    assert len(record_profile(seen, about="", day="").gpus) == 1


def test_what_comes_and_goes_is_no_part_of_what_a_gpu_is():
    (recorded,) = record_profile(sweep(gpu(codes={"temperature": 10})), about="", day="").gpus
    assert recorded.failures == {}


def test_another_salt_is_another_host_of_the_same_kind():
    one, two = (renamed(load_profile(H100X8), salt).complete_gpus() for salt in ("one", "two"))
    assert {gpu.values["uuid"] for gpu in one}.isdisjoint({gpu.values["uuid"] for gpu in two})
    assert [gpu.pci for gpu in one] == [gpu.pci for gpu in two]
    assert one[0].values["name"] == two[0].values["name"]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('gpus: [{pci: "0000:1b:00", values: {temprature: 3}}]', "temprature: no reading"),
        ('gpus: [{pci: "0000:1b:00", failures: {uuid: BROKEN}}]', "BROKEN: no return code"),
        ("gpus: 3", "expected"),
        ("gpus: []\nfans: 2", "the unknown key 'fans'"),
    ],
)
def test_a_profile_that_is_none_is_refused_with_file_and_line(tmp_path: Path, line: str, complaint: str):
    file = tmp_path / "profile.yaml"
    file.write_text(f"about: x\ndriver_version: '1'\nnvml_version: '1'\n{line}\n")
    with pytest.raises(RefusedError, match=complaint) as caught:
        load_profile(file)
    assert str(caught.value).startswith(f"{file}:")
