"""The driver's recovery actions: numbers, names, and what ranks above what."""

import pytest

from sickbay.core.recovery_actions import RecoveryAction, by_number, by_number_and_name


@pytest.mark.parametrize(
    ("number", "action"),
    [
        (0, RecoveryAction.NONE),
        (1, RecoveryAction.GPU_RESET),
        (2, RecoveryAction.NODE_REBOOT),
        (3, RecoveryAction.DRAIN_P2P),
        (4, RecoveryAction.DRAIN_AND_RESET),
        (5, RecoveryAction.RECOVER_IMEX_DOMAIN),
        (6, RecoveryAction.BUS_RESET),
        (7, RecoveryAction.SYSTEM_REBOOT),
        (8, RecoveryAction.UNKNOWN),
        (-1, RecoveryAction.UNKNOWN),
    ],
)
def test_a_number_of_nvml_has_its_action(number: int, action: RecoveryAction):
    assert by_number(number) is action


def test_what_is_not_known_ranks_below_everything():
    others = [action.rank for action in RecoveryAction if action is not RecoveryAction.UNKNOWN]
    assert min(others) > RecoveryAction.UNKNOWN.rank


def test_ranks_are_a_total_order():
    assert len({action.rank for action in RecoveryAction}) == len(RecoveryAction)


def test_of_a_number_and_a_name_that_differ_the_greater_counts():
    assert by_number_and_name(1, "Node Reboot Required") is RecoveryAction.NODE_REBOOT
    assert by_number_and_name(2, "GPU Reset Required") is RecoveryAction.NODE_REBOOT


def test_a_name_alone_or_a_number_alone_is_enough():
    assert by_number_and_name(77, " drain p2p ") is RecoveryAction.DRAIN_P2P
    assert by_number_and_name(3, "words of a newer driver") is RecoveryAction.DRAIN_P2P
    assert by_number_and_name(77, "words of a newer driver") is RecoveryAction.UNKNOWN
