"""What every fault of a scenario says, whatever goes wrong."""

import msgspec

from sickbay.core.instants import parse_duration
from sickbay.host.config_files import Seconds

ENDS = ("reboot", "reset", "never")
"""What may end a fault, where it does not say how long it lasts."""


class FaultBase(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="fault", kw_only=True):
    """What every fault says. `gpu` is a slot, counted from 0 in the order of PCI addresses."""

    at: Seconds = Seconds(0)
    gpu: int | None = None
    until: str = "reboot"

    def __post_init__(self) -> None:
        """Refuse what could not happen."""
        if self.gpu is not None and self.gpu < 0:
            raise ValueError(f"gpu: {self.gpu}; slots count from 0")
        if self.until not in ENDS:
            try:
                parse_duration(self.until)
            except ValueError as error:
                raise ValueError(
                    f"until: one of {', '.join(ENDS)} or a duration, got {self.until}"
                ) from error
        self._check()

    def _check(self) -> None:
        if self.gpu is None:
            raise ValueError(f"gpu: the fault {type(self).__struct_config__.tag} needs a slot")
