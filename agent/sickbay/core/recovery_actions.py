"""What a driver asks for to bring a GPU back: the values of NVML field 230 and the names in Xid 154.

Numbers: nvml.h, `NVML_GPU_RECOVERY_ACTION_*`, the value of `NVML_FI_DEV_GET_GPU_RECOVERY_ACTION` (230).
The kernel line of Xid 154 prints the same number with a name that has changed between driver branches.
"""

from enum import Enum


class RecoveryAction(Enum):
    """The driver's own request. UNKNOWN is a number and a name that this table does not have."""

    NONE = "NONE"
    GPU_RESET = "GPU_RESET"
    NODE_REBOOT = "NODE_REBOOT"
    DRAIN_P2P = "DRAIN_P2P"
    DRAIN_AND_RESET = "DRAIN_AND_RESET"
    RECOVER_IMEX_DOMAIN = "RECOVER_IMEX_DOMAIN"
    BUS_RESET = "BUS_RESET"
    SYSTEM_REBOOT = "SYSTEM_REBOOT"
    UNKNOWN = "UNKNOWN"

    @property
    def rank(self) -> int:
        """How much it takes, 0 for nothing; the driver's own precedence (gpu.c, branch 595).

        UNKNOWN ranks below everything, because what is not known must never lead to an act.
        """
        return _RANKS[self]


_RANKS = {
    RecoveryAction.UNKNOWN: -1,
    RecoveryAction.NONE: 0,
    RecoveryAction.RECOVER_IMEX_DOMAIN: 1,
    RecoveryAction.DRAIN_P2P: 2,
    RecoveryAction.DRAIN_AND_RESET: 3,
    RecoveryAction.GPU_RESET: 4,
    RecoveryAction.BUS_RESET: 5,
    RecoveryAction.NODE_REBOOT: 6,
    RecoveryAction.SYSTEM_REBOOT: 7,
}

_NUMBERS = (
    RecoveryAction.NONE,
    RecoveryAction.GPU_RESET,
    RecoveryAction.NODE_REBOOT,
    RecoveryAction.DRAIN_P2P,
    RecoveryAction.DRAIN_AND_RESET,
    RecoveryAction.RECOVER_IMEX_DOMAIN,
    RecoveryAction.BUS_RESET,
    RecoveryAction.SYSTEM_REBOOT,
)

_NAMES = {
    "none": RecoveryAction.NONE,
    "gpu reset required": RecoveryAction.GPU_RESET,
    "pf flr": RecoveryAction.GPU_RESET,  # branch 610 prints "0x1 (PF FLR)"
    "node reboot required": RecoveryAction.NODE_REBOOT,
    "os reboot": RecoveryAction.NODE_REBOOT,  # branch 610 prints "0x2 (OS Reboot)"
    "drain p2p": RecoveryAction.DRAIN_P2P,
    "drain and reset": RecoveryAction.DRAIN_AND_RESET,
    "recover imex domain": RecoveryAction.RECOVER_IMEX_DOMAIN,
}


def by_number(number: int) -> RecoveryAction:
    """The action behind a value of NVML field 230; UNKNOWN for a value newer than this table."""
    return _NUMBERS[number] if 0 <= number < len(_NUMBERS) else RecoveryAction.UNKNOWN


def by_number_and_name(number: int, name: str) -> RecoveryAction:
    """The action that a line of Xid 154 names, by number and by words.

    When the two are known and differ, the one that takes more counts; what one of them leaves open, the
    other says.
    """
    readings = (by_number(number), _NAMES.get(name.strip().lower(), RecoveryAction.UNKNOWN))
    return max(readings, key=lambda action: action.rank)
