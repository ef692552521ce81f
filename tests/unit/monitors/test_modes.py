"""The modes that a GPU runs in."""

from tests.fakes.sweeps import gpu, gpu_in, only, sweep

from sickbay.host.nvml.readings import GpuState
from sickbay.monitors.modes import signals

NAMES = (
    "persistence_mode",
    "ecc_mode",
    "ecc_mode_pending",
    "compute_mode",
    "virtualization_mode",
    "cc_ready",
)


def test_modes_are_told_in_nvmls_words():
    seen = gpu(persistence_mode=1, ecc_mode=1, ecc_mode_pending=0, compute_mode=3, virtualization_mode=1)
    assert only(signals(sweep(seen))).fields == {
        "persistence": True,
        "ecc": True,
        "ecc_pending": False,
        "compute_mode": "EXCLUSIVE_PROCESS",
        "virtualization": "PASSTHROUGH",
        "confidential_ready": None,
    }


def test_a_mode_that_nvml_did_not_have_yet_keeps_its_number():
    assert only(signals(sweep(gpu(compute_mode=9)))).fields["compute_mode"] == "9"


def test_a_gpu_without_any_of_them_is_not_spoken_of():
    assert signals(sweep(gpu(codes=dict.fromkeys(NAMES, 3)))) == ()


def test_permission_denied_is_unknown():
    assert only(signals(sweep(gpu(codes=dict.fromkeys(NAMES, 4))))).fields["persistence"] is None
    assert only(signals(sweep(gpu_in(GpuState.LOST)))).fields["ecc"] is None
