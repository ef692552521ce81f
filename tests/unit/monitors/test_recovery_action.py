"""What the driver asks for."""

import pytest
from tests.fakes.sweeps import gpu, gpu_in, only, sweep

from sickbay.host.nvml.readings import GpuState
from sickbay.monitors.recovery_action import signals


def test_the_driver_asks_for_a_reset_and_is_content_after_it():
    actions = [only(signals(sweep(gpu(recovery_action=n)))).fields["action"] for n in (0, 1, 0)]
    assert actions == ["NONE", "GPU_RESET", "NONE"]


@pytest.mark.parametrize(
    ("value", "action"),
    [
        (2, "NODE_REBOOT"),
        (3, "DRAIN_P2P"),
        (4, "DRAIN_AND_RESET"),
        (5, "RECOVER_IMEX_DOMAIN"),
        (6, "BUS_RESET"),
        (7, "SYSTEM_REBOOT"),
        (99, "UNKNOWN"),
    ],
)
def test_every_value_has_its_name_and_a_new_one_is_unknown(value: int, action: str):
    assert only(signals(sweep(gpu(recovery_action=value)))).fields == {"value": value, "action": action}


def test_a_field_that_cannot_be_had_is_unknown_until_it_can():
    states = (gpu(), gpu(codes={"recovery_action": 10}), gpu())
    actions = [only(signals(sweep(state))).fields["action"] for state in states]
    assert actions == ["NONE", None, "NONE"]


def test_a_driver_without_the_field_says_nothing():
    assert signals(sweep(gpu(codes={"recovery_action": 3}))) == ()


def test_a_gpu_that_answers_every_call_with_reset_required_asks_for_a_reset():
    refused = gpu_in(GpuState.UNSEEN, code=16)
    assert only(signals(sweep(refused))).fields == {"value": 1, "action": "GPU_RESET"}
    every = gpu(codes={"recovery_action": 16, "temperature": 16})
    assert only(signals(sweep(every))).fields["action"] == "GPU_RESET"


def test_a_stronger_request_is_not_weakened_by_reset_required():
    both = gpu(codes={"temperature": 16}, recovery_action=2)
    assert only(signals(sweep(both))).fields["action"] == "NODE_REBOOT"


def test_nothing_is_asked_by_a_gpu_that_is_left_out():
    assert only(signals(sweep(gpu_in(GpuState.UNSEEN)))).fields == {"value": None, "action": None}
