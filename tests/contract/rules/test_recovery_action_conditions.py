"""What the driver asks for, from field 230 through monitor and rules: every value, and values to come."""

import pytest
from tests.fakes.sweeps import gpu, sweep
from tests.support.gpu_story import NOT_SUPPORTED, Illness, Story

from sickbay.core.conditions import Mode
from sickbay.monitors import recovery_action

MINUTES = 60.0
ASKED = [
    (1, "GPU_RESET", Mode.ACT),
    (2, "NODE_REBOOT", Mode.ACT),
    (3, "DRAIN_P2P", Mode.OBSERVE),
    (4, "DRAIN_AND_RESET", Mode.ACT),
    (5, "RECOVER_IMEX_DOMAIN", Mode.OBSERVE),
    (6, "BUS_RESET", Mode.OBSERVE),
    (7, "SYSTEM_REBOOT", Mode.ACT),
    (8, "UNKNOWN", Mode.OBSERVE),
    (4_000_000_000, "UNKNOWN", Mode.OBSERVE),
]
EACH = pytest.mark.parametrize(("value", "reason", "mode"), ASKED)


def of_value(value: int) -> Illness:
    return Illness(
        type="GpuRecoveryAction",
        judge=lambda seen, _before: recovery_action.signals(seen),
        well={"recovery_action": 0},
        ill={"recovery_action": value},
    )


@EACH
def test_the_driver_asks_and_is_content_again(value: int, reason: str, mode: Mode) -> None:
    story = Story(illness=of_value(value))
    assert story.well(10 * MINUTES) == set()
    assert story.ill(2 * MINUTES) == {"GpuRecoveryAction"}
    assert (story.condition.reason, story.condition.mode) == (reason, mode)
    assert story.well(MINUTES) == set()


@EACH
def test_a_driver_that_does_not_say_is_neither_content_nor_asking(
    value: int, reason: str, mode: Mode
) -> None:
    story = Story(illness=of_value(value))
    assert story.well(10 * MINUTES) == set()
    assert story.unknown(60 * MINUTES) == set()
    story.ill(2 * MINUTES)
    assert story.unknown(60 * MINUTES) == {"GpuRecoveryAction"}
    assert (story.condition.reason, story.condition.mode) == (reason, mode)
    assert story.well(MINUTES) == set()


def test_a_value_to_come_keeps_its_number() -> None:
    (signal,) = recovery_action.signals(sweep(gpu(recovery_action=8)))
    assert signal.fields == {"value": 8, "action": "UNKNOWN"}


def test_a_driver_without_the_field_makes_no_signal() -> None:
    assert recovery_action.signals(sweep(gpu(codes={"recovery_action": NOT_SUPPORTED}))) == ()
